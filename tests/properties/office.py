"""The whole program at one club, and the hands that a site's files and channel are in.

Everything is the real thing but time, which only passes when a test says so: the composition root,
a journal, an audit file, a state file, a flag, and mail to a server on loopback.
"""

import email
import email.policy
import json
import logging
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from pathlib import Path

import structlog

from door_sync.app.approvals import CannotPass, NotApproved, approve, reject
from door_sync.app.bootstrap import controller_alone, keep, run_site
from door_sync.app.past import check, tidy_up
from door_sync.app.remembering import AlertMemory
from door_sync.app.report import CycleReport
from door_sync.app.urgent import Revoked, restore, revoke
from door_sync.cli import history, status
from door_sync.cli.context import Options
from door_sync.cli.logs import configure_logs
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.journal.cutoffs import Reason
from door_sync.settings import Settings, load_settings
from tests.club import Club
from tests.notify.conftest import MailServer

COMMANDS = {"status": status.command, "history": history.command}

PRINTED = StringIO()
"""What commands print. One for all: click keeps each text that it ever printed to."""

NEW_CHAIN = (
    "begins a new chain, although there are lines before it: the journal was replaced or could"
)
"""What `history verify` finds where a line had neither a file nor a journal to go on from."""

Name = tuple[int, str]
"""A change as a person sees it: whose it is, and its class."""


@dataclass(frozen=True)
class Budgets:
    """What `[safety]` says, for the program and for a test that counts by itself."""

    deactivate: float
    add: float
    policy: float
    card: float
    profile: float
    floor: int
    few: int

    def as_toml(self) -> str:
        """Return the lines of the table."""
        return (
            f"mass_deactivate_pct = {self.deactivate}\nmass_add_pct = {self.add}\n"
            f"mass_policy_pct = {self.policy}\nmass_card_pct = {self.card}\n"
            f"mass_profile_pct = {self.profile}\nbaseline_floor = {self.floor}\n"
            f"small_site_max = {self.few}\n"
        )


LAX = Budgets(1.0, 1.0, 1.0, 1.0, 1.0, 0, 1000)
AS_SHIPPED = Budgets(0.15, 0.25, 0.20, 0.20, 0.50, 10, 3)
TIGHT = Budgets(0.30, 0.40, 0.40, 0.30, 0.50, 4, 1)


@dataclass(frozen=True)
class Mail:
    """One mail as it was taken, and when by the site's clock."""

    subject: str
    text: str
    at: datetime


@dataclass
class Office:
    """One site. `goes_on` is a process that runs cycle after cycle; else each is one of its own."""

    club: Club
    server: MailServer
    directory: Path
    budgets: Budgets
    goes_on: bool
    memory: AlertMemory = field(default_factory=AlertMemory)
    lost_threads: int = 0
    _taken: int = 0

    def __post_init__(self) -> None:
        self.directory.mkdir()
        self.server.behaviour.replies.clear()
        self._taken = len(self.server.mails)
        config = self.club.write_files(self.directory)
        safety = f"[safety]\n{self.budgets.as_toml()}[ops]\nkeep_changes_days = 30\n"
        text = re.sub(
            r"\[safety\].*?\[ops\]\n",
            f"{safety}keep_quiet_cycles_days = 2\n",
            config.read_text(),
            flags=re.DOTALL,
        )
        mail = (
            '[alert]\ntransport = "smtp"\n[alert.smtp]\nhost = "127.0.0.1"\nstarttls = false\n'
            f"port = {self.server.port}\n"
            'from = "door-sync@example.org"\nto = "board@example.org"\n'
        )
        config.write_text(f"{text}{mail}")
        self.settings: Settings = load_settings(config, self.directory / ".env", {}).settings

    @property
    def journal(self) -> Path:
        """Where the journal is."""
        return self.settings.ops.history_db

    @property
    def audit(self) -> Path:
        """Where the audit file is."""
        return self.settings.ops.audit_jsonl

    @property
    def flag(self) -> Path:
        """Where the flag is."""
        return self.settings.ops.alert_flag

    # What a person types.

    def cycle(self) -> CycleReport:
        """Run one live cycle."""
        if not self.goes_on:
            self.memory = AlertMemory()
        self._look_for_thread()
        return run_site(self.settings, clock=self.club.clock, alerts=self.memory)

    def approve(
        self, digest: str, classes: list[ChangeClass], contacts: list[ContactId]
    ) -> frozenset[Name] | None:
        """Approve a hold or a part of it; return the changes in it, None if that was refused."""
        try:
            done = approve(
                self.journal, self.club.clock, digest, "kim", classes=classes, contacts=contacts
            )
        except (NotApproved, CannotPass):
            return None
        return frozenset((contact, one.value) for contact, one in done.changes)

    def reject(self, digest: str) -> frozenset[Name] | None:
        """Refuse a hold; return the changes in it, None if it waits no more."""
        try:
            done = reject(self.journal, self.club.clock, digest, "kim")
        except NotApproved:
            return None
        return frozenset((one.contact_id, one.change_class.value) for one in done.hold.hold.effects)

    def revoke(self, contact: int, reason: str) -> Revoked:
        """Cut somebody off."""
        self._look_for_thread()
        with controller_alone(self.settings, self.club.clock) as controller:
            return revoke(
                [ContactId(contact)],
                controller,
                self.journal,
                self.audit,
                self.club.clock,
                "kim",
                Reason.of(reason),
            )

    def restore(self, contact: int) -> None:
        """Lift that."""
        restore([ContactId(contact)], self.journal, self.club.clock, "kim")

    def prune(self) -> None:
        """Remove old history."""
        tidy_up(self.journal, self.club.clock, keep(self.settings))

    def verify(self) -> None:
        """Check the record; notes are no findings."""
        verdict = check(self.journal, self.audit, ())
        found = [one for one in verdict.audit.findings if NEW_CHAIN not in one.text]
        assert not found, found
        assert not verdict.database
        assert len(verdict.audit.findings) <= self.lost_threads, verdict.audit.findings

    def _look_for_thread(self) -> None:
        """Count the times that the next audit line finds neither a file to go on from, nor a
        journal that knows where the last one ended."""
        files = [one for one in self.audit_files() if one.stat().st_size]
        if not files or self.audit in files:
            return
        newest = min(files, key=lambda one: int(one.suffix[1:]))
        last = json.loads(newest.read_text("utf-8").splitlines()[-1])["hash"]
        known: list[object] = []
        if self.journal.is_file():
            with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as connection:
                known = connection.execute(
                    "SELECT 1 FROM cycles WHERE audit = ?", (last,)
                ).fetchall()
        self.lost_threads += not known

    # What happens to its files and its channel.

    def rotate(self, *, by_copy: bool) -> None:
        """Move the audit file away as logrotate does, or copy and truncate it."""
        if not self.audit.exists():
            return
        names = [self.audit, *(Path(f"{self.audit}.{number}") for number in range(1, 99))]
        last = next(number for number, path in enumerate(names) if not path.exists())
        for number in range(last, 1, -1):
            names[number - 1].rename(names[number])
        if by_copy:
            shutil.copy(self.audit, names[1])
            with self.audit.open("r+b") as file:
                file.truncate(0)
        else:
            self.audit.rename(names[1])

    @contextmanager
    def without_journal(self) -> Iterator[None]:
        """Put a directory where the journal is."""
        aside = self.directory / "aside"
        aside.mkdir()
        for path in self.directory.glob("history.db*"):
            path.rename(aside / path.name)
        self.journal.mkdir()
        try:
            yield
        finally:
            self.journal.rmdir()
            for path in aside.iterdir():
                path.replace(self.directory / path.name)
            aside.rmdir()

    def break_channel(self, word: str) -> None:
        """Let the mail server refuse at this word of its protocol."""
        self.server.behaviour.replies[word] = "550 board@example.org: not here"

    def repair_channel(self) -> None:
        """Let it take every mail."""
        self.server.behaviour.replies.clear()

    # What is to be seen.

    def files(self) -> list[Path]:
        """Return every file that the program wrote."""
        given = {"config.toml", ".env"}
        return [one for one in self.directory.rglob("*") if one.is_file() and one.name not in given]

    def audit_files(self) -> list[Path]:
        """Return the audit file and what was rotated away."""
        return [one for one in self.files() if one.name.startswith(self.audit.name)]

    def waiting(self) -> list[str]:
        """Return the digests of the holds that wait for a person, the oldest first."""
        with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as connection:
            rows = connection.execute(
                "SELECT digest FROM holds WHERE closed_at IS NULL ORDER BY held_at"
            )
            return [str(digest) for (digest,) in rows]

    def read_aloud(self, *words: str) -> str:
        """Return what a command prints that only looks into the journal."""
        where = str(self.directory / "config.toml"), str(self.directory / ".env")
        options = Options(*where, verbose=True, log_format="text")
        with everything_logged(), redirect_stdout(PRINTED):
            COMMANDS[words[0]].main([*words[1:]], obj=options, standalone_mode=False)
        said = PRINTED.getvalue()
        PRINTED.seek(0)
        PRINTED.truncate()
        return said

    def new_mails(self) -> list[Mail]:
        """Return the mails since the last call."""
        new = self.server.mails[self._taken :]
        self._taken = len(self.server.mails)
        return [self._mail(text) for _, text in new]

    def _mail(self, text: str) -> Mail:
        mail = email.message_from_string(text, policy=email.policy.default)
        subject = " ".join(str(mail["Subject"]).split()).removeprefix("[door-sync] ")
        return Mail(subject, str(mail.get_content()), self.club.clock.now())


@contextmanager
def everything_logged() -> Iterator[StringIO]:
    """Yield a text that grows with every line that the program logs with -v."""
    root, program, before = (
        logging.getLogger(),
        logging.getLogger("door_sync"),
        structlog.get_config(),
    )
    handlers, levels = [*root.handlers], (root.level, program.level)
    configure_logs(verbose=True, log_format="json")
    text = StringIO()
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(text)
    try:
        yield text
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        program.setLevel(levels[1])
        structlog.configure(**before)

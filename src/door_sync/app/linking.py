"""Taking users over: exactly the links that a person confirmed, each on record and proven (P4).

Each user is read once more just before the write; one that changed since is refused. One person's
failure is that person's (P6). What was written is read back (P10).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Final

from door_sync.app.adopting import Confirmed, Forecast, NotLinked, Survey, examine, survey
from door_sync.app.auditing import DONE, FAILED, AuditFiles, audit_command
from door_sync.app.cycle import Parts, Progress
from door_sync.core.controller import User, UserId
from door_sync.core.matching import Caution, Pair
from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.audit import Applied, AuditCounts, AuditedChange, AuditedCycle, Crashed
from door_sync.journal.lock import Patience, SiteLock
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import (
    ControllerDistrusted,
    ControllerError,
    ControllerUnreachable,
    CycleRecord,
    DoorController,
    DoorSyncError,
    StepRecord,
    WriteFailed,
    WriteRefused,
    WriteUncertain,
)
from door_sync.unifi.executor import SILENT_LIMIT

COMMAND: Final = "adopt"
"""The word of this command, and of what it changes, in the journal and the audit file."""

STEP: Final = "link-user"
"""The kind of its one step."""


class Fate(Enum):
    """What became of one confirmed pair."""

    LINKED = "linked"
    """The user carries the contact's id, and was read back so."""
    REFUSED = "refused"
    """Nothing was sent: it is not what was confirmed, or needs a word more."""
    FAILED = "failed"
    """The controller refused the write, or it did not come true."""
    UNPROVEN = "unproven"
    """It was sent, and nobody can read what became of it."""
    NOT_TRIED = "not tried"
    """Something ended the command before."""


@dataclass(frozen=True, slots=True)
class Result:
    """One confirmed pair and what became of it. `cautions` are those that need a word."""

    user_id: UserId
    contact_id: ContactId
    fate: Fate
    problem: str = ""
    cautions: tuple[Caution, ...] = ()


@dataclass(frozen=True)
class Adopted:
    """What `adopt` did. `error` ended it early; `troubles` are files that could not be written.

    `forecast` says what the next cycle does with those that were to be linked.
    """

    results: tuple[Result, ...]
    forecast: Forecast
    cycle_id: str = ""
    error: ControllerError | None = None
    troubles: tuple[str, ...] = ()

    def of(self, fate: Fate) -> tuple[Result, ...]:
        """Return the results of this kind."""
        return tuple(result for result in self.results if result.fate is fate)

    @property
    def exit_code(self) -> int:
        """Return 0 if all were linked, 2 if something ended it early, else 3 (§8)."""
        if self.error is not None:
            return self.error.exit_code
        return 0 if len(self.of(Fate.LINKED)) == len(self.results) else 3


@dataclass(frozen=True)
class Records:
    """Where it is written down, who asked, and how long a running cycle is waited for."""

    journal: Path
    audit: Path
    asked_by: str
    patience: Patience


def link(
    parts: Parts,
    wanted: Sequence[Confirmed],
    words: Collection[Caution],
    records: Records,
    progress: Progress | None = None,
    look: Callable[[Parts, Progress | None], Survey] = survey,
) -> Adopted:
    """Link exactly these users to these contacts, after reading both sides afresh.

    It holds the site's lock, so that no cycle sees half of it. Raise LockHeld, SourceError or
    ControllerError if nothing could be read, JournalError if the record cannot be kept: the write
    in question was not sent then.
    """
    with SiteLock(records.journal, records.patience):
        found = look(parts, progress)
        good, refused, ahead = examine(parts, found, wanted, words)
        turned_down = [_turned_down(one) for one in refused]
        if not good:
            return Adopted(tuple(turned_down), ahead)
        with SqliteJournal.open(records.journal, parts.clock) as journal:
            record = journal.begin_command(parts.clock.now(), COMMAND, records.asked_by)
            links = _Links(parts.controller, record, journal.site_key())
            for pair in good:
                links.take(pair, found.user(pair.user_id))
            _end(record, links)
    results = sorted((*turned_down, *links.results), key=lambda one: one.user_id)
    done = Adopted(tuple(results), ahead, record.cycle_id, links.error)
    try:
        audit_command(_audited(done, links.sent, parts), AuditFiles(records.audit, records.journal))
    except DoorSyncError as error:
        return replace(done, troubles=(f"{error.message}. {error.remedy}".strip(),))
    return done


@dataclass
class _Links:
    """The links one after another: for whom a write is on record, and how many people in a row
    nothing answered."""

    controller: DoorController
    record: CycleRecord
    key: bytes
    results: list[Result] = field(default_factory=list)
    sent: set[ContactId] = field(default_factory=set)
    error: ControllerError | None = None
    silent: int = 0

    def take(self, pair: Pair, shown: User) -> None:
        """Link one user that looks as it was shown, unless something ended this before."""
        if self.error is not None:
            self._note(pair, Fate.NOT_TRIED)
            return
        silent = self.silent
        try:
            self._link(pair, shown)
            if self.silent == silent:
                self.silent = 0
        except (ControllerUnreachable, ControllerDistrusted) as error:
            self._note(pair, Fate.FAILED, error.message)
            self._count_silence(error)
        except ControllerError as error:
            self._note(pair, Fate.FAILED, error.message)
            self.error = error

    def _link(self, pair: Pair, shown: User) -> None:
        now = self.controller.user(pair.user_id)
        if now is None:
            self._note(pair, Fate.REFUSED, "the controller has no user with this id any more")
            return
        if _looks(now) != _looks(shown):
            problem = "the user was changed in the controller since; look at it again"
            self._note(pair, Fate.REFUSED, problem)
            return
        number = self.record.intend(
            StepRecord(
                pair.contact_id,
                STEP,
                COMMAND,
                "a person confirmed who this user is",
                digest(self.key, "link", pair.user_id, pair.contact_id)[:16],
                counts=False,
            )
        )
        self.sent.add(pair.contact_id)
        doubt = self._write(pair, number)
        if doubt is not None:
            self._prove(pair, number, doubt)

    def _write(self, pair: Pair, number: int) -> str | None:
        """Send the write; return what is doubtful about it, None if it was surely not done."""
        try:
            self.controller.link(pair.user_id, pair.contact_id)
        except WriteRefused as error:
            self.record.outcome(number, "refused", error.code)
            self._note(pair, Fate.FAILED, error.message)
            return None
        except WriteUncertain as error:
            self.record.outcome(number, "uncertain")
            return error.message
        except (WriteFailed, ControllerError) as error:
            self.record.outcome(number, "failed", type(error).__name__)
            raise
        self.record.outcome(number, "done")
        return ""

    def _prove(self, pair: Pair, number: int, problem: str) -> None:
        """Read the user back (P10); `problem` is empty for a write that was accepted."""
        try:
            user = self.controller.user(pair.user_id)
        except (ControllerUnreachable, ControllerDistrusted) as error:
            if not problem:
                self.record.outcome(number, "unproven")
            self._note(pair, Fate.UNPROVEN, problem or error.message)
            self._count_silence(error)
            return
        if user is not None and user.contact_id == pair.contact_id:
            if problem:
                self.record.outcome(number, "done", "read back")
            self._note(pair, Fate.LINKED)
            return
        if not problem:
            self.record.outcome(number, "unproven")
        self._note(
            pair, Fate.FAILED, problem or "the controller took the link, but does not show it"
        )

    def _note(self, pair: Pair, fate: Fate, problem: str = "") -> None:
        self.results.append(Result(pair.user_id, pair.contact_id, fate, problem))

    def _count_silence(self, error: ControllerError) -> None:
        self.silent += 1
        if self.silent >= SILENT_LIMIT:
            self.error = error


def _looks(user: User) -> tuple[object, ...]:
    """Return everything of a user by which somebody could have told who it is."""
    names = (user.first_name, user.last_name, user.email, user.console_email)
    return (*names, user.contact_id, user.other_number, user.status)


def _turned_down(one: NotLinked) -> Result:
    named = one.confirmed
    return Result(named.user_id, named.contact_id, Fate.REFUSED, one.reason, one.cautions)


def _end(record: CycleRecord, links: _Links) -> None:
    event = "applied" if all(one.fate is Fate.LINKED for one in links.results) else "partial"
    if links.error is not None:
        event = "failed"
    record.end(event, "", {}, "" if links.error is None else links.error.message)


def _audited(done: Adopted, sent: Collection[ContactId], parts: Parts) -> AuditedCycle:
    return AuditedCycle(
        at=parts.clock.now(),
        cycle_id=done.cycle_id,
        ending=Applied() if done.error is None else Crashed(done.error),
        counts=AuditCounts(),
        changes=[
            AuditedChange(one.contact_id, COMMAND, DONE if one.fate is Fate.LINKED else FAILED)
            for one in sorted(done.results, key=lambda one: one.contact_id)
            if one.contact_id in sent
        ],
        command=COMMAND,
    )

"""A site's calls for a person, by hand: what a cycle found, and a box for what is sent (P14)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from door_sync.app.alerting import Called, Found, Ways, call_for_a_person
from door_sync.app.remembering import AlertFiles, AlertMemory
from door_sync.core.causes import Cause, Identity
from door_sync.core.people import ContactId
from door_sync.journal.alerts import AlertBook
from door_sync.notify.alerts import Policy, Sight
from door_sync.notify.notifier import NotifyError

EVERYTHING = frozenset(Sight)
HELD = Cause(Identity.HELD, "Seven would lose access.", "All stay.", "Look.")
DISTRUST = Cause(Identity.SOURCE, "CiviCRM lied.", "All stay.", "Mend it.")
NO_JOURNAL = Cause(Identity.JOURNAL, "No record.", "Nobody is revoked.", "Free space.")
TOLD_SO_FAR = "Told so far"
HELD_TITLE = "Changes wait for a person's word"


@dataclass
class HandClock:
    """Stands still until a test moves it."""

    moment: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


@dataclass
class Box:
    """A channel into a box, until it breaks."""

    subjects: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    is_broken: bool = False
    tries: int = 0

    def send(self, subject: str, text: str) -> None:
        self.tries += 1
        if self.is_broken:
            raise NotifyError("the box is shut", code="553", remedy="Open it.")
        self.subjects.append(subject)
        self.texts.append(text)


class Desk:
    """One site's calls. Each `cycle` is a process of its own unless a memory is kept."""

    def __init__(self, directory: Path) -> None:
        self.flag = directory / "run" / "alert.flag"
        self.journal = directory / "history.db"
        self.clock = HandClock()
        self.box = Box()
        self.memory: AlertMemory | None = None
        self.policy = Policy()
        self.has_channel = True

    def cycle(
        self,
        *causes: Cause,
        seen: frozenset[Sight] = EVERYTHING,
        failed: frozenset[ContactId] = frozenset(),
    ) -> Called:
        self.clock.moment += timedelta(minutes=10)
        memory = self.memory or AlertMemory()
        channel = self.box if self.has_channel else None
        ways = Ways(self.policy, "smtp" if channel else "flag-file", channel, memory)
        files = AlertFiles(self.flag, self.journal)
        return call_for_a_person(Found(causes, seen, failed), files, ways, self.clock)

    def told(self) -> list[tuple[str, str]]:
        with AlertBook.open(self.journal) as book:
            return [(one.identity.value, one.kind) for one in book.told()]

    def spoil_the_journal(self) -> None:
        """Put a directory where the journal is."""
        self.journal.rename(self.journal.with_name("aside")) if self.journal.exists() else None
        self.journal.mkdir()

    def repair_the_journal(self) -> None:
        self.journal.rmdir()
        aside = self.journal.with_name("aside")
        if aside.exists():
            aside.rename(self.journal)

    def spoil_the_flag(self) -> None:
        self.flag.unlink(missing_ok=True)
        (self.flag / "something").mkdir(parents=True)

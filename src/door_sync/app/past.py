"""What `history` looks at: the journal read-only, without the site's lock (§8, P7)."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from door_sync.core.people import ContactId
from door_sync.journal.auditfiles import in_order, with_siblings
from door_sync.journal.lock import SiteLock
from door_sync.journal.lookback import (
    Happening,
    Run,
    Told,
    latest_runs,
    one_cycle,
    remembers_since,
    story,
)
from door_sync.journal.retention import Keep, Pruned, prune, would_prune
from door_sync.journal.revocations import RevocationTimes, revocation_times
from door_sync.journal.shrinking import Shrunk, shrink
from door_sync.journal.store import Store
from door_sync.journal.verify import Verification, check_database, verify
from door_sync.ports import Clock, LockHeld


@dataclass(frozen=True)
class Verdict:
    """What the audit files and the journal say of each other, and SQLite of the journal."""

    audit: Verification
    database: tuple[str, ...]

    @property
    def is_fine(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.audit.findings and not self.database


def latest(path: Path, limit: int, *, quiet_too: bool) -> list[Run]:
    """Return the latest cycles of the journal at `path`, the oldest first; raise JournalError."""
    with _reading(path) as store, store.reading() as connection:
        return latest_runs(connection, limit, quiet_too=quiet_too)


def revocations(path: Path, since: datetime) -> RevocationTimes:
    """Return how long the revocations took that were proven since then; raise JournalError."""
    with _reading(path) as store:
        return revocation_times(store, since)


def cycle(path: Path, cycle_id: str) -> Told | None:
    """Return one cycle with all its steps; raise JournalError."""
    with _reading(path) as store, store.reading() as connection:
        return one_cycle(connection, cycle_id)


@dataclass(frozen=True)
class Story:
    """One person's story: everything on record, in order. `since` is how far that goes back."""

    contact_id: ContactId
    happenings: tuple[Happening, ...]
    since: datetime | None


def story_of(path: Path, contact_id: ContactId) -> Story:
    """Return one person's story; raise JournalError."""
    with _reading(path) as store, store.reading() as connection:
        return Story(contact_id, tuple(story(connection, contact_id)), remembers_since(connection))


def check(path: Path, audit: Path, files: Sequence[Path]) -> Verdict:
    """Check these audit files, or all of the site's; raise JournalError or OpsFileError.

    If logrotate moved the files in the middle of it, it is done once more.
    """
    with _reading(path) as store:
        database = tuple(check_database(store))
        if files:
            return Verdict(verify(in_order(files), store, are_all=False), database)
        found = verify(before := with_siblings(audit), store, are_all=True)
        if found.findings and _identities(before) != _identities(with_siblings(audit)):
            found = verify(with_siblings(audit), store, are_all=True)
        return Verdict(found, database)


def tidy_up(path: Path, clock: Clock, keep: Keep) -> tuple[Pruned, Shrunk]:
    """Remove what is old, then make the file smaller where that is worth it; raise JournalError."""
    with _existing(path) as store:
        done = prune(store, clock.now(), keep, most=1_000_000)
        try:
            with SiteLock(path):  # for this alone: nobody can write until it is done
                return done, shrink(store)
        except LockHeld:
            return done, Shrunk.LATER


def would_tidy_up(path: Path, clock: Clock, keep: Keep) -> Pruned:
    """Return what `tidy_up` would remove; raise JournalError."""
    with _reading(path) as store:
        return would_prune(store, clock.now(), keep)


@contextmanager
def _reading(path: Path) -> Iterator[Store]:
    with closing(Store.open_read_only(path)) as store:
        yield store


@contextmanager
def _existing(path: Path) -> Iterator[Store]:
    """Open a journal for writing that is there: none is made where there was none."""
    with _reading(path):
        pass
    with closing(Store.open(path)) as store:
        yield store


def _identities(paths: Sequence[Path]) -> list[tuple[Path, int]]:
    found = []
    for path in paths:
        with suppress(OSError):
            found.append((path, path.stat().st_ino))
    return found

"""The history of one site in one SQLite file (§7)."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from door_sync.journal.cutoffs import CutOffs
from door_sync.journal.history import PastCycle, PastStep, read_cycles, read_memory, read_steps
from door_sync.journal.holds import HoldBook
from door_sync.journal.record import SqliteCycleRecord, begin_command, begin_cycle
from door_sync.journal.retention import Keep, Pruned, prune_daily
from door_sync.journal.revocations import RevocationTimes, proven_seconds, revocation_times
from door_sync.journal.standing import Standing, standing
from door_sync.journal.store import BUSY_TIMEOUT_SECONDS, RandomBytes, Store, site_key
from door_sync.ports import Clock, Memory


class SqliteJournal:
    """Fills the port Journal. Whatever is wrong with the file is a JournalError.

    One process writes cycles at a time (`SiteLock`); any number may read.
    """

    def __init__(
        self, store: Store, clock: Clock, *, random_bytes: RandomBytes = secrets.token_bytes
    ) -> None:
        self._store = store
        self._clock = clock
        self._random_bytes = random_bytes

    @classmethod
    def open(
        cls,
        path: Path,
        clock: Clock,
        *,
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        random_bytes: RandomBytes = secrets.token_bytes,
    ) -> "SqliteJournal":
        """Open the journal for writing, made or migrated if need be; raise JournalError."""
        store = Store.open(
            path, busy_timeout_seconds=busy_timeout_seconds, random_bytes=random_bytes
        )
        return SqliteJournal(store, clock, random_bytes=random_bytes)

    @classmethod
    def open_read_only(
        cls, path: Path, clock: Clock, *, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS
    ) -> "SqliteJournal":
        """Open an existing journal for a dry run (P7): `begin` raises JournalError."""
        store = Store.open_read_only(path, busy_timeout_seconds=busy_timeout_seconds)
        return SqliteJournal(store, clock)

    def site_key(self) -> bytes:
        """Return the 32 bytes that key every tag and digest of this site."""
        return site_key(self._store)

    def memory(self, now: datetime) -> Memory:
        """Return what was remembered, without what is too old at `now`."""
        with self._store.reading() as connection:
            return read_memory(connection, now)

    def begin(self, now: datetime) -> SqliteCycleRecord:
        """Open the record of a cycle, and mark one that never ended as interrupted."""
        return begin_cycle(self._store, self._clock, now, self._random_bytes)

    def begin_command(self, now: datetime, kind: str, asked_by: str) -> SqliteCycleRecord:
        """Open the record of a person's command that writes on its own, beside any cycle."""
        return begin_command(self._store, self._clock, now, self._random_bytes, kind, asked_by)

    def cut_offs(self) -> CutOffs:
        """Return the list of people who get no access, whatever CiviCRM says (§6)."""
        return CutOffs(self._store, self._clock)

    def holds(self) -> HoldBook:
        """Return the plans that waited for a person, and what persons said to them (§6)."""
        return HoldBook(self._store, self._clock)

    def standing(self) -> Standing:
        """Return how the site stands: the last cycles, and what waits for a person."""
        return standing(self._store)

    def revocation_times(self, since: datetime) -> RevocationTimes:
        """Return how long revocations took that were proven since then, and those without proof."""
        return revocation_times(self._store, since)

    def proven_seconds(self, since: datetime) -> tuple[float, ...]:
        """Return how long each revocation took that was proven since then; raise JournalError."""
        return proven_seconds(self._store, since)

    def prune_daily(self, now: datetime, keep: Keep) -> Pruned:
        """Remove what is old, once a day and not too much of it at once."""
        return prune_daily(self._store, now, keep)

    def cycles(self, limit: int = 20) -> Sequence[PastCycle]:
        """Return the latest cycles, the newest first."""
        with self._store.reading() as connection:
            return read_cycles(connection, limit)

    def steps(self, cycle_id: str) -> Sequence[PastStep]:
        """Return the steps of one cycle in the order they were sent; none for an unknown one."""
        with self._store.reading() as connection:
            return read_steps(connection, cycle_id)

    def close(self) -> None:
        """Close the file; a closed journal cannot be used again."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

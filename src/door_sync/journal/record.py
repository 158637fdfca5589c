"""The record of one running cycle: every write before and after it is sent (P13)."""

import json
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final, final

from door_sync.core.approvals import Hold
from door_sync.core.leavers import Leavers
from door_sync.core.people import ContactId
from door_sync.journal.cutoffs import read_cut_off
from door_sync.journal.history import INTERRUPTED, forget_old
from door_sync.journal.holds import keep_hold
from door_sync.journal.moments import time_text
from door_sync.journal.revocations import learn, prove
from door_sync.journal.store import RandomBytes, Store
from door_sync.ports import Clock, GoodCounts, JournalError, StepRecord

COMMAND_AGE: Final = timedelta(hours=1)
"""After how long a command without an end counts as interrupted: it may run beside a cycle."""


@final
class SqliteCycleRecord:
    """Fills the port CycleRecord. Each call is on disk when it returns; raise JournalError."""

    def __init__(self, store: Store, clock: Clock, cycle_id: str) -> None:
        self._store = store
        self._clock = clock
        self._cycle_id = cycle_id

    @property
    def cycle_id(self) -> str:
        """The name of this cycle: its start in UTC, then random digits."""
        return self._cycle_id

    def intend(self, step: StepRecord) -> int:
        """Record a write that is about to be sent; return its number, counted from 1."""
        with self._store.writing() as connection:
            ((number,),) = connection.execute(
                "INSERT INTO steps "
                "(cycle, number, contact_id, kind, change, reason, digest, counts, intended_at) "
                "SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ?, ? "
                "FROM steps WHERE cycle = ? RETURNING number",
                (
                    self._cycle_id,
                    step.contact_id,
                    *map(_storable, (step.kind, step.change, step.reason, step.digest)),
                    int(step.counts),
                    self._now(),
                    self._cycle_id,
                ),
            ).fetchall()
        return int(number)

    def outcome(self, number: int, outcome: str, detail: str = "") -> None:
        """Record what became of a write. A second word about it, after a read back, replaces it.

        Raise JournalError if no such step was intended in this cycle.
        """
        with self._store.writing() as connection:
            updated = connection.execute(
                "UPDATE steps SET outcome = ?, outcome_at = ?, detail = ? "
                "WHERE cycle = ? AND number = ?",
                (_storable(outcome), self._now(), _storable(detail), self._cycle_id, number),
            )
            if updated.rowcount != 1:
                raise JournalError(f"cycle {self._cycle_id} has no step {number}")

    def cut_off(self) -> frozenset[ContactId]:
        """Return who is cut off by hand at this moment, also since this cycle began (§6)."""
        with self._store.reading() as connection:
            return read_cut_off(connection)

    def remember_refused_address(self, digest: str) -> None:
        """Leave this address of this contact out for 7 days from now (R2)."""
        self._execute(
            "INSERT OR REPLACE INTO refused_addresses (digest, at) VALUES (?, ?)",
            digest,
            self._now(),
        )

    def remember_failed_import(self, digest: str, world: str) -> None:
        """Keep that this number of this contact could not be imported, as both sides are (R3)."""
        self._execute(
            "INSERT OR REPLACE INTO failed_imports (digest, world, at) VALUES (?, ?, ?)",
            digest,
            world,
            self._now(),
        )

    def remember_failed_restore(self, contact_id: ContactId) -> None:
        """Let this contact's restore wait for 24 hours from now (R2)."""
        self._execute(
            "INSERT OR REPLACE INTO failed_restores (contact_id, at) VALUES (?, ?)",
            contact_id,
            self._now(),
        )

    def remember_statusless(self, digest: str) -> None:
        """Keep that the revocation of this row, which shows no status, was accepted (R2)."""
        self._execute(
            "INSERT OR REPLACE INTO statusless (digest, at) VALUES (?, ?)", digest, self._now()
        )

    def remember_alias(self, token_digest: str, number_digest: str) -> None:
        """Keep which number a card carries, where the firmware cannot (R3)."""
        self._execute(
            "INSERT OR REPLACE INTO aliases (token_digest, number_digest, at) VALUES (?, ?, ?)",
            token_digest,
            number_digest,
            self._now(),
        )

    def good_read(self, counts: GoodCounts, missing: Collection[ContactId]) -> None:
        """Keep how much was read, and put these missing contacts in place of the former (R1)."""
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE site SET good_contacts = ?, good_users = ?, good_at = ?",
                (counts.contacts, counts.users, self._now()),
            )
            connection.execute("DELETE FROM missing_contacts")
            connection.executemany(
                "INSERT INTO missing_contacts (contact_id) VALUES (?)",
                [(contact_id,) for contact_id in sorted(set(missing))],
            )

    def decided(
        self, hold: Hold | None, texts: Mapping[str, str], used_up: Collection[int]
    ) -> None:
        """Keep the hold that waits for a person, and close every other one (§6)."""
        with self._store.writing() as connection:
            keep_hold(connection, self._cycle_id, self._clock.now(), hold, texts, used_up)

    def learned(self, found: Leavers) -> None:
        """Keep who must lose access since this cycle, and of whom this read settles it (P10)."""
        if found == Leavers():
            return
        with self._store.writing() as connection:
            learn(connection, self._cycle_id, self._clock.now(), found)

    def proven(self, people: Mapping[ContactId, datetime]) -> None:
        """Keep when each of these people was read back without access (P10)."""
        if not people:
            return
        with self._store.writing() as connection:
            prove(connection, people)

    def provisioning(self, *, open_: bool) -> None:
        """Keep whether the first provisioning lasts (§6)."""
        self._execute("UPDATE site SET provisioning = ?", int(open_))

    def end(self, event: str, digest: str, summary: Mapping[str, object], reason: str = "") -> None:
        """Record how this cycle ended; raise JournalError if it has ended already.

        `reason` is a sentence without personal data (P12), empty where there is nothing to say.
        A later cycle's guess that this one was interrupted gives way to its own word.
        """
        with self._store.writing() as connection:
            updated = connection.execute(
                "UPDATE cycles SET ended = ?, event = ?, digest = ?, summary = ?, reason = ? "
                "WHERE id = ? AND (event IS NULL OR event = ?)",
                (
                    self._now(),
                    _storable(event),
                    _storable(digest),
                    json.dumps(summary),
                    _storable(reason) or None,
                    self._cycle_id,
                    INTERRUPTED,
                ),
            )
            if updated.rowcount != 1:
                raise JournalError(f"cycle {self._cycle_id} has already ended")

    def _execute(self, statement: str, *values: str | int) -> None:
        with self._store.writing() as connection:
            connection.execute(statement, values)

    def _now(self) -> str:
        return time_text(self._clock.now())


def begin_cycle(
    store: Store, clock: Clock, now: datetime, random_bytes: RandomBytes
) -> SqliteCycleRecord:
    """Open the record of a cycle that starts now, under the site's lock; raise JournalError.

    A cycle found without an end is marked as interrupted; the step it died in stays visible as
    an intent without an outcome (P9, P13). A person's command that has no end yet may be running,
    so it is marked only an hour after it began.
    """
    store.check_in_place()
    with store.writing() as connection:
        connection.execute(
            "UPDATE cycles SET event = ? WHERE event IS NULL AND (kind = 'cycle' OR started < ?)",
            (INTERRUPTED, time_text(now - COMMAND_AGE)),
        )
        forget_old(connection, now)
        cycle_id = _insert(connection, now, random_bytes, "cycle", None)
    return SqliteCycleRecord(store, clock, cycle_id)


def begin_command(
    store: Store, clock: Clock, now: datetime, random_bytes: RandomBytes, kind: str, asked_by: str
) -> SqliteCycleRecord:
    """Open the record of a person's command that writes on its own; raise JournalError.

    `kind` is the command's word ("revoke"), `asked_by` who gave it. It needs no lock and touches
    no other record, because a cycle may run at the same time (§6).
    """
    store.check_in_place()
    with store.writing() as connection:
        cycle_id = _insert(connection, now, random_bytes, kind, asked_by)
    return SqliteCycleRecord(store, clock, cycle_id)


def _insert(
    connection: sqlite3.Connection,
    now: datetime,
    random_bytes: RandomBytes,
    kind: str,
    asked_by: str | None,
) -> str:
    started = time_text(now)
    cycle_id = f"{started[:19].replace('-', '').replace(':', '')}Z-{random_bytes(4).hex()}"
    connection.execute(
        "INSERT INTO cycles (id, started, kind, asked_by) VALUES (?, ?, ?, ?)",
        (cycle_id, started, kind, None if asked_by is None else _storable(asked_by)),
    )
    return cycle_id


def _storable(text: str) -> str:
    """Write lone surrogates, which a JSON reply may carry and SQLite refuses, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()

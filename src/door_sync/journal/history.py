"""What the journal tells: what is remembered between cycles, and what past cycles did."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from door_sync.core.people import ContactId
from door_sync.journal.cutoffs import read_cut_off
from door_sync.journal.holds import read_approvals, read_refusals
from door_sync.journal.moments import time_from, time_text
from door_sync.journal.revocations import read_unproven
from door_sync.ports import FailedImport, GoodCounts, Memory

REFUSED_ADDRESS_AGE: Final = timedelta(days=7)
"""How long a refused address is left out before it is tried again (R2)."""

FAILED_RESTORE_AGE: Final = timedelta(hours=24)
"""How long a restore that was shut again waits (R2)."""

BUDGET_AGE: Final = timedelta(hours=24)
"""Over how long the guards add up what was changed (§6)."""

FAILED_IMPORT_AGE: Final = timedelta(days=400)
"""How long a failed import is kept; when to try it again is the caller's to judge (R3)."""

INTERRUPTED: Final = "interrupted"
"""How a cycle ended that never said how: its process died (P9)."""


@dataclass(frozen=True, slots=True)
class PastCycle:
    """One cycle as recorded. `event` is None while it runs; an interrupted one has no `ended`."""

    cycle_id: str
    started: datetime
    ended: datetime | None
    event: str | None
    digest: str | None
    summary: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PastStep:
    """One write as recorded. Without an `outcome` it may or may not have been carried out."""

    number: int
    contact_id: ContactId
    kind: str
    change: str
    reason: str
    digest: str
    intended_at: datetime
    outcome: str | None
    outcome_at: datetime | None
    detail: str | None


def read_memory(connection: sqlite3.Connection, now: datetime) -> Memory:
    """Return what is remembered at `now`, without what is too old; raise sqlite3.Error."""
    return Memory(
        missing=frozenset(_contacts(connection, "SELECT contact_id FROM missing_contacts")),
        refused_addresses=frozenset(
            digest
            for (digest,) in connection.execute(
                "SELECT digest FROM refused_addresses WHERE at > ? AND at < ?",
                _around(now, REFUSED_ADDRESS_AGE),
            )
        ),
        failed_imports={
            digest: FailedImport(world, time_from(at))
            for digest, world, at in connection.execute(
                "SELECT digest, world, at FROM failed_imports WHERE at > ? AND at < ?",
                _around(now, FAILED_IMPORT_AGE),
            )
        },
        failed_restores=frozenset(
            _contacts(
                connection,
                "SELECT contact_id FROM failed_restores WHERE at > ? AND at < ?",
                *_around(now, FAILED_RESTORE_AGE),
            )
        ),
        statusless=frozenset(
            digest for (digest,) in connection.execute("SELECT digest FROM statusless")
        ),
        aliases=dict(connection.execute("SELECT token_digest, number_digest FROM aliases")),
        last_good=_last_good(connection),
        provisioning=_provisioning(connection),
        lately=_lately(connection, now),
        cut_off=read_cut_off(connection),
        approvals=read_approvals(connection, now),
        refusals=read_refusals(connection, now),
        leaving=read_unproven(connection),
    )


def forget_old(connection: sqlite3.Connection, now: datetime) -> None:
    """Drop what `read_memory` no longer returns because of its age; raise sqlite3.Error."""
    for statement, age in (
        ("DELETE FROM refused_addresses WHERE at <= ?", REFUSED_ADDRESS_AGE),
        ("DELETE FROM failed_restores WHERE at <= ?", FAILED_RESTORE_AGE),
        ("DELETE FROM failed_imports WHERE at <= ?", FAILED_IMPORT_AGE),
    ):
        connection.execute(statement, _around(now, age)[:1])


def read_cycles(connection: sqlite3.Connection, limit: int) -> list[PastCycle]:
    """Return the latest cycles, the newest first; raise sqlite3.Error."""
    rows = connection.execute(
        "SELECT id, started, ended, event, digest, summary FROM cycles "
        "ORDER BY number DESC LIMIT ?",
        (limit,),
    )
    return [
        PastCycle(
            cycle_id=cycle_id,
            started=time_from(started),
            ended=_time_or_none(ended),
            event=event,
            digest=digest,
            summary={} if summary is None else json.loads(summary),
        )
        for cycle_id, started, ended, event, digest, summary in rows
    ]


def read_steps(connection: sqlite3.Connection, cycle_id: str) -> list[PastStep]:
    """Return the steps of one cycle in the order they were sent; raise sqlite3.Error."""
    rows = connection.execute(
        "SELECT number, contact_id, kind, change, reason, digest, "
        "intended_at, outcome, outcome_at, detail FROM steps WHERE cycle = ? ORDER BY number",
        (cycle_id,),
    )
    return [past_step(*row) for row in rows]


def _last_good(connection: sqlite3.Connection) -> GoodCounts | None:
    found = connection.execute(
        "SELECT good_contacts, good_users FROM site WHERE good_at IS NOT NULL"
    ).fetchone()
    return None if found is None else GoodCounts(*found)


def _lately(connection: sqlite3.Connection, now: datetime) -> dict[str, frozenset[ContactId]]:
    """Return whose changes were written in the last 24 hours, or may have been (§6)."""
    rows = connection.execute(
        "SELECT DISTINCT change, contact_id FROM steps WHERE counts = 1 "
        "AND intended_at > ? AND intended_at < ? "
        "AND coalesce(outcome, 'uncertain') IN ('done', 'unproven', 'uncertain')",
        _around(now, BUDGET_AGE),
    )
    found: dict[str, set[ContactId]] = {}
    for change, contact_id in rows:
        found.setdefault(change, set()).add(ContactId(contact_id))
    return {change: frozenset(people) for change, people in found.items()}


def _provisioning(connection: sqlite3.Connection) -> bool | None:
    found = connection.execute(
        "SELECT provisioning FROM site WHERE provisioning IS NOT NULL"
    ).fetchone()
    return None if found is None else bool(found[0])


def past_step(
    number: int,
    contact_id: int,
    kind: str,
    change: str,
    reason: str,
    digest: str,
    intended_at: str,
    outcome: str | None,
    outcome_at: str | None,
    detail: str | None,
) -> PastStep:
    """Return a step from the columns of its row, times being texts there."""
    return PastStep(
        number=number,
        contact_id=ContactId(contact_id),
        kind=kind,
        change=change,
        reason=reason,
        digest=digest,
        intended_at=time_from(intended_at),
        outcome=outcome,
        outcome_at=_time_or_none(outcome_at),
        detail=detail,
    )


def _contacts(connection: sqlite3.Connection, query: str, *values: str) -> list[ContactId]:
    return [ContactId(contact_id) for (contact_id,) in connection.execute(query, values)]


def _around(now: datetime, age: timedelta) -> tuple[str, str]:
    # A board without a battery-backed clock may have written a date far ahead. Nothing is believed
    # that lies further in the future than it may lie in the past, else it would stay for years.
    return time_text(now - age), time_text(now + age)


def _time_or_none(text: str | None) -> datetime | None:
    return None if text is None else time_from(text)

"""How a site stands, as its journal tells it: the last cycles, and what waits for a person (§6)."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from door_sync.core.people import ContactId
from door_sync.journal.history import INTERRUPTED
from door_sync.journal.moments import time_from
from door_sync.journal.store import Store


@dataclass(frozen=True, slots=True)
class LastCycle:
    """One cycle; `event` and `ended` are None while it runs, `ended` also if it was interrupted."""

    cycle_id: str
    started: datetime
    ended: datetime | None
    event: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class OpenStep:
    """The write that a cycle is at, or was at when its process died: it may be carried out."""

    contact_id: ContactId
    kind: str
    change: str


@dataclass(frozen=True, slots=True)
class StandingAlert:
    """A cause that stands: since when, when a person was told, what happened, what settles it."""

    cause: str
    began: datetime
    announced: datetime | None
    happened: str
    settles: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a site stands. `good_since` is the start of the first of the latest unbroken run of good
    cycles, `died_in` the write at which the last cycle was interrupted, if it was at one, `is_at`
    the same of one that has not ended: the journal cannot tell whether its process still lives.
    `answered_at` is when both sides were last read, believed, and doubted by no guard."""

    running: LastCycle | None
    last: LastCycle | None
    last_good: LastCycle | None
    good_since: datetime | None
    died_in: OpenStep | None
    is_at: OpenStep | None
    is_provisioning: bool
    answered_at: datetime | None
    alerts: tuple[StandingAlert, ...]


_COLUMNS = "id, started, ended, event, reason FROM cycles WHERE kind = 'cycle'"


def standing(store: Store) -> Standing:
    """Read how the site stands, all at one moment; raise JournalError."""
    with store.reading() as connection:
        last = _cycle(connection, "AND event IS NOT NULL")
        running = _cycle(connection, "AND event IS NULL")
        was_interrupted = last is not None and last.event == INTERRUPTED
        return Standing(
            running=running,
            last=last,
            last_good=_cycle(connection, "AND event = 'applied'"),
            good_since=_good_since(connection),
            died_in=_open_step(connection, last) if was_interrupted else None,
            is_at=_open_step(connection, running),
            is_provisioning=connection.execute("SELECT provisioning FROM site").fetchone() == (1,),
            answered_at=_answered_at(connection),
            alerts=tuple(_alerts(connection)),
        )


def _cycle(connection: sqlite3.Connection, condition: str) -> LastCycle | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} {condition} ORDER BY number DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    cycle_id, started, ended, event, reason = row
    return LastCycle(
        cycle_id,
        time_from(started),
        None if ended is None else time_from(ended),
        event,
        reason or "",
    )


def _good_since(connection: sqlite3.Connection) -> datetime | None:
    (started,) = connection.execute(
        "SELECT min(started) FROM cycles WHERE kind = 'cycle' AND event = 'applied' AND number > "
        "(SELECT coalesce(max(number), 0) FROM cycles WHERE kind = 'cycle' AND event <> 'applied')"
    ).fetchone()
    return None if started is None else time_from(started)


def _open_step(connection: sqlite3.Connection, cycle: LastCycle | None) -> OpenStep | None:
    if cycle is None:
        return None
    row = connection.execute(
        "SELECT contact_id, kind, change FROM steps WHERE cycle = ? AND outcome IS NULL "
        "ORDER BY number DESC LIMIT 1",
        (cycle.cycle_id,),
    ).fetchone()
    return None if row is None else OpenStep(ContactId(row[0]), row[1], row[2])


def _answered_at(connection: sqlite3.Connection) -> datetime | None:
    (good_at,) = connection.execute("SELECT good_at FROM site").fetchone() or (None,)
    return None if good_at is None else time_from(good_at)


def _alerts(connection: sqlite3.Connection) -> list[StandingAlert]:
    rows = connection.execute(
        "SELECT cause, began, announced, happened, settles FROM alerts WHERE is_over = 0 "
        "ORDER BY began, cause"
    )
    return [
        StandingAlert(
            cause,
            time_from(began),
            None if announced is None else time_from(announced),
            happened,
            settles,
        )
        for cause, began, announced, happened, settles in rows
    ]

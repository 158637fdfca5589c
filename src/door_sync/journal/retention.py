"""What the journal lets go once it is old (§7).

Cycles that wrote are kept for longer than quiet ones; what is needed to decide is kept for good.
A row is old when the clock says so *and* the journal itself has lived through that time after it.
That second measure adds up the gaps from one cycle to the next, each with a limit: a clock that
jumps far ahead makes one great gap, which counts for little, so a wrong clock cannot empty the
journal. A site that rests for a year only keeps its rows for longer.
"""

import sqlite3
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final, Self

from door_sync.journal.moments import time_from, time_text
from door_sync.journal.store import Store

EVERY: Final = timedelta(days=1)
"""How often a live cycle removes old rows."""

AT_ONCE: Final = 200
"""So many cycles go in one transaction, so that nobody who writes waits for long."""

LONGEST_GAP: Final = 1 / 10
"""So much of the time to keep something one gap counts at most."""

_WROTE: Final = "EXISTS (SELECT 1 FROM steps WHERE steps.cycle = cycles.id)"

# Cycles that stay whatever their age: no audit line yet, or no end; the latest of each kind; those
# whose plan is told of as a hold.
_OLD: Final = """
    SELECT id, started FROM cycles
    WHERE number < ? AND started < ? AND audit IS NOT NULL AND event IS NOT NULL
    AND number <> (SELECT max(number) FROM cycles)
    AND number <> coalesce((SELECT max(number) FROM cycles WHERE event = 'applied'), 0)
    AND coalesce(audit_number <> (SELECT max(audit_number) FROM cycles), 1)
    AND id NOT IN (SELECT cycle FROM holds)
"""

# Holds that wait no more. What a person said to one may outlast it: a refusal stands until nothing
# asks for its effects any more, so it must not go by age with the plan that it was said to.
_OVER: Final = """
    SELECT digest FROM holds WHERE closed_at < ?
    AND digest NOT IN (SELECT hold FROM approvals WHERE ended_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long is kept what was changed and what persons said, and how long quiet cycles are."""

    changes: timedelta
    quiet: timedelta


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows were removed, or would be. `is_all` is False if older ones were left for later.

    `changes` and `quiet` are cycles. How long revocations took goes with them, uncounted.
    """

    changes: int = 0
    quiet: int = 0
    steps: int = 0
    holds: int = 0
    cut_offs: int = 0
    messages: int = 0
    is_all: bool = True

    def __add__(self, other: Self) -> Self:
        counts = {
            one.name: getattr(self, one.name) + getattr(other, one.name)
            for one in fields(self)
            if one.name != "is_all"
        }
        return type(self)(**counts, is_all=other.is_all)


@dataclass(frozen=True, slots=True)
class _Bound:
    """Rows that began before `time`, and whose number is below `number`, are old."""

    number: int
    time: str


def prune(store: Store, now: datetime, keep: Keep, *, most: int) -> Pruned:
    """Remove what is old, at most so many cycles, in short transactions; raise JournalError."""
    done = Pruned(is_all=False)
    while not done.is_all and done.changes + done.quiet < most:
        with store.writing() as connection:
            done += _prune_some(connection, now, keep)
    if done.is_all:
        with store.writing() as connection:
            connection.execute("UPDATE site SET pruned_at = ?", (time_text(now),))
    return done


def prune_daily(store: Store, now: datetime, keep: Keep, *, most: int = 5 * AT_ONCE) -> Pruned:
    """Remove what is old if that was not done within a day; raise JournalError.

    What is left at the limit `most` goes with the next cycles.
    """
    with store.reading() as connection:
        (pruned_at,) = connection.execute("SELECT pruned_at FROM site").fetchone() or (None,)
    # A moment that lies ahead was written by a clock that was wrong.
    if pruned_at is not None and time_text(now - EVERY) < pruned_at <= time_text(now):
        return Pruned()
    return prune(store, now, keep, most=most)


def would_prune(store: Store, now: datetime, keep: Keep) -> Pruned:
    """Return what `prune` would remove now; raise JournalError."""
    with store.reading() as connection:
        changes, quiet = _bounds(connection, now, keep)
        everything = -1  # what SQLite takes as no limit
        wrote = _old_cycles(connection, changes, everything, wrote=True)
        count = "SELECT count(*) FROM "
        return Pruned(
            changes=len(wrote),
            quiet=len(_old_cycles(connection, quiet, everything, wrote=False)),
            steps=sum(_one(connection, f"{count} steps WHERE cycle = ?", one) for one in wrote),
            holds=_one(connection, f"{count} ({_OVER})", changes.time),
            cut_offs=_one(connection, f"{count} cut_offs WHERE lifted_at < ?", changes.time),
            messages=_one(connection, f"{count} alert_messages WHERE at < ?", changes.time),
        )


def _prune_some(connection: sqlite3.Connection, now: datetime, keep: Keep) -> Pruned:
    changes, quiet = _bounds(connection, now, keep)

    def removed(statement: str) -> int:
        return connection.execute(statement, (changes.time,)).rowcount

    # Holds first: a cycle that nothing tells of any more goes with them.
    over = connection.execute(_OVER, (changes.time,)).fetchall()
    connection.executemany("DELETE FROM holds WHERE digest = ?", over)
    cut_offs = removed("DELETE FROM cut_offs WHERE lifted_at < ?")
    removed("DELETE FROM revocations WHERE ended_at < ?")
    messages = removed("DELETE FROM alert_messages WHERE at < ?")
    wrote, steps = _remove_cycles(connection, changes, wrote=True)
    calm, _ = _remove_cycles(connection, quiet, wrote=False)
    is_all = wrote < AT_ONCE and calm < AT_ONCE
    return Pruned(wrote, calm, steps, len(over), cut_offs, messages, is_all)


def _remove_cycles(
    connection: sqlite3.Connection, bound: _Bound, *, wrote: bool
) -> tuple[int, int]:
    """Remove some old cycles with their steps, the oldest first; return how many of both."""
    found = _old_cycles(connection, bound, AT_ONCE, wrote=wrote)
    if not found:
        return 0, 0
    names = [(name,) for name in found]
    steps = connection.executemany("DELETE FROM steps WHERE cycle = ?", names).rowcount
    connection.executemany("DELETE FROM cycles WHERE id = ?", names)
    newest = max(found.values())
    connection.execute(
        "UPDATE site SET pruned_before = max(coalesce(pruned_before, ''), ?)"
        if wrote
        else "UPDATE site SET pruned_quiet_before = max(coalesce(pruned_quiet_before, ''), ?)",
        (newest,),
    )
    return len(names), max(steps, 0)


def _old_cycles(
    connection: sqlite3.Connection, bound: _Bound, limit: int, *, wrote: bool
) -> dict[str, str]:
    """Return cycles that may go, the oldest first, with the times at which they began."""
    condition = _WROTE if wrote else f"NOT {_WROTE}"
    query = f"{_OLD} AND {condition} ORDER BY number LIMIT ?"
    return dict(connection.execute(query, (bound.number, bound.time, limit)))


def _bounds(connection: sqlite3.Connection, now: datetime, keep: Keep) -> tuple[_Bound, _Bound]:
    """Return from where on rows are old: those of changes, and of quiet cycles."""
    changes = _lived(connection, keep.changes)
    quiet = _lived(connection, keep.quiet)
    return (
        _Bound(changes.number, min(changes.time, time_text(now - keep.changes))),
        _Bound(quiet.number, min(quiet.time, time_text(now - keep.quiet))),
    )


def _lived(connection: sqlite3.Connection, age: timedelta) -> _Bound:
    """Return the latest cycle after which the journal has lived for so long.

    The sum of the gaps between one cycle and the next, each at most a tenth of `age`; a clock
    that was set back adds nothing.
    """
    lived, later = timedelta(), None
    for number, started in connection.execute(
        "SELECT number, started FROM cycles ORDER BY number DESC"
    ):
        moment = time_from(started)
        if later is not None:
            lived += min(max(later - moment, timedelta()), age * LONGEST_GAP)
        if lived >= age:
            return _Bound(number, started)
        later = moment
    return _Bound(0, "")


def _one(connection: sqlite3.Connection, query: str, value: str) -> int:
    ((count,),) = connection.execute(query, (value,)).fetchall()
    return int(count)

"""The past as `history` tells it: cycles, and one person's whole story (§8, P13).

Everything here reads; contact ids, classes and keyed digests are all that there is (P12).
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from door_sync.core.people import ContactId
from door_sync.journal.audited import CYCLE
from door_sync.journal.history import INTERRUPTED, PastStep, past_step
from door_sync.journal.moments import time_from


@dataclass(frozen=True, slots=True)
class Told:
    """One cycle, or a person's command that wrote on its own.

    `command` is "" for a cycle. `event` is None while it runs; an interrupted one has no `ended`.
    """

    cycle_id: str
    command: str
    asked_by: str
    started: datetime
    ended: datetime | None
    event: str | None
    digest: str
    reason: str
    steps: tuple[PastStep, ...]

    @property
    def died_in(self) -> PastStep | None:
        """The write in which its process died, if it died in one: it may have been carried out."""
        unfinished = [step for step in self.steps if step.outcome is None]
        return unfinished[-1] if self.event == INTERRUPTED and unfinished else None

    @property
    def was_read_back(self) -> bool:
        """Say whether it came to read back what it wrote (P10)."""
        return self.event in ("applied", "partial", "halted")


@dataclass(frozen=True, slots=True)
class Run:
    """Cycles in a row that wrote nothing and ended alike, of which `last` is the latest.

    A cycle that wrote stands alone.
    """

    first: datetime
    last: Told
    cycles: int


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of a person in one cycle, with its steps."""

    at: datetime
    change: str
    reason: str
    cycle: Told
    steps: tuple[PastStep, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A person's changes that waited in a hold: the classes, and how many cycles held them."""

    at: datetime
    hold: str
    first_cycle: str
    until: datetime | None
    cycles: int
    guards: tuple[str, ...]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said to such a hold, and how that ended."""

    at: datetime
    hold: str
    verdict: str
    asked_by: str
    ended: datetime | None
    ending: str


@dataclass(frozen=True, slots=True)
class CutOff:
    """Somebody was cut off by hand."""

    at: datetime
    asked_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lifted:
    """That was lifted."""

    at: datetime
    asked_by: str


Happening = Changed | Held | Said | CutOff | Lifted

_CYCLES: Final = "SELECT id, kind, asked_by, started, ended, event, digest, reason FROM cycles"
_STEPS: Final = (
    "SELECT number, contact_id, kind, change, reason, digest, intended_at, outcome, outcome_at, "
    "detail FROM steps WHERE cycle = ? AND contact_id = coalesce(?, contact_id) ORDER BY number"
)


def latest_runs(connection: sqlite3.Connection, limit: int, *, quiet_too: bool) -> list[Run]:
    """Return the latest cycles, the oldest first; without `quiet_too` only what did something.

    What did nothing is a cycle that ended well and had nothing to write.
    """
    runs: list[Run] = []
    rows = connection.execute(f"{_CYCLES} ORDER BY number DESC")
    for row in rows:
        told = _told(connection, row)
        if not quiet_too and told.event == "applied" and not told.steps:
            continue
        if runs and not quiet_too and _are_alike(runs[-1].last, told):
            runs[-1] = Run(told.started, runs[-1].last, runs[-1].cycles + 1)
            continue
        if len(runs) == limit:
            break
        runs.append(Run(told.started, told, 1))
    return runs[::-1]


def one_cycle(connection: sqlite3.Connection, cycle_id: str) -> Told | None:
    """Return the cycle or command of this name with all its steps; None if there is none."""
    row = connection.execute(f"{_CYCLES} WHERE id = ?", (cycle_id,)).fetchone()
    return None if row is None else _told(connection, row)


def story(connection: sqlite3.Connection, contact_id: ContactId) -> list[Happening]:
    """Return everything on record about one person, in order."""
    found = [
        *_changes(connection, contact_id),
        *_holds(connection, contact_id),
        *_words(connection, contact_id),
        *_cut_offs(connection, contact_id),
    ]
    return sorted(found, key=lambda one: one.at)


def remembers_since(connection: sqlite3.Connection) -> datetime | None:
    """Return the start of the oldest cycle on record; None if there is none."""
    row = connection.execute("SELECT started FROM cycles ORDER BY number LIMIT 1").fetchone()
    return None if row is None else time_from(row[0])


def _changes(connection: sqlite3.Connection, contact_id: ContactId) -> Iterator[Changed]:
    for _, cycle_id in connection.execute(
        "SELECT DISTINCT cycles.number, cycles.id FROM steps JOIN cycles ON cycles.id = cycle "
        "WHERE contact_id = ? ORDER BY cycles.number",
        (contact_id,),
    ).fetchall():
        row = connection.execute(f"{_CYCLES} WHERE id = ?", (cycle_id,)).fetchone()
        told = _told(connection, row, contact_id)
        for change in dict.fromkeys(step.change for step in told.steps):
            steps = tuple(step for step in told.steps if step.change == change)
            yield Changed(steps[0].intended_at, change, steps[0].reason, told, steps)


def _holds(connection: sqlite3.Connection, contact_id: ContactId) -> Iterator[Held]:
    for hold, cycle, at, until in connection.execute(
        "SELECT digest, cycle, held_at, closed_at FROM holds "
        "WHERE digest IN (SELECT hold FROM held_effects WHERE contact_id = ?)",
        (contact_id,),
    ).fetchall():
        ((cycles,),) = connection.execute(
            "SELECT count(*) FROM cycles WHERE kind = ? AND number >= "
            "coalesce((SELECT number FROM cycles WHERE id = ?), 0) "
            "AND started <= coalesce(?, started) AND event = 'halted'",
            (CYCLE, cycle, until),
        )
        yield Held(
            at=time_from(at),
            hold=hold,
            first_cycle=cycle,
            until=_time(until),
            cycles=cycles,
            guards=_column(
                connection, "SELECT guard FROM hold_guards WHERE hold = ? ORDER BY guard", hold
            ),
            changes=_column(
                connection,
                "SELECT DISTINCT change FROM held_effects WHERE hold = ? AND contact_id = ?",
                hold,
                contact_id,
            ),
        )


def _words(connection: sqlite3.Connection, contact_id: ContactId) -> Iterator[Said]:
    for hold, verdict, at, asked_by, classes, contacts, ended, ending in connection.execute(
        "SELECT hold, verdict, at, asked_by, classes, contacts, ended_at, ending FROM approvals "
        "WHERE verdict <> 'left out' "
        "AND hold IN (SELECT hold FROM held_effects WHERE contact_id = ?)",
        (contact_id,),
    ).fetchall():
        changes = _column(
            connection,
            "SELECT DISTINCT change FROM held_effects WHERE hold = ? AND contact_id = ?",
            hold,
            contact_id,
        )
        people, kinds = json.loads(contacts), json.loads(classes)
        if (not people or contact_id in people) and (not kinds or set(kinds) & set(changes)):
            yield Said(time_from(at), hold, verdict, asked_by, _time(ended), ending or "")


def _cut_offs(connection: sqlite3.Connection, contact_id: ContactId) -> Iterator[CutOff | Lifted]:
    for at, asked_by, reason, lifted_at, lifted_by in connection.execute(
        "SELECT at, asked_by, reason, lifted_at, lifted_by FROM cut_offs WHERE contact_id = ?",
        (contact_id,),
    ):
        yield CutOff(time_from(at), asked_by, reason)
        if lifted_at is not None:
            yield Lifted(time_from(lifted_at), lifted_by or "")


def _told(
    connection: sqlite3.Connection,
    row: tuple[str, str, str | None, str, str | None, str | None, str | None, str | None],
    contact_id: ContactId | None = None,
) -> Told:
    cycle_id, kind, asked_by, started, ended, event, digest, reason = row
    return Told(
        cycle_id=cycle_id,
        command="" if kind == CYCLE else kind,
        asked_by=asked_by or "",
        started=time_from(started),
        ended=_time(ended),
        event=event,
        digest=digest or "",
        reason=reason or "",
        steps=tuple(past_step(*one) for one in connection.execute(_STEPS, (cycle_id, contact_id))),
    )


def _are_alike(later: Told, earlier: Told) -> bool:
    """Say whether two cycles that follow each other tell the same, and neither wrote."""
    if later.steps or earlier.steps or later.command or earlier.command:
        return False
    return (later.event, later.reason) == (earlier.event, earlier.reason)


def _column(connection: sqlite3.Connection, query: str, *values: object) -> tuple[str, ...]:
    return tuple(str(one) for (one,) in connection.execute(query, values))


def _time(text: str | None) -> datetime | None:
    return None if text is None else time_from(text)

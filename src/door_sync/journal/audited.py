"""Which cycles have their line in the audit file, and what the journal knows of the others (§7)."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from door_sync.core.people import ContactId
from door_sync.journal.history import INTERRUPTED, PastStep, read_steps
from door_sync.journal.moments import time_from
from door_sync.journal.store import Store

CYCLE: Final = "cycle"
"""The kind of every record that is not of a person's command."""

BEFORE_THE_CHAIN: Final = "before the chain"
"""What stands for the hash of a cycle that an earlier version ran."""


@dataclass(frozen=True, slots=True)
class Unaudited:
    """A record that ended, or died, without a line in the audit file.

    `command` is the word of a person's command, "" for a cycle. `ended` is None if it died.
    """

    cycle_id: str
    command: str
    started: datetime
    ended: datetime | None
    event: str
    digest: str
    reason: str
    summary: Mapping[str, object]
    steps: tuple[PastStep, ...]

    @property
    def was_interrupted(self) -> bool:
        """Say whether its process died, so that it never told how it ended (P9)."""
        return self.event == INTERRUPTED


def chain_end(connection: sqlite3.Connection) -> str:
    """Return the hash of the line that was written last, "" before the first."""
    found = connection.execute(
        "SELECT audit FROM cycles WHERE audit_number IS NOT NULL ORDER BY audit_number DESC LIMIT 1"
    ).fetchone()
    return "" if found is None else str(found[0])


def read_unaudited(connection: sqlite3.Connection, limit: int, *, but: str = "") -> list[Unaudited]:
    """Return the oldest records that lack their line, without the one of the name `but`.

    What still runs is not among them: its line comes with its end.
    """
    rows = connection.execute(
        "SELECT id, kind, started, ended, event, digest, reason, summary FROM cycles "
        "WHERE audit IS NULL AND event IS NOT NULL AND id <> ? ORDER BY number LIMIT ?",
        (but, limit),
    )
    return [_unaudited(connection, *row) for row in rows]


def mark_audited(store: Store, cycle_id: str, line_hash: str) -> None:
    """Keep the hash of a cycle's line; raise JournalError."""
    with store.writing() as connection:
        connection.execute(
            "UPDATE cycles SET audit = ?, audit_number = "
            "(SELECT coalesce(max(audit_number), 0) + 1 FROM cycles) WHERE id = ?",
            (line_hash, cycle_id),
        )


def steps_by_change(steps: tuple[PastStep, ...]) -> dict[tuple[ContactId, str], list[PastStep]]:
    """Return the steps of each person's change, by contact id and class, in order."""
    found: dict[tuple[ContactId, str], list[PastStep]] = {}
    for step in steps:
        found.setdefault((step.contact_id, step.change), []).append(step)
    return dict(sorted(found.items()))


def _unaudited(
    connection: sqlite3.Connection,
    cycle_id: str,
    kind: str,
    started: str,
    ended: str | None,
    event: str,
    digest: str | None,
    reason: str | None,
    summary: str | None,
) -> Unaudited:
    return Unaudited(
        cycle_id=cycle_id,
        command="" if kind == CYCLE else kind,
        started=time_from(started),
        ended=None if ended is None else time_from(ended),
        event=event,
        digest=digest or "",
        reason=reason or "",
        summary={} if summary is None else json.loads(summary),
        steps=tuple(read_steps(connection, cycle_id)),
    )

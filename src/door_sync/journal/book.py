"""The journal's side of a comparison with the audit file."""

import sqlite3
from dataclasses import dataclass, field
from typing import Final, Self

from door_sync.journal.history import INTERRUPTED

IN_LINE: Final = {
    "applied": "applied",
    "partial": "applied",
    "halted": "halted",
    "failed": "crashed",
    "crashed": "crashed",
    INTERRUPTED: "crashed",
}
"""The word of an audit line for each way in which the journal says that a cycle ended."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One cycle as the journal has it. `audit` is the hash of its line, None until it is written;
    `audit_number` counts those lines, and is None also for a cycle before the chain."""

    cycle_id: str
    event: str | None
    digest: str
    audit: str | None
    audit_number: int | None

    @property
    def was_interrupted(self) -> bool:
        """Say whether nobody knows how it ended."""
        return self.event == INTERRUPTED

    @property
    def event_in_line(self) -> str:
        """How its line must say that it ended."""
        return IN_LINE.get(self.event or "", "crashed")


@dataclass
class Book:
    """All cycles of the journal at one moment, by name; `seen` are those whose line was read.

    `gone_before` is the start, as it stands in a name, up to which cycles that wrote may be gone,
    and quiet ones; the second also counts for a journal that was started anew.
    """

    entries: dict[str, Entry]
    gone_before: tuple[str, str]
    seen: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> Self:
        """Read the cycles; raise sqlite3.Error."""
        rows = connection.execute(
            "SELECT id, event, digest, audit, audit_number FROM cycles ORDER BY number"
        )
        entries = {row[0]: _entry(*row) for row in rows}
        ((changes, quiet),) = connection.execute(
            "SELECT pruned_before, pruned_quiet_before FROM site"
        ).fetchall() or [(None, None)]
        oldest = min(entries, default="~")  # without any cycle, all may be gone
        return cls(
            entries, (max(_name(changes), oldest), max(_name(changes), _name(quiet), oldest))
        )

    def may_be_gone(self, cycle_id: str, *, quiet: bool) -> bool:
        """Say whether a cycle that is not here may have been: it is as old as those removed."""
        return cycle_id[:16] <= self.gone_before[quiet][:16]

    @staticmethod
    def entry(connection: sqlite3.Connection, cycle_id: str) -> Entry | None:
        """Return one cycle as it stands now."""
        row = connection.execute(
            "SELECT id, event, digest, audit, audit_number FROM cycles WHERE id = ?", (cycle_id,)
        ).fetchone()
        return None if row is None else _entry(*row)

    @staticmethod
    def done(connection: sqlite3.Connection, cycle_id: str) -> set[tuple[int, str]]:
        """Return whose changes this cycle wrote something of, with their class."""
        return set(
            connection.execute(
                "SELECT DISTINCT contact_id, change FROM steps "
                "WHERE cycle = ? AND outcome IN ('done', 'unproven')",
                (cycle_id,),
            )
        )


def _entry(
    cycle_id: str,
    event: str | None,
    digest: str | None,
    audit: str | None,
    audit_number: int | None,
) -> Entry:
    return Entry(cycle_id, event, digest or "", audit, audit_number)


def _name(moment: str | None) -> str:
    """Return how the name of a cycle begins that started at this moment: `20250310T081500Z`."""
    return "" if moment is None else f"{moment[:19].replace('-', '').replace(':', '')}Z"

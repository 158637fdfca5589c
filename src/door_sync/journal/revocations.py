"""How long it takes until somebody who must lose access surely has none (P10).

A revocation begins with the cycle that learned of it, also if a guard held it then, or with the
record of an urgent `revoke`. It ends with the read that showed the person without access. One that
is taken back before that (the membership was renewed, the hold was wrong) is withdrawn, and is not
measured. Contact ids and times alone (P12).
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from door_sync.core.leavers import Leavers
from door_sync.core.people import ContactId
from door_sync.journal.moments import time_from, time_text
from door_sync.journal.store import Store

PROVEN: Final = "proven"
WITHDRAWN: Final = "withdrawn"

_END: Final = (
    "UPDATE revocations SET ended_at = ?, ending = ? WHERE contact_id = ? AND ended_at IS NULL"
)

_END_TRIED: Final = (
    "UPDATE revocations SET ended_at = ?, ending = ? WHERE contact_id = ? AND ended_at IS NULL "
    "AND (cycle IS NOT NULL OR EXISTS (SELECT 1 FROM steps WHERE steps.contact_id = "
    "revocations.contact_id AND change = 'revoke' AND intended_at >= learned_at))"
)
"""The same of whoever had something to lose: a cycle found it, or a write was sent."""

_END_UNLESS_CUT_OFF: Final = (
    "UPDATE revocations SET ended_at = ?, ending = ? WHERE contact_id = ? AND ended_at IS NULL "
    "AND contact_id NOT IN (SELECT contact_id FROM cut_offs WHERE lifted_at IS NULL)"
)


@dataclass(frozen=True, slots=True)
class Unproven:
    """Somebody of whom nobody has proof yet; `is_held`: the revocation waits in a hold."""

    contact_id: ContactId
    since: datetime
    is_held: bool


@dataclass(frozen=True, slots=True)
class RevocationTimes:
    """How long the proven revocations of some time took, in seconds, and those without proof.

    `p50_seconds` and `p95_seconds` are times that half, and 95 of 100, of `count` revocations did
    not exceed; None if there was none. `unproven` has the oldest first.
    """

    count: int
    p50_seconds: float | None
    p95_seconds: float | None
    unproven: tuple[Unproven, ...]

    @property
    def oldest_unproven(self) -> datetime | None:
        """Since when the oldest revocation without proof is known; None if all are proven."""
        return self.unproven[0].since if self.unproven else None


def revocation_times(store: Store, since: datetime) -> RevocationTimes:
    """Return how long revocations took that were proven since then; raise JournalError.

    A clock that was set back in between makes a revocation last no time, not less.
    """
    with store.reading() as connection:
        seconds = sorted(_proven_seconds(connection, since))
        unproven = [
            Unproven(ContactId(contact_id), time_from(learned), bool(is_held))
            for contact_id, learned, is_held in connection.execute(
                "SELECT contact_id, learned_at, contact_id IN (SELECT contact_id FROM held_effects "
                "JOIN holds ON holds.digest = hold WHERE closed_at IS NULL AND change = 'revoke') "
                "FROM revocations WHERE ended_at IS NULL ORDER BY learned_at, contact_id"
            )
        ]
    return RevocationTimes(
        len(seconds), _quantile(seconds, 50), _quantile(seconds, 95), tuple(unproven)
    )


def proven_seconds(store: Store, since: datetime) -> tuple[float, ...]:
    """Return how long each revocation took that was proven since then; raise JournalError."""
    with store.reading() as connection:
        return tuple(_proven_seconds(connection, since))


def _proven_seconds(connection: sqlite3.Connection, since: datetime) -> Iterator[float]:
    for learned, ended in connection.execute(
        "SELECT learned_at, ended_at FROM revocations WHERE ending = ? AND ended_at >= ?",
        (PROVEN, time_text(since)),
    ):
        yield max(0.0, (time_from(ended) - time_from(learned)).total_seconds())


def _quantile(ordered: Sequence[float], percent: int) -> float | None:
    """Return the nearest rank: the smallest value that so many percent do not exceed."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[rank - 1] if ordered else None


def read_unproven(connection: sqlite3.Connection) -> frozenset[ContactId]:
    """Return the contacts whose revocation is known and not proven; raise sqlite3.Error."""
    rows = connection.execute("SELECT contact_id FROM revocations WHERE ended_at IS NULL")
    return frozenset(ContactId(contact_id) for (contact_id,) in rows)


def learn_by_hand(connection: sqlite3.Connection, contact_id: ContactId, at: datetime) -> None:
    """Take down that a person cut this contact off; raise sqlite3.Error."""
    connection.execute(
        "INSERT INTO revocations (contact_id, learned_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (contact_id, time_text(at)),
    )


def learn(connection: sqlite3.Connection, cycle_id: str, at: datetime, found: Leavers) -> None:
    """Take down what a cycle learned, as of its start, and what its read ended at `at`.

    Whoever was cut off by hand and never had anything to lose counts as withdrawn, and so does who
    is entitled again, but not while a cut-off stands that the cycle may not have seen. Raise
    sqlite3.Error.
    """
    connection.executemany(
        "INSERT INTO revocations (contact_id, learned_at, cycle) "
        "SELECT ?, started, id FROM cycles WHERE id = ? "
        "ON CONFLICT (contact_id) WHERE ended_at IS NULL "
        "DO UPDATE SET cycle = coalesce(cycle, excluded.cycle)",
        [(contact_id, cycle_id) for contact_id in sorted(found.learned)],
    )
    moment, shut = time_text(at), sorted(found.shut)
    connection.executemany(_END_TRIED, [(moment, PROVEN, one) for one in shut])
    connection.executemany(_END, [(moment, WITHDRAWN, one) for one in shut])
    connection.executemany(
        _END_UNLESS_CUT_OFF, [(moment, WITHDRAWN, one) for one in sorted(found.entitled)]
    )


def prove(connection: sqlite3.Connection, proven: Mapping[ContactId, datetime]) -> None:
    """Take down when each of these was read back without access; raise sqlite3.Error."""
    connection.executemany(
        _END, [(time_text(at), PROVEN, contact_id) for contact_id, at in sorted(proven.items())]
    )

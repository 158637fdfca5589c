"""Which alerts stand, which messages were sent, and what is written in cycle after cycle (P14).

A row holds a cause's three sentences, which name people by contact id alone (P12).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

from door_sync.core.causes import Cause, Identity, Standing
from door_sync.core.people import ContactId
from door_sync.journal.moments import time_from, time_text
from door_sync.journal.store import Store

REPEATS: Final = 3
"""In how many cycles one after the other the same write means that something undoes it."""

# Cycles that carried something out: of a hold only one that let a part go on. A cycle that could
# not look, as while CiviCRM is down, neither repeats a write nor ends a row of repeats. The same
# write is one with the same keyed digest, so that somebody whose card is corrected three times in
# an hour is no case of it. A change of which something failed is not one that was done.
_REPEATED: Final = """
    WITH latest AS (
        SELECT id FROM cycles
        WHERE kind = 'cycle' AND (
            event IN ('applied', 'partial')
            OR event = 'halted' AND EXISTS (SELECT 1 FROM steps WHERE steps.cycle = cycles.id)
        )
        ORDER BY number DESC LIMIT ?
    )
    SELECT DISTINCT contact_id, change FROM (
        SELECT contact_id, change, kind, digest
        FROM steps JOIN latest ON steps.cycle = latest.id
        WHERE outcome = 'done' AND NOT EXISTS (
            SELECT 1 FROM steps AS other
            WHERE other.cycle = steps.cycle AND other.contact_id = steps.contact_id
            AND other.change = steps.change
            AND coalesce(other.outcome, 'uncertain') IN ('uncertain', 'unproven', 'failed')
        )
        GROUP BY contact_id, change, kind, digest
        HAVING count(DISTINCT steps.cycle) = ?
    )
    ORDER BY contact_id, change
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One message that was taken: about which cause, which kind (begin, reminder, resolved)."""

    identity: Identity
    kind: str
    at: datetime


@final
class AlertBook:
    """The alerts of one site, in its journal. Everything raises JournalError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the journal for this alone; made or migrated if need be."""
        return cls(Store.open(path))

    def standing(self) -> tuple[Standing, ...]:
        """Return what stands, or whose end is still to be told. A cause that only a newer release
        knows is left out."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT cause, happened, doors, settles, began, failures, announced, reminded, "
                "is_over FROM alerts"
            ).fetchall()
        known = {identity.value: identity for identity in Identity}
        found = {
            known[row[0]]: _standing(known[row[0]], *row[1:]) for row in rows if row[0] in known
        }
        return tuple(found[identity] for identity in Identity if identity in found)

    def keep(self, standing: Iterable[Standing], told: Iterable[Told] = ()) -> None:
        """Put these alerts in place of the former, and add what was told, in one move."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM alerts")
            connection.executemany(
                "INSERT INTO alerts (cause, began, failures, announced, reminded, is_over, "
                "happened, doors, settles) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        one.identity.value,
                        time_text(one.began),
                        one.failures,
                        _text(one.announced),
                        _text(one.reminded),
                        int(one.is_over),
                        one.cause.happened,
                        one.cause.doors,
                        one.cause.settles,
                    )
                    for one in standing
                ],
            )
            connection.executemany(
                "INSERT INTO alert_messages (cause, kind, at) VALUES (?, ?, ?)",
                [(one.identity.value, one.kind, time_text(one.at)) for one in told],
            )

    def told(self) -> tuple[Told, ...]:
        """Return every message on record, the oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT cause, kind, at FROM alert_messages ORDER BY number"
            ).fetchall()
        known = {identity.value: identity for identity in Identity}
        return tuple(
            Told(known[cause], kind, time_from(at)) for cause, kind, at in rows if cause in known
        )

    def repeated(self) -> tuple[tuple[ContactId, str], ...]:
        """Return the changes, as contact and class, that were written alike and recorded as done
        in each of the last REPEATS cycles that wrote anything they should."""
        with self._store.reading() as connection:
            rows = connection.execute(_REPEATED, (REPEATS, REPEATS)).fetchall()
        return tuple((ContactId(contact_id), change) for contact_id, change in rows)

    def close(self) -> None:
        """Close the journal."""
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


def _standing(
    identity: Identity,
    happened: str,
    doors: str,
    settles: str,
    began: str,
    failures: int,
    announced: str | None,
    reminded: str | None,
    is_over: int,
) -> Standing:
    return Standing(
        Cause(identity, happened, doors, settles),
        began=time_from(began),
        failures=failures,
        announced=_moment(announced),
        reminded=_moment(reminded),
        is_over=bool(is_over),
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else time_from(text)

"""Who was cut off at once, by whom and why, and who lifted it (§6).

The reason is a person's own words. It stays in this table and is shown where a person asks; what is
certainly personal in it, an address or a card number, does not even get here (P12).
"""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from door_sync.core.people import ContactId
from door_sync.journal.moments import time_from, time_text
from door_sync.journal.revocations import learn_by_hand
from door_sync.journal.store import Store
from door_sync.ports import Clock

LONGEST_REASON: Final = 200
"""How many characters of a reason are kept."""

LEFT_OUT: Final = "…"

# Four digits of a five-digit card number are the number (P12); a date is written with signs between
# that make its year such a run, which is a price worth paying.
_PERSONAL: Final = re.compile(r"\S+[@＠]\S+|\d{4,}")


@dataclass(frozen=True, slots=True)
class CutOff:
    """One cut-off: since when and by whom, and the same of its end; it stands without one."""

    contact_id: ContactId
    at: datetime
    asked_by: str
    reason: str
    lifted_at: datetime | None = None
    lifted_by: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason as it may be kept. `is_shortened`: it was too long; `is_cleared`: an address or a
    run of digits gave way to `…`."""

    text: str
    is_cleared: bool = False
    is_shortened: bool = False

    @classmethod
    def of(cls, words: str) -> "Reason":
        """Given what a person wrote, return one printable line that may be kept (P12).

        Nothing makes a reason unfit: cutting somebody off never fails for it.
        """
        spaced = " ".join(words.split())
        line = "".join(letter for letter in spaced if letter.isprintable())
        clear = _PERSONAL.sub(LEFT_OUT, line)
        is_long = len(clear) > LONGEST_REASON
        text = clear[: LONGEST_REASON - 1].rstrip() + LEFT_OUT if is_long else clear
        return cls(text, is_cleared=clear != line, is_shortened=is_long)


class CutOffs:
    """The list of people who get no access, whatever CiviCRM says. Raise JournalError.

    Any process may change it at any time: no lock of the site is needed (§6).
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def cut(self, contact_id: ContactId, asked_by: str, reason: Reason) -> bool:
        """Cut this contact off; False if that stands already, and then the first word stays."""
        self._store.check_in_place()
        now = self._clock.now()
        with self._store.writing() as connection:
            added = connection.execute(
                "INSERT INTO cut_offs (contact_id, at, asked_by, reason) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (contact_id, time_text(now), asked_by, reason.text),
            )
            learn_by_hand(connection, contact_id, now)
            return added.rowcount == 1

    def lift(self, contact_id: ContactId, asked_by: str) -> CutOff | None:
        """End the cut-off of this contact and return it; None if none stands."""
        self._store.check_in_place()
        with self._store.writing() as connection:
            rows = connection.execute(
                "UPDATE cut_offs SET lifted_at = ?, lifted_by = ? "
                "WHERE contact_id = ? AND lifted_at IS NULL "
                "RETURNING contact_id, at, asked_by, reason, lifted_at, lifted_by",
                (self._now(), asked_by, contact_id),
            ).fetchall()
        return _cut_off(*rows[0]) if rows else None

    def standing(self) -> Sequence[CutOff]:
        """Return the cut-offs that stand now, by contact id."""
        return self._read(
            "SELECT contact_id, at, asked_by, reason, lifted_at, lifted_by FROM cut_offs "
            "WHERE lifted_at IS NULL ORDER BY contact_id"
        )

    def of(self, contact_id: ContactId) -> Sequence[CutOff]:
        """Return every cut-off of this contact, lifted ones too, the newest first."""
        return self._read(
            "SELECT contact_id, at, asked_by, reason, lifted_at, lifted_by FROM cut_offs "
            "WHERE contact_id = ? ORDER BY number DESC",
            contact_id,
        )

    def _read(self, query: str, *values: int) -> Sequence[CutOff]:
        with self._store.reading() as connection:
            return [_cut_off(*row) for row in connection.execute(query, values)]

    def _now(self) -> str:
        return time_text(self._clock.now())


def read_cut_off(connection: sqlite3.Connection) -> frozenset[ContactId]:
    """Return the contacts that are cut off by hand now; raise sqlite3.Error."""
    rows = connection.execute("SELECT contact_id FROM cut_offs WHERE lifted_at IS NULL")
    return frozenset(ContactId(contact_id) for (contact_id,) in rows)


def _cut_off(
    contact_id: int,
    at: str,
    asked_by: str,
    reason: str,
    lifted_at: str | None,
    lifted_by: str | None,
) -> CutOff:
    return CutOff(
        contact_id=ContactId(contact_id),
        at=time_from(at),
        asked_by=asked_by,
        reason=reason,
        lifted_at=None if lifted_at is None else time_from(lifted_at),
        lifted_by=lifted_by,
    )

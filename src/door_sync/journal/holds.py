"""Held plans, and what persons said to them (§6, §7).

A hold is kept as contact ids, classes and keyed digests: never a name, an address or a number.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, final

from door_sync.core.approvals import Approval, Effect, Hold, Refusal
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.journal.moments import time_from, time_text
from door_sync.journal.store import Store
from door_sync.ports import Clock

APPROVAL_AGE: Final = timedelta(hours=24)
"""How long a person's word is good (§6)."""

APPROVED: Final = "approved"
REJECTED: Final = "rejected"
LEFT_OUT: Final = "left out"
"""The other half of an approval in part: everything of the hold but its classes and contacts."""

USED_UP: Final = "used up"
EXPIRED: Final = "expired"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said to a hold, and when that ended; `asked_by` is a login name.

    Empty `classes` or `contacts` mean all of them.
    """

    number: int
    verdict: str
    at: datetime
    asked_by: str
    classes: tuple[ChangeClass, ...]
    contacts: tuple[ContactId, ...]
    ended_at: datetime | None
    ending: str | None

    def is_in_force(self, now: datetime) -> bool:
        """Say whether this is an approval that still counts.

        One from the future counts no longer than one from the past: the clock was wrong then.
        """
        age = now - self.at
        return self.verdict == APPROVED and self.ended_at is None and abs(age) < APPROVAL_AGE


@dataclass(frozen=True, slots=True)
class KeptHold:
    """A hold with its story: the cycle that held it first, what the guards said, who answered."""

    hold: Hold
    cycle_id: str
    held_at: datetime
    closed_at: datetime | None
    texts: Mapping[str, str]
    words: tuple[Word, ...] = ()


@final
class HoldBook:
    """The holds of one site. Each call is one transaction; raise JournalError."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def waiting(self) -> Sequence[KeptHold]:
        """Return the holds that wait for a person: as a rule one, or none."""
        with self._store.reading() as connection:
            return _holds(connection, _WAITING)

    def find(self, digest: str) -> KeptHold | None:
        """Return the hold of this digest, also one that waits no longer; None if there is none."""
        with self._store.reading() as connection:
            return next(iter(_holds(connection, _OF_DIGEST, digest)), None)

    def in_force(self) -> Sequence[tuple[KeptHold, Word]]:
        """Return every approval that counts now, with its hold."""
        now = self._clock.now()
        with self._store.reading() as connection:
            return [
                (hold, word)
                for hold in _holds(connection, _HAS_APPROVAL)
                for word in hold.words
                if word.is_in_force(now)
            ]

    def approve(
        self,
        digest: str,
        asked_by: str,
        classes: Collection[ChangeClass] = (),
        contacts: Collection[ContactId] = (),
    ) -> None:
        """Record that a person lets this hold pass, or a part of it, for 24 hours from now.

        The rest of it is left out: it stays held until a person approves it, however little it is.
        """
        with self._store.writing() as connection:
            self._say(connection, digest, APPROVED, asked_by, classes, contacts)
            if classes or contacts:
                self._say(connection, digest, LEFT_OUT, asked_by, classes, contacts)

    def reject(self, digest: str, asked_by: str) -> int:
        """Record that a person refuses this hold; return how many approvals that withdrew."""
        with self._store.writing() as connection:
            withdrawn = connection.execute(
                "UPDATE approvals SET ended_at = ?, ending = ? "
                "WHERE hold = ? AND verdict = ? AND ended_at IS NULL",
                (self._now(), WITHDRAWN, digest, APPROVED),
            )
            self._say(connection, digest, REJECTED, asked_by, (), ())
            return withdrawn.rowcount

    def _say(
        self,
        connection: sqlite3.Connection,
        digest: str,
        verdict: str,
        asked_by: str,
        classes: Collection[ChangeClass],
        contacts: Collection[ContactId],
    ) -> None:
        connection.execute(
            "INSERT INTO approvals (hold, verdict, at, asked_by, classes, contacts) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                digest,
                verdict,
                self._now(),
                asked_by,
                json.dumps(sorted(one.value for one in classes)),
                json.dumps(sorted(contacts)),
            ),
        )

    def _now(self) -> str:
        return time_text(self._clock.now())


_WAITING: Final = (
    "SELECT digest, cycle, held_at, closed_at FROM holds WHERE closed_at IS NULL "
    "ORDER BY held_at, digest"
)
_OF_DIGEST: Final = "SELECT digest, cycle, held_at, closed_at FROM holds WHERE digest = ?"
_HAS_WORD: Final = (
    "SELECT digest, cycle, held_at, closed_at FROM holds WHERE digest IN "
    "(SELECT hold FROM approvals WHERE ended_at IS NULL) ORDER BY held_at, digest"
)
_HAS_APPROVAL: Final = (
    "SELECT digest, cycle, held_at, closed_at FROM holds WHERE digest IN "
    "(SELECT hold FROM approvals WHERE verdict = 'approved' AND ended_at IS NULL) "
    "ORDER BY held_at, digest"
)


def read_approvals(connection: sqlite3.Connection, now: datetime) -> tuple[Approval, ...]:
    """Return the approvals that count at `now`; raise sqlite3.Error."""
    return tuple(
        Approval(kept.hold, frozenset(word.classes), frozenset(word.contacts), word.number)
        for kept in _holds(connection, _HAS_APPROVAL)
        for word in kept.words
        if word.is_in_force(now)
    )


def read_refusals(connection: sqlite3.Connection, now: datetime) -> tuple[Refusal, ...]:
    """Return what persons said no to, without what was approved later; raise sqlite3.Error."""
    said = sorted(
        ((word, kept.hold) for kept in _holds(connection, _HAS_WORD) for word in kept.words),
        key=lambda one: one[0].number,
    )
    allowed: set[str] = set()
    refused: dict[int, set[str]] = {}
    for word, hold in said:
        part = Approval(hold, frozenset(word.classes), frozenset(word.contacts)).allowed()
        mine = {effect.digest for effect in part}
        if word.is_in_force(now):
            allowed |= mine
            refused = {number: effects - mine for number, effects in refused.items()}
        elif word.ended_at is None and word.verdict == REJECTED:
            refused[word.number] = mine
        elif word.ended_at is None and word.verdict == LEFT_OUT:
            all_ = {effect.digest for effect in hold.effects}
            refused[word.number] = all_ - mine - allowed
    return tuple(Refusal(frozenset(effects), number) for number, effects in refused.items())


def keep_hold(
    connection: sqlite3.Connection,
    cycle_id: str,
    now: datetime,
    hold: Hold | None,
    texts: Mapping[str, str],
    used_up: Collection[int],
) -> None:
    """Keep this hold, close all others, and end the approvals that are over; raise sqlite3.Error.

    A hold that was closed and comes back waits anew, and what was said to it before stays said.
    """
    at = time_text(now)
    digest = "" if hold is None else hold.digest
    connection.execute(
        "UPDATE holds SET closed_at = ? WHERE closed_at IS NULL AND digest <> ?", (at, digest)
    )
    if hold is not None:
        _insert(connection, hold, cycle_id, at, texts)
    connection.executemany(
        "UPDATE approvals SET ended_at = ?, ending = ? WHERE number = ? AND ended_at IS NULL",
        [(at, USED_UP, number) for number in used_up],
    )
    connection.execute(
        "UPDATE approvals SET ended_at = ?, ending = ? "
        "WHERE verdict = ? AND ended_at IS NULL AND NOT (at > ? AND at < ?)",
        (at, EXPIRED, APPROVED, time_text(now - APPROVAL_AGE), time_text(now + APPROVAL_AGE)),
    )


def _insert(
    connection: sqlite3.Connection, hold: Hold, cycle_id: str, at: str, texts: Mapping[str, str]
) -> None:
    connection.execute(
        "INSERT INTO holds (digest, cycle, held_at) VALUES (?, ?, ?) "
        "ON CONFLICT (digest) DO UPDATE SET closed_at = NULL, "
        "cycle = CASE WHEN closed_at IS NULL THEN cycle ELSE excluded.cycle END, "
        "held_at = CASE WHEN closed_at IS NULL THEN held_at ELSE excluded.held_at END",
        (hold.digest, cycle_id, at),
    )
    connection.executemany(
        "INSERT INTO hold_guards (hold, guard, extent, text) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (hold, guard) DO UPDATE SET text = excluded.text",
        [(hold.digest, guard, extent, texts[guard]) for guard, extent in hold.guards.items()],
    )
    connection.executemany(
        "INSERT INTO held_effects (hold, contact_id, change, kind, digest) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # OR IGNORE would pass over the checks
        [
            (hold.digest, one.contact_id, one.change_class.value, one.kind, one.digest)
            for one in hold.effects
        ],
    )


def _holds(connection: sqlite3.Connection, query: str, *values: str) -> list[KeptHold]:
    return [_kept(connection, *row) for row in connection.execute(query, values).fetchall()]


def _kept(
    connection: sqlite3.Connection, digest: str, cycle_id: str, held_at: str, closed_at: str | None
) -> KeptHold:
    guards = connection.execute(
        "SELECT guard, extent, text FROM hold_guards WHERE hold = ? ORDER BY guard", (digest,)
    ).fetchall()
    effects = connection.execute(
        "SELECT contact_id, change, kind, digest FROM held_effects WHERE hold = ?", (digest,)
    )
    words = connection.execute(
        "SELECT number, verdict, at, asked_by, classes, contacts, ended_at, ending "
        "FROM approvals WHERE hold = ? ORDER BY number",
        (digest,),
    )
    hold = Hold(
        digest,
        {guard: extent for guard, extent, _ in guards},
        frozenset(
            Effect(ContactId(contact_id), ChangeClass(change), kind, effect)
            for contact_id, change, kind, effect in effects
        ),
    )
    return KeptHold(
        hold=hold,
        cycle_id=cycle_id,
        held_at=time_from(held_at),
        closed_at=None if closed_at is None else time_from(closed_at),
        texts={guard: text for guard, _, text in guards},
        words=tuple(_word(*row) for row in words),
    )


def _word(
    number: int,
    verdict: str,
    at: str,
    asked_by: str,
    classes: str,
    contacts: str,
    ended_at: str | None,
    ending: str | None,
) -> Word:
    return Word(
        number=number,
        verdict=verdict,
        at=time_from(at),
        asked_by=asked_by,
        classes=tuple(ChangeClass(one) for one in json.loads(classes)),
        contacts=tuple(ContactId(one) for one in json.loads(contacts)),
        ended_at=None if ended_at is None else time_from(ended_at),
        ending=ending,
    )

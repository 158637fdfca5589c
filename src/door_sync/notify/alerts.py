"""When a person is told of a cause: as it begins, as it lasts, once it is over (P14).

Pure: what stands, what this cycle found, the time and the site's policy go in; what stands now and
the messages that are due come out. A message counts as told only once somebody took it: until then
the same one is due again in the next cycle (`when_told`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from door_sync.core.causes import Cause, Identity, Standing, merged


class Sight(Enum):
    """What a cycle got to see. What it did not see, it cannot call resolved."""

    JOURNAL = auto()
    """It had a journal, from its beginning to its end."""
    DECISION = auto()
    """It read both sides, believed them, and decided."""
    WRITES = auto()
    """It carried out all that was not held, and read it back."""
    END = auto()
    """It came to its end by itself: neither an error nor a fault of the program cut it short."""


NEEDED: Final[Mapping[Identity, frozenset[Sight]]] = {
    Identity.JOURNAL: frozenset({Sight.JOURNAL}),
    Identity.FAULT: frozenset({Sight.END}),
    Identity.SOURCE: frozenset({Sight.DECISION}),
    Identity.TARGET: frozenset({Sight.DECISION}),
    Identity.STOPPED: frozenset({Sight.DECISION}),
    Identity.HELD: frozenset({Sight.DECISION}),
    Identity.PEOPLE_FAILED: frozenset({Sight.JOURNAL, Sight.WRITES}),
    Identity.NOT_CONVERGING: frozenset({Sight.JOURNAL, Sight.WRITES}),
    Identity.BLOCKED: frozenset({Sight.WRITES}),
    Identity.STALE: frozenset({Sight.DECISION}),
    Identity.FILES: frozenset(),
    Identity.CHANNEL: frozenset(),
}
"""What a cycle must have seen before the absence of a cause means that it is over.

A cycle that a guard held writes nothing to anybody, so it tells nothing about people whose changes
failed, nor about their cards. The files are written by every cycle. That the channel works again is
told by the channel itself: the message that says so is how it is tried.
"""


class Kind(Enum):
    """What a message says of a cause; the word stands in the journal."""

    BEGIN = "begin"
    REMINDER = "reminder"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Message:
    """One message that is due, and the alert it is about."""

    kind: Kind
    about: Standing


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient and how insistent a site wants its alerts.

    `after_failures`: in how many cycles in a row a cause that may pass by itself must be found.
    `reminder`: how long between two messages while a cause lasts; None for no reminders.
    """

    after_failures: int = 2
    reminder: timedelta | None = timedelta(hours=24)


def after_cycle(
    standing: Iterable[Standing],
    causes: Iterable[Cause],
    seen: Collection[Sight],
    now: datetime,
    policy: Policy,
    *,
    is_early_retry: bool = False,
) -> tuple[tuple[Standing, ...], tuple[Message, ...]]:
    """Return what stands after a cycle, and the messages due, at most one for each identity.

    A cycle that came sooner than the cadence, because the last one failed, adds no failure.
    """
    before = {one.identity: one for one in standing}
    found = merged(causes)
    after, due = [], []
    for identity in Identity:
        is_unseen = not NEEDED[identity] <= frozenset(seen)
        one = _next(
            before.get(identity),
            found.get(identity),
            now,
            is_unseen=is_unseen,
            adds=0 if is_early_retry else 1,
        )
        if one is None:
            continue
        after.append(one)
        kind = _due(one, now, policy, is_found=identity in found)
        if kind is not None:
            due.append(Message(kind, one))
    return tuple(after), tuple(due)


def when_told(
    standing: Iterable[Standing], message: Message, now: datetime
) -> tuple[Standing, ...]:
    """Return what stands after this message was taken."""
    about = message.about.identity
    if message.kind is Kind.RESOLVED:
        return tuple(one for one in standing if one.identity is not about)
    return tuple(
        replace(one, announced=one.announced or now, reminded=now) if one.identity is about else one
        for one in standing
    )


def _next(
    before: Standing | None, cause: Cause | None, now: datetime, *, is_unseen: bool, adds: int
) -> Standing | None:
    """Return what becomes of one cause; None if it does not stand, or nobody heard of it."""
    if before is None:
        return None if cause is None else Standing(cause, now)
    if before.reminded is not None and before.reminded > now:
        # The clock was put back: count from now, so that no reminder stays away for long.
        before = replace(before, reminded=now)
    if cause is not None:
        return replace(before, cause=cause, failures=before.failures + adds, is_over=False)
    if is_unseen:
        return before
    return None if before.announced is None else replace(before, is_over=True)


def _due(one: Standing, now: datetime, policy: Policy, *, is_found: bool) -> Kind | None:
    if one.is_over:
        return Kind.RESOLVED
    if one.announced is None:
        needed = policy.after_failures if one.cause.may_pass else 1
        return Kind.BEGIN if one.failures >= needed else None
    if not is_found or policy.reminder is None or one.reminded is None:
        return None
    return Kind.REMINDER if now - one.reminded >= policy.reminder else None

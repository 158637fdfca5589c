"""What has changed between a plan that a person looked at and what would be written now (§6)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass, Plan, step_digest

Seen = Mapping[tuple[ContactId, ChangeClass], tuple[str, ...]]
"""A plan as it is compared: every change with the keyed digests of its steps, in order."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What a plan has now and had not, had and has not, and has in another way; each as contact
    and class, in order."""

    came: tuple[tuple[ContactId, ChangeClass], ...] = ()
    went: tuple[tuple[ContactId, ChangeClass], ...] = ()
    differs: tuple[tuple[ContactId, ChangeClass], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.came or self.went or self.differs)


def seen(plan: Plan, key: bytes) -> Seen:
    """Return a plan as it is compared, without anything personal in it (P12)."""
    return {
        (change.contact_id, change.change_class): tuple(
            step_digest(step, key) for step in change.steps
        )
        for change in plan.changes
    }


def drift(before: Seen, now: Seen) -> Drift:
    """Given a plan as it was looked at and as it is now, return what differs."""
    return Drift(
        came=_sorted(now.keys() - before.keys()),
        went=_sorted(before.keys() - now.keys()),
        differs=_sorted([one for one in before.keys() & now.keys() if before[one] != now[one]]),
    )


def _sorted(
    names: Collection[tuple[ContactId, ChangeClass]],
) -> tuple[tuple[ContactId, ChangeClass], ...]:
    order = list(ChangeClass)
    return tuple(sorted(names, key=lambda name: (name[0], order.index(name[1]))))

"""Would this card open this door now? What a hub decides, from its own copy of the world.

Hubs decide by themselves (§2): a write reaches them after a delay, and a hub that is off-line
keeps the copy it had (rule 55). This is the judge of every test: what the API says is not asked.
"""

import datetime
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, assert_never

from door_sync.simulators.unifi.records import (
    DAYS,
    Card,
    Door,
    DoorGroup,
    Group,
    Hours,
    Policy,
    Record,
    Resource,
    Schedule,
    Status,
    User,
    Visitor,
)


class Verdict(StrEnum):
    """Why a door opens or stays shut."""

    OPENS = "opens"
    UNKNOWN_CARD = "the card is not known"
    CARD_NOT_IN_USE = "the card is disabled, lost or deleted"
    FREE_CARD = "the card belongs to nobody"
    HOLDER_GONE = "the card's holder does not exist"
    DEACTIVATED = "the holder is deactivated"
    PENDING = "the holder has not accepted an invitation"
    NO_POLICY = "no policy of the holder covers this door"
    OUTSIDE_HOURS = "a policy covers this door, but not at this time"
    NOT_VISITING = "the visit is cancelled, over or yet to come"
    NO_RIGHT_TO_DOOR = "the visit does not cover this door"


@dataclass
class HubCopy:
    """What a hub knows: every record by its id, cards by token and by number."""

    users: dict[str, User] = field(default_factory=dict)
    visitors: dict[str, Visitor] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    tokens: dict[int, str] = field(default_factory=dict)
    doors: dict[str, Door] = field(default_factory=dict)
    door_groups: dict[str, DoorGroup] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    def apply(self, old: Record | None, new: Record | None) -> None:
        """Follow one change of the world."""
        if old is not None:
            shelf, key = self._place(old)
            shelf.pop(key, None)
            if isinstance(old, Card):
                self.tokens.pop(old.number, None)
        if new is not None:
            shelf, key = self._place(new)
            shelf[key] = new
            if isinstance(new, Card):
                self.tokens[new.number] = new.token

    def _place(self, record: Record) -> tuple[dict[str, Any], str]:
        match record:
            case Card(token=token):
                return self.cards, token
            case User():
                return self.users, record.id
            case Visitor():
                return self.visitors, record.id
            case Door():
                return self.doors, record.id
            case DoorGroup():
                return self.door_groups, record.id
            case Policy():
                return self.policies, record.id
            case Schedule():
                return self.schedules, record.id
            case Group():
                return self.groups, record.id
            case unknown:
                assert_never(unknown)


class Hub:
    """A hub with its copy; changes arrive with a due time and wait while it is off-line."""

    def __init__(self) -> None:
        self.online = True
        self._copy = HubCopy()
        self._coming: deque[tuple[float, Record | None, Record | None]] = deque()

    def hear(self, due: float, old: Record | None, new: Record | None) -> None:
        """Take note of a change that takes effect at `due`, epoch seconds."""
        self._coming.append((due, old, new))

    def copy_at(self, now: float) -> HubCopy:
        """Return what the hub knows at `now`."""
        while self.online and self._coming and self._coming[0][0] <= now:
            _, old, new = self._coming.popleft()
            self._copy.apply(old, new)
        return self._copy


def judge(known: HubCopy, token: str | None, door_id: str, at: float) -> Verdict:
    """Return whether the card with `token` opens the door at `at` (epoch seconds), and why."""
    card = known.cards.get(token) if token is not None else None
    if card is None:
        return Verdict.UNKNOWN_CARD
    if card.condition:
        return Verdict.CARD_NOT_IN_USE
    if card.holder is None:
        return Verdict.FREE_CARD
    if card.holder.kind == "VISITOR":
        visitor = known.visitors.get(card.holder.id)
        return _judge_visitor(known, visitor, door_id, at) if visitor else Verdict.HOLDER_GONE
    user = known.users.get(card.holder.id)
    return _judge_user(known, user, door_id, at) if user else Verdict.HOLDER_GONE


def policies_of(
    user: User, policies: Iterable[Policy], groups: Collection[Group]
) -> tuple[list[Policy], list[Policy], list[Policy]]:
    """Return a user's direct policies, those for everyone, and those of groups (rule 26)."""
    known = {policy.id: policy for policy in policies}
    inherited: set[str] = set()
    for group in groups:
        if user.id in group.member_ids:
            inherited.update(_with_parents(group, {other.id: other for other in groups}))
    return (
        [known[policy_id] for policy_id in user.policy_ids if policy_id in known],
        [policy for policy in known.values() if policy.applies_to_everyone],
        [policy for policy in known.values() if policy.id in inherited],
    )


def _judge_user(known: HubCopy, user: User, door_id: str, at: float) -> Verdict:
    if user.status == Status.DEACTIVATED:
        return Verdict.DEACTIVATED
    if user.status == Status.PENDING:
        return Verdict.PENDING
    covering = [
        policy
        for kind in policies_of(user, known.policies.values(), known.groups.values())
        for policy in kind
        if _covers(known, policy.resources, door_id)
    ]
    if not covering:
        return Verdict.NO_POLICY
    if any(_in_force(known.schedules.get(policy.schedule_id), at) for policy in covering):
        return Verdict.OPENS
    return Verdict.OUTSIDE_HOURS


def _judge_visitor(known: HubCopy, visitor: Visitor, door_id: str, at: float) -> Verdict:
    if visitor.status_at(at) not in ("ACTIVE", "VISITING"):
        return Verdict.NOT_VISITING
    if not _covers(known, visitor.resources, door_id):
        return Verdict.NO_RIGHT_TO_DOOR
    if visitor.weekly is not None and not _within(_of_today(visitor.weekly, at), at):
        return Verdict.OUTSIDE_HOURS
    return Verdict.OPENS


def _covers(known: HubCopy, resources: Iterable[Resource], door_id: str) -> bool:
    return any(
        resource.id == door_id
        if resource.type == "door"
        else resource.id in known.door_groups and door_id in known.door_groups[resource.id].door_ids
        for resource in resources
    )


def _in_force(schedule: Schedule | None, at: float) -> bool:
    if schedule is None:
        return False
    if _moment(at).date().isoformat() in schedule.holidays:
        return _within(schedule.holiday_hours, at)
    return schedule.weekly is None or _within(_of_today(schedule.weekly, at), at)


def _of_today(weekly: Mapping[str, tuple[Hours, ...]], at: float) -> tuple[Hours, ...]:
    return weekly.get(DAYS[_moment(at).weekday()], ())


def _within(hours: Iterable[Hours], at: float) -> bool:
    clock = _moment(at).strftime("%H:%M:%S")
    return any(span.start <= clock <= span.end for span in hours)


def _moment(at: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at, datetime.UTC)


def _with_parents(group: Group, groups: Mapping[str, Group]) -> set[str]:
    found: set[str] = set()
    seen: set[str] = set()
    here: Group | None = group
    while here is not None and here.id not in seen:
        seen.add(here.id)
        found.update(here.policy_ids)
        here = groups.get(here.parent_id)
    return found

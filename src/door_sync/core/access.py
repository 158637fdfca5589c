"""Who can open what, from the controller's own lists: for a page to look at and to sign.

This is what the lists say, whoever wrote them: users made by hand and visitors are in it like
members. Hours are not looked at: whoever may open a door at some time of the week can open it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from door_sync.core.controller import PolicyId, User, UserId, UserStatus, VisitorId


@dataclass(frozen=True, slots=True)
class Place:
    """A door, or a group of doors, that a policy or a visit covers. `name` may be unknown."""

    id: str
    is_group: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """An access policy with the places that it covers (UniFi sheet §9.1)."""

    id: PolicyId
    name: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class DoorGroup:
    """A group of doors (UniFi sheet §11)."""

    name: str
    door_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ways:
    """By what somebody opens doors: usable cards, a PIN, a touch pass, licence plates."""

    cards: int = 0
    has_pin: bool = False
    has_touch_pass: bool = False
    plates: int = 0

    def __bool__(self) -> bool:
        return bool(self.cards or self.has_pin or self.has_touch_pass or self.plates)


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor. `status` is the controller's word, in upper case."""

    id: VisitorId
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    status: str
    ways: Ways
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A group of users: its own policies, and everybody in it and in its subgroups."""

    policy_ids: tuple[PolicyId, ...]
    user_ids: frozenset[UserId]


@dataclass(frozen=True)
class AccessReading:
    """The controller's lists. None stands for one that the key may not read, or does not exist."""

    users: tuple[tuple[User, Ways], ...]
    visits: tuple[Visit, ...] | None
    policies: Mapping[PolicyId, AccessPolicy] | None
    doors: Mapping[str, str] | None
    door_groups: Mapping[str, DoorGroup] | None
    user_groups: tuple[UserGroup, ...] | None


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody who can open something.

    `doors` are names, where they can be told; `unnamed` counts places that cannot.
    """

    person: User | Visit
    ways: Ways
    policies: tuple[AccessPolicy, ...]
    doors: tuple[str, ...]
    door_ids: frozenset[str]
    unnamed: int


@dataclass(frozen=True, slots=True)
class Openings:
    """Everybody who can open something, and how many can not.

    `shut` are users who are deactivated, or lack a way in or a door; `to_come` visits that have not
    begun.
    """

    people: tuple[Opening, ...]
    shut: int
    to_come: int


SHUT_VISITS = frozenset({"UPCOMING", "VISITED", "CANCELLED", "CANCELED", "NO_VISIT"})
"""Statuses of visits that open no door now (UniFi sheet §8.0); any other counts as open."""


def openings(reading: AccessReading) -> Openings:
    """Given the controller's lists, return who can open something, users first, by name.

    A status that is not known counts as active, and a place that cannot be told as a door: nobody
    is left out because a list is not to be had.
    """
    of_groups: defaultdict[UserId, list[PolicyId]] = defaultdict(list)
    for group in reading.user_groups or ():
        for user_id in group.user_ids:
            of_groups[user_id] += group.policy_ids
    people = []
    for user, ways in reading.users:
        ids = dict.fromkeys((*user.policy_ids, *sorted(of_groups.get(user.id, ()))))
        policies = tuple(_policy(reading, policy_id) for policy_id in ids)
        is_in = user.status not in (UserStatus.DEACTIVATED, UserStatus.PENDING)
        one = _opening(reading, user, ways, policies)
        if is_in and ways and (one.door_ids or one.unnamed):
            people.append(one)
    visits = reading.visits or ()
    for visit in visits:
        one = _opening(reading, visit, visit.ways, ())
        if visit.status not in SHUT_VISITS and visit.ways and (one.door_ids or one.unnamed):
            people.append(one)
    shut = len(reading.users) - sum(isinstance(one.person, User) for one in people)
    to_come = sum(visit.status == "UPCOMING" for visit in visits)
    return Openings(tuple(sorted(people, key=_order)), shut, to_come)


def _opening(
    reading: AccessReading,
    person: User | Visit,
    ways: Ways,
    policies: tuple[AccessPolicy, ...],
) -> Opening:
    places = [place for policy in policies for place in policy.places]
    if isinstance(person, Visit):
        places += person.places
    doors: dict[str, str] = {}
    unnamed = set()
    for place in places:
        found = _doors(reading, place)
        if found is None:
            unnamed.add(place.name or place.id)
        else:
            doors |= found
    # A policy whose places are not to be had may open anything.
    unnamed |= {one.id for one in policies if reading.policies is None or not _known(reading, one)}
    return Opening(
        person,
        ways,
        policies,
        tuple(sorted({*doors.values()})),
        frozenset(doors),
        len(unnamed),
    )


def _doors(reading: AccessReading, place: Place) -> Mapping[str, str] | None:
    """Return the doors of a place, by id with their names; None where nobody can tell them."""
    names = reading.doors
    if not place.is_group:
        if names is not None and place.id in names:
            return {place.id: names[place.id]}
        return {place.id: place.name or place.id}
    group = (reading.door_groups or {}).get(place.id)
    if group is None:
        return None  # the list leaves the building out, which is a group too (UniFi sheet §11)
    return {one: (names or {}).get(one, one) for one in group.door_ids}


def _known(reading: AccessReading, policy: AccessPolicy) -> bool:
    return reading.policies is not None and policy.id in reading.policies


def _policy(reading: AccessReading, policy_id: PolicyId) -> AccessPolicy:
    return (reading.policies or {}).get(policy_id, AccessPolicy(policy_id, policy_id))


def _order(one: Opening) -> tuple[bool, str, str, str]:
    person = one.person
    last, first = person.last_name.casefold(), person.first_name.casefold()
    return isinstance(person, Visit), last, first, person.id


def doors_told(people: Iterable[Opening]) -> Mapping[str, int]:
    """Return how many people open each door, by its name."""
    count: defaultdict[str, int] = defaultdict(int)
    for one in people:
        for door in one.doors:
            count[door] += 1
    return dict(sorted(count.items()))

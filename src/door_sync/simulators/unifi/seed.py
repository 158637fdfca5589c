"""Makes a world of a seed and writes a world as one; the format is in :mod:`.seed_format`.

And the odd people that every console has, for worlds that are made by hand (rule 20).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import time
from typing import Any, TypeVar

from door_sync.simulators.unifi import seed_format as fmt
from door_sync.simulators.unifi.records import (
    Card,
    Door,
    DoorGroup,
    Holder,
    Hours,
    Policy,
    Resource,
    Schedule,
    Status,
    User,
)
from door_sync.simulators.unifi.store import Table
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.world import World

Named = TypeVar("Named", Door, DoorGroup, Schedule, Policy)


def load(
    seed: Mapping[str, Any] | Path, *, clock: Callable[[], float] = time
) -> tuple[World, Switches]:
    """Return the world and the switches of a seed: a JSON document, or a file with one.

    Raise ValueError, which names the places but not what stands there, if anything is wrong.
    """
    text = seed.read_text("utf-8") if isinstance(seed, Path) else json.dumps(seed)
    document = fmt.SeedDocument.model_validate_json(text)
    world = World(clock=clock, seed=document.seed)
    world.reserve_ids(_given_ids(document))
    _build_places(world, document)
    for user in document.users:
        _add_user(world, user)
    for visitor in document.visitors:
        _add_visitor(world, visitor)
    for group in document.groups:
        policy_ids = _ids(world.policies, group.policies)
        world.add_group(
            group.name,
            group_id=group.id,
            policy_ids=policy_ids,
            member_ids=group.members,
            parent_id=group.parent,
        )
    for card in document.cards:
        _add_card(world, card)
    for address in document.hidden_admins:
        world.add_hidden_admin(address)
    for token in document.tokens:
        world.add_token(
            token.secret, name=token.name, scopes=token.scopes, expires_at=token.expires_at
        )
        if token.uses_left is not None:
            world.expire_token_after(token.uses_left, token.secret)
    world.door_delay_seconds = document.door_delay_seconds
    return world, Switches.of(document.switches)


def dump(world: World, switches: Switches) -> dict[str, Any]:
    """Return a seed that gives this world again, every id written out. Mails are not in it."""
    with world.lock:
        document = fmt.SeedDocument(
            seed=world.seed,
            doors=[fmt.DoorEntry(name=one.name, id=one.id, hub=one.hub) for one in world.doors],
            door_groups=[
                fmt.DoorGroupEntry(name=one.name, id=one.id, doors=list(one.door_ids))
                for one in world.door_groups
            ],
            schedules=[_schedule_entry(one) for one in world.schedules],
            policies=[_policy_entry(one) for one in world.policies],
            users=[_user_entry(world, one) for one in world.users],
            visitors=[
                fmt.VisitorEntry(
                    first_name=one.first_name,
                    last_name=one.last_name,
                    start_time=one.start_time,
                    end_time=one.end_time,
                    id=one.id,
                    doors=_of_type(one.resources, "door"),
                    door_groups=_of_type(one.resources, "door_group"),
                    weekly=_weekly_entry(one.weekly),
                    cards=_card_entries(world, one.id),
                    email=one.email,
                    visit_reason=one.visit_reason,
                    remarks=one.remarks,
                    arrived=one.arrived,
                    cancelled=one.cancelled,
                )
                for one in world.visitors
            ],
            groups=[
                fmt.GroupEntry(
                    name=one.name,
                    id=one.id,
                    policies=list(one.policy_ids),
                    members=sorted(one.member_ids),
                    parent=one.parent_id,
                )
                for one in world.groups
            ],
            cards=[_card_entry(world, card) for card in world.cards if not _is_kept(world, card)],
            hidden_admins=sorted(world.hidden_admins),
            tokens=[
                fmt.TokenEntry(
                    secret=one.secret,
                    name=one.name,
                    scopes=sorted(one.scopes),
                    expires_at=one.expires_at,
                    uses_left=one.uses_left,
                )
                for one in world.tokens.values()
            ],
            door_delay_seconds=world.door_delay_seconds,
            switches=switches.as_json(),
        )
    return document.model_dump(mode="json")


@dataclass(frozen=True)
class OddPeople:
    """The people of :func:`add_odd_people`."""

    owner: User
    invited: User
    by_hand: User
    by_invitation: User
    without_status: User
    bare: User


def add_odd_people(world: World) -> OddPeople:
    """Add the people that every console has and no membership list knows (rule 20).

    The owner and an administrator who has not accepted, somebody made by hand without an
    ``employee_number``, somebody whose address stands in ``email`` only, a row without a status
    and one that lacks what rows may lack. None of them has a card or a policy of its own.
    """
    optional = ("user_email", "email", "employee_number", "onboard_time", "pin_code")
    return OddPeople(
        owner=world.add_user("Olive", "Owner", email="owner@example.org", is_admin=True),
        invited=world.add_user(
            "Ina", "Invited", email="ina@example.org", status=Status.PENDING, is_admin=True
        ),
        by_hand=world.add_user("Hanna", "Hand"),
        by_invitation=world.add_user("Ivo", "Console", email="ivo@example.org"),
        without_status=world.add_user("Noah", "Nowhere", missing=["status"]),
        bare=world.add_user("Bea", "Bare", missing=optional),
    )


def _build_places(world: World, document: fmt.SeedDocument) -> None:
    for door in document.doors:
        world.add_door(door.name, door_id=door.id, hub=door.hub)
    for group in document.door_groups:
        world.add_door_group(group.name, _ids(world.doors, group.doors), group_id=group.id)
    for schedule in document.schedules:
        world.add_schedule(
            schedule.name,
            _weekly(schedule.weekly),
            schedule_id=schedule.id,
            holidays=schedule.holidays,
            holiday_hours=_hours(schedule.holiday_hours),
            is_default=schedule.is_default,
        )
    world.always()
    for policy in document.policies:
        schedule_id = policy.schedule and _ids(world.schedules, [policy.schedule])[0]
        world.add_policy(
            policy.name,
            _ids(world.doors, policy.doors),
            policy_id=policy.id,
            door_group_ids=_ids(world.door_groups, policy.door_groups),
            schedule_id=schedule_id,
            everyone=policy.everyone,
        )


def _given_ids(document: fmt.SeedDocument) -> Iterator[str]:
    """Yield every id and token that the seed gives."""
    places: list[fmt.PlaceEntry] = [*document.doors, *document.door_groups, *document.groups]
    places += [*document.schedules, *document.policies]
    people: list[fmt.PersonEntry] = [*document.users, *document.visitors]
    cards = [card for person in people for card in person.cards] + document.cards
    yield from filter(None, (place.id for place in places))
    yield from filter(None, (person.id for person in people))
    yield from filter(None, (card.token for card in cards))


def _add_user(world: World, entry: fmt.UserEntry) -> None:
    user = world.add_user(
        entry.first_name,
        entry.last_name,
        user_id=entry.id,
        policy_ids=_ids(world.policies, entry.policies),
        **entry.model_dump(exclude={"first_name", "last_name", "id", "policies", "cards"}),
    )
    for card in entry.cards:
        world.bind(_add_card(world, card).token, user.id)


def _add_visitor(world: World, entry: fmt.VisitorEntry) -> None:
    plain = {"email", "visit_reason", "remarks", "arrived", "cancelled"}
    visitor = world.add_visitor(
        entry.first_name,
        entry.last_name,
        entry.start_time,
        entry.end_time,
        visitor_id=entry.id,
        door_ids=_ids(world.doors, entry.doors),
        door_group_ids=_ids(world.door_groups, entry.door_groups),
        weekly=_weekly(entry.weekly),
        **entry.model_dump(include=plain),
    )
    for card in entry.cards:
        world.bind(_add_card(world, card).token, visitor.id)


def _add_card(world: World, entry: fmt.CardEntry) -> Card:
    card = world.add_card(**entry.model_dump(exclude={"holder"}))
    if entry.holder is not None:
        holder = Holder(entry.holder.kind, entry.holder.id)
        return world.cards.put(card.token, replace(card, holder=holder))
    return card


def _ids(table: Table[Named], names: Iterable[str]) -> list[str]:
    """Return the ids of places given by id or by name."""
    found = []
    for name in names:
        ids = [name] if name in table else [one.id for one in table if one.name == name]
        if len(ids) != 1:
            raise ValueError(f"{len(ids)} entries of the seed are called {name!r}")
        found.extend(ids)
    return found


def _hours(entries: Iterable[fmt.HoursEntry]) -> list[Hours]:
    return [Hours(entry.start, entry.end) for entry in entries]


def _weekly(entry: fmt.Weekly | None) -> dict[str, list[Hours]] | None:
    return None if entry is None else {day: _hours(hours) for day, hours in entry.items()}


def _hours_entries(hours: Iterable[Hours]) -> list[fmt.HoursEntry]:
    return [fmt.HoursEntry(start=span.start, end=span.end) for span in hours]


def _weekly_entry(weekly: Mapping[str, Iterable[Hours]] | None) -> fmt.Weekly | None:
    return None if weekly is None else {day: _hours_entries(hours) for day, hours in weekly.items()}


def _of_type(resources: Iterable[Resource], kind: str) -> list[str]:
    return [one.id for one in resources if one.type == kind]


def _schedule_entry(schedule: Schedule) -> fmt.ScheduleEntry:
    return fmt.ScheduleEntry(
        name=schedule.name,
        id=schedule.id,
        weekly=_weekly_entry(schedule.weekly),
        holidays=sorted(schedule.holidays),
        holiday_hours=_hours_entries(schedule.holiday_hours),
        is_default=schedule.is_default,
    )


def _policy_entry(policy: Policy) -> fmt.PolicyEntry:
    return fmt.PolicyEntry(
        name=policy.name,
        id=policy.id,
        doors=_of_type(policy.resources, "door"),
        door_groups=_of_type(policy.resources, "door_group"),
        schedule=policy.schedule_id,
        everyone=policy.applies_to_everyone,
    )


def _user_entry(world: World, user: User) -> fmt.UserEntry:
    return fmt.UserEntry(
        first_name=user.first_name,
        last_name=user.last_name,
        id=user.id,
        user_email=user.user_email,
        email=user.email,
        employee_number=user.employee_number,
        onboard_time=user.onboard_time,
        status=str(user.status),
        policies=list(user.policy_ids),
        is_admin=user.is_admin,
        pin_token=user.pin_token,
        missing=sorted(user.missing),
        null=sorted(user.null),
        cards=_card_entries(world, user.id),
    )


def _card_entries(world: World, holder_id: str) -> list[fmt.CardEntry]:
    return [_card_entry(world, card) for card in world.cards_of(holder_id)]


def _card_entry(world: World, card: Card) -> fmt.CardEntry:
    holder = None
    if card.holder is not None and not _is_kept(world, card):
        holder = fmt.HolderEntry(kind=card.holder.kind, id=card.holder.id)
    return fmt.CardEntry(
        nfc_id=card.nfc_id,
        alias=card.alias,
        token=card.token,
        display_id=card.display_id,
        card_type=card.card_type,
        condition=card.condition,
        holder=holder,
    )


def _is_kept(world: World, card: Card) -> bool:
    """Whether the card is written with its holder, who is there."""
    return card.holder is not None and (
        card.holder.id in world.users or card.holder.id in world.visitors
    )

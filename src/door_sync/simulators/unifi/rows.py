"""How records look in answers: the schemas of §6.0, §8.0, §9.1, §10.2 and §11.

Rows are not tidied up: optional keys come and go from row to row, as in the samples (§5).
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from door_sync.simulators.unifi.doors import policies_of
from door_sync.simulators.unifi.records import Card, Hours, Policy, Resource, User, Visitor
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.world import World

Row = dict[str, Any]


def user_row(world: World, switches: Switches, user: User, *, expand: bool) -> Row:
    """A row of the user list, or the answer to fetching one; never a raw number or an alias."""
    shown = shown_policies(world, switches, user)
    row: Row = {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "alias": "",
        "user_email": user.user_email,
        "email": user.email,
        "email_status": "UNVERIFIED",
        "phone": "",
        "avatar_relative_path": "",
        "employee_number": user.employee_number,
        "onboard_time": user.onboard_time,
        "status": user.status,
        "pin_code": {"token": user.pin_token} if user.pin_token else None,
        "nfc_cards": card_stubs(world, user.id),
        "license_plates": [],
        "touch_pass": None,
        "access_policy_ids": [policy.id for policy in shown],
    }
    if expand:
        row["access_policies"] = [policy_row(policy) for policy in shown]
    optional = {"alias", "email_status", "phone", "avatar_relative_path"}
    optional |= {"license_plates", "touch_pass"}
    if not user.user_email:
        optional.add("user_email")
    return _untidied(row, switches, user.id, optional, user.missing, user.null)


def search_row(world: World, switches: Switches, user: User) -> Row:
    """A row of the search (§6.11), which knows no policies."""
    row: Row = {
        "alias": "",
        "avatar_relative_path": "",
        "email": user.email,
        "email_status": "UNVERIFIED",
        "employee_number": user.employee_number,
        "first_name": user.first_name,
        "full_name": user.full_name,
        "id": user.id,
        "last_name": user.last_name,
        "nfc_cards": card_stubs(world, user.id),
        "onboard_time": user.onboard_time,
        "phone": "",
        "pin_code": {"token": user.pin_token} if user.pin_token else None,
        "status": user.status,
        "user_email": user.user_email,
        "username": "",
    }
    return _untidied(row, switches, user.id, (), user.missing, user.null)


def shown_policies(world: World, switches: Switches, user: User) -> list[Policy]:
    """The policies in ``access_policy_ids``: direct ones and those for everyone (rule 26)."""
    direct, everyone, of_groups = policies_of(user, world.policies, list(world.groups))
    order = [everyone, direct] if switches.everyone_policies_first else [direct, everyone]
    if switches.group_policies_in_rows:
        order.append(of_groups)
    return list({policy.id: policy for kind in order for policy in kind}.values())


def card_stubs(world: World, holder_id: str) -> list[Row]:
    """The cards inside a user's or visitor's row."""
    return [
        {"id": card.display_id, "token": card.token, "type": card.card_type}
        for card in world.cards_of(holder_id)
    ]


def card_row(world: World, switches: Switches, card: Card) -> Row:
    """A row of the card list, or the answer to fetching one."""
    row: Row = {
        "alias": card.alias,
        "card_type": card.card_type,
        "display_id": card.display_id,
        "note": card.display_id,
        "status": card.status,
        "token": card.token,
        "user_id": card.holder.id if card.holder else "",
        "user_type": card.holder.kind if card.holder else "",
    }
    if switches.nfc_id_in_card_list:
        row["nfc_id"] = card.nfc_id
    row.update(_holder_of(world, switches, card))
    return _untidied(row, switches, card.token)


def policy_row(policy: Policy) -> Row:
    """A policy; nothing in it tells that it applies to everyone."""
    return {
        "id": policy.id,
        "name": policy.name,
        "resources": [{"id": one.id, "type": one.type} for one in policy.resources],
        "schedule_id": policy.schedule_id,
    }


def visitor_row(
    world: World, switches: Switches, visitor: Visitor, expand: Collection[str] | None
) -> Row:
    """A visitor; `expand` names the optional parts wanted, None means all of them (§8.2)."""
    row: Row = {
        "id": visitor.id,
        "first_name": visitor.first_name,
        "last_name": visitor.last_name,
        "status": visitor.status_at(world.clock()),
        "start_time": visitor.start_time,
        "end_time": visitor.end_time,
        "visit_reason": visitor.visit_reason,
        "inviter_id": "",
        "inviter_name": "",
        "mobile_phone": "",
        "remarks": visitor.remarks,
        "email": visitor.email,
        "visitor_company": "",
    }
    parts: Mapping[str, Row] = {
        "nfc_card": {"nfc_cards": card_stubs(world, visitor.id)},
        "pin_code": {"pin_code": None},
        "resource": {"resources": [_named(world, one) for one in visitor.resources]},
        "schedule": {"schedule_id": visitor.id, "schedule": _schedule(visitor)},
        "access_policy": {},
    }
    for name, part in parts.items():
        if expand is None or name in expand:
            row.update(part)
    return _untidied(row, switches, visitor.id, {"schedule", "schedule_id"})


def hours_rows(hours: Collection[Hours]) -> list[Row]:
    """A day's hours as weekly schedules write them."""
    return [{"start_time": span.start, "end_time": span.end} for span in hours]


def _holder_of(world: World, switches: Switches, card: Card) -> Row:
    """The key ``user``: who holds the card; on a free card missing, null or empty (§10.2)."""
    person: User | Visitor | None = None
    if card.holder is not None:
        person = world.users.get(card.holder.id) or world.visitors.get(card.holder.id)
    if person is not None:
        name = f"{person.first_name} {person.last_name}".strip()
        names = {"first_name": person.first_name, "last_name": person.last_name, "name": name}
        return {"user": {"id": person.id, **names, "avatar": ""}}
    shape = switches.free_card_user
    if shape == "varied":
        shape = ("missing", "null", "empty")[_draw(card.token, "user") % 3]
    match shape:
        case "null":
            return {"user": None}
        case "empty":
            return {"user": {}}
        case _:
            return {}


def _named(world: World, resource: Resource) -> Row:
    place = world.doors.get(resource.id) or world.door_groups.get(resource.id)
    return {"id": resource.id, "name": place.name if place else "", "type": resource.type}


def _schedule(visitor: Visitor) -> Row:
    weekly = visitor.weekly
    return {
        "id": visitor.id,
        "is_default": False,
        "name": f"visitor-{visitor.start_time * 1000}",
        "type": "access",
        "weekly": None
        if weekly is None
        else {day: hours_rows(hours) for day, hours in weekly.items()},
    }


def _untidied(
    row: Row,
    switches: Switches,
    key: str,
    optional: Collection[str] = (),
    missing: Collection[str] = (),
    null: Collection[str] = (),
) -> Row:
    absent = set(missing)
    if switches.optional_keys == "bare":
        absent.update(optional)
    elif switches.optional_keys == "varied":
        absent.update(name for name in optional if _draw(key, name) % 2)
    return {
        name: None if name in null or (not value and name in switches.null_for_empty) else value
        for name, value in row.items()
        if name not in absent
    }


def _draw(key: str, name: str) -> int:
    """A number that depends on the record and the key alone, so that a row stays as it is."""
    return hashlib.blake2s(f"{key}/{name}".encode(), digest_size=4).digest()[0]

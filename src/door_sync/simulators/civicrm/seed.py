"""A site as installed, and sites read from a dict or a JSON file.

The document is an object; every section and every key not marked otherwise may be left out:

``card_field``
    The custom field that holds the card, ``Door_Access.card_id``.
``custom_groups``
    ``name`` (needed), ``title``, ``extends``, ``is_multiple``, ``is_active``, ``fields``: each
    ``name`` (needed), ``label``, ``data_type``, ``is_list``, ``is_active``, ``options``.
``membership_types``
    ``name`` (needed), ``title``, ``duration_unit``, ``duration_interval``, ``is_active`` …
``membership_statuses``
    ``name`` and ``label`` (needed) and the columns of §7 of the sheet.
``contacts``
    ``first_name``, ``last_name``, ``contact_type``, ``organization_name``, ``prefix``,
    ``suffix``, ``email`` (one) or ``emails`` (rows), ``card``, ``custom`` (values by
    ``Group.field``), ``records`` (lists of values by group), ``memberships``, ``is_deleted``,
    ``is_deceased`` …
``memberships`` (of a contact, or on their own with ``contact_id``)
    ``type`` (needed), ``status`` (else the dates decide), ``join_date``, ``start_date``,
    ``end_date`` (null: none), ``is_test``, ``is_override``, ``owner_membership_id``, ``custom`` …
``groups``
    ``name`` (needed), ``members`` (contact ids).
``keys``
    ``key`` (needed), ``role``, ``contact_id``, ``permissions``, ``acl_group``, ``has_user``.
``jobs``, ``job_log``
    Rows as the administrator sees them.

Any row may bring its ``id``. Sections that are missing are those of a fresh site; contacts 1 and
2, the organization and the administrator of every site, are there unless the document brings its
own. Dates are ``2027-05-06``, times ``2026-11-22 18:02:00``. `dump_world` writes the same format.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from door_sync.simulators.civicrm.job_desk import STATUS_JOB
from door_sync.simulators.civicrm.records import (
    Contact,
    CustomField,
    CustomGroup,
    DataType,
    Email,
    Group,
    Job,
    JobLogEntry,
    MembershipStatus,
    MembershipType,
    Record,
)
from door_sync.simulators.civicrm.world import World

Document = Mapping[str, Any]
Clock = Callable[[], datetime]
RecordT = TypeVar("RecordT", bound=Record)

_HANDS: Final = ("first_name", "last_name", "contact_type", "organization_name", "prefix", "suffix")
_SUGAR: Final = frozenset(
    {*_HANDS, "id", "email", "emails", "card", "custom", "records", "memberships"}
)

_KINDS: Final[tuple[type[Record], ...]] = (
    Contact,
    Email,
    MembershipType,
    MembershipStatus,
    CustomGroup,
    CustomField,
    Group,
    Job,
    JobLogEntry,
)
_HINTS: Final = {kind: get_type_hints(kind) for kind in _KINDS}
"""What each column of a row holds, by kind of record."""

_STATUSES: Final[list[dict[str, Any]]] = [
    {
        "name": "New",
        "start_event": "join_date",
        "end_event": "join_date",
        "end_event_adjust_unit": "month",
        "end_event_adjust_interval": 3,
        "is_current_member": True,
    },
    {
        "name": "Current",
        "start_event": "start_date",
        "end_event": "end_date",
        "is_current_member": True,
        "is_default": True,
    },
    {
        "name": "Grace",
        "start_event": "end_date",
        "end_event": "end_date",
        "end_event_adjust_unit": "month",
        "end_event_adjust_interval": 1,
        "is_current_member": True,
    },
    {
        "name": "Expired",
        "start_event": "end_date",
        "start_event_adjust_unit": "month",
        "start_event_adjust_interval": 1,
    },
    {"name": "Pending", "start_event": "join_date", "end_event": "join_date", "is_reserved": True},
    {
        "name": "Cancelled",
        "start_event": "join_date",
        "end_event": "join_date",
        "is_reserved": True,
    },
    {"name": "Deceased", "is_reserved": True, "is_admin": True},
]


def fresh_world(
    *,
    clock: Clock | None = None,
    card_type: DataType = "String",
    types: Iterable[str] = ("Gold", "Silver", "Day Pass"),
    keys: Iterable[str] = ("full",),
) -> World:
    """Return a site as installed, with the door field, these types, and a key for each role.

    The key of the role `full` is ``key-full-0123456789abcdef``, and so on.
    """
    field = {"name": "card_id", "label": "Card number", "data_type": card_type}
    return load_world(
        {
            "custom_groups": [{"name": "Door_Access", "fields": [field]}],
            "membership_types": [
                {"name": name, "title": f"{name} member", "member_of_contact_id": 1}
                for name in types
            ],
            "keys": [{"key": f"key-{role}-0123456789abcdef", "role": role} for role in keys],
        },
        clock=clock,
    )


def load_world(document: Document, *, clock: Clock | None = None) -> World:
    """Return the site that a document describes; raise ValueError for a key it does not know."""
    world = World(clock=clock)
    world.card_field = document.get("card_field", world.card_field)
    for group in document.get(
        "custom_groups", [{"name": "Door_Access", "fields": [{"name": "card_id"}]}]
    ):
        _load_group(world, group)
    for row in document.get("membership_types", []):
        _put(world, "membership_types", MembershipType, {"title": row["name"], **row})
    for place, row in enumerate(document.get("membership_statuses", _STATUSES), start=1):
        filled = {"label": row["name"], "weight": place, **row}
        _put(world, "membership_statuses", MembershipStatus, filled)
    contacts = document.get("contacts", [])
    _add_those_of_every_site(world, {row.get("id") for row in contacts})
    for row in contacts:
        _load_contact(world, row)
    for row in document.get("memberships", []):
        _load_membership(world, row["contact_id"], row)
    for row in document.get("groups", []):
        members = set(row.get("members", []))
        _put(world, "groups", Group, {"title": row["name"], **row, "members": members})
    for row in document.get("keys", []):
        world.add_key(**row)
    status_job = {"id": 13, "name": "Update Membership Statuses", "api_action": STATUS_JOB}
    for row in document.get("jobs", [status_job]):
        _put(world, "jobs", Job, row)
    for row in document.get("job_log", []):
        _put(world, "job_log", JobLogEntry, row)
    return world


def load_file(path: Path, *, clock: Clock | None = None) -> World:
    """Return the site that a JSON file describes."""
    return load_world(json.loads(path.read_text(encoding="utf-8")), clock=clock)


def _load_group(world: World, row: Document) -> None:
    rest = {key: value for key, value in row.items() if key != "fields"}
    group = _put(
        world, "custom_groups", CustomGroup, {"title": row["name"].replace("_", " "), **rest}
    )
    for field in row.get("fields", []):
        label = field["name"].replace("_", " ").capitalize()
        filled = {"label": label, **field, "custom_group_id": group.id}
        _put(world, "custom_fields", CustomField, filled)


def _load_contact(world: World, row: Document) -> None:
    hands = {key: row[key] for key in _HANDS if key in row}
    number = world.add_contact(**hands, contact_id=row.get("id"))
    contact = world.contact(number)
    if "email" in row:
        world.add_email(number, row["email"], primary=True)
    for email in row.get("emails", []):
        stored = _put(world, "emails", Email, {**email, "contact_id": number})
        if stored.is_primary:
            contact.email_primary = stored.id
    world.set_name(number)  # once more: without a name the address is the name
    if row.get("card") is not None:
        world.set_card(number, row["card"])
    for name, value in row.get("custom", {}).items():
        world.set_custom(number, name, value, raw=True)
    for group, records in row.get("records", {}).items():
        for record in records:
            world.add_custom_record(number, group, **record)
    for membership in row.get("memberships", []):
        _load_membership(world, number, membership)
    _set(contact, {key: value for key, value in row.items() if key not in _SUGAR})


def _load_membership(world: World, contact_id: int, row: Document) -> None:
    given = dict(row)
    given.pop("contact_id", None)
    custom = given.pop("custom", {})
    type_name, number = given.pop("type"), given.pop("id", None)
    dates: dict[str, Any] = {
        key: _date(given.pop(key)) for key in list(given) if key.endswith("_date")
    }
    endless = "end_date" in dates and dates["end_date"] is None
    made = world.add_membership(contact_id, type_name, membership_id=number, **dates, **given)
    if endless:
        world.set_end_date(made, None)
    for name, value in custom.items():
        world.set_membership_custom(made, name, value)


def _add_those_of_every_site(world: World, taken: set[int | None]) -> None:
    if 1 not in taken:
        name = "Default Organization"
        world.add_contact(contact_type="Organization", organization_name=name, contact_id=1)
    if 2 not in taken:
        world.add_contact(email="admin@example.org", contact_id=2)


def _put(world: World, name: str, kind: type[RecordT], row: Document) -> RecordT:
    return world.put(name, kind, _typed(kind, row))


def _set(record: Record, row: Document) -> None:
    for key, value in _typed(type(record), row).items():
        setattr(record, key, value)


def _typed(kind: type[Record], row: Document) -> dict[str, Any]:
    hints = _HINTS[kind]
    unknown = row.keys() - hints.keys()
    if unknown:
        raise ValueError(f"a {kind.__name__} has no {', '.join(sorted(unknown))}")
    made = dict(row)
    for key, value in row.items():
        if isinstance(value, str) and hints[key] == date | None:
            made[key] = _date(value)
        elif isinstance(value, str) and hints[key] in (datetime, datetime | None):
            made[key] = datetime.fromisoformat(value)
    return made


def _date(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)

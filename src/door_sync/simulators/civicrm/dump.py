"""A site written down in the format that `seed` reads."""

from dataclasses import fields
from datetime import date, datetime
from typing import Any, Final

from door_sync.simulators.civicrm.contact_desk import PREFIXES, SUFFIXES
from door_sync.simulators.civicrm.records import Contact, Custom, Membership, Record
from door_sync.simulators.civicrm.world import World

_OTHERWISE: Final = frozenset(
    {"api_key", "custom", "display_name", "email_primary", "household_name", "prefix_id"}
    | {"sort_name", "suffix_id"}
)
"""Attributes of a contact that the document holds in another form, or that follow from others."""


def dump_world(world: World) -> dict[str, Any]:
    """Return the document of a site; `load_world` makes the same site of it.

    It holds names, addresses, cards and keys.
    """
    with world.lock:
        emails, records = _by_contact(world)
        return {
            "card_field": world.card_field,
            "custom_groups": [
                _row(group)
                | {
                    "fields": [
                        _row(field, without=frozenset({"custom_group_id"}))
                        for field in world.custom_fields.values()
                        if field.custom_group_id == group.id
                    ]
                }
                for group in world.custom_groups.values()
            ],
            "membership_types": [_row(row) for row in world.membership_types.values()],
            "membership_statuses": [_row(row) for row in world.membership_statuses.values()],
            "contacts": [
                _contact(row)
                | {
                    "custom": _custom(world, row.custom),
                    "emails": emails.get(row.id, []),
                    "records": records.get(row.id, {}),
                }
                for row in world.contacts.values()
            ],
            "memberships": [_membership(world, row) for row in world.memberships.values()],
            "groups": [_row(group) for group in world.groups.values()],
            "keys": [
                {
                    "key": world.contacts[key.contact_id].api_key or "",
                    "role": key.role,
                    "contact_id": key.contact_id,
                    "permissions": sorted(key.permissions),
                    "acl_group": key.acl_group,
                    "has_user": key.has_user,
                }
                for key in world.keys.values()
                if key.contact_id in world.contacts
            ],
            "jobs": [_row(job) for job in world.jobs.values()],
            "job_log": [_row(entry) for entry in world.job_log.values()],
        }


def _by_contact(
    world: World,
) -> tuple[dict[int, list[dict[str, Any]]], dict[int, dict[str, list[dict[str, Any]]]]]:
    """Return the addresses, and the records of groups with several, of each contact."""
    emails: dict[int, list[dict[str, Any]]] = {}
    for email in world.emails.values():
        row = _row(email, without=frozenset({"contact_id"}))
        emails.setdefault(email.contact_id, []).append(row)
    records: dict[int, dict[str, list[dict[str, Any]]]] = {}
    for record in world.custom_records.values():
        group = world.custom_groups[record.custom_group_id].name
        values = _custom(world, record.values)
        plain = {name.partition(".")[2]: value for name, value in values.items()}
        records.setdefault(record.entity_id, {}).setdefault(group, []).append(plain)
    return emails, records


def _contact(contact: Contact) -> dict[str, Any]:
    row = _row(contact, without=_OTHERWISE)
    if contact.household_name is not None:
        row["organization_name"] = contact.household_name
    if contact.prefix_id is not None:
        row["prefix"] = PREFIXES[contact.prefix_id]
    if contact.suffix_id is not None:
        row["suffix"] = SUFFIXES[contact.suffix_id]
    return row


def _membership(world: World, membership: Membership) -> dict[str, Any]:
    without = frozenset({"membership_type_id", "status_id", "custom"})
    return _row(membership, without=without) | {
        "type": world.membership_types[membership.membership_type_id].name,
        "status": world.membership_statuses[membership.status_id].name,
        "end_date": membership.end_date.isoformat() if membership.end_date else None,
        "custom": _custom(world, membership.custom),
    }


def _custom(world: World, custom: Custom) -> dict[str, object]:
    named = {}
    for number, value in custom.items():
        field = world.custom_fields[number]
        named[f"{world.custom_groups[field.custom_group_id].name}.{field.name}"] = value
    return named


def _row(record: Record, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return what differs from the defaults of a record."""
    row = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name not in without and value != field.default:
            row[field.name] = _plain(value)
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    return sorted(value) if isinstance(value, set) else value

"""What a CiviCRM has, for setting a site up: types, statuses, and fields that look like a card.

Reads alone. What stands in the fields is looked at here and stays here: only counts leave (P12).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from door_sync.civicrm import wire
from door_sync.civicrm.ground import holds_one_number, membership_types, names_of
from door_sync.civicrm.replies import Part, Refused, Row, Rows, answered, disbelieve, judge
from door_sync.civicrm.verdicts import Subject, other_way, subject_of
from door_sync.civicrm.wire import Auth, Call
from door_sync.core.cards import BadCard, parse_card
from door_sync.http import HttpClient, Reply
from door_sync.ports import SourceDistrusted, SourceError

SAMPLE: Final = 500
"""How many contacts are looked at to see whether a field holds card numbers."""

_CHOICES: Final = "options"


class KeyNotTaken(SourceDistrusted):
    """The key did not get through. `other` is the header that may do better; None where the key
    itself is wrong."""

    def __init__(self, message: str, *, remedy: str, other: Auth | None) -> None:
        super().__init__(message, remedy=remedy)
        self.other = other


@dataclass(frozen=True, slots=True)
class TypeFound:
    """A membership type: `members` have an active one, `fee` and `weight` where they are told."""

    name: str
    label: str
    is_active: bool
    members: int
    fee: float
    weight: int


@dataclass(frozen=True, slots=True)
class StatusFound:
    """A membership status, and whether CiviCRM itself counts it as a member's."""

    name: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class FieldFound:
    """A custom field that can hold a card number. `filled` contacts have something in it; of the
    first of them, `seen` were looked at, and `numbers` have a card number there."""

    name: str
    label: str
    filled: int
    seen: int
    numbers: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found; the types in CiviCRM's own order."""

    types: tuple[TypeFound, ...]
    statuses: tuple[StatusFound, ...]
    fields: tuple[FieldFound, ...]


def is_civicrm(client: HttpClient, path: str) -> None:
    """Ask without a key, and return if what answers is CiviCRM; raise SourceError or HttpError.

    CiviCRM says something else to nobody than to a key, but in its own way (CiviCRM sheet §2.3).
    """
    calls = {"types": Call("MembershipType", "get", {"select": ["id"], "limit": 1})}
    reply = client.send(wire.request(path, calls))
    try:
        judge(reply, calls, "x-civi-auth")
    except SourceError:
        if subject_of(reply) is Subject.ANSWER:
            raise


def survey(client: HttpClient, path: str, auth: Auth) -> Survey:
    """Read types, statuses and fields with the key that `client` carries.

    Raise KeyNotTaken if the request arrived as one of nobody, SourceDistrusted for a missing right
    or an answer that cannot be believed, other SourceErrors and HttpErrors as they come.
    """
    parts = _asked(client, path, auth, _STRUCTURE)
    _check_rights(parts, auth)
    statuses = _statuses(answered(parts["statuses"]))
    types = answered(parts["types"])
    fields = [row for row in answered(parts["fields"]).values if _may_hold_a_number(row)]
    more = {f"type {number}": _members(number) for number in names_of(types)}
    names = [name for row in fields if isinstance(name := row.get("name"), str)]
    for name in names:
        more |= {f"count {name}": wire.contacts_count(name), f"rows {name}": _sample(name)}
    counted = _asked(client, path, auth, more) if more else {}
    return Survey(
        types=_types(types, counted),
        statuses=statuses,
        fields=tuple(_field(row, counted) for row in fields if row.get("name") in names),
    )


_STRUCTURE: Final[Mapping[str, Call]] = {
    "types": Call(
        "MembershipType",
        "get",
        {
            "select": ["id", "name", "title", "is_active", "minimum_fee", "weight"],
            "orderBy": {"weight": "ASC", "id": "ASC"},
        },
    ),
    "statuses": Call(
        "MembershipStatus",
        "get",
        {"select": ["id", "name", "is_current_member", "is_active"], "orderBy": {"id": "ASC"}},
    ),
    "actions": Call("Membership", "getActions", {"select": ["name"]}),
    "own": Call("Contact", "get", {"select": ["id"], "where": [["id", "=", "user_contact_id"]]}),
    "fields": Call(
        "Contact",
        "getFields",
        {
            "select": ["name", "label", "data_type", "serialize", _CHOICES],
            "where": [["type", "=", "Custom"]],
        },
    ),
}


def _asked(
    client: HttpClient, path: str, auth: Auth, calls: Mapping[str, Call]
) -> Mapping[str, Part]:
    reply = client.send(wire.request(path, calls))
    try:
        return judge(reply, calls, auth)
    except SourceError as error:
        told = _told(reply, error, auth)
    raise told


def _told(reply: Reply, error: SourceError, auth: Auth) -> SourceError:
    if subject_of(reply) is not Subject.KEY:
        return error
    other = other_way(auth)
    return KeyNotTaken(
        error.message, remedy=error.remedy, other=other if f'"{other}"' in error.remedy else None
    )


def _check_rights(parts: Mapping[str, Part], auth: Auth) -> None:
    own = parts["own"]
    sees_itself = isinstance(own, Rows) and len(own.values) == 1
    refused = [part for part in parts.values() if isinstance(part, Refused)]
    asked_of_nobody = (parts["types"], parts["statuses"], parts["fields"])
    if not sees_itself and all(isinstance(part, Refused) for part in asked_of_nobody):
        raise KeyNotTaken(
            "CiviCRM took the request for one of nobody: the key did not arrive, or has no rights",
            remedy="Check that the extension AuthX is switched on, that the web server lets the "
            "header with the key through, and that the key's contact has a user account with the "
            'rights "authenticate with api key", "access CiviCRM", "access CiviMember", "view all '
            'contacts" and "access all custom data".',
            other=other_way(auth),
        )
    if refused:
        raise SourceDistrusted(
            "; ".join(part.reason for part in refused),
            remedy='Give the key\'s user the rights "access CiviCRM" and "access CiviMember", and '
            "check that the component CiviMember is switched on.",
        )
    if not sees_itself:
        raise SourceDistrusted(
            "the key does not see the contact that it belongs to, so it does not see everybody",
            remedy="Give the key's user the right \"view all contacts\" (a group's ACL is not "
            "enough), and see that its contact is not in the trash.",
        )
    if not any(row.get("name") == "get" for row in answered(parts["actions"]).values):
        raise SourceDistrusted(
            "the key may not read memberships",
            remedy='Give the key\'s user the right "access CiviMember".',
        )


def _may_hold_a_number(row: Row) -> bool:
    """Whether a field is one of free text or a number, for one value."""
    return holds_one_number(row) and not row.get(_CHOICES)


def _members(type_id: int) -> Call:
    where = [
        ["membership_type_id", "=", type_id],
        ["status_id.is_current_member", "=", True],
        ["is_test", "=", False],
        [wire.TRASHED_CONTACT, "=", False],
    ]
    return Call("Membership", "get", {"select": ["row_count"], "where": where})


def _sample(name: str) -> Call:
    where = [[name, "IS NOT NULL"], ["is_deleted", "=", False]]
    order = {"id": "ASC"}
    return Call(
        "Contact", "get", {"select": [name], "where": where, "orderBy": order, "limit": SAMPLE}
    )


def _types(rows: Rows, counted: Mapping[str, Part]) -> tuple[TypeFound, ...]:
    labels = membership_types(rows)
    return tuple(
        TypeFound(
            name=labels[number].name,
            label=labels[number].label,
            is_active=row.get("is_active") is not False,
            members=answered(counted[f"type {number}"]).count(),
            fee=_number(row.get("minimum_fee")),
            weight=int(_number(row.get("weight"))),
        )
        for number, row in zip(labels, rows.values, strict=True)
    )


def _statuses(rows: Rows) -> tuple[StatusFound, ...]:
    named = zip(names_of(rows).values(), rows.values, strict=True)
    return tuple(
        StatusFound(name, row.get("is_current_member") is True)
        for name, row in named
        if row.get("is_active") is not False
    )


def _field(row: Row, counted: Mapping[str, Part]) -> FieldFound:
    name, label = str(row["name"]), row.get("label")
    looked_at = answered(counted[f"rows {name}"])
    if any(name not in one for one in looked_at.values):
        disbelieve(looked_at.title, "lacks the field asked for")
    parsed = [parse_card(_text(one[name])) for one in looked_at.values]
    return FieldFound(
        name=name,
        label=label if isinstance(label, str) else name,
        filled=answered(counted[f"count {name}"]).count(),
        seen=len(parsed),
        numbers=sum(one is not None and not isinstance(one, BadCard) for one in parsed),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: object) -> float:
    """Return a number, also one that a version of CiviCRM sends as a text; 0 if it is none."""
    try:
        number = float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) else 0.0

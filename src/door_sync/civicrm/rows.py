"""Rows of CiviCRM → contacts and memberships, or a broken read.

CiviCRM leaves out, without a word, what the key may not read, and drops conditions it does not
like (CiviCRM sheet §0.1). So each row must prove that it is what was asked for (versions sheet
§12.4): every key present (null is an answer, absence is not), JSON types as documented (§4.1), ids
strictly growing, and the flags as the conditions named them. One row that fails breaks the read:
nobody can tell what else is wrong. The message names the row's id and the key, never a value (P12).

Lists are long (a page has thousands of rows), so the checks are plain comparisons.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Final, NoReturn

from door_sync.civicrm.replies import Row, Rows
from door_sync.civicrm.wire import EMAIL, MEMBERSHIP_KEYS, TRASHED_CONTACT, contact_keys
from door_sync.core.cards import BadCard, CardNumber, parse_card
from door_sync.core.people import ContactId, Member, Membership, MembershipType
from door_sync.ports import SourceDistrusted

Owned = tuple[ContactId, Membership]
"""A membership and the contact it belongs to."""

LARGEST_ID: Final = 0xFFFFFFFF
"""CiviCRM's ids are unsigned numbers of 32 bits, so nothing larger is believed: with 19 digits a
contact's user would not be known as managed again, and each cycle would make one more (P9)."""

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def members_with_card(rows: Rows, card_field: str, after: int) -> list[Member]:
    """Given a page of the contacts with a card, return them as members without memberships.

    Raise SourceDistrusted for a row in the trash or with null in the card field: then a condition
    was dropped.
    """
    members = []
    for row in _in_order(rows, contact_keys(card_field), after):
        member = _member(rows.title, row, card_field)
        if member.is_deleted or row[card_field] is None:
            _broken(rows.title, row, "does not meet the conditions asked for")
        members.append(member)
    return members


def members_asked(rows: Rows, card_field: str, contact_ids: Collection[int]) -> list[Member]:
    """Given the answer to a question by id, return the members without memberships.

    They may be in the trash, and without a card. Raise SourceDistrusted for any other id.
    """
    members = []
    for row in _in_order(rows, contact_keys(card_field), 0):
        member = _member(rows.title, row, card_field)
        if member.contact_id not in contact_ids:
            _broken(rows.title, row, "was not asked for")
        members.append(member)
    return members


def memberships(
    rows: Rows, types: Mapping[int, MembershipType], statuses: Mapping[int, str], after: int = 0
) -> list[Owned]:
    """Given memberships, return each with the id of its contact.

    `statuses` are the names of the statuses asked for, by id. Raise SourceDistrusted for a row in
    another status, of a test membership, or of a contact in the trash: then a condition was
    dropped. A type that is not among `types` is named after its id, so that no rule speaks for it.
    """
    title = rows.title
    owned = []
    for row in _in_order(rows, MEMBERSHIP_KEYS, after):
        status = statuses.get(_number(title, row, "status_id"))
        trashed, test = _flag(title, row, TRASHED_CONTACT), _flag(title, row, "is_test")
        if status is None or trashed or test:
            _broken(title, row, "does not meet the conditions asked for")
        owned.append(
            (ContactId(_number(title, row, "contact_id")), _membership(title, row, types, status))
        )
    return owned


def memberships_in_full(
    rows: Rows,
    types: Mapping[int, MembershipType],
    statuses: Mapping[int, str],
    contact_id: ContactId,
) -> tuple[Membership, ...]:
    """Given every membership of one contact, return them all, test ones too.

    `statuses` are the names of all statuses by id. Raise SourceDistrusted for another contact's
    row, or a status that is not among them.
    """
    title, found = rows.title, []
    for row in _in_order(rows, (*MEMBERSHIP_KEYS, "start_date"), 0):
        status = statuses.get(_number(title, row, "status_id"))
        if status is None or _number(title, row, "contact_id") != contact_id:
            _broken(title, row, "does not meet the conditions asked for")
        found.append(
            replace(
                _membership(title, row, types, status),
                is_test=_flag(title, row, "is_test"),
                start_date=_day(title, row, "start_date"),
            )
        )
    return tuple(found)


def _membership(
    title: str, row: Row, types: Mapping[int, MembershipType], status: str
) -> Membership:
    type_id = _number(title, row, "membership_type_id")
    return Membership(
        id=_number(title, row, "id"),
        type=types.get(type_id) or _unlisted(type_id),
        status=status,
        end_date=_day(title, row, "end_date"),
        # Null in rows older than the column.
        is_override=row["is_override"] is not None and _flag(title, row, "is_override"),
    )


def _in_order(rows: Rows, keys: Collection[str], after: int) -> Iterator[Row]:
    wanted = frozenset(keys)
    for row in rows.values:
        if not wanted <= row.keys():
            _incomplete(rows.title, row, next(key for key in keys if key not in row))
        if _number(rows.title, row, "id") <= after:
            _broken(rows.title, row, "came twice or out of order")
        after = _number(rows.title, row, "id")
        yield row


def _member(title: str, row: Row, card_field: str) -> Member:
    return Member(
        contact_id=ContactId(_number(title, row, "id")),
        first_name=_text(title, row, "first_name"),
        last_name=_text(title, row, "last_name"),
        display_name=_text(title, row, "display_name"),
        email=_text(title, row, EMAIL),
        card=_card(title, row, card_field),
        # Null in rows older than the column.
        is_deceased=row["is_deceased"] is not None and _flag(title, row, "is_deceased"),
        is_deleted=_flag(title, row, "is_deleted"),
    )


def _card(title: str, row: Row, key: str) -> CardNumber | BadCard | None:
    """Text stays as it is, so that what is malformed is seen as such (CiviCRM sheet §13.11)."""
    value = row[key]
    if value is None:
        return None
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) not in (str, int, float):
        _mistyped(title, row, key)
    return parse_card(str(value))


def _number(title: str, row: Row, key: str) -> int:
    value = row[key]
    if type(value) is not int or not 0 < value <= LARGEST_ID:
        _mistyped(title, row, key)
    return value


def _flag(title: str, row: Row, key: str) -> bool:
    value = row[key]
    if type(value) is not bool:
        _mistyped(title, row, key)
    return value


def _text(title: str, row: Row, key: str) -> str:
    value = row[key]
    if value is None:
        return ""
    if type(value) is not str:
        _mistyped(title, row, key)
    return value


def _day(title: str, row: Row, key: str) -> date | None:
    value = row[key]
    if value is None:
        return None
    day = _date(value) if type(value) is str else None
    if day is None:
        _mistyped(title, row, key)
    return day


@lru_cache(maxsize=4096)
def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except ValueError:
        return None


def _unlisted(type_id: int) -> MembershipType:
    name = f"type {type_id}"
    return MembershipType(type_id, name, name)


def _incomplete(title: str, row: Row, key: str) -> NoReturn:
    remedy = ""
    if "." in key and key != TRASHED_CONTACT:
        right = "access CiviCRM" if key == EMAIL else "access all custom data"
        remedy = f'The key\'s user needs the right "{right}". If it has it, look whether somebody '
        remedy += "switched that field off just now."
    _broken(title, row, f"lacks the key {key}", remedy=remedy)


def _mistyped(title: str, row: Row, key: str) -> NoReturn:
    _broken(title, row, f"holds something unexpected in {key}")


def _broken(title: str, row: Row, what: str, *, remedy: str = "") -> NoReturn:
    number = row.get("id")
    is_id = type(number) is int and 0 < number <= LARGEST_ID
    named = f"row {number}" if is_id else "a row"
    raise SourceDistrusted(
        f"{named} of CiviCRM's answer to {title} {what}",
        remedy=remedy
        or "Look at that record in CiviCRM. If it is in order, an extension or a "
        "proxy may be changing CiviCRM's answers.",
    )

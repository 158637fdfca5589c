"""The controller's replies and requests as types; no I/O (UniFi sheet §4, §6, §8, §10).

Whatever cannot be trusted raises ControllerDistrusted with the place and the field, never the
value (P12).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from door_sync.core.cards import CardNumber, CardToken, number_from_nfc_id
from door_sync.core.controller import Policy, PolicyId, User, UserId, UserStatus, VisitorId
from door_sync.core.people import ContactId, contact_of
from door_sync.ports import ControllerDistrusted, Profile
from door_sync.unifi.schema import (
    BoundCard,
    CardShape,
    CreatedShape,
    ImportedShape,
    NamedId,
    Pagination,
    UserShape,
    VisitorShape,
    shaped,
)

RawRow = Mapping[str, object]


class HolderKind(Enum):
    """What a card row says that its holder is (`user_type`, UniFi sheet §10.2)."""

    USER = auto()
    VISITOR = auto()
    UNSAID = auto()
    """The row does not say."""
    STRANGE = auto()
    """A word that the reference does not know."""


@dataclass(frozen=True, slots=True)
class CardRow:
    """A row of the card list as it came. `holder_id` is empty for a card that names no holder.

    `nfc_id` is the raw card id, empty where the firmware does not show it (§18 C2).
    `is_assigned` says that the row's own status claims a holder, named or not.
    """

    token: CardToken
    alias: str = field(repr=False, default="")
    nfc_id: str = field(repr=False, default="")
    holder_id: str = ""
    holder_kind: HolderKind = HolderKind.UNSAID
    is_assigned: bool = False


@dataclass(frozen=True, slots=True)
class VisitorRow:
    """A visitor, as far as cards go. `is_over` says that the visit has ended or was cancelled."""

    id: VisitorId
    tokens: tuple[CardToken, ...] = field(repr=False, default=())
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a paged list, and how many the controller says there are in all."""

    rows: tuple[RawRow, ...] = field(repr=False)
    total: int


def page(data: object, pagination: object, where: str, *, key: str) -> Page:
    """Given a reply's `data` and `pagination`, return the page; `key` is what makes a row unique.

    Without a total nothing proves that a list is whole, however short the page: it is distrusted
    (P2). `data` may be null for an empty list, if the total says so too.
    """
    total = shaped(Pagination, pagination, f"{where}, pagination").total
    if data is None and total == 0:
        return Page((), 0)
    return Page(rows(data, where, key=key), total)


def whole_list(data: object, pagination: object, where: str, *, key: str) -> tuple[RawRow, ...]:
    """Given the reply to a list that is not paged, return its rows.

    Should it carry a total all the same, that must be reached.
    """
    found = rows(data, where, key=key)
    if len({row[key] for row in found}) < len(found):
        raise ControllerDistrusted(f"{where}: the same {key} comes twice")
    if pagination is not None:
        total = shaped(Pagination, pagination, f"{where}, pagination").total
        if total != len(found):
            raise ControllerDistrusted(f"{where}: {total} counted, {len(found)} given")
    return found


def rows(data: object, where: str, *, key: str) -> tuple[RawRow, ...]:
    """Given a reply's `data`, return its rows: objects that each have a text under `key`."""
    if not isinstance(data, list):
        raise ControllerDistrusted(f"{where}: the reply holds no list")
    for row in data:
        if not isinstance(row, dict) or not isinstance(row.get(key), str):
            raise ControllerDistrusted(f"{where}: a row has no {key}")
    return tuple(data)


def user(raw: object, where: str) -> User:
    """Given a user object, return the user (§6.0). A status that is missing or unheard of is
    UNKNOWN (§20 trap 9)."""
    shape = shaped(UserShape, raw, where)
    listed = shape.access_policy_ids
    if listed is None:
        listed = [policy.id for policy in shape.access_policies]
    contact_id = contact_of(shape.employee_number)
    return User(
        id=UserId(shape.id),
        first_name=shape.first_name,
        last_name=shape.last_name,
        email=shape.user_email,
        console_email=shape.email,
        contact_id=contact_id,
        status=_STATUS.get(shape.status, UserStatus.UNKNOWN),
        tokens=_tokens(shape.nfc_cards),
        policy_ids=_policy_ids(tuple(listed)),
        other_number=shape.employee_number.strip() if contact_id is None else "",
    )


def visitor(raw: object, where: str) -> VisitorRow:
    """Given a visitor object, return its id and cards."""
    shape = shaped(VisitorShape, raw, where)
    is_over = shape.status.upper() in _OVER
    return VisitorRow(VisitorId(shape.id), _tokens(shape.nfc_cards), is_over)


def card(raw: object, where: str) -> CardRow:
    """Given a card object, return the row."""
    shape = shaped(CardShape, raw, where)
    return CardRow(
        token=CardToken(shape.token),
        alias=shape.alias,
        nfc_id=shape.nfc_id,
        holder_id=shape.user_id or (shape.user.id if shape.user else ""),
        holder_kind=_HOLDER_KIND.get(shape.user_type.upper(), HolderKind.STRANGE),
        is_assigned=shape.status.lower() == "assigned",
    )


def policy(raw: object, where: str) -> Policy:
    """Given a policy object, return its id and name."""
    shape = shaped(NamedId, raw, where)
    return Policy(PolicyId(shape.id), shape.name)


def created_user(data: object, where: str) -> UserId:
    """Given the `data` of a create, return the new user's id."""
    return UserId(shaped(CreatedShape, data, where).id)


def imported_tokens(
    data: object, numbers: Sequence[CardNumber], facility: int, where: str
) -> dict[CardNumber, CardToken]:
    """Given the `data` of an import, return the token of each number that got one (§10.4).

    Rows are matched by their raw id as an integer: order, zeros and letter case are not promised.
    An empty token is a row that failed. A number with two tokens, or a token with two numbers, is
    left out: a guess could bind somebody else's card.
    """
    if not isinstance(data, list):
        raise ControllerDistrusted(f"{where}: the reply holds no list")
    pairs: set[tuple[CardNumber, CardToken]] = set()
    for raw in data:
        shape = shaped(ImportedShape, raw, where)
        number = number_from_nfc_id(shape.nfc_id, facility)
        if shape.token and isinstance(number, CardNumber) and number in numbers:
            pairs.add((number, CardToken(shape.token)))
    numbers_seen = Counter(number for number, _ in pairs)
    tokens_seen = Counter(token for _, token in pairs)
    return {
        number: token
        for number, token in pairs
        if numbers_seen[number] == 1 and tokens_seen[token] == 1
    }


def import_file(numbers: Sequence[CardNumber], facility: int) -> bytes:
    """Return the CSV of an import: raw id and alias, no header, no space (§10.4)."""
    lines = (f"{number.nfc_id(facility)},{number.alias()}\n" for number in numbers)
    return "".join(lines).encode("ascii")


def profile_body(profile: Profile) -> dict[str, str]:
    """Return the JSON of a profile: the given fields alone, and never the read-only `email`
    (§20 trap 10)."""
    fields = {
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "user_email": profile.email,
    }
    return {name: value for name, value in fields.items() if value is not None}


def creation_body(contact_id: ContactId, profile: Profile) -> dict[str, str]:
    """Return the JSON of a new user (§6.1); there is no address to clear, so "" is left out."""
    fields = profile_body(profile)
    if not fields.get("user_email"):
        fields.pop("user_email", None)
    return {**fields, "employee_number": str(contact_id)}


@lru_cache(maxsize=1024)
def _policy_ids(listed: tuple[str, ...]) -> tuple[PolicyId, ...]:
    """Return the ids without repeats; thousands of users share the few lists that there are."""
    return tuple(PolicyId(one) for one in dict.fromkeys(listed))


def _tokens(bound: Sequence[BoundCard]) -> tuple[CardToken, ...]:
    return tuple(dict.fromkeys(CardToken(card.token) for card in bound))


_STATUS: Final = {status.value: status for status in UserStatus if status is not UserStatus.UNKNOWN}
_OVER: Final = frozenset({"VISITED", "CANCELLED", "CANCELED", "NO_VISIT"})
"""How a visit that is over is called, in either spelling (UniFi sheet §8.0)."""

_HOLDER_KIND: Final = {
    "USER": HolderKind.USER,
    "VISITOR": HolderKind.VISITOR,
    "": HolderKind.UNSAID,
}

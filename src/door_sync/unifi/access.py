"""Reading what the doors go by: credentials, policies with their places, groups, visits.

No cycle needs this. What the key may not read, or an older Access does not know, is None.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, TypeVar

from door_sync.core.access import (
    AccessPolicy,
    AccessReading,
    DoorGroup,
    Place,
    UserGroup,
    Visit,
    Ways,
)
from door_sync.core.cards import CardToken
from door_sync.core.controller import PolicyId, User, UserId, VisitorId
from door_sync.unifi import wire
from door_sync.unifi.envelope import NoRoute, ScopeMissing
from door_sync.unifi.exchange import Exchange, demanded, path
from door_sync.unifi.paging import Fetch, read_listings
from door_sync.unifi.reading import CARDS, USERS, VISITORS
from door_sync.unifi.schema import (
    CardStatusShape,
    DoorGroupShape,
    NamedId,
    PlaceShape,
    PolicyShape,
    VisitShape,
    WaysShape,
    shaped,
)
from door_sync.unifi.trouble import Right

OUT_OF_USE: Final = frozenset({"disable", "deleted", "loss"})
"""Statuses of cards that open nothing, whoever holds them (UniFi sheet §10.2)."""

VISITS: Final = replace(
    VISITORS, query=tuple(("expand[]", part) for part in ("nfc_card", "resource", "pin_code"))
)

ItemT = TypeVar("ItemT")


def read_access(exchange: Exchange, page: Fetch, concurrency: int) -> AccessReading:
    """Read everything; raise ControllerError if what must be there cannot be read."""
    with ThreadPoolExecutor(concurrency, thread_name_prefix="controller-read") as pool:
        rows = read_listings([USERS, CARDS, VISITS], page, pool)
    cards = [shaped(CardStatusShape, row, "the list of cards") for row in rows[CARDS.name]]
    dead = {CardToken(one.token) for one in cards if one.status.lower() in OUT_OF_USE}
    visits = rows.get(VISITS.name)
    return AccessReading(
        users=tuple(_user(row, dead) for row in rows[USERS.name]),
        visits=None if visits is None else tuple(_visit(row, dead) for row in visits),
        policies=_policies(exchange, "/access_policies", Right.READ_POLICIES),
        doors=_keyed(exchange, "/doors", "the list of doors", _door),
        door_groups=_keyed(exchange, "/door_groups", "the list of door groups", _door_group),
        user_groups=_user_groups(exchange),
    )


def _user(row: wire.RawRow, dead: set[CardToken]) -> tuple[User, Ways]:
    user = wire.user(row, "the list of users")
    return user, _ways(row, sum(token not in dead for token in user.tokens), "the list of users")


def _visit(row: wire.RawRow, dead: set[CardToken]) -> Visit:
    where = "the list of visitors"
    shape = shaped(VisitShape, row, where)
    usable = {CardToken(card.token) for card in shape.nfc_cards} - dead
    return Visit(
        VisitorId(shape.id),
        shape.first_name,
        shape.last_name,
        shape.status.upper(),
        _ways(row, len(usable), where),
        _places(shape.resources),
    )


def _ways(row: wire.RawRow, cards: int, where: str) -> Ways:
    shape = shaped(WaysShape, row, where)
    return Ways(cards, bool(shape.pin_code), bool(shape.touch_pass), _count(shape.license_plates))


def _count(things: object) -> int:
    return len(things) if isinstance(things, list) else 0


def _places(shapes: list[PlaceShape]) -> tuple[Place, ...]:
    return tuple(Place(one.id, one.type == "door_group", one.name) for one in shapes)


def _list(
    exchange: Exchange, where: str, what: str, right: Right
) -> tuple[wire.RawRow, ...] | None:
    """Return the rows of a list that comes whole; None without the right or the route."""
    answer = exchange.read(where, what=what)
    if isinstance(answer, NoRoute | ScopeMissing):
        return None
    success = demanded(answer, what, right=right, since="1.9.1")
    if success.data is None:
        return ()
    return wire.whole_list(success.data, success.pagination, what, key="id")


def _policies(
    exchange: Exchange, where: str, right: Right
) -> Mapping[PolicyId, AccessPolicy] | None:
    what = "the list of access policies"
    rows = _list(exchange, where, what, right)
    if rows is None:
        return None
    shapes = [shaped(PolicyShape, row, what) for row in rows]
    return {
        PolicyId(one.id): AccessPolicy(PolicyId(one.id), one.name, _places(one.resources))
        for one in shapes
    }


def _keyed(
    exchange: Exchange, where: str, what: str, made: Callable[[wire.RawRow, str], tuple[str, ItemT]]
) -> Mapping[str, ItemT] | None:
    rows = _list(exchange, where, what, Right.READ_SPACES)
    return None if rows is None else dict(made(row, what) for row in rows)


def _door(row: wire.RawRow, what: str) -> tuple[str, str]:
    shape = shaped(NamedId, row, what)
    return shape.id, shape.name or shape.id


def _door_group(row: wire.RawRow, what: str) -> tuple[str, DoorGroup]:
    shape = shaped(DoorGroupShape, row, what)
    return shape.id, DoorGroup(shape.name, tuple(one.id for one in shape.resources))


def _user_groups(exchange: Exchange) -> tuple[UserGroup, ...] | None:
    """Return the groups that have policies; None where Access knows no groups (before 2.2.6)."""
    rows = _list(exchange, "/user_groups", "the list of user groups", Right.READ_PEOPLE)
    if rows is None:
        return None
    found = []
    for row in rows:
        group_id = shaped(NamedId, row, "the list of user groups").id
        where = path("user_groups", group_id, "access_policies")
        policies = _policies(exchange, where, Right.READ_PEOPLE)
        if policies:
            users = path("user_groups", group_id, "users", "all")
            what = "the users of a group"
            members = _list(exchange, users, what, Right.READ_PEOPLE) or ()
            ids = frozenset(UserId(shaped(NamedId, one, what).id) for one in members)
            found.append(UserGroup(tuple(policies), ids))
    return tuple(found)

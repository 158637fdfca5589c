"""What no cycle may do, whatever happens: P1, P3 and P4, seen at the controller itself."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tests.club import FACILITY, Club
from tests.properties.happenings import NUMBERS
from tests.properties.truth import is_managed, standings


@dataclass(frozen=True)
class Before:
    """What a cycle must not have touched, as it stood before."""

    strangers: dict[str, Any]
    cards: dict[str, str]
    unknown: dict[str, Any]
    open_numbers: frozenset[tuple[int, str]]


def look(club: Club, cut_off: Collection[int]) -> Before:
    """Take down what the next cycle must leave alone."""
    world = club.unifi.world
    unknown = {str(c) for c, one in standings(club, cut_off).items() if one.kind == "unknown"}
    return Before(
        strangers={u.id: u for u in world.users if not is_managed(u.employee_number)},
        cards={
            card.token: card.holder.id
            for card in world.cards
            if card.holder is not None and not _may_lose_it(club, card.holder.id)
        },
        unknown={u.id: u for u in world.users if u.employee_number in unknown},
        open_numbers=_open_numbers(club),
    )


def check(
    club: Club, before: Before, cut_off: Collection[int], waiting: Collection[int] = ()
) -> None:
    """Hold what a cycle left behind against what was there before.

    `waiting` are people whose change of policy is held: they keep the tier that they have until a
    person speaks, also with a card that they get meanwhile (§6).
    """
    world = club.unifi.world
    for user_id, user in before.strangers.items():
        assert world.users[user_id] == user, "P4: a stranger was written to"
    for user_id, user in before.unknown.items():
        assert world.users[user_id] == user, "P1: somebody unknown was changed"
    for token, holder_id in before.cards.items():
        card = world.cards[token]
        assert card.holder is not None, "P3: an active holder was displaced"
        assert card.holder.id == holder_id, "P3: an active holder was displaced"
    found = standings(club, cut_off)
    granted = {one.card: one for one in found.values() if one.kind == "grant"}
    for number, door in _open_numbers(club) - before.open_numbers:
        card = next(c for c in world.cards if c.nfc_id == f"{FACILITY << 16 | number:X}")
        if card.holder is not None and card.holder.id in before.strangers:
            continue
        user = world.users[card.holder.id] if card.holder is not None else None
        one = found.get(int(user.employee_number)) if user is not None else None
        # A member whose card CiviCRM does not tell keeps it (R1).
        keeps_it = one is not None and one.kind == "grant" and one.card is None
        assert number in granted or keeps_it, "P1: a stranger got in"
        keeps_tier = user is not None and int(user.employee_number) in waiting
        if number in granted and not keeps_tier:
            assert door == club.front or granted[number].tier == "Gold", "P1: a door too many"


def _may_lose_it(club: Club, holder_id: str) -> bool:
    """Managed people may lose cards by their own change, strangers only if deactivated."""
    users = club.unifi.world.users
    if holder_id not in users:
        return False
    user = users[holder_id]
    if is_managed(user.employee_number):
        return True
    return user.status == "DEACTIVATED" and "status" not in user.missing


def _open_numbers(club: Club) -> frozenset[tuple[int, str]]:
    doors = (club.front, club.workshop)
    return frozenset((n, d) for n in NUMBERS for d in doors if club.opens(n, d))

"""What the doors should do, worked out from the membership list alone.

Written without any of door-sync's own code, so that a shared mistake cannot hide itself.
"""

from collections.abc import Collection
from dataclasses import dataclass

from tests.club import FACILITY, Club

ACTIVE = {"New", "Current", "Grace"}
RANK = {"Gold": 100, "Silver": 50, "Day pass": 20, "Supporter": 10}


@dataclass(frozen=True)
class Standing:
    """What one contact should have: a kind (grant, deny, skip, unknown), a tier, a card."""

    kind: str
    tier: str = ""
    card: int | None = None


def standing(club: Club, contact_id: int) -> Standing:
    """Work out one contact's standing from CiviCRM's tables."""
    crm = club.civicrm.world
    contact = crm.contacts.get(contact_id)
    if contact is None or contact.is_deleted or contact.is_deceased:
        return Standing("deny")
    tiers = [
        crm.membership_types[one.membership_type_id].name
        for one in crm.memberships.values()
        if one.contact_id == contact_id
        and crm.membership_statuses[one.status_id].name in ACTIVE
        and not one.is_test
    ]
    if not tiers:
        return Standing("deny")
    if any(tier not in RANK for tier in tiers):
        return Standing("unknown")
    best = max(tiers, key=lambda tier: RANK[tier])
    if best == "Supporter":
        return Standing("deny")
    if best == "Day pass":
        return Standing("skip")
    text = club.card_text(contact_id)
    if text == "":
        return Standing("deny")
    digits = text.strip()
    good = digits.isascii() and digits.isdigit() and int(digits) <= 65535
    return Standing("grant", best, int(digits) if good else None)


def standings(club: Club, cut_off: Collection[int] = ()) -> dict[int, Standing]:
    """Work out everybody's standing; numbers that two grants share are nobody's.

    Whoever is cut off by hand is denied, whatever the tables say, but may still have the card in a
    pocket: so its number stays shared.
    """
    found = {contact: standing(club, contact) for contact in {*club.memberships, *cut_off}}
    grants = [one.card for one in found.values() if one.kind == "grant" and one.card is not None]
    shared = {card for card in grants if grants.count(card) > 1}
    return {
        contact: Standing("deny")
        if contact in cut_off
        else Standing("grant", one.tier, None)
        if one.kind == "grant" and one.card in shared
        else one
        for contact, one in found.items()
    }


def is_managed(employee_number: str) -> bool:
    """Say whether a user is door-sync's: a canonical positive decimal (design.md §2)."""
    return employee_number.isdigit() and not employee_number.startswith("0")


def disagreements(club: Club, numbers: range, cut_off: Collection[int] = ()) -> list[str]:
    """Compare the door oracle with the membership list; return where they differ.

    Left out are numbers about which door-sync may do nothing: held by people who are none of its
    business, enrolled by hand, or belonging to somebody whose standing or card is not known.
    """
    found = standings(club, cut_off)
    wrong = []
    for number in numbers:
        wanting = [c for c, one in found.items() if one.kind == "grant" and one.card == number]
        if _is_out_of_reach(club, number, found):
            continue
        should = (False, False)
        if wanting:
            should = (True, found[wanting[0]].tier == "Gold")
        does = (club.opens(number), club.opens(number, club.workshop))
        if does != should:
            wrong.append(f"card {number} of {wanting}: opens {does}, should {should}")
    return wrong


def _is_out_of_reach(club: Club, number: int, found: dict[int, Standing]) -> bool:
    world = club.unifi.world
    if any(one.kind == "grant" and one.card == number for one in found.values()):
        [wanting] = [c for c, one in found.items() if one.kind == "grant" and one.card == number]
        if any(u.status == "PENDING" for u in world.users if u.employee_number == str(wanting)):
            return True
    for card in world.cards:
        if card.nfc_id != f"{FACILITY << 16 | number:X}":
            continue
        if card.alias != f"sync-{number:05d}":
            return True
        if card.holder is None:
            return False
        if card.holder.id not in world.users:
            return True
        holder = world.users[card.holder.id]
        if not is_managed(holder.employee_number):
            # A disabled stranger's card is reclaimed if somebody wants it, and opens nothing.
            return holder.status != "DEACTIVATED" or "status" in holder.missing
        one = found.get(int(holder.employee_number))
        if one is None:
            return True  # a hand-made user of a contact that never was: missing, then denied
        if one.kind == "skip":  # a day pass keeps its card, even one that somebody else is to have
            return any(other.card == number for other in found.values())
        return one.kind == "unknown" or (one.kind == "grant" and one.card is None)
    return False

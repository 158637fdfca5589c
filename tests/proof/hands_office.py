"""What a membership secretary may do in CiviCRM while a cycle reads it, page by page."""

from collections.abc import Mapping
from typing import Final

from tests.proof.faults_story import Site
from tests.proof.hands_console import Hand


def _lapses(who: str) -> Hand:
    def act(site: Site) -> bool:
        site.club.lapse(site.roles[who])
        return True

    return act


def _rejoins(who: str) -> Hand:
    def act(site: Site) -> bool:
        site.club.rejoin(site.roles[who])
        return True

    return act


def _joins(card: object) -> Hand:
    def act(site: Site) -> bool:
        site.club.join(card, "Silver", first="Late")
        return True

    return act


def _swaps(one: str, other: str) -> Hand:
    def act(site: Site) -> bool:
        club, first, second = site.club, site.roles[one], site.roles[other]
        texts = club.card_text(first), club.card_text(second)
        club.civicrm.world.set_card(first, texts[1])
        club.civicrm.world.set_card(second, texts[0])
        return True

    return act


def _to_contact(who: str, deed: str, *values: object) -> Hand:
    def act(site: Site) -> bool:
        getattr(site.club.civicrm.world, deed)(site.roles[who], *values)
        return True

    return act


def _retiers(who: str, tier: str) -> Hand:
    def act(site: Site) -> bool:
        site.club.retier(site.roles[who], tier)
        return True

    return act


def _hands_on(giver: str, taker: str) -> Hand:
    """A lost card is found and given to somebody else, in two steps as a person does it."""

    def act(site: Site) -> bool:
        club = site.club
        text = club.card_text(site.roles[giver])
        club.civicrm.world.clear_card(site.roles[giver])
        club.civicrm.world.set_card(site.roles[taker], text)
        return True

    return act


def _deletes_membership(who: str) -> Hand:
    def act(site: Site) -> bool:
        for sold in site.club.memberships[site.roles[who]]:
            site.club.civicrm.world.delete_membership(sold)
        return True

    return act


OFFICE: Final[Mapping[str, Hand]] = {
    "somebody joins": _joins(1050),
    "somebody joins with a member's card": _joins(1002),
    "a member lapses": _lapses("stays"),
    "the first member lapses": _lapses("ann"),
    "the last member lapses": _lapses("reclaims"),
    "a leaver is renewed": _rejoins("leaver"),
    "a leaver whose card is given away is renewed": _rejoins("quitter"),
    "two members swap cards": _swaps("stays", "down"),
    "a member and a new one swap cards": _swaps("stays", "newcard"),
    "a card is handed on": _hands_on("stays", "newcard"),
    "a card is handed on to an earlier contact": _hands_on("reclaims", "stays"),
    "a card is taken out of its field": _to_contact("stays", "clear_card"),
    "a card's number is mistyped": _to_contact("stays", "set_card", "10O2"),
    "a contact is trashed": _to_contact("stays", "trash"),
    "a contact is deleted": _to_contact("down", "delete"),
    "a contact dies": _to_contact("stays", "mark_deceased"),
    "a membership is deleted": _deletes_membership("stays"),
    "a member changes tier": _retiers("stays", "Silver"),
    "a member gets a type without a rule": _retiers("stays", "Mystery"),
    "a member gets a day pass": _retiers("stays", "Day pass"),
    "an address changes hands": _to_contact("stays", "set_email", "new@example.org"),
    "a name changes": _to_contact("stays", "set_name"),
}
"""The hands by what happens."""

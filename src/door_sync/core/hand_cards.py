"""Cards that a person enrolled in the console, against what CiviCRM says (R3).

door-sync knows its own cards by their alias. One without it is recognised where the controller
shows its number, or gets our alias when its number is imported; else a person has to say whose it
is, and here stands what they can do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from door_sync.core.cards import BadCard, CardNumber, CardToken
from door_sync.core.controller import Card, Snapshot, UserId
from door_sync.core.people import ContactId, Member


class Relation(Enum):
    """What a card enrolled by hand is to its holder's contact; the word is for scripts."""

    SAME = "same"
    NUMBER_UNSEEN = "number-unseen"
    OTHER = "other"
    SOMEBODY_ELSES = "somebody-elses"
    NONE_IN_CIVICRM = "none-in-civicrm"
    BAD_IN_CIVICRM = "bad-in-civicrm"


SETTLED_BY: Mapping[Relation, str] = {
    Relation.SAME: "it is the card that CiviCRM has; nothing needs to be done",
    Relation.NUMBER_UNSEEN: (
        "the controller does not show its number. If it is the card that CiviCRM has, the next "
        "cycle recognises it, or says that it cannot; then give it the alias sync- and the five "
        "digits of its number, under Credentials in the console"
    ),
    Relation.OTHER: (
        "it is another card than CiviCRM has. It stays, and opens what its holder may. Enter its "
        "number in CiviCRM if it is the right one, or delete it in the console"
    ),
    Relation.SOMEBODY_ELSES: (
        "CiviCRM gives this card to somebody else, who does not get it while it is here. Correct "
        "the card numbers in CiviCRM, or take it off in the console"
    ),
    Relation.NONE_IN_CIVICRM: (
        "the card field in CiviCRM is empty, and without a card nobody has access. Enter the "
        "number of this card there"
    ),
    Relation.BAD_IN_CIVICRM: (
        "what stands in the card field in CiviCRM is no card number. Correct it there; until then "
        "the card stays as it is"
    ),
}
"""What a person can do about each."""


@dataclass(frozen=True, slots=True)
class HandCard:
    """A card enrolled by hand on a user who is, or would be, a contact's.

    `wanted_by` are other contacts that CiviCRM gives the same number.
    """

    token: CardToken = field(repr=False)
    number: CardNumber | None
    user_id: UserId
    contact_id: ContactId
    relation: Relation
    wanted_by: tuple[ContactId, ...] = ()


def numbers_in_civicrm(
    members: Iterable[Member],
) -> Mapping[CardNumber, tuple[ContactId, ...]]:
    """Return which contacts have each card number, by contact id."""
    found: dict[CardNumber, tuple[ContactId, ...]] = {}
    for member in sorted(members, key=lambda one: one.contact_id):
        if isinstance(member.card, CardNumber):
            found[member.card] = (*found.get(member.card, ()), member.contact_id)
    return found


def hand_cards(
    snapshot: Snapshot,
    links: Mapping[UserId, ContactId],
    members: Mapping[ContactId, Member],
) -> tuple[HandCard, ...]:
    """Given who is whom, return the cards without our alias on these users, by user and token.

    A contact that is not among `members` has no card as far as anybody can see.
    """
    owners = numbers_in_civicrm(members.values())
    found = []
    for user_id, contact_id in sorted(links.items()):
        cards = snapshot.cards_held_by.get(user_id, ())
        for card in sorted((one for one in cards if not one.is_ours), key=lambda one: one.token):
            others = owners.get(card.number, ()) if card.number is not None else ()
            others = tuple(one for one in others if one != contact_id)
            relation = relation_of(card, members.get(contact_id), others)
            found.append(HandCard(card.token, card.number, user_id, contact_id, relation, others))
    return tuple(found)


def relation_of(card: Card, member: Member | None, others: tuple[ContactId, ...]) -> Relation:
    """Return what the card is to this contact; `others` are contacts that have its number too."""
    wanted = member.card if member is not None else None
    if wanted is not None and wanted == card.number:
        return Relation.SAME
    if others:
        return Relation.SOMEBODY_ELSES
    if wanted is None:
        return Relation.NONE_IN_CIVICRM
    if isinstance(wanted, BadCard):
        return Relation.BAD_IN_CIVICRM
    return Relation.NUMBER_UNSEEN if card.number is None else Relation.OTHER

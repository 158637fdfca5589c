"""Every card by its state, and what settles it: one state for each (R3).

Cards are those of the controller, and the numbers that members should have and that no card in the
controller carries. The table is read from the top: the first state that fits is the card's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import (
    Card,
    Free,
    HeldByUser,
    HeldByVisitor,
    HolderUnknown,
    Snapshot,
    User,
    UserStatus,
)
from door_sync.core.people import ContactId
from door_sync.core.situation import wanted_number
from door_sync.core.steps import Blocked, HolderShown
from door_sync.core.tiers import Deny, Verdict


class CardState(Enum):
    """How a card stands; the word is for scripts and for `--state`."""

    BLOCKED = "blocked"
    """A member should have it, and somebody or something stands in the way."""
    STUCK = "stuck"
    """On a user who is deactivated: it opens nothing, and its next owner takes it back."""
    ENDED_VISIT = "ended-visit"
    """On a visitor whose visit is over or cancelled."""
    VISITOR = "visitor"
    """On a visitor who may come, or is there."""
    UNMANAGED = "unmanaged"
    """On a user that door-sync does not manage."""
    BY_HAND = "by-hand"
    """On a managed user, enrolled by a person, and not the card that CiviCRM has."""
    LEAVING = "leaving"
    """On a managed user who should not have it any more: the next cycle takes it off."""
    UNKNOWN_HOLDER = "unknown-holder"
    """Nobody can say who holds it."""
    COMING = "coming"
    """A member should have it, and it is not in the controller yet: the next cycle imports it."""
    FREE = "free"
    """On nobody."""
    IN_USE = "in-use"
    """On the user of the member who should have it."""


@dataclass(frozen=True, slots=True)
class ListedCard:
    """One card with its state. `token` is None for one that is not in the controller.

    `wanted_by` are the members who should have it. `blocked` says what stands in the way.
    """

    state: CardState
    number: CardNumber | None
    token: CardToken | None = field(repr=False, default=None)
    holder: HolderShown | None = None
    wanted_by: tuple[ContactId, ...] = ()
    blocked: Blocked | None = None


def card_list(
    snapshot: Snapshot, verdicts: Mapping[ContactId, Verdict], blocked: Iterable[Blocked]
) -> tuple[ListedCard, ...]:
    """Given what was read and decided, return every card once, by state and holder.

    `blocked` are the cards that the decision says are out of reach.
    """
    wanted: dict[CardNumber, tuple[ContactId, ...]] = {}
    for contact_id, verdict in sorted(verdicts.items()):
        number = wanted_number(verdict)
        if number is not None:
            wanted[number] = (*wanted.get(number, ()), contact_id)
    in_the_way = {one.number: one for one in blocked}
    found = [
        _listed(card, snapshot, verdicts, wanted, in_the_way)
        for card in sorted(snapshot.cards, key=lambda one: one.token)
    ]
    for number in sorted({*wanted, *in_the_way} - snapshot.cards_numbered.keys()):
        obstacle = in_the_way.get(number)
        state = CardState.COMING if obstacle is None else CardState.BLOCKED
        holder = obstacle.holder if obstacle is not None else None
        found.append(ListedCard(state, number, None, holder, wanted.get(number, ()), obstacle))
    order = [*CardState]
    found.sort(key=lambda one: (order.index(one.state), _owner(one)))
    return tuple(found)


def _listed(
    card: Card,
    snapshot: Snapshot,
    verdicts: Mapping[ContactId, Verdict],
    wanted: Mapping[CardNumber, tuple[ContactId, ...]],
    in_the_way: Mapping[CardNumber, Blocked],
) -> ListedCard:
    state, holder = _state(card, snapshot, verdicts)
    if card.number is None:
        return ListedCard(state, None, card.token, holder)
    obstacle = in_the_way.get(card.number)
    if obstacle is not None:
        state = CardState.BLOCKED
    owners = wanted.get(card.number, ())
    return ListedCard(state, card.number, card.token, holder, owners, obstacle)


def _state(
    card: Card, snapshot: Snapshot, verdicts: Mapping[ContactId, Verdict]
) -> tuple[CardState, HolderShown | None]:
    match card.holder:
        case Free():
            return CardState.FREE, None
        case HolderUnknown(absent):
            shown = None if absent is None else HolderShown(user_id=absent)
            return CardState.UNKNOWN_HOLDER, shown
        case HeldByVisitor(visitor_id):
            is_over = visitor_id in snapshot.ended_visits
            state = CardState.ENDED_VISIT if is_over else CardState.VISITOR
            return state, HolderShown(visitor_id=visitor_id)
        case HeldByUser(user_id):
            user = snapshot.user.get(user_id)
            if user is None:
                return CardState.UNKNOWN_HOLDER, HolderShown(user_id=user_id)
            shown = HolderShown(user.id, None, user.contact_id, user.status)
            return _on_user(card, user, verdicts), shown
        case _:
            assert_never(card.holder)


def _on_user(card: Card, user: User, verdicts: Mapping[ContactId, Verdict]) -> CardState:
    if user.status is UserStatus.DEACTIVATED:
        return CardState.STUCK
    if user.contact_id is None:
        return CardState.UNMANAGED
    verdict = verdicts.get(user.contact_id)
    wanted = wanted_number(verdict) if verdict is not None else None
    if verdict is not None and isinstance(verdict.entitlement, Deny):
        return CardState.LEAVING
    if wanted is not None and card.number == wanted:
        return CardState.IN_USE
    if not card.is_ours:
        return CardState.BY_HAND
    return CardState.IN_USE if wanted is None else CardState.LEAVING


def _owner(one: ListedCard) -> tuple[int, str]:
    """Return whom a card is sorted under: a contact, else a user or visitor."""
    holder = one.holder or HolderShown()
    contact = one.wanted_by[0] if one.wanted_by else holder.contact_id
    return contact or 0, holder.user_id or holder.visitor_id or ""

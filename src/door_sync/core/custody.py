"""How a card may reach its member (R3).

This file owns custody: the table in `reach` is the only place that decides whether a card may be
bound, and whether by force. P3 lives or dies here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import assert_never

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import (
    Card,
    Free,
    HeldByUser,
    HeldByVisitor,
    Holder,
    HolderUnknown,
    Snapshot,
    User,
    UserId,
    UserStatus,
)
from door_sync.core.steps import HolderShown


@dataclass(frozen=True, slots=True)
class Own:
    """Bound to this member's own user: nothing to do."""

    token: CardToken


@dataclass(frozen=True, slots=True)
class Import:
    """Not in the controller: import, then bind."""


@dataclass(frozen=True, slots=True)
class Bind:
    """There and free: bind."""

    token: CardToken


@dataclass(frozen=True, slots=True)
class Moves:
    """This plan frees it first: then bind, never by force."""

    token: CardToken


@dataclass(frozen=True, slots=True)
class Reclaim:
    """Bound to a user confirmed DEACTIVATED: bind by force after a second look."""

    token: CardToken
    holder: UserId


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """Nothing is written for this card; the report says why and who holds it."""

    reason: str
    holder: HolderShown | None = None


Reach = Own | Import | Bind | Moves | Reclaim | OutOfReach

TWO_CARDS = "two cards in the controller carry this number"
VISITOR = "a visitor holds it"
RESTORED = "a user who becomes active again in this cycle holds it"
NOBODY_KNOWS = "nobody can say who holds it"
NOT_LISTED = "its holder is not in the controller's list"
IMPORT_FAILED = "the controller refused to import it"


def reach(
    number: CardNumber,
    own: UserId | None,
    snapshot: Snapshot,
    *,
    freed: Collection[CardToken],
    restored: Collection[UserId],
    import_failed: bool,
) -> Reach:
    """Given a wanted number and the member's own user, if there is one, return how it gets there.

    `freed` are the tokens that the changes of this plan free before any card is bound; `restored`
    the users that it activates before that, whose other cards are then an active holder's;
    `import_failed` says that an import of this number failed and must not be tried again yet.
    """
    cards = snapshot.cards_numbered.get(number, ())
    for card in cards:
        if own is not None and card.holder == HeldByUser(own):
            return Own(card.token)
    match cards:
        case ():
            return OutOfReach(IMPORT_FAILED) if import_failed else Import()
        case (card,):
            return _reach_known(card, snapshot, freed, restored)
        case _:
            return OutOfReach(TWO_CARDS)


def _reach_known(
    card: Card,
    snapshot: Snapshot,
    freed: Collection[CardToken],
    restored: Collection[UserId],
) -> Reach:
    if not isinstance(card.holder, HeldByUser):
        return judge(card.token, card.holder, None)
    if card.token in freed:
        return Moves(card.token)
    holder = snapshot.user.get(card.holder.user_id)
    if holder is not None and holder.id in restored:
        return OutOfReach(RESTORED, HolderShown(holder.id, None, holder.contact_id, holder.status))
    return judge(card.token, card.holder, holder)


def judge(token: CardToken, held: Holder, user: User | None) -> Bind | Reclaim | OutOfReach:
    """Given who holds a card now, and that user as just read, return whether it may be bound.

    The executor asks the same question again with live answers before it uses force, and when a
    bind is refused (R3). Only the word DEACTIVATED itself opens the way (P3).
    """
    match held:
        case Free():
            return Bind(token)
        case HeldByVisitor(visitor_id):
            return OutOfReach(VISITOR, HolderShown(visitor_id=visitor_id))
        case HolderUnknown(None):
            return OutOfReach(NOBODY_KNOWS)
        case HolderUnknown(absent):
            return OutOfReach(NOT_LISTED, HolderShown(user_id=absent))
        case HeldByUser(user_id):
            if user is None or user.id != user_id:
                return OutOfReach(NOT_LISTED, HolderShown(user_id=user_id))
            shown = HolderShown(user_id=user_id, contact_id=user.contact_id, status=user.status)
            if user.status is UserStatus.DEACTIVATED:
                return Reclaim(token, user_id)
            return OutOfReach(HELD[user.status], shown)
        case _:
            assert_never(held)


HELD = {
    UserStatus.ACTIVE: "an active user holds it",
    UserStatus.PENDING: "an invited administrator holds it",
    UserStatus.UNKNOWN: "a user whose status is not known holds it, which counts as active",
}

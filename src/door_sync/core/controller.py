"""The controller as one cycle read it: users, cards, holders, policies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import NewType

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.people import ContactId

UserId = NewType("UserId", str)
PolicyId = NewType("PolicyId", str)
VisitorId = NewType("VisitorId", str)


class UserStatus(Enum):
    """A user's status. Anything else than the three known words is UNKNOWN, which counts as
    active wherever that is the careful reading (P3; UniFi sheet §20 trap 9)."""

    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"
    PENDING = "PENDING"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class User:
    """A person in the controller (UniFi sheet §6.0).

    `email` is the writable `user_email`; `console_email` the read-only `email` that the console
    itself fills. `contact_id` is None for an unmanaged user, who is never written to (P4);
    `other_number` is what stands in the employee number of such a one, if anything does.
    """

    id: UserId
    first_name: str = field(repr=False, default="")
    last_name: str = field(repr=False, default="")
    email: str = field(repr=False, default="")
    console_email: str = field(repr=False, default="")
    contact_id: ContactId | None = None
    status: UserStatus = UserStatus.UNKNOWN
    tokens: tuple[CardToken, ...] = field(repr=False, default=())
    policy_ids: tuple[PolicyId, ...] = ()
    other_number: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Free:
    """The card is bound to nobody."""


@dataclass(frozen=True, slots=True)
class HeldByUser:
    """The card is bound to a listed user, and both lists say so."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class HeldByVisitor:
    """The card is bound to a visitor."""

    visitor_id: VisitorId


@dataclass(frozen=True, slots=True)
class HolderUnknown:
    """Nobody can say who holds the card: the lists disagree, or may not be read (R0).

    `absent` is the user that the card's own row names and no list has; to be told, not decided by.
    """

    absent: UserId | None = field(default=None, compare=False)


Holder = Free | HeldByUser | HeldByVisitor | HolderUnknown


@dataclass(frozen=True, slots=True)
class Card:
    """A card in the controller.

    `number` is None if neither the raw id nor the alias tells it. `is_ours` says that the card
    carries our alias (or one that the journal remembers for it), so that it may be freed when it
    is stale (R3).
    """

    token: CardToken
    number: CardNumber | None = None
    is_ours: bool = False
    holder: Holder = Free()


@dataclass(frozen=True, slots=True)
class Policy:
    """An access policy: which doors, when."""

    id: PolicyId
    name: str


@dataclass(frozen=True)
class Snapshot:
    """Everything read from the controller in one cycle, with its indexes.

    `policies` is None if the key may not read them; `sees_visitors` is False likewise. Both lists
    of card holders have been compared before a snapshot is built (R0). `ended_visits` are visitors
    whose visit is over or cancelled, though a card may still be bound to them (UniFi sheet §8.5).
    """

    users: tuple[User, ...]
    cards: tuple[Card, ...]
    policies: tuple[Policy, ...] | None = ()
    sees_visitors: bool = True
    ended_visits: frozenset[VisitorId] = frozenset()

    @cached_property
    def user(self) -> Mapping[UserId, User]:
        """Every user by id."""
        return {user.id: user for user in self.users}

    @cached_property
    def users_of(self) -> Mapping[ContactId, tuple[User, ...]]:
        """The managed users of each contact, by id; more than one is possible and reported (R2).

        The order of rows is the controller's whim (UniFi sheet §4); a plan and its digest are not.
        """
        found: dict[ContactId, tuple[User, ...]] = {}
        for user in sorted(self.users, key=lambda one: one.id):
            if user.contact_id is not None:
                found[user.contact_id] = (*found.get(user.contact_id, ()), user)
        return found

    @cached_property
    def card(self) -> Mapping[CardToken, Card]:
        """Every card by token."""
        return {card.token: card for card in self.cards}

    @cached_property
    def doubtful_cards(self) -> Mapping[CardToken, Card]:
        """The cards of which nobody can say who holds them, by token: normally none."""
        return {card.token: card for card in self.cards if isinstance(card.holder, HolderUnknown)}

    @cached_property
    def cards_numbered(self) -> Mapping[CardNumber, tuple[Card, ...]]:
        """The cards that carry each number: normally one."""
        found: dict[CardNumber, tuple[Card, ...]] = {}
        for card in self.cards:
            if card.number is not None:
                found[card.number] = (*found.get(card.number, ()), card)
        return found

    @cached_property
    def cards_held_by(self) -> Mapping[UserId, tuple[Card, ...]]:
        """The cards that are surely bound to each user: both lists agree about them."""
        found: dict[UserId, tuple[Card, ...]] = {}
        for card in self.cards:
            if isinstance(card.holder, HeldByUser):
                found[card.holder.user_id] = (*found.get(card.holder.user_id, ()), card)
        return found

    @cached_property
    def active_managed(self) -> tuple[User, ...]:
        """Managed users that are neither DEACTIVATED nor PENDING: the base of every share (§6)."""
        shut = (UserStatus.DEACTIVATED, UserStatus.PENDING)
        return tuple(u for u in self.users if u.contact_id is not None and u.status not in shut)

    @cached_property
    def everyones_policies(self) -> frozenset[PolicyId]:
        """Policy ids that every user row shows: most likely applied by the console itself (R2)."""
        return shared_by_all(user.policy_ids for user in self.users)


def shared_by_all(lists: Iterable[Iterable[PolicyId]]) -> frozenset[PolicyId]:
    """Return what all the lists have in common; nothing if there is no list."""
    sets = [frozenset(one) for one in lists]
    return frozenset.intersection(*sets) if sets else frozenset()

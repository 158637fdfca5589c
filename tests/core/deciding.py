"""Whole worlds to decide about: Gold members with cards, and users that are as they should be."""

from collections.abc import Iterable

from door_sync.core.cards import BadCard
from door_sync.core.controller import Card, Policy, User
from door_sync.core.decision import Decision, Habits, Remembered, World, to_ask
from door_sync.core.people import Member
from tests.core.builders import (
    GOLD,
    POLICIES,
    RULES,
    TODAY,
    TYPES,
    card,
    held,
    member,
    membership,
    snapshot,
    user,
)

HABITS = Habits(RULES, frozenset({"Current", "Grace", "New"}))
NOTHING = Remembered(provisioning=False)


def gold(contact: int, number: int | BadCard | None = 0) -> Member:
    return member(contact, membership("Gold"), card=1000 + contact if number == 0 else number)


def settled(contact: int) -> tuple[User, Card]:
    """A user that is as its Gold member should have it, with its card."""
    name = f"u{contact}"
    return user(name, contact, policies=[GOLD]), card(1000 + contact, held(name))


def world(
    members: Iterable[Member],
    users: Iterable[User] = (),
    cards: Iterable[Card] = (),
    *,
    answered: Iterable[Member] = (),
    policies: tuple[Policy, ...] | None = POLICIES,
    sees_visitors: bool = True,
) -> World:
    """Everybody was asked for who had to be, and `answered` is what came back."""
    by_id = {one.contact_id: one for one in members}
    seen = snapshot(users, cards, policies=policies, sees_visitors=sees_visitors)
    return World(
        by_id,
        tuple(TYPES.values()),
        seen,
        TODAY,
        to_ask(by_id, seen),
        {one.contact_id: one for one in answered},
    )


def guards(decision: Decision) -> list[str]:
    return [one.guard for one in decision.objections]

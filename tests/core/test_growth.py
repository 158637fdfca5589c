"""Deciding takes twice the work for twice the people, however tangled their changes are.

What is counted are the instructions that Python executes: no other load of a machine changes them.
"""

import sys
from collections.abc import Callable, Mapping, Set
from functools import partial
from types import FrameType

import pytest

from door_sync.core import planner
from door_sync.core.approvals import Approval, Approvals, Refusal
from door_sync.core.cards import CardToken
from door_sync.core.controller import Card, Snapshot, User
from door_sync.core.decision import Decision, Habits, Remembered, World, decide
from door_sync.core.guards import Budgets
from door_sync.core.people import ContactId, Member
from door_sync.core.situation import Held, Situation, freed_tokens
from door_sync.core.steps import ChangeClass
from tests.core.builders import (
    ACTIVE,
    DEACTIVATED,
    GOLD,
    POLICIES,
    RULES,
    TODAY,
    TYPES,
    card,
    held,
    hold,
    member,
    membership,
    snapshot,
    user,
)

PEOPLE = 50
TWICE = 2.2
"""Twice the people may cost what sorting them costs on top of twice the work, and no more."""

KEY = b"k" * 32
NO_LIMIT = Budgets(1, 1, 1, 1, 1, 1)
HOLDS_ALL = Budgets(0, 0, 0, 0, 0)

Made = tuple[list[Member], list[User], list[Card]]
"""A club as its maker returns it: what CiviCRM says, and what the controller shows."""


class Work:
    """A tracer that counts the instructions of everything that is called under it."""

    def __init__(self) -> None:
        self.instructions = 0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> "Work":
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.instructions += event == "opcode"
        return self

    def of(self, what: Callable[[], object]) -> int:
        """Return how many instructions a call takes; whoever else traces goes on afterwards."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            what()
        finally:
            sys.settrace(before)
        return self.instructions


def told(number: int, wanted: int, email: str = "", *, left: bool = False) -> Member:
    """A contact with this card number, and a membership unless it has left."""
    return member(number, *(() if left else (membership(),)), card=wanted, email=email)


def shown(number: int, email: str = "") -> User:
    """The active user of a contact."""
    return user(f"u{number:05}", number, ACTIVE, policies=[GOLD], email=email)


def still(people: int) -> Made:
    """Everybody has what they should have."""
    all_ = range(1, people + 1)
    return (
        [told(n, n, f"{n}@x") for n in all_],
        [shown(n, f"{n}@x") for n in all_],
        [card(n, held(f"u{n:05}")) for n in all_],
    )


def chain_of_cards(people: int) -> Made:
    """Everybody gets the card of the next one."""
    _, users, cards = still(people)
    return [told(n, n + 1, f"{n}@x") for n in range(1, people + 1)], users, cards


def circle_of_addresses(people: int) -> Made:
    """Everybody gets the address of the next one, and the last that of the first."""
    _, users, cards = still(people)
    return [told(n, n, f"{n % people + 1}@x") for n in range(1, people + 1)], users, cards


def blocked_cards(people: int) -> Made:
    """Half leaves; the cards that the other half should have are with users of nobody."""
    _, users, cards = still(people)
    members = [told(n, 10_000 + n, f"{n}@x", left=n % 2 == 1) for n in range(1, people + 1)]
    strangers = [user(f"v{n:05}") for n in range(1, people + 1)]
    lent = [card(10_000 + n, held(f"v{n:05}")) for n in range(1, people + 1)]
    return members, users + strangers, cards + lent


def newcomers_on_cards_of_former_ones(people: int) -> Made:
    """Half is new, with the cards that are stuck on disabled users, of whom half comes back."""
    all_ = range(1, people + 1)
    wanted = {n: n - 1 if n % 2 == 0 else 10_000 + n for n in all_}
    return (
        [told(n, wanted[n], left=n % 4 == 1) for n in all_],
        [user(f"u{n:05}", n, DEACTIVATED) for n in all_ if n % 2],
        [card(n, held(f"u{n:05}")) for n in all_ if n % 2],
    )


CLUBS = [
    still,
    chain_of_cards,
    circle_of_addresses,
    blocked_cards,
    newcomers_on_cards_of_former_ones,
]


def world(made: Made) -> World:
    members, users, cards = made
    types = tuple(TYPES.values())
    seen = snapshot(users, cards, policies=POLICIES)
    return World({one.contact_id: one for one in members}, types, seen, TODAY)


def decided(made: World, budgets: Budgets, approvals: Approvals | None = None) -> Decision:
    habits = Habits(RULES, frozenset({"Current"}), budgets=budgets)
    return decide(made, habits, Remembered(provisioning=False, approvals=approvals))


def words(decision: Decision) -> Approvals | None:
    """A person's yes to all that waits, and the no to half of it."""
    found = decision.hold(KEY)
    if found is None:
        return None
    effects = sorted(found.effects, key=lambda one: one.digest)
    refused = frozenset(one.digest for one in effects[::2])
    return Approvals(KEY, [Approval(found)], [Refusal(refused)])


@pytest.mark.parametrize("club", CLUBS)
@pytest.mark.parametrize("budgets", [NO_LIMIT, HOLDS_ALL], ids=["free", "held"])
@pytest.mark.parametrize("is_judged", [False, True], ids=["unseen", "judged"])
def test_twice_the_people_are_twice_the_work(
    club: Callable[[int], Made], budgets: Budgets, is_judged: bool
) -> None:
    spent = []
    for people in (PEOPLE, 2 * PEOPLE):
        read = world(club(people))
        approvals = words(decided(read, budgets)) if is_judged else None
        fresh = world(club(people))
        spent.append(Work().of(partial(decided, fresh, budgets, approvals)))
    assert PEOPLE < spent[0] < spent[1] < TWICE * spent[0]


def test_many_blocked_cards_are_held_against_one_list_of_cards_that_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Subtracting one set of cards from another is one instruction, however large they are."""
    taken_away = []

    class Cards(frozenset[CardToken]):
        def __sub__(self, other: Set[object]) -> frozenset[CardToken]:
            taken_away.append(len(self))
            return frozenset.__sub__(self, other)

    def freed(found: Mapping[ContactId, Situation], seen: Snapshot, held: Held) -> Cards:
        return Cards(freed_tokens(found, seen, held))

    site = decided(world(blocked_cards(PEOPLE)), NO_LIMIT).site
    assert site is not None
    leavers = hold(*((n, ChangeClass.REVOKE) for n in range(1, PEOPLE + 1)))
    monkeypatch.setattr(planner, "freed_tokens", freed)
    assert len(planner.plan(site, leavers).blocked) == PEOPLE // 2
    assert taken_away == [PEOPLE]


@pytest.mark.parametrize(
    ("club", "people", "classes"),
    [
        (still, 0, set()),
        (chain_of_cards, PEOPLE, {ChangeClass.CARD}),
        (circle_of_addresses, PEOPLE, {ChangeClass.PROFILE}),
        (blocked_cards, PEOPLE, {ChangeClass.REVOKE, ChangeClass.CARD}),
        (newcomers_on_cards_of_former_ones, 37, {ChangeClass.GRANT, ChangeClass.RESTORE}),
    ],
)
def test_the_clubs_are_what_their_names_say(
    club: Callable[[int], Made], people: int, classes: set[ChangeClass]
) -> None:
    changes = decided(world(club(PEOPLE)), NO_LIMIT).plan.changes
    assert len({one.contact_id for one in changes}) == people
    assert {one.change_class for one in changes} == classes

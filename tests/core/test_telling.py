"""What a member could be told is true in every situation, and promises nothing that is not so."""

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given

from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.controller import Card, HeldByUser, User, UserStatus
from door_sync.core.decision import Decision, Habits, Remembered, World, decide
from door_sync.core.explain import Explanation, explain
from door_sync.core.guards import Budgets
from door_sync.core.people import ContactId, Member, PersonInFull
from door_sync.core.planner import plan
from door_sync.core.situation import Held
from door_sync.core.telling import Told, what_to_tell
from door_sync.core.tiers import Grant, ResolvedPolicies, Verdict
from tests.core.builders import (
    DEACTIVATED,
    GOLD,
    MANAGED,
    NO_STATUS,
    PENDING,
    RULES,
    SILVER,
    TODAY,
    TYPES,
    card,
    held,
    member,
    membership,
    user,
)
from tests.core.deciding import HABITS, NOTHING, gold, settled, world
from tests.core.doors import Doors
from tests.core.worlds import Club, clubs, holds

ONE = ContactId(1)
STAYS, STAYING_CARD = settled(9)
MINE = card(1001, held("u1"))
WELL = user("u1", 1, policies=[GOLD])
OLD = replace(membership("Gold", "Expired"), id=7)


def told(
    read: World,
    *,
    habits: Habits = HABITS,
    remembered: Remembered = NOTHING,
    in_full: Member | None = None,
) -> Told:
    whole = PersonInFull(in_full, in_full.memberships) if in_full is not None else None
    decision = decide(read, habits, remembered)
    return what_to_tell(explain(ONE, read, habits, decision, remembered.cut_off, whole))


def club(
    *members: Member,
    users: Iterable[User] = (),
    cards: Iterable[Card] = (),
    answered: Iterable[Member] = (),
) -> World:
    """Contact 9 is a member who stays, so that the source is not empty."""
    everybody = [gold(9), *members]
    return world(everybody, [STAYS, *users], [STAYING_CARD, *cards], answered=answered)


TAKEN = card(1500, held("u9"), ours=False)
BLOCKED = club(gold(1, 1500), users=[user("u1", 1, policies=[GOLD])], cards=[TAKEN])
WORLDS: list[tuple[World, Told]] = [
    (club(gold(1), users=[WELL], cards=[MINE]), Told.WORKS),
    (club(gold(1), users=[replace(WELL, first_name="Old")], cards=[MINE]), Told.WORKS),
    (club(gold(1)), Told.SOON),
    (club(gold(1), users=[user("u1", 1, DEACTIVATED)]), Told.SOON),
    (club(gold(1), users=[user("u1", 1, policies=[SILVER])], cards=[MINE]), Told.SOON),
    (club(gold(1), users=[user("u1", 1, policies=[GOLD])], cards=[card(1001)]), Told.SOON),
    (BLOCKED, Told.CARD_TAKEN),
    (club(gold(1, BadCard.NOT_DIGITS), users=[WELL], cards=[MINE]), Told.CARD_UNREADABLE),
    (club(gold(1, 1500), gold(2, 1500)), Told.CARD_UNREADABLE),
    (club(gold(1), users=[user("u1", 1, PENDING)]), Told.INVITED),
    (club(gold(1), users=[user("u1", 1, NO_STATUS, policies=[GOLD])], cards=[MINE]), Told.TRY_IT),
    (club(member(1, membership("Day")), users=[WELL]), Told.ASK_AT_DESK),
    (club(member(1, membership("Newsletter"))), Told.NOT_INCLUDED),
    (club(member(1, membership("Unruled")), users=[WELL]), Told.UNCLEAR),
    (club(member(1), users=[WELL], cards=[MINE]), Told.LAPSED),
    (club(users=[WELL], cards=[MINE]), Told.NOT_FOUND),
    (club(), Told.NOT_FOUND),
    (club(users=[WELL], answered=[gold(1, None)]), Told.NO_CARD),
    (club(users=[WELL], answered=[replace(gold(1, None), is_deceased=True)]), Told.NOBODY),
    (club(users=[WELL], answered=[replace(gold(1, None), is_deleted=True)]), Told.NOT_FOUND),
]


@pytest.mark.parametrize(("read", "expected"), WORLDS, ids=[one.name for _, one in WORLDS])
def test_each_situation_has_its_words(read: World, expected: Told) -> None:
    assert told(read) is expected


@pytest.mark.parametrize("read", [WORLDS[0][0], WORLDS[14][0], WORLDS[16][0]])
def test_whoever_is_cut_off_is_told_so_and_nothing_else(read: World) -> None:
    remembered = replace(NOTHING, cut_off=frozenset({ONE}))
    expected = Told.NOT_FOUND if read is WORLDS[16][0] else Told.BLOCKED
    assert told(read, remembered=remembered) is expected


def test_a_cut_off_of_somebody_without_a_card_is_told_too() -> None:
    remembered = replace(NOTHING, cut_off=frozenset({ONE}))
    assert told(club(), remembered=remembered, in_full=gold(1, None)) is Told.BLOCKED


def test_somebody_let_in_again_since_the_decision_is_not_told_to_renew() -> None:
    """What was decided stands until the next cycle."""
    read = club(gold(1), users=[WELL], cards=[MINE])
    decision = decide(read, HABITS, replace(NOTHING, cut_off=frozenset({ONE})))
    assert what_to_tell(explain(ONE, read, HABITS, decision, (), None)) is Told.BLOCKED


@pytest.mark.parametrize("one", [gold(1), member(1), member(1, membership("Day"))])
def test_a_cut_off_since_the_decision_is_told(one: Member) -> None:
    """Who is cut off is read anew for an explanation. Nobody is told that the card works, or sent
    to renew a membership that would open no door."""
    read = club(one, users=[WELL], cards=[MINE])
    decision = decide(read, HABITS, NOTHING)
    assert what_to_tell(explain(ONE, read, HABITS, decision, {ONE}, None)) is Told.BLOCKED


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (gold(1, None), Told.NO_CARD),
        (member(1, card=None), Told.LAPSED),
        (member(1, membership("Newsletter"), card=None), Told.NOT_INCLUDED),
        (member(1, OLD, membership("Newsletter"), card=None), Told.NOT_INCLUDED),
        (member(1, OLD, membership("Gold"), card=None), Told.NO_CARD),
        (member(1, OLD, card=None), Told.LAPSED),
    ],
)
def test_somebody_whom_no_cycle_asks_for_is_told_as_well(one: Member, expected: Told) -> None:
    assert told(club(), in_full=one) is expected


def test_what_a_guard_holds_waits_for_us() -> None:
    held_ = replace(HABITS, budgets=Budgets(add=0.1, floor=0, few=0))
    assert told(club(gold(1)), habits=held_) is Told.WAITS
    moved = replace(HABITS, budgets=Budgets(card=0.1, floor=0, few=0))
    unbound = club(gold(1), users=[WELL], cards=[card(1001)])
    assert told(unbound, habits=moved) is Told.WAITS


def test_a_restore_that_waits_for_an_old_card_waits_for_us() -> None:
    stale = club(gold(1), users=[user("u1", 1, DEACTIVATED)], cards=[card(1500, held("u1"))])
    failed = replace(NOTHING, failed_restores=frozenset({ONE}))
    assert told(stale, remembered=failed) is Told.WAITS


def test_every_word_is_reached_and_names_nobody_and_nothing_inside() -> None:
    reached = {one for _, one in WORLDS} | {Told.BLOCKED, Told.WAITS}
    assert reached == set(Told)
    for one in Told:
        if one is not Told.NOBODY:  # which is for the operator
            assert not re.search(r"CiviCRM|UniFi|contact|tier|policy|guard|cycle|\d", one.value)
        assert one.value.endswith(".")
        assert one.value.count(". ") <= 2


def _decision(found: Club, held_: Held) -> tuple[World, Decision]:
    site = found.site()
    full, running = plan(site), plan(site, held_)
    policies = ResolvedPolicies({"Gold": GOLD, "Silver": SILVER}, ())
    decision = Decision(
        full=full,
        plan=running,
        held=held_,
        objections=(),
        verdicts=site.verdicts,
        policies=policies,
        notices=running.notices,
        missing=frozenset(),
        provisioning=False,
        site=site,
    )
    members = {c: v.member for c, v in site.verdicts.items() if v.member is not None}
    return World(members, tuple(TYPES.values()), site.snapshot, TODAY), decision


def _opens(doors: Doors, verdict: Verdict) -> bool:
    """Ask the doors, not the lists: does the card in CiviCRM open what the tier gives?"""
    if not isinstance(verdict.entitlement, Grant) or not isinstance(verdict.card, CardNumber):
        return False
    for one in doors.cards.values():
        if one.number == verdict.card and isinstance(one.holder, HeldByUser):
            holder = doors.users.get(one.holder.user_id)
            if (
                holder is not None
                and holder.contact_id == verdict.contact_id
                and holder.status is UserStatus.ACTIVE
                and verdict.entitlement.policy in holder.policy_ids
            ):
                return True
    return False


@given(clubs(), holds)
def test_nobody_is_told_that_a_card_works_which_opens_nothing(found: Club, held_: Held) -> None:
    read, decision = _decision(found, held_)
    for verdict in found.verdicts:
        one: Explanation = explain(verdict.contact_id, read, HABITS, decision, (), None)
        said = what_to_tell(one)
        assert (said is Told.WORKS) is _opens(found.doors, verdict)
        if said is Told.SOON:
            assert one.running
        if said is Told.LAPSED:
            assert not isinstance(verdict.entitlement, Grant)


def test_the_rules_of_these_worlds_are_the_sites() -> None:
    assert {rule.key for rule in RULES} >= {"Gold", "Silver"}
    assert frozenset({GOLD, SILVER}) == MANAGED

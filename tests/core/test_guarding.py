"""A plan between guards and approvals (§6): what runs was approved, or no guard minds it."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.approvals import (
    REFUSED,
    Approval,
    Approvals,
    Growth,
    Refusal,
    effects,
    hold_of,
)
from door_sync.core.guarding import Guarded, guard
from door_sync.core.guards import Budgets, Evidence
from door_sync.core.people import ContactId
from door_sync.core.planner import plan
from door_sync.core.situation import Site
from door_sync.core.steps import ChangeClass, ReclaimCard
from tests.core.approving import KEY, names, told
from tests.core.builders import (
    DEACTIVATED,
    GOLD,
    card,
    deny,
    grant,
    held,
    of_kind,
    site,
    unknown,
    user,
)
from tests.core.guarding import ALL_IS_WELL, CARD, GRANT, RESTORE, REVOKE, evidence
from tests.core.worlds import CONTACTS, Club, clubs

STRICT = Budgets(deactivate=0, add=0, policy=0, card=0, profile=0, few=0)
"""Every change is one too many."""


def look(
    club: Site,
    *approvals: Approval,
    budgets: Budgets = STRICT,
    cut_off: Collection[int] = (),
    evidence: Evidence = ALL_IS_WELL,
    refusals: Collection[Refusal] = (),
) -> Guarded:
    given = Approvals(KEY, approvals, [*refusals])
    return guard(plan(club), club, evidence, budgets, given, frozenset(map(ContactId, cut_off)))


def yes(
    club: Site,
    result: Guarded,
    classes: Collection[ChangeClass] = (),
    contacts: Collection[int] = (),
) -> Approval:
    """A person's word to what this look held: all of it, or these."""
    full = plan(club)
    waits = full.only([c for c in full.changes if (c.contact_id, c.change_class) in result.held])
    hold = hold_of(waits, result.standing, KEY)
    assert hold is not None
    return Approval(hold, frozenset(classes), frozenset(map(ContactId, contacts)))


def leavers(count: int) -> Site:
    people = range(1, count + 1)
    return site([deny(n) for n in people], [user(f"u{n}", n) for n in people])


def test_what_nobody_minds_runs_and_counts() -> None:
    result = look(leavers(3), budgets=Budgets())
    assert result == Guarded(plan(leavers(3)))


def test_an_approved_plan_runs_whole_and_does_not_count() -> None:
    club = leavers(20)
    first = look(club, budgets=Budgets())
    assert first.plan.changes == ()
    result = look(club, yes(club, first), budgets=Budgets())
    assert result.plan == plan(club)
    assert result.held == frozenset()
    assert [one.guard for one in result.settled] == ["mass deactivation"]
    assert result.uncounted((), provisioning=False) == names(plan(club).changes)


def test_the_rest_of_an_approved_plan_does_not_count_though_no_guard_minds_it() -> None:
    """A crash has left two of twenty leavers; there is no objection any more to approve."""
    approved = yes(leavers(20), look(leavers(20), budgets=Budgets()))
    result = look(leavers(2), approved, budgets=Budgets())
    assert (result.standing, result.settled) == ((), ())
    assert result.uncounted((), provisioning=False) == names(plan(leavers(2)).changes)


def test_approved_people_do_not_use_up_the_day_of_others() -> None:
    """Twenty approved leavers and fifteen in the day before: the latter are few enough alone."""
    lately = {REVOKE: frozenset(map(ContactId, range(50, 65)))}
    seen = evidence(100, lately=lately)
    club = leavers(20)
    approved = yes(club, look(club, budgets=Budgets(), evidence=seen))
    assert look(club, approved, budgets=Budgets(), evidence=seen).standing == ()


def test_who_was_cut_off_by_hand_makes_no_plan_too_large_and_none_grow() -> None:
    club = leavers(20)
    assert look(club, budgets=Budgets(), cut_off=range(1, 6)).standing == ()
    before = leavers(19)
    approved = yes(before, look(before, budgets=Budgets()))
    grown = look(club, approved, budgets=Budgets())
    assert grown.grown == (Growth(approved.hold.digest, ((ContactId(20), REVOKE),)),)
    assert grown.plan.changes == ()
    result = look(club, approved, budgets=Budgets(), cut_off=[20])
    assert result.plan == plan(club)
    assert (result.standing, result.grown) == ((), ())


def test_a_cut_off_while_a_read_is_in_doubt_makes_no_approved_plan_grow() -> None:
    shrunken = evidence(100, contacts=50, last_contacts=100)
    approved = yes(leavers(19), look(leavers(19), budgets=Budgets(), evidence=shrunken))
    club = leavers(20)
    assert look(club, approved, budgets=Budgets(), evidence=shrunken).plan.changes == ()
    result = look(club, approved, budgets=Budgets(), evidence=shrunken, cut_off=[20])
    assert result.plan == plan(club)


@pytest.mark.parametrize("provisioning", [False, True])
def test_what_the_day_leaves_out(provisioning: bool) -> None:
    club = site(
        [deny(1), deny(2), grant(3, 1003), grant(4, 1004), grant(5, 1005)],
        [user("u1", 1), user("u2", 2), user("u4", 4, DEACTIVATED), user("u5", 5, policies=[GOLD])],
        [card(1005)],
    )
    result = look(club, budgets=Budgets(), cut_off=[1])
    additions = {(ContactId(3), GRANT), (ContactId(4), RESTORE)} if provisioning else set()
    uncounted = result.uncounted({ContactId(1)}, provisioning=provisioning)
    assert uncounted == {(ContactId(1), REVOKE), *additions}


# What is held makes something else possible (R3).


def waiting_for_a_card() -> Site:
    """Contact 9 waits for a card that is stuck on a user who is to be restored. While that restore
    is held, he counts as deactivated, and the card could be reclaimed from him."""
    return site(
        [grant(9, 1009), grant(20, 1020)],
        [user("u20", 20, DEACTIVATED)],
        [card(1009, held("u20"), ours=False)],
    )


def test_an_approved_change_does_no_more_than_what_was_approved_of_it() -> None:
    """The new user was in the plan that a person looked at, the card was not."""
    club = waiting_for_a_card()
    word = yes(club, look(club), contacts=[9])
    result = look(club, word)
    assert result.plan.changes == ()
    assert result.grown == (Growth(word.hold.digest, ((ContactId(9), GRANT),)),)
    assert look(club, yes(club, look(club))).plan == plan(club), "the whole can be approved"


@pytest.mark.parametrize(("share", "runs"), [(0.01, True), (0, False)])
def test_what_outgrew_its_approval_is_the_guards_to_judge_again(share: float, runs: bool) -> None:
    """Contact 300 was to lose a stale card; while a restore is held, it can get its new one too.
    That is one change in a hundred that nobody approved: it counts like any other."""
    club = site(
        [grant(100, 2100), grant(200, 3200), grant(300, 1300)],
        [
            user("u100", 100, policies=[GOLD]),
            user("u200", 200, DEACTIVATED),
            user("u300", 300, policies=[GOLD]),
        ],
        [card(2100), card(2300, held("u300")), card(1300, held("u200"), ours=False)],
    )
    budgets = replace(STRICT, card=share)
    word = yes(club, look(club, budgets=budgets), classes=[CARD])
    result = look(club, word, budgets=budgets)
    assert result.allowed == {(ContactId(100), CARD)}
    assert names(result.plan.changes) == {(100, CARD), *({(300, CARD)} if runs else ())}
    assert Growth(word.hold.digest, ((ContactId(300), CARD),)) in result.grown
    settled = {one.guard for one in result.settled}
    assert settled == ({"mass card change"} if runs else set())


def reclaims_beside(cards: int, stuck: int) -> Site:
    """So many members whose new cards are free, and so many whose cards are stuck on users who are
    to be restored: these come to be reclaimable while the restores are held."""
    return site(
        [
            *(grant(n, 2000 + n) for n in range(100, 100 + cards)),
            *(grant(n, 3000 + n) for n in range(200, 200 + stuck)),
            *(grant(n, 1000 + n) for n in range(300, 300 + stuck)),
        ],
        [
            *(user(f"u{n}", n, policies=[GOLD]) for n in range(100, 100 + cards)),
            *(user(f"u{n}", n, DEACTIVATED) for n in range(200, 200 + stuck)),
            *(user(f"u{n}", n, policies=[GOLD]) for n in range(300, 300 + stuck)),
        ],
        [
            *(card(2000 + n) for n in range(100, 100 + cards)),
            *(card(1000 + n, held(f"u{n - 100}"), ours=False) for n in range(300, 300 + stuck)),
        ],
    )


def test_what_a_hold_makes_possible_is_asked_about_though_its_guard_was_settled() -> None:
    club = reclaims_beside(4, 4)
    first = look(club)
    assert {one.guard for one in first.standing} == {"mass addition", "mass card change"}
    result = look(club, yes(club, first, classes=[CARD]))
    assert names(result.plan.changes) == {(n, CARD) for n in range(100, 104)}
    assert of_kind(result.plan, ReclaimCard) == []
    assert {one.guard for one in result.standing} == {"mass addition", "mass card change"}
    assert result.settled == ()


def test_a_doubt_that_a_hold_brings_up_stops_what_was_allowed_before() -> None:
    """Each objection holds the cycle here. Four changes of card are few, five reclaims are not, and
    nobody has approved that those are possible."""
    club = reclaims_beside(4, 5)
    budgets = Budgets(add=0, few=0, card=0.04, everything_holds_everything=True)
    first = look(club, budgets=replace(budgets, card=1))
    assert [one.guard for one in first.standing] == ["mass addition"]
    part = yes(club, first, classes=[CARD])
    assert len(look(club, part, budgets=replace(budgets, card=1)).plan.changes) == 4
    result = look(club, part, budgets=budgets)
    assert result.plan.changes == ()
    assert [one.guard for one in result.standing] == ["mass addition", "mass card change"]
    assert result.allowed == frozenset()
    assert result.settled == ()


def test_a_guard_that_was_settled_is_so_no_more_once_a_refusal_brings_it_up_again() -> None:
    """The whole plan was approved, then its restores were refused. While those are held, four cards
    can be reclaimed, and nobody has approved that."""
    club = reclaims_beside(4, 4)
    budgets = Budgets(add=1, few=0, card=0.03, everything_holds_everything=True)
    word = yes(club, look(club, budgets=budgets))
    assert look(club, word, budgets=budgets).plan == plan(club)
    restores = [one for one in plan(club).changes if one.change_class is RESTORE]
    no = Refusal(frozenset(one.digest for each in restores for one in effects(each, KEY)))
    result = look(club, word, budgets=budgets, refusals=[no])
    assert result.plan.changes == ()
    assert [one.guard for one in result.standing] == [REFUSED, "mass card change"]
    assert (result.allowed, result.settled) == (frozenset(), ())


# Of any club.

some_classes = st.sets(st.sampled_from(ChangeClass))
some_contacts = st.sets(st.sampled_from(CONTACTS))
budgets = st.builds(
    Budgets,
    deactivate=st.sampled_from([0, 0.01, 1]),
    add=st.sampled_from([0, 0.01, 1]),
    policy=st.sampled_from([0, 1]),
    card=st.sampled_from([0, 0.01, 1]),
    profile=st.sampled_from([0, 1]),
    few=st.sampled_from([0, 1]),
    everything_holds_everything=st.booleans(),
)
evidences = st.sampled_from(
    [
        ALL_IS_WELL,
        evidence(100, users=50, last_users=100),
        evidence(100, unknown_policies=("Gold",)),
    ]
)


@given(clubs(), budgets, evidences)
def test_with_no_approvals_the_guards_alone_decide(
    club: Club, budgets: Budgets, seen: Evidence
) -> None:
    world = club.site()
    alone = guard(plan(world), world, seen, budgets, None, frozenset())
    assert look(world, budgets=budgets, evidence=seen) == alone


@given(clubs(), budgets, evidences, some_classes, some_contacts)
def test_what_an_approval_lets_pass_was_in_the_plan_that_was_approved(
    club: Club,
    budgets: Budgets,
    seen: Evidence,
    classes: set[ChangeClass],
    contacts: set[int],
) -> None:
    world = club.site()
    first = look(world, budgets=budgets, evidence=seen)
    if not first.standing:
        return
    word = yes(world, first, classes, contacts)
    result = look(world, word, budgets=budgets, evidence=seen)
    may = {effect.digest for effect in word.allowed()}
    names_ = {(one.contact_id, one.change_class): one for one in result.plan.changes}
    for name in result.allowed & names_.keys():
        assert told([names_[name]]) <= may
    if not all(one.is_approvable for one in first.standing):
        assert result.plan.changes == ()
        assert result.allowed == frozenset()


@given(clubs(), evidences, some_classes, some_contacts)
def test_where_every_change_is_too_much_nothing_runs_but_what_was_approved(
    club: Club, seen: Evidence, classes: set[ChangeClass], contacts: set[int]
) -> None:
    world = club.site()
    first = look(world, evidence=seen)
    assert first.plan.changes == ()
    if not first.standing:
        return
    word = yes(world, first, classes, contacts)
    result = look(world, word, evidence=seen)
    assert told(result.plan.changes) <= {effect.digest for effect in word.allowed()}


@given(clubs(), budgets)
def test_an_approved_plan_of_the_same_world_runs_whole(club: Club, budgets: Budgets) -> None:
    """And nothing ran without approval that does not run with it."""
    world = club.site()
    first = look(world, budgets=budgets)
    if not first.standing:
        return
    result = look(world, yes(world, first), budgets=budgets)
    assert result.plan == plan(world)
    assert result.standing == ()
    assert {one.guard for one in result.settled} >= {one.guard for one in first.standing[:1]}


@given(clubs(), some_contacts)
def test_an_approved_plan_is_not_held_because_somebody_cannot_be_judged_any_more(
    club: Club, gone: set[int]
) -> None:
    """Unless he was the one whose change kept another from doing more."""
    world = club.site()
    first = look(world)
    if not first.standing:
        return
    word = yes(world, first)
    verdicts: Mapping[ContactId, object] = world.verdicts
    less = replace(
        world,
        verdicts={c: unknown(c) if c in gone else world.verdicts[c] for c in verdicts},
    )
    result = look(less, word)
    if told(plan(less).changes) <= {effect.digest for effect in word.hold.effects}:
        assert result.plan == plan(less)
        assert result.standing == ()
    else:
        assert result.grown


def test_a_class_that_has_outgrown_its_approval_is_told_as_grown() -> None:
    def joiners(count: int) -> Site:
        return site([grant(n, 1000 + n) for n in range(1, count + 1)])

    before = look(joiners(30), budgets=Budgets())
    word = yes(joiners(30), before)
    result = look(joiners(31), word, budgets=Budgets())
    assert result.plan.changes == ()
    assert result.grown == (Growth(word.hold.digest, ((ContactId(31), GRANT),)),)

"""What an approval covers (§6): effects on people that were in the held plan, and no more."""

import pytest

from door_sync.core.approvals import (
    Approvals,
    Growth,
)
from door_sync.core.cards import CardNumber
from door_sync.core.controller import UserId
from door_sync.core.guards import Objection, Scope
from door_sync.core.people import ContactId
from door_sync.core.steps import (
    BindCard,
    Change,
    ChangeClass,
    Plan,
    SetPolicies,
)
from tests.core.approving import (
    KEY,
    approved,
    change,
    doubt,
    grant,
    held,
    many,
    names,
    other_card,
    other_name,
    part,
    plan_of,
    restore,
    revoke,
)
from tests.core.builders import GOLD, SILVER, token
from tests.core.guarding import CARD, GRANT, POLICY, PROFILE, RESTORE, REVOKE

LEAVERS = [revoke(n) for n in range(1, 5)]
JOINERS = [grant(n) for n in range(11, 15)]
MASS_REVOKE = many([REVOKE], Scope.CYCLE)
MASS_GRANT = many([GRANT, RESTORE])
U1 = UserId("u1")


def test_without_approvals_every_objection_stands() -> None:
    ruling = Approvals(KEY).rule(plan_of(*LEAVERS, *JOINERS), [MASS_REVOKE, MASS_GRANT])
    assert ruling.standing == (MASS_REVOKE, MASS_GRANT)
    assert (ruling.allowed, ruling.settled, ruling.grown) == (frozenset(), (), ())


@pytest.mark.parametrize("objection", [MASS_REVOKE, many([REVOKE]), doubt(7)])
def test_exactly_what_was_approved_goes_through(objection: Objection) -> None:
    plan = plan_of(*LEAVERS)
    ruling = approved(held(plan, objection)).rule(plan, [objection])
    assert ruling.allowed == names(LEAVERS)
    assert ruling.settled == (objection,)
    assert (ruling.standing, ruling.grown) == ((), ())


@pytest.mark.parametrize("left", range(5))
def test_what_is_left_goes_through(left: int) -> None:
    hold = held(plan_of(*LEAVERS), MASS_REVOKE)
    ruling = approved(hold).rule(plan_of(*LEAVERS[:left]), [MASS_REVOKE])
    assert ruling.allowed == names(LEAVERS[:left])
    assert ruling.standing == ()


@pytest.mark.parametrize(
    ("now", "grown"),
    [
        (revoke(5), (ContactId(5), REVOKE)),
        (change(1, REVOKE, *grant(1).steps), (ContactId(1), REVOKE)),
    ],
)
def test_more_of_the_same_is_held_anew_and_said(
    now: Change, grown: tuple[ContactId, ChangeClass]
) -> None:
    hold = held(plan_of(*LEAVERS), MASS_REVOKE)
    plan = plan_of(*LEAVERS[1:], now)
    ruling = approved(hold).rule(plan, [MASS_REVOKE])
    assert ruling.allowed == frozenset()
    assert ruling.standing == (MASS_REVOKE,)
    assert ruling.grown == (Growth(hold.digest, (grown,)),)
    assert ruling.is_in_doubt


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (grant(11), grant(11, 999)),
        (grant(11), grant(11, policy=SILVER)),
        (restore(11), grant(11)),
        (restore(11), restore(11, SILVER)),
    ],
    ids=["another card", "another policy", "another class", "another tier"],
)
def test_other_things_for_the_same_person_are_refused(before: Change, now: Change) -> None:
    hold = held(plan_of(*JOINERS[1:], before), MASS_GRANT)
    ruling = approved(hold).rule(plan_of(*JOINERS[1:], now), [MASS_GRANT])
    assert ruling.allowed == frozenset()
    assert ruling.standing == (MASS_GRANT,)
    [growth] = ruling.grown
    assert [contact for contact, _ in growth.changes] == [11]
    assert not ruling.is_in_doubt, "only the class is held"


def test_the_rest_of_a_change_that_a_crash_cut_short_is_still_approved() -> None:
    """The user of 11 is there without card, that of 12 without policy; 13 was restored without."""
    plan = plan_of(grant(11), grant(12), restore(13))
    who = UserId("u11")
    number = CardNumber(1011)
    rest = plan_of(
        change(11, GRANT, BindCard(who, token(1011), number), SetPolicies(who, GOLD, False)),
        change(12, POLICY, SetPolicies(UserId("u12"), GOLD, False)),
        change(13, GRANT, SetPolicies(UserId("u13"), GOLD, False)),
    )
    found = [MASS_GRANT, many([POLICY])]
    ruling = approved(held(plan, MASS_GRANT)).rule(rest, found)
    assert ruling.allowed == names(rest.changes)
    assert ruling.settled == tuple(found)


def test_what_no_guard_minds_is_neither_allowed_nor_in_the_way() -> None:
    hold = held(plan_of(*LEAVERS), MASS_REVOKE)
    ruling = approved(hold).rule(plan_of(*LEAVERS, other_name(30)), [MASS_REVOKE])
    assert ruling.allowed == names(LEAVERS)
    assert ruling.settled == (MASS_REVOKE,)


def test_a_hold_of_the_cycle_lets_everything_through_that_was_in_it() -> None:
    """Whoever approves such a plan approves all of it, and all of it is left out of the day."""
    plan = plan_of(*LEAVERS, other_name(30))
    ruling = approved(held(plan, MASS_REVOKE)).rule(plan, [MASS_REVOKE])
    assert ruling.allowed == names(plan.changes)


# Doubted reads.


@pytest.mark.parametrize(("extent", "passes"), [(6, True), (7, True), (8, False)])
def test_a_doubt_may_have_become_smaller_and_not_larger(extent: int, passes: bool) -> None:
    plan = plan_of(other_name(1))
    hold = held(plan, doubt(7))
    ruling = approved(hold).rule(plan, [doubt(extent)])
    assert bool(ruling.settled) is passes
    assert ruling.grown == (() if passes else (Growth(hold.digest, (), ("shrunken source",)),))
    assert ruling.is_in_doubt is not passes


def test_a_doubt_counts_every_change() -> None:
    hold = held(plan_of(*LEAVERS), doubt(7))
    ruling = approved(hold).rule(plan_of(*LEAVERS, other_name(30)), [doubt(7)])
    assert ruling.allowed == frozenset()
    assert ruling.grown == (Growth(hold.digest, ((ContactId(30), PROFILE),)),)


def test_a_doubt_with_nothing_to_do_can_be_approved() -> None:
    ruling = approved(held(Plan(), doubt(7))).rule(Plan(), [doubt(7)])
    assert ruling.settled == (doubt(7),)


def test_another_doubt_than_the_approved_one_is_not_covered() -> None:
    other = doubt(1, "shrunken controller")
    ruling = approved(held(Plan(), doubt(7))).rule(Plan(), [other])
    assert ruling.standing == (other,)
    assert ruling.grown == (), "nobody spoke of that guard"


@pytest.mark.parametrize("guard", ["people vanished", "unknown policy"])
def test_what_only_data_or_settings_settle_no_approval_covers(guard: str) -> None:
    found, plan = doubt(0, guard), plan_of(*LEAVERS)
    ruling = approved(held(plan, found, MASS_REVOKE)).rule(plan, [found, MASS_REVOKE])
    assert ruling.allowed == frozenset()
    assert ruling.standing == (found, MASS_REVOKE)
    assert ruling.is_in_doubt
    assert ruling.grown == (), "it did not serve before either"


# Several objections and several approvals.


def test_one_objection_of_the_cycle_without_approval_stops_what_was_approved() -> None:
    plan = plan_of(*LEAVERS, *JOINERS)
    hold = held(plan, MASS_GRANT)
    ruling = approved(hold).rule(plan, [MASS_GRANT, doubt(3)])
    assert ruling.allowed == frozenset()
    assert ruling.standing == (MASS_GRANT, doubt(3))


def test_a_class_that_grew_waits_though_another_objection_of_its_hold_is_covered() -> None:
    """Twelve of thirteen joiners may be the wrong twelve, whoever leaves at the same time."""
    hold = held(plan_of(*LEAVERS, *JOINERS), MASS_REVOKE, MASS_GRANT)
    plan = plan_of(*LEAVERS, *JOINERS, grant(20))
    ruling = approved(hold).rule(plan, [MASS_REVOKE, MASS_GRANT])
    assert ruling.allowed == names(LEAVERS)
    assert ruling.settled == (MASS_REVOKE,)
    assert ruling.standing == (MASS_GRANT,)
    assert ruling.grown == (Growth(hold.digest, ((ContactId(20), GRANT),)),)


def test_an_approval_serves_for_whichever_guard_counts_its_changes_now() -> None:
    hold = held(plan_of(*LEAVERS), doubt(7))
    daily = many([REVOKE], Scope.CYCLE, "mass deactivation in 24 hours")
    ruling = approved(hold).rule(plan_of(*LEAVERS[:2]), [daily])
    assert ruling.settled == (daily,)


def test_two_approvals_each_serve_for_their_own() -> None:
    plan = plan_of(*LEAVERS, *JOINERS)
    first, second = held(plan_of(*LEAVERS), MASS_REVOKE), held(plan_of(*JOINERS), MASS_GRANT)
    ruling = approved(first, second).rule(plan, [MASS_REVOKE, MASS_GRANT])
    assert ruling.allowed == names(plan.changes)
    assert ruling.standing == ()


def test_two_holds_do_not_add_up_to_what_nobody_saw_as_a_whole() -> None:
    """Four leavers and four others were never looked at as eight."""
    others = [revoke(n) for n in range(21, 25)]
    holds = held(plan_of(*LEAVERS), MASS_REVOKE), held(plan_of(*others), MASS_REVOKE)
    ruling = approved(*holds).rule(plan_of(*LEAVERS, *others), [MASS_REVOKE])
    assert ruling.allowed == frozenset()
    assert [len(one.changes) for one in ruling.grown] == [4, 4]


# Parts of a hold.


def test_a_part_goes_through_and_the_rest_stays_held() -> None:
    plan = plan_of(*JOINERS)
    hold = held(plan, MASS_GRANT)
    ruling = approved(part(hold, contacts=[11, 12])).rule(plan, [MASS_GRANT])
    assert ruling.allowed == names(JOINERS[:2])
    assert ruling.standing == (MASS_GRANT,)
    assert ruling.grown == ()


def test_a_part_may_be_one_class_of_a_hold_of_the_cycle() -> None:
    plan = plan_of(*LEAVERS, *JOINERS, other_name(30))
    hold = held(plan, MASS_REVOKE)
    ruling = approved(part(hold, [GRANT, PROFILE])).rule(plan, [MASS_REVOKE])
    assert ruling.allowed == names([*JOINERS, other_name(30)])
    assert ruling.standing == (MASS_REVOKE,)
    both = approved(part(hold, [GRANT], [11, 30])).rule(plan, [MASS_REVOKE])
    assert both.allowed == names(JOINERS[:1])


def test_parts_that_make_up_the_whole_settle_a_count_and_no_doubt() -> None:
    """After a part of a plan nobody has said that the read itself is right."""
    plan = plan_of(*LEAVERS)
    for objection, settles in ((MASS_REVOKE, True), (doubt(7), False)):
        hold = held(plan, objection)
        parts = [part(hold, contacts=[1, 2]), part(hold, contacts=[3, 4])]
        ruling = approved(*parts).rule(plan, [objection])
        assert ruling.allowed == names(LEAVERS)
        assert bool(ruling.settled) is settles


def test_the_rest_can_be_approved_while_the_part_is_not_done_yet() -> None:
    """Contact 11 was approved alone and fails in every cycle; the rest was held anew, and then
    approved as a whole. It must not wait for contact 11."""
    first = held(plan_of(*JOINERS), MASS_GRANT)
    rest = held(plan_of(*JOINERS[1:]), MASS_GRANT)
    given = approved(part(first, contacts=[11]), rest)
    ruling = given.rule(plan_of(*JOINERS), [MASS_GRANT])
    assert ruling.allowed == names(JOINERS)
    assert ruling.settled == (MASS_GRANT,)


def test_what_grew_is_not_let_in_by_a_part() -> None:
    hold = held(plan_of(*JOINERS), MASS_GRANT)
    plan = plan_of(*JOINERS, grant(20))
    ruling = approved(part(hold, contacts=[11])).rule(plan, [MASS_GRANT])
    assert ruling.allowed == frozenset()


# When an approval has done its work.


def test_an_approval_is_used_up_when_nothing_of_it_is_ahead() -> None:
    hold = held(plan_of(*LEAVERS), MASS_REVOKE)
    given = approved(part(hold, number=3), part(hold, contacts=[1], number=4))
    assert given.used_up(plan_of(*LEAVERS), [MASS_REVOKE]) == ()
    assert given.used_up(plan_of(*LEAVERS[1:]), []) == (4,)
    assert given.used_up(plan_of(*JOINERS), []) == (3, 4)


def test_an_approved_doubt_lasts_as_long_as_the_doubt() -> None:
    given = approved(part(held(Plan(), doubt(7)), number=3))
    assert given.used_up(Plan(), [doubt(7)]) == ()
    assert given.used_up(Plan(), []) == (3,)


# A change that does more than it did when it was allowed.


def test_a_change_passes_as_long_as_it_does_no_more_than_one_approval_says() -> None:
    hold = held(plan_of(other_card(1, 5), other_card(2, 6), other_card(3, 7)), many([CARD]))
    more = change(1, CARD, *other_card(1, 5).steps, *other_name(1).steps)
    now = plan_of(more, other_card(2, 6), other_card(3, 7), other_card(4, 8))
    assert approved(part(hold, contacts=[1, 2])).passing(now) == {(2, CARD)}
    assert approved(part(hold, contacts=[1, 2]), hold).passing(now) == {(2, CARD), (3, CARD)}
    assert approved().passing(now) == frozenset()


def test_whoever_spoke_of_a_contact_is_told_that_his_change_has_grown() -> None:
    hold = held(plan_of(other_card(1, 5), other_card(2, 6)), many([CARD]))
    given = approved(part(hold, contacts=[2]), hold)
    gone = frozenset({(ContactId(1), CARD)})
    assert given.grown_by(gone) == (Growth(hold.digest, ((ContactId(1), CARD),)),)
    assert given.grown_by(frozenset()) == ()


def test_a_doubt_that_one_approved_in_part_and_another_as_a_whole_is_settled() -> None:
    hold = held(plan_of(revoke(1), revoke(2)), doubt(3))
    ruling = approved(part(hold, contacts=[1]), hold).rule(
        plan_of(revoke(1), revoke(2)), [doubt(3)]
    )
    assert ruling.settled == (doubt(3),)
    assert ruling.standing == ()


def test_what_grew_is_told_by_contact_and_class() -> None:
    hold = held(plan_of(*(other_card(n, n) for n in (1, 2, 8))), many([CARD]))
    more = frozenset((ContactId(n), kind) for n in (8, 2, 1) for kind in (POLICY, CARD))
    [growth] = approved(hold).grown_by(more)
    ordered = [(ContactId(n), kind) for n in (1, 2, 8) for kind in (CARD, POLICY)]
    assert growth.changes == tuple(ordered)

"""What is held, what was approved, and what a later cycle makes of it (§6)."""

from dataclasses import replace

from door_sync.core.approvals import Approval, Approvals, Growth
from door_sync.core.decision import Decision, Remembered, World, decide
from door_sync.core.guards import Budgets
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from tests.core.approving import KEY, names, part
from tests.core.builders import DEACTIVATED, classes, member
from tests.core.deciding import HABITS, NOTHING, gold, guards, settled, world


def club(leavers: int, joiners: int = 0, done: int = 0) -> World:
    """Forty members, of whom so many have lapsed; the first of these are deactivated already."""
    everybody = [settled(n) for n in range(1, 41)]
    users = [
        replace(one, status=DEACTIVATED) if number < done else one
        for number, (one, _) in enumerate(everybody)
    ]
    stay = [gold(n) for n in (*range(leavers + 1, 41), *range(100, 100 + joiners))]
    left = [member(n, card=None) for n in range(done + 1, leavers + 1)]
    return world(stay, users, [c for _, c in everybody[done:]], answered=left)


def approving(decision: Decision, *, contacts: tuple[int, ...] = ()) -> Remembered:
    hold = decision.hold(KEY)
    assert hold is not None
    return replace(NOTHING, approvals=Approvals(KEY, [part(hold, contacts=contacts, number=1)]))


def test_a_hold_is_what_is_held_with_the_guards_that_hold_it() -> None:
    decision = decide(club(10, 2), HABITS, NOTHING)
    hold = decision.hold(KEY)
    assert hold is not None
    assert dict(hold.guards) == {"mass deactivation": 0}
    held = {(one.contact_id, one.change_class) for one in hold.effects}
    assert held == decision.held == names(decision.full.changes)
    assert decide(club(1), HABITS, NOTHING).hold(KEY) is None


def test_a_hold_of_a_class_keeps_that_class_alone() -> None:
    decision = decide(club(1, 20), HABITS, NOTHING)
    hold = decision.hold(KEY)
    assert hold is not None
    assert {one.change_class for one in hold.effects} == {ChangeClass.GRANT}
    assert classes(decision.plan) == [(1, ChangeClass.REVOKE)]


def test_an_approved_plan_runs_is_not_counted_and_is_then_used_up() -> None:
    before = decide(club(10), HABITS, NOTHING)
    remembered = approving(before)
    assert remembered.approvals is not None
    decision = decide(club(10), HABITS, remembered)
    assert decision.plan == decision.full
    assert guards(decision) == []
    assert [one.guard for one in decision.settled] == ["mass deactivation"]
    assert decision.uncounted == names(decision.plan.changes)
    assert decision.used_up(remembered.approvals) == ()
    assert not decision.is_in_doubt
    half = decide(club(10, done=7), HABITS, remembered)
    assert len(half.plan.changes) == 3
    assert half.used_up(remembered.approvals) == ()
    over = decide(club(10, done=10), HABITS, remembered)
    assert over.used_up(remembered.approvals) == (1,)


def test_a_plan_that_grew_is_held_anew_under_another_name() -> None:
    before = decide(club(10), HABITS, NOTHING)
    first, remembered = before.hold(KEY), approving(before)
    decision = decide(club(11), HABITS, remembered)
    hold = decision.hold(KEY)
    assert first is not None
    assert hold is not None
    assert decision.plan.changes == ()
    assert hold.digest != first.digest
    assert decision.grown == (Growth(first.digest, ((ContactId(11), ChangeClass.REVOKE),)),)
    assert decision.is_in_doubt


def test_after_a_part_of_a_doubted_read_the_doubt_stands() -> None:
    shrunken = replace(NOTHING, last_contacts=100)
    before = decide(club(2), HABITS, shrunken)
    assert guards(before) == ["shrunken source"]
    some = replace(approving(before, contacts=(1,)), last_contacts=100)
    decision = decide(club(2), HABITS, some)
    assert classes(decision.plan) == [(1, ChangeClass.REVOKE)]
    assert decision.is_in_doubt, "so nothing of this read is remembered as good"
    whole = replace(approving(before), last_contacts=100)
    assert not decide(club(2), HABITS, whole).is_in_doubt


def test_bad_records_that_halt_can_be_set_aside_once() -> None:
    habits = replace(HABITS, budgets=Budgets(halt_on_bad_record=True))
    two = world([gold(1, 1500), gold(2, 1500), gold(3)])
    before = decide(two, habits, NOTHING)
    assert guards(before) == ["duplicate card"]
    assert before.plan.changes == ()
    decision = decide(two, habits, approving(before))
    assert decision.plan == decision.full
    three = world([gold(1, 1500), gold(2, 1500), gold(4, 1500), gold(3)])
    assert decide(three, habits, approving(before)).plan.changes == ()


def test_the_approval_of_an_unknown_policy_opens_nothing() -> None:
    strange = world([gold(1)], policies=())
    decision = decide(strange, HABITS, approving(decide(strange, HABITS, NOTHING)))
    assert decision.plan.changes == ()
    assert set(guards(decision)) == {"unknown policy"}


def test_additions_are_left_out_of_the_day_while_the_site_is_first_filled() -> None:
    empty = world([gold(n) for n in range(1, 31)])
    first = decide(empty, HABITS, Remembered())
    assert first.provisioning
    assert first.uncounted == names(first.plan.changes)
    later = decide(empty, HABITS, Remembered(provisioning=False))
    assert later.uncounted == frozenset()


def test_approvals_of_other_holds_change_nothing() -> None:
    other = decide(club(12), HABITS, NOTHING).hold(KEY)
    assert other is not None
    word = Approval(other, contacts=frozenset({ContactId(99)}))
    remembered = replace(NOTHING, approvals=Approvals(KEY, [word]))
    decision = decide(club(10), HABITS, remembered)
    assert decision.plan.changes == ()
    assert decision.hold(KEY) == decide(club(10), HABITS, NOTHING).hold(KEY)

"""What holds of every plan, whatever the club and the controller look like (P1, P3, P4, P8, R4)."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from door_sync.core.controller import HeldByUser, Snapshot, UserId, UserStatus
from door_sync.core.planner import plan
from door_sync.core.situation import Held, serving_user, wanted_number
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    ChangeClass,
    CreateUser,
    DeactivateUser,
    FreeCard,
    ImportCard,
    NewUser,
    NoticeKind,
    OnRefusal,
    Phase,
    PlannedStep,
    ReclaimCard,
    SetPolicies,
    Step,
    UpdateProfile,
)
from door_sync.core.tiers import Deny, Grant, Skip, Unknown
from tests.core.worlds import Club, clubs, holds

WAITING = (NoticeKind.RESTORE_WAITS, NoticeKind.PENDING_USER)

often = settings(max_examples=2 * settings().max_examples)
seldom = settings(max_examples=settings().max_examples // 2)
"""Enough where each club holds many cases of its own."""


def users_written(step: Step) -> set[UserId]:
    """The users that exist already and that a step writes to."""
    if isinstance(step, ImportCard | CreateUser) or isinstance(step.user, NewUser):
        return set()
    return {step.user}


@often
@given(clubs())
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(club: Club) -> None:
    """P8; and no step on the way is one that the controller refuses.

    Only a restore that waits because of a card may bring one more cycle: the card is reclaimed by
    its owner at the end of the one before. If that owner had to wait as well, so does a chain of
    them, one cycle for each.
    """
    before = plan(club.site())
    club.doors.carry_out(before)
    for _ in club.verdicts:
        waited = {one.contact_id for one in before.notices if one.kind is NoticeKind.RESTORE_WAITS}
        after = plan(club.site())
        restored = {one.contact_id for one in after.of_class(ChangeClass.RESTORE)}
        assert restored & waited or after.changes == ()
        club.doors.carry_out(after)
        before = after
    assert plan(club.site()).changes == ()


@given(clubs(), holds)
def test_a_plan_without_what_is_held_can_be_carried_out_as_well(club: Club, held: Held) -> None:
    club.doors.carry_out(plan(club.site(), held))


@given(clubs())
def test_everybody_ends_up_with_what_they_should_have(club: Club) -> None:
    """Members their tier, leavers nothing, day passes no tier, the unknown what they had (P1)."""
    before = club.site().snapshot
    done = plan(club.site())
    club.doors.carry_out(done)
    after = club.site()
    waiting = {one.contact_id for one in done.notices if one.kind in WAITING}
    for verdict in club.verdicts:
        users = after.snapshot.users_of.get(verdict.contact_id, ())
        match verdict.entitlement:
            case Grant(policy=policy) if verdict.contact_id not in waiting:
                served = serving_user(users, verdict, after.snapshot)
                assert served is not None
                assert served.status in (UserStatus.ACTIVE, UserStatus.UNKNOWN)
                assert after.managed.intersection(served.policy_ids) == {policy}
            case Deny():
                proof = club.doors.accepted_without_proof
                assert all(u.status is UserStatus.DEACTIVATED or u.id in proof for u in users)
            case Skip():
                assert not any(after.managed.intersection(user.policy_ids) for user in users)
            case Unknown():
                unchanged = before.users_of.get(verdict.contact_id, ())
                # Only a card may be gone, reclaimed from a user who is deactivated (R3).
                assert [replace(u, tokens=()) for u in users] == [
                    replace(u, tokens=()) for u in unchanged
                ]
            case _:
                pass


@given(clubs())
def test_a_member_ends_up_with_the_wanted_card_or_is_told_why_not(club: Club) -> None:
    """And in either case with no other card of ours."""
    done = plan(club.site())
    club.doors.carry_out(done)
    after = club.site().snapshot
    blocked = {one.contact_id for one in done.blocked}
    waiting = {one.contact_id for one in done.notices if one.kind in WAITING}
    for verdict in club.verdicts:
        number = wanted_number(verdict)
        if number is None or verdict.contact_id in waiting:
            continue
        served = serving_user(after.users_of[verdict.contact_id], verdict, after)
        assert served is not None
        on_user = after.cards_held_by.get(served.id, ())
        assert (number in {card.number for card in on_user}) != (verdict.contact_id in blocked)
        assert all(card.number == number for card in on_user if card.is_ours)


@given(clubs(), holds)
def test_an_active_holder_never_loses_a_card_to_somebody_else(club: Club, held: Held) -> None:
    """P3, seen from the holder: a card leaves an active user by that user's own change alone."""
    before, done = club.site().snapshot, plan(club.site(), held)
    own_frees = {
        (one.step.user, one.step.token)
        for one in done.steps()
        if isinstance(one.step, FreeCard) and before.user[one.step.user].contact_id is not None
    }
    club.doors.carry_out(done)
    after = club.site().snapshot
    for card in before.cards:
        if isinstance(card.holder, HeldByUser) and card.holder.user_id in before.user:
            holder = before.user[card.holder.user_id]
            is_gone = after.card[card.token].holder != card.holder
            if is_gone and holder.status is not UserStatus.DEACTIVATED:
                assert (holder.id, card.token) in own_frees


@seldom
@given(clubs(), holds)
def test_force_is_never_used_but_against_a_holder_who_is_deactivated_and_stays_so(
    club: Club, held: Held
) -> None:
    """P3."""
    world = club.site()
    steps = plan(world, held).steps()
    activated = {one.step.user for one in steps if isinstance(one.step, ActivateUser)}
    for one in steps:
        if isinstance(one.step, ReclaimCard):
            assert world.snapshot.card[one.step.card].holder == HeldByUser(one.step.holder)
            assert world.snapshot.user[one.step.holder].status is UserStatus.DEACTIVATED
            assert one.step.holder not in activated


@seldom
@given(clubs(), holds)
def test_unmanaged_users_are_in_no_step_but_as_holders_of_a_card_that_is_reclaimed(
    club: Club, held: Held
) -> None:
    """P4. Nor is anybody's user in the change of somebody else."""
    world = club.site()
    for one in plan(world, held).steps():
        for user_id in users_written(one.step):
            assert world.snapshot.user[user_id].contact_id == one.change.contact_id


@seldom
@given(clubs(), holds)
def test_only_a_leaver_loses_cards_that_do_not_carry_our_mark(club: Club, held: Held) -> None:
    world = club.site()
    for one in plan(world, held).steps():
        if isinstance(one.step, FreeCard):
            freed = world.snapshot.card[one.step.token]
            assert freed.holder == HeldByUser(one.step.user)
            assert freed.is_ours or one.change.change_class is ChangeClass.REVOKE


@seldom
@given(clubs(), holds)
def test_the_order_of_a_plan_is_that_of_r4(club: Club, held: Held) -> None:
    steps = plan(club.site(), held).steps()
    keys = [(one.step.phase, _turn(one.step), one.change.contact_id) for one in steps]
    assert keys == sorted(keys)
    assert all(_phases(one.step) for one in steps), "no step in a phase that is not its own"
    frees, binds = _places(steps, FreeCard), _places(steps, (BindCard, ReclaimCard))
    assert not frees or not binds or max(frees) < min(binds), "all frees before all binds"
    for number, one in enumerate(steps):
        is_revocation = one.change.change_class is ChangeClass.REVOKE
        before = steps[:number]
        if is_revocation:
            assert all(other.change.change_class is ChangeClass.REVOKE for other in before)
        if isinstance(one.step, ActivateUser | CreateUser):
            assert not any(
                isinstance(other.step, BindCard | ReclaimCard) and other.change is one.change
                for other in before
            )


@seldom
@given(clubs(), holds)
def test_a_users_first_policy_is_its_last_step_and_the_deactivation_a_leavers(
    club: Club, held: Held
) -> None:
    for change in plan(club.site(), held).changes:
        match change.change_class:
            case ChangeClass.RESTORE:
                assert isinstance(change.steps[-1], SetPolicies)
            case ChangeClass.GRANT if any(isinstance(s, CreateUser) for s in change.steps):
                assert isinstance(change.steps[-1], SetPolicies)
            case ChangeClass.REVOKE:
                assert isinstance(change.steps[-1], DeactivateUser)
                assert all(isinstance(s, FreeCard | DeactivateUser) for s in change.steps)
                frees = [s for s in change.steps if isinstance(s, FreeCard)]
                assert all(step.on_refusal is OnRefusal.GO_ON for step in frees)
            case _:
                pass


@seldom
@given(clubs(), holds)
def test_nothing_happens_to_whoever_is_unknown_or_held(club: Club, held: Held) -> None:
    """P1."""
    doubtful = {v.contact_id for v in club.verdicts if isinstance(v.entitlement, Unknown)}
    changes = plan(club.site(), held).changes
    assert not doubtful & {change.contact_id for change in changes}
    assert not held & {(change.contact_id, change.change_class) for change in changes}


@seldom
@given(clubs(), holds)
def test_each_person_has_one_change_of_a_class_and_none_without_a_step(
    club: Club, held: Held
) -> None:
    changes = plan(club.site(), held).changes
    keys = [(change.contact_id, change.change_class) for change in changes]
    assert len(keys) == len(set(keys))
    assert [contact_id for contact_id, _ in keys] == sorted(contact_id for contact_id, _ in keys)
    assert all(change.steps for change in changes)


@seldom
@given(clubs(), st.randoms(use_true_random=False))
def test_the_order_of_the_controllers_rows_makes_no_difference(club: Club, chance: Random) -> None:
    """Nor does that of CiviCRM's, so that a plan that was approved is found again (§6)."""
    world = club.site()
    users, cards = list(world.snapshot.users), list(world.snapshot.cards)
    verdicts = list(world.verdicts.items())
    for rows in (users, cards, verdicts):
        chance.shuffle(rows)
    rows_again = Snapshot(tuple(users), tuple(cards))
    shuffled = replace(world, snapshot=rows_again, verdicts=dict(verdicts))
    assert plan(shuffled) == plan(world)
    assert plan(shuffled).digest(b"key") == plan(world).digest(b"key")


@seldom
@given(clubs(), clubs())
def test_the_digests_of_two_plans_are_equal_exactly_when_their_changes_are(
    one: Club, two: Club
) -> None:
    first, second = plan(one.site()), plan(two.site())
    assert (first.digest(b"key") == second.digest(b"key")) == (first.changes == second.changes)


def _turn(step: Step) -> int:
    return step.turn if isinstance(step, UpdateProfile) else 0


def _places(steps: Sequence[PlannedStep], kinds: type[Step] | tuple[type[Step], ...]) -> list[int]:
    return [number for number, one in enumerate(steps) if isinstance(one.step, kinds)]


def _phases(step: Step) -> bool:
    """Say whether R4 lets such a step run in its phase."""
    match step:
        case FreeCard():
            return step.phase in (Phase.REVOKE, Phase.FREE, Phase.LATE_FREE)
        case DeactivateUser():
            return step.phase is Phase.REVOKE
        case ImportCard():
            return step.phase is Phase.IMPORT
        case CreateUser() | ActivateUser():
            return step.phase is Phase.PEOPLE
        case UpdateProfile():
            return step.phase in (Phase.KNOWN, Phase.PEOPLE, Phase.ADDRESSES)
        case BindCard() | ReclaimCard():
            return step.phase is Phase.BIND
        case SetPolicies(policy=policy):
            with_policy = (Phase.KNOWN, Phase.POLICY)
            return step.phase in (with_policy if policy else (Phase.KNOWN, Phase.PEOPLE))

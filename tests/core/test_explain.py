"""One person's chain of reasons, looked up in what was read and decided."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from door_sync.core.approvals import Approval, Approvals, hold_of
from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.controller import Card, HeldByVisitor, User, VisitorId
from door_sync.core.decision import Habits, Remembered, World, decide
from door_sync.core.explain import Counts, Explanation, Known, explain
from door_sync.core.guards import Budgets
from door_sync.core.people import ContactId, Member, Membership, PersonInFull
from door_sync.core.situation import Create, Keep, LeaveAlone, Nothing, Wait
from door_sync.core.steps import ChangeClass, NoticeKind
from door_sync.core.tiers import CUT_OFF, Deny, Skip, Unknown, Verdict
from tests.core.builders import (
    BY_HAND,
    DEACTIVATED,
    GOLD,
    PENDING,
    SILVER,
    card,
    held,
    member,
    membership,
    user,
)
from tests.core.deciding import HABITS, NOTHING, gold, settled, world

ONE = ContactId(1)
LONG_AGO = date(2026, 1, 1)


def explained(
    read: World,
    contact: int = 1,
    *,
    habits: Habits = HABITS,
    remembered: Remembered = NOTHING,
    in_full: PersonInFull | None = None,
) -> Explanation:
    decision = decide(read, habits, remembered)
    return explain(ContactId(contact), read, habits, decision, remembered.cut_off, in_full)


def with_all(one: Member, *memberships: Membership) -> PersonInFull:
    """The contact as CiviCRM has it in full; a cycle saw only those that count."""
    return PersonInFull(one, memberships)


def club(
    members: Iterable[Member] = (),
    users: Iterable[User] = (),
    cards: Iterable[Card] = (),
    answered: Iterable[Member] = (),
) -> World:
    """Contact 9 is a member who stays, so that the source is not empty."""
    stays, staying_card = settled(9)
    return world([gold(9), *members], [stays, *users], [staying_card, *cards], answered=answered)


# Memberships.


def numbered(
    number: int,
    name: str = "Gold",
    status: str = "Current",
    *,
    is_test: bool = False,
    end: date | None = None,
) -> Membership:
    return replace(membership(name, status, end=end, is_test=is_test), id=number)


def test_each_membership_says_whether_it_counts_and_why_and_one_decides() -> None:
    running = numbered(1)
    lesser = numbered(2, "Silver")
    expired = numbered(3, "Gold", "Expired")
    test = numbered(4, is_test=True)
    stale = numbered(5, "Bronze", end=LONG_AGO)
    one = member(1, running, lesser, stale)
    found = explained(club([one]), in_full=with_all(one, running, lesser, expired, test, stale))
    told = [(seen.membership.id, seen.counts, seen.decides) for seen in found.memberships]
    assert told == [
        (1, Counts.YES, True),
        (2, Counts.YES, False),
        (3, Counts.NOT_ACTIVE, False),
        (4, Counts.TEST, False),
        (5, Counts.STALE, False),
    ]
    rules = [seen.rule.key for seen in found.memberships if seen.rule is not None]
    assert rules == ["Gold", "Silver", "Gold", "Gold", "Bronze"]


def test_a_stale_one_that_the_settings_deny_does_not_count() -> None:
    one = member(1, numbered(5, end=LONG_AGO))
    found = explained(
        club([one]),
        habits=replace(HABITS, stale_denies=True),
        in_full=with_all(one, *one.memberships),
    )
    assert [seen.counts for seen in found.memberships] == [Counts.STALE_DENIED]
    assert not Counts.STALE_DENIED.is_so
    assert found.verdict is not None
    assert isinstance(found.verdict.entitlement, Deny)


def test_a_stale_one_counts_unless_the_settings_deny_it() -> None:
    assert {one for one in Counts if one.is_so} == {Counts.YES, Counts.STALE}


def test_with_one_that_has_no_rule_none_decides() -> None:
    one = member(1, numbered(1), numbered(2, "Unruled"))
    found = explained(club([one]))
    assert [(seen.decides, seen.rule is None) for seen in found.memberships] == [
        (False, False),
        (False, True),
    ]
    assert isinstance(found.situation, LeaveAlone)


# Who it is.


def test_somebody_in_the_list_is_explained_by_the_very_verdict_of_the_cycle() -> None:
    read = club([gold(1)])
    decision = decide(read, HABITS, NOTHING)
    found = explain(ONE, read, HABITS, decision, (), None)
    assert found.known is Known.LISTED
    assert found.verdict is decision.verdicts[ONE]
    assert isinstance(found.situation, Create)
    assert found.number == CardNumber(1001)


@pytest.mark.parametrize(
    ("one", "entitled"),
    [
        (gold(1, None), Deny("the card field is empty")),
        (member(1, card=None), Deny("no active membership")),
        (member(1, membership("Day"), card=None), Skip("Day")),
        (member(1, membership("Gold"), is_deleted=True), Deny("the contact is in CiviCRM's trash")),
    ],
)
def test_somebody_whom_no_cycle_asks_for_gets_the_verdict_that_it_would_give(
    one: Member, entitled: object
) -> None:
    read = club()
    found = explained(read, in_full=with_all(one, *one.memberships))
    assert found.known is Known.ASKED
    assert found.verdict is not None
    assert found.verdict.entitlement == entitled
    assert isinstance(found.situation, Nothing)


def test_somebody_who_was_asked_for_is_known_without_being_listed() -> None:
    read = club(users=[user("u1", 1)], answered=[member(1)])
    found = explained(read)
    assert found.known is Known.ASKED
    assert [one.step for one in found.running]


def test_whom_nobody_knows_is_said_to_be_unknown() -> None:
    found = explained(club())
    assert (found.known, found.verdict, found.is_known) == (Known.NOT_RETURNED, None, False)
    assert (found.serving, found.running, found.memberships) == (None, (), ())


def test_a_deactivated_user_of_a_contact_that_is_gone_is_shown() -> None:
    found = explained(club(users=[user("u1", 1, DEACTIVATED)]))
    assert (found.verdict, found.is_known) == (None, True)
    assert found.serving is None
    assert [one.user.id for one in found.users] == ["u1"]


def test_a_contact_that_was_not_returned_for_the_first_time_is_unknown() -> None:
    found = explained(club(users=[user("u1", 1)]))
    assert found.known is Known.NOT_RETURNED
    assert found.verdict is not None
    assert isinstance(found.verdict.entitlement, Unknown)


def test_a_cut_off_outweighs_the_membership_that_decides() -> None:
    found = explained(club([gold(1)]), remembered=replace(NOTHING, cut_off=frozenset({ONE})))
    assert found.is_cut_off
    assert found.verdict is not None
    assert found.verdict.entitlement == Deny(CUT_OFF)
    assert found.memberships[0].decides


# Cards.


def test_a_number_of_two_members_names_the_other_one() -> None:
    read = club([gold(1, 1500), gold(2, 1500), member(3, card=1500)])
    assert explained(read).shares_with == (2,)
    assert explained(read, 2).shares_with == (1,)
    assert explained(read, 3).shares_with == ()


def test_somebody_cut_off_is_named_as_the_other_one_too() -> None:
    read = club([gold(1, 1500), gold(2, 1500)])
    remembered = replace(NOTHING, cut_off=frozenset({ContactId(2)}))
    assert explained(read, remembered=remembered).shares_with == (2,)


def test_a_contact_that_civicrm_did_not_return_shares_no_number() -> None:
    read = club([gold(1, 1500), gold(2, 1500)], users=[user("u3", 3)])
    assert explained(read, 3).known is Known.NOT_RETURNED
    assert explained(read).shares_with == (2,)


def test_a_malformed_card_field_is_no_number() -> None:
    found = explained(club([gold(1, BadCard.NOT_DIGITS)]))
    assert (found.number, found.cards, found.shares_with) == (None, (), ())


def test_cards_with_the_number_come_with_their_holders() -> None:
    other = user("u2", 2)
    read = club(
        [gold(1, 1500)],
        [other],
        [
            card(1500, held("u2"), name="a"),
            card(1500, HeldByVisitor(VisitorId("v")), name="b"),
        ],
        answered=[gold(2, None)],
    )
    found = explained(read)
    holders = [one.holder.id if one.holder else None for one in found.cards]
    assert holders == ["u2", None]
    assert [one.reason for one in found.blocked] == [
        "two cards in the controller carry this number"
    ]


# The controller.


def test_users_come_with_cards_and_policies_apart_by_who_gives_them() -> None:
    one = user("u1", 1, policies=[GOLD, BY_HAND])
    second = user("u2", 1, DEACTIVATED, policies=[SILVER])
    read = club([gold(1)], [one, second], [card(1001, held("u1"))])
    found = explained(read)
    first, other = found.users
    assert (first.tiers, first.others, len(first.cards), first.serves) == (
        (GOLD,),
        (BY_HAND,),
        1,
        True,
    )
    assert (other.tiers, other.serves) == ((SILVER,), False)
    assert found.serving is first
    assert [one.kind for one in found.notices] == [NoticeKind.TWO_USERS]
    assert isinstance(found.situation, Keep)


def test_an_invited_administrator_waits() -> None:
    found = explained(club([gold(1)], [user("u1", 1, PENDING)]))
    assert isinstance(found.situation, Wait)
    assert found.running == ()


# The next cycle.


def test_the_steps_are_those_of_the_plan_in_its_order() -> None:
    read = club([gold(1), gold(2)])
    found = explained(read)
    decision = decide(read, HABITS, NOTHING)
    mine = [one for one in decision.plan.steps() if one.change.contact_id == 1]
    assert [*found.running] == mine
    assert len(mine) == 4


def test_what_is_held_names_its_guards_and_does_not_run() -> None:
    users = [user(f"u{number}", number) for number in range(1, 6)]
    answered = [member(number) for number in range(1, 6)]
    read = club(users=users, answered=answered)
    habits = replace(HABITS, budgets=Budgets(few=3))
    found = explained(read, habits=habits)
    [change] = found.held
    assert change.change.change_class is ChangeClass.REVOKE
    assert [guard.guard for guard in change.guards] == ["mass deactivation"]
    assert found.running == ()
    assert [guard.guard for guard in found.doubts] == ["mass deactivation"]


def test_a_held_class_leaves_the_other_guards_and_classes_out() -> None:
    joining = [gold(number) for number in range(1, 6)]
    habits = replace(HABITS, budgets=Budgets(add=0.1, floor=0, few=3))
    found = explained(club(joining), habits=habits)
    assert [one.change.change_class for one in found.held] == [ChangeClass.GRANT]
    assert found.doubts == ()


def approved_joining() -> tuple[World, Habits, Remembered]:
    """Five people join, which a guard held and a person approved; contact 9 is as ever."""
    joining = [gold(number) for number in range(1, 6)]
    habits = replace(HABITS, budgets=Budgets(add=0.1, floor=0, few=3))
    read, key = club(joining), bytes(32)
    first = decide(read, habits, NOTHING)
    hold = hold_of(first.held_plan, first.objections, key)
    assert hold is not None
    return read, habits, replace(NOTHING, approvals=Approvals(key, [Approval(hold)]))


def test_what_a_person_approved_names_the_guard() -> None:
    read, habits, remembered = approved_joining()
    found = explained(read, habits=habits, remembered=remembered)
    assert found.approved == ("mass addition",)
    assert found.held == ()
    assert found.running


def test_what_is_explained_is_of_this_contact_and_its_own_book() -> None:
    read = club()
    found = explained(read, in_full=with_all(gold(1, None), membership("Gold")))
    assert found.contact_id == 1
    assert found.verdict == Verdict(ONE, Deny("the card field is empty"), None, found.member)
    cut_off = explained(
        read,
        remembered=replace(NOTHING, cut_off=frozenset({ONE})),
        in_full=with_all(gold(1, None)),
    )
    assert cut_off.verdict is not None
    assert cut_off.verdict.entitlement == Deny(CUT_OFF)
    seen = explained(club([gold(1)], [user("u1", 1)], [card(1001, held("u1"))]))
    assert [(one.card.number, one.holder and one.holder.id) for one in seen.cards] == [
        (CardNumber(1001), "u1")
    ]


def test_somebody_without_a_card_shares_no_number() -> None:
    assert explained(club([gold(2, 1500), gold(3, 1500)]), 1).shares_with == ()
    read = club([gold(1, 1500), gold(2, 1500)], users=[user("u4", 4)], answered=[gold(4, None)])
    assert explained(read, 4).shares_with == ()


def test_each_held_change_names_the_guards_of_its_class_alone() -> None:
    joining = [gold(number) for number in range(1, 6)]
    moved = [gold(number) for number in range(11, 16)]
    users = [user(f"u{number}", number, policies=[GOLD]) for number in range(11, 16)]
    tight = Budgets(add=0.1, card=0.1, floor=0, few=3)
    read, habits = club([*joining, *moved], users), replace(HABITS, budgets=tight)
    [joined], [bound] = (explained(read, n, habits=habits).held for n in (1, 11))
    assert [guard.guard for guard in joined.guards] == ["mass addition"]
    assert [guard.guard for guard in bound.guards] == ["mass card change"]


def test_an_approval_is_named_for_those_it_speaks_of_alone() -> None:
    read, habits, remembered = approved_joining()
    assert explained(read, 9, habits=habits, remembered=remembered).approved == ()


def test_what_is_blocked_or_noticed_of_somebody_else_is_not_told() -> None:
    """Contact 2 wants a card that an unmanaged user has, and contact 3 has one by hand."""
    three, own = settled(3)
    by_hand = card(1500, held("u3"), ours=False)
    taken = card(1700, held("v1"))
    read = club([gold(1), gold(2, 1700), gold(3)], [user("v1"), three], [own, by_hand, taken])
    assert explained(read, 2).blocked
    assert explained(read, 3).notices
    found = explained(read)
    assert (found.blocked, found.notices) == ((), ())
    assert {one.change.contact_id for one in found.running} == {1}


def test_only_who_has_the_same_number_shares_it() -> None:
    read = club([gold(4, 1500), gold(2, 1500), gold(1, 1500), gold(3, 1600), gold(5, 1600)])
    assert explained(read).shares_with == (2, 4)
    assert explained(read, 5).shares_with == (3,)

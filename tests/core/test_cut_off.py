"""Whoever a person cut off has no access, whatever CiviCRM says, and alarms nobody (§6)."""

from dataclasses import replace

import pytest

from door_sync.core.controller import UserStatus
from door_sync.core.decision import Remembered, decide
from door_sync.core.people import ContactId, Member
from door_sync.core.reports import cut_off_notices
from door_sync.core.steps import BindCard, ChangeClass, NoticeKind
from door_sync.core.tiers import CUT_OFF, DUPLICATE_CARD, CardUnknown, Deny, entitlement, verdicts
from tests.core.builders import (
    ACTIVE,
    DEACTIVATED,
    GOLD,
    NO_STATUS,
    PENDING,
    card,
    classes,
    held,
    member,
    membership,
    of_kind,
    tier_book,
    user,
)
from tests.core.deciding import HABITS, NOTHING, gold, guards, settled, world

ONE = frozenset({ContactId(1)})
BOOK = replace(tier_book(), cut_off=ONE)


def without(*contacts: int) -> Remembered:
    return replace(NOTHING, cut_off=frozenset(map(ContactId, contacts)))


@pytest.mark.parametrize(
    "contact",
    [
        gold(1),
        member(1),
        member(1, membership("Day")),
        member(1, membership("Unruled")),
        member(1, membership("Gold"), is_deleted=True),
    ],
)
def test_nothing_that_civicrm_says_outweighs_a_cut_off(contact: Member) -> None:
    assert entitlement(contact, BOOK) == Deny(CUT_OFF)
    assert entitlement(replace(contact, contact_id=ContactId(2)), BOOK) != Deny(CUT_OFF)


def test_a_number_stays_a_duplicate_when_one_of_its_two_members_is_cut_off() -> None:
    """He may have the card in his pocket, and it must not open doors for him in another's name."""
    found = verdicts([gold(1, 1500), gold(2, 1500), gold(3)], BOOK)
    assert found[ContactId(1)].entitlement == Deny(CUT_OFF)
    assert found[ContactId(2)].card == CardUnknown(DUPLICATE_CARD)
    lapsed = verdicts([member(1, card=1500), gold(2, 1500)], BOOK)
    assert not isinstance(lapsed[ContactId(2)].card, CardUnknown)
    one = world([gold(1, 1500), gold(2, 1500)], [user("u2", 2, policies=[GOLD])], [card(1500)])
    assert of_kind(decide(one, HABITS, without(1)).plan, BindCard) == []


@pytest.mark.parametrize("status", [ACTIVE, PENDING, NO_STATUS])
def test_a_paying_member_who_is_cut_off_is_revoked_and_stays_so(status: UserStatus) -> None:
    shown, own = settled(1)
    one = world([gold(1)], [replace(shown, status=status)], [own])
    decision = decide(one, HABITS, without(1))
    assert classes(decision.plan) == [(1, ChangeClass.REVOKE)]
    assert decision.plan.changes[0].reason == CUT_OFF
    assert decision.uncounted == {(ContactId(1), ChangeClass.REVOKE)}
    after = world([gold(1)], [replace(shown, status=DEACTIVATED)], [own])
    assert decide(after, HABITS, without(1)).plan.changes == ()
    assert classes(decide(after, HABITS, NOTHING).plan) == [(1, ChangeClass.RESTORE)]


def test_somebody_who_is_cut_off_and_unknown_to_civicrm_is_revoked_at_once_without_alarm() -> None:
    """One in a hundred may be missing; of two, nobody would be denied."""
    users = [user("u1", 1), user("u2", 2), user("u3", 3), settled(4)[0]]
    one = world([gold(4)], users, [settled(4)[1]])
    assert guards(decide(one, HABITS, NOTHING)) == ["people vanished"]
    decision = decide(one, HABITS, without(1, 2))
    assert guards(decision) == []
    assert classes(decision.plan) == [(1, ChangeClass.REVOKE), (2, ChangeClass.REVOKE)]
    assert decision.missing == {1, 2, 3}
    assert decision.uncounted == {(ContactId(n), ChangeClass.REVOKE) for n in (1, 2)}


def test_a_revocation_that_was_accepted_without_a_status_counts_as_vanished_no_more() -> None:
    users = [user("u1", 1, NO_STATUS), user("u2", 2, NO_STATUS), settled(4)[0]]
    one = world([gold(4)], users, [settled(4)[1]])
    assert guards(decide(one, HABITS, NOTHING)) == ["people vanished"]
    accepted = frozenset(shown.id for shown in users[:2])
    decision = decide(one, HABITS, replace(NOTHING, settled=accepted))
    assert guards(decision) == []
    assert decision.plan.changes == ()
    with_one_more = world([gold(4)], [*users, user("v1", 1)], [settled(4)[1]])
    only_one = decide(with_one_more, HABITS, replace(NOTHING, settled=accepted))
    assert guards(only_one) == [], "one is no crowd"


def test_many_who_are_cut_off_hold_nothing() -> None:
    everybody = [settled(n) for n in range(1, 11)]
    one = world(
        [gold(n) for n in range(1, 11)], [u for u, _ in everybody], [c for _, c in everybody]
    )
    decision = decide(one, HABITS, without(*range(1, 10)))
    assert guards(decision) == []
    assert len(decision.plan.changes) == 9


def test_a_club_whose_every_member_is_cut_off_is_no_empty_source() -> None:
    shown, own = settled(1)
    decision = decide(world([gold(1)], [shown], [own]), HABITS, without(1))
    assert guards(decision) == []
    lapsed = decide(world([member(1)], [shown], [own]), HABITS, without(1))
    assert guards(lapsed) == ["empty source"]


def test_everybody_who_is_cut_off_is_named_with_what_ends_it() -> None:
    found = cut_off_notices([ContactId(7), ContactId(3)])
    assert [one.contact_id for one in found] == [3, 7]
    assert {one.kind for one in found} == {NoticeKind.CUT_OFF}
    assert "`door-sync restore 7`" in found[1].text
    decision = decide(world([gold(1)]), HABITS, without(9))
    assert [one.contact_id for one in decision.notices] == [9]


def test_a_card_of_somebody_cut_off_can_be_given_to_its_new_owner() -> None:
    """Once CiviCRM says so: contact 1 has another number there."""
    shown, own = settled(1)
    one = world([gold(1, 1999), gold(2, 1001)], [shown, user("u2", 2, policies=[GOLD])], [own])
    decision = decide(one, HABITS, without(1))
    [bound] = of_kind(decision.plan, BindCard)
    assert bound.card == own.token
    assert own.holder == held("u1")


def test_whoever_is_cut_off_is_revoked_also_while_a_guard_holds_the_whole_cycle() -> None:
    """The controller was out of reach when a person asked for it; that others wait for a person
    must not let this one keep their access."""
    users, cards = zip(*(settled(n) for n in range(1, 21)), strict=True)
    left = [member(n, membership("Gold", "Expired"), card=1000 + n) for n in range(11, 21)]
    stay = [gold(n) for n in range(1, 11)]
    decision = decide(world([*stay, *left], users, cards), HABITS, without(1))
    assert guards(decision) == ["mass deactivation"]
    assert decision.is_in_doubt
    assert [(c.contact_id, c.change_class) for c in decision.plan.changes] == [
        (ContactId(1), ChangeClass.REVOKE)
    ]
    assert {contact_id for contact_id, _ in decision.held} == set(range(11, 21))

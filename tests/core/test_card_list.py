"""Every card has one state, the first that fits, and none is left out."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given

from door_sync.core.card_list import CardState, ListedCard, card_list
from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.controller import Card, HeldByVisitor, HolderUnknown, User, UserId, VisitorId
from door_sync.core.custody import NOT_LISTED
from door_sync.core.people import ContactId
from door_sync.core.planner import plan
from door_sync.core.steps import Blocked, HolderShown
from door_sync.core.tiers import Verdict
from tests.core.builders import (
    DEACTIVATED,
    PENDING,
    card,
    deny,
    grant,
    held,
    site,
    skip,
    snapshot,
    token,
    unknown,
    user,
)
from tests.core.worlds import Club, clubs

VISITOR = HeldByVisitor(VisitorId("v1"))


def listed(
    verdicts: Iterable[Verdict] = (),
    users: Iterable[User] = (),
    cards: Iterable[Card] = (),
    *,
    ended: Iterable[str] = (),
    failed: Iterable[int] = (),
) -> list[ListedCard]:
    """The list of a club, with what its own plan says is blocked."""
    seen = replace(snapshot(users, cards), ended_visits=frozenset(map(VisitorId, ended)))
    here = site(verdicts, seen=seen, failed_imports=failed)
    return [*card_list(here.snapshot, here.verdicts, plan(here).blocked)]


@pytest.mark.parametrize(
    ("verdict", "holder", "held_card", "state"),
    [
        (grant(), user("u", 1), card(1001, held("u")), CardState.IN_USE),
        (grant(), user("u", 1), card(1001, held("u"), ours=False), CardState.IN_USE),
        (grant(card=BadCard.NOT_DIGITS), user("u", 1), card(9, held("u")), CardState.IN_USE),
        (unknown(), user("u", 1), card(9, held("u")), CardState.IN_USE),
        (skip(), user("u", 1), card(9, held("u"), ours=False), CardState.BY_HAND),
        (grant(card=None), user("u", 1), card(None, held("u"), ours=False), CardState.BY_HAND),
        (deny(), user("u", 1), card(9, held("u"), ours=False), CardState.LEAVING),
        (deny(), user("u", 1, DEACTIVATED), card(9, held("u")), CardState.STUCK),
        (deny(), user("u", None, DEACTIVATED), card(9, held("u")), CardState.STUCK),
        (deny(), user("u"), card(9, held("u")), CardState.UNMANAGED),
        (deny(), user("u", None, PENDING), card(9, held("u")), CardState.UNMANAGED),
        (deny(), user("u"), card(9), CardState.FREE),
        (deny(), user("u"), card(9, VISITOR), CardState.VISITOR),
        (deny(), user("u"), card(9, HolderUnknown()), CardState.UNKNOWN_HOLDER),
        (deny(), user("u"), card(9, held("gone")), CardState.UNKNOWN_HOLDER),
    ],
)
def test_a_card_has_the_state_of_its_holder(
    verdict: Verdict, holder: User, held_card: Card, state: CardState
) -> None:
    [found] = [one for one in listed([verdict], [holder], [held_card]) if one.token is not None]
    assert found.state is state
    assert found.token == held_card.token


def test_a_card_that_the_member_no_longer_has_in_civicrm_is_leaving_and_the_new_one_coming() -> (
    None
):
    old, new = listed([grant(card=1002)], [user("u", 1)], [card(1001, held("u"))])
    assert (old.state, old.number) == (CardState.LEAVING, CardNumber(1001))
    assert (new.state, new.token, new.wanted_by) == (CardState.COMING, None, (1,))


def test_a_visit_that_is_over_is_told_apart() -> None:
    [found] = listed(cards=[card(9, VISITOR)], ended=["v1"])
    assert found.state is CardState.ENDED_VISIT
    assert found.holder is not None
    assert found.holder.visitor_id == "v1"


def test_a_holder_that_only_the_card_names_is_told() -> None:
    unknown = [card(8, HolderUnknown(UserId("gone"))), card(9, HolderUnknown())]
    found = {one.number: one for one in listed(cards=unknown)}
    assert {one.state for one in found.values()} == {CardState.UNKNOWN_HOLDER}
    assert found[CardNumber(8)].holder == HolderShown(user_id=UserId("gone"))
    assert found[CardNumber(9)].holder is None
    in_capitals = [card(8, HolderUnknown(UserId("GONE"))), card(9, HolderUnknown())]
    assert [one.holder for one in listed(cards=in_capitals)] == [
        None,
        HolderShown(user_id=UserId("GONE")),
    ]


@pytest.mark.parametrize("holder", [user("u2"), user("u2", 2)])
def test_a_card_that_a_member_should_have_and_somebody_active_holds_is_blocked(
    holder: User,
) -> None:
    """It outweighs whatever else could be said of the card."""
    [found] = listed([grant(), unknown(2)], [user("u1", 1), holder], [card(1001, held("u2"))])
    assert found.state is CardState.BLOCKED
    assert found.blocked is not None
    assert found.wanted_by == (1,)
    assert found.holder is not None
    assert found.holder.user_id == "u2"


def test_a_number_whose_import_failed_is_blocked_though_no_card_is_there() -> None:
    here = site([grant()], [user("u1", 1)], failed_imports=[1])
    [found] = card_list(here.snapshot, here.verdicts, plan(here).blocked)
    assert (found.state, found.token, found.wanted_by) == (CardState.BLOCKED, None, (1,))


def test_what_needs_somebody_comes_first() -> None:
    found = listed(
        [grant(1, 1001), grant(2, 1002)],
        [user("u1", 1), user("u2", 2), user("u9")],
        [card(1001, held("u1")), card(1002, held("u9")), card(1003)],
    )
    assert [one.state for one in found] == [CardState.BLOCKED, CardState.FREE, CardState.IN_USE]


@given(clubs())
def test_each_card_is_listed_once_and_so_is_each_number_that_is_wanted_or_blocked(
    club: Club,
) -> None:
    here = club.site()
    blocked = plan(here).blocked
    found = card_list(here.snapshot, here.verdicts, blocked)
    tokens = [one.token for one in found if one.token is not None]
    assert sorted(tokens) == sorted(one.token for one in here.snapshot.cards)
    beside = [one.number for one in found if one.token is None]
    assert len(set(beside)) == len(beside)
    known = {one.number for one in found}
    for verdict in here.verdicts.values():
        assert not isinstance(verdict.card, CardNumber) or verdict.card in known
    in_the_way = {one.number for one in blocked}
    for one in found:
        assert (one.state is CardState.BLOCKED) is (one.number in in_the_way)
        assert one.token is not None or one.state in (CardState.BLOCKED, CardState.COMING)
    assert any(one.reason == NOT_LISTED for one in blocked) is any(
        one.blocked is not None and one.blocked.reason == NOT_LISTED for one in found
    )


def test_a_card_on_a_user_tells_who_holds_it() -> None:
    [found] = listed([deny()], [user("u", 1, PENDING)], [card(None, held("u"))])
    assert found == ListedCard(
        CardState.LEAVING,
        None,
        token("without-number"),
        HolderShown(UserId("u"), None, ContactId(1), PENDING),
    )
    [gone] = listed(cards=[card(9, held("gone"))])
    assert gone.holder == HolderShown(user_id=UserId("gone"))
    assert gone.wanted_by == ()


def test_a_card_of_a_contact_that_no_cycle_asks_for_is_in_use_as_far_as_anybody_knows() -> None:
    [found] = listed([], [user("u", 1)], [card(9, held("u"))])
    assert found.state is CardState.IN_USE


def test_two_members_who_want_one_number_are_both_told() -> None:
    [found] = listed([grant(2, 1001), grant(1, 1001)], failed=[1, 2])
    assert found.wanted_by == (1, 2)


def test_what_stands_in_the_way_of_a_number_without_a_card_is_told() -> None:
    """Somebody else may hold the number, as far as a plan that is not ours says."""
    shown = HolderShown(user_id=UserId("u9"))
    obstacle = Blocked(ContactId(1), CardNumber(1001), "in the way", shown)
    [found] = card_list(snapshot(), {}, [obstacle])
    assert found == ListedCard(CardState.BLOCKED, CardNumber(1001), None, shown, blocked=obstacle)


def test_cards_of_one_state_are_sorted_by_who_wants_them_then_by_who_holds_them() -> None:
    left = [user("a", 9, DEACTIVATED), user("z", None, DEACTIVATED), user("y", None, DEACTIVATED)]
    cards = [card(1, held("z")), card(2, held("a")), card(3, held("y"))]
    found = listed([], left, cards)
    assert [one.holder.user_id for one in found if one.holder] == ["y", "z", "a"]
    new = listed([grant(2, 1001), grant(1, 1002)])
    assert [one.wanted_by for one in new] == [(1,), (2,)]
    visits = [card(4, HeldByVisitor(VisitorId("w"))), card(5, HeldByVisitor(VisitorId("v")))]
    assert [one.number for one in listed(cards=visits)] == [CardNumber(5), CardNumber(4)]
    free = listed([grant(1, 1006)], failed=[], cards=[card(1007), card(1006)])
    assert [one.number for one in free] == [CardNumber(1007), CardNumber(1006)]


def test_cards_in_one_state_come_by_token() -> None:
    free = [card(1003), card(1001), card(1002)]
    found = listed(cards=free)
    assert [one.token for one in found] == sorted(one.token for one in free)

"""R3: the table of custody, row by row, and P3: no force but against the DEACTIVATED."""

from collections.abc import Collection

import pytest

from door_sync.core.cards import CardNumber
from door_sync.core.controller import (
    Card,
    Free,
    HeldByUser,
    HeldByVisitor,
    Holder,
    HolderUnknown,
    Snapshot,
    User,
    UserId,
    UserStatus,
    VisitorId,
)
from door_sync.core.custody import (
    HELD,
    IMPORT_FAILED,
    NOBODY_KNOWS,
    NOT_LISTED,
    RESTORED,
    TWO_CARDS,
    VISITOR,
    Bind,
    Import,
    Moves,
    OutOfReach,
    Own,
    Reach,
    Reclaim,
    judge,
    reach,
)
from door_sync.core.people import ContactId
from door_sync.core.steps import HolderShown
from tests.core.builders import (
    ACTIVE,
    DEACTIVATED,
    NO_STATUS,
    PENDING,
    card,
    held,
    snapshot,
    token,
    user,
)

WANTED = CardNumber(1001)
ME = UserId("me")


def ask(
    seen: Snapshot,
    own: UserId | None = ME,
    *,
    freed: Collection[int | str] = (),
    restored: Collection[str] = (),
    import_failed: bool = False,
) -> Reach:
    return reach(
        WANTED,
        own,
        seen,
        freed=frozenset(map(token, freed)),
        restored=frozenset(map(UserId, restored)),
        import_failed=import_failed,
    )


def held_by(status: UserStatus, contact: int | None = 9) -> Snapshot:
    """I am active without a card; somebody of this status holds the card that I want."""
    return snapshot([user("me", 1), user("holder", contact, status)], [card(1001, held("holder"))])


def test_a_card_bound_to_the_members_own_user_needs_nothing() -> None:
    assert ask(snapshot([user("me", 1)], [card(1001, held("me"))])) == Own(token(1001))


def test_a_card_that_is_not_in_the_controller_is_imported() -> None:
    assert ask(snapshot([user("me", 1)], [card(1002), card(None)])) == Import()
    assert ask(snapshot(), None) == Import()


def test_a_card_that_is_there_and_free_is_bound() -> None:
    assert ask(snapshot([user("me", 1)], [card(1001)])) == Bind(token(1001))
    assert ask(snapshot([], [card(1001)]), None) == Bind(token(1001))


@pytest.mark.parametrize("status", list(UserStatus))
def test_a_card_that_this_plan_frees_first_is_bound_without_force(status: UserStatus) -> None:
    assert ask(held_by(status), freed=[1001]) == Moves(token(1001))
    assert ask(held_by(status), None, freed=[1001, 1002]) == Moves(token(1001))


def test_freeing_another_card_of_the_holder_frees_not_this_one() -> None:
    assert isinstance(ask(held_by(ACTIVE), freed=[1002]), OutOfReach)


@pytest.mark.parametrize("contact", [9, None], ids=["managed", "unmanaged"])
def test_a_card_bound_to_a_user_confirmed_deactivated_is_reclaimed(contact: int | None) -> None:
    assert ask(held_by(DEACTIVATED, contact)) == Reclaim(token(1001), UserId("holder"))
    assert ask(held_by(DEACTIVATED, contact), None) == Reclaim(token(1001), UserId("holder"))


@pytest.mark.parametrize("contact", [9, None], ids=["managed", "unmanaged"])
@pytest.mark.parametrize("status", [ACTIVE, PENDING, NO_STATUS])
def test_a_card_bound_to_an_active_pending_or_unknown_user_is_blocked_and_the_holder_named(
    status: UserStatus, contact: int | None
) -> None:
    shown = HolderShown(
        user_id=UserId("holder"),
        contact_id=ContactId(contact) if contact else None,
        status=status,
    )
    assert ask(held_by(status, contact)) == OutOfReach(HELD[status], shown)


def test_a_card_bound_to_a_visitor_is_blocked_and_the_visitor_named() -> None:
    seen = snapshot([user("me", 1)], [card(1001, HeldByVisitor(VisitorId("v1")))])
    assert ask(seen) == OutOfReach(VISITOR, HolderShown(visitor_id=VisitorId("v1")))


def test_a_card_bound_to_a_holder_that_is_not_in_the_snapshot_is_blocked() -> None:
    seen = snapshot([user("me", 1)], [card(1001, held("gone"))])
    assert ask(seen) == OutOfReach(NOT_LISTED, HolderShown(user_id=UserId("gone")))


def test_a_card_whose_holder_nobody_knows_is_blocked() -> None:
    seen = snapshot([user("me", 1)], [card(1001, HolderUnknown())])
    assert ask(seen) == OutOfReach(NOBODY_KNOWS)


def test_a_holder_that_only_the_card_knows_is_named() -> None:
    """R3: whoever is to settle it looks for that user in the console."""
    seen = snapshot([user("me", 1)], [card(1001, HolderUnknown(UserId("gone")))])
    assert ask(seen) == OutOfReach(NOT_LISTED, HolderShown(user_id=UserId("gone")))


def test_a_card_that_the_lists_disagree_about_is_not_freed_by_this_plan_either() -> None:
    seen = snapshot([user("me", 1)], [card(1001, HolderUnknown())])
    assert ask(seen, freed=[1001]) == OutOfReach(NOBODY_KNOWS)


def test_a_card_of_a_user_who_becomes_active_again_is_not_taken_back() -> None:
    """By the time cards are bound its holder is active; only what the restore frees may move."""
    shown = HolderShown(UserId("holder"), None, ContactId(9), DEACTIVATED)
    assert ask(held_by(DEACTIVATED), restored=["holder"]) == OutOfReach(RESTORED, shown)
    assert ask(held_by(DEACTIVATED), restored=["holder"], freed=[1001]) == Moves(token(1001))
    assert isinstance(ask(held_by(DEACTIVATED), restored=["another"]), Reclaim)


def test_a_number_whose_import_failed_is_not_imported_again_yet() -> None:
    assert ask(snapshot(), import_failed=True) == OutOfReach(IMPORT_FAILED)


def test_a_failed_import_says_nothing_once_the_card_is_there() -> None:
    assert ask(snapshot([], [card(1001)]), import_failed=True) == Bind(token(1001))


@pytest.mark.parametrize("holder", [Free(), held("holder"), HeldByVisitor(VisitorId("v1"))])
def test_two_cards_with_one_number_are_both_left_alone(holder: Holder) -> None:
    twins = [card(1001, name="one"), card(1001, holder, name="two")]
    seen = snapshot([user("me", 1), user("holder", 9, DEACTIVATED)], twins)
    assert ask(seen) == OutOfReach(TWO_CARDS)
    assert ask(seen, freed=["two"]) == OutOfReach(TWO_CARDS)


def test_one_of_two_cards_with_one_number_is_enough_if_it_is_the_members_already() -> None:
    twins = [card(1001, name="one"), card(1001, held("me"), name="two")]
    assert ask(snapshot([user("me", 1)], twins)) == Own(token("two"))


def test_a_member_without_a_user_owns_no_card() -> None:
    assert isinstance(ask(snapshot([user("me", 1)], [card(1001, held("me"))]), None), OutOfReach)


def holder(user_id: str = "holder", status: UserStatus = DEACTIVATED) -> User:
    return user(user_id, 9, status)


def test_only_the_word_deactivated_opens_the_way_to_force() -> None:
    found = {
        status: judge(token(1), held("holder"), holder(status=status)) for status in UserStatus
    }
    assert found.pop(DEACTIVATED) == Reclaim(token(1), UserId("holder"))
    assert all(isinstance(verdict, OutOfReach) for verdict in found.values())


def test_the_status_of_somebody_else_proves_nothing_about_the_holder() -> None:
    for read in (None, holder("another")):
        found = judge(token(1), held("holder"), read)
        assert found == OutOfReach(NOT_LISTED, HolderShown(user_id=UserId("holder")))


@pytest.mark.parametrize(
    "holds", [HeldByVisitor(VisitorId("v1")), HolderUnknown()], ids=["visitor", "unknown"]
)
def test_a_deactivated_user_does_not_speak_for_a_card_that_is_not_bound_to_it(
    holds: Holder,
) -> None:
    assert isinstance(judge(token(1), holds, holder()), OutOfReach)


def test_a_card_that_is_free_by_now_is_bound_without_force() -> None:
    assert judge(token(1), Free(), None) == Bind(token(1))
    assert judge(token(1), Free(), holder()) == Bind(token(1))


@pytest.mark.parametrize("status", list(UserStatus))
@pytest.mark.parametrize("kind", ["free", "user", "other user", "visitor", "unknown", "gone"])
@pytest.mark.parametrize("restored", [False, True])
def test_force_is_for_nobody_but_a_deactivated_holder_who_stays_deactivated(
    status: UserStatus, kind: str, restored: bool
) -> None:
    """Every row and status at once: the whole of P3 as this table can break it."""
    holders: dict[str, Holder] = {
        "free": Free(),
        "user": held("holder"),
        "other user": held("other"),
        "visitor": HeldByVisitor(VisitorId("v1")),
        "unknown": HolderUnknown(),
        "gone": held("gone"),
    }
    one: Card = card(1001, holders[kind])
    seen = snapshot([user("me", 1), user("holder", 9, status), user("other", 8)], [one])
    found = ask(seen, restored=["holder"] if restored else [])
    expects_force = kind == "user" and status is DEACTIVATED and not restored
    assert isinstance(found, Reclaim) == expects_force
    if isinstance(found, Reclaim):
        assert one.holder == HeldByUser(found.holder)

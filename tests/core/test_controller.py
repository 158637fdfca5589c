"""The snapshot's indexes: who is counted, who holds what, and what everybody has."""

from door_sync.core.cards import CardNumber
from door_sync.core.controller import (
    Card,
    HeldByVisitor,
    HolderUnknown,
    PolicyId,
    User,
    UserId,
    VisitorId,
    shared_by_all,
)
from door_sync.core.people import ContactId
from tests.core.builders import (
    ACTIVE,
    BY_HAND,
    DEACTIVATED,
    EVERYONES,
    GOLD,
    NO_STATUS,
    PENDING,
    card,
    held,
    snapshot,
    token,
    user,
)


def test_users_are_found_by_their_id_and_by_their_contact() -> None:
    seen = snapshot([user("u2", 7), user("u1", 7), user("u3", 8), user("hand")])
    assert seen.user[UserId("u3")].contact_id == 8
    assert [one.id for one in seen.users_of[ContactId(7)]] == ["u1", "u2"]
    assert [one.id for one in seen.users_of[ContactId(8)]] == ["u3"]
    assert set(seen.users_of) == {7, 8}, "an unmanaged user belongs to no contact"


def test_cards_are_found_by_token_by_number_and_by_the_user_they_are_surely_bound_to() -> None:
    cards = [
        card(1, held("u1")),
        card(2, held("u1")),
        card(2, name="twin"),
        card(None, held("u2")),
        card(3, HolderUnknown(), name="disputed"),
        card(4, HeldByVisitor(VisitorId("v1"))),
    ]
    seen = snapshot([user("u1", 1), user("u2", 2)], cards)
    assert seen.card[token("twin")].number == CardNumber(2)
    assert [c.token for c in seen.cards_numbered[CardNumber(2)]] == [token(2), token("twin")]
    assert set(seen.cards_numbered) == {CardNumber(n) for n in (1, 2, 3, 4)}
    assert [c.token for c in seen.cards_held_by[UserId("u1")]] == [token(1), token(2)]
    assert set(seen.cards_held_by) == {"u1", "u2"}


def test_the_base_of_every_share_is_managed_users_neither_deactivated_nor_pending() -> None:
    seen = snapshot(
        [
            user("u1", 1, ACTIVE),
            user("u2", 2, NO_STATUS),
            user("u3", 3, DEACTIVATED),
            user("u4", 4, PENDING),
            user("hand", None, ACTIVE),
        ]
    )
    assert [one.id for one in seen.active_managed] == ["u1", "u2"]


def test_a_policy_that_every_row_shows_is_everyones() -> None:
    seen = snapshot(
        [
            user("u1", 1, policies=[EVERYONES, GOLD]),
            user("u2", 2, policies=[GOLD, EVERYONES, BY_HAND]),
            user("hand", None, DEACTIVATED, policies=[EVERYONES]),
        ]
    )
    assert seen.everyones_policies == {EVERYONES}


def test_what_nobody_says_is_taken_in_the_careful_way() -> None:
    """An odd row without a status counts as active, and a card without our mark is not ours."""
    assert User(UserId("u")).status is NO_STATUS
    assert not Card(token(1)).is_ours
    assert User(UserId("u")) == User(
        UserId("u"), "", "", "", "", None, NO_STATUS, (), (), other_number=""
    )


def test_whom_only_the_cards_own_row_names_is_told_and_decides_nothing() -> None:
    assert HolderUnknown(UserId("gone")) == HolderUnknown()


def test_nothing_is_common_to_no_lists_at_all() -> None:
    assert shared_by_all([]) == frozenset()
    assert shared_by_all([[PolicyId("a")], []]) == frozenset()
    assert snapshot().everyones_policies == frozenset()

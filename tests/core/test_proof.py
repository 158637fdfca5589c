"""P10: what a user that was read back must show, and each way in which it may not."""

import pytest

from door_sync.core.controller import PolicyId, User
from door_sync.core.people import ContactId
from door_sync.core.proof import Expectation, mismatches
from tests.core.builders import (
    ACTIVE,
    BY_HAND,
    DEACTIVATED,
    EVERYONES,
    GOLD,
    MANAGED,
    NO_STATUS,
    PENDING,
    SILVER,
    token,
    user,
)


def found(expected: Expectation, read: User | None) -> tuple[str, ...]:
    return mismatches(expected, read, MANAGED)


def test_nothing_is_expected_where_nothing_was_written() -> None:
    anybody = user("u1", 1, NO_STATUS, policies=[GOLD], tokens=[token(1)], email="a@x")
    assert found(Expectation(), anybody) == ()


def test_a_user_that_is_gone_proves_nothing() -> None:
    assert found(Expectation(), None) == ("the user is not there any more",)


def test_everything_that_was_written_and_is_there_is_done() -> None:
    expected = Expectation(
        status=ACTIVE,
        holds={token(1)},
        lacks={token(2)},
        managed_policies=frozenset({GOLD}),
        kept_policies=frozenset({BY_HAND}),
        first_name="Ann",
        last_name="Lee",
        email="ann@x",
    )
    read = user(
        "u1", 1, policies=[EVERYONES, GOLD, BY_HAND], tokens=[token(1), token(3)], email="ann@x"
    )
    assert found(expected, read) == ()


def test_a_user_that_should_be_deactivated_and_is_not_failed() -> None:
    assert found(Expectation(status=DEACTIVATED), user("u1", 1, DEACTIVATED)) == ()
    for status in (ACTIVE, PENDING, NO_STATUS):
        [text] = found(Expectation(status=DEACTIVATED), user("u1", 1, status))
        assert text == f"the status reads {status.value}, not DEACTIVATED"


def test_a_user_that_should_be_active_and_is_not_failed() -> None:
    assert found(Expectation(status=ACTIVE), user("u1", 1, ACTIVE)) == ()
    for status in (DEACTIVATED, PENDING, NO_STATUS):
        assert len(found(Expectation(status=ACTIVE), user("u1", 1, status))) == 1


def test_a_row_that_never_showed_a_status_is_proved_by_having_no_card() -> None:
    expected = Expectation(status=DEACTIVATED, status_was_unknown=True)
    assert found(expected, user("u1", 1, NO_STATUS)) == ()
    assert found(expected, user("u1", 1, DEACTIVATED, tokens=[token(1)])) == ()
    assert found(expected, user("u1", 1, NO_STATUS, tokens=[token(1)])) == (
        "the user shows no status and still has cards",
    )
    assert found(expected, user("u1", 1, ACTIVE)) == ("the status reads ACTIVE, not DEACTIVATED",)


def test_a_freed_card_that_is_still_there_failed() -> None:
    expected = Expectation(lacks={token(1), token(2), token(3)})
    [text] = found(expected, user("u1", tokens=[token(2), token(1), token(4)]))
    assert text.startswith("2 cards that were freed")


def test_a_bound_card_that_is_not_there_failed() -> None:
    expected = Expectation(holds={token(1), token(2)})
    [text] = found(expected, user("u1", tokens=[token(2)]))
    assert text.startswith("1 cards that were bound")


@pytest.mark.parametrize(
    "shown", [[], [SILVER], [GOLD, SILVER], [BY_HAND]], ids=["none", "other", "two", "by hand"]
)
def test_any_other_set_of_managed_policies_failed(shown: list[PolicyId]) -> None:
    expected = Expectation(managed_policies=frozenset({GOLD}))
    assert len(found(expected, user("u1", policies=shown))) == 1
    assert found(expected, user("u1", policies=[GOLD, BY_HAND])) == ()


def test_managed_policies_that_were_cleared_must_be_gone() -> None:
    expected = Expectation(managed_policies=frozenset())
    assert found(expected, user("u1", policies=[BY_HAND, EVERYONES])) == ()
    assert len(found(expected, user("u1", policies=[GOLD]))) == 1


def test_a_policy_given_by_hand_that_got_lost_failed() -> None:
    expected = Expectation(managed_policies=frozenset({GOLD}), kept_policies=frozenset({BY_HAND}))
    assert found(expected, user("u1", policies=[GOLD])) == ("a policy given by hand got lost",)


@pytest.mark.parametrize(
    ("first", "last", "fits"),
    [
        ("Ann", "Lee", True),
        (" Ann ", "Lee", True),
        ("Anna", "Lee", False),
        ("Ann", "Li", False),
        ("", "", False),
    ],
)
def test_another_name_than_was_written_failed(first: str, last: str, fits: bool) -> None:
    expected = Expectation(first_name="Ann", last_name="Lee")
    assert (found(expected, user("u1", first=first, last=last)) == ()) is fits


def test_a_name_of_which_only_one_half_was_written_is_compared_in_that_half() -> None:
    assert found(Expectation(first_name="Ann"), user("u1", last="Other")) == ()
    assert found(Expectation(last_name="Lee"), user("u1", first="Other")) == ()


@pytest.mark.parametrize(
    ("written", "read", "fits"),
    [
        ("Ann@X", " ann@x ", True),
        ("ann@x", "", False),
        ("ann@x", "bob@x", False),
        ("", "", True),
        ("", "ann@x", False),
    ],
)
def test_another_address_than_was_written_failed(written: str, read: str, fits: bool) -> None:
    assert (found(Expectation(email=written), user("u1", email=read)) == ()) is fits


def test_what_the_console_filled_in_does_not_prove_that_our_address_was_taken() -> None:
    assert len(found(Expectation(email="ann@x"), user("u1", console_email="ann@x"))) == 1


def test_every_mismatch_is_named_and_none_tells_what_it_saw() -> None:
    expected = Expectation(
        status=ACTIVE,
        holds={token(1)},
        lacks={token(2)},
        managed_policies=frozenset({GOLD}),
        kept_policies=frozenset({BY_HAND}),
        first_name="Ann",
        last_name="Lee",
        email="ann@x",
    )
    read = user("u1", 1, PENDING, tokens=[token(2)], first="Bob", email="bob@x")
    texts = found(expected, read)
    assert len(texts) == 7
    assert not any(word in " ".join(texts) for word in ("Ann", "Bob", "Lee", "@x", "token-"))


def test_the_last_word_about_a_card_is_what_counts() -> None:
    """A card may be freed and bound to the same user in one cycle, or the other way round."""
    expected = Expectation()
    expected.gained(token(1))
    expected.lost(token(1))
    assert (expected.holds, expected.lacks) == (set(), {token(1)})
    expected.gained(token(1))
    assert (expected.holds, expected.lacks) == ({token(1)}, set())


@pytest.mark.parametrize("number", [None, 2])
def test_a_user_with_another_number_than_that_of_the_plan_failed(number: int | None) -> None:
    expected = Expectation(ContactId(1))
    assert found(expected, user("u1", 1)) == ()
    [text] = found(expected, user("u1", number))
    assert text.startswith("somebody gave it another employee number, or none")


def test_whoever_gave_a_card_up_by_force_must_be_disabled_still_or_gone() -> None:
    expected = Expectation(gave_way=True)
    assert found(expected, user("u1", None, DEACTIVATED)) == ()
    assert found(expected, None) == ()
    for status in (ACTIVE, PENDING, NO_STATUS):
        [text] = found(expected, user("u1", None, status))
        assert text.startswith("its card was taken by force and the status reads ")
    assert found(Expectation(gave_way=True, holds={token(1)}), None) != ()

"""Who is left alone at once is whom the planner would find nothing to do for (R2)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from door_sync.core import still
from door_sync.core.cards import BadCard
from door_sync.core.controller import Card, HolderUnknown, User, UserId, UserStatus
from door_sync.core.names import NO_LAST_NAME
from door_sync.core.planner import plan
from door_sync.core.situation import NOTHING, Held, Site
from door_sync.core.still import is_still, situations
from door_sync.core.tiers import CardUnknown, Verdict
from tests.core.builders import GOLD, SILVER, card, deny, grant, held, site, skip, unknown, user
from tests.core.worlds import Club, clubs, holds

often = settings(max_examples=4 * settings().max_examples)
OWN = card(1001, held("u1"))
SHOWN = user("u1", 1, policies=[GOLD], first="Ann", last="Lee", email="ann@x")
WANTED = grant(1, email="ann@x")


@often
@given(clubs(), holds, st.booleans())
def test_a_plan_is_the_same_as_if_nobody_were_left_alone(
    club: Club, waiting: Held, email_sync: bool
) -> None:
    world = replace(club.site(), email_sync=email_sync)
    made = plan(world, waiting)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(still, "is_still", lambda _verdict, _site: False)
        assert plan(world, waiting) == made


def of(verdict: Verdict, *users: User, cards: tuple[Card, ...] = (OWN,)) -> Site:
    return site([verdict], users, cards)


def test_who_is_as_they_should_be_is_left_alone() -> None:
    world = of(WANTED, SHOWN)
    assert is_still(WANTED, world)
    assert situations(world) == {1: NOTHING}


def test_who_shows_the_name_that_is_written_for_one_word_is_left_alone() -> None:
    wanted = grant(1, first="", last="", display="Ann", email="ann@x")
    assert is_still(wanted, of(wanted, replace(SHOWN, last_name=NO_LAST_NAME)))


@pytest.mark.parametrize(
    "shown",
    [
        replace(SHOWN, status=UserStatus.UNKNOWN),
        replace(SHOWN, status=UserStatus.PENDING),
        replace(SHOWN, status=UserStatus.DEACTIVATED),
        replace(SHOWN, policy_ids=()),
        replace(SHOWN, policy_ids=(SILVER,)),
        replace(SHOWN, policy_ids=(GOLD, SILVER)),
        replace(SHOWN, first_name="Anne"),
        replace(SHOWN, last_name="Leigh"),
        replace(SHOWN, last_name=""),
        replace(SHOWN, email="lee@x"),
        replace(SHOWN, contact_id=None),
    ],
    ids=repr,
)
def test_whoever_shows_anything_else_is_not(shown: User) -> None:
    assert not is_still(WANTED, of(WANTED, shown))


@pytest.mark.parametrize(
    "cards",
    [
        (),
        (card(1002, held("u1")),),
        (OWN, card(1002, held("u1"))),
        (OWN, card(1002, held("u1"), ours=False)),
        (card(None, held("u1")),),
        (card(1001, HolderUnknown()),),
    ],
    ids=["none", "another", "two", "by hand", "no number", "doubtful"],
)
def test_whoever_has_another_card_or_one_more_is_not(cards: tuple[Card, ...]) -> None:
    assert not is_still(WANTED, of(WANTED, SHOWN, cards=cards))


def test_whoever_shows_a_card_more_than_the_list_of_cards_says_is_not() -> None:
    shown = replace(SHOWN, tokens=(card(1002).token,))
    assert not is_still(WANTED, of(WANTED, shown))


def test_a_card_without_a_number_is_not_the_card_that_nobody_knows() -> None:
    wanted = replace(WANTED, card=None)
    assert not is_still(wanted, of(wanted, SHOWN, cards=(card(None, held("u1")),)))


@pytest.mark.parametrize("verdict", [deny(1), skip(1), unknown(1)], ids=["deny", "skip", "unknown"])
def test_whoever_is_to_have_no_tier_is_not(verdict: Verdict) -> None:
    assert not is_still(verdict, of(verdict, SHOWN))


def test_whoever_has_a_card_that_civicrm_does_not_tell_is_not() -> None:
    wanted = replace(WANTED, card=CardUnknown(BadCard.NOT_DIGITS.value))
    assert not is_still(wanted, of(wanted, SHOWN))


def test_whoever_has_two_users_is_not() -> None:
    assert not is_still(WANTED, of(WANTED, SHOWN, replace(SHOWN, id=UserId("u2"))))


def test_whose_address_was_refused_is_not() -> None:
    """What was refused to one contact is kept from the others too, so the planner must see it."""
    assert not is_still(WANTED, replace(of(WANTED, SHOWN), refused=frozenset({WANTED.contact_id})))


def test_an_address_that_is_not_written_keeps_nobody_from_it() -> None:
    world = of(WANTED, replace(SHOWN, email="lee@x"))
    assert is_still(WANTED, replace(world, email_sync=False))

"""What a card enrolled by hand is to the contact that its holder is."""

import pytest

from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.controller import Card, UserId
from door_sync.core.hand_cards import SETTLED_BY, HandCard, Relation, hand_cards
from door_sync.core.people import ContactId, Member
from tests.core.builders import card, held, member, snapshot, token, user

HELD = held("u1")


def found(one: Card, *members: Member) -> list[HandCard]:
    """The cards of user u1, who would be contact 1."""
    known = {each.contact_id: each for each in members}
    links = {UserId("u1"): ContactId(1)}
    return [*hand_cards(snapshot([user("u1")], [one]), links, known)]


@pytest.mark.parametrize(
    ("number", "members", "relation"),
    [
        (1001, (member(1, card=1001),), Relation.SAME),
        (1001, (member(1, card=1001), member(2, card=1001)), Relation.SAME),
        (None, (member(1, card=1001),), Relation.NUMBER_UNSEEN),
        (1002, (member(1, card=1001),), Relation.OTHER),
        (1002, (member(1, card=1001), member(2, card=1002)), Relation.SOMEBODY_ELSES),
        (1002, (member(1, card=None), member(2, card=1002)), Relation.SOMEBODY_ELSES),
        (1002, (member(1, card=None),), Relation.NONE_IN_CIVICRM),
        (1002, (), Relation.NONE_IN_CIVICRM),
        (None, (member(1, card=BadCard.NOT_DIGITS),), Relation.BAD_IN_CIVICRM),
    ],
)
def test_a_card_is_held_against_what_civicrm_has(
    number: int | None, members: tuple[Member, ...], relation: Relation
) -> None:
    [one] = found(card(number, HELD, ours=False), *members)
    assert one.relation is relation
    assert one.number == (None if number is None else CardNumber(number))


def test_who_else_has_the_number_is_told() -> None:
    [one] = found(card(9, HELD, ours=False), member(3, card=9), member(2, card=9))
    assert one.wanted_by == (2, 3)


def test_the_contact_itself_is_not_among_the_others() -> None:
    [one] = found(card(9, HELD, ours=False), member(1, card=9), member(2, card=9))
    assert one.wanted_by == (2,)


def test_our_own_cards_and_those_of_others_are_no_matter() -> None:
    assert found(card(9, HELD), member(1, card=9)) == []
    assert found(card(9, held("u2"), ours=False), member(1, card=9)) == []


def test_every_relation_says_what_can_be_done() -> None:
    assert {*SETTLED_BY} == {*Relation}


def test_a_token_is_not_shown() -> None:
    [one] = found(card(9, HELD, ours=False))
    assert one.token == token(9)
    assert "token-9" not in repr(one)


def test_cards_come_by_user_and_token_and_say_whose_they_are() -> None:
    cards = [
        card(None, held("u2"), ours=False, name="a"),
        card(8, HELD, ours=False, name="b"),
        card(9, HELD, ours=False, name="a"),
    ]
    links = {UserId("u2"): ContactId(2), UserId("u1"): ContactId(1)}
    shown = hand_cards(snapshot([user("u1"), user("u2")], cards), links, {})
    assert [(one.user_id, one.contact_id, one.token) for one in shown] == [
        ("u1", 1, token("a")),
        ("u1", 1, token("b")),
        ("u2", 2, token("a")),
    ]

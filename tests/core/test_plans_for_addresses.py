"""R2: addresses and names in a plan, and the order of each change."""

import pytest

from door_sync.core.addresses import REFUSED, TAKEN
from door_sync.core.controller import User
from door_sync.core.people import ContactId
from door_sync.core.planner import plan
from door_sync.core.steps import (
    ActivateUser,
    ChangeClass,
    CreateUser,
    NoticeKind,
    Phase,
    SetPolicies,
    UpdateProfile,
)
from tests.core.builders import (
    DEACTIVATED,
    GOLD,
    SILVER,
    card,
    grant,
    held,
    hold,
    of_kind,
    site,
    steps_in_order,
    user,
)
from tests.core.planning import BAD, NEW, SETTLED_USER, U1, U2, texts


def test_people_who_swap_addresses_are_written_after_one_of_them_is_blanked() -> None:
    users = [
        user("u1", 1, policies=[GOLD], email="a@x"),
        user("u2", 2, policies=[GOLD], email="b@x", first="Other"),
    ]
    verdicts = [grant(1, BAD, email="b@x"), grant(2, BAD, email="a@x")]
    made = plan(site(verdicts, users))
    assert steps_in_order(made) == [
        UpdateProfile(U1, None, None, ""),
        UpdateProfile(U2, "Ann", "Lee", None),
        UpdateProfile(U2, None, None, "a@x", after=ContactId(1), turn=1, phase=Phase.ADDRESSES),
        UpdateProfile(U1, None, None, "b@x", after=ContactId(2), turn=2, phase=Phase.ADDRESSES),
    ]


def test_a_new_member_gets_an_address_once_its_holder_gave_it_up() -> None:
    users = [user("u2", 2, policies=[GOLD], email="a@x")]
    made = plan(site([grant(1, BAD, email="a@x"), grant(2, BAD, email="b@x")], users))
    assert steps_in_order(made) == [
        UpdateProfile(U2, None, None, "b@x"),
        CreateUser("Ann", "Lee", None),
        UpdateProfile(NEW, None, None, "a@x", ContactId(2), 1, Phase.ADDRESSES),
        SetPolicies(NEW, GOLD, keeps_others=False),
    ]


def test_a_restored_member_opens_a_circle_before_it_is_activated() -> None:
    users = [
        user("u1", 1, DEACTIVATED, email="a@x"),
        user("u2", 2, policies=[GOLD], email="b@x"),
    ]
    made = plan(site([grant(1, BAD, email="b@x"), grant(2, BAD, email="a@x")], users))
    assert steps_in_order(made)[:5] == [
        SetPolicies(U1, None, keeps_others=False, phase=Phase.PEOPLE),
        UpdateProfile(U1, None, None, "", phase=Phase.PEOPLE),
        ActivateUser(U1),
        UpdateProfile(U2, None, None, "a@x", ContactId(1), 1, Phase.ADDRESSES),
        UpdateProfile(U1, None, None, "b@x", ContactId(2), 2, Phase.ADDRESSES),
    ]


def test_an_address_that_is_taken_or_was_refused_is_left_out_and_the_rest_goes_on() -> None:
    taken = site([grant(1, first="Anna", email="a@x")], [SETTLED_USER, user("hand", email="a@x")])
    refused = site([grant(1, first="Anna", email="a@x")], [SETTLED_USER], refused=[1])
    for world, why in ((taken, TAKEN), (refused, REFUSED)):
        made = plan(world)
        assert UpdateProfile(U1, "Anna", "Lee", None) in steps_in_order(made)
        assert texts(made, NoticeKind.ADDRESS_LEFT_OUT) == [(1, why)]


def test_a_new_member_whose_address_is_taken_is_created_without_it() -> None:
    made = plan(site([grant(1, BAD, email="a@x")], [user("hand", email="a@x")]))
    assert of_kind(made, CreateUser) == [CreateUser("Ann", "Lee", None)]


@pytest.mark.parametrize(
    ("holder", "change_class"),
    [
        (user("u2", 2, policies=[GOLD], email="a@x"), ChangeClass.PROFILE),
        (user("u2", 2, DEACTIVATED, email="a@x"), ChangeClass.RESTORE),
    ],
)
def test_an_address_whose_holder_is_held_counts_as_taken(
    holder: User, change_class: ChangeClass
) -> None:
    world = site([grant(1, BAD, email="a@x"), grant(2, BAD, email="b@x")], [holder])
    assert texts(plan(world), NoticeKind.ADDRESS_LEFT_OUT) == []
    held_back = plan(world, hold((2, change_class)))
    assert texts(held_back, NoticeKind.ADDRESS_LEFT_OUT) == [(1, TAKEN)]


def test_a_contact_whose_own_creation_is_held_claims_no_address() -> None:
    world = site([grant(1, BAD, email="a@x"), grant(2, BAD, email="a@x")])
    assert of_kind(plan(world), CreateUser)[0].email == "a@x"
    without = plan(world, hold((1, ChangeClass.GRANT)))
    assert of_kind(without, CreateUser) == [CreateUser("Ann", "Lee", "a@x")]
    assert [change.contact_id for change in without.changes] == [2]


def test_a_contact_without_any_name_is_named_by_its_id_and_reported() -> None:
    made = plan(site([grant(1, BAD, first="", last="", display="")]))
    assert of_kind(made, CreateUser) == [CreateUser("Contact", "1", None)]
    assert len(texts(made, NoticeKind.NO_NAME)) == 1


def test_each_step_of_a_change_stands_where_it_runs_for_that_contact() -> None:
    users = [
        user("u1", 1, DEACTIVATED, policies=[SILVER], email="a@x", first="Old"),
        user("u2", 2, policies=[GOLD], email="b@x"),
    ]
    cards = [card(1002, held("u1")), card(2002, held("u2"))]
    verdicts = [grant(1, email="b@x"), grant(2, 2001, email="a@x"), grant(3, 3001)]
    made = plan(site(verdicts, users, cards))
    for change in made.changes:
        as_run = [planned.step for planned in made.steps() if planned.change is change]
        assert list(change.steps) == as_run

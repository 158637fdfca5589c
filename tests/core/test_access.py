"""Who can open what, from lists made by hand."""

from dataclasses import replace

import pytest

from door_sync.core.access import (
    AccessPolicy,
    AccessReading,
    DoorGroup,
    Opening,
    Place,
    UserGroup,
    Visit,
    Ways,
    doors_told,
    openings,
)
from door_sync.core.controller import PolicyId, User, UserId, UserStatus, VisitorId

FRONT, BACK = Place("d1", is_group=False), Place("d2", is_group=False)
ALL, BUILDING = Place("g1", is_group=True), Place("g9", is_group=True)
CARD = Ways(cards=1)


def policy(name: str, *places: Place) -> AccessPolicy:
    """A policy whose id is its name."""
    return AccessPolicy(PolicyId(name), name, places)


def user(name: str, *policies: str, status: UserStatus = UserStatus.ACTIVE) -> User:
    """A user whose id is the first name."""
    return User(UserId(name), name, "Lee", status=status, policy_ids=tuple(map(PolicyId, policies)))


def visit(status: str, *places: Place, ways: Ways = CARD) -> Visit:
    """A visitor."""
    return Visit(VisitorId("v1"), "Vic", "Able", status, ways, places)


def reading(
    *users: tuple[User, Ways],
    visits: tuple[Visit, ...] | None = (),
    groups: tuple[UserGroup, ...] | None = (),
    knows_policies: bool = True,
    knows_doors: bool = True,
) -> AccessReading:
    """A site with two doors, a group of both, and four policies."""
    made = [policy("front", FRONT), policy("all", ALL), policy("building", BUILDING, FRONT)]
    policies = {one.id: one for one in (*made, policy("none"))}
    return AccessReading(
        users,
        visits,
        policies if knows_policies else None,
        {"d1": "Front", "d2": "Back"} if knows_doors else None,
        {"g1": DoorGroup("Everything", ("d1", "d2"))} if knows_doors else None,
        groups,
    )


def only(found: AccessReading) -> Opening:
    """The one person who can open something."""
    [one] = openings(found).people
    return one


@pytest.mark.parametrize(
    ("policies", "doors", "unnamed"),
    [
        (("front",), ("Front",), 0),
        (("all",), ("Back", "Front"), 0),
        (("front", "all"), ("Back", "Front"), 0),
        (("building",), ("Front",), 1),
        (("deleted",), (), 1),
    ],
)
def test_a_user_opens_the_doors_of_all_policies(
    policies: tuple[str, ...], doors: tuple[str, ...], unnamed: int
) -> None:
    """A group that the list leaves out, and a policy that nobody knows, may be anything."""
    one = only(reading((user("ann", *policies), CARD)))
    assert (one.doors, one.unnamed) == (doors, unnamed)


@pytest.mark.parametrize(
    "ways", [CARD, Ways(has_pin=True), Ways(has_touch_pass=True), Ways(plates=1)]
)
def test_each_way_in_counts(ways: Ways) -> None:
    assert only(reading((user("ann", "front"), ways))).ways == ways


@pytest.mark.parametrize(
    "shut",
    [
        (user("ann", "front"), Ways()),
        (user("ann"), CARD),
        (user("ann", "none"), CARD),
        (user("ann", "front", status=UserStatus.DEACTIVATED), CARD),
        (user("ann", "front", status=UserStatus.PENDING), CARD),
    ],
)
def test_whoever_lacks_something_can_open_nothing_and_is_counted(shut: tuple[User, Ways]) -> None:
    found = openings(reading(shut))
    assert (found.people, found.shut) == ((), 1)


def test_an_unknown_status_counts_as_active() -> None:
    one = only(reading((user("ann", "front", status=UserStatus.UNKNOWN), CARD)))
    assert one.person.id == "ann"


def test_a_policy_of_a_group_opens_for_its_users_alone() -> None:
    staff = UserGroup((PolicyId("front"),), frozenset({UserId("ann")}))
    one = only(reading((user("ann"), CARD), (user("bob"), CARD), groups=(staff,)))
    assert (one.person.id, one.doors) == ("ann", ("Front",))


def test_lists_that_are_not_to_be_had_leave_nobody_out() -> None:
    blind = reading((user("ann", "front"), CARD), visits=None, groups=None, knows_policies=False)
    assert (only(blind).doors, only(blind).unnamed) == ((), 1)
    nameless = only(reading((user("ann", "front", "all"), CARD), knows_doors=False))
    assert (nameless.doors, nameless.unnamed) == (("d1",), 1)


@pytest.mark.parametrize(
    ("status", "is_in"),
    [
        *(("ACTIVE", 1), ("VISITING", 1), ("", 1)),
        *(("UPCOMING", 0), ("VISITED", 0), ("CANCELED", 0), ("CANCELLED", 0), ("NO_VISIT", 0)),
    ],
)
def test_a_visitor_is_in_it_while_the_visit_lasts(status: str, is_in: int) -> None:
    found = openings(reading(visits=(visit(status, FRONT),)))
    assert (len(found.people), found.to_come) == (is_in, status == "UPCOMING")


@pytest.mark.parametrize("other", [visit("ACTIVE"), visit("ACTIVE", FRONT, ways=Ways())])
def test_a_visitor_without_a_door_or_a_way_in_is_not(other: Visit) -> None:
    assert openings(reading(visits=(other,))).people == ()


def test_users_come_first_by_name_and_doors_are_counted() -> None:
    found = openings(
        reading(
            (user("bob", "front"), CARD),
            (user("Ann", "all"), CARD),
            visits=(visit("ACTIVE", BACK),),
        )
    )
    assert [one.person.first_name for one in found.people] == ["Ann", "bob", "Vic"]
    assert doors_told(found.people) == {"Back": 2, "Front": 2}
    assert [*doors_told(found.people)] == ["Back", "Front"]


def test_a_user_of_two_groups_has_the_policies_of_both() -> None:
    groups = (
        UserGroup((PolicyId("front"),), frozenset({UserId("ann")})),
        UserGroup((PolicyId("building"),), frozenset({UserId("ann")})),
    )
    one = only(reading((user("ann"), CARD), groups=groups))
    assert [each.id for each in one.policies] == ["building", "front"]
    assert (one.doors, one.unnamed) == (("Front",), 1)


def test_whoever_can_open_something_is_told_with_policies_ways_and_doors() -> None:
    one = only(reading((user("ann", "front", "all"), CARD)))
    assert [each.id for each in one.policies] == ["front", "all"]
    assert one.door_ids == {"d1", "d2"}
    guest = only(reading(visits=(visit("ACTIVE", FRONT, BACK),)))
    assert (guest.ways, guest.policies, guest.doors) == (CARD, (), ("Back", "Front"))


def test_places_that_nobody_can_tell_are_counted_each_once() -> None:
    yard = Place("g7", is_group=True, name="Yard")
    guest = only(reading(visits=(visit("ACTIVE", BUILDING, yard, yard, FRONT),)))
    assert (guest.doors, guest.unnamed) == (("Front",), 2)
    nameless = only(reading(visits=(visit("ACTIVE", BUILDING, Place("g7", is_group=True)),)))
    assert nameless.unnamed == 2


def test_a_door_without_a_name_goes_by_what_the_place_or_its_id_says() -> None:
    attic = Place("d7", is_group=False, name="Attic")
    guest = only(reading(visits=(visit("ACTIVE", attic, Place("d8", is_group=False)),)))
    assert guest.doors == ("Attic", "d8")
    sparse = replace(reading(visits=(visit("ACTIVE", ALL),)), doors={"d1": "Front"})
    assert only(sparse).doors == ("Front", "d2")


def test_a_policy_that_is_not_in_the_list_goes_by_its_id() -> None:
    assert only(reading((user("ann", "deleted"), CARD))).policies == (
        AccessPolicy(PolicyId("deleted"), "deleted"),
    )


def test_those_who_are_shut_out_are_counted_beside_those_who_are_not() -> None:
    guest = visit("ACTIVE", FRONT)
    found = openings(
        reading((user("ann", "front"), CARD), (user("bob"), CARD), visits=(guest, guest))
    )
    assert (len(found.people), found.shut) == (3, 1)


def test_doors_are_told_by_name_whoever_opens_them_first() -> None:
    found = openings(reading((user("ann", "front"), CARD), (user("bob", "all"), CARD)))
    assert [*doors_told(found.people).items()] == [("Back", 1), ("Front", 2)]

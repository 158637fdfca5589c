"""Rows as untidy as the samples: §5, rule 20 and the nulls of rule 54 of the UniFi sheet."""

from typing import TYPE_CHECKING

from door_sync.simulators.unifi import UnifiSimulator, World
from door_sync.simulators.unifi.records import Status
from door_sync.simulators.unifi.seed import add_odd_people

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api

ALWAYS_THERE = {
    *("id", "first_name", "last_name", "email", "employee_number", "onboard_time", "status"),
    *("pin_code", "nfc_cards", "access_policy_ids"),
}
OPTIONAL = {
    *("alias", "email_status", "phone", "avatar_relative_path", "license_plates", "touch_pass"),
    "user_email",
}


def test_the_odd_people_of_every_console_show_as_they_do(api: "Api", world: World) -> None:
    """Rule 20."""
    people = add_odd_people(world)
    rows = {row["id"]: row for row in api.rows("/users")}
    assert len(rows) == 6
    assert rows[people.owner.id]["status"] == "ACTIVE"
    assert world.users[people.owner.id].is_admin
    assert rows[people.invited.id]["status"] == Status.PENDING
    assert rows[people.by_hand.id]["employee_number"] == ""
    invited = rows[people.by_invitation.id]
    assert invited["email"] == "ivo@example.org"
    assert invited.get("user_email", "") == ""
    assert "status" not in rows[people.without_status.id]
    bare = {"id", "first_name", "last_name", "nfc_cards", "status", "access_policy_ids"}
    assert rows[people.bare.id].keys() - OPTIONAL == bare


def test_a_row_without_a_status_stays_so_when_it_is_written(api: "Api", world: World) -> None:
    """§5: what the row hides, the door still knows."""
    user = add_odd_people(world).without_status
    api.done(api.put(f"/users/{user.id}", {"status": "DEACTIVATED"}))
    assert "status" not in api.row(f"/users/{user.id}")
    assert world.users[user.id].status == "DEACTIVATED"


def test_optional_keys_come_and_go_from_row_to_row(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """§5: but a row stays as it is; switches show all of them or none."""
    for number in range(20):
        world.add_user("User", str(number))
    rows = api.rows("/users")
    shapes = {frozenset(row.keys()) for row in rows}
    assert len(shapes) > 5
    assert all(ALWAYS_THERE <= shape <= ALWAYS_THERE | OPTIONAL for shape in shapes)
    assert {name for shape in shapes for name in shape} == ALWAYS_THERE | OPTIONAL
    assert rows == api.rows("/users")
    assert rows[0] == api.row(f"/users/{rows[0]['id']}")
    simulator.switch(optional_keys="all")
    assert all(row.keys() == ALWAYS_THERE | OPTIONAL for row in api.rows("/users"))
    simulator.switch(optional_keys="bare")
    assert all(row.keys() == ALWAYS_THERE for row in api.rows("/users"))


def test_an_address_that_is_set_always_shows(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Only an empty one may be left out."""
    simulator.switch(optional_keys="bare")
    world.add_user("Ann", "Lee", user_email="ann@example.org")
    assert api.rows("/users")[0]["user_email"] == "ann@example.org"


def test_null_may_stand_for_an_empty_value(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 54: for every row, by switch; a value that is not empty stays."""
    simulator.switch(null_for_empty=["nfc_cards", "employee_number", "alias"])
    world.add_user("Ann", "Lee")
    card = world.add_card(42, 1, alias="sync-00001")
    [row] = api.rows("/users")
    assert row["nfc_cards"] is None
    assert row["employee_number"] is None
    assert row["access_policy_ids"] == []
    assert api.rows("/credentials/nfc_cards/tokens")[0]["alias"] == "sync-00001"
    world.edit_card(card.token, alias="")
    assert api.rows("/credentials/nfc_cards/tokens")[0]["alias"] is None


def test_null_may_stand_for_any_value_of_one_user(api: "Api", world: World) -> None:
    """Rule 54."""
    user = world.add_user("Ann", "Lee", employee_number="42", null=["employee_number", "status"])
    row = api.row(f"/users/{user.id}")
    assert row["employee_number"] is None
    assert row["status"] is None


def test_a_pin_shows_as_a_token_only(api: "Api", world: World) -> None:
    """§6.0."""
    world.add_user("Ann", "Lee", pin_token="ab" * 32)
    world.add_user("Bob", "Ray")
    pins = {row["first_name"]: row["pin_code"] for row in api.rows("/users")}
    assert pins == {"Ann": {"token": "ab" * 32}, "Bob": None}

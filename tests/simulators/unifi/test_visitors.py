"""Visitors, as they can be read: §8.0, §8.2, §8.6 and rules 47 to 49 of the UniFi sheet."""

from typing import TYPE_CHECKING, Any

import pytest

from door_sync.simulators.unifi import ManualClock, UnifiSimulator, World
from door_sync.simulators.unifi.records import Hours, Visitor

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api

NUMBERS = {
    "UPCOMING": 1,
    "VISITED": 2,
    "VISITING": 3,
    "CANCELLED": 4,
    "NO_VISIT": 5,
    "ACTIVE": 6,
}


@pytest.fixture
def visits(world: World, clock: ManualClock) -> dict[str, Visitor]:
    """One visitor of each status."""
    now = int(clock())
    past, present, future = (now - 60, now - 1), (now, now + 60), (now + 1, now + 60)
    return {
        "UPCOMING": world.add_visitor("Una", "Soon", *future),
        "VISITED": world.add_visitor("Vera", "Was", *past, arrived=True),
        "VISITING": world.add_visitor("Viv", "Is", *present, arrived=True),
        "CANCELLED": world.add_visitor("Carl", "Off", *present, cancelled=True),
        "NO_VISIT": world.add_visitor("Nora", "Never", *past),
        "ACTIVE": world.add_visitor("Ada", "Now", *present),
    }


def test_the_status_follows_the_clock(api: "Api", visits: dict[str, Visitor]) -> None:
    """Rule 47; ended visits stay listed (rule 49)."""
    shown = {row["id"]: row["status"] for row in api.rows("/visitors")}
    assert shown == {visitor.id: status for status, visitor in visits.items()}


def test_a_visit_passes_through_its_states(api: "Api", world: World, clock: ManualClock) -> None:
    """Rule 47."""
    now = int(clock())
    visitor = world.add_visitor("Vic", "Tor", now + 10, now + 20)

    def status() -> str:
        return str(api.row(f"/visitors/{visitor.id}")["status"])

    assert status() == "UPCOMING"
    clock.advance(10)
    assert status() == "ACTIVE"
    world.edit_visitor(visitor.id, arrived=True)
    assert status() == "VISITING"
    clock.advance(10)
    assert status() == "VISITED"


@pytest.mark.parametrize("status", list(NUMBERS))
def test_the_list_filters_by_the_number_of_a_status(
    api: "Api", visits: dict[str, Visitor], status: str
) -> None:
    """Rule 49."""
    [row] = api.rows("/visitors", status=NUMBERS[status])
    assert row["id"] == visits[status].id


def test_a_keyword_is_the_start_of_a_name_and_switches_the_filter_off(
    api: "Api", visits: dict[str, Visitor]
) -> None:
    """Rule 49."""
    found = api.rows("/visitors", keyword="v", status=NUMBERS["ACTIVE"])
    assert {row["first_name"] for row in found} == {"Vera", "Viv"}
    assert {row["first_name"] for row in api.rows("/visitors", keyword="NEV")} == {"Nora"}
    assert api.rows("/visitors", keyword="ora") == []


@pytest.mark.parametrize("query", [{"status": "7"}, {"status": "ACTIVE"}, {"expand[]": "all"}])
def test_a_filter_that_is_none_is_refused(api: "Api", query: dict[str, Any]) -> None:
    """Rule 10."""
    assert api.refused(api.get("/visitors", **query)) == "CODE_PARAMS_INVALID"


def test_a_row_has_everything_or_what_was_asked_for(
    api: "Api", world: World, clock: ManualClock, simulator: UnifiSimulator
) -> None:
    """§8.2: ``none`` leaves the base fields, and old firmware does not know the parameter."""
    simulator.switch(optional_keys="all")
    door = world.add_door("Front")
    group = world.add_door_group("Workshop")
    card = world.add_card(42, 7)
    hours = {"monday": [Hours("09:00:00", "16:59:59")]}
    now = int(clock())
    visitor = world.add_visitor(
        "Vic",
        "Tor",
        now,
        now + 60,
        door_ids=[door.id],
        door_group_ids=[group.id, "gone"],
        weekly=hours,
        card_token=card.token,
        remarks="key 7",
    )
    extras = {"nfc_cards", "pin_code", "resources", "schedule", "schedule_id"}
    [whole] = api.rows("/visitors")
    assert extras <= whole.keys()
    assert api.row(f"/visitors/{visitor.id}") == whole
    assert (whole["start_time"], whole["end_time"], whole["remarks"]) == (now, now + 60, "key 7")
    assert whole["nfc_cards"] == [{"id": card.display_id, "token": card.token, "type": "id_card"}]
    assert whole["resources"] == [
        {"id": door.id, "name": "Front", "type": "door"},
        {"id": group.id, "name": "Workshop", "type": "door_group"},
        {"id": "gone", "name": "", "type": "door_group"},
    ]
    assert whole["schedule"]["weekly"] == {
        "monday": [{"start_time": "09:00:00", "end_time": "16:59:59"}]
    }
    [bare] = api.rows("/visitors", **{"expand[]": "none"})
    assert bare.keys() == {
        *("id", "first_name", "last_name", "status", "start_time", "end_time", "visit_reason"),
        *("inviter_id", "inviter_name", "mobile_phone", "remarks", "email", "visitor_company"),
    }
    assert whole.keys() == bare.keys() | extras
    [some] = api.rows("/visitors", **{"expand[]": ["nfc_card", "resource"]})
    assert extras & some.keys() == {"nfc_cards", "resources"}
    [timed] = api.rows("/visitors", **{"expand[]": ["schedule", "pin_code", "access_policy"]})
    assert extras & timed.keys() == {"schedule", "schedule_id", "pin_code"}
    simulator.switch(firmware="1.22.16")
    assert api.rows("/visitors", **{"expand[]": "none"}) == [bare]
    simulator.switch(firmware="1.22.15")
    assert api.rows("/visitors", **{"expand[]": "none"}) == [whole]


def test_a_one_time_visit_has_no_week(
    api: "Api", simulator: UnifiSimulator, visits: dict[str, Visitor]
) -> None:
    """§8.0."""
    simulator.switch(optional_keys="all")
    row = api.row(f"/visitors/{visits['ACTIVE'].id}")
    assert row["schedule"]["weekly"] is None


def test_an_unknown_visitor_is_refused(api: "Api") -> None:
    """§8.2."""
    assert api.refused(api.get("/visitors/nobody")) == "CODE_NOT_EXISTS"


def test_cancelling_and_deleting_free_the_cards(
    api: "Api", world: World, visits: dict[str, Visitor]
) -> None:
    """Rule 48: a cancelled visit stays listed, a deleted one does not."""
    first = world.add_card(42, 1, holder_id=visits["ACTIVE"].id)
    second = world.add_card(42, 2, holder_id=visits["VISITING"].id)
    world.cancel_visitor(visits["ACTIVE"].id)
    world.delete_visitor(visits["VISITING"].id)
    assert [world.cards[card.token].status for card in (first, second)] == ["pending"] * 2
    shown = {row["id"]: row["status"] for row in api.rows("/visitors")}
    assert shown[visits["ACTIVE"].id] == "CANCELLED"
    assert visits["VISITING"].id not in shown


def test_the_card_of_a_visit_that_is_over_becomes_free_by_itself(
    api: "Api", world: World, clock: ManualClock, simulator: UnifiSimulator
) -> None:
    """§8.5: a switch. A visit that was prolonged meanwhile goes on."""
    now = int(clock())
    card, other, third = (world.add_card(42, number) for number in range(3))
    world.add_visitor("Vic", "Tor", now, now + 10, card_token=card.token)
    longer = world.add_visitor("Viv", "Tor", now, now + 10, card_token=other.token)
    world.edit_visitor(longer.id, end_time=now + 20)
    gone = world.add_visitor("Val", "Tor", now, now + 10, card_token=third.token)
    world.delete_visitor(gone.id)
    simulator.switch(ended_visit_frees_card=False)
    clock.advance(10)
    path = "/credentials/nfc_cards/tokens"
    assert api.row(f"{path}/{card.token}")["status"] == "assigned"
    simulator.switch(ended_visit_frees_card=True)
    assert api.row(f"{path}/{card.token}")["status"] == "pending"
    assert api.row(f"{path}/{other.token}")["status"] == "assigned"

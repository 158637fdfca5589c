"""The system log: §13, §10.5 and rule 53 of the UniFi sheet."""

from typing import TYPE_CHECKING, Any

import pytest

from door_sync.simulators.unifi import ManualClock, UnifiSimulator, World
from door_sync.simulators.unifi.doors import Verdict
from door_sync.simulators.unifi.records import Card, Door, User

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api

FACILITY = 42


@pytest.fixture
def door(world: World) -> Door:
    return world.add_door("Front")


@pytest.fixture
def ann(world: World, door: Door) -> User:
    policy = world.add_policy("Always", [door.id])
    user = world.add_user("Ann", "Lee", policy_ids=[policy.id])
    world.add_card(FACILITY, 1001, holder_id=user.id)
    return user


def card(world: World) -> Card:
    found = world.card_with_number((FACILITY << 16) | 1001)
    assert found is not None
    return found


def hits(api: "Api", topic: str = "door_openings", **body: Any) -> list[dict[str, Any]]:
    data = api.done(api.post("/system/logs", {"topic": topic, **body}))
    found: list[dict[str, Any]] = data if isinstance(data, list) else data["hits"]
    return found


def test_a_card_held_to_a_door_is_judged_as_ever_and_on_record(
    api: "Api", world: World, door: Door, ann: User
) -> None:
    assert world.tap(FACILITY, 1001, door.id) is Verdict.OPENS
    [hit] = hits(api)
    source = hit["_source"]
    assert source["actor"]["id"] == ann.id
    assert source["actor"]["display_name"] == "Ann Lee"
    assert source["event"]["result"] == "ACCESS"
    assert {"type": "nfc_token", "id": card(world).token, "display_name": ""} in source["target"]
    assert source["target"][0] == {"type": "door", "id": door.id, "display_name": "Front"}
    assert hit["@timestamp"].endswith("Z")


def test_a_refused_card_is_on_record_with_its_holder(
    api: "Api", world: World, door: Door, ann: User
) -> None:
    world.set_status(ann.id, "DEACTIVATED")
    assert world.tap(FACILITY, 1001, door.id) is Verdict.DEACTIVATED
    [hit] = hits(api, actor_id=ann.id)
    assert hit["_source"]["event"]["result"] == "BLOCKED"


def test_an_unknown_card_has_no_actor_and_eight_hex_digits(
    api: "Api", world: World, door: Door
) -> None:
    assert world.tap(FACILITY, 1002, door.id) is Verdict.UNKNOWN_CARD
    [hit] = hits(api)
    assert hit["_source"]["actor"]["id"] == ""
    assert hit["_source"]["authentication"]["issuer"] == f"{(FACILITY << 16) | 1002:08X}"
    assert [one["type"] for one in hit["_source"]["target"]] == ["door", "nfc_id"]


def test_a_visitors_card_is_the_visitors(
    api: "Api", world: World, clock: ManualClock, door: Door
) -> None:
    now = int(clock())
    visitor = world.add_visitor("Vic", "Tor", now - 60, now + 60, door_ids=[door.id])
    world.add_card(FACILITY, 1003, holder_id=visitor.id)
    assert world.tap(FACILITY, 1003, door.id) is Verdict.OPENS
    assert hits(api)[0]["_source"]["actor"]["type"] == "visitor"


def test_a_card_whose_holder_is_gone_is_refused_under_the_holders_id(
    api: "Api", world: World, door: Door, ann: User
) -> None:
    world.delete_user(ann.id, free_cards=False)
    assert world.tap(FACILITY, 1001, door.id) is Verdict.HOLDER_GONE
    actor = hits(api)[0]["_source"]["actor"]
    assert (actor["id"], actor["display_name"]) == (ann.id, "")


def test_asking_the_log_is_no_write(api: "Api", simulator: UnifiSimulator) -> None:
    simulator.journal.clear()
    hits(api)
    assert len(simulator.journal.requests()) == 1
    assert simulator.journal.writes() == ()


def test_other_topics_hold_no_doors(api: "Api", world: World, door: Door) -> None:
    world.tap(FACILITY, 1001, door.id)
    assert len(hits(api, "all")) == 1
    assert hits(api, "updates") == []
    assert api.refused(api.post("/system/logs", {"topic": "gossip"})) == "CODE_PARAMS_INVALID"
    assert api.refused(api.post("/system/logs", {})) == "CODE_PARAMS_INVALID"


@pytest.mark.parametrize(("bounds", "expected"), [("included", 3), ("excluded", 1)])
def test_whether_the_bounds_belong_to_it_is_a_switch(
    api: "Api",
    simulator: UnifiSimulator,
    world: World,
    clock: ManualClock,
    door: Door,
    bounds: str,
    expected: int,
) -> None:
    first = int(clock())
    for _ in range(3):
        world.tap(FACILITY, 1001, door.id)
        clock.advance(10)
    simulator.switch(log_bounds=bounds)
    assert len(hits(api, since=first, until=first + 20)) == expected
    assert len(hits(api)) == 3


def test_pages_order_ids_and_card_targets_are_switches(
    api: "Api", simulator: UnifiSimulator, world: World, clock: ManualClock, door: Door
) -> None:
    for _ in range(3):
        world.tap(FACILITY, 1001, door.id)
        clock.advance(1)
    path = "/system/logs?page_num=2&page_size=2"
    data = api.done(api.post(path, {"topic": "all"}))
    assert [hit["_id"] for hit in data["hits"]] == ["1"]
    assert (data["page"], data["total"]) == (2, 3)
    simulator.switch(log_counts="beside data", log_order="oldest first")
    document = api.post(path, {"topic": "all"}).json()
    assert [hit["_id"] for hit in document["data"]["hits"]] == ["3"]
    assert (document["page"], document["total"]) == (2, 3)
    simulator.switch(log_counts="bare list", log_ids="empty", cards_in_log=False)
    [hit] = api.done(api.post(path, {"topic": "all"}))
    assert hit["_id"] == ""
    assert [one["type"] for one in hit["_source"]["target"]] == ["door"]


def test_the_log_has_a_right_of_its_own(api: "Api", world: World) -> None:
    world.add_token("other", scopes=["view:user", "edit:user"])
    api.headers = {"Authorization": "Bearer other"}
    assert api.refused(api.post("/system/logs", {"topic": "all"})) == "CODE_UNAUTHORIZED"


def test_an_unknown_door_is_a_key_error(world: World) -> None:
    with pytest.raises(KeyError):
        world.tap(FACILITY, 1001, "nowhere")

"""Policies and doors: rules 28 and 29 of §19 of the UniFi sheet, and §9.1, §11."""

from typing import TYPE_CHECKING, Any

import pytest

from door_sync.simulators.unifi import UnifiSimulator, World
from door_sync.simulators.unifi.envelope import Refusal
from door_sync.simulators.unifi.records import Hours

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api


@pytest.mark.parametrize(
    ("switch", "heard"),
    [
        ("both", {"resource", "resources"}),
        ("resource", {"resource"}),
        ("resources", {"resources"}),
    ],
)
@pytest.mark.parametrize("key", ["resource", "resources"])
def test_which_key_names_the_doors_of_a_policy_is_a_switch(
    api: "Api",
    world: World,
    simulator: UnifiSimulator,
    switch: str,
    heard: set[str],
    key: str,
) -> None:
    """Rule 28, C8: the answer always says ``resources``; the key that is not heard is ignored."""
    simulator.switch(policy_resource_key=switch)
    door, group = world.add_door("Front"), world.add_door_group("Workshop")
    places = [{"id": door.id, "type": "door"}, {"id": group.id, "type": "door_group"}]
    body = {"name": "Members", "schedule_id": world.always().id, key: places}
    made = api.done(api.post("/access_policies", body))
    assert made.keys() == {"id", "name", "resources", "schedule_id"}
    assert made["resources"] == (places if key in heard else [])
    assert api.row(f"/access_policies/{made['id']}") == made
    assert api.rows("/access_policies") == [made]


def test_a_policy_can_be_changed_in_part_and_deleted(api: "Api", world: World) -> None:
    """§9.1; users and groups lose a deleted one."""
    door = world.add_door("Front")
    gold, silver = world.add_policy("Gold", [door.id]), world.add_policy("Silver")
    user = world.add_user("Ann", "Lee", policy_ids=[silver.id, gold.id])
    group = world.add_group("Staff", policy_ids=[gold.id, silver.id])
    path = f"/access_policies/{gold.id}"
    assert api.done(api.put(path, {"name": "Golden"}))["name"] == "Golden"
    assert api.row(path)["resources"] == [{"id": door.id, "type": "door"}]
    assert api.done(api.put(path, {"resources": []}))["resources"] == []
    assert api.done(api.call("DELETE", path)) == "success"
    assert api.refused(api.get(path)) == "CODE_NOT_EXISTS"
    assert world.users[user.id].policy_ids == (silver.id,)
    assert world.groups[group.id].policy_ids == (silver.id,)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"schedule_id": "none"}, "CODE_ACCESS_POLICY_SCHEDULE_NOT_FOUND"),
        ({"resources": [{"id": "none", "type": "door"}]}, "CODE_NOT_EXISTS"),
        ({"resources": [{"id": "none", "type": "door_group"}]}, "CODE_NOT_EXISTS"),
    ],
)
def test_a_policy_for_what_is_not_there_is_refused(
    api: "Api", world: World, changes: dict[str, Any], code: str
) -> None:
    """§9.1."""
    body = {"name": "Members", "schedule_id": world.always().id, **changes}
    assert api.refused(api.post("/access_policies", body)) == code
    assert len(world.policies) == 0


def test_unknown_policies_are_refused_on_every_endpoint(api: "Api") -> None:
    """§9.1."""
    for method in ("GET", "PUT", "DELETE"):
        response = api.call(method, "/access_policies/none", json={})
        assert api.refused(response) == "CODE_NOT_EXISTS"


def test_names_of_schedules_and_door_groups_are_unique(world: World) -> None:
    """Rule 29."""
    world.add_schedule("Evenings")
    with pytest.raises(Refusal, match="CODE_ACCESS_POLICY_SCHEDULE_NAME_EXIST"):
        world.add_schedule("Evenings")
    world.add_door_group("Workshop")
    with pytest.raises(Refusal, match="CODE_OPERATION_FORBIDDEN"):
        world.add_door_group("Workshop")
    assert (len(world.schedules), len(world.door_groups)) == (1, 1)


def test_default_schedules_and_schedules_in_use_cannot_be_deleted(world: World) -> None:
    """Rule 29."""
    evenings = world.add_schedule("Evenings", {"monday": [Hours("18:00:00", "22:59:59")]})
    policy = world.add_policy("Members", schedule_id=evenings.id)
    for schedule_id in (evenings.id, world.always().id):
        with pytest.raises(Refusal, match="CODE_ACCESS_POLICY_SCHEDULE_CAN_NOT_DELETE"):
            world.delete_schedule(schedule_id)
    world.delete_policy(policy.id)
    world.delete_schedule(evenings.id)
    assert list(world.schedules) == [world.always()]


def test_doors_and_door_groups_can_be_listed(api: "Api", world: World) -> None:
    """§11."""
    front = world.add_door("Front")
    group = world.add_door_group("Workshop", [front.id])
    [door] = api.rows("/doors")
    assert (door["id"], door["name"], door["type"]) == (front.id, "Front", "door")
    assert door["is_bind_hub"] is True
    expected = [{"id": front.id, "type": "door"}]
    assert api.rows("/door_groups") == [
        {"id": group.id, "name": "Workshop", "resources": expected, "type": "access"}
    ]

"""Which policies a user has: rules 25 to 27 of §19 of the UniFi sheet."""

from typing import TYPE_CHECKING

import pytest

from door_sync.simulators.unifi import UnifiSimulator, World

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api


def test_setting_policies_replaces_the_direct_ones(api: "Api", world: World) -> None:
    """Rule 25."""
    gold, silver = world.add_policy("Gold").id, world.add_policy("Silver").id
    user = world.add_user("Ann", "Lee", policy_ids=[gold])
    path = f"/users/{user.id}/access_policies"
    api.done(api.put(path, {"access_policy_ids": [silver]}))
    assert api.row(f"/users/{user.id}")["access_policy_ids"] == [silver]
    api.done(api.put(path, {"access_policy_ids": [gold, silver, gold]}))
    assert api.row(f"/users/{user.id}")["access_policy_ids"] == [gold, silver]
    api.done(api.put(path, {"access_policy_ids": []}))
    assert api.row(f"/users/{user.id}")["access_policy_ids"] == []


@pytest.mark.parametrize("code", ["CODE_NOT_EXISTS", "CODE_PARAMS_INVALID"])
def test_an_unknown_policy_is_refused_and_nothing_changes(
    api: "Api", world: World, simulator: UnifiSimulator, code: str
) -> None:
    """Rule 25; the code is a switch."""
    simulator.switch(unknown_policy=code)
    gold, silver = world.add_policy("Gold").id, world.add_policy("Silver").id
    user = world.add_user("Ann", "Lee", policy_ids=[gold])
    body = {"access_policy_ids": [silver, "nothing"]}
    assert api.refused(api.put(f"/users/{user.id}/access_policies", body)) == code
    assert world.users[user.id].policy_ids == (gold,)


def test_an_unknown_policy_may_be_ignored(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 25."""
    simulator.switch(unknown_policy="ignored")
    gold = world.add_policy("Gold").id
    user = world.add_user("Ann", "Lee")
    body = {"access_policy_ids": ["nothing", gold]}
    api.done(api.put(f"/users/{user.id}/access_policies", body))
    assert world.users[user.id].policy_ids == (gold,)


def test_a_policy_for_everyone_shows_first_and_survives_a_write(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 26: computed, not stored."""
    gold, lobby = world.add_policy("Gold").id, world.add_policy("Lobby", everyone=True).id
    user = world.add_user("Ann", "Lee", policy_ids=[gold])
    row = api.row(f"/users/{user.id}", **{"expand[]": "access_policy"})
    assert row["access_policy_ids"] == [lobby, gold]
    assert [policy["name"] for policy in row["access_policies"]] == ["Lobby", "Gold"]
    api.done(api.put(f"/users/{user.id}/access_policies", {"access_policy_ids": []}))
    assert api.row(f"/users/{user.id}")["access_policy_ids"] == [lobby]
    assert world.users[user.id].policy_ids == ()
    simulator.switch(everyone_policies_first=False)
    world.set_policies(user.id, [gold])
    assert api.row(f"/users/{user.id}")["access_policy_ids"] == [gold, lobby]


def test_a_policy_for_everyone_becomes_direct_if_its_id_is_sent(api: "Api", world: World) -> None:
    """Rule 26: and stays when the flag is taken away."""
    lobby = world.add_policy("Lobby", everyone=True).id
    sent, other = world.add_user("Ann", "Lee"), world.add_user("Bob", "Ray")
    api.done(api.put(f"/users/{sent.id}/access_policies", {"access_policy_ids": [lobby]}))
    assert api.row(f"/users/{sent.id}")["access_policy_ids"] == [lobby]
    world.edit_policy(lobby, applies_to_everyone=False)
    assert api.row(f"/users/{sent.id}")["access_policy_ids"] == [lobby]
    assert api.row(f"/users/{other.id}")["access_policy_ids"] == []


def test_direct_policies_can_be_told_from_the_others(api: "Api", world: World) -> None:
    """Rule 26, §6.5: ``only_user_policies``; a subgroup's members have what its parents have."""
    gold, lobby = world.add_policy("Gold"), world.add_policy("Lobby", everyone=True)
    staff, keys = world.add_policy("Staff"), world.add_policy("Keys")
    user = world.add_user("Ann", "Lee", policy_ids=[gold.id])
    parent = world.add_group("Staff", policy_ids=[staff.id])
    world.add_group("Night", policy_ids=[keys.id], member_ids=[user.id], parent_id=parent.id)
    world.add_group("Day", policy_ids=[gold.id])
    path = f"/users/{user.id}/access_policies"
    direct = api.rows(path, only_user_policies="true")
    assert [policy["name"] for policy in direct] == ["Gold"]
    assert direct[0].keys() == {"id", "name", "resources", "schedule_id"}
    everything = {"Gold", "Lobby", "Staff", "Keys"}
    assert {policy["name"] for policy in api.rows(path, only_user_policies="false")} == everything
    assert {policy["name"] for policy in api.rows(path)} == everything
    assert set(api.row(f"/users/{user.id}")["access_policy_ids"]) == {gold.id, lobby.id}


def test_policies_of_groups_may_show_in_rows(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 26: a switch; groups that name each other as parents do no harm."""
    staff, keys = world.add_policy("Staff"), world.add_policy("Keys")
    user = world.add_user("Ann", "Lee")
    group = world.add_group("Staff", policy_ids=[staff.id], member_ids=[user.id])
    loop = world.add_group("Loop", policy_ids=[keys.id], parent_id=group.id)
    world.edit_group(group.id, parent_id=loop.id)
    assert api.row(f"/users/{user.id}")["access_policy_ids"] == []
    simulator.switch(group_policies_in_rows=True)
    assert set(api.row(f"/users/{user.id}")["access_policy_ids"]) == {staff.id, keys.id}


@pytest.mark.parametrize(
    ("query", "expanded"),
    [
        ("", False),
        ("?expand[]=access_policy", True),
        ("?expand%5B%5D=access_policy", True),
        ("?expand[]=true", False),
        ("?expand=access_policy", False),
        ("?expand[]=other&expand[]=access_policy", True),
    ],
)
def test_policies_come_along_only_when_expanded(
    api: "Api", world: World, query: str, expanded: bool
) -> None:
    """Rule 27: in plain brackets or encoded ones."""
    user = world.add_user("Ann", "Lee", policy_ids=[world.add_policy("Gold").id])
    fetched = api.call("GET", f"/users/{user.id}{query}").json()["data"]
    [listed] = api.call("GET", f"/users{query}").json()["data"]
    assert ("access_policies" in fetched) is ("access_policies" in listed) is expanded

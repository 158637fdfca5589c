"""User groups, to be read: §7 of the UniFi sheet."""

from typing import TYPE_CHECKING

from door_sync.simulators.unifi import World

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api


def test_a_group_tells_its_members_those_of_subgroups_its_policies_and_its_place(
    api: "Api", world: World
) -> None:
    gold = world.add_policy("Gold")
    ann, bob = world.add_user("Ann", "Lee"), world.add_user("Bob", "Ross")
    staff = world.add_group("Staff", policy_ids=[gold.id, "gone"], member_ids=[ann.id])
    cleaners = world.add_group("Cleaners", member_ids=[bob.id], parent_id=staff.id)
    rows = sorted(api.rows("/user_groups"), key=lambda row: len(row["up_ids"]))
    assert rows == [
        {"id": staff.id, "name": "Staff", "full_name": "Staff", "up_id": "", "up_ids": []},
        {
            "id": cleaners.id,
            "name": "Cleaners",
            "full_name": "Staff/Cleaners",
            "up_id": staff.id,
            "up_ids": [staff.id],
        },
    ]
    assert api.row(f"/user_groups/{cleaners.id}") == rows[1]
    path = f"/user_groups/{staff.id}"
    assert {row["id"] for row in api.rows(f"{path}/users")} == {ann.id}
    assert {row["id"] for row in api.rows(f"{path}/users/all")} == {ann.id, bob.id}
    assert [row["name"] for row in api.rows(f"{path}/access_policies")] == ["Gold"]


def test_a_group_that_does_not_exist_is_refused(api: "Api") -> None:
    assert api.refused(api.get("/user_groups/gone")) == "CODE_NOT_EXISTS"

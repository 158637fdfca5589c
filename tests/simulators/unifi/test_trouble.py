"""Faults of the controller: rule 54 of §19 of the UniFi sheet."""

from typing import TYPE_CHECKING

import httpx2
import pytest

from door_sync.simulators.faults import Hook, Reset, Rewrite, Truncate, null_key, rate_limit
from door_sync.simulators.unifi import UnifiSimulator, World
from door_sync.simulators.unifi.trouble import (
    business_error,
    null_data,
    success_without_effect,
)

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api

ANN = {"first_name": "Ann", "last_name": "Lee"}


def test_a_system_error_inside_200_did_nothing(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 54."""
    simulator.faults.add(business_error(), method="POST", path="/users")
    assert api.refused(api.post("/users", ANN)) == "CODE_SYSTEM_ERROR"
    assert len(world.users) == 0
    api.done(api.post("/users", ANN))


def test_any_error_may_come_for_what_was_done_all_the_same(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 54."""
    simulator.faults.add(business_error("CODE_DEVICE_DEVICE_BUSY", after=True))
    assert api.refused(api.post("/users", ANN)) == "CODE_DEVICE_DEVICE_BUSY"
    assert len(world.users) == 1


def test_a_success_may_have_done_nothing(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 54: a client that does not read back believes it."""
    user = world.add_user("Ann", "Lee")
    simulator.faults.add(success_without_effect(), method="PUT", path="/users/:id")
    assert api.done(api.put(f"/users/{user.id}", {"status": "DEACTIVATED"})) is None
    assert world.users[user.id].status == "ACTIVE"


def test_data_or_a_field_deep_inside_may_be_null(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 54."""
    user = world.add_user("Ann", "Lee")
    simulator.faults.add(null_data())
    simulator.faults.add(null_key("data", "nfc_cards"), first=2)
    assert api.get(f"/users/{user.id}").json()["data"] is None
    row = api.row(f"/users/{user.id}")
    assert row["nfc_cards"] is None
    assert row["first_name"] == "Ann"


def test_patterns_leave_the_base_path_out(api: "Api", simulator: UnifiSimulator) -> None:
    """Per endpoint and per count."""
    simulator.faults.add(rate_limit(2), method="PUT", path="/users/:id/nfc_cards", first=2)
    codes = [api.put("/users/u/nfc_cards", {"token": "t"}).status_code for _ in range(3)]
    assert codes == [200, 429, 200]
    assert api.put("/users/u/access_policies", {}).status_code == 200


def test_a_page_may_be_a_row_short_of_its_total(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 54, design P2: by a rewrite."""
    for number in range(3):
        world.add_user("User", str(number))

    def shorter(document: dict[str, list[object]]) -> dict[str, list[object]]:
        return {**document, "data": document["data"][:-1]}

    simulator.faults.add(Rewrite(shorter), path="/users")
    document = api.get("/users", page_num=1, page_size=100).json()
    assert (len(document["data"]), document["pagination"]["total"]) == (2, 3)


def test_a_broken_answer_to_a_write_that_was_done(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 54."""
    simulator.faults.add(Truncate())
    simulator.faults.add(Reset(after=True), first=2)
    with pytest.raises(ValueError, match="line 1"):
        api.post("/users", ANN).json()
    with pytest.raises(httpx2.RemoteProtocolError):
        api.post("/users", ANN)
    assert len(world.users) == 2


def test_a_hook_changes_the_world_between_two_requests(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 54: somebody at the console takes the card between the look and the write."""
    ann, bob = world.add_user("Ann", "Lee"), world.add_user("Bob", "Ray")
    card = world.add_card(42, 1)
    take = Hook(lambda _: world.bind(card.token, bob.id))
    simulator.faults.add(take, method="PUT", path="/users/:id/nfc_cards")
    refused = api.put(f"/users/{ann.id}/nfc_cards", {"token": card.token})
    assert api.refused(refused) == "CODE_CREDS_NFC_HAS_BIND_USER"


def test_a_token_expires_in_the_middle_of_a_run(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 54: whatever the requests are."""
    world.add_token("other")
    world.expire_token_after(2)
    assert [api.get("/users").status_code for _ in range(4)] == [200, 200, 401, 401]
    api.headers = {"Authorization": "Bearer other"}
    assert api.get("/users").status_code == 200
    world.add_token("third")
    world.expire_token_after(0, "third")
    assert api.get("/users").status_code == 200
    api.headers = {"Authorization": "Bearer third"}
    assert api.get("/users").status_code == 401

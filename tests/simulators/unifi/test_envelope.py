"""The envelope of answers, and bodies that are refused: rules 6 to 10 of §19 of the UniFi sheet."""

from typing import TYPE_CHECKING

import pytest

from door_sync.simulators.unifi import UnifiSimulator, World

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api


def test_messages_of_success_take_turns(api: "Api") -> None:
    """Rule 6."""
    messages = [api.get("/users").json()["msg"] for _ in range(4)]
    assert messages in (["success", "succ"] * 2, ["succ", "success"] * 2)


def test_data_is_an_object_an_array_a_word_null_or_absent_by_endpoint(
    api: "Api", world: World
) -> None:
    """Rule 6: as the tables of §6, §9 and §10 say, untidied."""
    user = world.add_user("Ann", "Lee")
    card = world.add_card(42, 1234)
    policy = world.add_policy("Members")
    path = f"/users/{user.id}"
    token = {"token": card.token}
    assert isinstance(api.done(api.get("/users")), list)
    assert isinstance(api.done(api.get(path)), dict)
    assert api.done(api.put(path, {"first_name": "Anna"})) is None
    assert api.done(api.put(f"{path}/access_policies", {"access_policy_ids": []})) is api.ABSENT
    assert api.done(api.put(f"{path}/nfc_cards", token)) is api.ABSENT
    assert api.done(api.put(f"{path}/nfc_cards/delete", token)) is api.ABSENT
    one = f"/credentials/nfc_cards/tokens/{card.token}"
    assert api.done(api.put(one, {"alias": "sync-01234"})) == "success"
    assert api.done(api.call("DELETE", one)) == "success"
    assert api.done(api.call("DELETE", f"/access_policies/{policy.id}")) == "success"
    world.set_status(user.id, "DEACTIVATED")
    assert api.done(api.call("DELETE", path)) is api.ABSENT


@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal_comes_with_200_or_400(
    api: "Api", simulator: UnifiSimulator, status: int
) -> None:
    """Rule 7."""
    simulator.switch(business_error_status=status)
    assert api.refused(api.get("/users/nobody"), status) == "CODE_USER_WORKER_NOT_EXISTS"


def test_the_avatar_answers_in_the_second_dialect(api: "Api", world: World) -> None:
    """Rule 8, §3.2."""
    user = world.add_user("Ann", "Lee")
    response = api.call("POST", f"/users/{user.id}/avatar", files={"file": b"PNG"})
    document = response.json()
    assert (document["code"], document["codeS"]) == (1, "SUCCESS")
    assert document["data"].keys() == {"avatar_url"}
    document = api.call("POST", f"/users/{user.id}/avatar").json()
    assert (document["code"], document["codeS"]) == (0, "CODE_PARAMS_INVALID")


def test_any_one_endpoint_may_speak_the_second_dialect(
    api: "Api", simulator: UnifiSimulator
) -> None:
    """Rule 8, C5."""
    simulator.switch(numeric_endpoints=["GET /users/:id"])
    document = api.get("/users/nobody").json()
    assert document["code"] == 0
    assert document["codeS"] == "CODE_USER_WORKER_NOT_EXISTS"
    assert api.get("/users").json()["code"] == "SUCCESS"


def test_everything_may_speak_the_second_dialect(api: "Api", simulator: UnifiSimulator) -> None:
    """Rule 8, C5: also what is said before an endpoint is found."""
    simulator.switch(dialect="numeric")
    document = api.get("/users").json()
    assert (document["code"], document["codeS"], document["data"]) == (1, "SUCCESS", [])
    api.headers = {}
    document = api.get("/users").json()
    assert (document["code"], document["codeS"]) == (0, "CODE_ACCESS_TOKEN_INVALID")


def test_unknown_body_keys_are_ignored_or_refused(api: "Api", simulator: UnifiSimulator) -> None:
    """Rule 9."""
    body = {"first_name": "Ann", "last_name": "Lee", "shoe_size": 40}
    assert api.done(api.post("/users", body))["first_name"] == "Ann"
    simulator.switch(unknown_body_keys="refused")
    assert api.refused(api.post("/users", body)) == "CODE_PARAMS_INVALID"
    known = {"user_email": "", "employee_number": "42", "onboard_time": 0}
    made = api.done(api.post("/users", {"first_name": "Ann", "last_name": "Lee", **known}))
    change = {"first_name": "Anna", "last_name": "Lee", "status": "ACTIVE", **known}
    assert api.done(api.put(f"/users/{made['id']}", change)) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users"),
        ("PUT", "/users/USER"),
        ("PUT", "/users/USER/access_policies"),
        ("PUT", "/users/USER/nfc_cards"),
        ("PUT", "/users/USER/nfc_cards/delete"),
        ("POST", "/access_policies"),
        ("PUT", "/credentials/nfc_cards/tokens/CARD"),
    ],
)
@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"text"', "\xff"])
def test_a_body_that_is_no_json_object_is_refused(
    api: "Api", world: World, method: str, path: str, content: str
) -> None:
    """Rule 10."""
    user, card = world.add_user("Ann", "Lee"), world.add_card(42, 1)
    path = path.replace("USER", user.id).replace("CARD", card.token)
    response = api.call(method, path, content=content.encode("latin-1"))
    assert api.refused(response) == "CODE_PARAMS_INVALID"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users", {"first_name": "Ann"}),
        ("POST", "/users", {"first_name": "Ann", "last_name": 5}),
        ("POST", "/users", {"first_name": "Ann", "last_name": None}),
        ("POST", "/users", {"first_name": "Ann", "last_name": "Lee", "employee_number": 42}),
        ("POST", "/users", {"first_name": "Ann", "last_name": "Lee", "onboard_time": True}),
        ("POST", "/users", {"first_name": "Ann", "last_name": "Lee", "onboard_time": "1"}),
        ("POST", "/users", {"first_name": "Ann", "last_name": "Lee", "user_email": None}),
        ("PUT", "/users/USER", {"status": "PENDING"}),
        ("PUT", "/users/USER", {"status": "active"}),
        ("PUT", "/users/USER", {"status": 1}),
        ("PUT", "/users/USER/access_policies", {}),
        ("PUT", "/users/USER/access_policies", {"access_policy_ids": "one"}),
        ("PUT", "/users/USER/access_policies", {"access_policy_ids": [1]}),
        ("PUT", "/users/USER/nfc_cards", {}),
        ("PUT", "/users/USER/nfc_cards", {"token": 1}),
        ("PUT", "/users/USER/nfc_cards", {"token": "CARD", "force_add": "true"}),
        ("PUT", "/users/USER/nfc_cards/delete", {}),
        ("PUT", "/credentials/nfc_cards/tokens/CARD", {}),
        ("POST", "/users/identity/invitations", {"user_id": "USER"}),
        ("POST", "/users/identity/invitations", ["USER"]),
        ("POST", "/access_policies", {"name": "Members"}),
        ("POST", "/access_policies", {"name": "", "schedule_id": "ALWAYS"}),
        ("POST", "/access_policies", {"name": "M", "schedule_id": "ALWAYS", "resources": [1]}),
        (
            "POST",
            "/access_policies",
            {"name": "M", "schedule_id": "ALWAYS", "resources": [{"id": "x", "type": "roof"}]},
        ),
    ],
)
def test_missing_fields_and_wrong_types_are_refused_and_nothing_happens(
    api: "Api", simulator: UnifiSimulator, method: str, path: str, body: object
) -> None:
    """Rule 10."""
    world = simulator.world
    user, card = world.add_user("Ann", "Lee"), world.add_card(42, 1)
    names = {"USER": user.id, "CARD": card.token, "ALWAYS": world.always().id}
    before = simulator.dump()
    for name, value in names.items():
        path = path.replace(name, value)
    response = api.call(method, path, json=_filled(body, names))
    assert api.refused(response) == "CODE_PARAMS_INVALID"
    assert simulator.dump() == before


def _filled(value: object, names: dict[str, str]) -> object:
    match value:
        case dict():
            return {key: _filled(inner, names) for key, inner in value.items()}
        case list():
            return [_filled(inner, names) for inner in value]
        case str():
            return names.get(value, value)
        case _:
            return value

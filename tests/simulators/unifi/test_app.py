"""Tokens, routes and scopes: rules 1 to 5 of §19 of the UniFi sheet."""

from typing import TYPE_CHECKING

import httpx2
import pytest

from door_sync.simulators.serving import Server
from door_sync.simulators.tls import self_signed
from door_sync.simulators.unifi import DEFAULT_TOKEN, ManualClock, UnifiSimulator, World
from door_sync.simulators.unifi.site import SCOPES

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api


def test_it_speaks_https_with_a_certificate_that_can_be_swapped(api: "Api", server: Server) -> None:
    """Rule 1."""
    assert server.url.startswith("https://127.0.0.1:")
    before = server.fingerprint
    server.swap_certificate(self_signed("unifi.local"))
    assert server.fingerprint != before
    assert api.get("/users").status_code == 200


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer wrong", DEFAULT_TOKEN, f"Basic {DEFAULT_TOKEN}"],
)
def test_a_missing_or_unknown_token_is_401(api: "Api", header: str | None) -> None:
    """Rule 2."""
    api.headers = {} if header is None else {"Authorization": header}
    assert api.refused(api.get("/users"), 401) == "CODE_ACCESS_TOKEN_INVALID"


def test_a_control_plane_key_is_no_token(api: "Api") -> None:
    """Rule 2, C11."""
    api.headers = {"X-API-KEY": DEFAULT_TOKEN}
    assert api.get("/users").status_code == 401


def test_a_deleted_token_is_401(api: "Api", world: World) -> None:
    """Rule 2."""
    assert api.get("/users").status_code == 200
    world.delete_token(DEFAULT_TOKEN)
    assert api.get("/users").status_code == 401


def test_an_expired_token_is_401(api: "Api", world: World, clock: ManualClock) -> None:
    """Rule 2."""
    world.add_token("short", expires_at=clock() + 60)
    api.headers = {"Authorization": "Bearer short"}
    assert api.get("/users").status_code == 200
    clock.advance(60)
    assert api.get("/users").status_code == 401


@pytest.mark.parametrize("code", ["CODE_ACCESS_TOKEN_INVALID", "CODE_AUTH_FAILED"])
def test_which_code_a_401_carries_is_a_switch(
    api: "Api", simulator: UnifiSimulator, code: str
) -> None:
    """Rule 2."""
    simulator.switch(bad_token_code=code)
    api.headers = {}
    assert api.refused(api.get("/users"), 401) == code


def test_the_token_is_looked_at_before_the_route_or_after_it(
    api: "Api", simulator: UnifiSimulator
) -> None:
    """Rules 2 and 3: their order is a switch."""
    api.headers = {}
    assert api.get("/nowhere").status_code == 401
    simulator.switch(route_before_token=True)
    assert api.is_no_route(api.get("/nowhere"))
    assert api.get("/users").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("GET", ""),
        ("GET", "/"),
        ("GET", "/users/"),
        ("GET", "//users"),
        ("GET", "/developer/users"),
        ("DELETE", "/users"),
        ("PATCH", "/users/1"),
        ("OPTIONS", "/users"),
        ("POST", "/users/search"),
        ("DELETE", "/users/1/nfc_cards/delete"),
        ("POST", "/credentials/nfc_cards/tokens"),
        ("GET", "/credentials/nfc_cards/import"),
    ],
)
def test_an_unknown_path_or_a_wrong_method_is_no_mans_zone(
    api: "Api", method: str, path: str
) -> None:
    """Rule 3: 404 and the exact body of §3.4; never 405, never a redirect."""
    assert api.is_no_route(api.call(method, path))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/users/1/pin_codes"),
        ("POST", "/visitors"),
        ("PUT", "/visitors/1/nfc_cards"),
        ("DELETE", "/visitors/1"),
        ("GET", "/access_policies/schedules/1"),
        ("POST", "/access_policies/schedules"),
        ("POST", "/door_groups"),
        ("PUT", "/doors/1/unlock"),
        ("POST", "/credentials/pin_codes"),
        ("GET", "/credentials/touch_passes"),
        ("GET", "/devices"),
        ("POST", "/system/logs/export"),
        ("GET", "/webhooks/endpoints"),
    ],
)
def test_endpoints_that_the_simulator_leaves_out_are_no_mans_zone(
    api: "Api", method: str, path: str
) -> None:
    """As the package says: nothing that door-sync never calls is answered half."""
    assert api.is_no_route(api.call(method, path))


def test_outside_the_base_path_there_is_nothing(server: Server, api: "Api") -> None:
    """Rule 3."""
    response = httpx2.get(f"{server.url}/users", verify=False, headers=api.headers, trust_env=False)
    assert api.is_no_route(response)


def test_no_route_may_come_with_200(api: "Api", simulator: UnifiSimulator) -> None:
    """Rule 3, C3."""
    simulator.switch(no_route_status=200)
    assert api.is_no_route(api.get("/nowhere"), 200)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/users", "view:user"),
        ("GET", "/users/search", "view:user"),
        ("GET", "/users/1", "view:user"),
        ("POST", "/users", "edit:user"),
        ("PUT", "/users/1", "edit:user"),
        ("DELETE", "/users/1", "edit:user"),
        ("GET", "/users/1/access_policies", "view:user"),
        ("PUT", "/users/1/access_policies", "edit:user"),
        ("PUT", "/users/1/nfc_cards", "edit:user"),
        ("PUT", "/users/1/nfc_cards/delete", "edit:user"),
        ("POST", "/users/1/avatar", "edit:user"),
        ("POST", "/users/identity/invitations", "edit:user"),
        ("GET", "/visitors", "view:visitor"),
        ("GET", "/visitors/1", "view:visitor"),
        ("GET", "/access_policies", "view:policy"),
        ("GET", "/access_policies/1", "view:policy"),
        ("POST", "/access_policies", "edit:policy"),
        ("PUT", "/access_policies/1", "edit:policy"),
        ("DELETE", "/access_policies/1", "edit:policy"),
        ("GET", "/credentials/nfc_cards/tokens", "view:credential"),
        ("GET", "/credentials/nfc_cards/tokens/1", "view:credential"),
        ("PUT", "/credentials/nfc_cards/tokens/1", "edit:credential"),
        ("DELETE", "/credentials/nfc_cards/tokens/1", "edit:credential"),
        ("POST", "/credentials/nfc_cards/import", "edit:credential"),
        ("GET", "/doors", "view:space"),
        ("GET", "/door_groups", "view:space"),
    ],
)
def test_each_endpoint_wants_its_scope(
    api: "Api", world: World, simulator: UnifiSimulator, method: str, path: str, scope: str
) -> None:
    """Rule 4: every other scope is not enough; the right one gets as far as the endpoint."""
    simulator.switch(edit_includes_view=False, numeric_endpoints=[])
    world.add_token("others", scopes=SCOPES - {scope})
    world.add_token("this", scopes=[scope])
    api.headers = {"Authorization": "Bearer others"}
    assert api.refused(api.call(method, path)) == "CODE_UNAUTHORIZED"
    api.headers = {"Authorization": "Bearer this"}
    assert api.call(method, path).json()["code"] != "CODE_UNAUTHORIZED"


def test_a_missing_scope_may_come_with_403(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 4, C4."""
    simulator.switch(scope_error_status=403)
    world.add_token("narrow", scopes=["view:user"])
    api.headers = {"Authorization": "Bearer narrow"}
    assert api.refused(api.get("/access_policies"), 403) == "CODE_UNAUTHORIZED"


def test_edit_includes_view_or_not(api: "Api", world: World, simulator: UnifiSimulator) -> None:
    """Rule 4."""
    world.add_token("editor", scopes=["edit:user"])
    api.headers = {"Authorization": "Bearer editor"}
    assert api.done(api.get("/users")) == []
    simulator.switch(edit_includes_view=False)
    assert api.refused(api.get("/users")) == "CODE_UNAUTHORIZED"


def test_a_view_scope_does_not_edit(api: "Api", world: World) -> None:
    """Rule 4, and nothing happened."""
    world.add_token("viewer", scopes=["view:user"])
    api.headers = {"Authorization": "Bearer viewer"}
    body = {"first_name": "Ann", "last_name": "Lee"}
    assert api.refused(api.post("/users", body)) == "CODE_UNAUTHORIZED"
    assert len(world.users) == 0


@pytest.mark.parametrize(
    ("method", "path", "since", "before"),
    [
        ("DELETE", "/users/1", "3.1.30", "3.1.29"),
        ("GET", "/users/search", "3.1.30", "3.1.29"),
        ("GET", "/users/1/access_policies", "2.2.6", "2.2.5"),
        ("GET", "/credentials/nfc_cards/tokens", "1.22.16", "1.22.15"),
        ("PUT", "/credentials/nfc_cards/tokens/1", "3.1.30", "3.1.9"),
        ("DELETE", "/credentials/nfc_cards/tokens/1", "1.22.16", "1.22.15"),
        ("POST", "/credentials/nfc_cards/import", "3.3.10", "3.3.9"),
        ("POST", "/users/1/avatar", "3.3.10", "3.2.20"),
        ("POST", "/users/identity/invitations", "1.24.6", "1.24.5"),
        ("GET", "/users", "1.9.1", "1.9.0"),
    ],
)
def test_endpoints_newer_than_the_firmware_do_not_exist(
    api: "Api", simulator: UnifiSimulator, method: str, path: str, since: str, before: str
) -> None:
    """Rule 5; versions compare as numbers, not as text."""
    simulator.switch(firmware=since)
    assert not api.is_no_route(api.call(method, path))
    simulator.switch(firmware=before)
    assert api.is_no_route(api.call(method, path))


def test_the_default_firmware_is_4_2_16(simulator: UnifiSimulator) -> None:
    """Rule 5."""
    assert simulator.switches.firmware == "4.2.16"


def test_after_the_upgrade_to_identity_enterprise_every_call_says_that_there_is_no_api(
    api: "Api", simulator: UnifiSimulator
) -> None:
    """§1.1; whether a bad token is noticed first is not written down."""
    simulator.switch(identity_enterprise=True)
    for call in (api.get("/users"), api.get("/no/such/path"), api.call("POST", "/users")):
        assert api.refused(call, 200) == "CODE_OTHERS_UID_ADOPTED_NOT_SUPPORTED"
    simulator.switch(identity_enterprise=False)
    assert api.get("/users").status_code == 200

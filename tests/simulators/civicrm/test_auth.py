"""Rule 1: who a request is, and the right key that turns into nobody (§2)."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.serving import Server

KEY = "key-full-0123456789abcdef"
BROWSER = {"X-Requested-With": "XMLHttpRequest"}
NOBODY = (
    '{"values":[],"entity":"Contact","action":"get","debug":null,"version":4,'
    '"count":0,"countFetched":0}'
)
ALERT = (
    '{"error_code":400,"error_message":"SECURITY ALERT: Ajax requests can only be issued by '
    'javascript clients, eg. CRM.api4()."}'
)

Knock = Callable[..., httpx2.Response]


@pytest.fixture
def knock(server: Server, client: httpx2.Client) -> Knock:
    """Ask for one contact's id with these headers and form fields."""

    def knocking(
        headers: dict[str, str], *, endpoint: str = "Contact/get", **fields: str
    ) -> httpx2.Response:
        data = {"params": '{"select":["id"],"limit":1}', **fields}
        return client.post(f"{server.url}/civicrm/ajax/api4/{endpoint}", data=data, headers=headers)

    return knocking


FORMS: dict[str, dict[str, str]] = {
    "Authorization + XRW": {"Authorization": f"Bearer {KEY}", **BROWSER},
    "X-Civi-Auth": {"X-Civi-Auth": f"Bearer {KEY}"},
    "X-Civi-Auth + XRW": {"X-Civi-Auth": f"Bearer {KEY}", **BROWSER},
}

TABLE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "default": ({}, ["rows", "rows", "rows"]),
    "no list has api_key": (
        {"header_credentials": frozenset({"jwt"}), "xheader_credentials": frozenset({"jwt"})},
        ["401", "401", "401"],
    ),
    "both lists empty": (
        {"header_credentials": frozenset(), "xheader_credentials": frozenset()},
        ["empty", "401", "401"],
    ),
    "authx off": ({"authx": False}, ["empty", "400", "empty"]),
    "guard site_key only": ({"guards": ("site_key",)}, ["401", "401", "401"]),
    "no guards": ({"guards": ()}, ["rows", "rows", "rows"]),
    "Authorization is not handed on": (
        {"drops_authorization": True},
        ["empty", "rows", "rows"],
    ),
    "debug_enabled": ({"debug_enabled": True}, ["rows", "rows", "rows"]),
}
"""The table of §2.1, row by row: the switches, and what becomes of each of FORMS."""


@pytest.mark.parametrize("row", TABLE)
def test_the_table_of_settings_holds(row: str, site: CivicrmSimulator, knock: Knock) -> None:
    switches, outcomes = TABLE[row]
    vars(site.switches).update(switches)
    found = []
    for headers in FORMS.values():
        answer = knock(headers)
        if answer.status_code == 200:
            found.append("rows" if answer.json()["values"] else "empty")
        else:
            found.append(str(answer.status_code))
    assert found == outcomes


def test_with_debug_enabled_authorization_needs_no_browser_mark(
    site: CivicrmSimulator, knock: Knock
) -> None:
    site.switches.debug_enabled = True
    assert knock({"Authorization": f"Bearer {KEY}"}).json()["values"]


def test_nobody_gets_an_empty_success_for_contacts(knock: Knock) -> None:
    answer = knock(BROWSER)
    assert (answer.status_code, answer.text) == (200, NOBODY)


@pytest.mark.parametrize(
    "endpoint",
    ["Membership/get", "MembershipType/get", "Contact/getFields", "Entity/get", "Group/get"],
)
def test_nobody_is_refused_what_is_not_a_contact(endpoint: str, knock: Knock) -> None:
    assert knock(BROWSER, endpoint=endpoint).status_code == 403


def test_nobody_without_the_browser_mark_is_alerted(knock: Knock) -> None:
    answer = knock({})
    assert (answer.status_code, answer.text) == (400, ALERT)


@pytest.mark.parametrize("header", ["Authorization", "X-Civi-Auth"])
@pytest.mark.parametrize(
    "credential", ["Bearer nope", f"bearer {KEY}", f"Bearer  {KEY}", f"Token {KEY}", "Bearer"]
)
def test_a_wrong_credential_is_refused_before_the_browser_mark_is_looked_at(
    header: str, credential: str, knock: Knock
) -> None:
    answer = knock({header: credential})
    assert (answer.status_code, answer.text) == (401, "HTTP 401 Invalid credential")
    assert answer.headers["content-type"] == "text/plain;charset=UTF-8"
    assert "www-authenticate" not in answer.headers


def test_a_right_key_in_authorization_needs_the_exact_browser_mark(knock: Knock) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "X-Requested-With": "xmlhttprequest"}
    assert knock(headers).status_code == 400


def test_the_key_compares_without_regard_to_case(knock: Knock) -> None:
    assert knock({"X-Civi-Auth": f"Bearer {KEY.upper()}"}).json()["values"]


def test_the_credential_may_come_as_a_field(knock: Knock) -> None:
    assert knock({}, _authx=f"Bearer {KEY}").json()["values"]
    assert knock({}, _authx="Bearer nope").status_code == 401


def test_a_field_is_refused_where_its_list_lacks_the_type(
    site: CivicrmSimulator, knock: Knock
) -> None:
    site.switches.param_credentials = frozenset()
    answer = knock({}, _authx=f"Bearer {KEY}")
    assert answer.text == (
        'HTTP 401 Authentication type "api_key" with flow "param" '
        "is not allowed for this principal."
    )


def test_legacy_credentials_work_and_a_wrong_site_key_too(knock: Knock) -> None:
    """§2 of the versions sheet: the user holds *authenticate with api key*."""
    assert knock({}, api_key=KEY, key="SITEKEY").json()["values"]
    assert knock({}, api_key=KEY, key="wrong").json()["values"]


def test_a_wrong_legacy_key_is_told_inside_a_200(knock: Knock) -> None:
    answer = knock({}, api_key="nope", key="SITEKEY")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript"
    assert answer.json() == {"error_message": "FATAL: Invalid credential", "is_error": 1}


def test_a_legacy_key_without_its_right_is_refused(knock: Knock) -> None:
    refused = knock({}, api_key="key-nouserperm-0123456789abcdef", key="wrong")
    assert refused.status_code == 401


def test_basic_is_ignored_in_authorization_and_refused_in_x_civi_auth(knock: Knock) -> None:
    basic = "Basic YXBpOnB3"
    assert knock({"Authorization": basic, **BROWSER}).text == NOBODY
    assert knock({"X-Civi-Auth": basic}).status_code == 401


def test_basic_is_checked_where_passwords_are_allowed(site: CivicrmSimulator, knock: Knock) -> None:
    site.switches.header_credentials = frozenset({"pass"})
    assert knock({"Authorization": "Basic YXBpOnB3", **BROWSER}).status_code == 401


@pytest.mark.parametrize("role", ["nouserperm", "nowpuser"])
def test_a_key_whose_user_may_not_log_in_is_refused(role: str, knock: Knock) -> None:
    answer = knock({"X-Civi-Auth": f"Bearer key-{role}-0123456789abcdef"})
    assert answer.status_code == 401
    assert answer.text == "HTTP 401 Login not permitted. Must satisfy guard (site_key, perm)."


def test_the_site_key_lets_a_key_in_but_only_a_user_has_rights(knock: Knock) -> None:
    """§3 of the versions sheet: without a CMS user it is nobody."""
    site_key = {"X-Civi-Key": "SITEKEY"}
    with_user = {"X-Civi-Auth": "Bearer key-nouserperm-0123456789abcdef", **site_key}
    assert knock(with_user).json()["values"]
    without = {**BROWSER, "X-Civi-Auth": "Bearer key-nowpuser-0123456789abcdef", **site_key}
    assert knock(without).text == NOBODY


def test_taking_the_role_away_closes_the_door(site: CivicrmSimulator, knock: Knock) -> None:
    site.world.permissions("full").discard("authenticate with api key")
    assert knock({"X-Civi-Auth": f"Bearer {KEY}"}).status_code == 401


def test_a_key_works_while_its_contact_is_in_the_trash_and_dies_with_it(
    site: CivicrmSimulator, knock: Knock
) -> None:
    site.world.trash(304)
    assert knock({"X-Civi-Auth": f"Bearer {KEY}"}).json()["values"]
    site.world.delete(304)
    assert knock({"X-Civi-Auth": f"Bearer {KEY}"}).status_code == 401


def test_the_session_cookie_of_another_user_changes_nothing(
    server: Server, client: httpx2.Client
) -> None:
    answer = client.post(
        f"{server.url}/civicrm/ajax/api4/Job/get",
        data={"params": "{}"},
        headers={"X-Civi-Auth": f"Bearer {KEY}", "Cookie": "PHPSESSID=of-the-administrator"},
    )
    assert answer.status_code == 403


def test_who_am_i_is_answered_for_a_key_that_sees_itself(
    rows: Callable[..., list[dict[str, Any]]],
) -> None:
    params = {"select": ["id"], "where": [["id", "=", "user_contact_id"]]}
    assert rows("Contact/get", params) == [{"id": 304}]
    assert rows("Contact/get", params, role="acl") == []
    among = {"select": ["id"], "where": [["id", "IN", ["user_contact_id", 1]]]}
    assert len(rows("Contact/get", among)) == 2


def test_params_count_only_as_a_form_field(server: Server, client: httpx2.Client) -> None:
    """Rule 6: a JSON body is ignored, so every row comes. A multipart form is a form, too."""
    url = f"{server.url}/civicrm/ajax/api4/Membership/get"
    headers = {"X-Civi-Auth": f"Bearer {KEY}"}
    params = {"select": ["id"], "limit": 1}
    for body in (params, {"params": params}):
        everything = client.post(url, json=body, headers=headers).json()
        assert everything["countFetched"] > 100
        assert "end_date" in everything["values"][0]
    parts = {"params": (None, json.dumps(params))}
    assert client.post(url, files=parts, headers=headers).json()["countFetched"] == 1
    assert client.post(url, headers=headers).json()["countFetched"] > 100


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "DELETE", "PATCH"])
def test_other_methods_run_a_read_without_their_body(
    method: str, server: Server, client: httpx2.Client
) -> None:
    answer = client.request(
        method,
        f"{server.url}/civicrm/ajax/api4/Contact/get",
        data={"params": '{"limit":1}'},
        headers={"X-Civi-Auth": f"Bearer {KEY}"},
    )
    assert answer.json()["countFetched"] > 100


def test_reading_by_get_works_and_writing_by_get_does_not(
    server: Server, client: httpx2.Client
) -> None:
    headers = {"X-Civi-Auth": f"Bearer {KEY}"}
    base = f"{server.url}/civicrm/ajax/api4"
    params = {"params": '{"select":["id"],"limit":2}'}
    assert client.get(f"{base}/Contact/get", params=params, headers=headers).json()["count"] == 2
    for endpoint in ("Contact/create", "Contact/checkAccess", ""):
        refused = client.get(f"{base}/{endpoint}".rstrip("/"), params=params, headers=headers)
        assert refused.status_code == 405
        assert refused.json()["error_code"] == 405
    head = client.head(f"{base}/Contact/get", params=params, headers=headers)
    assert (head.status_code, head.content) == (200, b"")

"""The simulator answers recorded requests as the real site did (README of the recordings).

Compared are status, content type, and what `alike` says of the body.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.serving import Server
from tests.simulators.civicrm.alike import compare

RECORDED = Path(__file__).parent / "recorded"

CALLS = [
    "default_filters",
    "dropped_clauses",
    "errors_key_full",
    "errors_key_view_debug_output",
    "job_and_stale_status",
    "merge",
    "permissions",
    "queries",
    "self_checks",
    "several_calls",
    "states_field_type_status_component",
]
"""The recordings of plain API calls with the key of a role."""

LEFT_OUT = {
    "err_full_option_value_get": "OptionValue is no entity of a member sync",
    "err_debug_option_value_get": "OptionValue is no entity of a member sync",
    "err_full_permission_get": "Permission is no entity of a member sync",
    "err_debug_permission_get": "Permission is no entity of a member sync",
    "legacy ajax/rest": "API v3 is not simulated",
    "wp-json civicrm v3 version=4": "API v3 is not simulated",
}
"""Recorded requests that are not replayed, and why. `timing` holds no answers at all."""

Prepare = Callable[[CivicrmSimulator], object]

PREPARED: dict[str, list[Prepare]] = {
    "field_disabled": [lambda s: s.world.set_field_active("Door_Access.card_id", False)],
    "field_relabelled": [lambda s: s.world.relabel_field("Door_Access.card_id", "Fob")],
    "group_disabled": [lambda s: s.world.set_group_active("Door_Access", False)],
    "type_disabled": [lambda s: s.world.set_type_active("Gold", False)],
    "status_disabled": [lambda s: s.world.set_status_active("Grace", False)],
    "civimember_off": [lambda s: setattr(s.switches, "civimember", False)],
    "maintenance": [lambda s: setattr(s.switches, "outage", "maintenance")],
    "outage_civi_db_down": [lambda s: setattr(s.switches, "outage", "civicrm-database")],
    "merge_after": [lambda s: s.world.merge(93, 94)],
    "merge_mergedto": [lambda s: s.world.merge(93, 94)],
    "merge_mergedfrom": [lambda s: s.world.merge(93, 94)],
    "joblog_after_cron": [lambda s: s.world.run_status_job()],
    "joblog_perm": [lambda s: s.world.run_status_job()],
    "job_after_cron": [
        lambda s: s.world.set_job_active("process_membership", True),
        lambda s: s.world.run_status_job(),
    ],
    "modified_since": [lambda s: s.world.set_email(4, "someone.else@example.org")],
    "types_float_etc": [
        lambda s: s.world.add_custom_field("Door_Access", "card_float", data_type="Float"),
        lambda s: s.world.set_custom(4, "Door_Access.card_float", "12345"),
        lambda s: s.world.set_custom(5, "Door_Access.card_float", "12345.5"),
        lambda s: s.world.set_custom(4, "Door_Access.door_zone", ["front", "roof"]),
        lambda s: s.world.set_custom(4, "Door_Access.door_optin", True),
        lambda s: s.world.set_custom(4, "Door_Access.fob_issued", "2026-01-31"),
        lambda s: s.world.set_custom(4, "Door_Access.door_note", "two\nlines"),
    ],
    "card_": [
        lambda s: s.world.set_card(4, "10013"),
        lambda s: s.world.set_card(5, "AbC "),
        lambda s: s.world.set_card(6, "1e5"),
    ],
    "where_card_in": [lambda s: s.world.set_card(43, "00012345")],
}
"""What was done to the site before the recordings whose names begin so."""


def _entries(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    document = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    if isinstance(document, dict):
        yield from document.items()
    else:
        for place, entry in enumerate(document):
            known = entry.get("name") or entry.get("endpoint")
            yield known or f"{place}: {entry['state']}, {entry['request']}", entry


def _cases(*names: str) -> list[Any]:
    return [
        pytest.param(entry, id=f"{name}: {key}")
        for name in names
        for key, entry in _entries(name)
        if key not in LEFT_OUT
    ]


def _named_cases() -> list[Any]:
    return [
        pytest.param(key, entry, id=f"{name}: {key}")
        for name in CALLS
        for key, entry in _entries(name)
        if key not in LEFT_OUT
    ]


def test_nothing_is_left_out_that_was_not_recorded() -> None:
    known = {key for name in [*CALLS, "auth_and_urls"] for key, _ in _entries(name)}
    assert LEFT_OUT.keys() <= known


@pytest.mark.parametrize(("name", "entry"), _named_cases())
def test_a_recorded_call_is_answered_alike(
    name: str,
    entry: dict[str, Any],
    site: CivicrmSimulator,
    server: Server,
    client: httpx2.Client,
) -> None:
    for beginning, steps in PREPARED.items():
        if name.startswith(beginning):
            for step in steps:
                step(site)
    field = "calls" if "calls" in entry else "params"
    text = json.dumps(entry[field])
    path = entry["endpoint"] if field == "calls" else f"/civicrm/ajax/api4/{entry['endpoint']}"
    by_get = entry.get("method") == "GET"
    answer = client.request(
        "GET" if by_get else "POST",
        server.url + path,
        data=None if by_get else {field: text},
        headers={"X-Civi-Auth": f"Bearer {site.world.secret_of(entry['user'])}"},
        params={field: text} if by_get else None,
    )
    assert answer.status_code == entry["status"]
    assert answer.headers.get("content-type") == entry["content_type"]
    compare(entry["body"], answer.text, is_cut="note" in entry and bool(entry["note"]))


@pytest.mark.parametrize("entry", _cases("anonymous"))
def test_a_recorded_call_by_nobody_is_answered_alike(
    entry: dict[str, Any], server: Server, client: httpx2.Client
) -> None:
    answer = client.post(
        f"{server.url}/civicrm/ajax/api4/{entry['endpoint']}",
        data={"params": json.dumps(entry["params"])},
        headers={"X-Requested-With": "XMLHttpRequest"},
    )
    assert answer.status_code == entry["status"]
    compare(entry["body"], answer.text)


@pytest.mark.parametrize("entry", _cases("auth_and_urls"))
def test_a_recorded_request_is_answered_alike(
    entry: dict[str, Any], server: Server, client: httpx2.Client
) -> None:
    answer = client.request(
        entry["method"],
        server.url + entry["path"],
        # The client refuses to send a blank at the end of a header; servers drop it anyway.
        headers={name: value.rstrip() for name, value in entry["request_headers"].items()},
        content=entry["request_body"],
    )
    assert answer.status_code == entry["status"]
    # The recorder missed the content type of each 401: authx spells the header's name otherwise.
    recorded_type = {401: "text/plain;charset=UTF-8", 302: "text/html; charset=UTF-8"}
    expected = entry["headers"].get("Content-Type", recorded_type.get(entry["status"]))
    assert answer.headers["content-type"] == expected
    if "PHPSESSID" in entry["headers"].get("Set-Cookie", ""):
        assert answer.headers["set-cookie"].startswith("PHPSESSID=")
    compare(entry["body"], answer.text)


@pytest.mark.parametrize("entry", _cases("authx_off", "authx_settings"))
def test_a_recorded_setting_of_authx_is_answered_alike(
    entry: dict[str, Any], site: CivicrmSimulator, server: Server, client: httpx2.Client
) -> None:
    switches = site.switches
    match entry["state"]:
        case "cred types: jwt only":
            switches.header_credentials = switches.xheader_credentials = frozenset({"jwt"})
        case "cred types: none":
            switches.header_credentials = switches.xheader_credentials = frozenset()
        case "guard site_key only":
            switches.guards = ("site_key",)
        case "no guards":
            switches.guards = ()
        case "debug_enabled on":
            switches.debug_enabled = True
        case "authx off":
            # In the second recording the extension manager refused to switch it off.
            switches.authx = entry not in [e for _, e in _entries("authx_off")]
    header = "Authorization" if entry["request"].startswith("Authorization") else "X-Civi-Auth"
    headers = {header: "Bearer key-full-0123456789abcdef"}
    if entry["request"].endswith("+XRW"):
        headers["X-Requested-With"] = "XMLHttpRequest"
    answer = client.post(
        f"{server.url}/civicrm/ajax/api4/Contact/get",
        data={"params": '{"limit":1,"select":["id"]}'},
        headers=headers,
    )
    assert answer.status_code == entry["status"]
    assert answer.headers["content-type"] == entry["content_type"] or (
        answer.status_code == 401 and answer.headers["content-type"] == "text/plain;charset=UTF-8"
    )
    compare(entry["body"], answer.text)


APACHE: dict[str, dict[str, Any]] = {
    "bearer+xrw": {"headers": {"X-Requested-With": "XMLHttpRequest"}},
    "wrong bearer+xrw": {"headers": {"X-Requested-With": "XMLHttpRequest"}, "key": "nope"},
    "x-civi-auth": {"flow": "X-Civi-Auth"},
    "bearer no xrw": {},
    "index.php?civiwp": {
        "flow": "X-Civi-Auth",
        "path": "/index.php?civiwp=CiviCRM&q=civicrm/ajax/api4/Contact/get",
    },
    "gzip asked": {"flow": "X-Civi-Auth", "headers": {"Accept-Encoding": "gzip"}},
    "unknown entity": {"flow": "X-Civi-Auth", "path": "/civicrm/ajax/api4/Nope/get"},
    "bad json": {"flow": "X-Civi-Auth", "params": "{notjson"},
    "where error": {"flow": "X-Civi-Auth", "params": '{"where":[["nope","=",1]]}'},
    "long GET": {
        "flow": "X-Civi-Auth",
        "method": "GET",
        "path": "/civicrm/ajax/api4/Contact/get?params=" + "1," * 5000,
    },
    "json body": {"flow": "X-Civi-Auth", "headers": {"Content-Type": "application/json"}},
    "civicrm db down": {"flow": "X-Civi-Auth", "outage": "civicrm-database"},
    "all 20000 wide": {
        "flow": "X-Civi-Auth",
        "params": json.dumps(
            {
                "select": ["id", "display_name", "Door_Access.card_id", "email_primary.email"],
                "orderBy": {"id": "ASC"},
            }
        ),
    },
    "again": {"flow": "X-Civi-Auth"},
}
"""How the requests of `apache_fpm` were made, by their names."""


@pytest.mark.parametrize("entry", _cases("apache_fpm"))
def test_a_request_through_apache_with_php_fpm_is_answered_alike(
    entry: dict[str, Any], site: CivicrmSimulator, server: Server, client: httpx2.Client
) -> None:
    rule, _, rest = entry["name"].rpartition("rule: ")
    request = APACHE[rest]
    site.switches.front = "fpm"
    site.switches.gzip = rest == "gzip asked"
    site.switches.drops_authorization = rule.startswith("no Authorization")
    site.switches.outage = request.get("outage")
    params = request.get("params", '{"select":["id"],"limit":2,"orderBy":{"id":"ASC"}}')
    key = request.get("key", "key-full-0123456789abcdef")
    is_get = request.get("method") == "GET"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept-Encoding": "identity",
        request.get("flow", "Authorization"): f"Bearer {key}",
        **request.get("headers", {}),
    }
    answer = client.request(
        request.get("method", "POST"),
        server.url + request.get("path", "/civicrm/ajax/api4/Contact/get"),
        headers=headers,
        content=b"" if is_get else str(httpx2.QueryParams({"params": params})).encode(),
    )
    assert answer.status_code == entry["status"]
    assert answer.headers["content-type"] == entry["headers"]["Content-Type"]
    if rest == "gzip asked":
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.json()["values"]
        return
    chunked = entry["headers"].get("Transfer-Encoding")
    assert chunked is None or answer.headers["transfer-encoding"] == chunked
    compare(entry["text"], answer.text)


OUTAGES: dict[str, list[Prepare]] = {
    "wp .maintenance file": [lambda s: setattr(s.switches, "outage", "wordpress-maintenance")],
    "both databases refused": [lambda s: setattr(s.switches, "outage", "database")],
    "api key removed": [lambda s: s.world.take_key_away("full")],
    "api contact in trash": [lambda s: s.world.trash(304)],
    "plugin deactivated": [lambda s: setattr(s.switches, "outage", "plugin-off")],
}
"""What was wrong; the entries that are not here were answered as usual."""


@pytest.mark.parametrize("entry", _cases("outages_and_http"))
def test_a_request_during_a_recorded_outage_is_answered_alike(
    entry: dict[str, Any], site: CivicrmSimulator, server: Server, client: httpx2.Client
) -> None:
    for step in OUTAGES.get(entry["name"], []):
        step(site)
    path = "/civicrm/ajax/api4/Contact/get"
    if "?civiwp form" in entry["name"]:
        site.switches.pretty_urls = False
        path = "/?civiwp=CiviCRM&q=civicrm/ajax/api4/Contact/get"
    headers = {"X-Civi-Auth": "Bearer key-full-0123456789abcdef"}
    if entry["name"] == "other Host header":
        headers["Host"] = "elsewhere.example.org"
    select = ["id", "display_name", "Door_Access.card_id"]
    params = {"select": select, "where": [["id", "IN", [4, 5]]], "orderBy": {"id": "ASC"}}
    if entry["name"] == "GET of pretty with no params":
        answer = client.get(server.url + path, headers=headers)
    else:
        data = {"params": json.dumps(params)}
        answer = client.post(server.url + path, data=data, headers=headers)
    assert answer.status_code == entry["status"]
    if entry["status"] != 401:
        assert answer.headers["content-type"] == entry["content_type"]
    assert answer.headers.get("retry-after") == entry["retry_after"]
    compare(entry["body_text"], answer.text)


def test_the_job_changes_the_recorded_memberships_as_it_did(
    site: CivicrmSimulator, server: Server, client: httpx2.Client
) -> None:
    """Here the values themselves are compared: this world holds the same memberships."""
    recorded = dict(_entries("job_and_stale_status"))
    for moment in ("stale_before", "stale_after"):
        entry = recorded[moment]
        answer = client.post(
            f"{server.url}/civicrm/ajax/api4/Membership/get",
            data={"params": json.dumps(entry["params"])},
            headers={"X-Civi-Auth": "Bearer key-full-0123456789abcdef"},
        )
        assert answer.json() == entry["body"]
        site.world.run_status_job()

"""Rules 3, 4, 5 and 14: counts, errors, pages that are no answers, several calls in one request."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.serving import Server

Ask = Callable[..., httpx2.Response]
Rows = Callable[..., list[dict[str, Any]]]

BY_ID = {"orderBy": {"id": "ASC"}}


def _live(site: CivicrmSimulator) -> int:
    return sum(not contact.is_deleted for contact in site.world.contacts.values())


def _counts(answer: httpx2.Response) -> tuple[int, int, int | None]:
    body = answer.json()
    return body["count"], body["countFetched"], body.get("countMatched")


def test_without_a_limit_the_count_is_the_rows(site: CivicrmSimulator, ask: Ask) -> None:
    total = _live(site)
    assert _counts(ask("Contact/get", {"select": ["id"]})) == (total, total, None)


def test_a_full_page_counts_itself(ask: Ask) -> None:
    assert _counts(ask("Contact/get", {"limit": 10, **BY_ID})) == (10, 10, None)
    assert _counts(ask("Contact/get", {"limit": 10, "offset": 20, **BY_ID})) == (10, 10, None)


def test_after_an_offset_the_count_is_offset_and_rows(site: CivicrmSimulator, ask: Ask) -> None:
    total = _live(site)
    assert _counts(ask("Contact/get", {"offset": 300, **BY_ID})) == (total, total - 300, None)


@pytest.mark.parametrize("select", [["id"], ["id", "row_count"]])
def test_past_the_end_the_count_is_the_offset_even_the_matched_one(
    select: list[str], ask: Ask
) -> None:
    answer = ask("Contact/get", {"select": select, "limit": 10, "offset": 900, **BY_ID})
    assert _counts(answer) == (900, 0, 900 if "row_count" in select else None)


def test_row_count_counts_all_on_a_full_page_and_alone(site: CivicrmSimulator, ask: Ask) -> None:
    total = _live(site)
    page = {"select": ["row_count", "id"], "limit": 2, **BY_ID}
    assert _counts(ask("Contact/get", page)) == (total, 2, total)
    assert _counts(ask("Contact/get", {"select": ["row_count"]})) == (total, 0, total)


def test_a_key_that_sees_nothing_still_counts_the_offset(ask: Ask) -> None:
    answer = ask("Contact/get", {"select": ["id"], "offset": 15}, role="noview")
    assert _counts(answer) == (15, 0, None)


def test_what_is_no_table_counts_all_even_with_a_limit(ask: Ask) -> None:
    count, fetched, matched = _counts(ask("Contact/getFields", {"limit": 3, "select": ["name"]}))
    assert (fetched, matched) == (3, None)
    assert count > 50
    counted = ask("Contact/getFields", {"limit": 3, "select": ["row_count", "name"]})
    assert _counts(counted) == (count, 3, count)
    assert _counts(ask("Contact/getFields", {"select": ["row_count"]})) == (count, 0, count)


def test_errors_are_opaque_and_open_only_to_a_debug_key(ask: Ask) -> None:
    params = {"where": [["nope_field", "=", 1]]}
    opaque = ask("Contact/get", params)
    assert opaque.status_code == 500
    body = opaque.json()
    assert (body["error_code"], body["status"]) == ("1", 500)
    assert body["error_message"].startswith("Sorry an error occurred")
    assert "nope" not in opaque.text
    opened = ask("Contact/get", params, role="debug").json()
    assert (opened["error_code"], opened["error_message"]) == (0, "Invalid field 'nope_field'")
    assert ask("Contact/get", params).json()["error_message"] != body["error_message"]


@pytest.mark.parametrize(
    ("endpoint", "params", "message"),
    [
        ("Contact/get", {"where": [["id", "~~", 1]]}, "Illegal operator"),
        ("Contact/get", {"where": [["id", "in", [1]]]}, "Illegal operator"),
        ("Contact/get", {"where": [["id", 5, [1]]]}, "Illegal operator"),
        ("Contact/get", {"selekt": ["id"]}, "Unknown api parameter: selekt"),
        ("Contact/get", [1], "Unknown api parameter: 0"),
        ("Contact/get", {"limit": -1}, "DB Error: syntax error"),
        ("Contact/get", {"offset": -1}, "DB Error: syntax error"),
        ("Contact/get", {"orderBy": {"nope": "ASC"}}, "Invalid field 'nope'"),
        ("Contact/get", {"orderBy": ["id"]}, "Invalid sort direction. Cannot order by 0 id"),
        (
            "Contact/get",
            {"orderBy": {"id": "asc"}},
            "Invalid sort direction. Cannot order by id asc",
        ),
        (
            "Contact/get",
            {"orderBy": "id"},
            'Parameter "orderBy" is not of the correct type. Expecting array.',
        ),
        (
            "Contact/get",
            {"limit": True},
            'Parameter "limit" is not of the correct type. Expecting int.',
        ),
        ("Contact/get", {"groupBy": ["nope"]}, "Invalid field 'nope'"),
        ("Contact/get", {"where": [["id", "BETWEEN", [1]]]}, "DB Error: syntax error"),
        ("Contact/get", {"where": [["status:nope", "=", 1]]}, "Invalid field 'status:nope'"),
        ("Membership/get", {"where": [["status_id:nope", "=", 1]]}, "Illegal expression"),
        ("Membership/get", {"select": ["SOUNDEX(id) AS n"]}, "Unknown function SOUNDEX"),
        ("Membership/get", {"having": [["n", ">", 1]]}, "having is not simulated"),
        (
            "Setting/get",
            {"select": ["nope"]},
            "Authorization failed: CiviCRM APIv4 (Setting::get)",
        ),
        (
            "Contact/create",
            {"values": {}},
            "Authorization failed: CiviCRM APIv4 (Contact::create)",
        ),
        ("Contact/update", {"values": {}, "where": []}, "ACL check failed"),
        (
            "Contact/getFields",
            {"where": [["name", "SOUNDS", 1]]},
            "Unsupported operator: 'SOUNDS' cannot be used with array data",
        ),
        ("Contact/getFields", {"orderBy": ["name"]}, "Invalid sort direction. Cannot order"),
    ],
)
def test_a_debug_key_reads_the_cause(endpoint: str, params: Any, message: str, ask: Ask) -> None:
    assert ask(endpoint, params, role="debug").json()["error_message"] == message


PAGES: list[tuple[str, Any]] = [
    ("Nope/get", {}),
    ("Contact/frobnicate", {}),
    ("Entity/frobnicate", {}),
    ("Contact/get", "a string"),
    ("Contact/get", 5),
    ("Contact/get", {"where": ["id", "=", 1]}),
    ("Contact/get", {"where": [[]]}),
    ("Contact/get", {"where": {"0": ["id", "=", 1]}}),
    ("Contact/get", {"where": [["id", "IN", 1]]}),
    ("Contact/get", {"where": [["id", "=", [1]]]}),
    ("Contact/get", {"where": [["display_name", "LIKE", ["a"]]]}),
    ("Contact/get", {"where": [["display_name", "CONTAINS", ["a"]]]}),
    ("Contact/get", {"where": [["OR", "id"]]}),
    ("Contact/get", {"select": [["id"]]}),
    ("Contact/get", {"join": ["Membership AS m"]}),
    ("Contact/get", {"chain": ["Membership"]}),
    ("Contact/get", {"chain": {"m": "Membership"}}),
    ("Contact/getFields", {"where": ["name", "=", "id"]}),
    ("Contact/getFields", {"where": [["name", "IN", "id"]]}),
]
"""What PHP cannot digest, and what does not exist."""


@pytest.mark.parametrize(("endpoint", "params"), PAGES)
def test_php_stops_with_a_page_in_a_200(endpoint: str, params: Any, ask: Ask) -> None:
    """Rule 5."""
    answer = ask(endpoint, params)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=UTF-8"
    assert answer.text.startswith("<!DOCTYPE html>")
    assert len(answer.content) > 30_000


def test_an_unknown_entity_is_told_on_the_page(ask: Ask) -> None:
    told = "API (Nope, getActions) does not exist (or the extension it belongs to is not enabled)."
    assert told in ask("Nope/get", {}).text


def test_parameters_that_are_no_json_give_a_page(
    site: CivicrmSimulator, server: Server, client: httpx2.Client
) -> None:
    answer = client.post(
        f"{server.url}/civicrm/ajax/api4/Contact/get",
        data={"params": "{notjson"},
        headers={"X-Civi-Auth": f"Bearer {site.world.secret_of('full')}"},
    )
    assert (answer.status_code, answer.headers["content-type"][:9]) == (200, "text/html")
    assert site.journal.entries()[-1].params is None


def test_checking_of_rights_cannot_be_switched_off(rows: Rows) -> None:
    assert rows("Contact/get", {"checkPermissions": False}, role="noview") == []


def test_a_limit_may_be_text_or_null(rows: Rows) -> None:
    assert len(rows("Contact/get", {"limit": "5"})) == 5
    assert len(rows("Contact/get", {"limit": None})) > 100


def test_bare_query_parameters_join_in_as_text(
    site: CivicrmSimulator, server: Server, client: httpx2.Client
) -> None:
    url = f"{server.url}/civicrm/ajax/api4/Contact/get"
    headers = {"X-Civi-Auth": f"Bearer {site.world.secret_of('full')}"}
    one = client.get(url, params={"limit": 1, "nope": "x"}, headers=headers)
    assert one.json()["countFetched"] == 1
    stronger = client.get(url, params={"limit": 1, "params": '{"limit":2}'}, headers=headers)
    assert stronger.json()["countFetched"] == 2
    as_text = client.get(url, params={"select": '["id"]'}, headers=headers)
    assert as_text.status_code == 500


def test_an_index_turns_the_rows_into_an_object(
    ask: Ask, call_many: Callable[..., httpx2.Response]
) -> None:
    asked = {"select": ["id", "contact_type"], "limit": 2, **BY_ID}

    def values(index: Any, params: Any = asked) -> Any:
        return call_many([["Contact", "get", params, index]]).json()[0].get("values")

    assert list(values("id")) == ["1", "2"]
    assert values(0) == {"id": 1, "contact_type": "Organization"}
    assert values("-1") == {"id": 2, "contact_type": "Individual"}
    assert values({"id": "contact_type"}) == {"1": "Organization", "2": "Individual"}
    assert values(["contact_type"]) == ["Organization", "Individual"]
    assert values([]) == values(None)
    assert values("id", {"where": [["id", "=", 99999]]}) == []
    assert values("nope") is None
    assert values(7) is None
    assert ask("Contact/get?index=id", asked).json()["values"].keys() == {"1", "2"}


def test_one_good_call_makes_the_whole_request_good(
    call_many: Callable[..., httpx2.Response],
) -> None:
    """Rule 14."""
    good, bad = ["Contact", "get", {"limit": 1}], ["Contact", "get", {"where": [["nope", "=", 1]]}]
    answer = call_many({"bad": bad, "good": good})
    assert answer.status_code == 200
    assert list(answer.json()) == ["bad", "good"]
    assert answer.json()["bad"]["status"] == 500
    assert answer.json()["good"]["countFetched"] == 1
    assert [len(part) for part in call_many([good, bad]).json()] == [7, 3]


def test_if_all_calls_fail_the_first_gives_the_status(
    call_many: Callable[..., httpx2.Response],
) -> None:
    denied, bad = ["Job", "get", {}], ["Contact", "get", {"where": [["nope", "=", 1]]}]
    assert call_many([denied, bad]).status_code == 403
    assert call_many([bad, denied]).status_code == 500


def test_an_unknown_entity_among_several_calls_is_a_json_error(
    call_many: Callable[..., httpx2.Response],
) -> None:
    answer = call_many({"a": ["Nope", "get", {}], "b": ["Contact", "frob"]}, role="debug")
    assert answer.status_code == 500
    assert answer.json()["a"]["error_message"].startswith("API (Nope, get) does not exist")
    assert answer.json()["b"]["error_message"] == "Api Contact frob version 4 does not exist."


@pytest.mark.parametrize(
    "calls",
    [
        [],
        "Contact",
        [["Contact"]],
        [[1, 2]],
        {"a": "b"},
        [["Contact", "get", {"where": [["id", "IN", 1]]}]],
    ],
)
def test_calls_that_are_none_give_a_page(
    calls: Any, call_many: Callable[..., httpx2.Response]
) -> None:
    answer = call_many(calls)
    assert (answer.status_code, answer.headers["content-type"][:9]) == (200, "text/html")


def test_several_calls_by_get_are_refused(call_many: Callable[..., httpx2.Response]) -> None:
    assert call_many([["Contact", "get", {}]], method="GET").status_code == 405


def test_the_denied_part_names_its_status_beside_a_good_one(
    call_many: Callable[..., httpx2.Response],
) -> None:
    calls = {"people": ["Contact", "get", {"limit": 1}], "members": ["Membership", "get", {}]}
    answer = call_many(calls, role="nomember")
    assert answer.status_code == 200
    assert answer.json()["members"]["status"] == 403

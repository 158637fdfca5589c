"""The switches for version, system, web server and outage (sections of the versions sheet)."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.serving import Server

Ask = Callable[..., httpx2.Response]
Rows = Callable[..., list[dict[str, Any]]]

KEY = "key-full-0123456789abcdef"
BROWSER = {"X-Requested-With": "XMLHttpRequest"}
BAD_FIELD = {"where": [["nope", "=", 1]]}
SITES: dict[str, dict[str, str]] = {
    "6W": {"version": "6.17", "cms": "wordpress", "front": "fpm"},
    "6S": {"version": "6.17", "cms": "standalone", "front": "fpm"},
    "5W": {"version": "5.77", "cms": "wordpress", "front": "fpm"},
}


@pytest.fixture(params=SITES)
def where(request: pytest.FixtureRequest, site: CivicrmSimulator) -> str:
    """Turn the site into one of the three of the versions sheet; its name."""
    vars(site.switches).update(SITES[request.param])
    return str(request.param)


def _kind(answer: httpx2.Response) -> tuple[int, str]:
    json_type = answer.headers["content-type"].startswith("application/json")
    return answer.status_code, "json" if json_type else "html"


class TestTheSameRequestThreeAnswers:
    """§1"""

    def test_a_good_answer(self, where: str, ask: Ask) -> None:
        answer = ask("Contact/get", {"select": ["display_name"], "where": [["id", "=", 33084]]})
        expected = "application/json; charset=UTF-8" if where == "6W" else "application/json"
        assert answer.headers["content-type"] == expected
        assert answer.json()["values"][0]["display_name"] == 'Maker Co & Søns "Ltd"'
        assert ("S\\u00f8ns" in answer.text) is (where == "5W")
        cookie = "SESSCIVISO" if where == "6S" else "PHPSESSID"
        assert answer.headers["set-cookie"].startswith(f"{cookie}=")

    def test_an_api_error_and_a_missing_right(self, where: str, ask: Ask) -> None:
        error, denied = ask("Contact/get", BAD_FIELD), ask("Job/get")
        assert (error.json()["status"], denied.json()["status"]) == (500, 403)
        statuses = (error.status_code, denied.status_code)
        assert statuses == ((200, 200) if where == "5W" else (500, 403))

    def test_nobody_without_a_browser_mark_and_a_write_by_get(
        self, where: str, server: Server, client: httpx2.Client
    ) -> None:
        base = f"{server.url}/civicrm/ajax/api4"
        nobody = client.post(f"{base}/Contact/get")
        write = client.get(f"{base}/Contact/create", headers=BROWSER)
        assert (nobody.json()["error_code"], write.json()["error_code"]) == (400, 405)
        statuses = (nobody.status_code, write.status_code)
        assert statuses == ((200, 200) if where == "5W" else (400, 405))

    @pytest.mark.parametrize("endpoint", ["Nope/get", "Contact/frobnicate"])
    def test_an_unknown_entity_or_action(self, endpoint: str, where: str, ask: Ask) -> None:
        answer = ask(endpoint)
        assert (
            _kind(answer) == {"6W": (200, "html"), "6S": (500, "json"), "5W": (200, "json")}[where]
        )
        if where != "6W":
            assert answer.json()["status"] == 500

    def test_what_php_cannot_digest(self, where: str, ask: Ask) -> None:
        expected = (200 if where == "6W" else 500, "html")
        assert _kind(ask("Contact/get", {"where": ["id", "=", 1]})) == expected
        assert _kind(ask("Contact/get", {"where": [["id", "IN", 1]]})) == expected
        assert _kind(ask("Contact/get", "text")) == expected

    def test_an_unknown_suffix(self, where: str, ask: Ask) -> None:
        body = ask("Membership/get", {"select": ["status_id:nope"], "limit": 1}).json()
        if where == "5W":
            assert body["status"] == 500
        else:
            assert "status_id:nope" in body["values"][0]

    def test_empty_bearer_and_basic(
        self, where: str, server: Server, client: httpx2.Client
    ) -> None:
        url = f"{server.url}/civicrm/ajax/api4/Contact/get"
        empty = client.post(url, headers={"X-Civi-Auth": "Bearer"})
        assert empty.status_code == (200 if where == "5W" else 401)
        assert empty.headers["content-type"][:9] == ("text/html" if where == "5W" else "text/plai")
        basic = client.post(url, headers={"Authorization": "Basic YTpi", **BROWSER})
        assert basic.status_code == (401 if where == "5W" else 200)

    def test_bare_query_parameters(self, where: str, server: Server, client: httpx2.Client) -> None:
        url = f"{server.url}/civicrm/ajax/api4/Contact/get?limit=1"
        fetched = client.get(url, headers={"X-Civi-Auth": f"Bearer {KEY}"}).json()["countFetched"]
        assert (fetched > 100) is (where == "5W")

    def test_a_number_with_letters_behind_it(self, where: str, rows: Rows) -> None:
        def found(value: Any) -> list[int]:
            params = {"select": ["id"], "where": [["id", "=", value]]}
            return [row["id"] for row in rows("Contact/get", params)]

        assert found("20abc") == ([] if where == "5W" else [20])
        assert found("20") == [20]
        assert found("abc") == []

    def test_titles_of_types(self, where: str, rows: Rows) -> None:
        params = {"select": ["title", "frontend_title"], "where": [["id", "=", 1]]}
        keys = list(rows("MembershipType/get", params)[0])
        assert keys == (["id"] if where == "5W" else ["id", "title", "frontend_title"])
        label = {"select": ["membership_type_id:label"], "where": [["id", "=", 4]]}
        shown = rows("Membership/get", label)[0]["membership_type_id:label"]
        assert shown == ("Gold" if where == "5W" else "Gold member")

    def test_custom_fields_with_a_read_only_key(self, where: str, ask: Ask) -> None:
        body = ask("CustomField/get").json()
        assert body.get("status") == (403 if where == "5W" else None)

    def test_debug_texts(self, where: str, ask: Ask) -> None:
        body = ask("Contact/get", {"bogus": 1}, role="debug").json()
        named = "setBogus" if where == "5W" else "bogus"
        assert body["error_message"] == f"Unknown api parameter: {named}"
        assert ("error_id" in body) is (where != "5W")

    def test_a_wrong_route(self, where: str, server: Server, client: httpx2.Client) -> None:
        for path in ("/civicrm/ajax/API4/Contact/get", "/civicrm/ajax/api4/Contact"):
            answer = client.post(server.url + path, headers={"X-Civi-Auth": f"Bearer {KEY}"})
            assert answer.status_code == {"6W": 200, "6S": 500, "5W": 302}[where]

    def test_the_url_form_of_wordpress(
        self, where: str, server: Server, client: httpx2.Client
    ) -> None:
        url = f"{server.url}/?civiwp=CiviCRM&q=civicrm/ajax/api4/Contact/get"
        answer = client.post(url, headers={"X-Civi-Auth": f"Bearer {KEY}"})
        assert answer.status_code == (302 if where == "6S" else 200)
        assert where == "6S" or answer.json()["values"]

    def test_the_database_server_down(self, where: str, site: CivicrmSimulator, ask: Ask) -> None:
        """§10"""
        site.switches.outage = "database"
        answer = ask("Contact/get")
        assert answer.status_code == (200 if where == "6S" else 500)
        told = "Critical error" if where == "6S" else "Error establishing a database connection"
        assert told in answer.text

    def test_all_calls_failed(self, where: str, call_many: Callable[..., httpx2.Response]) -> None:
        answer = call_many([["Job", "get"]])
        assert answer.status_code == (200 if where == "5W" else 403)
        assert answer.json()[0]["status"] == 403


@pytest.mark.parametrize(
    ("version", "front", "error", "crash"),
    [
        ("5.77", "fpm", 200, 500),
        ("5.77", "php", 200, 500),
        ("5.77", "mod_php", 500, 500),
        ("6.17", "fpm", 500, 200),
        ("6.17", "php", 500, 200),
        ("6.17", "mod_php", 500, 500),
    ],
)
def test_the_status_depends_on_the_web_server_as_well(
    version: str, front: str, error: int, crash: int, site: CivicrmSimulator, ask: Ask
) -> None:
    """§2: so the body decides."""
    vars(site.switches).update(version=version, front=front)
    assert ask("Contact/get", BAD_FIELD).status_code == error
    assert ask("Contact/get", {"where": ["id", "=", 1]}).status_code == crash


def test_types_come_in_another_order_on_5_77(site: CivicrmSimulator, rows: Rows) -> None:
    """§8"""
    names = [row["name"] for row in rows("MembershipType/get")]
    assert names[:3] == ["Gold", "Silver", "Comp"]
    site.switches.version = "5.77"
    assert [row["name"] for row in rows("MembershipType/get")] == sorted(names)


def test_a_drupal_site_answers_under_its_path_alone(
    site: CivicrmSimulator, server: Server, client: httpx2.Client, rows: Rows
) -> None:
    site.switches.cms = "drupal"
    assert rows("Contact/get")
    form = client.post(f"{server.url}/?civiwp=CiviCRM&q=civicrm/ajax/api4/Contact/get")
    assert (form.status_code, form.headers["content-type"][:9]) == (200, "text/html")
    assert client.get(f"{server.url}/wp-admin/").status_code == 404


def test_wordpress_pages_that_are_not_civicrms(server: Server, client: httpx2.Client) -> None:
    """§1.1 of the other sheet"""
    assert client.get(f"{server.url}/").status_code == 200
    assert client.get(f"{server.url}/index.php?civiwp=CiviCRM").status_code == 200
    assert client.get(f"{server.url}/nosuchpage").status_code == 404
    login = client.post(
        f"{server.url}/wp-admin/admin.php?page=CiviCRM&q=civicrm/ajax/api4/Contact/get"
    )
    assert login.status_code == 302
    rest = client.post(f"{server.url}/wp-json/civicrm/v3/rest")
    assert (rest.status_code, rest.json()["code"]) == (500, "civicrm_rest_api_error")


def test_with_plain_permalinks_only_the_query_form_works(
    site: CivicrmSimulator, server: Server, client: httpx2.Client, ask: Ask
) -> None:
    """§12.7: with plain permalinks and no base page the pretty URL is a 404 page."""
    site.switches.pretty_urls = False
    assert ask("Contact/get").status_code == 404
    for form in ("/?civiwp=CiviCRM&q=", "/index.php?civiwp=CiviCRM&q=", "/?page=CiviCRM&q="):
        url = f"{server.url}{form}civicrm/ajax/api4/Contact/get"
        assert client.post(url, headers={"X-Civi-Auth": f"Bearer {KEY}"}).json()["values"]


class TestOutages:
    """Rule 5 (§6.3 of the other sheet)."""

    def test_civicrms_database_down_is_a_200_without_a_content_type(
        self, site: CivicrmSimulator, ask: Ask
    ) -> None:
        site.switches.outage = "civicrm-database"
        answer = ask("Contact/get")
        assert answer.status_code == 200
        assert "content-type" not in answer.headers
        assert answer.text.startswith("Critical error. Please see server logs for errorID:")
        assert len(answer.content) == 142
        site.switches.front = "fpm"
        assert ask("Contact/get").headers["content-type"] == "text/html; charset=UTF-8"

    def test_maintenance_is_a_503_without_an_error_message_but_for_administrators(
        self, site: CivicrmSimulator, ask: Ask, call_many: Callable[..., httpx2.Response]
    ) -> None:
        site.switches.outage = "maintenance"
        for answer in (ask("Contact/get"), call_many([["Contact", "get"]])):
            assert answer.status_code == 503
            assert answer.json() == {
                "status_code": 503,
                "status_message": "Temporarily unavailable for maintenance.",
            }
        assert ask("Contact/get", role="admin").json()["values"]

    def test_a_wrong_key_is_refused_during_maintenance_too(
        self, site: CivicrmSimulator, server: Server, client: httpx2.Client
    ) -> None:
        site.switches.outage = "maintenance"
        url = f"{server.url}/civicrm/ajax/api4/Contact/get"
        assert client.post(url, headers={"X-Civi-Auth": "Bearer nope"}).status_code == 401

    def test_wordpress_updating_itself_asks_to_come_back(
        self, site: CivicrmSimulator, ask: Ask
    ) -> None:
        site.switches.outage = "wordpress-maintenance"
        answer = ask("Contact/get", role="admin")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "600")
        assert answer.headers["content-type"] == "text/html; charset=UTF-8"
        assert "Briefly unavailable for scheduled maintenance" in answer.text

    def test_memory_runs_out_for_everything_or_for_wide_pages(
        self, site: CivicrmSimulator, ask: Ask, call_many: Callable[..., httpx2.Response]
    ) -> None:
        """Rule 16."""
        site.switches.memory_cells = 100
        assert ask("Contact/get", {"select": ["id"], "limit": 100}).status_code == 200
        wide = {"limit": 100}
        for answer in (ask("Contact/get", wide), call_many([["Contact", "get", wide]])):
            assert answer.status_code == 500
            assert answer.headers["content-type"] == "text/html; charset=UTF-8"
            assert "There has been a critical error on this website." in answer.text
        site.switches.memory_cells = None
        site.switches.outage = "memory"
        assert ask("Contact/get", {"limit": 1}).status_code == 500

    def test_the_plugin_off_leaves_its_base_page(self, site: CivicrmSimulator, ask: Ask) -> None:
        site.switches.outage = "plugin-off"
        answer = ask("Contact/get")
        assert answer.status_code == 200
        assert "Do not delete this page. Page content is generated by CiviCRM." in answer.text
        assert 17_000 < len(answer.content) < 19_000


def test_a_web_server_refuses_a_long_url_and_php_does_not(
    site: CivicrmSimulator, server: Server, client: httpx2.Client
) -> None:
    """§1.2 of the other sheet"""
    params = {"params": json.dumps({"where": [["id", "IN", list(range(1000, 3000))]]})}
    url, headers = f"{server.url}/civicrm/ajax/api4/Contact/get", {"X-Civi-Auth": f"Bearer {KEY}"}
    assert client.get(url, params=params, headers=headers).status_code == 200
    site.switches.front = "fpm"
    refused = client.get(url, params=params, headers=headers)
    assert refused.status_code == 414
    assert refused.headers["content-type"] == "text/html; charset=iso-8859-1"
    assert client.post(url, data=params, headers=headers).status_code == 200


def test_answers_are_chunked_and_may_be_compressed(
    site: CivicrmSimulator, server: Server, client: httpx2.Client
) -> None:
    url, headers = f"{server.url}/civicrm/ajax/api4/Contact/get", {"X-Civi-Auth": f"Bearer {KEY}"}
    plain = client.post(url, headers=headers)
    assert plain.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in plain.headers
    assert "vary" not in plain.headers
    site.switches.gzip = True
    site.switches.front = "fpm"
    packed = client.post(url, headers=headers)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.json() == plain.json()
    asked_plain = client.post(url, headers={**headers, "Accept-Encoding": "identity"})
    assert "content-encoding" not in asked_plain.headers

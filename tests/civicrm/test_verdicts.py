"""What each kind of answer that is none means, and what the operator is told."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from door_sync.civicrm import verdicts
from door_sync.civicrm.verdicts import reject
from door_sync.civicrm.wire import Auth
from door_sync.http import Reply
from door_sync.ports import SourceDistrusted, SourceError, SourceUnreachable

Recorded = Callable[[str, str], dict[str, Any]]

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=UTF-8"
ALERT = (
    '{"error_code":400,"error_message":"SECURITY ALERT: Ajax requests can only be issued by '
    'javascript clients, eg. CRM.api4()."}'
)
CRASH = "Critical error. Please see server logs for errorID:dOHf-nlxi-osnf"
OPAQUE = (
    '{"error_code":"1","error_message":"Sorry an error occurred and your request was not '
    'completed. (Error ID: gqtH-XGxv-S9Hi)","status":%d}'
)


@dataclass(frozen=True)
class Case:
    """An answer, and what is to be made of it."""

    name: str
    status: int
    content_type: str | None
    body: str
    error: type[SourceError]
    words: str
    remedy: str

    @property
    def reply(self) -> Reply:
        headers = {} if self.content_type is None else {"content-type": self.content_type}
        return Reply(self.status, headers, self.body.encode())


D, U = SourceDistrusted, SourceUnreachable

CASES: Sequence[Case] = [
    Case("redirect", 301, HTML, "<h1>moved</h1>", D, "redirect (301)", "civicrm.host"),
    Case("redirect to login", 302, None, "", D, "not followed", "login page"),
    Case(
        "wrong key",
        401,
        "text/plain;charset=UTF-8",
        "HTTP 401 Invalid credential",
        D,
        "does not know the API key",
        "CIVICRM_API_KEY",
    ),
    Case(
        "user without right",
        401,
        "text/plain;charset=UTF-8",
        "HTTP 401 Login not permitted. Must satisfy guard (site_key, perm).",
        D,
        "does not let it in",
        '"authenticate with api key"',
    ),
    Case(
        "flow not allowed",
        401,
        None,
        'HTTP 401 Authentication type "api_key" with flow "xheader" is not allowed for this '
        "principal.",
        D,
        "in this way",
        'civicrm.auth = "authorization"',
    ),
    Case(
        "web server's password",
        401,
        HTML,
        "<h1>Unauthorized</h1>",
        D,
        "before CiviCRM looked at it",
        'civicrm.auth = "authorization"',
    ),
    Case("header lost", 400, JSON, ALERT, D, "saw no API key", 'civicrm.auth = "authorization"'),
    Case("header lost, 5.x", 200, "application/json", ALERT, D, "saw no API key", "AuthX"),
    Case(
        "turned into GET",
        405,
        JSON,
        '{"error_code":405,"error_message":"SECURITY: All requests that modify the database '
        'must be http POST, not GET."}',
        D,
        "as a GET",
        "civicrm.host",
    ),
    Case(
        "turned into GET, 5.x",
        200,
        JSON,
        '{"error_code":405,"error_message":"SECURITY"}',
        D,
        "as a GET",
        "redirect",
    ),
    Case(
        "maintenance",
        503,
        JSON,
        '{"status_code":503,"status_message":"Temporarily unavailable for maintenance."}',
        U,
        "maintenance mode",
        "passes by itself",
    ),
    Case(
        "maintenance in 200",
        200,
        JSON,
        '{"status_code":503,"status_message":"x"}',
        U,
        "maintenance mode",
        "passes by itself",
    ),
    Case(
        "legacy error",
        200,
        "text/javascript",
        '{"error_message":"FATAL: Invalid credential","is_error":1}',
        D,
        "older interface",
        "CIVICRM_API_KEY",
    ),
    Case(
        "legacy answer",
        200,
        JSON,
        '{"is_error":0,"result":312}',
        D,
        "older interface",
        "civicrm.path",
    ),
    Case("right missing", 403, JSON, OPAQUE % 403, D, "gqtH-XGxv-S9Hi", "view all contacts"),
    Case("right missing, 5.x", 200, JSON, OPAQUE % 403, D, "want of a right", "authorization"),
    Case("error", 500, JSON, OPAQUE % 500, D, "gqtH-XGxv-S9Hi", "log"),
    Case("error, 5.x", 200, JSON, OPAQUE % 500, D, "could not carry out", "log"),
    Case("database down", 200, None, f"{CRASH} {CRASH}", D, "dOHf-nlxi-osnf", "log"),
    Case("database down, Apache", 200, HTML, f"<p>{CRASH}</p>", D, "database is down", "log"),
    Case(
        "WordPress updates",
        503,
        HTML,
        "Briefly unavailable for scheduled maintenance.",
        U,
        "(503)",
        "passes by itself",
    ),
    Case("too many requests", 429, HTML, "slow down", U, "fewer requests", "cadence_seconds"),
    Case("bad gateway", 502, HTML, "bad gateway", U, "(502)", "civicrm.page_size"),
    Case("gateway's time limit", 504, HTML, "time-out", U, "(504)", "civicrm.page_size"),
    Case(
        "database server down",
        500,
        HTML,
        "Error establishing a database connection",
        U,
        "error page (500)",
        "in a browser",
    ),
    Case(
        "out of memory",
        500,
        HTML,
        "There has been a critical error on this website.",
        U,
        "error page (500)",
        "civicrm.page_size",
    ),
    Case("no such page", 404, HTML, "not found", D, "(404)", "civicrm.path"),
    Case("firewall", 403, HTML, "blocked", D, "in front of CiviCRM", "firewall"),
    Case("too long", 413, HTML, "too large", D, "(413)", "civicrm.path"),
    Case("no type", 200, None, "", D, "no content type", "log"),
    Case(
        "web page",
        200,
        HTML,
        "<h1>Do not delete this page.</h1>",
        D,
        "web page",
        "/?civiwp=CiviCRM&q=civicrm/ajax/api4",
    ),
    Case("other kind", 200, "text/plain", "hello", D, "something else than JSON", "civicrm.path"),
    Case("cut JSON", 200, JSON, '{"page":{"values":[', D, "not whole", "PHP log"),
    Case("warning before JSON", 200, JSON, '<br/>Notice {"page":{}}', D, "not whole", "PHP log"),
    Case("not a number", 200, JSON, '{"page":{"values":[NaN]}}', D, "not whole", "PHP log"),
    Case("too deep", 200, JSON, "[" * 100_000, D, "not whole", "PHP log"),
    Case("empty", 200, JSON, "", D, "not whole", "PHP log"),
    Case("list", 200, JSON, "[]", D, "no answer to what was asked", "civicrm.path"),
    Case("null", 200, JSON, "null", D, "no answer to what was asked", "civicrm.path"),
    Case(
        "other JSON", 200, JSON, '{"status":"ok"}', D, "no answer to what was asked", "civicrm.path"
    ),
]


def told(reply: Reply, auth: Auth = "x-civi-auth") -> SourceError:
    with pytest.raises(SourceError) as caught:
        reject(reply, auth)
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_kind_of_answer_has_its_own_words(case: Case) -> None:
    error = told(case.reply)
    assert type(error) is case.error
    assert case.words in error.message
    assert case.remedy in error.remedy


@pytest.mark.parametrize("auth", ["x-civi-auth", "authorization"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_place_for_a_fact_is_left_empty(case: Case, auth: Auth) -> None:
    error = told(case.reply, auth)
    assert not set("{}") & set(error.message + error.remedy)


def test_each_row_of_the_table_is_reached() -> None:
    """A row that no answer reaches is a row in the wrong place."""
    first = [
        next(row for row in verdicts._VERDICTS if row.when(verdicts._Seen(case.reply)))
        for case in CASES
    ]
    assert {id(row) for row in first} == {id(row) for row in verdicts._VERDICTS}


@pytest.mark.parametrize(
    ("auth", "other"), [("x-civi-auth", "authorization"), ("authorization", "x-civi-auth")]
)
@pytest.mark.parametrize("name", ["flow not allowed", "web server's password", "header lost"])
def test_where_the_header_may_be_at_fault_the_other_way_to_send_the_key_is_named(
    name: str, auth: Auth, other: str
) -> None:
    """§13.10: door-sync never changes over by itself, so the operator must be told."""
    [case] = [case for case in CASES if case.name == name]
    assert f'civicrm.auth = "{other}"' in told(case.reply, auth).remedy


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize(
    "secret", ["<p>Zoë Example</p>", '{"error_message": "Zoë Example", "status": 500}']
)
def test_nothing_of_a_body_is_repeated(case: Case, secret: str) -> None:
    """P12"""
    headers = {} if case.content_type is None else {"content-type": case.content_type}
    error = told(Reply(case.status, headers, f"{secret} {case.body}".encode()))
    assert "Zoë" not in f"{error.message}{error.remedy}{error!r}"
    error = told(Reply(case.status, headers, secret.encode()))
    assert "Zoë" not in f"{error.message}{error.remedy}{error!r}"


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b'{"page": "\xff"}'])
def test_bytes_that_are_no_text_are_no_json(body: bytes) -> None:
    error = told(Reply(200, {"content-type": JSON}, body))
    assert "not whole" in error.message


@pytest.mark.parametrize(
    ("file", "name", "error", "words"),
    [
        ("auth_and_urls", "bearer no xrw", D, "saw no API key"),
        ("auth_and_urls", "wrong xheader", D, "does not know the API key"),
        ("auth_and_urls", "bearer empty", D, "does not know the API key"),
        ("auth_and_urls", "user nouserperm", D, "does not let it in"),
        ("auth_and_urls", "wp-admin", D, "redirect (302)"),
        ("auth_and_urls", "no entity", D, "web page"),
        ("auth_and_urls", "mixed-case path", D, "web page"),
        ("auth_and_urls", "wp-json v4?", U, "(500)"),
        ("outages_and_http", "wp .maintenance file", U, "(503)"),
        ("outages_and_http", "both databases refused", U, "error page (500)"),
        ("outages_and_http", "plugin deactivated", D, "web page"),
        ("states", "maintenance", U, "maintenance mode (503)"),
        ("states", "civimember_off", D, "web page"),
        ("states", "outage_civi_db_down", D, "critical error"),
        ("several_calls", "multi_get", D, "as a GET"),
        ("several_calls", "multi_empty", D, "web page"),
    ],
)
def test_recorded_answers_are_told_apart(
    recorded: Recorded, file: str, name: str, error: type[SourceError], words: str
) -> None:
    entry = recorded(file, name)
    kind = entry.get("content_type") or entry.get("headers", {}).get("Content-Type")
    body = entry.get("body", entry.get("body_text"))
    text = body if isinstance(body, str) else json.dumps(body)
    found = told(Reply(entry["status"], {"content-type": kind} if kind else {}, text.encode()))
    assert type(found) is error
    assert words in found.message


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"status": 403, "error_code": "1"}, 403),
        ({"error_code": 400}, 400),
        ({"error_code": 0, "error_id": "x"}, 500),
        ({"error_code": "1", "status": "403"}, 500),
        ({"error_code": 0, "status": True}, 500),
        ({"is_error": 1}, 500),
    ],
)
def test_the_status_of_an_error_is_the_one_inside_it(error: dict[str, Any], status: int) -> None:
    """§6.1: `error_code` is a text, a zero, or (at the door alone) a status."""
    assert verdicts.inner_status(error) == status

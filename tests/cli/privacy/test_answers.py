"""Whatever the two sides answer, nothing of it is repeated that may be personal (P12)."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from door_sync.simulators.faults import (
    Answer,
    Fault,
    Reset,
    Rewrite,
    Truncate,
    html_error,
    json_answer,
    rate_limit,
)
from tests.app.watching import lie, no_route
from tests.cli.marked import LAST, SHOUT, Marked, much_to_do, refusal


def _shouting(change: Callable[[Any], Any]) -> Rewrite:
    return Rewrite(change)


def _null(document: Any) -> Any:
    return {**document, "data": None}


def _text(document: Any) -> Any:
    return {**document, "data": SHOUT}


def _rows_of_text(document: Any) -> Any:
    return {**document, "data": [SHOUT]}


def _rows_twice(document: Any) -> Any:
    rows = document.get("data")
    return {**document, "data": rows * 2 if isinstance(rows, list) else rows}


def _one_more(document: Any) -> Any:
    rows = document.get("data")
    total = len(rows) + 1 if isinstance(rows, list) else 1
    return {**document, "pagination": {"page_num": 1, "page_size": 25, "total": total}}


def _keys_of_text(document: Any) -> Any:
    """Turn every value of the rows into what it must not be."""
    rows = document.get("data")
    rows = rows if isinstance(rows, list) else [rows]
    spoilt = [{key: {SHOUT: 1} for key in row} if isinstance(row, dict) else row for row in rows]
    return {**document, "data": spoilt if isinstance(document.get("data"), list) else spoilt[0]}


ANSWERS: Final[dict[str, Fault]] = {
    "refused": refusal("CODE_PARAMS_INVALID"),
    "refused with 400": refusal("CODE_PARAMS_INVALID", 400),
    "refused with the shout as code": refusal(SHOUT),
    "address taken": refusal("CODE_ADMIN_EMAIL_EXIST"),
    "card taken": refusal("CODE_CREDS_NFC_HAS_BIND_USER"),
    "unknown": refusal("CODE_NOT_EXISTS"),
    "scope": refusal("CODE_UNAUTHORIZED", 403),
    "operation forbidden": refusal("CODE_OPERATION_FORBIDDEN"),
    "key": refusal("CODE_ACCESS_TOKEN_INVALID", 401),
    "no route": no_route(),
    "failure": refusal("CODE_SYSTEM_ERROR", 500),
    "page": Answer(200, SHOUT.encode(), "text/html"),
    "page with 500": Answer(500, SHOUT.encode(), "text/html"),
    "page with 502": html_error(502),
    "no JSON": Answer(200, SHOUT.encode()),
    "a list": json_answer([SHOUT]),
    "null": Rewrite(_null),
    "text": Rewrite(_text),
    "rows of text": Rewrite(_rows_of_text),
    "keys of text": Rewrite(_keys_of_text),
    "rows twice": Rewrite(_rows_twice),
    "one row more than there are": Rewrite(_one_more),
    "page with 418": Answer(418, SHOUT.encode(), "text/html"),
    "a lie": lie(),
    "half": Truncate(),
    "cut": Truncate(cut=True),
    "reset": Reset(),
    "reset when done": Reset(after=True),
    "slow down": rate_limit(1),
    "elsewhere": Answer(302, SHOUT.encode(), "text/html", {"location": f"/{SHOUT.split()[1]}"}),
    "garbled": Answer(200, SHOUT.encode(), headers={"content-encoding": "gzip"}),
}

PLACES: Final = (
    ("GET", "/users"),
    ("GET", "/users/:id"),
    ("POST", "/users"),
    ("PUT", "/users/:id"),
    ("PUT", "/users/:id/nfc_cards"),
    ("*", "/users/:id/nfc_cards/delete"),
    ("*", "/users/:id/access_policies"),
    ("GET", "/credentials/nfc_cards/tokens"),
    ("GET", "/credentials/nfc_cards/tokens/:id"),
    ("*", "/credentials/nfc_cards/import"),
    ("GET", "/access_policies"),
    ("GET", "/visitors"),
)


@pytest.mark.parametrize(("method", "path"), PLACES)
def test_whatever_the_controller_answers_to_a_request(
    marked: Marked, method: str, path: str
) -> None:
    much_to_do(marked)
    for answer in ANSWERS.values():
        marked.site.club.unifi.faults.add(answer, method=method, path=path, times=None)
        marked.run("run", "--once")
        marked.site.club.unifi.faults.clear()


def _spoilt(change: Callable[[dict[str, Any]], object]) -> Rewrite:
    """Spoil each part of what CiviCRM says."""

    def changed(document: Any) -> Any:
        for part in document.values():
            if isinstance(part, dict):
                change(part)
        return document

    return Rewrite(changed)


def _rows(change: Callable[[dict[str, Any]], object]) -> Rewrite:
    def each(part: dict[str, Any]) -> None:
        for row in part.get("values") or []:
            if isinstance(row, dict):
                change(row)

    return _spoilt(each)


def _each_value_shouts(row: dict[str, Any]) -> None:
    row.update(dict.fromkeys(row, SHOUT))


def _error(**more: object) -> Answer:
    return json_answer(
        {"error_code": 0, "error_message": f"{SHOUT} (Error ID: abCD-efGH)", "status": 500, **more}
    )


CIVICRM: Final[dict[str, Fault]] = {
    "error": _error(),
    "error with 403": _error(status=403),
    "page": Answer(200, SHOUT.encode(), "text/html"),
    "page with 500": Answer(500, SHOUT.encode(), "text/html"),
    "page with 503": Answer(503, SHOUT.encode(), "text/html"),
    "page with 401": Answer(401, SHOUT.encode(), "text/html"),
    "no JSON": Answer(200, SHOUT.encode()),
    "text": json_answer(SHOUT),
    "elsewhere": Answer(302, b"", "text/html", {"location": f"/{LAST}"}),
    "parts of text": Rewrite(lambda document: dict.fromkeys(document, SHOUT)),
    "parts that fail": Rewrite(
        lambda document: {key: {"error_message": SHOUT, "error_code": SHOUT} for key in document}
    ),
    "rows of text": _spoilt(lambda part: part.update(values=[SHOUT], countFetched=1)),
    "no rows": _spoilt(lambda part: part.update(values=[], countFetched=0)),
    "one row": _spoilt(lambda part: part.update(values=part["values"][:1], countFetched=1)),
    "counts of text": _spoilt(lambda part: part.update(countFetched=SHOUT)),
    "matches of text": _spoilt(lambda part: part.update(countMatched=SHOUT)),
    "no match": _spoilt(lambda part: part.pop("countMatched", None)),
    "other numbers": _spoilt(lambda part: part.update(countMatched=12)),
    "values that shout": _rows(_each_value_shouts),
    "keys that miss": _rows(lambda row: row.popitem()),
    "ids that shout": _rows(lambda row: row.update(id=SHOUT)),
    "cards that are lists": _rows(lambda row: row.update({"Door_Access.card_id": [SHOUT]})),
    "names that are lists": _rows(lambda row: row.update(first_name=[SHOUT], end_date=SHOUT)),
    "half": Truncate(),
    "cut": Truncate(cut=True),
    "reset": Reset(),
    "garbled": Answer(200, SHOUT.encode(), headers={"content-encoding": "gzip"}),
}


@pytest.mark.parametrize("command", [("run", "--once"), ("plan",)])
def test_whatever_civicrm_answers(marked: Marked, command: tuple[str, ...]) -> None:
    much_to_do(marked)
    for answer in CIVICRM.values():
        marked.site.club.civicrm.faults.add(answer, times=None)
        marked.run(*command, shows_names=command == ("plan",))
        marked.site.club.civicrm.faults.clear()


@pytest.mark.parametrize("outage", [None, "civicrm-database", "maintenance", "plugin-off"])
def test_civicrm_out_of_order_or_closed_to_the_key(marked: Marked, outage: Any) -> None:
    switches, world = marked.site.club.civicrm.switches, marked.site.club.civicrm.world
    switches.outage = outage
    marked.run("run", "--once")
    switches.outage = None
    for right in sorted(world.permissions("full")):
        world.permissions("full").discard(right)
        marked.run("run", "--once")
        world.permissions("full").add(right)


def test_lists_that_move_while_they_are_read(marked: Marked) -> None:
    def grows(document: Any) -> Any:
        if "count" in document:
            document["count"]["countMatched"] += 1
        return document

    marked.site.club.civicrm.faults.add(Rewrite(grows), times=None)
    assert marked.run("run", "--once").code == 2
    marked.site.club.unifi.faults.add(
        Rewrite(lambda found: {**found, "pagination": {"total": 7}}), path="/users", times=None
    )
    marked.site.club.civicrm.faults.clear()
    assert marked.run("run", "--once").code == 2


def test_canaries_that_are_not_there(marked: Marked) -> None:
    marked.site.configure(civicrm__canary_contact=999_999)
    assert marked.run("run", "--once").code == 2
    marked.site.configure(unifi__canary_user="nobody-at-all")
    assert marked.run("run", "--once").code == 2


def test_another_machine_where_a_side_should_be(
    marked: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong pin, an unknown authority, no TLS, nobody, no such name, a proxy that is none."""
    site, club = marked.site, marked.site.club
    tls, plain = club.unifi_server.url, club.civicrm_server.url.replace("http:", "https:")
    wrong: list[dict[str, object]] = [
        {"unifi__tls_fingerprint": ":".join(["AB"] * 32)},
        {"unifi__host": plain},
        {"unifi__host": "https://127.0.0.1:9"},
        {"unifi__host": "https://nobody.invalid"},
        {"civicrm__host": tls},
        {"civicrm__host": plain},
        {"civicrm__host": "http://127.0.0.1:9"},
        {"civicrm__host": "https://nobody.invalid"},
    ]
    for keys in wrong:
        site.configure(**keys)
        assert marked.run("run", "--once").code == 2
    site.configure(civicrm__host="https://crm.example.org")
    monkeypatch.setenv("HTTPS_PROXY", "ftp://proxy.example.org:1")
    assert marked.run("run", "--once").code == 2

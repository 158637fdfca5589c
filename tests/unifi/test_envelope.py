"""The controller's envelope, with the bodies that the UniFi sheet quotes (§3)."""

import json

import pytest

from door_sync.unifi.envelope import (
    Answer,
    ApiSwitchedOff,
    KeyRefused,
    NoRoute,
    Overloaded,
    Refused,
    ScopeMissing,
    Success,
    Unreadable,
    judge,
)

NO_MAN_ZONE = {
    "code": 404,
    "codeS": "CODE_NOT_FOUND",
    "msg": "The API was not found.",
    "error": "you entered no-man zone",
}


def judged(document: object, status: int = 200) -> Answer:
    return judge(status, json.dumps(document).encode())


@pytest.mark.parametrize("msg", ["success", "succ", "", None, "failed"])
def test_success_is_the_code_and_never_the_message(msg: str | None) -> None:
    """§3.1: `msg` is free text; trap 6."""
    answer = judged(
        {"code": "SUCCESS", "msg": msg, "data": {"id": "a"}, "pagination": {"total": 1}}
    )
    assert answer == Success({"id": "a"}, {"total": 1})


@pytest.mark.parametrize("document", [{"code": "SUCCESS"}, {"code": "SUCCESS", "data": None}])
def test_a_success_may_come_without_data(document: dict[str, object]) -> None:
    assert judged(document) == Success(None, None)


def test_the_second_dialect_says_success_in_code_s() -> None:
    """§3.2; trap 5."""
    document = {"code": 1, "codeS": "SUCCESS", "msg": "ok", "data": []}
    assert judged(document) == Success([], None)


def test_a_number_alone_is_no_success() -> None:
    """§3.2: success is the word, in one place or the other."""
    assert judged({"code": 1, "msg": "success"}) == Refused("1")


@pytest.mark.parametrize("status", [200, 400, 402, 403, 404])
def test_a_business_error_is_known_by_its_body_whatever_the_status(status: int) -> None:
    """§3.3; traps 2 and 3."""
    document = {"code": "CODE_ADMIN_EMAIL_EXIST", "msg": "e-mail exists", "data": None}
    assert judged(document, status) == Refused("CODE_ADMIN_EMAIL_EXIST")


@pytest.mark.parametrize("status", [200, 400])
def test_a_business_error_in_the_second_dialect_is_named_by_code_s(status: int) -> None:
    document = {"code": -1, "codeS": "CODE_NOT_EXISTS", "msg": "no"}
    assert judged(document, status) == Refused("CODE_NOT_EXISTS")


@pytest.mark.parametrize("status", [404, 200])
@pytest.mark.parametrize(
    "document",
    [
        NO_MAN_ZONE,
        {"code": "CODE_NOT_FOUND", "msg": "The API was not found."},
        {"code": 404, "error": "you entered no-man zone"},
    ],
)
def test_the_no_route_answer_is_known_by_its_body(status: int, document: dict[str, object]) -> None:
    """§3.4, C3: HTTP 404 or 200."""
    assert judged(document, status) == NoRoute()


@pytest.mark.parametrize(
    "code",
    [
        "CODE_NOT_EXISTS",
        "CODE_RESOURCE_NOT_FOUND",
        "CODE_USER_WORKER_NOT_EXISTS",
        "CODE_USER_ACCOUNT_NOT_EXIST",
    ],
)
def test_a_missing_record_is_no_missing_route(code: str) -> None:
    """§3.4; trap 4."""
    answer = judged({"code": code, "msg": ""}, 404)
    assert answer == Refused(code)
    assert isinstance(answer, Refused)
    assert answer.is_not_there


def test_an_ordinary_refusal_does_not_say_that_the_record_is_missing() -> None:
    assert not Refused("CODE_PARAMS_INVALID").is_not_there


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ({"code": "CODE_ACCESS_TOKEN_INVALID", "msg": ""}, 401, "CODE_ACCESS_TOKEN_INVALID"),
        ({"code": "CODE_AUTH_FAILED", "msg": ""}, 200, "CODE_AUTH_FAILED"),
        ({"code": "CODE_AUTH_FAILED", "msg": ""}, 403, "CODE_AUTH_FAILED"),
        ({"error": {"code": 401, "message": "Unauthorized"}}, 401, "HTTP 401"),
        ({"code": "CODE_UNAUTHORIZED", "msg": ""}, 401, "CODE_UNAUTHORIZED"),
        ("Forbidden", 403, "HTTP 403"),
        (NO_MAN_ZONE, 401, "CODE_NOT_FOUND"),
    ],
)
def test_a_refused_key_is_known_by_401_or_by_its_code(
    document: object, status: int, code: str
) -> None:
    """§3.3: 401, or 401 and 403; through the console's own proxy the body has no envelope."""
    assert judged(document, status) == KeyRefused(code)


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize(
    "document",
    [
        {"code": "CODE_UNAUTHORIZED", "msg": "no"},
        {"code": 401, "codeS": "CODE_UNAUTHORIZED", "msg": "no"},
    ],
)
def test_a_missing_scope_is_known_in_either_status(
    status: int, document: dict[str, object]
) -> None:
    """§3.3, C4."""
    assert judged(document, status) == ScopeMissing("CODE_UNAUTHORIZED")


def test_an_adopted_site_has_no_api_any_more() -> None:
    """§1.1."""
    code = "CODE_OTHERS_UID_ADOPTED_NOT_SUPPORTED"
    assert judged({"code": code, "msg": ""}) == ApiSwitchedOff(code)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_429_and_5xx_say_nothing_of_the_request_whatever_their_body(status: int) -> None:
    assert judged({"code": "SUCCESS", "data": []}, status) == Overloaded(status)
    assert judge(status, b"<html>Bad Gateway</html>") == Overloaded(status)


def test_only_too_many_requests_says_that_nothing_was_done() -> None:
    assert not Overloaded(429).maybe_carried_out
    assert Overloaded(503).maybe_carried_out


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><title>Log in</title></html>",
        b'{"code": "SUCCESS", "data": [{"id": "b',
        b"[]",
        b'"SUCCESS"',
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_what_is_no_json_object_is_unreadable(body: bytes) -> None:
    assert judge(200, body) == Unreadable(200, "it is no JSON object")


@pytest.mark.parametrize(
    "document", [{}, {"data": []}, {"code": None}, {"code": True}, {"code": ["SUCCESS"]}]
)
def test_an_object_without_a_code_is_unreadable(document: dict[str, object]) -> None:
    assert judged(document) == Unreadable(200, "it has no code")


@pytest.mark.parametrize("status", [201, 302, 400, 404])
def test_a_success_with_another_status_contradicts_itself(status: int) -> None:
    """§3.3: success is HTTP 200 for all calls."""
    assert isinstance(judged({"code": "SUCCESS", "data": []}, status), Unreadable)


def test_an_unreadable_client_error_was_surely_not_carried_out() -> None:
    assert not Unreadable(404, "it is no JSON object").maybe_carried_out
    assert Unreadable(200, "it is no JSON object").maybe_carried_out
    assert Unreadable(302, "it is no JSON object").maybe_carried_out


@pytest.mark.parametrize("code", ["Ann Lee already exists", "x" * 81, "CODE\n", ""])
@pytest.mark.parametrize("status", [400, 401])
def test_free_text_in_place_of_a_code_is_not_repeated(code: str, status: int) -> None:
    """P12: a message must not carry a reply's text."""
    answer = judged({"code": code}, status)
    assert isinstance(answer, Refused | KeyRefused)
    assert answer.code in ("an unreadable code", "HTTP 401")


def test_a_success_does_not_show_what_it_carries() -> None:
    """P12."""
    answer = judged({"code": "SUCCESS", "data": ["secret"], "pagination": {"secret": 1}})
    assert "secret" not in repr(answer)


@pytest.mark.parametrize(
    ("code", "about_address"),
    [
        ("CODE_ADMIN_EMAIL_EXIST", True),
        ("CODE_USER_EMAIL_EXIST", True),
        ("CODE_USER_EMAIL_ERROR", True),
        ("CODE_USER_NAME_DUPLICATED", False),
        ("CODE_SYSTEM_ERROR", False),
    ],
)
def test_refusals_of_an_address_are_known_by_their_codes(code: str, about_address: bool) -> None:
    """§3.5, §6.10."""
    assert Refused(code).is_about_address is about_address

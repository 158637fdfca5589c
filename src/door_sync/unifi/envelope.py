"""What the controller's reply says, judged by its body (UniFi sheet §3).

Business errors come with HTTP 200 or 4xx, `code` is a text or a number beside `codeS`, and an
unknown route has a body of its own: the HTTP status alone tells little (§20 traps 2, 3 and 5).
Every reply becomes one of the types below, and nothing outside this file looks at a status.
"""

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

SUCCESS: Final = "SUCCESS"
NO_ROUTE_CODE: Final = "CODE_NOT_FOUND"
NO_ROUTE_TEXT: Final = "no-man zone"
SYSTEM_ERROR: Final = "CODE_SYSTEM_ERROR"
HAS_HOLDER: Final = "CODE_CREDS_NFC_HAS_BIND_USER"

KEY_CODES: Final = frozenset({"CODE_AUTH_FAILED", "CODE_ACCESS_TOKEN_INVALID"})
SCOPE_CODES: Final = frozenset({"CODE_UNAUTHORIZED"})
ADOPTED_CODES: Final = frozenset({"CODE_OTHERS_UID_ADOPTED_NOT_SUPPORTED"})
NOT_THERE_CODES: Final = frozenset(
    {
        "CODE_NOT_EXISTS",
        "CODE_RESOURCE_NOT_FOUND",
        "CODE_USER_WORKER_NOT_EXISTS",
        "CODE_USER_ACCOUNT_NOT_EXIST",
    }
)
"""The record is not there. Never said by a missing route (§3.4)."""

_READABLE_CODE = re.compile(r"[A-Z0-9_]{1,80}")


@dataclass(frozen=True, slots=True)
class Success:
    """The controller says that it did it.

    `data` is whatever stood there, None if nothing did; `pagination` likewise. Neither is shown:
    they hold names and tokens (P12).
    """

    data: object = field(repr=False, default=None)
    pagination: object = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class NoRoute:
    """This firmware has no such method and path (§3.4). It says nothing about any record."""


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """The API token is missing, wrong, deleted or expired; `code` is its name for that."""

    code: str


@dataclass(frozen=True, slots=True)
class ScopeMissing:
    """The API token is good, but lacks the right for this call (§1.4)."""

    code: str


@dataclass(frozen=True, slots=True)
class ApiSwitchedOff:
    """The site was upgraded to Identity Enterprise, which ends this API (§1.1)."""

    code: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A business error, by its name."""

    code: str

    @property
    def is_not_there(self) -> bool:
        """Whether it says that the record does not exist."""
        return self.code in NOT_THERE_CODES

    @property
    def is_about_address(self) -> bool:
        """Whether it says that an e-mail address is taken or malformed (§6.10)."""
        return self.code.endswith("EMAIL_EXIST") or self.code == "CODE_USER_EMAIL_ERROR"


@dataclass(frozen=True, slots=True)
class Overloaded:
    """HTTP 429 or 5xx: the controller, or what stands before it, is in trouble.

    `maybe_carried_out` is False for 429 alone.
    """

    status: int

    @property
    def maybe_carried_out(self) -> bool:
        """Whether the request may have had its effect all the same."""
        return self.status != HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No envelope: a login page, half a reply, another program. `problem` says which part."""

    status: int
    problem: str

    @property
    def maybe_carried_out(self) -> bool:
        """Whether the request may have had its effect; a 4xx says that it had none."""
        return not 400 <= self.status < 500


Answer = (
    Success
    | NoRoute
    | KeyRefused
    | ScopeMissing
    | ApiSwitchedOff
    | Refused
    | Overloaded
    | Unreadable
)


def judge(status: int, body: bytes) -> Answer:
    """Given a reply's HTTP status and body, return what the controller says with it."""
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Overloaded(status)
    envelope = _object(body)
    name = None if envelope is None else _name(envelope)
    if status == HTTPStatus.UNAUTHORIZED:
        return KeyRefused(_shown(name) if name else "HTTP 401")
    if envelope is None or name is None:
        # Some consoles answer a bad key with 403 (§3.3), and what stands before them has no codes.
        if status == HTTPStatus.FORBIDDEN:
            return KeyRefused("HTTP 403")
        problem = "it is no JSON object" if envelope is None else "it has no code"
        return Unreadable(status, problem)
    if name == SUCCESS:
        if status != HTTPStatus.OK:
            return Unreadable(status, "it says SUCCESS with another HTTP status than 200")
        return Success(envelope.get("data"), envelope.get("pagination"))
    return _failure(name, envelope)


def _failure(name: str, envelope: dict[str, object]) -> Answer:
    error = envelope.get("error")
    if name == NO_ROUTE_CODE or (isinstance(error, str) and NO_ROUTE_TEXT in error):
        return NoRoute()
    if name in KEY_CODES:
        return KeyRefused(name)
    if name in SCOPE_CODES:
        return ScopeMissing(name)
    if name in ADOPTED_CODES:
        return ApiSwitchedOff(name)
    return Refused(_shown(name))


def _object(body: bytes) -> dict[str, object] | None:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _name(envelope: dict[str, object]) -> str | None:
    """Return the outcome's name (§3.2): `SUCCESS` in either place, else `codeS`, else `code`."""
    code, code_s = envelope.get("code"), envelope.get("codeS")
    if SUCCESS in (code, code_s):
        return SUCCESS
    if isinstance(code_s, str):
        return code_s
    if isinstance(code, str):
        return code
    # bool is a kind of int
    return str(code) if isinstance(code, int) and not isinstance(code, bool) else None


def _shown(name: str) -> str:
    """Return a code as it may stand in a message: a reply's free text must not get there (P12)."""
    return name if _READABLE_CODE.fullmatch(name) else "an unreadable code"

"""How CiviCRM fails, and what each failure looks like on each site (§6 of the sheet).

Problem
├── ApiError          a JSON error object: 403 for missing rights, else 500
│   ├── Unauthorized  (§6.1)
│   ├── UnknownField  (§5.2)
│   └── UnknownApi    entity or action; an HTML page on WordPress, JSON elsewhere and in a
│                     multi-call (§6.2)
└── TypeCrash         a PHP type error, which no handler catches: always an HTML page

5.77 sends its JSON errors with HTTP 200 unless Apache runs PHP itself (§2 of the versions sheet).
"""

import random
import string
import threading
from typing import Any

from door_sync.simulators.civicrm.switches import Switches

_SORRY = "Sorry an error occurred and your request was not completed. (Error ID: {})"


class Problem(Exception):
    """A call that failed inside CiviCRM."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ApiError(Problem):
    """A failure the API itself reports. Only keys with *view debug output* see `message`."""

    status = 500


class Unauthorized(ApiError):
    """The key lacks a right."""

    status = 403

    @classmethod
    def to_call(cls, entity: str, action: str) -> "Unauthorized":
        """The right to this entity or action is missing."""
        return cls(f"Authorization failed: CiviCRM APIv4 ({entity}::{action})")


class UnknownField(ApiError):
    """A field in `where`, `orderBy` or `groupBy` that does not exist or may not be seen."""

    def __init__(self, name: object) -> None:
        super().__init__(f"Invalid field '{name}'")


class UnknownApi(ApiError):
    """An entity or an action that does not exist."""


class TypeCrash(Problem):
    """PHP stopped at a value of the wrong type."""


class ErrorIds:
    """Draws error ids like ``nNRU-2oqu-TDNe``; the same ones again for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self) -> str:
        letters = string.ascii_letters + string.digits
        with self._lock:
            return "-".join("".join(self._random.choices(letters, k=4)) for _ in range(3))


def error_object(
    error: ApiError, error_id: str, *, sees_debug: bool, switches: Switches
) -> dict[str, Any]:
    """Return the JSON error object: the opaque form, or the open one for a debug key (§6.1)."""
    if not sees_debug:
        return {
            "error_code": "1",
            "error_message": _SORRY.format(error_id),
            "status": error.status,
        }
    opened: dict[str, Any] = {} if switches.is_old else {"error_id": error_id}
    return opened | {"error_code": 0, "error_message": error.message, "status": error.status}


def status_of_json_error(status: int, switches: Switches) -> int:
    """Return the HTTP status of a JSON error: 5.77 on WordPress loses it but under mod_php."""
    loses = switches.is_old and switches.cms == "wordpress" and switches.front != "mod_php"
    return 200 if loses else status


def status_of_html_error(switches: Switches) -> int:
    """Return the HTTP status of an HTML error page: 6.x on WordPress loses it, but for mod_php."""
    loses = not switches.is_old and switches.cms == "wordpress" and switches.front != "mod_php"
    return 200 if loses else 500


def is_page(error: ApiError, switches: Switches) -> bool:
    """Whether this error of a single call is answered with an HTML page instead of JSON."""
    return isinstance(error, UnknownApi) and switches.cms == "wordpress" and not switches.is_old

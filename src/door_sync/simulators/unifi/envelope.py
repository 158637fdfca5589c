"""The envelope of every answer (§3): two dialects, refusals, and the no-route answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from starlette.responses import JSONResponse, Response

Dialect = Literal["string", "numeric"]

PARAMS_INVALID: Final = "CODE_PARAMS_INVALID"
SYSTEM_ERROR: Final = "CODE_SYSTEM_ERROR"
NOT_EXISTS: Final = "CODE_NOT_EXISTS"


class Absent:
    """For an answer without the key ``data``, which is not the same as null (rule 6)."""


@dataclass(frozen=True)
class Pagination:
    """``page_size`` is the number of rows in this page, not the size asked for (rule 11)."""

    page_num: int
    page_size: int
    total: int


@dataclass(frozen=True)
class Success:
    """What an endpoint gives back when it did what it was asked."""

    data: Any = Absent
    pagination: Pagination | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What else stands beside ``data`` (§13)."""


class Refusal(Exception):
    """The controller will not do it, and has a code for that (rule 7)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Unauthenticated(Refusal):
    """No valid token (rule 2)."""


class Unscoped(Refusal):
    """The token lacks the scope of the endpoint (rule 4)."""

    def __init__(self) -> None:
        super().__init__("CODE_UNAUTHORIZED")


class NoRoute(Exception):
    """The router has no such method and path (rule 3)."""


def success(answer: Success, *, dialect: Dialect, message: str) -> Response:
    """Return the answer of an endpoint that did what it was asked."""
    document = _head("SUCCESS", 1, message, dialect)
    if answer.data is not Absent:
        document["data"] = answer.data
    if answer.pagination is not None:
        document["pagination"] = {
            "page_num": answer.pagination.page_num,
            "page_size": answer.pagination.page_size,
            "total": answer.pagination.total,
        }
    return JSONResponse({**document, **answer.beside})


def refusal(code: str, *, status: int, dialect: Dialect) -> Response:
    """Return a refusal. Its message is prose, its number in the second dialect anything but 1."""
    message = code.removeprefix("CODE_").replace("_", " ").capitalize() + "."
    return JSONResponse({**_head(code, 0, message, dialect), "data": None}, status_code=status)


def no_route(status: int) -> Response:
    """Return the answer of §3.4, word for word."""
    return JSONResponse(
        {
            "code": 404,
            "codeS": "CODE_NOT_FOUND",
            "msg": "The API was not found.",
            "error": "you entered no-man zone",
        },
        status_code=status,
    )


def _head(code: str, number: int, message: str, dialect: Dialect) -> dict[str, Any]:
    if dialect == "numeric":
        return {"code": number, "codeS": code, "msg": message}
    return {"code": code, "msg": message}

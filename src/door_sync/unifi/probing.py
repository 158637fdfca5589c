"""What an API token may do, asked without changing anything: for a checkup.

No endpoint tells a token's rights or the version of Access (UniFi sheet §1.3, §17), so each right
is tried. Reads ask for one row. Writes are such as the controller must refuse: about a user and a
card that do not exist, and with nothing to write; "not permitted" comes before "does not exist"
(§1.4, seen live for another right). Each is sent once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from door_sync.core.controller import Policy, UserId
from door_sync.http import HttpClient, Json, Reply, Request, RetryClass, Upload
from door_sync.ports import ControllerError
from door_sync.unifi import wire
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
from door_sync.unifi.exchange import BASE_PATH, Query, path
from door_sync.unifi.reading import CARDS, USERS, VISITORS

NO_USER: Final = "d00d5000-5afe-4bad-8bad-000000000000"
"""The id of no user: one of 2^122 that a console may give."""

NO_CARD: Final = "d00d5afe" * 8
"""The token of no card: one of 2^256."""

_ONE_ROW: Final[Query] = (("page_num", "1"), ("page_size", "1"))


class Try(Enum):
    """What is tried, in this order."""

    READ_USERS = "reading a user"
    WRITE_USERS = "writing to a user that does not exist"
    READ_CARDS = "reading a card"
    WRITE_CARDS = "writing to a card that does not exist"
    IMPORT_CARDS = "importing no card"
    READ_POLICIES = "reading the access policies"
    READ_VISITORS = "reading a visitor"
    CANARY = "reading the canary"


Stop = KeyRefused | ApiSwitchedOff | Overloaded | Unreadable


@dataclass(frozen=True, slots=True)
class Probes:
    """What the controller said to each try; a try that was not asked any more is absent.

    `stopped_by` is the answer that made further questions pointless: a refused token, a switched
    off API, a controller in trouble, another program. `first` is the first reply.
    """

    answers: Mapping[Try, Answer]
    first: Reply
    stopped_by: Stop | None = None


def probe(client: HttpClient, canary: UserId | None = None) -> Probes:
    """Try each right once, and look for the user `canary`.

    Raise HttpError if a reply does not come; nothing was sent to a controller that is not the
    pinned one (P11).
    """
    answers: dict[Try, Answer] = {}
    first: Reply | None = None
    for one, request in _requests(canary):
        reply = client.send(request)
        first = first or reply
        answer = judge(reply.status, reply.body)
        match answer:
            case KeyRefused() | ApiSwitchedOff():
                return Probes(answers, first, answer)
            case Overloaded() | Unreadable() if not answers:
                return Probes(answers, first, answer)
            case _:
                answers[one] = answer
    return Probes(answers, cast("Reply", first))


def _requests(canary: UserId | None) -> Iterator[tuple[Try, Request]]:
    yield Try.READ_USERS, _get("/users", (*USERS.query, *_ONE_ROW))
    yield Try.WRITE_USERS, _put(path("users", NO_USER), {})
    yield Try.READ_CARDS, _get(CARDS.path, _ONE_ROW)
    yield Try.WRITE_CARDS, _put(f"{CARDS.path}{path(NO_CARD)}", {"alias": ""})
    yield Try.IMPORT_CARDS, _empty_import()
    yield Try.READ_POLICIES, _get("/access_policies")
    yield Try.READ_VISITORS, _get(VISITORS.path, _ONE_ROW)
    if canary is not None:
        yield Try.CANARY, _get(path("users", canary))


def may(answer: Answer | None) -> bool | None:
    """Given the answer to a try, say whether the token has its right; None if that is not told."""
    match answer:
        case Success():
            return True
        case Refused():
            return True if answer.is_not_there else None
        case ScopeMissing():
            return False
        case _:
            return None


def has_route(answer: Answer | None) -> bool | None:
    """Given the answer to a try, say whether this version of Access knows the call."""
    match answer:
        case NoRoute():
            return False
        case Success() | Refused() | ScopeMissing():
            return True
        case _:
            return None


def policies_in(answer: Answer | None) -> tuple[Policy, ...] | None:
    """Return the access policies of an answer; None if it has no whole list of them."""
    if not isinstance(answer, Success):
        return None
    what = "the list of access policies"
    try:
        rows = wire.whole_list(answer.data, answer.pagination, what, key="id")
        return tuple(wire.policy(row, what) for row in rows)
    except ControllerError:
        return None


def _get(where: str, query: Query = ()) -> Request:
    return Request("GET", BASE_PATH + where, RetryClass.NEVER, is_write=False, query=query)


def _put(where: str, body: dict[str, object]) -> Request:
    return Request("PUT", BASE_PATH + where, RetryClass.NEVER, is_write=True, body=Json(body))


def _empty_import() -> Request:
    """A file without a row: there is nothing that could be imported."""
    file = Upload(field="file", filename="cards.csv", content=b"", content_type="text/csv")
    where = f"{BASE_PATH}/credentials/nfc_cards/import"
    return Request("POST", where, RetryClass.NEVER, is_write=True, body=file)

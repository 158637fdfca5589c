"""Each request of a cycle by its place in it: what asks for it, of which kind, and the how manieth.

A request is told from all others by what it says, not by a count of requests: reads run side by
side and arrive in any order.
"""

import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

from door_sync.http import Form, HttpClient, Json, PinnedTls, PlainHttp, Tls
from door_sync.http.messages import Reply, Request
from door_sync.simulators.exchange import SeenRequest
from tests.club import Club

BASE = "/api/v1/developer"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Asked:
    """One request as it says it; `body` is empty for an upload, whose boundary is drawn anew."""

    method: str
    path: str
    query: str
    body: str = field(repr=False)

    @property
    def is_civicrm(self) -> bool:
        """Whether CiviCRM is asked."""
        return not self.path.startswith(BASE)

    @property
    def is_write(self) -> bool:
        """Whether it asks for a change."""
        return not self.is_civicrm and self.method != "GET"

    @property
    def kind(self) -> str:
        """What sort of request it is, in words."""
        if self.is_civicrm:
            calls = json.loads(parse_qs(self.body)["calls"][0])
            return f"CiviCRM: {', '.join(sorted(calls))}"
        path = _ID.sub(":id", self.path.removeprefix(BASE))
        return f"{self.method} {path}{self._detail(path)}"

    def _detail(self, path: str) -> str:
        if not self.is_write or not self.body:
            return ""
        body: dict[str, Any] = json.loads(self.body)
        match self.method, path:
            case "PUT", "/users/:id" if "status" in body:
                return f" {body['status']}"
            case "PUT", "/users/:id" if body.get("user_email") == "":
                return " address blanked"
            case "PUT", "/users/:id":
                return f" {' and '.join(sorted(body))}"
            case "PUT", "/users/:id/nfc_cards":
                return " by force" if body["force_add"] else ""
            case _:
                return ""


def as_sent(request: Request) -> Asked:
    """Return a request as the client has it."""
    url = urlsplit(request.target)
    match request.body:
        case Json() | Form() as body:
            text = body.encoded()[1].decode()
        case _:
            text = ""
    return Asked(request.method, unquote(url.path), url.query, text)


def as_seen(request: SeenRequest) -> Asked:
    """Return a request as the server has it."""
    is_upload = request.headers.get("content-type", "").startswith("multipart/")
    body = "" if is_upload else request.body.decode()
    return Asked(request.method, request.path, request.query, body)


@dataclass(frozen=True)
class Place:
    """One request of a cycle: what it says, and the how manieth of those that say the same.

    `phase`: before the first write, while writes are sent, or after the last.
    """

    asked: Asked
    number: int
    phase: str

    @property
    def kind(self) -> str:
        """Its kind; the same read is another kind before, between and after the writes."""
        plain = self.asked.kind
        return plain if self.asked.is_write or self.asked.is_civicrm else f"{plain} {self.phase}"


@contextmanager
def taken_down() -> Iterator[list[Asked]]:
    """Yield a list that grows with every try of every request, in order."""
    found: list[Asked] = []
    one_try, lock = HttpClient._try, threading.Lock()

    def noting(self: HttpClient, request: Request) -> Reply:
        with lock:
            found.append(as_sent(request))
        return one_try(self, request)

    with patch.object(HttpClient, "_try", noting):
        yield found


def places(found: list[Asked]) -> list[Place]:
    """Return the requests of one untroubled cycle as places."""
    writes = [number for number, one in enumerate(found) if one.is_write]
    count: Counter[Asked] = Counter()
    made = []
    for number, one in enumerate(found):
        count[one] += 1
        phase = "to read"
        if writes[0] < number:
            phase = "to look" if number < writes[-1] else "to read back"
        made.append(Place(one, count[one], phase))
    return made


class Aim:
    """Chooses the requests that are struck: one place, or from it on all of the same kind.

    `at_once` takes all of the kind from the beginning, for a cycle that is not the recorded one.
    """

    def __init__(self, place: Place, *, lasts: bool, at_once: bool = False) -> None:
        self.place = place
        self.struck: list[Asked] = []
        self._lasts = lasts
        self._seen = 0
        self._is_on = at_once
        self._lock = threading.Lock()

    def hits(self, asked: Asked) -> bool:
        """Take note of a request, and say whether it is to be struck."""
        with self._lock:
            is_place = False
            if asked == self.place.asked:
                self._seen += 1
                is_place = self._seen == self.place.number
            if is_place:
                self._is_on = True
            due = is_place or (self._lasts and self._is_on and asked.kind == self.place.asked.kind)
            if due:
                self.struck.append(asked)
            return due


@contextmanager
def refusing(club: Club, aim: Aim) -> Iterator[None]:
    """Try every request that is struck at a port of this machine where nothing listens."""
    one_try = HttpClient._try
    with closing(socket.socket()) as bound:  # and never listened on, so that nobody else gets it
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with (
            _client(f"http://127.0.0.1:{port}", PlainHttp(), club) as plain,
            _client(f"https://127.0.0.1:{port}", PinnedTls(("AB" * 32,)), club) as pinned,
        ):

            def refused(self: HttpClient, request: Request) -> Reply:
                asked = as_sent(request)
                if not aim.hits(asked):
                    return one_try(self, request)
                return one_try(plain if asked.is_civicrm else pinned, request)

            with patch.object(HttpClient, "_try", refused):
                yield


def _client(url: str, tls: Tls, club: Club) -> HttpClient:
    return HttpClient(
        url,
        headers={},
        tls=tls,
        timeout_seconds=10,
        clock=club.clock,
        trust_environment_proxies=False,
    )

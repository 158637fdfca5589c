"""Both systems' answers on a tape: what a whole reading asks is answered from it, without sockets.

One answer of the tape may be exchanged for a hostile one. Whatever is asked, an answer comes; a
reading that asks for too much is noticed here.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlsplit

from door_sync.http import Form, HttpClient, Reply, Request

MOST_ASKED: Final = 2_000
"""Requests after which a reading of a handful of people counts as endless."""

_ID: Final = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27,}|/[0-9A-Fa-f]{40,}")


@dataclass(frozen=True)
class Kind:
    """What a request is about, so that the tape knows which answer it wants."""

    name: str


def kind_of(request: Request) -> str:
    """Return the name of a request's kind: the calls in it for CiviCRM, route and page else."""
    if isinstance(request.body, Form):
        calls: dict[str, Any] = json.loads(dict(request.body.fields)["calls"])
        return "civicrm " + " ".join(sorted(f"{name}:{call[0]}" for name, call in calls.items()))
    parts = urlsplit(request.target)
    page = dict(parse_qsl(parts.query)).get("page_num", "")
    route = _ID.sub("/ID", parts.path.removeprefix("/api/v1/developer"))
    return f"{request.method} {route} {page}".strip()


class EndlessReading(AssertionError):
    """A reading went on asking."""


@dataclass
class Tape:
    """Answers by kind of request; `hostile` replaces those of one kind, from the first on."""

    answers: Mapping[str, Reply]
    hostile_kind: str = ""
    hostile: Reply | None = None
    asked: int = 0
    written: list[str] = field(default_factory=list)

    def send(self, request: Request) -> Reply:
        """Answer as HttpClient does."""
        self.asked += 1
        if self.asked > MOST_ASKED:
            raise EndlessReading(f"more than {MOST_ASKED} requests")
        kind = kind_of(request)
        if request.is_write:
            self.written.append(kind)
        if self.hostile is not None and kind == self.hostile_kind:
            return self.hostile
        return self.answers.get(kind, Reply(404, {}, b""))

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Set no limits: a tape is short."""
        yield

    def client(self) -> HttpClient:
        """Return this tape as what an adapter takes."""
        return cast("HttpClient", self)


class Recorder:
    """Puts what a real client is answered on a tape."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self.answers: dict[str, Reply] = {}

    def send(self, request: Request) -> Reply:
        """Send it, and keep the first answer of its kind."""
        reply = self._client.send(request)
        kept = {"content-type": reply.content_type or ""}
        self.answers.setdefault(kind_of(request), Reply(reply.status, kept, reply.body))
        return reply

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """Set no limits."""
        return contextlib.nullcontext()

    def client(self) -> HttpClient:
        """Return this recorder as what an adapter takes."""
        return cast("HttpClient", self)

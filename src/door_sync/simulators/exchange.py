"""One HTTP exchange taken as a whole: the request with its body, the answer before it is sent."""

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class SeenRequest:
    """A request as it arrived: ``path`` decoded, ``query`` as it was written, ``body`` whole."""

    method: str
    path: str = field(repr=False)
    query: str = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the body as JSON; raise ValueError if it is none."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer: status, raw headers, body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = field(repr=False)

    def with_body(self, body: bytes) -> "Reply":
        """Return the same answer with another body and the length that goes with it."""
        kept = tuple(pair for pair in self.headers if pair[0] != b"content-length")
        length = (b"content-length", str(len(body)).encode())
        return Reply(self.status, (*kept, length), body)

    async def send(self, send: Send) -> None:
        """Send the whole answer."""
        await self.send_head(send)
        await send({"type": "http.response.body", "body": self.body})

    async def send_head(self, send: Send) -> None:
        """Send the status line and the headers only."""
        headers = list(self.headers)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})


async def take(scope: Scope, receive: Receive) -> SeenRequest | None:
    """Return the request with its whole body; None if the client left before it was complete."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return SeenRequest(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=Headers(scope=scope),
        body=body,
    )


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives `body` first, then what `receive` gives."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def hold(app: ASGIApp, scope: Scope, receive: Receive) -> Reply:
    """Let `app` handle the request and return its answer without sending it."""
    status = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    parts = []

    async def keep(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = tuple(message.get("headers", ()))
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    return Reply(status, headers, b"".join(parts))


async def until_gone(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass

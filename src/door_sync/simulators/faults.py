"""Trouble on order: what shall go wrong, at which request, and whether the request counts.

A :class:`FaultPlan` stands around a simulator (:meth:`FaultPlan.around`). Each armed fault has a
pattern of requests and a place in their count; those that are due at a request apply in the order
in which they were armed, first all that strike before the application sees the request, then all
that strike after it was carried out. The first one that ends the exchange wins.

Everything here is rule 54 of the UniFi sheet's §19, and as true of CiviCRM. Nothing waits for
time to pass but :class:`Slow`; nothing outlives its server.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias, assert_never

from starlette.types import ASGIApp, Receive, Scope, Send

from door_sync.simulators.exchange import Reply, SeenRequest, hold, replay, take, until_gone
from door_sync.simulators.serving import connection_of


@dataclass(frozen=True)
class Answer:
    """This answer instead of the real one; with ``after`` the request is carried out first."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False


@dataclass(frozen=True)
class Reset:
    """The connection is reset: before the application saw the request, or after it is done."""

    after: bool = False


@dataclass(frozen=True)
class Hang:
    """No answer until the client gives up (nothing more happens then) or a test releases it.

    Without ``after`` a released request is handled as if nothing had happened.
    """

    after: bool = False


@dataclass(frozen=True)
class Truncate:
    """Carried out, but only the first half of the answer arrives.

    ``cut`` tells how: the connection ends before the promised length, or, without it, the length
    matches what arrives and only the document is broken.
    """

    cut: bool = False
    after: ClassVar[bool] = True


@dataclass(frozen=True)
class Rewrite:
    """Carried out, and the answer's JSON document is passed through ``change``."""

    change: Callable[[Any], Any]
    after: ClassVar[bool] = True


@dataclass(frozen=True)
class Slow:
    """Latency, in seconds; the answer itself is the real one."""

    seconds: float
    after: bool = False


@dataclass(frozen=True)
class Hook:
    """Calls ``run`` with the request before or after it is handled; the answer is the real one.

    For tests that kill the client, or change the world between two requests. ``run`` is called in
    a thread of its own and must return.
    """

    run: Callable[[SeenRequest], object]
    after: bool = False


Fault: TypeAlias = Answer | Reset | Hang | Truncate | Rewrite | Slow | Hook


def json_answer(document: Any, *, status: int = 200, after: bool = False) -> Answer:
    """An answer with this document: an error inside a 200, or a success that did nothing."""
    return Answer(status, json.dumps(document).encode(), after=after)


def html_error(
    status: int, *, headers: Mapping[str, str] | None = None, after: bool = False
) -> Answer:
    """The page of a proxy or an overloaded server: an error status with an HTML body."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Answer(status, page.encode(), "text/html; charset=utf-8", headers or {}, after)


def rate_limit(retry_after: str | int | None = None) -> Answer:
    """429, with ``Retry-After`` (seconds, or an HTTP date) if one is given; nothing is done."""
    return html_error(429, headers={} if retry_after is None else {"retry-after": str(retry_after)})


def null_key(*path: str) -> Rewrite:
    """The real answer with the value at `path` (``"data"``, or deeper) turned into null."""

    def change(document: Any) -> Any:
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = None
        return document

    return Rewrite(change)


class Armed:
    """A fault that waits for its requests; tells what has become of it."""

    def __init__(
        self,
        fault: Fault,
        matches: Callable[[SeenRequest], bool],
        first: int,
        times: int | None,
    ) -> None:
        self.fault = fault
        self.matched = 0
        """How many requests matched so far."""
        self.struck = 0
        """How many of them were hit."""
        self._matches = matches
        self._first = first
        self._times = times
        self._reached = threading.Event()
        self._lock = threading.Lock()
        self._released = False
        self._held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def wait(self, timeout: float = 10.0) -> None:
        """Return once a request was hit; raise TimeoutError after `timeout` seconds."""
        if not self._reached.wait(timeout):
            raise TimeoutError(f"no request met {type(self.fault).__name__}")

    def release(self) -> None:
        """Let go of every request that hangs here, and of those that come later."""
        with self._lock:
            self._released = True
            held, self._held = self._held, []
            for loop, free in held:
                loop.call_soon_threadsafe(free.set)

    def is_due(self, request: SeenRequest) -> bool:
        """Count the request if it matches, and say whether the fault strikes it."""
        if not self._matches(request):
            return False
        self.matched += 1
        due = self.matched >= self._first
        if self._times is not None:
            due = due and self.matched < self._first + self._times
        if due:
            self.struck += 1
        return due

    def reach(self) -> None:
        """Wake those who wait for the fault to strike."""
        self._reached.set()

    async def hang(self, receive: Receive) -> bool:
        """Wait; return True when released, False when the client has left."""
        free = asyncio.Event()
        here = (asyncio.get_running_loop(), free)
        with self._lock:
            if self._released:
                self._reached.set()
                return True
            self._held.append(here)
        self._reached.set()
        released = asyncio.ensure_future(free.wait())
        gone = asyncio.ensure_future(until_gone(receive))
        try:
            await asyncio.wait((released, gone), return_when=asyncio.FIRST_COMPLETED)
            return free.is_set()
        finally:
            released.cancel()
            gone.cancel()
            with self._lock:  # a released hang has left the list already
                self._held = [held for held in self._held if held is not here]


class FaultPlan:
    """The faults armed for one simulator. Safe to change while it serves.

    `base` is the part of the path that patterns leave out, such as ``/api/v1/developer``.
    """

    def __init__(self, *, base: str = "") -> None:
        self._base = base
        self._armed: list[Armed] = []
        self._lock = threading.Lock()

    def add(
        self,
        fault: Fault,
        *,
        method: str = "*",
        path: str = "*",
        where: Callable[[SeenRequest], bool] | None = None,
        first: int = 1,
        times: int | None = 1,
    ) -> Armed:
        """Arm `fault` for requests that match, and return it armed.

        `path` is compared by segments: ``:id`` stands for any one, ``*`` at the end for the rest.
        `where` may ask more of a request. Of those that match, it strikes the one numbered
        `first` (from 1) and those after it, `times` in all; None means every one from there on.
        """

        def matches(request: SeenRequest) -> bool:
            return (
                method in ("*", request.method)
                and path_matches(path, request.path.removeprefix(self._base))
                and (where is None or where(request))
            )

        armed = Armed(fault, matches, first, times)
        with self._lock:
            self._armed.append(armed)
        return armed

    def clear(self) -> None:
        """Disarm every fault and let go of every request that hangs."""
        with self._lock:
            armed, self._armed = self._armed, []
        for fault in armed:
            fault.release()

    def due(self, request: SeenRequest) -> list[Armed]:
        """Count `request` and return the faults that strike it, in the order of arming."""
        with self._lock:
            return [armed for armed in self._armed if armed.is_due(request)]

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return `app` with these faults in front of it and behind it."""

        async def troubled(scope: Scope, receive: Receive, send: Send) -> None:
            if not self._armed:
                await app(scope, receive, send)
                return
            request = await take(scope, receive)
            if request is not None:
                await _Exchange(scope, receive, send, request).run(app, self.due(request))

        return troubled


def path_matches(pattern: str, path: str) -> bool:
    """Whether `path` fits `pattern`; see :meth:`FaultPlan.add`."""
    wanted, given = pattern.split("/"), path.split("/")
    if wanted[-1] == "*":
        wanted.pop()
        if len(given) < len(wanted):
            return False
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(
        want == have or (want.startswith(":") and have != "")
        for want, have in zip(wanted, given, strict=True)
    )


class _Exchange:
    """One request on its way through the faults that are due."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, request: SeenRequest) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._request = request
        self._cut = False

    async def run(self, app: ASGIApp, due: list[Armed]) -> None:
        for armed in due:
            match armed.fault:
                case Answer(after=False) as answer:
                    armed.reach()
                    await _reply(answer).send(self._send)
                    return
                case (
                    Reset(after=False)
                    | Hang(after=False)
                    | Slow(after=False)
                    | Hook(after=False) as disturbance
                ):
                    if not await self._disturb(armed, disturbance):
                        return
                case _:
                    pass  # its time comes below
        reply = await hold(app, self._scope, replay(self._request.body, self._receive))
        for armed in due:
            if armed.fault.after:
                changed = await self._strike_after(armed, reply)
                if changed is None:
                    return
                reply = changed
        if self._cut:
            await reply.send_head(self._send)
            half = reply.body[: len(reply.body) // 2]
            await self._send({"type": "http.response.body", "body": half, "more_body": True})
            connection_of(self._scope).cut()
            await until_gone(self._receive)
        else:
            await reply.send(self._send)

    async def _strike_after(self, armed: Armed, reply: Reply) -> Reply | None:
        """Apply a fault that comes last; return the answer to send, or None if there is none."""
        match armed.fault:
            case Answer() as answer:
                armed.reach()
                return _reply(answer)
            case Rewrite(change):
                armed.reach()
                return reply.with_body(json.dumps(change(json.loads(reply.body))).encode())
            case Truncate(cut):
                armed.reach()
                self._cut = self._cut or cut
                return reply if cut else reply.with_body(reply.body[: len(reply.body) // 2])
            case Reset() | Hang() | Slow() | Hook() as disturbance:
                return reply if await self._disturb(armed, disturbance) else None
            case unknown:
                assert_never(unknown)

    async def _disturb(self, armed: Armed, fault: Reset | Hang | Slow | Hook) -> bool:
        """Apply a fault that leaves the answer itself alone; return whether it will be sent."""
        match fault:
            case Hang():
                return await armed.hang(self._receive)
            case Reset():
                armed.reach()
                connection_of(self._scope).reset()
                await until_gone(self._receive)
                return False
            case Slow(seconds):
                armed.reach()
                await asyncio.sleep(seconds)
                return True
            case Hook(run):
                await asyncio.to_thread(run, self._request)
                armed.reach()
                return True
            case unknown:
                assert_never(unknown)


def _reply(answer: Answer) -> Reply:
    headers = {"content-type": answer.content_type, **answer.headers}
    raw = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
    return Reply(answer.status, raw, b"").with_body(answer.body)

"""The requests that reached the site, kept in memory for tests and for the demo's screen.

Unlike anything else here this journal holds keys and parameters as they came; it is written
nowhere and prints neither.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from door_sync.simulators.civicrm.routes import ManyCalls, OneCall, route_of
from door_sync.simulators.civicrm.switches import Switches
from door_sync.simulators.civicrm.web import parse, parsed
from door_sync.simulators.exchange import SeenRequest, replay, take


@dataclass(frozen=True)
class SeenCall:
    """One call of the API inside a request; `params` is None where it was no JSON."""

    entity: str
    action: str
    params: Any = field(default=None, repr=False)


@dataclass
class SeenExchange:
    """A request and the status it was answered with; None if no answer was sent."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    calls: list[SeenCall]
    status: int | None = None

    @property
    def entity(self) -> str | None:
        """The entity of a request with a single call."""
        return self.calls[0].entity if len(self.calls) == 1 else None

    @property
    def action(self) -> str | None:
        """The action of a request with a single call."""
        return self.calls[0].action if len(self.calls) == 1 else None

    @property
    def params(self) -> Any:
        """The parameters of a request with a single call."""
        return self.calls[0].params if len(self.calls) == 1 else None


class RequestJournal:
    """Everything that arrived, in order; also what a fault kept from the site.

    With a `limit` only that many of the latest requests are kept, for a simulator that runs long.
    """

    def __init__(self, *, limit: int | None = None) -> None:
        self._seen: deque[SeenExchange] = deque(maxlen=limit)
        self._lock = threading.Lock()

    def entries(self) -> list[SeenExchange]:
        """Return the requests so far, oldest first."""
        with self._lock:
            return list(self._seen)

    def calls(self, entity: str | None = None, action: str | None = None) -> list[SeenCall]:
        """Return the calls of all requests, or only those of an entity or an action."""
        return [
            call
            for entry in self.entries()
            for call in entry.calls
            if entity in (None, call.entity) and action in (None, call.action)
        ]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._seen.clear()

    def around(self, app: ASGIApp, switches: Callable[[], Switches]) -> ASGIApp:
        """Return `app` with this journal in front of it."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            seen = await take(scope, receive)
            if seen is None:
                return
            entry = _entry(seen, switches())
            with self._lock:
                self._seen.append(entry)

            async def watch(message: Message) -> None:
                if message["type"] == "http.response.start":
                    entry.status = message["status"]
                await send(message)

            await app(scope, replay(seen.body, receive), watch)

        return watched


def _entry(seen: SeenRequest, switches: Switches) -> SeenExchange:
    request = parse(seen)
    route = route_of(request, switches)
    calls = []
    if isinstance(route, OneCall):
        calls.append(SeenCall(route.entity, route.action, parsed(request.value("params"))))
    elif isinstance(route, ManyCalls):
        given = parsed(request.value("calls"))
        parts = list(given.values()) if isinstance(given, dict) else given or []
        full = [part for part in parts if isinstance(part, list) and len(part) > 1]
        calls += [SeenCall(part[0], part[1], part[2] if len(part) > 2 else None) for part in full]
    url = f"{seen.path}?{seen.query}" if seen.query else seen.path
    return SeenExchange(seen.method, url, dict(seen.headers), calls)

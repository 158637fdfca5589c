"""What the listener answers: the trigger, POST /hooks/sync, and the figures, GET /metrics.

Whoever calls learns next to nothing: every call of the trigger that is not in order gets the same
403, whatever is wrong with it. Why, is in the log.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from door_sync.daemon.metrics import ACCEPTED, MERGED, REFUSED, Metrics
from door_sync.daemon.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, Gate, Refusal
from door_sync.ports import Clock
from door_sync.settings import Secret

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.trigger")

TRIGGER_PATH: Final = "/hooks/sync"
METRICS_PATH: Final = "/metrics"
LARGEST_BODY_BYTES: Final = 4096

_EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"
_QUIET_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Offer:
    """What a site wants answered: the trigger with its secret, the figures; neither, either."""

    secret: Secret | None
    metrics: bool


class Hooks:
    """The answers of one site. `ring` asks for a cycle and says whether one was asked for."""

    def __init__(
        self, offer: Offer, ring: Callable[[], bool], metrics: Metrics, clock: Clock
    ) -> None:
        self._ring = ring
        self._metrics = metrics
        self._clock = clock
        self._complaints = Complaints(clock)
        routes = []
        if offer.secret is not None:
            trigger = partial(self._trigger, Gate(offer.secret.reveal()))
            routes.append(Route(TRIGGER_PATH, trigger, methods=["POST"]))
        if offer.metrics:
            routes.append(Route(METRICS_PATH, self._figures, methods=["GET"]))
        self.app = Starlette(routes=routes)
        self.app.router.redirect_slashes = False

    async def _trigger(self, gate: Gate, request: Request) -> Response:
        body = await _body(request)
        refusal = Refusal.TOO_LARGE if body is None else self._refusal(gate, request, body)
        if refusal is not None:
            self._metrics.trigger(REFUSED)
            self._complaints.about(refusal)
            return PlainTextResponse("Forbidden\n", 403)
        is_merged = self._ring()
        self._metrics.trigger(MERGED if is_merged else ACCEPTED)
        log.info("trigger", merged=is_merged)
        return JSONResponse({"accepted": True, "merged": is_merged}, 202)

    def _refusal(self, gate: Gate, request: Request, body: bytes) -> Refusal | None:
        return gate.refusal(
            request.headers.get(TIMESTAMP_HEADER, ""),
            request.headers.get(SIGNATURE_HEADER, ""),
            body,
            self._clock.now().timestamp(),
        )

    async def _figures(self, _request: Request) -> Response:
        return Response(self._metrics.text(), media_type=_EXPOSITION)


class Complaints:
    """Says in the log why calls are refused, once a minute at most: anybody may cause them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said_at: float | None = None
        self._unsaid = 0
        self._lock = threading.Lock()

    def about(self, refusal: Refusal) -> None:
        """Take note of one refused call."""
        with self._lock:
            now = self._clock.monotonic()
            if self._said_at is not None and now - self._said_at < _QUIET_SECONDS:
                self._unsaid += 1
                return
            unsaid, self._unsaid, self._said_at = self._unsaid, 0, now
        log.warning("trigger refused", reason=refusal.value, others_since=unsaid)


async def _body(request: Request) -> bytes | None:
    """Return the body; None if it is too large, or did not come whole."""
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST_BODY_BYTES:
                return None
    except ClientDisconnect:
        return None
    return body

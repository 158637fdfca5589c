"""An application that answers after a set time, as a system far away would.

A request is answered `latency` seconds after it came in, or as soon as the answer is made if that
takes longer. Answers to reads are kept until somebody writes or `forget_answers` is called, so that
a simulator which makes the same long list again and again is not what is measured. What came in is
on record with its times.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from door_sync.simulators.exchange import Reply, SeenRequest, hold, replay, take

_OK = 200


@dataclass
class Answered:
    """One request: `arrived` whole and `answered`, in seconds of one clock. Writes keep no body."""

    method: str
    target: str
    body: str
    is_write: bool
    arrived: float
    answered: float = 0.0


class Punctual:
    """Stands in front of `app`; `is_read` tells what changes nothing."""

    def __init__(
        self, app: ASGIApp, *, latency: float, is_read: Callable[[SeenRequest], bool]
    ) -> None:
        self.record: list[Answered] = []
        self._app = app
        self._latency = latency
        self._is_read = is_read
        self._kept: dict[tuple[str, str, bytes], Reply] = {}
        self._changes = 0

    def forget_answers(self) -> None:
        """Ask the application anew from now on: somebody changed its world."""
        self._changes += 1
        self._kept.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request when it is time."""
        request = await take(scope, receive)
        if request is None:
            return
        is_read = self._is_read(request)
        target = f"{request.path}?{request.query}" if request.query else request.path
        body = request.body.decode() if is_read else ""
        entry = Answered(request.method, target, body, not is_read, time.monotonic())
        self.record.append(entry)
        reply = await self._reply(scope, receive, request, is_read=is_read)
        await asyncio.sleep(max(0.0, entry.arrived + self._latency - time.monotonic()))
        entry.answered = time.monotonic()
        await reply.send(send)

    async def _reply(
        self, scope: Scope, receive: Receive, request: SeenRequest, *, is_read: bool
    ) -> Reply:
        key = (request.method, f"{request.path}?{request.query}", request.body)
        if is_read and key in self._kept:
            return self._kept[key]
        changes = self._changes
        reply = await hold(self._app, scope, replay(request.body, receive))
        if not is_read:
            self.forget_answers()
        elif reply.status == _OK and changes == self._changes:
            self._kept[key] = reply
        return reply

"""A small HTTP server in a thread of its own, for few and short calls (decision 32).

It must never be in the way of the cycles: so many connections at once, so many seconds for each,
one request on each, and nothing of it in the loop's thread. uvicorn speaks the protocol; the loop
around it is ours, because its own takes signals, and ends the process where a port is taken.
"""

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from door_sync.files import explain
from door_sync.ports import DoorSyncError
from door_sync.settings.addresses import Listen

MOST_CONNECTIONS: Final = 32
CONNECTION_SECONDS: Final = 10.0
"""How long a connection may be open, from its first byte to the last of the answer."""

_STEPS_TO_TAKE_ONE: Final = 4
"""Turns of the event loop from a connection that is accepted to one that is known."""

_SILENT: Final = logging.Logger("door_sync.daemon.listener", level=logging.CRITICAL + 1)


class CannotListen(DoorSyncError):
    """The address of daemon.listen cannot be had; cycles go on without trigger and metrics."""


@dataclass(frozen=True)
class _Running:
    thread: Thread
    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event
    port: int


class Listener:
    """Serves one application at one address until it is stopped. Port 0 stands for a free one."""

    def __init__(
        self, app: ASGIApp, address: Listen, *, connection_seconds: float = CONNECTION_SECONDS
    ) -> None:
        self._config = _config(app)
        self._address = address
        self._connection_seconds = connection_seconds
        self._running: _Running | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; 0 while it does not."""
        return self._running.port if self._running else 0

    def start(self) -> None:
        """Begin to listen; raise CannotListen."""
        started: Future[_Running] = Future()
        thread = Thread(
            target=lambda: asyncio.run(self._serve(started, thread)),
            name="door-sync listener",
            daemon=True,
        )
        thread.start()
        try:
            self._running = started.result()
        except OSError as error:
            thread.join()
            raise CannotListen(
                f"cannot listen on {self._address.host} port {self._address.port}: "
                f"{explain(error)[0]}",
                remedy="Choose another port in daemon.listen, or end what has this one.",
            ) from error

    def stop(self) -> None:
        """Break every connection and free the port."""
        running, self._running = self._running, None
        if running is not None:
            running.loop.call_soon_threadsafe(running.stopping.set)
            running.thread.join()

    async def _serve(self, started: "Future[_Running]", thread: Thread) -> None:
        loop = asyncio.get_running_loop()
        stopping, state, config = asyncio.Event(), ServerState(), self._config
        state.default_headers = config.encoded_headers
        try:
            server = await loop.create_server(
                lambda: _Connection(config, state, loop, self._connection_seconds),
                self._address.host,
                self._address.port,
            )
        except OSError as error:
            started.set_exception(error)
            return
        port = server.sockets[0].getsockname()[1]
        started.set_result(_Running(thread, loop, stopping, port))
        await stopping.wait()
        # A closed server would drop connections that are just being taken without ending them.
        for socket in server.sockets:
            loop.remove_reader(socket.fileno())
        for _ in range(_STEPS_TO_TAKE_ONE):
            await asyncio.sleep(0)
        await _broken_off(state)
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def _broken_off(state: ServerState) -> None:
    while state.connections:
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
    await asyncio.sleep(0)  # lets the transports close


class _Connection(H11Protocol):
    """uvicorn's HTTP/1.1 on one connection: silent, for one request, and not for long."""

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
    ) -> None:
        super().__init__(config, state, {}, loop)
        self.logger = _SILENT
        self.access_log = False
        self._seconds = seconds
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection if there is room for it, and set its end."""
        connection = cast("asyncio.Transport", transport)
        super().connection_made(connection)
        if len(self.connections) > MOST_CONNECTIONS:
            connection.abort()
            return
        self._end = self.loop.call_later(self._seconds, connection.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)


def _config(app: ASGIApp) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=H11Protocol,
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        headers=[("Connection", "close"), ("Cache-Control", "no-store")],
        h11_max_incomplete_event_size=16 * 1024,
        timeout_keep_alive=1,
    )
    config.load()
    return config

"""An ASGI application as a real HTTPS (or plain HTTP) server on loopback, in a thread of its own.

uvicorn speaks the protocol; the loop around it is ours, because its own supervisor looks for a
reason to stop only ten times a second, and because a test wants to break a connection on purpose.
The scope of every request carries a :class:`Connection` under :data:`CONNECTION` for that.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Thread, current_thread
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from door_sync.simulators.tls import Certificate, load, server_context

CONNECTION = "door_sync.connection"
"""Key in ``scope["extensions"]`` of the :class:`Connection` a request came by."""

_IDLE_SECONDS = 75  # longer than any pause inside a cycle, so that no kept connection goes stale
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, no waiting


class Connection:
    """The connection a request came by; lets an application break it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def reset(self) -> None:
        """End the connection at once with a TCP reset; what was not sent yet is lost."""
        peer = self._transport.get_extra_info("socket")
        if peer is not None:
            with contextlib.suppress(OSError):  # the client was quicker
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self._transport.abort()

    def cut(self) -> None:
        """Close the connection in good order after what was written so far."""
        self._transport.close()


def connection_of(scope: Scope) -> Connection:
    """Return the connection a request came by; raise LookupError outside a :class:`Server`."""
    connection = scope.get("extensions", {}).get(CONNECTION)
    if not isinstance(connection, Connection):
        raise LookupError("this request did not come through a simulators.serving.Server")
    return connection


@dataclass(frozen=True)
class _Running:
    thread: Thread
    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event


class Server:
    """Serves one application until stopped; may be started again, on the same port.

    A failure inside the application is answered with 500 and raised again by :meth:`stop`, so
    that a defect of a simulator cannot pass for one of its faults.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        certificate: Certificate | None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.host = host
        self.port = port
        self.certificate = certificate
        self.failures: list[Exception] = []
        self.ahead: timedelta | None = timedelta()
        """How far the clock in the header Date is ahead; None leaves the header out."""
        self._app = _dated(app, lambda: self.ahead)
        self._context = server_context(certificate) if certificate else None
        self._running: _Running | None = None

    @property
    def url(self) -> str:
        """The address to send requests to, without a slash at its end."""
        return f"{'https' if self.certificate else 'http'}://{self.host}:{self.port}"

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 of the certificate shown now, ``AB:CD:…``; None without TLS."""
        return self.certificate.fingerprint if self.certificate else None

    def start(self) -> Self:
        """Bind the port and serve; raise OSError if the port is taken."""
        if self._running is not None:
            raise RuntimeError("the server runs already")
        listener = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        started: Future[_Running] = Future()
        Thread(
            target=lambda: asyncio.run(self._serve(listener, started)),
            name=f"simulator:{self.port}",
            daemon=True,
        ).start()
        self._running = started.result()
        return self

    def stop(self) -> None:
        """Break every connection, end every request and free the port; then raise what failed."""
        running, self._running = self._running, None
        if running is not None:
            running.loop.call_soon_threadsafe(running.stopping.set)
            running.thread.join()
        if self.failures:
            failure = self.failures[0]
            self.failures.clear()
            raise RuntimeError("the served application failed") from failure

    def swap_certificate(self, certificate: Certificate) -> None:
        """Show another certificate in every later handshake; open connections go on."""
        if self._context is None:
            raise RuntimeError("a server without TLS has no certificate to swap")
        if self._running is None:
            load(self._context, certificate)
        else:  # in the loop's thread, so that no handshake sees half of the change
            swap = _swap(self._context, certificate)
            asyncio.run_coroutine_threadsafe(swap, self._running.loop).result()
        self.certificate = certificate

    def __enter__(self) -> Self:
        return self if self._running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def _serve(self, listener: socket.socket, started: Future[_Running]) -> None:
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        state = ServerState()
        config = _config(self._app)
        server = await loop.create_server(
            lambda: _HttpConnection(config, state, loop, self._app, self.failures),
            sock=listener,
            ssl=self._context,
            ssl_shutdown_timeout=1.0 if self._context else None,
        )
        started.set_result(_Running(current_thread(), loop, stopping))
        await stopping.wait()
        server.close()
        # Break the connections first: a request cancelled on a live one would still get a 500.
        while state.connections:
            for connection in list(state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}  # requests, and handshakes
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # lets the transports of ended handshakes close


def serve(
    app: ASGIApp, *, certificate: Certificate | None, host: str = "127.0.0.1", port: int = 0
) -> Server:
    """Serve `app` on a free port (or `port`) until the returned server is stopped."""
    return Server(app, certificate=certificate, host=host, port=port).start()


class _HttpConnection(H11Protocol):
    """uvicorn's HTTP/1.1 on one connection: silent, and known to the requests it carries."""

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
        app: ASGIApp,
        failures: list[Exception],
    ) -> None:
        super().__init__(config, state, {}, loop)
        self.logger = _SILENT
        self.access_log = False
        self.app = self._respond
        self._application = app
        self._failures = failures

    # uvicorn and starlette each have types of their own for the three arguments.
    async def _respond(self, scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"] = {CONNECTION: Connection(self.transport)}
        try:
            await self._application(scope, receive, send)
        except Exception as failure:
            self._failures.append(failure)
            raise


def _listen(host: str, port: int) -> socket.socket:
    # asyncio sends small packets at once only on sockets that name TCP, which create_server's do
    # not; without that every answer waits 40 ms for the client's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener


def _dated(app: ASGIApp, ahead: Callable[[], timedelta | None]) -> ASGIApp:
    """Return `app` with the header Date, as every web server in front of an application adds it."""

    async def dated(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            offset = ahead()
            if message["type"] == "http.response.start" and offset is not None:
                date = format_datetime(datetime.now(UTC) + offset, usegmt=True).encode()
                headers = [*message.get("headers", ()), (b"date", date)]
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, sending)

    return dated


async def _swap(context: ssl.SSLContext, certificate: Certificate) -> None:
    load(context, certificate)


def _config(app: ASGIApp) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=H11Protocol,
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        timeout_keep_alive=_IDLE_SECONDS,
    )
    config.load()
    return config


_SILENT = logging.Logger("door_sync.simulators.serving", level=logging.CRITICAL + 1)

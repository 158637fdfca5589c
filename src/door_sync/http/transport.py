"""Sockets with one deadline over a whole try, and a memory of what happened on them.

The HTTP library limits each read by itself, so a server that sends a byte now and then would
hold it for ever. Here every connect, handshake, read and write gets only what is left of the try.
"""

import contextlib
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from door_sync.http.errors import HttpError, Unreachable, UntrustedCertificate
from door_sync.ports import Clock
from door_sync.settings.addresses import HostAddress

_MOST_CONNECTIONS = 32
_IDLE_SECONDS = 5.0
_PIECE_BYTES = 16 * 1024  # one TLS record

_running: ContextVar["Attempt"] = ContextVar("door_sync.http.attempt")


class Attempt:
    """One try of one request: the time it has left, and what was seen on the wire.

    `sent`: a byte of the request was handed to the connection. `peer_closed`: the other side
    ended the connection.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds
        self.sent = False
        self.peer_closed = False

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Make this the try that the sockets used by this thread count against."""
        token = _running.set(self)
        try:
            yield
        finally:
            _running.reset(token)

    def seconds_left(self, overdue: type[httpcore2.TimeoutException]) -> float:
        """Return how long the next operation may take; raise `overdue` if nothing is left."""
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise overdue("the deadline has passed")
        return left


class DeadlineStream(httpcore2.NetworkStream):
    """A connection whose every operation counts against the running try."""

    def __init__(self, inner: httpcore2.NetworkStream, host: str) -> None:
        self._inner = inner
        self._host = host

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 the try's deadline rules
        """Read what has come; b"" when the other side has closed."""
        attempt = _running.get()
        received = self._inner.read(max_bytes, attempt.seconds_left(httpcore2.ReadTimeout))
        attempt.peer_closed = not received
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 the try's deadline rules
        """Write all of it, piece by piece, so that the deadline holds for a slow reader too."""
        attempt = _running.get()
        for start in range(0, len(buffer), _PIECE_BYTES):
            left = attempt.seconds_left(httpcore2.WriteTimeout)
            attempt.sent = True
            self._inner.write(buffer[start : start + _PIECE_BYTES], left)

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 the try's deadline rules
    ) -> httpcore2.NetworkStream:
        """Shake hands; raise WrongCertificate, UntrustedCertificate or Unreachable."""
        attempt = _running.get()
        try:
            left = attempt.seconds_left(httpcore2.ConnectTimeout)
            secured = self._inner.start_tls(ssl_context, server_hostname, left)
        except httpcore2.ConnectTimeout:
            self.close()
            failure: HttpError = Unreachable(
                host=self._host, reason="it did not finish the TLS handshake in time"
            )
        except httpcore2.ConnectError as error:
            failure = why_no_tls(error.__cause__, self._host)
        else:
            attempt.sent = False  # what was written before was a proxy's business
            return DeadlineStream(secured, self._host)
        raise failure

    def get_extra_info(self, info: str) -> Any:
        """Hand the library's question on."""
        return self._inner.get_extra_info(info)


class DeadlineBackend(httpcore2.NetworkBackend):
    """Opens connections that count against the running try.

    Looking up a name is left to the system, whose own limits apply to it. `host` names the far
    end in errors, also where a proxy stands between.
    """

    def __init__(self, host: str) -> None:
        self._inner = httpcore2.SyncBackend()
        self._host = host

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect; `timeout` holds for each address of the name, so that a dead one does not use
        up the try. Raise Unreachable with the reason."""
        left = _running.get().seconds_left(httpcore2.ConnectTimeout)
        patience = left if timeout is None else min(timeout, left)
        try:
            inner = self._inner.connect_tcp(host, port, patience, local_address, socket_options)
        except httpcore2.ConnectTimeout:
            reason = f"no connection within {patience:.0f} seconds"
        except httpcore2.ConnectError as error:
            reason = why_no_connection(error.__cause__)
        else:
            return DeadlineStream(inner, self._host)
        raise Unreachable(host=self._host, reason=reason)


class DeadlineTransport(httpx2.HTTPTransport):
    """The library's transport over sockets of ours.

    HTTPTransport holds nothing but its pool and offers no way to hand in a network backend, so
    it gets the pool made here.
    """

    def __init__(self, address: HostAddress, context: ssl.SSLContext | None, *, proxied: bool):
        host = address.url
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            proxy=environment_proxy(address) if proxied else None,
            max_connections=_MOST_CONNECTIONS,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=DeadlineBackend(host),
        )


def environment_proxy(address: HostAddress) -> httpcore2.Proxy | None:
    """Return the proxy that HTTPS_PROXY, ALL_PROXY and NO_PROXY name for this address, or None.

    Raise Unreachable for a kind of proxy that cannot be used.
    """
    proxies = getproxies()
    text = proxies.get(address.scheme) or proxies.get("all")
    if not text or proxy_bypass(f"{address.host}:{address.port}"):
        return None
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        url = httpcore2.URL(
            scheme={"http": b"http", "https": b"https"}[parts.scheme],
            host=(parts.hostname or "").encode("idna"),
            port=parts.port,
            target=b"/",
        )
    except (ValueError, KeyError):
        url = None
    if url is None or not url.host:
        raise Unreachable(
            host=address.url,
            reason="the environment names a proxy that door-sync cannot use",
            remedy="Set HTTPS_PROXY to http://HOST:PORT, or put the host into NO_PROXY.",
        )
    if not parts.username:
        return httpcore2.Proxy(url)
    user, password = unquote(parts.username), unquote(parts.password or "")
    return httpcore2.Proxy(url, auth=(user.encode(), password.encode()))


def why_no_connection(cause: BaseException | None) -> str:
    """Given why a socket did not connect, return it in words."""
    match cause:
        case socket.gaierror():
            return "its name is not known"
        case ConnectionRefusedError():
            return "nothing listens on that port"
        case OSError(strerror=str(text)):
            return text.lower()
        case _:
            return "the connection failed"


def why_no_tls(cause: BaseException | None, host: str) -> Unreachable | UntrustedCertificate:
    """Given why a handshake failed, return the error that says so."""
    match cause:
        case ssl.SSLCertVerificationError(verify_message=str(reason)):
            return UntrustedCertificate(host=host, reason=reason)
        case ssl.SSLError():
            return Unreachable(
                host=host, reason="what answers there does not speak TLS 1.2 or newer"
            )
        case _:
            return Unreachable(host=host, reason="it broke off the TLS handshake")

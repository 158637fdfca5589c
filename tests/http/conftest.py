"""A server that answers byte for byte as a test says, on real sockets with real TLS."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import stamina
import trustme

from door_sync.http import AuthorityTls, HttpClient, PinnedTls, PlainHttp, fingerprint_of

PATIENCE_SECONDS = 10.0
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class FakeClock:
    """Time that passes only when somebody waits, or a test says so."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class Connection:
    """The server's end of one connection."""

    def __init__(self, plain: socket.socket, number: int) -> None:
        plain.settimeout(PATIENCE_SECONDS)
        self.socket = plain
        self.number = number
        self.received = bytearray()

    def request(self) -> bytes:
        """Read one request with its body; b"" if the client has closed."""
        request = bytearray()
        while b"\r\n\r\n" not in request:
            if not (piece := self._receive()):
                return bytes(request)
            request += piece
        head, _, body = bytes(request).partition(b"\r\n\r\n")
        wanted = next(
            (
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ),
            0,
        )
        while len(body) < wanted and (piece := self._receive()):
            body += piece
        return head + b"\r\n\r\n" + body

    def send(self, *pieces: bytes) -> None:
        """Send; a client that has gone away is no failure of the server."""
        with suppress(OSError):
            for piece in pieces:
                self.socket.sendall(piece)

    def reset(self) -> None:
        """End the connection rudely."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def _receive(self) -> bytes:
        try:
            piece = self.socket.recv(65536)
        except OSError:
            piece = b""
        self.received += piece
        return piece


Script = Callable[[Connection], None]


class RawServer:
    """Accepts connections on loopback and runs the script on each, in a thread of its own.

    `context` may be exchanged while it runs. A connection whose handshake failed has received
    nothing.
    """

    def __init__(self, script: Script, context: ssl.SSLContext | None) -> None:
        self.script = script
        self.context = context
        self.connections: list[Connection] = []
        self.failures: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._last_peer: object = None
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://{self.host}"

    @property
    def received(self) -> list[bytes]:
        """Stop, and return what came in on each connection ever made to this server."""
        self._stop()
        return [bytes(connection.received) for connection in self.connections]

    def close(self) -> None:
        self._stop()
        assert not self.failures

    def _stop(self) -> None:
        if self._accepting.is_alive():
            # Connections are accepted in the order they were made in, so this is the last one.
            with socket.socket() as last:
                last.bind(("127.0.0.1", 0))
                self._last_peer = last.getsockname()
                last.connect(("127.0.0.1", self.port))
                self._accepting.join(PATIENCE_SECONDS)
            self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), "the script of a connection did not end"

    def _accept(self) -> None:
        while True:
            plain, peer = self._listener.accept()
            if peer == self._last_peer:
                plain.close()
                return
            connection = Connection(plain, len(self.connections) + 1)
            self.connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            if self.context is not None:
                try:
                    connection.socket = self.context.wrap_socket(
                        connection.socket, server_side=True
                    )
                except OSError:
                    return
            self.script(connection)
        except BaseException as failure:  # noqa: BLE001 shown when the server is closed
            self.failures.append(failure)
        finally:
            connection.socket.close()


def answering(*replies: bytes, then: bytes = OK) -> Script:
    """A script that gives these replies, one to each request in turn, whatever the connection."""
    waiting = list(replies)
    lock = threading.Lock()

    def script(connection: Connection) -> None:
        while connection.request():
            with lock:
                reply = waiting.pop(0) if waiting else then
            connection.send(reply)

    return script


def reply_with(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=99, cap=True):
        yield


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    """Start servers; all are closed, and their scripts' failures shown, when the test ends."""
    servers: list[RawServer] = []

    def start(script: Script, context: ssl.SSLContext | None = None) -> RawServer:
        servers.append(RawServer(script, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client_for(clock: FakeClock) -> Iterator[Callable[..., HttpClient]]:
    """Make clients; all are closed before the servers are."""
    clients: list[HttpClient] = []

    def make(
        url: str,
        tls: PinnedTls | AuthorityTls | PlainHttp | None = None,
        *,
        headers: dict[str, str] | None = None,
        timeout_seconds: float = PATIENCE_SECONDS,
        attempts: int = 3,
        max_body_bytes: int = 2**20,
        write_interval_seconds: float = 0.0,
        trust_environment_proxies: bool = False,
        after_try: Callable[[], None] = lambda: None,
    ) -> HttpClient:
        clients.append(
            HttpClient(
                url,
                headers=headers or {},
                tls=tls or PlainHttp(),
                timeout_seconds=timeout_seconds,
                clock=clock,
                attempts=attempts,
                max_body_bytes=max_body_bytes,
                write_interval_seconds=write_interval_seconds,
                trust_environment_proxies=trust_environment_proxies,
                after_try=after_try,
            )
        )
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@dataclass
class Identity:
    """A certificate with its key, as a server uses it."""

    context: ssl.SSLContext
    fingerprint: str


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def identities(authority: trustme.CA) -> tuple[Identity, Identity]:
    """Two certificates for this machine, of the same authority."""
    made = []
    for _ in range(2):
        issued = authority.issue_cert("127.0.0.1", "localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
        made.append(Identity(context, fingerprint_of(der)))
    return made[0], made[1]

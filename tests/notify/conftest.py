"""A mail server and a web server on loopback, with TLS by an authority made for the tests."""

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import stamina
import trustme

PATIENCE_SECONDS = 10.0


@dataclass
class Behaviour:
    """How a server behaves: what it answers to which word, and whether it goes silent."""

    replies: dict[str, str] = field(default_factory=dict)
    offers: tuple[str, ...] = ("STARTTLS", "AUTH PLAIN LOGIN")
    is_silent: bool = False
    hangs_up_at: str = ""


class Server:
    """Accepts connections on loopback, each in a thread of its own, until it is closed."""

    def __init__(self, context: ssl.SSLContext, *, tls_from_the_start: bool) -> None:
        self.context = context
        self.tls_from_the_start = tls_from_the_start
        self.released = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def close(self) -> None:
        """Stop, and wait for every connection to end; once more is nothing."""
        if self.released.is_set():
            return
        self.released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(PATIENCE_SECONDS)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(plain,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(PATIENCE_SECONDS)
        with ExitStack() as opened, suppress(OSError):
            connection = opened.enter_context(plain)
            if self.tls_from_the_start:
                connection = opened.enter_context(self.secured(plain))
            self.talk(connection, opened)

    def secured(self, plain: socket.socket) -> ssl.SSLSocket:
        """Shake hands."""
        return self.context.wrap_socket(plain, server_side=True)

    def talk(self, connection: socket.socket, opened: ExitStack) -> None:
        """Serve one connection; what it opens is closed by `opened`."""
        raise NotImplementedError


class MailServer(Server):
    """Speaks as much SMTP as a client of ours needs.

    `mails` are what it took: (envelope recipients, text as it was sent). `heard` are all commands,
    each with whether it came over TLS.
    """

    def __init__(
        self, context: ssl.SSLContext, *, tls_from_the_start: bool, behaviour: Behaviour
    ) -> None:
        self.mails: list[tuple[tuple[str, ...], str]] = []
        self.heard: list[tuple[str, bool]] = []
        self.behaviour = behaviour
        super().__init__(context, tls_from_the_start=tls_from_the_start)

    def talk(self, connection: socket.socket, opened: ExitStack) -> None:
        if self.behaviour.is_silent:
            self.released.wait(PATIENCE_SECONDS)
            return
        recipients: list[str] = []
        file = opened.enter_context(connection.makefile("rb"))
        self._say(connection, self.behaviour.replies.get("CONNECT", "220 mail.example.org ready"))
        while line := file.readline():
            text = line.decode(errors="replace").rstrip("\r\n")  # a TLS client may call, too
            word = text.split(" ")[0].split(":")[0].upper()
            self.heard.append((text, isinstance(connection, ssl.SSLSocket)))
            if word == self.behaviour.hangs_up_at:
                return
            if word == "DATA":
                self._say(connection, "354 go on")
                content = b"".join(iter(file.readline, b".\r\n")).decode()
                self.mails.append((tuple(recipients), content))
            reply = self._reply(word, text)
            if word == "RCPT" and reply.startswith("250"):
                recipients.append(text)
            self._say(connection, reply)
            if word == "QUIT":
                return
            if word == "STARTTLS" and reply.startswith("220"):
                connection = opened.enter_context(self.secured(connection))
                file = opened.enter_context(connection.makefile("rb"))

    def _reply(self, word: str, text: str) -> str:
        for key, reply in self.behaviour.replies.items():
            if key == word or (" " in key and text.lower().startswith(key.lower())):
                return reply
        if word == "EHLO":
            lines = ["mail.example.org", *self.behaviour.offers]
            return "\r\n".join([*(f"250-{one}" for one in lines[:-1]), f"250 {lines[-1]}"])
        return {"AUTH": "235 welcome", "STARTTLS": "220 go on", "QUIT": "221 bye"}.get(
            word, "250 fine"
        )

    @staticmethod
    def _say(connection: socket.socket, text: str) -> None:
        connection.sendall(text.encode() + b"\r\n")


class WebServer(Server):
    """Answers each request with `status`, and keeps what came."""

    def __init__(self, context: ssl.SSLContext, *, tls_from_the_start: bool = True) -> None:
        self.requests: list[tuple[str, str]] = []
        self.statuses: list[int] = []
        self.is_silent = False
        super().__init__(context, tls_from_the_start=tls_from_the_start)

    def talk(self, connection: socket.socket, opened: ExitStack) -> None:
        if self.is_silent:
            self.released.wait(PATIENCE_SECONDS)
            return
        received = b""
        while b"\r\n\r\n" not in received:
            if not (piece := connection.recv(65536)):
                return
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ]
        length = sum(lengths)  # a question has no body
        while len(body) < length:
            body += connection.recv(65536)
        self.requests.append((head.decode(), body.decode()))
        status = self.statuses.pop(0) if self.statuses else 200
        reply = b'{"message": "told of board@example.org"}'
        connection.sendall(
            f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(reply)}\r\nConnection: close\r\n\r\n".encode()
            + reply
        )


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=99, cap=True):
        yield


@pytest.fixture(autouse=True)
def _levels_as_before() -> Iterator[None]:
    """Take back that a channel silenced the libraries it uses."""
    loggers = [logging.getLogger(name) for name in ("apprise", "urllib3", "requests")]
    before = [one.level for one in loggers]
    yield
    for one, level in zip(loggers, before, strict=True):
        one.setLevel(level)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine trust the authority."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(file))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def mail_server(server_context: ssl.SSLContext) -> Iterator[Callable[..., MailServer]]:
    """Start mail servers; all are closed when the test ends."""
    servers: list[MailServer] = []

    def start(behaviour: Behaviour | None = None, *, tls: bool = False) -> MailServer:
        servers.append(
            MailServer(server_context, tls_from_the_start=tls, behaviour=behaviour or Behaviour())
        )
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def web_server(server_context: ssl.SSLContext) -> Iterator[WebServer]:
    server = WebServer(server_context)
    yield server
    server.close()

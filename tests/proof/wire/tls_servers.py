"""Servers that are in the wrong place, or change into one, and note every byte they are told."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.http.conftest import PATIENCE_SECONDS


@dataclass
class Recording:
    """What came in on each connection before TLS, byte for byte."""

    raw: list[bytearray] = field(default_factory=list)

    @property
    def application_records(self) -> int:
        """How many TLS records of application data came in (type 23), in all connections.

        In TLS 1.3 the end of a client's handshake travels as such a record, too, so that a client
        which stops right at its end may have sent two: Finished and its farewell.
        """
        return sum(1 for raw in self.raw for kind in _kinds(bytes(raw)) if kind == _APPLICATION)

    @property
    def speaks_http(self) -> bool:
        """Whether anything came in that is HTTP in the clear."""
        return any(b"HTTP/" in raw or b"Bearer" in raw for raw in self.raw)


_APPLICATION = 23


def _kinds(raw: bytes) -> Iterator[int]:
    at = 0
    while at + 5 <= len(raw):
        yield raw[at]
        at += 5 + int.from_bytes(raw[at + 3 : at + 5])


@contextmanager
def tunnel(port: int) -> Iterator[tuple[int, Recording]]:
    """Stand between a client and a port of this machine: pass all on, and note what the client
    says. Yield the port to go to."""
    recording = Recording()
    threads: list[threading.Thread] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
            near.settimeout(PATIENCE_SECONDS)
            said = bytearray()
            recording.raw.append(said)
            for source, sink, note in ((near, far, said), (far, near, None)):
                thread = threading.Thread(target=_pass_on, args=(source, sink, note))
                threads.append(thread)
                thread.start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1], recording
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(PATIENCE_SECONDS)
        for thread in threads:
            thread.join(PATIENCE_SECONDS)


def _pass_on(source: socket.socket, sink: socket.socket, note: bytearray | None) -> None:
    with source:
        while True:
            try:
                piece = source.recv(65536)
                if note is not None:
                    note += piece
                if not piece:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(piece)
            except OSError:
                return


def old_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a server speak TLS 1.0 and 1.1 alone."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options &= ~ssl.OP_NO_TLSv1 & ~ssl.OP_NO_TLSv1_1
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def asked_once(port: int, request: bytes) -> bytes:
    """Put a request to a TLS server on this machine, on a connection for it alone; return what it
    answered."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    closing = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    reply = bytearray()
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain) as secured,
    ):
        secured.sendall(closing)
        while piece := secured.recv(65536):
            reply += piece
    return bytes(reply)

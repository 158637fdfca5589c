"""A certificate is looked at before anybody is trusted, and nothing is said meanwhile (P11)."""

import socket
import ssl
from collections.abc import Callable

import pytest

from door_sync.http import Unreachable, shown_fingerprint
from tests.http.conftest import Connection, Identity, RawServer

Serve = Callable[..., RawServer]


def silent(connection: Connection) -> None:
    """Wait for a request that must not come."""
    connection.request()


def look(server: RawServer, seconds: float = 10) -> str:
    return shown_fingerprint(f"https://{server.host}", timeout_seconds=seconds)


def test_the_fingerprint_is_that_of_the_certificate_shown(
    serve: Serve, identities: tuple[Identity, Identity]
) -> None:
    first, second = identities
    server = serve(silent, first.context)
    assert look(server) == first.fingerprint
    server.context = second.context
    assert look(server) == second.fingerprint


def test_not_one_byte_is_sent_inside_the_connection(
    serve: Serve, identities: tuple[Identity, Identity]
) -> None:
    server = serve(silent, identities[0].context)
    look(server)
    assert server.received == [b""]


def test_who_does_not_speak_tls_is_told_apart(serve: Serve) -> None:
    server = serve(lambda connection: connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(Unreachable, match="does not speak TLS"):
        look(server)


def test_who_breaks_off_the_handshake_is_told_apart(serve: Serve) -> None:
    def hangs_up(connection: Connection) -> None:
        connection.socket.recv(1)
        connection.reset()

    server = serve(hangs_up)
    with pytest.raises(Unreachable, match="broke off the TLS handshake"):
        look(server)


def test_who_never_answers_the_handshake_is_not_waited_for(serve: Serve) -> None:
    server = serve(silent)
    with pytest.raises(Unreachable, match="handshake in time"):
        look(server, seconds=0.2)


def test_a_port_where_nobody_listens_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} cannot be reached: nothing listens"):
        shown_fingerprint(f"https://127.0.0.1:{port}", timeout_seconds=5)


def test_a_host_that_does_not_take_the_connection_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def waits(*_: object) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", waits)
    with pytest.raises(Unreachable, match="no connection within 5 seconds"):
        shown_fingerprint("https://192.0.2.10:12445", timeout_seconds=5)


def test_old_tls_is_not_spoken_even_to_look(
    serve: Serve, authority: "object", identities: tuple[Identity, Identity]
) -> None:
    """As every later connection: what is shown now must be reachable then."""
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        identities[0].context.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        server = serve(silent, identities[0].context)
        with pytest.raises(Unreachable):
            look(server)
    finally:
        identities[0].context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED

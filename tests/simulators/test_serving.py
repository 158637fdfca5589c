import asyncio
import gc
import hashlib
import socket
import ssl
import threading
import time
import warnings
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from door_sync.simulators.serving import Server, connection_of, serve
from door_sync.simulators.tls import self_signed


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(b"hello " + body)(scope, receive, send)


def fingerprint_in_a_handshake(server: Server, trusting: ssl.SSLContext) -> str:
    with (
        socket.create_connection((server.host, server.port)) as raw,
        trusting.wrap_socket(raw) as secure,
    ):
        leaf = secure.getpeercert(binary_form=True)
    assert leaf is not None
    return hashlib.sha256(leaf).digest().hex(":").upper()


def test_it_serves_https_on_a_free_port_and_shows_its_certificate(
    client: httpx2.Client, trusting: ssl.SSLContext
) -> None:
    """Rule 1 of the UniFi sheet's §19."""
    with serve(hello, certificate=self_signed("unifi.local")) as server:
        assert server.url == f"https://127.0.0.1:{server.port}"
        assert client.post(server.url + "/any", content=b"you").text == "hello you"
        assert fingerprint_in_a_handshake(server, trusting) == server.fingerprint


def test_it_serves_plain_http_without_a_certificate(client: httpx2.Client) -> None:
    with serve(hello, certificate=None) as server:
        assert server.fingerprint is None
        assert server.url.startswith("http://127.0.0.1:")
        assert client.get(server.url).text == "hello "


def test_a_client_that_trusts_the_certificate_can_verify_it_strictly(tmp_path: Path) -> None:
    certificate = self_signed("localhost", san=["localhost", "127.0.0.1"])
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(certificate.pem_cert)
    context = ssl.create_default_context(cafile=bundle)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        serve(hello, certificate=certificate) as server,
        httpx2.Client(verify=context, trust_env=False) as client,
    ):
        assert client.get(server.url).status_code == 200
        assert client.get(f"https://localhost:{server.port}").status_code == 200


def test_a_host_name_check_cannot_pass_without_an_alternative_name(tmp_path: Path) -> None:
    """§1.2 of the UniFi sheet: even with the certificate trusted."""
    certificate = self_signed("unifi.local")
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(certificate.pem_cert)
    context = ssl.create_default_context(cafile=bundle)
    with (
        serve(hello, certificate=certificate) as server,
        httpx2.Client(verify=context, trust_env=False) as client,
        pytest.raises(httpx2.ConnectError, match=r"CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(server.url)


def test_a_swapped_certificate_shows_in_the_next_handshake(
    client: httpx2.Client, trusting: ssl.SSLContext
) -> None:
    """Rule 1 of the UniFi sheet's §19: the fingerprint changes at run time."""
    first, second, third = (self_signed("unifi.local") for _ in range(3))
    server = Server(hello, certificate=first)
    server.swap_certificate(second)
    with server:
        assert fingerprint_in_a_handshake(server, trusting) == second.fingerprint
        client.get(server.url)
        server.swap_certificate(third)
        assert server.fingerprint == third.fingerprint
        assert fingerprint_in_a_handshake(server, trusting) == third.fingerprint
        assert client.get(server.url).status_code == 200  # on the connection opened before


def test_a_swap_shows_even_to_a_client_that_offers_its_old_session(
    trusting: ssl.SSLContext,
) -> None:
    with serve(hello, certificate=self_signed("unifi.local")) as server:
        address = (server.host, server.port)
        with (
            socket.create_connection(address) as raw,
            trusting.wrap_socket(raw) as secure,
        ):
            secure.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            secure.recv(4096)
            session = secure.session
        server.swap_certificate(self_signed("unifi.local"))
        with (
            socket.create_connection(address) as raw,
            trusting.wrap_socket(raw, session=session) as secure,
        ):
            leaf = secure.getpeercert(binary_form=True)
            assert not secure.session_reused
        assert leaf is not None
        assert hashlib.sha256(leaf).digest().hex(":").upper() == server.fingerprint


def test_a_server_without_tls_has_no_certificate_to_swap() -> None:
    with pytest.raises(RuntimeError, match="without TLS"):
        Server(hello, certificate=None).swap_certificate(self_signed("unifi.local"))


def test_stopped_it_refuses_connections_and_started_again_it_has_its_old_port(
    client: httpx2.Client,
) -> None:
    server = serve(hello, certificate=self_signed("unifi.local"))
    url = server.url
    client.get(url)
    server.stop()
    with pytest.raises(httpx2.ConnectError):
        client.get(url)
    with server:
        assert server.url == url
        assert client.get(url).status_code == 200
    server.stop()  # a second time does no harm


def test_it_runs_once_at_a_time_and_says_so_when_a_port_is_taken() -> None:
    with serve(hello, certificate=None) as server:
        with pytest.raises(RuntimeError, match="runs already"):
            server.start()
        with pytest.raises(OSError, match="in use"):
            serve(hello, certificate=None, port=server.port)


def test_a_request_in_flight_ends_with_the_server_at_once(client: httpx2.Client) -> None:
    """And what the client sees is a broken connection, not an answer that nobody gave."""
    arrived = threading.Event()

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        arrived.set()
        await asyncio.Event().wait()

    server = serve(never, certificate=self_signed("unifi.local"))
    seen: list[BaseException] = []

    def ask() -> None:
        with pytest.raises(httpx2.HTTPError) as caught:
            client.get(server.url)
        seen.append(caught.value)

    asking = threading.Thread(target=ask)
    asking.start()
    assert arrived.wait(10)
    began = time.monotonic()
    server.stop()
    asking.join()
    assert time.monotonic() - began < 5
    assert isinstance(seen[0], httpx2.NetworkError | httpx2.RemoteProtocolError)


@pytest.mark.parametrize("secure", [True, False])
def test_nothing_is_left_behind_by_connections_in_any_state(
    secure: bool, trusting: ssl.SSLContext
) -> None:
    """Silent ones, half-made handshakes, idle ones: stopping closes them without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        certificate = self_signed("unifi.local") if secure else None
        server = serve(hello, certificate=certificate)
        address = (server.host, server.port)
        idle = httpx2.Client(verify=trusting, trust_env=False)
        with socket.create_connection(address), socket.create_connection(address) as garbled, idle:
            garbled.sendall(b"\x16\x03\x01\x00\xff")
            idle.get(server.url)
            server.stop()
        gc.collect()


def test_a_malformed_request_is_refused_and_nothing_is_printed(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with serve(hello, certificate=None) as server:
        with socket.create_connection((server.host, server.port)) as raw:
            raw.sendall(b"nonsense\r\n\r\n")
            assert raw.recv(4096).startswith(b"HTTP/1.1 400")
        with httpx2.Client(trust_env=False) as client:
            client.get(server.url)
    assert capfd.readouterr() == ("", "")
    assert "uvicorn" not in {record.name.partition(".")[0] for record in caplog.records}


def test_a_failure_inside_the_application_comes_out_when_the_server_stops(
    client: httpx2.Client,
) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    server = serve(broken, certificate=None)
    assert client.get(server.url).status_code == 500
    with pytest.raises(RuntimeError, match="application failed") as caught:
        server.stop()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    server.stop()  # said once


@pytest.mark.parametrize("secure", [True, False])
def test_an_application_can_reset_the_connection_it_was_asked_on(
    secure: bool, client: httpx2.Client
) -> None:
    """Python's TLS sockets report the reset as the end of the stream; plain ones by its name."""

    async def reset(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        connection_of(scope).reset()
        while (await receive())["type"] != "http.disconnect":
            pass

    certificate = self_signed("unifi.local") if secure else None
    error = httpx2.RemoteProtocolError if secure else httpx2.ReadError
    says = "without sending a response" if secure else "reset by peer"
    with serve(reset, certificate=certificate) as server, pytest.raises(error, match=says):
        client.get(server.url)


def test_an_application_can_cut_the_connection_in_the_middle_of_its_answer(
    client: httpx2.Client,
) -> None:
    async def cut(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        headers = [(b"content-length", b"10")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half ", "more_body": True})
        connection_of(scope).cut()
        while (await receive())["type"] != "http.disconnect":
            pass

    with (
        serve(cut, certificate=self_signed("unifi.local")) as server,
        pytest.raises(httpx2.RemoteProtocolError, match="without sending complete"),
    ):
        client.get(server.url)


def test_outside_a_server_there_is_no_connection() -> None:
    with pytest.raises(LookupError):
        connection_of({"type": "http"})


def test_every_answer_carries_the_date_and_a_clock_may_be_wrong_or_silent(
    client: httpx2.Client,
) -> None:
    with serve(hello, certificate=None) as server:

        def ahead() -> float:
            told = parsedate_to_datetime(client.get(server.url).headers["date"])
            return (told - datetime.now(UTC)).total_seconds()

        assert abs(ahead()) < 60
        server.ahead = timedelta(hours=5)
        assert abs(ahead() - 5 * 3600) < 60
        server.ahead = None
        assert "date" not in client.get(server.url).headers

"""The listener over real sockets: who may call, what strangers learn, and what they cannot do."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from door_sync.app.clock import SystemClock
from door_sync.daemon.hooks import LARGEST_BODY_BYTES, Complaints, Hooks, Offer
from door_sync.daemon.listener import MOST_CONNECTIONS, CannotListen, Listener
from door_sync.daemon.metrics import Metrics
from door_sync.daemon.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, Refusal
from door_sync.daemon.wishes import Doorbell
from door_sync.settings import Secret
from door_sync.settings.addresses import Listen
from tests.daemon.harness import HandClock
from tests.daemon.test_signature import SECRET, sign

PATIENCE = 10
FORBIDDEN = (403, b"Forbidden\n")


class Place:
    """A listener on a free port, and a caller."""

    def __init__(
        self, *, secret: bool = True, metrics: bool = True, connection_seconds: float = 10.0
    ) -> None:
        clock = SystemClock()
        self.woken: list[int] = []
        self.bell = Doorbell(lambda: self.woken.append(1))
        self.metrics = Metrics(clock)
        offer = Offer(Secret(SECRET) if secret else None, metrics)
        self.hooks = Hooks(offer, self.bell.ring, self.metrics, clock)
        self.listener = Listener(
            self.hooks.app, Listen("127.0.0.1", 0), connection_seconds=connection_seconds
        )
        self.listener.start()
        self.address = ("127.0.0.1", self.listener.port)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def call(self, body: bytes = b"1", *, signed: bytes | None = None) -> tuple[int, bytes]:
        stamp = str(int(time.time()))
        signature = sign(stamp, body if signed is None else signed)
        headers = {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: signature}
        return self.ask("POST", "/hooks/sync", body, headers)

    def raw(self, *pieces: bytes) -> bytes:
        """Send bytes, and read until the other side closes."""
        with socket.create_connection(self.address, timeout=PATIENCE) as stream:
            for piece in pieces:
                stream.sendall(piece)
            received = b""
            while True:
                try:
                    piece = stream.recv(4096)
                except ConnectionResetError:
                    return received
                if not piece:
                    return received
                received += piece


@pytest.fixture
def place() -> Iterator[Place]:
    one = Place()
    yield one
    one.listener.stop()


def test_a_signed_call_asks_for_a_cycle_and_says_whether_one_was_asked_for(place: Place) -> None:
    status, first = place.call(b"1")
    assert (status, json.loads(first)) == (202, {"accepted": True, "merged": False})
    status, second = place.call(b"2")
    assert (status, json.loads(second)) == (202, {"accepted": True, "merged": True})
    assert len(place.woken) == 1
    place.bell.answer()
    assert json.loads(place.call(b"3")[1])["merged"] is False
    figures = place.metrics.text()
    assert b'door_sync_trigger_calls_total{outcome="accepted"} 2.0' in figures
    assert b'door_sync_trigger_calls_total{outcome="merged"} 1.0' in figures


def test_whatever_is_wrong_with_a_call_the_answer_is_the_same_and_nothing_happens(
    place: Place,
) -> None:
    stamp, old = str(int(time.time())), str(int(time.time()) - 1000)
    large = b"x" * (LARGEST_BODY_BYTES + 1)
    path = "/hooks/sync"
    answers = [
        place.ask("POST", path),
        place.ask("POST", path, b"1", {TIMESTAMP_HEADER: stamp}),
        place.ask("POST", path, b"1", {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: "é"}),
        place.ask("POST", path, b"1", {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: "0" * 64}),
        place.ask("POST", path, b"1", {TIMESTAMP_HEADER: old, SIGNATURE_HEADER: sign(old, b"1")}),
        place.ask("POST", path, b"1", {TIMESTAMP_HEADER: "é", SIGNATURE_HEADER: "0" * 64}),
        place.call(b"1", signed=b"2"),
        place.call(large),
    ]
    assert answers == [FORBIDDEN] * len(answers)
    assert place.woken == []
    count = f'door_sync_trigger_calls_total{{outcome="refused"}} {float(len(answers))}'
    assert count in place.metrics.text().decode()


def test_a_call_that_comes_twice_is_refused_the_second_time(place: Place) -> None:
    stamp = str(int(time.time()))
    headers = {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: sign(stamp, b"1")}
    answers = [place.ask("POST", "/hooks/sync", b"1", headers) for _ in range(2)]
    assert [status for status, _ in answers] == [202, 403]
    assert answers[1] == FORBIDDEN


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/hooks/sync", 405),
        ("DELETE", "/hooks/sync", 405),
        ("POST", "/metrics", 405),
        ("POST", "/hooks/sync/", 404),
        ("GET", "/", 404),
        ("GET", "/../etc/passwd", 404),
    ],
)
def test_there_is_nothing_else(place: Place, method: str, path: str, status: int) -> None:
    assert place.ask(method, path)[0] == status
    assert place.woken == []


def test_the_figures_are_given_in_prometheus_format(place: Place) -> None:
    connection = http.client.HTTPConnection(*place.address, timeout=PATIENCE)
    connection.request("GET", "/metrics")
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert reply.headers["Connection"] == "close"
    assert reply.headers["Server"] is None
    assert b"door_sync_build_info{version=" in text


@pytest.mark.parametrize(("secret", "metrics"), [(True, False), (False, True)])
def test_what_the_site_does_not_want_is_not_there(secret: bool, metrics: bool) -> None:
    place = Place(secret=secret, metrics=metrics)
    try:
        assert place.ask("POST", "/hooks/sync")[0] == (403 if secret else 404)
        assert place.ask("GET", "/metrics")[0] == (200 if metrics else 404)
    finally:
        place.listener.stop()


def test_whoever_sends_slowly_is_cut_off_and_nobody_else_notices() -> None:
    place = Place(connection_seconds=0.3)
    try:
        with socket.create_connection(place.address, timeout=PATIENCE) as slow:
            slow.sendall(b"POST /hooks/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
            assert place.call(b"meanwhile")[0] == 202
            assert _read(slow) == b"", "no answer, and the end"
        assert place.raw(b"POST /hooks/sync HT") == b"", "half a head"
        assert place.call(b"afterwards")[0] == 202
    finally:
        place.listener.stop()


def test_a_head_without_end_is_cut_off(place: Place) -> None:
    received = place.raw(b"GET / HTTP/1.1\r\n", *[b"X: " + b"x" * 8000 + b"\r\n"] * 4)
    assert received == b"" or received.startswith(b"HTTP/1.1 400")
    assert place.call()[0] == 202


def test_what_is_no_http_gets_no_attention(place: Place) -> None:
    assert place.raw(b"\x16\x03\x01\x02\x00\x01\x00").startswith(b"HTTP/1.1 400")
    assert place.call()[0] == 202


def test_so_many_connections_and_no_more() -> None:
    place = Place(connection_seconds=1.0)
    streams = [
        socket.create_connection(place.address, timeout=PATIENCE) for _ in range(MOST_CONNECTIONS)
    ]
    try:
        for stream in streams:
            stream.sendall(b"GET / HT")
        begun = time.monotonic()
        with socket.create_connection(place.address, timeout=PATIENCE) as one_more:
            assert _read(one_more) == b"", "turned away"
        assert time.monotonic() - begun < 0.9, "at once, before the others' time is over"
        for stream in streams:
            assert _read(stream) == b"", "each is cut off in its time"
        assert place.call()[0] == 202
    finally:
        for stream in streams:
            stream.close()
        place.listener.stop()


def _read(stream: socket.socket) -> bytes:
    try:
        return stream.recv(100)
    except ConnectionResetError:
        return b""


def test_a_storm_of_calls_from_many_threads_is_one_wish(place: Place) -> None:
    answers: list[int] = []

    def calls(number: int) -> None:
        answers.extend(place.call(b"%d %d" % (number, one))[0] for one in range(5))

    threads = [threading.Thread(target=calls, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [202] * 25
    assert len(place.woken) == 1


def test_a_port_that_is_taken_is_an_error_with_a_remedy(place: Place) -> None:
    other = Listener(place.hooks.app, Listen(*place.address))
    with pytest.raises(CannotListen) as caught:
        other.start()
    assert f"port {place.listener.port}" in caught.value.message
    assert "daemon.listen" in caught.value.remedy
    assert other.port == 0
    other.stop()


def test_stopping_breaks_what_is_open_and_frees_the_port(place: Place) -> None:
    with socket.create_connection(place.address, timeout=PATIENCE) as stream:
        stream.sendall(b"POST /hooks/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
        place.listener.stop()
        assert _read(stream) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place.address, timeout=PATIENCE)


def test_why_a_call_is_refused_is_in_the_log_once_a_minute_and_names_nothing() -> None:
    clock = HandClock()
    complaints = Complaints(clock)
    with capture_logs() as logged:
        for _ in range(50):
            complaints.about(Refusal.FORGED)
        clock.pass_by(60)
        complaints.about(Refusal.STALE)
    assert [(e["reason"], e["others_since"]) for e in logged] == [
        (Refusal.FORGED.value, 0),
        (Refusal.STALE.value, 49),
    ]

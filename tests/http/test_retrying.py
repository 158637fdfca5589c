"""What is sent again and what is not (UniFi sheet §3.6)."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import stamina

from door_sync.http import (
    ConnectionLost,
    Counters,
    HttpClient,
    Reply,
    Request,
    RetryClass,
    Unreachable,
)
from door_sync.http.retrying import LONGEST_WAIT_SECONDS, Unsettled, judge, retry_after_seconds
from tests.http.conftest import (
    OK,
    Connection,
    FakeClock,
    RawServer,
    answering,
    reply_with,
)

Serve = Callable[..., RawServer]
ClientFor = Callable[..., HttpClient]

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
BUSY = reply_with(429, body=b"busy")
BROKEN = reply_with(503, body=b"broken")
TRIES = {
    RetryClass.READ: {"busy": 3, "broken": 3, "lost": 3},
    RetryClass.IDEMPOTENT_WRITE: {"busy": 3, "broken": 3, "lost": 3},
    RetryClass.ONCE: {"busy": 3, "broken": 1, "lost": 1},
    RetryClass.NEVER: {"busy": 1, "broken": 1, "lost": 1},
}


def asking(retry: RetryClass) -> Request:
    return Request("POST", "/users", retry, is_write=retry is not RetryClass.READ)


def test_every_retry_class_is_tried_here() -> None:
    assert set(TRIES) == set(RetryClass)


@pytest.mark.parametrize("retry", RetryClass)
@pytest.mark.parametrize(("trouble", "answer"), [("busy", BUSY), ("broken", BROKEN)])
def test_a_busy_or_broken_server_is_asked_again_as_the_class_allows_and_its_last_reply_returned(
    serve: Serve, client_for: ClientFor, retry: RetryClass, trouble: str, answer: bytes
) -> None:
    server = serve(answering(then=answer))
    client = client_for(server.url)
    reply = client.send(asking(retry))
    client.close()
    assert reply.body == trouble.encode()
    assert client.counters == Counters(requests=1, retries=TRIES[retry][trouble] - 1)
    assert server.received[0].count(b"POST /users") == TRIES[retry][trouble]


@pytest.mark.parametrize("retry", RetryClass)
def test_after_a_lost_connection_only_what_may_be_repeated_is(
    serve: Serve, client_for: ClientFor, retry: RetryClass
) -> None:
    """The request was read whole: a create could have been carried out."""
    server = serve(Connection.request)
    with pytest.raises(ConnectionLost) as caught:
        client_for(server.url).send(asking(retry))
    assert caught.value.maybe_carried_out
    assert len(server.received) == TRIES[retry]["lost"]


@pytest.mark.parametrize("retry", RetryClass)
def test_what_surely_did_not_arrive_is_sent_again_unless_it_must_never_be(
    client_for: ClientFor, retry: RetryClass
) -> None:
    client = client_for("http://127.0.0.1:1")
    with pytest.raises(Unreachable):
        client.send(asking(retry))
    assert client.counters.retries == (0 if retry is RetryClass.NEVER else 2)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 418])
def test_other_replies_are_final_whatever_they_mean(
    serve: Serve, client_for: ClientFor, status: int
) -> None:
    server = serve(answering(reply_with(status, "Location: /elsewhere", body=b"said")))
    client = client_for(server.url)
    reply = client.send(asking(RetryClass.READ))
    client.close()
    assert (reply.status, reply.body) == (status, b"said")
    assert server.received[0].count(b"POST") == 1


def test_a_passing_trouble_passes(serve: Serve, client_for: ClientFor) -> None:
    lost = iter([True, False])

    def script(connection: Connection) -> None:
        connection.request()
        if not next(lost):
            connection.send(BROKEN)
            connection.request()
            connection.send(OK)

    server = serve(script)
    client = client_for(server.url)
    assert client.send(asking(RetryClass.READ)).status == 200
    assert client.counters == Counters(requests=1, retries=2)


def test_the_number_of_tries_is_the_callers(serve: Serve, client_for: ClientFor) -> None:
    server = serve(answering(then=BROKEN))
    client = client_for(server.url, attempts=5)
    client.send(asking(RetryClass.READ))
    assert client.counters.retries == 4


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("30", 30.0),
        ("31", LONGEST_WAIT_SECONDS),
        ("600", LONGEST_WAIT_SECONDS),
        ("999999999", LONGEST_WAIT_SECONDS),
        ("9" * 400, None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Thu, 01 Jan 2026 12:00:09 GMT", 9.0),
        ("Thu, 01 Jan 2026 12:00:09 -0000", 9.0),
        ("Thursday, 01-Jan-26 12:00:09 GMT", 9.0),
        ("Thu, 01 Jan 2026 13:00:09 +0100", 9.0),
        ("Thu, 01 Jan 2026 11:59:00 GMT", 0.0),
        ("Thu, 01 Jan 2027 12:00:00 GMT", LONGEST_WAIT_SECONDS),
        ("Thu, 99 Jan 2026 12:00:00 GMT", None),
        ("Thu, 01 Jan 99999999999 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_honoured_within_reason(text: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(text, NOW) == seconds


def test_the_wait_that_the_server_asked_for_is_the_verdict(clock: FakeClock) -> None:
    verdict = judge(RetryClass.READ, clock)
    asked = Unsettled(Reply(429, {"retry-after": "12"}, b""), host="h")
    not_asked = Unsettled(Reply(429, {}, b""), host="h")
    assert verdict(asked) == 12.0
    assert verdict(not_asked) is True
    assert judge(RetryClass.NEVER, clock)(asked) is False
    assert verdict(ValueError("not ours")) is False


def test_the_waits_of_a_client_grow_and_are_never_the_same_twice(
    serve: Serve,
    client_for: ClientFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the testing mode, with the sleeping itself replaced by a note of it."""
    server = serve(answering(reply_with(503, "Retry-After: 3"), then=BROKEN))
    client = client_for(server.url, attempts=4)
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    with stamina.set_testing(testing=False):
        client.send(asking(RetryClass.READ))
        client.send(asking(RetryClass.READ))
    asked_for, *grown = slept
    assert asked_for == 3
    assert 1 <= grown[0] <= 1.5
    assert 2 <= grown[1] <= 2.5
    assert 0.5 <= grown[2] <= 1
    assert len(set(slept)) == len(slept)


def test_the_log_tells_of_a_retry_without_saying_what_was_asked(
    serve: Serve, client_for: ClientFor, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(answering(BROKEN))
    client = client_for(server.url, headers={"Authorization": "Bearer the-token"})
    with caplog.at_level(logging.DEBUG):
        client.send(Request("GET", "/users/Ada?mail=ada", RetryClass.READ, is_write=False))
    assert [record.name for record in caplog.records] == ["door_sync.http.retrying"]
    assert "answered with status 503; trying again in 0.0 seconds" in caplog.text
    assert "ada" not in caplog.text.lower()
    assert "the-token" not in caplog.text
    (record,) = caplog.records
    kept = record.args
    assert isinstance(kept, tuple)
    assert [type(one) for one in kept] == [str, float], "a kept record keeps no reply"


def test_the_library_itself_logs_nothing_at_any_level(
    serve: Serve, client_for: ClientFor, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own lines hold whole URLs, and cookies and headers at debug level (P12)."""
    server = serve(answering(reply_with(200, "Set-Cookie: PHPSESSID=secret")))
    with caplog.at_level(logging.DEBUG):
        client_for(server.url).send(asking(RetryClass.READ))
    assert caplog.text == ""

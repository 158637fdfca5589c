"""What a reply may hold and a reading may cost, however patiently a side goes on (decision 43)."""

import tracemalloc
from collections.abc import Callable

import pytest

from door_sync.http import HttpClient, Json, Request, RetryClass, TooMuch
from door_sync.http.allowance import LARGEST_READING_BYTES, LONGEST_READING_SECONDS, Allowance
from door_sync.http.body import MOST_VALUES, whole_body
from tests.http.conftest import FakeClock, RawServer, answering, reply_with

Serve = Callable[..., RawServer]
ClientFor = Callable[..., HttpClient]

READ = Request("GET", "/list", RetryClass.READ, is_write=False)
WRITE = Request("PUT", "/thing", RetryClass.NEVER, is_write=True, body=Json({}))


def test_a_reading_ends_when_its_time_is_up_though_every_answer_came_in_time(
    serve: Serve, client_for: ClientFor, clock: FakeClock
) -> None:
    """A side that answers each request just before its deadline would hold a cycle for ever."""
    server = serve(answering())
    client = client_for(server.url)
    with client.reading():
        for _ in range(int(LONGEST_READING_SECONDS // 59) + 1):
            client.send(READ)
            clock.seconds += 59
        with pytest.raises(TooMuch) as caught:
            client.send(READ)
    assert "one reading of it was not done after 30 minutes" in caught.value.message
    assert client.counters.retries == 0, "asking again would not help"


def test_the_last_try_of_a_reading_gets_no_more_than_what_is_left(clock: FakeClock) -> None:
    allowance = Allowance(clock, "https://h", seconds=10)
    clock.seconds += 7.5
    assert allowance.seconds_left() == 2.5


def test_a_reading_ends_when_its_answers_come_to_too_much(clock: FakeClock) -> None:
    allowance = Allowance(clock, "https://h")
    piece = bytes(2**20)
    for _ in range(LARGEST_READING_BYTES // len(piece)):
        allowance.spend(piece)
    with pytest.raises(TooMuch, match="more than 536,870,912 bytes"):
        allowance.spend(b"x")


def test_a_reading_inside_another_has_no_time_of_its_own(
    serve: Serve, client_for: ClientFor, clock: FakeClock
) -> None:
    client = client_for(serve(answering()).url)
    with client.reading():
        clock.seconds += LONGEST_READING_SECONDS
        with client.reading(), pytest.raises(TooMuch):
            client.send(READ)
    with client.reading():
        assert client.send(READ).status == 200


def test_outside_a_reading_and_for_a_write_nothing_is_counted(
    serve: Serve, client_for: ClientFor, clock: FakeClock
) -> None:
    """What a write came to must be known, or nobody would know what was written (P10)."""
    client = client_for(serve(answering()).url)
    with client.reading():
        clock.seconds += 2 * LONGEST_READING_SECONDS
        assert client.send(WRITE).status == 200
    clock.seconds += 2 * LONGEST_READING_SECONDS
    assert client.send(READ).status == 200


@pytest.mark.parametrize("value", [b"[],", b"{},", b'"",', b"1,"])
def test_a_reply_of_millions_of_tiny_values_is_not_taken(value: bytes) -> None:
    """Parsed, the 12 MB of these would take some 300."""
    pieces = [value * 65_536] * 64
    with pytest.raises(TooMuch, match="1,000,000 values"):
        whole_body(pieces, "", limit_bytes=2**25, host="https://h")


def test_a_reply_of_as_many_values_as_may_be_is_taken(serve: Serve, client_for: ClientFor) -> None:
    body = b"[" + b",".join([b"1"] * MOST_VALUES) + b"]"
    client = client_for(serve(answering(reply_with(200, body=body))).url, max_body_bytes=2**22)
    assert client.send(READ).body == body


def test_the_values_are_counted_before_anything_is_kept() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TooMuch):
            whole_body(iter(lambda: b"[" * 65_536, b""), "", limit_bytes=2**30, host="https://h")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20

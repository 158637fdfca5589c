"""The server of the benchmark and the replay, over real sockets."""

from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from benchmarks.punctual import Punctual
from benchmarks.replay import replay
from benchmarks.sides import Asked
from door_sync.simulators.serving import Server, serve


class Counting:
    """Answers with how often it was asked; `/missing` with 404."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.times += 1
        request = Request(scope, receive)
        status = 404 if request.url.path == "/missing" else 200
        response: Response = PlainTextResponse(str(self.times), status)
        await response(scope, receive, send)


@pytest.fixture
def application() -> Counting:
    return Counting()


@pytest.fixture
def punctual(application: Counting) -> Punctual:
    return Punctual(application, latency=0.0, is_read=lambda request: request.method == "GET")


@pytest.fixture
def server(punctual: Punctual) -> Iterator[Server]:
    with serve(punctual, certificate=None) as server:
        yield server


def ask(server: Server, *requests: tuple[str, str]) -> None:
    """Send these one after another."""
    course = [
        Asked(method, target, "", method != "GET", float(at), at + 0.5)
        for at, (method, target) in enumerate(requests)
    ]
    replay({"url": server.url, "headers": {}}, course)


def test_a_read_is_answered_from_what_was_kept_until_somebody_writes(
    server: Server, application: Counting
) -> None:
    ask(server, ("GET", "/list"), ("GET", "/list"))
    assert application.times == 1
    ask(server, ("GET", "/list?page=2"), ("PUT", "/list"), ("GET", "/list"))
    assert application.times == 4


def test_forgotten_answers_are_asked_for_anew(
    server: Server, application: Counting, punctual: Punctual
) -> None:
    ask(server, ("GET", "/list"))
    punctual.forget_answers()
    ask(server, ("GET", "/list"))
    assert application.times == 2


def test_the_record_has_every_request_with_its_times(server: Server, punctual: Punctual) -> None:
    ask(server, ("GET", "/list?page=1"), ("PUT", "/list"))
    read, write = punctual.record
    assert (read.method, read.target, read.is_write) == ("GET", "/list?page=1", False)
    assert (write.method, write.is_write) == ("PUT", True)
    assert read.arrived <= read.answered <= write.arrived <= write.answered


def test_an_answer_waits_for_its_time(application: Counting) -> None:
    """Told by the record's own times: nobody waits longer here than those 20 ms."""
    punctual = Punctual(application, latency=0.02, is_read=lambda _: True)
    with serve(punctual, certificate=None) as server:
        ask(server, ("GET", "/list"))
    [entry] = punctual.record
    assert entry.answered - entry.arrived >= 0.02


def test_a_replay_that_is_answered_otherwise_fails(server: Server) -> None:
    with pytest.raises(RuntimeError, match="did not answer the same"):
        ask(server, ("GET", "/missing"))

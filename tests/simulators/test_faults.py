"""Each fault as a client meets it: over TLS, on loopback."""

import socket
import threading
from collections.abc import Iterator

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import (
    Answer,
    FaultPlan,
    Hang,
    Hook,
    Reset,
    Rewrite,
    Slow,
    Truncate,
    html_error,
    json_answer,
    null_key,
    path_matches,
    rate_limit,
)
from door_sync.simulators.serving import Server, serve
from door_sync.simulators.tls import self_signed


class Counter:
    """An application that counts what it carried out, and answers with it."""

    def __init__(self) -> None:
        self.done: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.done.append(await Request(scope, receive).body())
        await JSONResponse({"data": {"count": len(self.done)}})(scope, receive, send)


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def plan() -> FaultPlan:
    return FaultPlan(base="/api")


@pytest.fixture
def server(plan: FaultPlan, counter: Counter) -> Iterator[Server]:
    with serve(plan.around(counter), certificate=self_signed("unifi.local")) as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    return f"{server.url}/api/users"


def test_without_faults_everything_passes(
    client: httpx2.Client, url: str, counter: Counter
) -> None:
    assert client.post(url, content=b"one").json() == {"data": {"count": 1}}
    assert counter.done == [b"one"]


def test_an_answer_before_replaces_the_request(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter
) -> None:
    plan.add(Answer(402, b"no", "text/plain", {"X-Why": "money"}))
    reply = client.post(url, content=b"one")
    assert (reply.status_code, reply.text, reply.headers["x-why"]) == (402, "no", "money")
    assert reply.headers["content-type"] == "text/plain"
    assert counter.done == []


def test_an_answer_after_hides_what_was_carried_out(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter
) -> None:
    plan.add(html_error(504, after=True))
    reply = client.post(url, content=b"one")
    assert reply.status_code == 504
    assert reply.headers["content-type"].startswith("text/html")
    assert counter.done == [b"one"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_trouble_comes_as_html(
    client: httpx2.Client, url: str, plan: FaultPlan, status: int
) -> None:
    plan.add(html_error(status))
    reply = client.get(url)
    assert reply.status_code == status
    assert f"<h1>{status}</h1>" in reply.text


def test_a_rate_limit_may_name_seconds_a_date_or_nothing(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter
) -> None:
    plan.add(rate_limit(3))
    plan.add(rate_limit("Fri, 31 Dec 2027 23:59:59 GMT"), first=2)
    plan.add(rate_limit(), first=3)
    replies = [client.get(url) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [429] * 3
    waits = [reply.headers.get("retry-after") for reply in replies]
    assert waits == ["3", "Fri, 31 Dec 2027 23:59:59 GMT", None]
    assert counter.done == []


def test_an_error_can_stand_inside_a_200_and_a_success_can_have_done_nothing(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter
) -> None:
    plan.add(json_answer({"code": "CODE_SYSTEM_ERROR"}))
    reply = client.post(url, content=b"one")
    assert (reply.status_code, reply.json()) == (200, {"code": "CODE_SYSTEM_ERROR"})
    assert counter.done == []


def test_a_reset_before_means_not_carried_out(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter
) -> None:
    plan.add(Reset())
    with pytest.raises(httpx2.RemoteProtocolError):
        client.post(url, content=b"one")
    assert counter.done == []
    assert client.post(url, content=b"two").status_code == 200


def test_a_reset_after_means_carried_out(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter
) -> None:
    plan.add(Reset(after=True))
    with pytest.raises(httpx2.RemoteProtocolError):
        client.post(url, content=b"one")
    assert counter.done == [b"one"]


@pytest.mark.parametrize(("after", "done"), [(False, []), (True, [b"one"])])
def test_a_hang_lasts_until_the_client_gives_up(
    client: httpx2.Client,
    url: str,
    plan: FaultPlan,
    counter: Counter,
    after: bool,
    done: list[bytes],
) -> None:
    armed = plan.add(Hang(after=after))
    with pytest.raises(httpx2.ReadTimeout):
        client.post(url, content=b"one", timeout=0.05)
    armed.wait()
    assert counter.done == done
    assert client.get(url).json() == {"data": {"count": len(done) + 1}}


@pytest.mark.parametrize("after", [False, True])
def test_a_released_hang_is_answered_as_if_nothing_had_happened(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter, after: bool
) -> None:
    armed = plan.add(Hang(after=after), times=None)
    replies: list[httpx2.Response] = []
    asking = threading.Thread(target=lambda: replies.append(client.post(url, content=b"one")))
    asking.start()
    armed.wait()
    assert counter.done == ([b"one"] if after else [])
    assert replies == []
    plan.clear()
    asking.join()
    assert replies[0].json() == {"data": {"count": 1}}


def test_a_hang_released_in_advance_holds_nobody(
    client: httpx2.Client, url: str, plan: FaultPlan
) -> None:
    armed = plan.add(Hang())
    armed.release()
    assert client.get(url).status_code == 200
    armed.wait()


def test_a_hang_ends_with_its_server(plan: FaultPlan, counter: Counter) -> None:
    armed = plan.add(Hang())
    server = serve(plan.around(counter), certificate=None)
    caught: list[BaseException] = []

    def ask() -> None:
        with pytest.raises(httpx2.HTTPError) as error:
            httpx2.get(f"{server.url}/api/users", timeout=30, trust_env=False)
        caught.append(error.value)

    asking = threading.Thread(target=ask)
    asking.start()
    armed.wait()
    server.stop()
    asking.join()
    assert isinstance(caught[0], httpx2.RemoteProtocolError | httpx2.NetworkError)
    assert counter.done == []


def test_waiting_for_a_fault_that_nobody_meets_is_a_timeout(plan: FaultPlan) -> None:
    with pytest.raises(TimeoutError, match="Reset"):
        plan.add(Reset()).wait(0.01)


def test_truncated_json_has_the_length_of_what_arrives(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter
) -> None:
    plan.add(Truncate())
    reply = client.post(url, content=b"one")
    assert reply.status_code == 200
    assert reply.headers["content-length"] == str(len(reply.content))
    with pytest.raises(ValueError, match="column"):
        reply.json()
    assert counter.done == [b"one"]


def test_a_cut_answer_ends_before_its_promised_length(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter
) -> None:
    plan.add(Truncate(cut=True))
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete"):
        client.post(url, content=b"one")
    assert counter.done == [b"one"]


def test_a_rewrite_changes_the_document(client: httpx2.Client, url: str, plan: FaultPlan) -> None:
    plan.add(Rewrite(lambda document: [document]))
    plan.add(null_key("data"), first=2)
    plan.add(null_key("data", "count"), first=3)
    answers = [client.get(url).json() for _ in range(3)]
    assert answers == [[{"data": {"count": 1}}], {"data": None}, {"data": {"count": None}}]


@pytest.mark.parametrize("after", [False, True])
def test_a_slow_answer_is_the_real_one(
    client: httpx2.Client, url: str, plan: FaultPlan, after: bool
) -> None:
    armed = plan.add(Slow(0.001, after=after))
    assert client.get(url).json() == {"data": {"count": 1}}
    assert armed.struck == 1


@pytest.mark.parametrize(("after", "seen"), [(False, 0), (True, 1)])
def test_a_hook_runs_before_or_after_and_sees_the_request(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter, after: bool, seen: int
) -> None:
    calls: list[tuple[SeenRequest, int]] = []
    plan.add(Hook(lambda request: calls.append((request, len(counter.done))), after=after))
    assert client.post(url, json={"a": 1}).json() == {"data": {"count": 1}}
    [(request, done)] = calls
    assert done == seen
    assert (request.method, request.path, request.json()) == ("POST", "/api/users", {"a": 1})


def test_the_third_matching_request_and_the_next_one_only(
    client: httpx2.Client, url: str, plan: FaultPlan
) -> None:
    armed = plan.add(html_error(503), method="POST", path="/users", first=3, times=2)
    statuses = []
    for _ in range(6):
        client.get(url)  # does not match, does not count
        statuses.append(client.post(url).status_code)
    assert statuses == [200, 200, 503, 503, 200, 200]
    assert (armed.matched, armed.struck) == (6, 2)


def test_every_request_until_cleared(client: httpx2.Client, url: str, plan: FaultPlan) -> None:
    plan.add(html_error(500), times=None)
    assert [client.get(url).status_code for _ in range(3)] == [500] * 3
    plan.clear()
    assert client.get(url).status_code == 200


def test_a_body_may_decide(client: httpx2.Client, url: str, plan: FaultPlan) -> None:
    plan.add(html_error(500), where=lambda request: b"two" in request.body)
    statuses = [client.post(url, content=text).status_code for text in (b"one", b"two", b"two")]
    assert statuses == [200, 500, 200]


def test_faults_due_together_all_strike_and_the_first_to_end_it_wins(
    client: httpx2.Client, url: str, plan: FaultPlan, counter: Counter
) -> None:
    seen: list[str] = []
    plan.add(Hook(lambda _: seen.append("after"), after=True))
    plan.add(Hook(lambda _: seen.append("before")))
    plan.add(html_error(500, after=True))
    plan.add(null_key("anything"), first=2)
    assert client.get(url).status_code == 500
    assert seen == ["before", "after"]
    plan.add(Reset())
    plan.add(html_error(500))
    with pytest.raises(httpx2.RemoteProtocolError):
        client.get(url)
    assert len(counter.done) == 1


def test_a_client_that_leaves_before_its_request_is_whole_is_not_counted(
    plan: FaultPlan, counter: Counter
) -> None:
    armed = plan.add(Hook(lambda _: None), times=None)
    with serve(plan.around(counter), certificate=None) as server:
        with socket.create_connection((server.host, server.port)) as raw:
            raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        assert httpx2.get(f"{server.url}/", trust_env=False).status_code == 200
    assert armed.matched == 1


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*", "/anything/at/all", True),
        ("/users", "/users", True),
        ("/users", "/users/1", False),
        ("/users/:id", "/users/1", True),
        ("/users/:id", "/users/", False),
        ("/users/:id/nfc_cards", "/users/1/nfc_cards", True),
        ("/users/:id/nfc_cards", "/users/1/access_policies", False),
        ("/users/*", "/users/1/nfc_cards", True),
        ("/users/*", "/visitors/1", False),
        ("/a/b/c/*", "/a", False),
    ],
)
def test_patterns_compare_segments(pattern: str, path: str, fits: bool) -> None:
    assert path_matches(pattern, path) is fits


def test_a_seen_request_keeps_its_content_out_of_its_repr(
    client: httpx2.Client, url: str, plan: FaultPlan
) -> None:
    """P12: paths carry card tokens, bodies carry names, headers carry the key."""
    seen: list[SeenRequest] = []
    plan.add(Hook(seen.append))
    client.post(url + "/secret?secret", content=b"secret", headers={"Authorization": "secret"})
    assert "secret" not in repr(seen)

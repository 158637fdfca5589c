"""What is sent and what comes back: byte for byte, paced, from several threads."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from door_sync.http import (
    Counters,
    Form,
    HttpClient,
    HttpError,
    Json,
    PinnedTls,
    PlainHttp,
    Reply,
    Request,
    RetryClass,
    TimedOut,
    Upload,
)
from tests.http.conftest import OK, Connection, FakeClock, RawServer, answering, reply_with

Serve = Callable[..., RawServer]
ClientFor = Callable[..., HttpClient]

READ = Request("GET", "/users", RetryClass.READ, is_write=False)
WRITE = Request("PUT", "/users/1", RetryClass.IDEMPOTENT_WRITE, is_write=True)


def sent(serve: Serve, client_for: ClientFor, request: Request) -> bytes:
    server = serve(answering())
    with client_for(server.url, headers={"Authorization": "Bearer key"}) as client:
        client.send(request)
    return server.received[0]


def test_a_read_goes_out_with_the_clients_headers_and_its_query(
    serve: Serve, client_for: ClientFor
) -> None:
    query = (("page_num", "1"), ("expand[]", "access_policy"))
    raw = sent(serve, client_for, Request("GET", "/users", RetryClass.READ, False, query))
    lines = raw.decode().split("\r\n")
    assert lines[0] == "GET /users?page_num=1&expand%5B%5D=access_policy HTTP/1.1"
    assert "Authorization: Bearer key" in lines
    assert any(line.startswith("User-Agent: door-sync/") for line in lines)


def test_a_path_that_holds_a_query_already_keeps_it(serve: Serve, client_for: ClientFor) -> None:
    """WordPress without permalinks (CiviCRM sheet §1.1)."""
    path = "/?civiwp=CiviCRM&q=civicrm/ajax/api4/Contact/get"
    request = Request("POST", path, RetryClass.READ, is_write=False, query=(("a", "b c"),))
    assert sent(serve, client_for, request).startswith(
        b"POST /?civiwp=CiviCRM&q=civicrm/ajax/api4/Contact/get&a=b+c HTTP/1.1\r\n"
    )


@pytest.mark.parametrize(
    ("body", "content_type", "encoded"),
    [
        (Json({"name": "Zoë", "n": 1}), b"application/json", b'{"name":"Zo\\u00eb","n":1}'),
        (Json(None), b"application/json", b"null"),
        (Json([]), b"application/json", b"[]"),
        (Json("\ud800"), b"application/json", b'"\\ud800"'),
        (
            Form((("params", '{"a":"ü&b"}'), ("x", ""))),
            b"application/x-www-form-urlencoded",
            b"params=%7B%22a%22%3A%22%C3%BC%26b%22%7D&x=",
        ),
    ],
)
def test_bodies_go_out_encoded(
    serve: Serve,
    client_for: ClientFor,
    body: Json | Form,
    content_type: bytes,
    encoded: bytes,
) -> None:
    raw = sent(serve, client_for, Request("POST", "/", RetryClass.ONCE, True, body=body))
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert rest == encoded
    assert b"Content-Type: " + content_type + b"\r\n" in head + b"\r\n"
    assert b"Content-Length: %d" % len(encoded) in head


def test_an_upload_goes_out_as_one_file(serve: Serve, client_for: ClientFor) -> None:
    upload = Upload("file", "cards.csv", b"A04D2,sync-01234\n", "text/csv")
    raw = sent(serve, client_for, Request("POST", "/import", RetryClass.ONCE, True, body=upload))
    assert b"Content-Type: multipart/form-data; boundary=" in raw
    assert b'Content-Disposition: form-data; name="file"; filename="cards.csv"\r\n' in raw
    assert b"Content-Type: text/csv\r\n\r\nA04D2,sync-01234\n\r\n--" in raw


def test_a_reply_is_returned_as_it_came(serve: Serve, client_for: ClientFor) -> None:
    server = serve(
        answering(
            reply_with(
                404,
                "Content-Type: Application/JSON; charset=UTF-8",
                "X-Two: a",
                "x-two: b",
                "X-Odd: caf\xe9",
                body=b"\xff\x00{",
            )
        )
    )
    reply = client_for(server.url).send(READ)
    assert reply.status == 404
    assert reply.body == b"\xff\x00{"
    assert reply.content_type == "Application/JSON; charset=UTF-8"
    assert reply.media_type == "application/json"
    assert reply.header("X-TWO") == "a, b"
    assert reply.header("x-odd") == "caf\xe9"
    assert reply.header("absent") is None


def test_a_reply_without_a_content_type_says_so(serve: Serve, client_for: ClientFor) -> None:
    server = serve(answering(reply_with(200, body=b"Critical error.")))
    reply = client_for(server.url).send(READ)
    assert reply.content_type is None
    assert reply.media_type is None


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/steal",
        "http://[",
        "mailto:x@example.org",
        "//",
        "?x=\x7f",
        "http://host:99999999/",
        "caf\xe9",
    ],
)
def test_a_redirect_is_a_reply_and_is_not_followed(
    serve: Serve, client_for: ClientFor, location: str
) -> None:
    server = serve(answering(reply_with(307, f"Location: {location}", body=b"moved")))
    client = client_for(server.url)
    assert client.send(WRITE).status == 307
    client.close()
    assert server.received[0].count(b"PUT ") == 1


def test_cookies_are_not_kept(serve: Serve, client_for: ClientFor) -> None:
    server = serve(answering(reply_with(200, "Set-Cookie: PHPSESSID=abc; path=/")))
    client = client_for(server.url)
    client.send(READ)
    client.send(READ)
    client.close()
    assert b"cookie" not in server.received[0].lower()


def test_a_password_in_netrc_is_not_sent(
    serve: Serve, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert b"Basic" not in sent(serve, client_for, READ)


def test_the_start_of_a_write_keeps_its_distance_from_the_end_of_the_last(
    serve: Serve, client_for: ClientFor, clock: FakeClock
) -> None:
    took = 0.5

    def slow(connection: Connection) -> None:
        while connection.request():
            clock.seconds += took
            connection.send(OK)

    client = client_for(serve(slow).url, write_interval_seconds=0.075)
    client.send(WRITE)
    assert clock.slept == []
    client.send(WRITE)
    assert clock.slept == [pytest.approx(0.075)]
    client.send(READ)
    client.send(READ)
    assert len(clock.slept) == 1, "reads wait for nobody"
    clock.seconds += 1
    client.send(WRITE)
    assert len(clock.slept) == 1, "enough time had passed"
    client.send(WRITE)
    assert clock.slept == [pytest.approx(0.075)] * 2


def test_a_repeated_write_is_paced_too(
    serve: Serve, client_for: ClientFor, clock: FakeClock
) -> None:
    server = serve(answering(reply_with(429, "Retry-After: 0"), b"", reply_with(500)))
    client = client_for(server.url, write_interval_seconds=0.075, timeout_seconds=0.05)
    with pytest.raises(TimedOut):
        client.send(Request("PUT", "/", RetryClass.ONCE, is_write=True))
    client.send(WRITE)
    assert clock.slept == [pytest.approx(0.075)] * 3


def test_reads_run_side_by_side_and_writes_never_do(serve: Serve, client_for: ClientFor) -> None:
    lock = threading.Lock()
    running = {b"GET": 0, b"PUT": 0}
    most = dict(running)
    together = threading.Barrier(4, timeout=10)

    def script(connection: Connection) -> None:
        while request := connection.request():
            kind = request[:3]
            with lock:
                running[kind] += 1
                most[kind] = max(most[kind], running[kind])
            if kind == b"GET":
                together.wait()
            with lock:
                running[kind] -= 1
            connection.send(OK)

    client = client_for(serve(script).url)
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(client.send, [READ, WRITE, WRITE] * 4))
    assert all(reply.status == 200 for reply in replies)
    assert most == {b"GET": 4, b"PUT": 1}
    assert client.counters == Counters(requests=12, retries=0)


def test_a_connection_is_used_again(serve: Serve, client_for: ClientFor) -> None:
    server = serve(answering())
    client = client_for(server.url)
    for _ in range(5):
        client.send(READ)
    client.close()
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("url", "tls", "headers"),
    [
        ("http://192.0.2.1", PlainHttp(), {}),
        ("http://localhost.example.org", PlainHttp(), {}),
        ("https://127.0.0.1", PlainHttp(), {}),
        ("http://127.0.0.1", PinnedTls(("ab" * 32,)), {}),
        ("https://example.org/path", PinnedTls(("ab" * 32,)), {}),
        ("http://127.0.0.1", PlainHttp(), {"Authorization": "Bearer ab\ncd"}),
        ("http://127.0.0.1", PlainHttp(), {"Authorization": "Bearer käy"}),
        ("http://127.0.0.1", PlainHttp(), {"Authorization": "Bearer abcd "}),
    ],
)
def test_a_client_that_makes_no_sense_is_refused_without_quoting_the_key(
    client_for: ClientFor, url: str, tls: PlainHttp | PinnedTls, headers: dict[str, str]
) -> None:
    with pytest.raises(ValueError) as caught:
        client_for(url, tls, headers=headers)
    assert "Bearer" not in str(caught.value)


@pytest.mark.parametrize("path", ["users", "", "//../users", "/users/../x", "/a b", "/ü", "/a\n"])
def test_a_path_that_is_not_encoded_or_climbs_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        Request("GET", path, RetryClass.READ, is_write=False)


def test_nothing_tells_what_it_carries_when_it_is_printed(client_for: ClientFor) -> None:
    secrets = {"name": "Ada Lovelace"}
    things = [
        Json(secrets),
        Form((("name", "Ada Lovelace"),)),
        Upload("file", "Ada", b"Ada", "text/Ada"),
        Request("POST", "/Ada", RetryClass.ONCE, True, (("q", "Ada"),), Json(secrets)),
        Reply(200, {"x-name": "Ada"}, b"Ada"),
        client_for("http://127.0.0.1:1", headers={"Authorization": "Bearer Ada"}),
    ]
    assert all("Ada" not in f"{thing!r} {thing}" for thing in things)
    assert repr(things[3]) == "Request(POST, once)"
    assert repr(things[4]) == "Reply(200, 3 bytes)"


def test_each_try_is_told_of_whatever_came_of_it(serve: Serve, client_for: ClientFor) -> None:
    """What watches over a cycle sees that it goes on (systemd's watchdog)."""
    server = serve(answering(reply_with(503), OK))
    tries: list[int] = []
    with client_for(server.url, after_try=lambda: tries.append(1)) as client:
        client.send(READ)
    assert len(tries) == 2
    nobody = client_for("http://127.0.0.1:1", after_try=lambda: tries.append(1))
    with pytest.raises(HttpError):
        nobody.send(Request("GET", "/", RetryClass.NEVER, is_write=False))
    assert len(tries) == 3

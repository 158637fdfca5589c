"""What a server can do to a reply, and what it becomes: an error in time, never a cut reply."""

import errno
import gzip
import socket
import ssl
import zlib
from collections.abc import Callable

import pytest

from door_sync.http import (
    ConnectionLost,
    HttpClient,
    HttpError,
    PinnedTls,
    ProtocolBroken,
    Request,
    RetryClass,
    TimedOut,
    TooLarge,
    Unreachable,
    Upload,
)
from tests.http.conftest import (
    Connection,
    FakeClock,
    Identity,
    RawServer,
    answering,
    reply_with,
)

Serve = Callable[..., RawServer]
ClientFor = Callable[..., HttpClient]
Identities = tuple[Identity, Identity]

READ = Request("GET", "/list", RetryClass.READ, is_write=False, query=(("who", "Ada"),))
SINGLE = Request("GET", "/list", RetryClass.NEVER, is_write=False)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def after_request(*pieces: bytes, reset: bool = False) -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        if connection.request():
            connection.send(*pieces)
            if reset:
                connection.reset()

    return script


def dripping(clock: FakeClock, head: bytes, drip: bytes) -> Callable[[Connection], None]:
    """Sends a byte now and then, each well within a read's patience, and never an end."""

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(head)
        for _ in range(1000):
            clock.seconds += 1
            try:
                connection.socket.sendall(drip)
            except OSError:
                return

    return script


def test_a_port_where_nothing_listens_is_unreachable(client_for: ClientFor) -> None:
    with pytest.raises(Unreachable, match="nothing listens") as caught:
        client_for("http://127.0.0.1:1").send(READ)
    assert not caught.value.maybe_carried_out
    assert caught.value.host == "http://127.0.0.1:1"
    assert "config.toml" in caught.value.remedy


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name is not known"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "network is unreachable"),
        (OSError("no words"), "the connection failed"),
        (TimeoutError("timed out"), "no connection within 3 seconds"),
    ],
)
def test_a_host_that_cannot_be_connected_to_is_unreachable_with_the_reason(
    client_for: ClientFor, monkeypatch: pytest.MonkeyPatch, failure: OSError, reason: str
) -> None:
    def connect(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable, match=reason):
        client_for("http://localhost", timeout_seconds=9).send(SINGLE)


def test_a_dripping_header_ends_with_the_try(
    serve: Serve, client_for: ClientFor, clock: FakeClock
) -> None:
    server = serve(dripping(clock, HEAD + b"X-Long: ", b"x"))
    with pytest.raises(TimedOut) as caught:
        client_for(server.url, timeout_seconds=30).send(SINGLE)
    assert caught.value.maybe_carried_out
    assert caught.value.seconds == 30


def test_a_dripping_body_ends_with_the_try(
    serve: Serve, client_for: ClientFor, clock: FakeClock
) -> None:
    server = serve(dripping(clock, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"))
    with pytest.raises(TimedOut):
        client_for(server.url, timeout_seconds=30).send(SINGLE)


def test_interim_answers_without_end_end_with_the_try(
    serve: Serve, client_for: ClientFor, clock: FakeClock
) -> None:
    server = serve(dripping(clock, b"", b"HTTP/1.1 100 Continue\r\n\r\n"))
    with pytest.raises(TimedOut):
        client_for(server.url, timeout_seconds=30).send(SINGLE)


def test_a_server_that_says_nothing_is_given_up(serve: Serve, client_for: ClientFor) -> None:
    def silent(connection: Connection) -> None:
        while connection.request():
            pass

    server = serve(silent)
    with pytest.raises(TimedOut) as caught:
        client_for(server.url, timeout_seconds=0.05).send(SINGLE)
    assert caught.value.maybe_carried_out
    assert "timeout_seconds" in caught.value.remedy


def test_a_handshake_that_hangs_is_unreachable(
    serve: Serve, client_for: ClientFor, identities: Identities
) -> None:
    """Nothing of the request was sent, so that even a create may be sent again."""

    def silent(connection: Connection) -> None:
        while connection.request():
            pass

    server = serve(silent)
    client = client_for(
        f"https://{server.host}", PinnedTls((identities[0].fingerprint,)), timeout_seconds=0.05
    )
    with pytest.raises(Unreachable, match="TLS handshake in time") as caught:
        client.send(SINGLE)
    assert not caught.value.maybe_carried_out


def test_a_try_whose_time_is_up_before_the_handshake_leaves_no_socket_open(
    serve: Serve,
    client_for: ClientFor,
    clock: FakeClock,
    identities: Identities,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(answering(), identities[0].context)
    client = client_for(server.url, PinnedTls((identities[0].fingerprint,)))
    monkeypatch.setattr(clock, "monotonic", iter([0.0, 0.0, 999.0]).__next__)
    with pytest.raises(Unreachable, match="in time"):
        client.send(SINGLE)
    assert server.received == [b""]


def test_a_slow_reader_of_a_large_request_is_given_up(
    serve: Serve, client_for: ClientFor, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unsent rest gets no new patience; the answer is waited for no longer either."""
    server = serve(answering())
    ticks = iter(range(1000))
    monkeypatch.setattr(clock, "monotonic", lambda: float(next(ticks)))
    upload = Upload("file", "cards.csv", b"x" * 2**20, "text/csv")
    request = Request("POST", "/import", RetryClass.NEVER, is_write=True, body=upload)
    with pytest.raises(TimedOut) as caught:
        client_for(server.url, timeout_seconds=20).send(request)
    assert caught.value.maybe_carried_out


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200 OK\r\nContent-Ty",),
        (HEAD + b"Content-Length: 10\r\n\r\n[1,2",),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n[1,2\r\n",),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n[1",),
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_a_reply_that_breaks_off_is_a_lost_connection(
    serve: Serve, client_for: ClientFor, pieces: tuple[bytes, ...], reset: bool
) -> None:
    server = serve(after_request(*pieces, reset=reset))
    with pytest.raises(ConnectionLost) as caught:
        client_for(server.url).send(SINGLE)
    assert caught.value.maybe_carried_out


@pytest.mark.parametrize(
    "pieces",
    [
        (b"220 mail.example.org ESMTP\r\n\r\n",),
        (b"\x00\x01\x02\x03\r\n\r\n",),
        (HEAD + b"Content-Length: many\r\n\r\n",),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12",),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",),
        (HEAD + b"X-Flood: " + b"x" * 200_000,),
        (HEAD + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",),
        (HEAD + b"Content-Encoding: gzip, gzip\r\nContent-Length: 2\r\n\r\n{}",),
    ],
)
def test_what_is_no_http_is_told_as_such(
    serve: Serve, client_for: ClientFor, pieces: tuple[bytes, ...]
) -> None:
    server = serve(after_request(*pieces))
    with pytest.raises(ProtocolBroken) as caught:
        client_for(server.url).send(READ)
    assert caught.value.maybe_carried_out
    assert len(server.received) == 1, "such an answer is not asked for again"


def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(
    serve: Serve, client_for: ClientFor
) -> None:
    server = serve(answering(reply_with(200, body=b"x" * 100), reply_with(200, body=b"x" * 101)))
    client = client_for(server.url, max_body_bytes=100)
    assert len(client.send(SINGLE).body) == 100
    with pytest.raises(TooLarge) as caught:
        client.send(READ)
    assert caught.value.limit_bytes == 100


def test_an_endless_body_ends_at_the_limit(serve: Serve, client_for: ClientFor) -> None:
    def endless(connection: Connection) -> None:
        connection.request()
        connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                connection.socket.sendall(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
        except OSError:
            return

    server = serve(endless)
    with pytest.raises(TooLarge):
        client_for(server.url, max_body_bytes=100_000).send(SINGLE)


def gzipped(body: bytes) -> bytes:
    return reply_with(200, "Content-Encoding: gzip", body=body)


def test_a_compressed_body_comes_out_whole(serve: Serve, client_for: ClientFor) -> None:
    text = b'{"values":' + b"[0]," * 400_000 + b"}"
    server = serve(answering(gzipped(gzip.compress(text))))
    client = client_for(server.url, max_body_bytes=2**21)
    assert client.send(SINGLE).body == text
    client.close()
    assert b"accept-encoding: gzip\r\n" in server.received[0].lower()


def test_a_compressed_body_that_comes_byte_by_byte_comes_out_whole(
    serve: Serve, client_for: ClientFor
) -> None:
    packed = gzip.compress(b"abc" * 10_000)
    chunks = b"".join(b"1\r\n%b\r\n" % packed[at : at + 1] for at in range(len(packed)))
    head = HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = serve(answering(head + chunks + b"0\r\n\r\n"))
    assert client_for(server.url).send(SINGLE).body == b"abc" * 10_000


def test_an_empty_body_may_call_itself_compressed(serve: Serve, client_for: ClientFor) -> None:
    server = serve(answering(gzipped(b"")))
    assert client_for(server.url).send(SINGLE).body == b""


def test_a_small_body_that_unpacks_to_a_huge_one_ends_at_the_limit(
    serve: Serve, client_for: ClientFor
) -> None:
    bomb = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    packed = b"".join(bomb.compress(b"\0" * 2**20) for _ in range(64)) + bomb.flush()
    assert len(packed) < 100_000
    server = serve(answering(gzipped(packed)))
    with pytest.raises(TooLarge):
        client_for(server.url, max_body_bytes=2**22).send(SINGLE)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(gzip.compress(b"[1,2,3]" * 100)[:-9], id="cut short"),
        pytest.param(gzip.compress(b"[1,2,3]")[:5], id="cut in its header"),
        pytest.param(b"[1,2,3]", id="not compressed"),
        pytest.param(gzip.compress(b"[1]") + b"more", id="something behind"),
        pytest.param(gzip.compress(b"[1]")[:-6] + b"\0\0\0\0\0\0", id="wrong checksum"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_damaged_compressed_body_is_no_reply(
    serve: Serve, client_for: ClientFor, body: bytes, chunked: bool
) -> None:
    """The library itself would return what came out before the cut (P2)."""
    reply = gzipped(body)
    if chunked:
        pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
        reply = (
            HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces
        ) + b"0\r\n\r\n"
    server = serve(answering(reply))
    with pytest.raises(ProtocolBroken, match="damaged or cut"):
        client_for(server.url).send(SINGLE)


def test_no_foreign_exception_hangs_behind_an_error(
    serve: Serve, client_for: ClientFor, identities: Identities
) -> None:
    """A traceback printed with -v, or a log of the chain, would show it with what it quotes."""
    cut = serve(after_request(b"HTTP/1.1 2"))
    garbage = serve(after_request(b"nonsense\r\n\r\n"))
    damaged = serve(answering(gzipped(b"nonsense")))
    other = serve(answering(), identities[0].context)
    wrong_pin = PinnedTls((identities[1].fingerprint,))
    for url, tls in [
        ("http://127.0.0.1:1", None),
        (cut.url, None),
        (garbage.url, None),
        (damaged.url, None),
        (other.url, wrong_pin),
    ]:
        with pytest.raises(HttpError) as caught:
            client_for(url, tls).send(READ)
        assert _behind(caught.value) == []


def _behind(error: BaseException) -> list[str]:
    found = []
    waiting = [error.__cause__, error.__context__]
    while waiting:
        link = waiting.pop()
        if link is not None:
            waiting += [link.__cause__, link.__context__]
            module = type(link).__module__.partition(".")[0]
            if module in {"httpx2", "httpcore2", "h11", "zlib"} or isinstance(
                link, (OSError, ssl.SSLError, zlib.error)
            ):
                found.append(repr(link))
    return found

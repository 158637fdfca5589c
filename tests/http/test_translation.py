"""No exception of the HTTP library is forgotten."""

import inspect
import ssl

import httpx2
import pytest

from door_sync.http import ConnectionLost, HttpError, ProtocolBroken, TimedOut, Unreachable
from door_sync.http.translation import FOREIGN, translated
from door_sync.http.transport import Attempt
from tests.http.conftest import FakeClock

BECOMES: dict[str, type[HttpError]] = {
    "CloseError": ConnectionLost,
    "ConnectError": Unreachable,
    "ConnectTimeout": Unreachable,
    "CookieConflict": ProtocolBroken,
    "DecodingError": ProtocolBroken,
    "HTTPError": ProtocolBroken,
    "HTTPStatusError": ProtocolBroken,
    "InvalidURL": ProtocolBroken,
    "LocalProtocolError": ProtocolBroken,
    "NetworkError": ConnectionLost,
    "PoolTimeout": TimedOut,
    "ProtocolError": ProtocolBroken,
    "ProxyError": Unreachable,
    "ReadError": ConnectionLost,
    "ReadTimeout": TimedOut,
    "RemoteProtocolError": ProtocolBroken,
    "RequestError": ProtocolBroken,
    "RequestNotRead": ProtocolBroken,
    "ResponseNotRead": ProtocolBroken,
    "SSEError": ProtocolBroken,
    "StreamClosed": ProtocolBroken,
    "StreamConsumed": ProtocolBroken,
    "StreamError": ProtocolBroken,
    "TimeoutException": TimedOut,
    "TooManyRedirects": ProtocolBroken,
    "TransportError": ProtocolBroken,
    "UnsupportedProtocol": ProtocolBroken,
    "WriteError": ConnectionLost,
    "WriteTimeout": TimedOut,
}
LIBRARY = {
    name: thing
    for name, thing in vars(httpx2).items()
    if inspect.isclass(thing) and issubclass(thing, Exception) and not issubclass(thing, Warning)
}


def made(kind: type[Exception]) -> Exception:
    error = kind.__new__(kind)
    error.args = ("Illegal header value b'Bearer the-key'",)
    return error


def test_the_table_knows_every_exception_of_the_library() -> None:
    assert set(BECOMES) == set(LIBRARY)


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_each_becomes_ours_without_its_words(name: str, clock: FakeClock, sent: bool) -> None:
    assert issubclass(LIBRARY[name], FOREIGN)
    attempt = Attempt(clock, 30)
    attempt.sent = sent
    error = translated(made(LIBRARY[name]), attempt, host="https://h", seconds=30)
    assert type(error) is BECOMES[name]
    assert "the-key" not in f"{error!r} {error.remedy}"
    assert error.maybe_carried_out == (sent and type(error) is not Unreachable)


@pytest.mark.parametrize("kind", [OSError, ssl.SSLError, ConnectionResetError])
def test_what_the_library_lets_through_is_a_lost_connection(
    clock: FakeClock, kind: type[OSError]
) -> None:
    assert issubclass(kind, FOREIGN)
    error = translated(kind("words"), Attempt(clock, 30), host="https://h", seconds=30)
    assert type(error) is ConnectionLost


def test_a_protocol_error_after_the_other_side_hung_up_is_a_lost_connection(
    clock: FakeClock,
) -> None:
    attempt = Attempt(clock, 30)
    attempt.peer_closed = True
    cut = made(httpx2.RemoteProtocolError)
    assert type(translated(cut, attempt, host="https://h", seconds=30)) is ConnectionLost

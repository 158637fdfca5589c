"""The one place where the HTTP library's exceptions become ours.

What fails before a connection stands is told apart where it happens, in `transport`. The rest is
judged by its kind and by what was seen on the wire, never by the library's wording.
"""

import httpx2

from door_sync.http.errors import ConnectionLost, HttpError, ProtocolBroken, TimedOut, Unreachable
from door_sync.http.transport import Attempt

FOREIGN: tuple[type[Exception], ...] = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.CookieConflict,
    httpx2.StreamError,
    OSError,  # ssl.SSLError is one
)


def translated(error: Exception, attempt: Attempt, *, host: str, seconds: float) -> HttpError:
    """Given one of FOREIGN, what was seen of the try and its limit, return our error for it.

    Nothing of the foreign message is kept: it may repeat a header's value, that is the key.
    """
    match error:
        case httpx2.ProxyError():
            return Unreachable(host=host, reason="the proxy refused to connect to it")
        case httpx2.ConnectTimeout():
            return Unreachable(host=host, reason=f"no connection within {seconds:g} seconds")
        case httpx2.ConnectError():
            return Unreachable(host=host, reason="the connection failed")
        case httpx2.TimeoutException():
            return TimedOut(host=host, seconds=seconds, maybe_carried_out=attempt.sent)
        case httpx2.NetworkError() | OSError():
            return ConnectionLost(host=host, maybe_carried_out=attempt.sent)
        case httpx2.RemoteProtocolError() if attempt.peer_closed:
            return ConnectionLost(host=host, maybe_carried_out=attempt.sent)
        case httpx2.LocalProtocolError() | httpx2.InvalidURL() | httpx2.UnsupportedProtocol():
            reason = "the request itself could not be put into HTTP"
            return ProtocolBroken(host=host, reason=reason, maybe_carried_out=attempt.sent)
        case _:
            reason = "the answer could not be understood"
            return ProtocolBroken(host=host, reason=reason, maybe_carried_out=attempt.sent)

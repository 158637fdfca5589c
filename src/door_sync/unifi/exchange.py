"""One question to the controller and its answer: base path, repeats, what ends a cycle."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, assert_never
from urllib.parse import quote

from door_sync.http import HttpClient, HttpError, Json, Request, RetryClass, Upload
from door_sync.ports import (
    ControllerDistrusted,
    ControllerUnreachable,
    WriteRefused,
    WriteUncertain,
)
from door_sync.unifi import trouble
from door_sync.unifi.envelope import (
    SYSTEM_ERROR,
    Answer,
    ApiSwitchedOff,
    KeyRefused,
    NoRoute,
    Overloaded,
    Refused,
    ScopeMissing,
    Success,
    Unreadable,
    judge,
)
from door_sync.unifi.trouble import Right

BASE_PATH: Final = "/api/v1/developer"

Query = tuple[tuple[str, str], ...]


def path(*segments: str) -> str:
    """Return a path below the base path, with each segment percent-encoded."""
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


class Exchange:
    """Asks the controller and judges what it says."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def reading(self) -> AbstractContextManager[None]:
        """Take all reads inside for one, which may cost so much and no more (HttpClient)."""
        return self._client.reading()

    def read(
        self, where: str, *, what: str, query: Query = ()
    ) -> Success | NoRoute | ScopeMissing | Refused:
        """GET `where`, and once more after `CODE_SYSTEM_ERROR` (UniFi sheet §3.6).

        Raise ControllerError where there is no answer, or the key itself is refused. `what` names
        the read in messages.
        """
        request = Request("GET", BASE_PATH + where, RetryClass.READ, is_write=False, query=query)
        answer = self._read_once(request, what)
        if answer == Refused(SYSTEM_ERROR):
            answer = self._read_once(request, what)
        return answer

    def ask(
        self, where: str, body: Mapping[str, object], *, what: str, query: Query = ()
    ) -> Success | NoRoute | ScopeMissing | Refused:
        """POST a question that changes nothing, as the system log is asked (UniFi sheet §13).

        Raise ControllerError as `read` does.
        """
        request = Request(
            "POST",
            BASE_PATH + where,
            RetryClass.READ,
            is_write=False,
            query=query,
            body=Json(body),
        )
        return self._read_once(request, what)

    def write(
        self,
        method: str,
        where: str,
        *,
        what: str,
        right: Right,
        body: Json | Upload,
        retry: RetryClass = RetryClass.IDEMPOTENT_WRITE,
    ) -> Success | NoRoute | Refused:
        """Send one write; an idempotent one once more after `CODE_SYSTEM_ERROR`.

        Raise WriteUncertain or WriteRefused where the reply is no answer, ControllerError where no
        further write may follow: wrong host, refused key, missing right.
        """
        request = Request(method, BASE_PATH + where, retry, is_write=True, body=body)
        answer = self._write_once(request, what, right)
        if answer == Refused(SYSTEM_ERROR) and retry is RetryClass.IDEMPOTENT_WRITE:
            answer = self._write_once(request, what, right)
        return answer

    def _read_once(self, request: Request, what: str) -> Success | NoRoute | ScopeMissing | Refused:
        try:
            answer = self._ask(request)
        except HttpError as error:
            raise trouble.silent_read(error, what) from error
        match answer:
            case Overloaded() | Unreadable():
                raise trouble.poor_read(answer, what)
            case KeyRefused() | ApiSwitchedOff():
                raise trouble.key_refused(answer, what)
            case _:
                return answer

    def _write_once(self, request: Request, what: str, right: Right) -> Success | NoRoute | Refused:
        try:
            answer = self._ask(request)
        except HttpError as error:
            raise trouble.silent_write(error, what) from error
        match answer:
            case Overloaded() | Unreadable():
                raise trouble.poor_write(answer, what)
            case KeyRefused() | ApiSwitchedOff():
                raise trouble.key_refused(answer, what)
            case ScopeMissing():
                raise trouble.right_missing(answer, what, right)
            case _:
                return answer

    def _ask(self, request: Request) -> Answer:
        reply = self._client.send(request)
        return judge(reply.status, reply.body)


def demanded(
    answer: Success | NoRoute | ScopeMissing | Refused, what: str, *, right: Right, since: str
) -> Success:
    """Given the answer to a read that must succeed, return it; raise ControllerError otherwise."""
    match answer:
        case Success():
            return answer
        case NoRoute():
            raise trouble.route_missing(what, since=since)
        case ScopeMissing():
            raise trouble.right_missing(answer, what, right)
        case Refused(code):
            raise trouble.read_refused(code, what)
        case _:
            assert_never(answer)


def done(answer: Success | NoRoute | Refused, what: str, *, since: str) -> Success:
    """Given the answer to a write, return it if it was done.

    Raise WriteRefused with the controller's code, or ControllerForbids for a missing route.
    """
    match answer:
        case Success():
            return answer
        case NoRoute():
            raise trouble.route_missing(what, since=since)
        case Refused(code):
            raise WriteRefused(f"{what}: refused ({code})", code=code)
        case _:
            assert_never(answer)


@contextmanager
def looking(what: str) -> Iterator[None]:
    """Wrap a read that only settles what became of one write.

    If it fails for want of an answer, that write stays uncertain, and the others may go on (P6).
    """
    try:
        yield
    except (ControllerUnreachable, ControllerDistrusted) as error:
        raise WriteUncertain(
            f"{what}: what became of it cannot be read", remedy=error.remedy
        ) from error

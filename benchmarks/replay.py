"""Ask a side the same again with a client that does nothing else: what its own answers take.

The requests are sent in the order in which a cycle sent them, with as many at once as the cycle
had under way at most. Where the cycle waited for everything before it asked on, so does the replay.
Bodies are read and thrown away. Nothing is checked, decided or kept, so no program that needs these
answers in this order can be quicker.
"""

import http.client
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from benchmarks.sides import Asked

_BLOCK = 65_536


def at_once(asked: Sequence[Asked]) -> int:
    """Return how many requests were under way at the same time, at most."""
    most = under_way = 0
    for _, change in _moments(asked):
        under_way += change
        most = max(most, under_way)
    return most


def answers_needed(asked: Sequence[Asked]) -> list[int]:
    """Return for each request, in order of arrival, how many answers must be back before it.

    That is what the greatest number of requests at once demands, and all that came before it where
    it found nothing under way. That it came later for another reason, say because the client was
    busy, does not count.
    """
    ordered = sorted(asked, key=lambda one: one.arrived)
    most, waits_for_all, needed = at_once(ordered), 0, []
    for number, one in enumerate(ordered):
        if all(other.answered <= one.arrived for other in ordered[waits_for_all:number]):
            waits_for_all = number
        needed.append(max(waits_for_all, number - most + 1, 0))
    return needed


def replay(facts: dict[str, Any], asked: Sequence[Asked]) -> float:
    """Send these requests again and return the seconds until the last answer was read.

    Raise RuntimeError if one is answered otherwise than with 200.
    """
    ordered = sorted(asked, key=lambda one: one.arrived)
    course = _Course(ordered, answers_needed(asked))
    began = time.perf_counter()
    threads = [threading.Thread(target=_ask, args=(facts, course)) for _ in range(at_once(ordered))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if course.failure is not None:
        raise RuntimeError("a side did not answer the same again") from course.failure
    return seconds


class _Course:
    """Hands out the requests in order, each when enough answers are back."""

    def __init__(self, ordered: Sequence[Asked], needed: Sequence[int]) -> None:
        self.failure: Exception | None = None
        self._turn = threading.Condition()
        self._waiting = iter(zip(ordered, needed, strict=True))
        self._answers = 0

    def next(self) -> Asked | None:
        """Return the next request when it is its turn; None if there is none any more."""
        with self._turn:
            one, needed = next(self._waiting, (None, 0))
            self._turn.wait_for(lambda: self._answers >= needed or self.failure is not None)
            return None if self.failure is not None else one

    def answered(self) -> None:
        """Take note of an answer."""
        with self._turn:
            self._answers += 1
            self._turn.notify_all()

    def failed(self, failure: Exception) -> None:
        """End it all."""
        with self._turn:
            self.failure = failure
            self._turn.notify_all()


def _ask(facts: dict[str, Any], course: _Course) -> None:
    connection = _connection(facts["url"])
    try:
        while (one := course.next()) is not None:
            body = one.body.encode() if one.body else None
            connection.request(one.method, one.target, body, facts["headers"])
            answer = connection.getresponse()
            while answer.read(_BLOCK):
                pass
            if answer.status != http.client.OK:
                raise RuntimeError(f"answered with {answer.status}")
            course.answered()
    except (RuntimeError, OSError, http.client.HTTPException) as failure:
        course.failed(failure)
    finally:
        connection.close()


def _connection(url: str) -> http.client.HTTPConnection:
    where = urlsplit(url)
    assert where.hostname is not None
    if where.scheme == "http":
        return http.client.HTTPConnection(where.hostname, where.port)
    # Its certificate is its own and was made a moment ago; this client has nothing to lose. No
    # authorities are loaded, which would take longer than some of the answers.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(where.hostname, where.port, context=context)


def _moments(asked: Sequence[Asked]) -> list[tuple[float, int]]:
    """Return when requests began (+1) and ended (-1), in order; an end before a beginning."""
    begun = [(one.arrived, 1) for one in asked]
    return sorted([*begun, *((one.answered, -1) for one in asked)])

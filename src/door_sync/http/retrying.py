"""When a request is sent again, and how long before (UniFi sheet §3.6)."""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from door_sync.http.errors import ConnectionLost, TimedOut, Unreachable
from door_sync.http.messages import Reply, RetryClass
from door_sync.ports import Clock

LONGEST_WAIT_SECONDS = 30.0
"""A server may ask for more (WordPress: 600 while it updates); the next cycle comes anyway."""

_FIRST_WAIT_SECONDS = 0.5
_JITTER_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 8.0
_SECONDS = re.compile(r"[0-9]{1,9}")

logger = logging.getLogger(__name__)


class Trouble(Enum):
    """Passing trouble, by what it means for repeating."""

    NOT_CARRIED_OUT = auto()
    MAYBE_CARRIED_OUT = auto()
    TOO_MANY_REQUESTS = auto()
    SERVER_ERROR = auto()


_REPEATED = {
    RetryClass.READ: frozenset(Trouble),
    RetryClass.IDEMPOTENT_WRITE: frozenset(Trouble),
    RetryClass.ONCE: frozenset({Trouble.NOT_CARRIED_OUT, Trouble.TOO_MANY_REQUESTS}),
    RetryClass.NEVER: frozenset[Trouble](),
}


class Unsettled(Exception):
    """A reply of 429 or 5xx, on its way to the judgement whether to try again."""

    def __init__(self, reply: Reply, *, host: str) -> None:
        super().__init__(f"{host} answered with status {reply.status}")
        self.reply = reply


def is_unsettled(reply: Reply) -> bool:
    """Say whether this status may pass by itself."""
    return reply.status == 429 or 500 <= reply.status <= 599


def repeater(attempts: int) -> stamina.RetryingCaller:
    """Return what calls a function up to `attempts` times, waiting longer each time."""
    return stamina.RetryingCaller(
        attempts=attempts,
        timeout=None,
        wait_initial=_FIRST_WAIT_SECONDS,
        wait_max=_LONGEST_BACKOFF_SECONDS,
        wait_jitter=_JITTER_SECONDS,
    )


def judge(retry: RetryClass, clock: Clock) -> Callable[[Exception], bool | float]:
    """Return what tells of a failed try whether to send again: no, yes, or yes after seconds."""

    def verdict(failure: Exception) -> bool | float:
        trouble = _trouble(failure)
        if trouble is None or trouble not in _REPEATED[retry]:
            return False
        if isinstance(failure, Unsettled):
            wait = retry_after_seconds(failure.reply.header("retry-after"), clock.now())
            return True if wait is None else wait
        return True

    return verdict


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """Given a Retry-After in seconds or as an HTTP date, return how long to wait, at most
    LONGEST_WAIT_SECONDS; None if there is none or it makes no sense."""
    if text is None:
        return None
    if _SECONDS.fullmatch(text.strip()):
        wanted = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        wanted = (moment - now).total_seconds()
    return min(max(wanted, 0.0), LONGEST_WAIT_SECONDS)


def _trouble(failure: Exception) -> Trouble | None:
    match failure:
        case Unsettled(reply=Reply(status=429)):
            return Trouble.TOO_MANY_REQUESTS
        case Unsettled():
            return Trouble.SERVER_ERROR
        case Unreachable() | TimedOut() | ConnectionLost():
            if failure.maybe_carried_out:
                return Trouble.MAYBE_CARRIED_OUT
            return Trouble.NOT_CARRIED_OUT
        case _:
            return None


def _log_retry(details: RetryDetails) -> None:
    """Log one retry. Stamina's own hook would log arguments and the exception's repr.

    In words: a record with the exception would keep its reply and its request, key and all, for as
    long as a handler keeps the record.
    """
    logger.warning("%s; trying again in %.1f seconds", str(details.caused_by), details.wait_for)


set_on_retry_hooks([_log_retry])

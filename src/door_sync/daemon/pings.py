"""Tells a dead-man's switch that cycles run: start, success, fail (as healthchecks.io does).

Whoever keeps the switch calls a person when they stop coming. The address is a secret: whoever
knows it can say that all is well. It stands in no log and in no error.
"""

import threading
from queue import Empty, SimpleQueue
from typing import Final
from urllib.parse import urlsplit

import structlog

from door_sync.app.remembering import AlertMemory
from door_sync.app.report import CycleReport, Ending
from door_sync.core.causes import Identity
from door_sync.http import AuthorityTls, HttpClient, PlainHttp, Request, RetryClass
from door_sync.ports import Clock, DoorSyncError
from door_sync.settings import Secret

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.pings")

TIMEOUT_SECONDS: Final = 5.0
"""How long one ping may take."""

_MOST_WAITING: Final = 4
START, SUCCESS, FAIL = "/start", "", "/fail"
_SIDES = (Identity.SOURCE, Identity.TARGET)


class DeadMan:
    """The switch of one site. A thread of its own sends, in order, so that no cycle waits; if the
    other end is slow, what is more than a few pings old is left out."""

    def __init__(
        self, address: Secret | None, clock: Clock, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._address = address
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Say that a cycle begins."""
        self._send(START)

    def end(self, report: CycleReport, alerts: AlertMemory, after_failures: int) -> None:
        """Say how a cycle ended: success with exit code 0, fail with another one.

        A side that gives no answer is a failure once that is told as an alert, too
        (`alert.after_failures`); until then neither is said, for it often passes.
        """
        if report.ending is Ending.CLEAN:
            self._send(SUCCESS)
        elif not _may_still_pass(report, alerts, after_failures):
            self._send(FAIL)

    def broke(self) -> None:
        """Say that a cycle broke off with a fault of the program."""
        self._send(FAIL)

    def close(self) -> None:
        """Send what is waiting, as far as that goes within the time of two pings."""
        if self._thread is None:
            return
        self._waiting.put(None)
        self._thread.join(2 * self._timeout_seconds)
        self._thread = None

    def _send(self, suffix: str) -> None:
        if self._address is None:
            return
        while self._waiting.qsize() >= _MOST_WAITING:
            try:
                self._waiting.get_nowait()
            except Empty:
                break
        self._waiting.put(suffix)
        if self._thread is None:
            name = "door-sync pings"
            self._thread = threading.Thread(
                target=self._work, args=(self._address,), name=name, daemon=True
            )
            self._thread.start()

    def _work(self, address: Secret) -> None:
        while (suffix := self._waiting.get()) is not None:
            try:
                self._ping(address, suffix)
            except (DoorSyncError, ValueError) as error:  # their texts name the host
                log.warning("a dead-man ping was not sent", code=type(error).__name__)

    def _ping(self, address: Secret, suffix: str) -> None:
        parts = urlsplit(address.reveal())
        query = f"?{parts.query}" if parts.query else ""
        path = f"{parts.path.rstrip('/')}{suffix}" or "/"
        with HttpClient(
            f"{parts.scheme}://{parts.netloc}",
            headers={},
            tls=PlainHttp() if parts.scheme == "http" else AuthorityTls(),
            timeout_seconds=self._timeout_seconds,
            clock=self._clock,
            attempts=1,
            max_body_bytes=2**16,
            trust_environment_proxies=True,
        ) as client:
            request = Request("GET", f"{path}{query}", RetryClass.NEVER, is_write=False)
            status = client.send(request).status
        if not 200 <= status < 300:
            log.warning("a dead-man ping was not taken", status=status)


def _may_still_pass(report: CycleReport, alerts: AlertMemory, after_failures: int) -> bool:
    """Say whether a side gave no answer, and too seldom for anybody to be told of it."""
    if report.error is None or report.troubles:
        return False
    return any(
        one.identity in _SIDES
        and one.cause.may_pass
        and one.announced is None
        and one.failures < after_failures
        for one in alerts.standing or ()
    )

"""Cycle after cycle, with a pause between, until a signal says to end."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType

import structlog

from door_sync.app.faults import where
from door_sync.app.report import CycleReport, Ending
from door_sync.ports import DoorSyncError, LockHeld

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.daemon")

_LEVEL = {
    Ending.CLEAN: logging.INFO,
    Ending.HELD: logging.WARNING,
    Ending.PARTIAL: logging.WARNING,
    Ending.FAILED: logging.ERROR,
}


class Stop:
    """The wish that the loop may end.

    A signal handler interrupts the main thread anywhere, also while that holds the lock inside a
    threading.Event, and would then wait for it for ever. A SimpleQueue may be filled at any moment.
    """

    def __init__(self) -> None:
        self._wishes: SimpleQueue[str] = SimpleQueue()

    def ask(self, why: str) -> None:
        """Let the loop end after the cycle in progress."""
        self._wishes.put(why)

    def wait(self, seconds: float) -> str:
        """Wait until somebody asks, at most so long; return why, or "" if nobody did."""
        try:
            return self._wishes.get(timeout=seconds)
        except Empty:
            return ""


def run_for_ever(
    cycle: Callable[[], CycleReport],
    cadence_seconds: float,
    show: Callable[[CycleReport], None],
    stop: Stop | None = None,
) -> None:
    """Run a cycle, pause for `cadence_seconds`, and so on until SIGTERM, SIGINT or `stop`.

    A cycle in progress always ends by itself first. A bad cycle ends nothing: the next one runs.
    Raise LockHeld if another cycle of this site runs already when the first one begins: then a
    second program was started beside one that serves the site. Later, as when a person runs a
    cycle by hand, one is left out and that is all.
    """
    stop = stop or Stop()
    with _asked_by_signals(stop):
        log.info("started", cadence_seconds=cadence_seconds)
        why, is_first = stop.wait(0), True
        while not why:
            _run_one(cycle, show, is_first=is_first)
            why, is_first = stop.wait(cadence_seconds), False
        log.info("ended", why=why)


def _run_one(
    cycle: Callable[[], CycleReport], show: Callable[[CycleReport], None], *, is_first: bool
) -> None:
    try:
        report = cycle()
        _log(report)
        show(report)
    except LockHeld as error:
        if is_first:
            raise
        log.warning("no cycle this time", reason=error.message)
    except DoorSyncError as error:
        log.error("trouble", reason=error.message, remedy=error.remedy)
    except Exception as error:  # noqa: BLE001 - one bad cycle must not end years of good ones
        log.error("the cycle broke off with a fault of the program", fault=type(error).__name__)
        log.debug("the fault happened here", where=where(error))


def _log(report: CycleReport) -> None:
    why = {"reason": report.reason()} if report.ending is not Ending.CLEAN else {}
    log.log(
        _LEVEL[report.ending],
        "cycle",
        cycle=report.cycle_id,
        ending=report.ending.name.lower(),
        **report.summary(),
        **why,
    )


@contextmanager
def _asked_by_signals(stop: Stop) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for the end; put the former handlers back at the end."""

    def ask(number: int, _frame: FrameType | None) -> None:
        stop.ask(signal.Signals(number).name)
        if sys.stderr is not None and sys.stderr.isatty():
            # The log may be in the middle of a line, and takes no second one inside of it.
            os.write(sys.stderr.fileno(), b"Ending after the cycle in progress.\n")

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may take signals; whoever runs us here has `stop`
        return
    former = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)

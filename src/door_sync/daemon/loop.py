"""Cycle after cycle, on a cadence, until a signal says to end."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from door_sync.app.report import CycleReport
from door_sync.ports import DoorSyncError

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.daemon")


def run_for_ever(
    cycle: Callable[[], CycleReport],
    cadence_seconds: float,
    show: Callable[[CycleReport], None],
    stop: threading.Event | None = None,
) -> None:
    """Run a cycle every `cadence_seconds` until SIGTERM, SIGINT or `stop`.

    A cycle in progress always ends by itself first. A bad cycle ends nothing: the next one runs.
    """
    stop = stop or threading.Event()
    with _ended_by_signals(stop):
        log.info("started", cadence_seconds=cadence_seconds)
        while not stop.is_set():
            _one(cycle, show)
            stop.wait(cadence_seconds)
        log.info("ended")


def _one(cycle: Callable[[], CycleReport], show: Callable[[CycleReport], None]) -> None:
    try:
        report = cycle()
    except DoorSyncError as error:
        log.error("no cycle", reason=error.message, remedy=error.remedy)
    except Exception as error:  # noqa: BLE001 - one bad cycle must not end years of good ones
        log.error("the cycle broke off with a fault of the program", fault=type(error).__name__)
    else:
        log.info(
            "cycle",
            cycle=report.cycle_id,
            ending=report.ending.name.lower(),
            **report.summary(),
        )
        show(report)


@contextmanager
def _ended_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set the event; put the former handlers back at the end."""

    def end(number: int, _frame: FrameType | None) -> None:
        log.info("ending after the cycle in progress", signal=signal.Signals(number).name)
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may take signals; whoever runs us here has the event
        return
    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)

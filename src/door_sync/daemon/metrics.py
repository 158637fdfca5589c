"""The figures of one site, as its cycles go by: for a scrape, and for a file (decision 30).

Nothing in them names a contact, a card or an address.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from door_sync import __version__
from door_sync.app.report import CycleReport, Ending
from door_sync.app.traffic import Traffic
from door_sync.core.steps import ChangeClass
from door_sync.daemon import figures
from door_sync.daemon.figures import Ledger
from door_sync.files import OpsFileError, replace_file
from door_sync.ports import Clock

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.metrics")

_FILE_MODE = 0o644
_LARGEST_FILE = 2**20

FAULT, BUSY = "fault", "busy"
"""Endings of a cycle that has no report."""

DONE, FAILED = "done", "failed"
CALLS = ACCEPTED, MERGED, REFUSED = "accepted", "merged", "refused"


class Metrics(Collector):
    """The figures of one site. Any thread may read them while a cycle adds to them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ledger = Ledger()
        self._begin()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield every figure as it is now; called by the library."""
        with self._lock:
            families = list(self._ledger.families())
        yield from families

    def text(self) -> bytes:
        """Return all figures in the format that Prometheus reads (version 0.0.4)."""
        return generate_latest(self._registry)

    @property
    def last_cycle(self) -> datetime | None:
        """When the last cycle ended that was counted; None if none was."""
        with self._lock:
            at = self._ledger.value(figures.LAST_CYCLE)
        return None if at is None else datetime.fromtimestamp(at, UTC)

    def cycle(
        self,
        report: CycleReport,
        seconds: float,
        traffic: Traffic,
        revocations: Iterable[float] = (),
    ) -> None:
        """Count a cycle that took so many seconds, and revocations that took so many each."""
        now = self._clock.now()
        with self._lock:
            self._count(report.ending.name.lower(), seconds, traffic)
            if report.ending is Ending.CLEAN:
                self._ledger.set(figures.LAST_SUCCESS, now.timestamp())
            for change in report.done:
                self._ledger.add(figures.CHANGES, 1, change.change_class.value, DONE)
            for result in report.failed:
                self._ledger.add(figures.CHANGES, 1, result.change.change_class.value, FAILED)
            if report.decision is not None:
                self._standing(report)
            for taken in revocations:
                self._ledger.note(figures.REVOCATION_SECONDS, taken)

    def broke(self, ending: str, seconds: float, traffic: Traffic) -> None:
        """Count a cycle without a report: `fault` of the program, or `busy`, if there was none."""
        with self._lock:
            self._count(ending, seconds, traffic)

    def trigger(self, outcome: str) -> None:
        """Count a call of the trigger: accepted, merged or refused."""
        with self._lock:
            self._ledger.add(figures.TRIGGER_CALLS, 1, outcome)

    def settings_refused(self, *, are: bool) -> None:
        """Take note whether the service works with old settings because the new are bad."""
        with self._lock:
            self._ledger.set(figures.SETTINGS_REFUSED, int(are))

    def go_on_from(self, path: Path) -> None:
        """Go on with the counters of a file that an earlier process wrote, if there is one."""
        try:
            if not path.is_file() or path.stat().st_size > _LARGEST_FILE:
                return
            text = path.read_text("utf-8")
            with self._lock:
                self._ledger.go_on_from(text)
        except (OSError, ValueError) as error:
            code = type(error).__name__
            log.warning("the metrics file cannot be read, counting from 0", code=code)

    def write(self, path: Path) -> None:
        """Replace the file in one move. That it cannot be written is a line in the log."""
        try:
            replace_file(path, self.text().decode("utf-8"), mode=_FILE_MODE)
        except OpsFileError as error:
            log.warning("the metrics file was not written", reason=error.message)

    def _begin(self) -> None:
        """Let every counter be there from the start: a rate is computed of a difference, and what
        appears with its first event has none."""
        ledger = self._ledger
        ledger.set(figures.BUILD, 1, __version__)
        ledger.set(figures.SETTINGS_REFUSED, 0)
        for ending in (*(one.name.lower() for one in Ending), FAULT, BUSY):
            ledger.add(figures.CYCLES, 0, ending)
        for change_class in ChangeClass:
            for outcome in (DONE, FAILED):
                ledger.add(figures.CHANGES, 0, change_class.value, outcome)
        for outcome in CALLS:
            ledger.add(figures.TRIGGER_CALLS, 0, outcome)

    def _count(self, ending: str, seconds: float, traffic: Traffic) -> None:
        ledger = self._ledger
        ledger.add(figures.CYCLES, 1, ending)
        for side, counters in traffic.sides.items():
            ledger.add(figures.REQUESTS, counters.requests, side)
            ledger.add(figures.RETRIES, counters.retries, side)
        if ending != BUSY:
            ledger.note(figures.CYCLE_SECONDS, seconds)
            ledger.set(figures.LAST_CYCLE, self._clock.now().timestamp())

    def _standing(self, report: CycleReport) -> None:
        decision = report.decision
        if decision is None:
            return
        held = Counter(change_class for _, change_class in decision.held)
        for change_class in ChangeClass:
            self._ledger.set(figures.HELD_CHANGES, held[change_class], change_class.value)
        self._ledger.set(figures.HOLDS, len({one.guard for one in decision.objections}))
        self._ledger.set(figures.BLOCKED, len(report.blocked))

"""A service in made-up time: nobody waits, and everything that happens has its moment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from door_sync.app.cycle import Progress
from door_sync.app.report import CycleReport
from door_sync.daemon.loop import Surroundings, run_for_ever
from door_sync.daemon.sd_notify import Manager
from door_sync.daemon.watching import Watch
from door_sync.daemon.wishes import Wishes
from door_sync.ports import SourceUnreachable

CADENCE = 600.0
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOOD = CycleReport(NOON, dry_run=False, key=b"", cycle_id="c1")
DOWN = CycleReport(
    NOON,
    dry_run=False,
    key=b"",
    cycle_id="c2",
    error=SourceUnreachable("CiviCRM is in maintenance mode (503)"),
)


class HandClock:
    """Seconds that go by when somebody says so, and a clock on the wall that may be put."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.wall = NOON

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)


class Day(Wishes):
    """Wishes whose waiting takes no time: the clock is put ahead to what happens next."""

    def __init__(self, clock: HandClock, end: float) -> None:
        super().__init__()
        self.clock = clock
        self.end_at = clock.seconds + end
        self.waits: list[float] = []
        self.stands_still = 0.0
        """So long the machine sleeps in the next wait: it ends that much later."""
        self._events: list[tuple[float, Callable[[], object]]] = []

    def at(self, seconds: float, happens: Callable[[], object]) -> None:
        """Let something happen, so many seconds after the beginning."""
        self._events.append((1000.0 + seconds, happens))
        self._events.sort(key=lambda event: event[0])

    def happen(self) -> None:
        """Let everything happen that is due by now."""
        while self._events and self._events[0][0] <= self.clock.seconds:
            self._events.pop(0)[1]()
        if self.clock.seconds >= self.end_at:
            self.ask_to_end("bedtime")

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        wake = self.clock.seconds + seconds
        if self._events and self._events[0][0] < wake:
            wake = max(self._events[0][0], self.clock.seconds)
        self.clock.pass_by(min(wake, self.end_at) - self.clock.seconds + self.stands_still)
        self.stands_still = 0.0
        self.happen()


class Systemd(Manager):
    """Keeps what it is told, with the time."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__("", lambda: round(clock.seconds * 1e9))
        self._clock = clock
        self.heard: list[tuple[float, dict[str, str | int]]] = []

    def tell(self, **fields: str | int) -> None:
        self.heard.append((self._clock.seconds - 1000.0, fields))

    def times(self, name: str) -> list[float]:
        """When a field was told."""
        return [at for at, fields in self.heard if name in fields]

    def values(self, name: str) -> list[str | int]:
        """What a field was told to be."""
        return [fields[name] for _, fields in self.heard if name in fields]


@dataclass
class Site:
    """Work whose cycles end as `result` says at the time; exceptions are raised.

    `during` happens in the middle of each cycle, which takes `lasts` seconds.
    """

    clock: HandClock
    day: Day
    result: Callable[[], CycleReport | BaseException] = lambda: GOOD
    lasts: float = 0.0
    during: Callable[[Progress], None] = lambda _: None
    cadence_seconds: float = CADENCE
    request_seconds: float = 60.0
    reloads: list[Callable[[], None]] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    early: list[bool] = field(default_factory=list)
    shown: list[CycleReport] = field(default_factory=list)
    show_fails: list[Exception] = field(default_factory=list)

    def cycle(self, progress: Progress, *, is_early_retry: bool) -> CycleReport:
        self.began.append(self.clock.seconds - 1000.0)
        self.early.append(is_early_retry)
        self.clock.pass_by(self.lasts / 2)
        self.day.happen()
        self.during(progress)
        self.clock.pass_by(self.lasts / 2)
        self.day.happen()
        result = self.result()
        if isinstance(result, BaseException):
            raise result
        return result

    def show(self, report: CycleReport) -> None:
        if self.show_fails:
            raise self.show_fails.pop(0)
        self.shown.append(report)

    def reload(self) -> None:
        self.reloads.pop(0)()


class World:
    """One service, its site, its systemd, for `hours` of made-up time."""

    def __init__(self, hours: float = 1.0, watchdog_seconds: float | None = None) -> None:
        self.clock = HandClock()
        self.day = Day(self.clock, hours * 3600)
        self.site = Site(self.clock, self.day)
        self.systemd = Systemd(self.clock)
        self.watch = Watch(self.systemd, self.clock, self.day, watchdog_seconds)
        self.chance = 0.0
        self.around = Surroundings(self.clock, self.watch, lambda: self.chance, self.day)

    def results(self, *results: CycleReport | BaseException) -> None:
        """Let the cycles end so, one after the other, and the day end with the last."""
        left = list(results)

        def result() -> CycleReport | BaseException:
            if len(left) == 1:
                self.day.ask_to_end("enough")
            return left.pop(0)

        self.site.result = result

    def run(self) -> list[EventDict]:
        """Run until the end; return what was logged."""
        try:
            with capture_logs() as logged:
                run_for_ever(self.site, self.around)
        finally:
            structlog.reset_defaults()
        return logged

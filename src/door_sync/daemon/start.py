"""Where the loop meets the world: time, chance, signals, the service manager."""

import random
from collections.abc import Callable, Mapping
from typing import Protocol

from door_sync.app.clock import WakingClock
from door_sync.app.cycle import Progress
from door_sync.app.report import CycleReport
from door_sync.daemon.loop import Surroundings, Work, run_for_ever
from door_sync.daemon.sd_notify import Manager, watchdog_seconds
from door_sync.daemon.watching import Watch
from door_sync.daemon.wishes import Wishes
from door_sync.settings import Settings


class Opened(Work, Protocol):
    """Work that has doors of its own to open and to close."""

    def open(self, ring: Callable[[], bool]) -> None:
        """Begin to listen for those who ask for a cycle by `ring`."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def serve(work: Opened, environ: Mapping[str, str]) -> None:
    """Do this work until a signal says to end; raise LockHeld if another program does it."""
    clock, wishes = WakingClock(), Wishes()
    watch = Watch(Manager.of(environ), clock, wishes, watchdog_seconds(environ))
    around = Surroundings(clock, watch, random.SystemRandom().random, wishes)
    work.open(around.bell.ring)
    try:
        run_for_ever(work, around)
    finally:
        work.close()


class DryRuns:
    """Dry runs again and again: nothing is told to anybody but by their reports."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Settings],
        shown: Callable[[CycleReport], None],
        run: Callable[[Settings, Progress], CycleReport],
    ) -> None:
        self._settings, self._load, self._shown, self._run = settings, load, shown, run

    @property
    def cadence_seconds(self) -> float:
        """The pause after a good run."""
        return self._settings.cadence_seconds

    @property
    def request_seconds(self) -> float:
        """How long a single request may take."""
        return self._settings.request_seconds

    def open(self, ring: Callable[[], bool]) -> None:
        """Nobody may ask for a dry run."""

    def cycle(self, progress: Progress, *, is_early_retry: bool) -> CycleReport:
        """Run one."""
        del is_early_retry  # each is the same
        return self._run(self._settings, progress)

    def show(self, report: CycleReport) -> None:
        """Hand the report on."""
        self._shown(report)

    def reload(self) -> None:
        """Read the settings again; raise BadSettings, and keep the old ones, if they are bad."""
        self._settings = self._load()

    def close(self) -> None:
        """Nothing is open."""

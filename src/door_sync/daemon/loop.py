"""Cycle after cycle, with pauses between, until a signal says to end.

The loop itself has no time, no chance and no site of its own: all of it is handed in.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog

from door_sync.app.cycle import Progress
from door_sync.app.faults import where
from door_sync.app.report import CycleReport, Ending
from door_sync.daemon.pacing import Outcome, Schedule
from door_sync.daemon.watching import Watch
from door_sync.daemon.wishes import Doorbell, Wishes, heeding_signals
from door_sync.ports import (
    Clock,
    ControllerError,
    ControllerForbids,
    DoorSyncError,
    LockHeld,
    SourceError,
    WrongController,
)
from door_sync.settings import BadSettings

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.daemon")

_LEVEL = {
    Ending.CLEAN: logging.INFO,
    Ending.HELD: logging.WARNING,
    Ending.PARTIAL: logging.WARNING,
    Ending.FAILED: logging.ERROR,
}


class Work(Protocol):
    """What the loop does again and again: the cycles of one site."""

    @property
    def cadence_seconds(self) -> float:
        """The pause after a good cycle."""
        ...

    @property
    def request_seconds(self) -> float:
        """How long a single request may take."""
        ...

    def cycle(self, progress: Progress, *, is_early_retry: bool) -> CycleReport:
        """Run one cycle, as `app.bootstrap.run_site` does."""
        ...

    def show(self, report: CycleReport) -> None:
        """Show the report to whoever reads along."""
        ...

    def reload(self) -> None:
        """Read the settings again; raise BadSettings, and keep the old ones, if they are bad."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What the loop needs of the world. `chance` draws a number from 0 to 1."""

    clock: Clock
    watch: Watch
    chance: Callable[[], float]
    wishes: Wishes
    bell: Doorbell = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bell", Doorbell(self.wishes.wake))


def run_for_ever(work: Work, around: Surroundings) -> None:
    """Run cycle after cycle until SIGTERM, SIGINT or a wish to end; read the settings again on
    SIGHUP, begin a cycle when the bell is rung.

    A cycle in progress always ends by itself first. A bad cycle ends nothing: the next one runs.
    Raise LockHeld if another cycle of this site runs already when the first one begins: then a
    second program was started beside one that serves the site. Later, as when a person runs a
    cycle by hand, one is left out and that is all.
    """
    with heeding_signals(around.wishes):
        _Loop(work, around).run()


class _Loop:
    def __init__(self, work: Work, around: Surroundings) -> None:
        self._work, self._around = work, around
        self._clock, self._watch = around.clock, around.watch
        self._schedule = Schedule(work.cadence_seconds, due=around.clock.monotonic())
        self._text = "Started"
        self._is_first = True

    def run(self) -> None:
        wishes, bell = self._around.wishes, self._around.bell
        log.info("started", cadence_seconds=self._work.cadence_seconds)
        self._expect()
        self._watch.ready(self._text)
        while not wishes.end:
            if wishes.take_reload():
                self._reload()
            now = self._clock.monotonic()
            if bell.is_rung:
                self._schedule = self._schedule.triggered(now)
            left = self._schedule.seconds_left(now)
            self._watch.sign()
            if left > 0:
                wishes.wait(min(left, self._watch.look_seconds))
                continue
            bell.answer()
            self._run_one()
        self._watch.stopping()
        log.info("ended", why=wishes.end)

    def _run_one(self) -> None:
        began = self._clock.monotonic()
        outcome, text = self._outcome(is_early_retry=self._schedule.is_early_retry(began))
        self._is_first = False
        self._schedule = self._schedule.after(
            outcome, began=began, ended=self._clock.monotonic(), chance=self._around.chance()
        )
        pause = self._schedule.seconds_left(self._clock.monotonic())
        now = self._clock.now()
        then = now + timedelta(seconds=pause)
        self._text = f"{now:%H:%M}: {text}. The next cycle begins about {then:%H:%M:%S}"
        self._watch.status(self._text)
        if outcome is Outcome.DOWN and pause < self._work.cadence_seconds / 2:
            log.info("trying again soon", seconds=round(pause))

    def _outcome(self, *, is_early_retry: bool) -> tuple[Outcome, str]:
        """Run one cycle; return what it means for the pause, and what to say of it."""
        try:
            report = self._work.cycle(self._watch, is_early_retry=is_early_retry)
            _log(report)
            self._show(report)
        except LockHeld as error:
            if self._is_first:
                raise
            log.warning("no cycle this time", reason=error.message)
            return Outcome.BUSY, "no cycle this time, another program runs one"
        except DoorSyncError as error:
            log.error("trouble", reason=error.message, remedy=error.remedy)
            return Outcome.SETTLED, f"trouble: {error.message}"
        except Exception as error:  # noqa: BLE001 - one bad cycle must not end years of good ones
            kind = type(error).__name__
            log.error("the cycle broke off with a fault of the program", fault=kind)
            log.debug("the fault happened here", where=where(error))
            return Outcome.SETTLED, f"the cycle broke off with a fault of the program ({kind})"
        reason = f", {report.reason()}" if report.ending is not Ending.CLEAN else ""
        return outcome_of(report), f"the last cycle was {report.ending.name.lower()}{reason}"

    def _show(self, report: CycleReport) -> None:
        try:
            self._work.show(report)
        except DoorSyncError as error:
            log.error("trouble", reason=error.message, remedy=error.remedy)

    def _reload(self) -> None:
        """Read the settings again; a bad file is refused, and the old settings stay."""
        self._watch.reloading()
        try:
            self._work.reload()
        except BadSettings as error:
            keys = [fault.key_path for fault in error.faults]
            log.error("settings refused, the old ones stay", faults=keys)
            self._text = f"New settings refused, the old ones stay; wrong: {', '.join(keys)}"
        else:
            self._schedule = self._schedule.with_cadence(
                self._work.cadence_seconds, self._clock.monotonic()
            )
            log.info("settings read again", cadence_seconds=self._work.cadence_seconds)
            self._text = "Settings read again"
            self._expect()
        self._watch.ready(self._text)

    def _expect(self) -> None:
        if self._watch.expect(self._work.request_seconds):
            log.warning(
                "WatchdogSec is shorter than one request may take; systemd was given a longer one",
                request_seconds=self._work.request_seconds,
            )


def outcome_of(report: CycleReport) -> Outcome:
    """Return what a cycle means for the pause after it.

    A wrong certificate and a key that is refused are nothing that passes by itself; all else that
    is wrong with a side may be a restart that a few minutes mend.
    """
    match report.error:
        case WrongController() | ControllerForbids():
            return Outcome.SETTLED
        case SourceError() | ControllerError():
            return Outcome.DOWN
        case _:
            return Outcome.SETTLED


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

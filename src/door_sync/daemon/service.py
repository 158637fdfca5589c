"""The service of one site: its cycles, with everything that tells of them, under one's settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from door_sync.app.cycle import Progress
from door_sync.app.remembering import AlertMemory
from door_sync.app.report import CycleReport
from door_sync.app.traffic import Traffic
from door_sync.daemon.hooks import Hooks, Offer
from door_sync.daemon.listener import CannotListen, Listener
from door_sync.daemon.metrics import BUSY, FAULT, Metrics
from door_sync.daemon.pings import DeadMan
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import Clock, JournalError, LockHeld
from door_sync.settings import BadSettings, Settings
from door_sync.settings.addresses import listen_address

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.daemon")


class RunSite(Protocol):
    """Runs one live cycle: `app.bootstrap.run_site`, or a test's own."""

    def __call__(
        self,
        settings: Settings,
        progress: Progress,
        *,
        alerts: AlertMemory,
        traffic: Traffic,
        is_early_retry: bool,
    ) -> CycleReport: ...


class Told:
    """Cycles of one site that are counted, and told to a dead-man's switch."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.alerts = AlertMemory()
        self.metrics = Metrics(clock)
        self._clock = clock
        self._settings = settings
        self._dead_man = DeadMan(settings.secrets.dead_man_url, clock)
        if settings.ops.metrics_textfile is not None:
            self.metrics.go_on_from(settings.ops.metrics_textfile)

    def use(self, settings: Settings) -> None:
        """Go on with other settings."""
        former, self._settings = self._settings, settings
        if settings.secrets.dead_man_url != former.secrets.dead_man_url:
            self._dead_man.close()
            self._dead_man = DeadMan(settings.secrets.dead_man_url, self._clock)

    def cycle(self, run: Callable[[AlertMemory, Traffic], CycleReport]) -> CycleReport:
        """Run one cycle and tell of it, whatever becomes of it; raise what it raises."""
        began, traffic = self._clock.monotonic(), Traffic()
        self._dead_man.start()
        try:
            report = run(self.alerts, traffic)
        except LockHeld:
            self.metrics.broke(BUSY, 0, traffic)  # the other cycle tells of itself
            raise
        except Exception:
            self.metrics.broke(FAULT, self._clock.monotonic() - began, traffic)
            self._dead_man.broke()
            raise
        else:
            seconds = self._clock.monotonic() - began
            self.metrics.cycle(report, seconds, traffic, self._revocations(report))
            after_failures = self._settings.alert.after_failures
            self._dead_man.end(report, self.alerts, after_failures)
        finally:
            self.write()
        return report

    def _revocations(self, report: CycleReport) -> tuple[float, ...]:
        """Return how long the revocations took that were proven since the last cycle ended."""
        since = self.metrics.last_cycle or report.started
        path = self._settings.ops.history_db
        if not report.cycle_id:
            return ()
        try:
            with SqliteJournal.open_read_only(path, self._clock) as journal:
                return journal.proven_seconds(since)
        except JournalError:
            return ()  # the report says already what is wrong with the journal

    def write(self) -> None:
        """Write the figures into their file, if there is one."""
        if self._settings.ops.metrics_textfile is not None:
            self.metrics.write(self._settings.ops.metrics_textfile)

    def close(self) -> None:
        """Let the last ping go out."""
        self._dead_man.close()


@dataclass(frozen=True)
class _Listening:
    """What is wanted of the listener; it is made anew when that changes."""

    listen: str
    offer: Offer


class Service:
    """Does the work of the loop (`loop.Work`) for one site.

    `load` reads the settings again, `shown` hands each report on, `run` runs one live cycle.
    """

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Settings],
        clock: Clock,
        shown: Callable[[CycleReport], None],
        run: RunSite,
    ) -> None:
        self._settings, self._load, self._clock = settings, load, clock
        self._shown, self._run = shown, run
        self._told = Told(settings, clock)
        self._ring: Callable[[], bool] = lambda: False
        self._listener: Listener | None = None
        self._listening: _Listening | None = None

    @property
    def cadence_seconds(self) -> float:
        """The pause after a good cycle."""
        return self._settings.cadence_seconds

    @property
    def request_seconds(self) -> float:
        """How long a single request may take."""
        return self._settings.request_seconds

    @property
    def port(self) -> int:
        """The port that it listens on; 0 if on none."""
        return self._listener.port if self._listener is not None else 0

    def open(self, ring: Callable[[], bool]) -> None:
        """Begin to listen, if the settings want it; `ring` asks for a cycle."""
        self._ring = ring
        self._listen()

    def cycle(self, progress: Progress, *, is_early_retry: bool) -> CycleReport:
        """Run one cycle."""
        self._listen()  # what had the port before may be gone
        settings = self._settings
        return self._told.cycle(
            lambda alerts, traffic: self._run(
                settings, progress, alerts=alerts, traffic=traffic, is_early_retry=is_early_retry
            )
        )

    def show(self, report: CycleReport) -> None:
        """Hand the report on."""
        self._shown(report)

    def reload(self) -> None:
        """Read the settings again; raise BadSettings, and keep the old ones, if they are bad."""
        try:
            settings = self._load()
        except BadSettings:
            self._told.metrics.settings_refused(are=True)
            self._told.write()
            raise
        self._settings = settings
        self._told.use(settings)
        self._told.metrics.settings_refused(are=False)
        self._told.write()
        self._listen()

    def close(self) -> None:
        """Stop listening, and let the last ping go out."""
        self._stop_listening()
        self._told.close()

    def _listen(self) -> None:
        """Listen as the settings say. An address that cannot be had is a line in the log, and is
        tried again before the next cycle: the doors do not wait for it."""
        settings = self._settings
        offer = Offer(settings.secrets.trigger_secret, settings.daemon.metrics)
        listen = settings.daemon.listen
        wanted = None
        if listen is not None and (offer.secret is not None or offer.metrics):
            wanted = _Listening(listen, offer)
        if wanted == self._listening:
            return
        self._stop_listening()
        if wanted is None:
            return
        hooks = Hooks(wanted.offer, self._ring, self._told.metrics, self._clock)
        listener = Listener(hooks.app, listen_address(wanted.listen))
        try:
            listener.start()
        except CannotListen as error:
            log.error("not listening", reason=error.message, remedy=error.remedy)
            return
        self._listener, self._listening = listener, wanted
        trigger, metrics = offer.secret is not None, offer.metrics
        log.info("listening", on=wanted.listen, trigger=trigger, metrics=metrics)

    def _stop_listening(self) -> None:
        listener, self._listener, self._listening = self._listener, None, None
        if listener is not None:
            listener.stop()

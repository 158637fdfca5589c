"""A site whose cycles are run by the service's own loop, years of them in one process.

The loop, the service, the settings and everything that a cycle opens anew are the real thing. Time
passes when the loop waits, and takes none.
"""

import random
import socket
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from queue import SimpleQueue

from door_sync.app.bootstrap import run_site
from door_sync.app.cycle import Progress
from door_sync.app.report import CycleReport
from door_sync.daemon.loop import Surroundings, run_for_ever
from door_sync.daemon.sd_notify import Manager
from door_sync.daemon.service import Service
from door_sync.daemon.watching import Watch
from door_sync.daemon.wishes import Wishes
from door_sync.settings import load_settings
from tests.club import ImpatientClock
from tests.properties.office import Office

PATIENCE_SECONDS = 120.0
KEPT_FILES = 36
"""Rotated audit files that are kept, as logrotate counts them."""


class PassingClock(ImpatientClock):
    """A clock whose seconds go by as its days do, and which a wait puts ahead."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return super().monotonic() + self.ahead.total_seconds()

    def sleep(self, seconds: float) -> None:
        """Let this time pass at once."""
        self.ahead += timedelta(seconds=max(0.0, seconds))


class Turns(Wishes):
    """Wishes whose waits take no time, but only as long as somebody wants a cycle."""

    def __init__(self, clock: PassingClock) -> None:
        super().__init__()
        self._clock = clock
        self._wanted = threading.Event()
        self.rests = threading.Event()

    def want(self) -> None:
        """Let time pass until the next cycle has run."""
        self.rests.clear()
        self._wanted.set()

    def had(self) -> None:
        """Let the loop rest again, once the cycle in progress is over."""
        self._wanted.clear()

    def ask_to_end(self, why: str) -> None:
        """Let the loop end."""
        super().ask_to_end(why)
        self._wanted.set()

    def wait(self, seconds: float) -> None:
        """Wait so long by the clock; first for somebody who wants a cycle."""
        if not self._wanted.is_set():
            self.rests.set()
            assert self._wanted.wait(PATIENCE_SECONDS), "nobody wants a cycle any more"
        self._clock.sleep(seconds)


class Daemon:
    """The service's loop in a thread of its own, one cycle at a time."""

    def __init__(self, service: Service, clock: PassingClock, chance: random.Random) -> None:
        self._service = service
        self._turns = Turns(clock)
        self._ends: SimpleQueue[CycleReport | BaseException] = SimpleQueue()
        watch = Watch(Manager(""), clock, self._turns)
        around = Surroundings(clock, watch, chance.random, self._turns)
        service.open(around.bell.ring)
        self._thread = threading.Thread(target=run_for_ever, args=(self, around))

    # What the loop does (`loop.Work`).

    @property
    def cadence_seconds(self) -> float:
        """The pause after a good cycle."""
        return self._service.cadence_seconds

    @property
    def request_seconds(self) -> float:
        """How long a single request may take."""
        return self._service.request_seconds

    def cycle(self, progress: Progress, *, is_early_retry: bool) -> CycleReport:
        """Run the service's cycle, and hand its end to who waits for it."""
        self._turns.had()
        try:
            report = self._service.cycle(progress, is_early_retry=is_early_retry)
        except BaseException as error:
            self._ends.put(error)
            raise
        self._ends.put(report)
        return report

    def show(self, report: CycleReport) -> None:
        """Show it to nobody."""

    def reload(self) -> None:
        """Read the settings again."""
        self._service.reload()

    # What a test does.

    def next_cycle(self) -> CycleReport:
        """Let time pass until a cycle has run, and return when the loop rests again."""
        self._turns.want()
        if self._thread.ident is None:
            self._thread.start()  # its first cycle is due at once
        end = self._ends.get(timeout=PATIENCE_SECONDS)
        assert self._turns.rests.wait(PATIENCE_SECONDS), "the loop does not come to rest"
        if isinstance(end, BaseException):
            raise end
        return end

    def read_settings_again(self) -> None:
        """Ask for that, as SIGHUP does; it is done before the next cycle."""
        self._turns.ask_to_reload()

    def close(self) -> None:
        """End the loop as SIGTERM does."""
        self._turns.ask_to_end("the years are over")
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_SECONDS)
            assert not self._thread.is_alive()
        self._service.close()


@dataclass
class ServedOffice(Office):
    """A site with the retention of a new installation, whose cycles its service runs; somebody may
    run one by hand, in a process of its own."""

    chance: random.Random = field(default_factory=random.Random)
    is_by_hand: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        config = self.directory / "config.toml"
        text = config.read_text()
        for key in ("keep_changes_days = 30\n", "keep_quiet_cycles_days = 2\n"):
            assert key in text
            text = text.replace(key, "")
        figures = f'[ops]\nmetrics_textfile = "{self.metrics}"\n'
        self._port = _free_port()
        daemon = f'[daemon]\nlisten = "127.0.0.1:{self._port}"\nmetrics = true\n'
        config.write_text(f"{text.replace('[ops]', figures, 1)}{daemon}")
        env = self.directory / ".env"
        self.settings = load_settings(config, env, {}).settings
        clock = self.club.clock
        assert isinstance(clock, PassingClock)
        service = Service(
            self.settings,
            lambda: load_settings(config, env, {}).settings,
            clock,
            lambda _: None,
            partial(run_site, clock=clock),
        )
        self.daemon = Daemon(service, clock, self.chance)

    @property
    def metrics(self) -> Path:
        """Where the figures for monitoring are."""
        return self.directory / "door-sync.prom"

    def cycle(self) -> CycleReport:
        """Let the service run its next cycle, or run one beside it."""
        if self.is_by_hand:
            return super().cycle()
        self._look_for_thread()
        return self.daemon.next_cycle()

    def rotate(self, *, by_copy: bool) -> None:
        """Rotate the audit file, and throw away what is older than the last files."""
        oldest = Path(f"{self.audit}.{KEPT_FILES}")
        oldest.unlink(missing_ok=True)
        super().rotate(by_copy=by_copy)

    def scrape(self) -> str:
        """Ask the service for its figures, as Prometheus does."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            assert answer.status == 200
            return answer.read().decode()
        finally:
            connection.close()

    def clear_away(self) -> None:
        """Forget the mails that were read, and the threads that took them."""
        self.server.mails.clear()
        self.server.heard.clear()
        self.server._threads[:] = [one for one in self.server._threads if one.is_alive()]
        self._taken = 0

    def close(self) -> None:
        """End the service."""
        self.daemon.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])

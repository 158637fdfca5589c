"""Tells the service manager how it goes, from the loop's own progress (sd_notify(3)).

systemd restarts a service from which it hears nothing for a while (WatchdogSec). So a sign of life
is sent where something moves: with each answer of either side, each step, each look around in a
pause. No thread sends it by itself, or a cycle that hangs for ever would look alive.
"""

from typing import Final

from door_sync.app.cycle import Progress
from door_sync.daemon.sd_notify import Manager
from door_sync.daemon.wishes import Wishes
from door_sync.ports import Clock

LONGEST_LOOK_SECONDS: Final = 30.0
"""How long the loop pauses at most without looking at the clock: that stands still while the
machine sleeps, and so does a wait."""

SLACK_SECONDS: Final = 90.0
"""What may pass without an answer besides one request: a server's Retry-After, an alert."""

_SIGN_INTERVAL_SECONDS: Final = 1.0
_MICRO: Final = 1_000_000


class Watch(Progress):
    """The progress of a service. `watchdog_seconds`: how often systemd wants to hear of it."""

    def __init__(
        self, manager: Manager, clock: Clock, wishes: Wishes, watchdog_seconds: float | None = None
    ) -> None:
        self._manager = manager
        self._clock = clock
        self._wishes = wishes
        self._watchdog_seconds = watchdog_seconds
        self._patience_seconds = SLACK_SECONDS
        self._signed_at: float | None = None
        self._stage = ""

    @property
    def look_seconds(self) -> float:
        """How long the loop may pause before it looks around."""
        limit = self._watchdog_seconds
        return LONGEST_LOOK_SECONDS if limit is None else min(LONGEST_LOOK_SECONDS, limit / 2)

    def expect(self, request_seconds: float) -> bool:
        """Take note how long one request may take; say whether the watchdog had to be given more
        time than the unit file does, because a cycle that is merely slow would be killed."""
        self._patience_seconds = request_seconds + SLACK_SECONDS
        if self._watchdog_seconds is None or self._watchdog_seconds >= self._patience_seconds:
            return False
        self._manager.tell(WATCHDOG_USEC=round(self._patience_seconds * _MICRO))
        return True

    def ready(self, status: str) -> None:
        """Say that the service has started, or that it works with its settings again."""
        self._manager.tell(READY=1, STATUS=status)

    def reloading(self) -> None:
        """Say that the settings are being read again; `ready` is to follow."""
        self._manager.reloading("Reading the settings again")

    def stopping(self) -> None:
        """Say that the service ends."""
        self._manager.tell(STOPPING=1, STATUS="Ending")

    def status(self, text: str) -> None:
        """Show a line in `systemctl status`."""
        self._manager.tell(STATUS=text)

    def sign(self) -> bool:
        """Give a sign of life, once a second at most; say whether one was given.

        While somebody waits for the end of a cycle, to stop the service or to have the settings
        read, they are asked for more time: the cycle goes on.
        """
        now = self._clock.monotonic()
        if self._signed_at is not None and now - self._signed_at < _SIGN_INTERVAL_SECONDS:
            return False
        self._signed_at = now
        if self._wishes.end or self._wishes.wants_reload:
            self._manager.tell(
                WATCHDOG=1, EXTEND_TIMEOUT_USEC=round(self._patience_seconds * _MICRO)
            )
        else:
            self._manager.tell(WATCHDOG=1)
        return True

    def stage(self, text: str) -> None:
        """Show what a cycle does now."""
        self._stage = text
        self.status(text)
        self.sign()

    def steps(self, done: int, all_: int) -> None:
        """Take a step for a sign of life, and show it."""
        if self.sign():
            self.status(f"{self._stage}: {done} of {all_}")

    def goes_on(self) -> None:
        """Take an answer for a sign of life; any thread may call."""
        self.sign()


class Both(Progress):
    """Two progresses told as one."""

    def __init__(self, one: Progress, other: Progress) -> None:
        self._all = (one, other)

    def stage(self, text: str) -> None:
        """Tell both."""
        for one in self._all:
            one.stage(text)

    def steps(self, done: int, all_: int) -> None:
        """Tell both."""
        for one in self._all:
            one.steps(done, all_)

    def goes_on(self) -> None:
        """Tell both."""
        for one in self._all:
            one.goes_on()

"""The machine's own time, for everything that is handed a clock."""

import time
from datetime import datetime


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the local time with its zone."""
        return datetime.now().astimezone()

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class WakingClock(SystemClock):
    """The machine's own time, for whoever waits for hours: sleep of the machine counts."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, those included that the machine slept."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

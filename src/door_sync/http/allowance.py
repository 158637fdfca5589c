"""What one reading of many requests may cost in all (decision 43).

Each try has a deadline and each reply a largest size. That is not enough against a side that
answers every request a little before its deadline, or goes on giving pages for ever.
"""

import threading
from typing import Final

from door_sync.http.errors import TooMuch
from door_sync.ports import Clock

LONGEST_READING_SECONDS: Final = 1800.0
LARGEST_READING_BYTES: Final = 512 * 2**20
"""Decompressed; 100,000 members take about a quarter of it on either side."""


class Allowance:
    """The time and the bytes that are left for one reading. Threads may share it."""

    def __init__(
        self,
        clock: Clock,
        host: str,
        seconds: float = LONGEST_READING_SECONDS,
        most_bytes: int = LARGEST_READING_BYTES,
    ) -> None:
        self._clock = clock
        self._host = host
        self._seconds = seconds
        self._end = clock.monotonic() + seconds
        self._most_bytes = most_bytes
        self._bytes = 0
        self._counting = threading.Lock()

    def seconds_left(self) -> float:
        """Return how long the next try may take; raise TooMuch if the time is used up."""
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise TooMuch(
                host=self._host,
                reason=f"one reading of it was not done after {self._seconds / 60:g} minutes",
            )
        return left

    def spend(self, body: bytes) -> None:
        """Count the body of a reply; raise TooMuch if that makes too many bytes."""
        with self._counting:
            self._bytes += len(body)
            is_over = self._bytes > self._most_bytes
        if is_over:
            raise TooMuch(
                host=self._host,
                reason=f"the answers of one reading came to more than {self._most_bytes:,} bytes",
            )

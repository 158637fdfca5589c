"""When the next cycle is due: cadence, jitter, back-off while a side is down, and triggers.

Pure. All times are seconds of one clock that never runs backwards; the chance is handed in. This
file owns the rules:

* after a good cycle, and after one that only a person can mend, a pause of `cadence` follows;
* while a side is down, the pause is as long as it has been down so far, at least FIRST_RETRY and
  never more than the cadence. So whoever left waits at most twice as long as the side was away;
* each pause is shortened by up to JITTER of it, by chance, so that many sites do not ask at once;
* a trigger lets a cycle begin at once, but not within TRIGGER_INTERVAL after the last one began.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

FIRST_RETRY_SECONDS: Final = 30.0
"""The shortest pause after a cycle that met a side that is down."""

TRIGGER_INTERVAL_SECONDS: Final = 10.0
"""How long at least between the beginning of a cycle and one that a trigger asks for."""

JITTER: Final = 0.1
"""The largest share by which chance shortens a pause."""

COUNTED: Final = 0.5
"""Which share of the cadence must lie between two failures that alerts count as two."""


class Outcome(Enum):
    """What a cycle means for the pause after it."""

    SETTLED = auto()
    """It ran to its end, or only a person can mend what stopped it."""
    DOWN = auto()
    """A side gave no answer, or none that can be believed; it may be back soon."""
    BUSY = auto()
    """Another program of this site was running a cycle."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which cycle is due when. `began`: the last one's beginning; None before the first.

    `down_since`: the end of the first of the failures in a row that go on now. `counted`: when one
    of them counted last, for whoever is told only of several (`alert.after_failures`).
    """

    cadence: float
    due: float
    began: float | None = None
    down_since: float | None = None
    counted: float | None = None

    def seconds_left(self, now: float) -> float:
        """Return how long it is to the next cycle; 0 if it is due."""
        return max(0.0, self.due - now)

    def is_early_retry(self, now: float) -> bool:
        """Say whether a cycle now, failing like the last, tells nothing new about the outage.

        Retries come quicker than the cadence; a cause that is told only after several failures
        would otherwise be told after a minute.
        """
        return self.counted is not None and now - self.counted < COUNTED * self.cadence

    def after(self, outcome: Outcome, *, began: float, ended: float, chance: float) -> "Schedule":
        """Return the schedule after a cycle; `chance` is from 0 to 1."""
        down_since, counted = None, None
        if outcome is Outcome.DOWN:
            down_since = ended if self.down_since is None else self.down_since
            counted = self.counted if self.is_early_retry(began) else began
        pause = self._pause(outcome, down_since, ended)
        return Schedule(
            self.cadence,
            due=ended + pause * (1 - JITTER * chance),
            began=began,
            down_since=down_since,
            counted=counted,
        )

    def triggered(self, now: float) -> "Schedule":
        """Return the schedule after somebody asked for a cycle."""
        soonest = now if self.began is None else max(now, self.began + TRIGGER_INTERVAL_SECONDS)
        return replace(self, due=min(self.due, soonest))

    def with_cadence(self, cadence: float, now: float) -> "Schedule":
        """Return the schedule for changed settings: a shorter cadence acts at once, a longer one
        from the next pause on."""
        return replace(self, cadence=cadence, due=min(self.due, now + cadence))

    def _pause(self, outcome: Outcome, down_since: float | None, ended: float) -> float:
        match outcome:
            case Outcome.SETTLED:
                return self.cadence
            case Outcome.DOWN:
                lasted = 0.0 if down_since is None else ended - down_since
                return min(max(lasted, FIRST_RETRY_SECONDS), self.cadence)
            case Outcome.BUSY:
                return min(FIRST_RETRY_SECONDS, self.cadence)

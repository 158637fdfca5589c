"""Every number for monitoring: its name, its kind, what it says. This file owns that truth; the
table in the handbook is compared with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.parser import text_string_to_metric_families


class Kind(Enum):
    """What may be computed of a figure."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: the name under which it is read, what it counts, and by which labels.

    `bounds` are the upper ends of a histogram's classes, in seconds.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


BUILD = Figure("door_sync_build_info", Kind.GAUGE, "1, with the version", ("version",))
CYCLES = Figure(
    "door_sync_cycles_total",
    Kind.COUNTER,
    "Cycles by ending: clean, held, partial, failed, fault, busy",
    ("ending",),
)
CYCLE_SECONDS = Figure(
    "door_sync_cycle_seconds",
    Kind.HISTOGRAM,
    "How long a cycle took",
    bounds=(1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800),
)
LAST_CYCLE = Figure(
    "door_sync_last_cycle_timestamp_seconds", Kind.GAUGE, "When the last cycle ended, Unix time"
)
LAST_SUCCESS = Figure(
    "door_sync_last_success_timestamp_seconds",
    Kind.GAUGE,
    "When the last cycle ended that was clean, Unix time",
)
CHANGES = Figure(
    "door_sync_changes_total",
    Kind.COUNTER,
    "Changes of people by class and outcome: done (and read back), failed",
    ("class", "outcome"),
)
HOLDS = Figure("door_sync_holds", Kind.GAUGE, "Guards that hold something back")
HELD_CHANGES = Figure(
    "door_sync_held_changes", Kind.GAUGE, "Changes that wait for a person, by class", ("class",)
)
BLOCKED = Figure("door_sync_blocked_cards", Kind.GAUGE, "Cards that cannot reach their member")
REVOCATION_SECONDS = Figure(
    "door_sync_revocation_seconds",
    Kind.HISTOGRAM,
    "From the beginning of the cycle, or of the urgent revoke, that learned that somebody must "
    "lose access to the read-back that proved it",
    bounds=(5, 15, 30, 60, 300, 900, 3600, 21600, 86400),
)
REQUESTS = Figure("door_sync_requests_total", Kind.COUNTER, "Requests by side", ("side",))
RETRIES = Figure(
    "door_sync_retries_total",
    Kind.COUNTER,
    "Tries beyond the first of a request, by side",
    ("side",),
)
TRIGGER_CALLS = Figure(
    "door_sync_trigger_calls_total",
    Kind.COUNTER,
    "Calls of the trigger by outcome: accepted, merged, refused",
    ("outcome",),
)
SETTINGS_REFUSED = Figure(
    "door_sync_settings_refused",
    Kind.GAUGE,
    "1 while the service works with old settings because the new ones have a fault",
)

FIGURES: Final = (
    BUILD,
    CYCLES,
    CYCLE_SECONDS,
    LAST_CYCLE,
    LAST_SUCCESS,
    CHANGES,
    HOLDS,
    HELD_CHANGES,
    BLOCKED,
    REVOCATION_SECONDS,
    REQUESTS,
    RETRIES,
    TRIGGER_CALLS,
    SETTINGS_REFUSED,
)

_KEPT: Final = {Kind.COUNTER, Kind.HISTOGRAM}
_ALSO_KEPT: Final = frozenset({LAST_CYCLE, LAST_SUCCESS, HOLDS, HELD_CHANGES, BLOCKED})
Values = tuple[str, ...]


class Ledger:
    """The values of all figures of one site. For one thread at a time."""

    def __init__(self) -> None:
        self._numbers: dict[Figure, dict[Values, float]] = {
            one: {} for one in FIGURES if one.kind is not Kind.HISTOGRAM
        }
        self._classes: dict[Figure, list[float]] = {
            one: [0.0] * (len(one.bounds) + 1) for one in FIGURES if one.kind is Kind.HISTOGRAM
        }
        self._sums: dict[Figure, float] = dict.fromkeys(self._classes, 0.0)

    def add(self, figure: Figure, amount: float, *values: str) -> None:
        """Add to a counter."""
        so_far = self._numbers[figure].get(values, 0.0)
        self._numbers[figure][values] = so_far + amount

    def set(self, figure: Figure, amount: float, *values: str) -> None:
        """Set a gauge."""
        self._numbers[figure][values] = amount

    def value(self, figure: Figure, *values: str) -> float | None:
        """Return a number as it stands; None if it was never set."""
        return self._numbers[figure].get(values)

    def note(self, figure: Figure, seconds: float) -> None:
        """Put a duration into its class of a histogram."""
        fitting = [at for at, bound in enumerate(figure.bounds) if seconds <= bound]
        self._classes[figure][fitting[0] if fitting else -1] += 1
        self._sums[figure] += seconds

    def families(self) -> Iterator[Metric]:
        """Yield all figures as the library writes them."""
        for figure in FIGURES:
            match figure.kind:
                case Kind.HISTOGRAM:
                    yield self._histogram(figure)
                case Kind.COUNTER:
                    name = figure.name.removesuffix("_total")
                    counter = CounterMetricFamily(name, figure.help, labels=figure.labels)
                    for values, number in self._numbers[figure].items():
                        counter.add_metric(values, number)
                    yield counter
                case Kind.GAUGE:
                    gauge = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
                    for values, number in self._numbers[figure].items():
                        gauge.add_metric(values, number)
                    yield gauge

    def go_on_from(self, text: str) -> None:
        """Take over what counts over many processes from a text that was written before.

        Raise ValueError for a text that is none.
        """
        samples = {
            (sample.name, tuple(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        for figure in FIGURES:
            if figure.kind is Kind.HISTOGRAM:
                self._go_on_with_classes(figure, samples)
            elif figure.kind in _KEPT or figure in _ALSO_KEPT:
                for (name, labels), number in samples.items():
                    if name == figure.name and tuple(n for n, _ in labels) == figure.labels:
                        self._numbers[figure][tuple(v for _, v in labels)] = number

    def _histogram(self, figure: Figure) -> Metric:
        ends = [f"{bound:g}" for bound in figure.bounds] + ["+Inf"]
        total, classes = 0.0, []
        for end, number in zip(ends, self._classes[figure], strict=True):
            total += number
            classes.append((end, total))
        return HistogramMetricFamily(
            figure.name, figure.help, buckets=classes, sum_value=self._sums[figure]
        )

    def _go_on_with_classes(
        self, figure: Figure, samples: Mapping[tuple[str, tuple[tuple[str, str], ...]], float]
    ) -> None:
        ends = [f"{bound:g}" for bound in figure.bounds] + ["+Inf"]
        found = [samples.get((f"{figure.name}_bucket", (("le", end),))) for end in ends]
        known = [number for number in found if number is not None]
        if len(known) < len(ends):
            return  # of an earlier version with other classes, or none at all
        before = [0.0, *known[:-1]]
        self._classes[figure] = [upto - under for upto, under in zip(known, before, strict=True)]
        self._sums[figure] = samples.get((f"{figure.name}_sum", ()), 0.0)

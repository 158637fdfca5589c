"""Where the wall time of a cycle went, told by when its requests came in and went out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.process import Spent
from benchmarks.sides import Asked

WRITE_INTERVAL_SECONDS = 0.075
"""`unifi.write_interval_ms` as it comes."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds, one phase after another; together they are the wall time.

    `starting`: up to the first request. `reading`: from there to the last answer before the first
    write. `deciding`: until the first write comes in (0 without writes). Then the writes:
    `write_answers`, what the controller needed for them; `pacing`, the pauses between them as far
    as they are the interval that is set; `between_writes`, what is left. `proving`: from the last
    write to the last answer. `ending`: from there to the end of the process.
    """

    starting: float
    reading: float
    deciding: float
    write_answers: float
    pacing: float
    between_writes: float
    proving: float
    ending: float


def phases(spent: Spent, civicrm: Sequence[Asked], unifi: Sequence[Asked]) -> Phases:
    """Divide the wall time of a process that asked these; raise ValueError if it asked nothing."""
    asked = [*civicrm, *unifi]
    if not asked:
        raise ValueError("a cycle without any request")
    writes = sorted((one for one in unifi if one.is_write), key=lambda one: one.arrived)
    first, last = min(one.arrived for one in asked), max(one.answered for one in asked)
    if not writes:
        return Phases(first - spent.began, last - first, 0, 0, 0, 0, 0, spent.ended - last)
    begin, end = writes[0].arrived, max(one.answered for one in writes)
    known = max((one.answered for one in asked if one.answered <= begin), default=begin)
    gaps = [max(0.0, after.arrived - before.answered) for before, after in pairwise(writes)]
    pacing = sum(min(gap, WRITE_INTERVAL_SECONDS) for gap in gaps)
    answers = sum(one.answered - one.arrived for one in writes)
    return Phases(
        starting=first - spent.began,
        reading=known - first,
        deciding=begin - known,
        write_answers=answers,
        pacing=pacing,
        between_writes=end - begin - answers - pacing,
        proving=last - end,
        ending=spent.ended - last,
    )

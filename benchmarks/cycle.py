"""Whole cycles of `door-sync run --once`, measured from outside, against both simulated sides."""

import json
import re
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from benchmarks.changes import Event, Happenings, fewest_writes
from benchmarks.club import entitled
from benchmarks.figures import TROUBLE
from benchmarks.phases import phases
from benchmarks.process import Spent, run
from benchmarks.replay import at_once, replay
from benchmarks.sides import Asked, Sides, club, door_sync, surroundings

REPLAYS = 3
CIVICRM_PAGE, USERS_PAGE, CARDS_PAGE = 5000, 100, 200
"""Rows in one page: as large as CiviCRM's setting allows, and as known to work on hardware."""

SETTLED = "Nothing to do"
T = TypeVar("T")

_ONE_USER = re.compile(r".*/users/[^/?]+(\?.*)?")

Figures = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Cycle:
    """One cycle: what the process spent, and what it asked of each side."""

    spent: Spent
    civicrm: list[Asked]
    unifi: list[Asked]


def measure_size(members: int, changes: Sequence[int], runs: int, say: Say) -> list[Figures]:
    """Measure a club of so many members with each number of changes, one after another.

    A cell that fails is returned with its `error`, and the others go on.
    """
    cells: list[Figures] = []
    with club(members) as sides:
        # The first cycle makes the journal, and the simulators keep their answers from it on.
        _settled(_cycle(sides), "the first cycle")
        happenings = Happenings(members)
        for count in sorted(changes):
            head = {"members": members, "changes": count}
            try:
                found = _still(sides, runs) if count == 0 else _changed(sides, happenings, count)
                cell = {**head, **found}
            except TROUBLE as failure:
                cell = {**head, "error": f"{type(failure).__name__}: {failure}"}
            cells.append(cell)
            say(_line(cell))
        if max(changes) > 0 and "error" not in cells[-1]:
            # Twice is once: what was measured did bring everything into the controller.
            try:
                _settled(_cycle(sides), "the cycle after the last one")
            except RuntimeError as failure:
                cells[-1] = {"members": members, "changes": max(changes), "error": str(failure)}
    return cells


def fewest_reads(members: int) -> dict[str, int]:
    """Return the fewest requests that read each side of the club as it begins.

    CiviCRM: the proof of the ground, contacts and memberships. The controller: policies, visitors,
    users (one of them its owner), cards.
    """
    holders = entitled(members)
    civicrm = 1 + _pages(members, CIVICRM_PAGE) + _pages(holders, CIVICRM_PAGE)
    unifi = 2 + _pages(members + 1, USERS_PAGE) + _pages(holders, CARDS_PAGE)
    return {"civicrm": civicrm, "unifi": unifi}


def _still(sides: Sides, runs: int) -> Figures:
    """Measure the cycle without changes, and what each side needs for the same answers."""
    simulators = sides.civicrm.cpu_seconds(), sides.unifi.cpu_seconds()
    cycles = [_cycle(sides) for _ in range(runs)]
    busy = [
        (after - before) / runs
        for before, after in zip(
            simulators, (sides.civicrm.cpu_seconds(), sides.unifi.cpu_seconds()), strict=True
        )
    ]
    for cycle in cycles:
        _settled(cycle, "a cycle without changes")
    middle = _middle(cycles, lambda cycle: cycle.spent.wall_seconds)
    own = {
        "civicrm": _own(sides.civicrm.facts, middle.civicrm),
        "unifi": _own(sides.unifi.facts, middle.unifi),
    }
    sides.forget()
    slower = max(own, key=lambda side: own[side])
    starting = phases(middle.spent, middle.civicrm, middle.unifi).starting
    return {
        **_told(middle),
        "runs": runs,
        "walls": [round(cycle.spent.wall_seconds, 3) for cycle in cycles],
        "fewest_reads": fewest_reads(sides.members),
        "at_once": {"civicrm": at_once(middle.civicrm), "unifi": at_once(middle.unifi)},
        "own_answers": {side: round(seconds, 3) for side, seconds in own.items()},
        "slower_side": slower,
        "times_slower_side": round(middle.spent.wall_seconds / own[slower], 3),
        "times_apart": round((middle.spent.wall_seconds - starting) / own[slower], 3),
        "simulators_cpu": {"civicrm": round(busy[0], 3), "unifi": round(busy[1], 3)},
        "deciding": _deciding(sides),
    }


def _changed(sides: Sides, happenings: Happenings, count: int) -> Figures:
    """Let so much happen and measure the cycle that brings it into the controller."""
    events = happenings.round(count)
    sides.happen(events)
    deciding = _deciding(sides)
    cycle = _cycle(sides)
    if cycle.spent.exit_code != 0 or cycle.spent.said.startswith(SETTLED):
        raise RuntimeError(f"the cycle did not go as expected:\n{cycle.spent.said[-2000:]}")
    writes = sum(one.is_write for one in cycle.unifi)
    return {
        **_told(cycle),
        "runs": 1,
        "kinds": _kinds(events),
        "writes": writes,
        "fewest_writes": fewest_writes(events),
        "read_backs": sum(_is_about_one_user(one) for one in cycle.unifi),
        "people": len(events),
        "deciding": deciding,
    }


def _told(cycle: Cycle) -> Figures:
    spent = cycle.spent
    return {
        "wall": round(spent.wall_seconds, 3),
        "cpu": round(spent.cpu_seconds, 3),
        "peak_mib": None if spent.peak_mib is None else round(spent.peak_mib, 1),
        "requests": {"civicrm": len(cycle.civicrm), "unifi": len(cycle.unifi)},
        "phases": {
            name: round(seconds, 3)
            for name, seconds in asdict(phases(spent, cycle.civicrm, cycle.unifi)).items()
        },
    }


def _cycle(sides: Sides) -> Cycle:
    sides.forget()
    spent = run(door_sync("run", "--once"), where=sides.site, environ=surroundings())
    return Cycle(spent, sides.civicrm.record(), sides.unifi.record())


def _settled(cycle: Cycle, what: str) -> None:
    """Raise RuntimeError if there was something to do."""
    if cycle.spent.exit_code != 0 or not cycle.spent.said.startswith(SETTLED):
        raise RuntimeError(f"{what} did not go as expected:\n{cycle.spent.said[-2000:]}")


def _own(facts: Figures, asked: Sequence[Asked]) -> float:
    return statistics.median(replay(facts, asked) for _ in range(REPLAYS))


def _deciding(sides: Sides) -> Figures:
    """Decide alone, in a process of its own (benchmarks.deciding)."""
    command = [sys.executable, "-m", "benchmarks.deciding", str(sides.site)]
    spent = run(command, where=sides.site, environ=surroundings())
    if spent.exit_code != 0:
        raise RuntimeError("deciding alone failed")
    found: Figures = json.loads(spent.said)
    return found


def _is_about_one_user(asked: Asked) -> bool:
    return asked.method == "GET" and _ONE_USER.fullmatch(asked.target) is not None


def _kinds(events: Sequence[Event]) -> dict[str, int]:
    found: dict[str, int] = {}
    for event in events:
        found[event.kind] = found.get(event.kind, 0) + 1
    return found


def _line(cell: Figures) -> str:
    if "error" in cell:
        return f"{cell['members']:>8} {cell['changes']:>6}  failed: {cell['error']}"
    return (
        f"{cell['members']:>8} {cell['changes']:>6} {cell['wall']:8.2f} s {cell['cpu']:7.2f} s CPU "
        f"{cell['peak_mib'] or 0:6.0f} MiB {cell['requests']['civicrm']:>4} + "
        f"{cell['requests']['unifi']:>5} requests"
    )


def _pages(rows: int, size: int) -> int:
    return max(1, -(-rows // size))


def _middle(found: Sequence[T], by: Callable[[T], float]) -> T:
    return sorted(found, key=by)[(len(found) - 1) // 2]

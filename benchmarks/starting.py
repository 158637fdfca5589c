"""How long the program takes to start: `--help`, and `plan` on a site where nobody is."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.process import Spent, run
from benchmarks.sides import club, door_sync, surroundings


def measure_starting(runs: int) -> list[dict[str, Any]]:
    """Return the figures of each kind of start, the middle one of some runs by wall time.

    `bare` is Python itself, which no program of it can do without. `plan` asks both sides, so its
    wall time holds their answers too.
    """
    here, environ = Path.cwd(), surroundings()
    python = [run([sys.executable, "-c", "pass"], where=here, environ=environ) for _ in range(runs)]
    helped = [run(door_sync("--help"), where=here, environ=environ) for _ in range(runs)]
    with club(0) as sides:
        planned = [run(door_sync("plan"), where=sides.site, environ=environ) for _ in range(runs)]
    return [
        _figures("python", python),
        _figures("door-sync --help", helped),
        _figures("door-sync plan", planned),
    ]


def _figures(what: str, spent: Sequence[Spent]) -> dict[str, Any]:
    failed = [one for one in spent if one.exit_code != 0]
    if failed:
        raise RuntimeError(f"{what} ended with {failed[0].exit_code}:\n{failed[0].said[-2000:]}")
    middle = sorted(spent, key=lambda one: one.wall_seconds)[len(spent) // 2]
    return {
        "what": what,
        "runs": len(spent),
        "wall": round(middle.wall_seconds, 3),
        "cpu": round(middle.cpu_seconds, 3),
        "peak_mib": None if middle.peak_mib is None else round(middle.peak_mib, 1),
    }

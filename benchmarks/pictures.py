"""The pictures of the handbook, drawn from the figures alone."""

from collections.abc import Mapping
from typing import Any

from benchmarks.figures import Cell, of_changes, start_of
from benchmarks.svg import Bar, Line, bars, lines

V0_MEMBERS, V0_WALL, V0_CPU, V0_PEAK = 20_000, 44.0, 3.1, 84.0
"""What was told of v0 with the same latencies; nobody measured it here."""

_PHASES = {
    "starting": "starting",
    "reading": "reading",
    "deciding": "deciding",
    "write_answers": "answers to writes",
    "pacing": "pauses",
    "between_writes": "else between writes",
    "proving": "reading back",
    "ending": "after the last answer",
}

Figures = dict[str, Any]


def pictures(figures: Figures) -> Mapping[str, str]:
    """Return each picture by its file name."""
    still = of_changes(figures, 0)
    return {
        "bench-wall.svg": lines(
            "A cycle without changes: wall time",
            "members",
            "seconds",
            [
                Line("door-sync, the whole process", _points(still, "wall")),
                Line("the slower side's own answers", [_own(cell) for cell in still]),
                Line("v0, as told", [(V0_MEMBERS, V0_WALL)]),
            ],
        ),
        "bench-cpu.svg": lines(
            "A cycle without changes: CPU time",
            "members",
            "seconds",
            [
                Line("door-sync, the whole process", _points(still, "cpu")),
                Line("aim: 1 s per 10,000 and start-up", _aim(figures, still)),
                Line("v0, as told", [(V0_MEMBERS, V0_CPU)]),
            ],
        ),
        "bench-memory.svg": lines(
            "A cycle without changes: peak memory",
            "members",
            "MiB",
            [
                Line("door-sync, the whole process", _points(still, "peak_mib")),
                Line("aim: 110 at 20,000, 350 at 100,000", [(20_000, 110), (100_000, 350)]),
                Line("v0, as told", [(V0_MEMBERS, V0_PEAK)]),
            ],
        ),
        "bench-changes.svg": _of_changes(figures),
    }


def _of_changes(figures: Figures) -> str:
    most = max((cell["changes"] for cell in figures["cells"] if "error" not in cell), default=0)
    drawn = [
        Bar(f"{cell['members']:,}", [cell["phases"][name] for name in _PHASES])
        for cell in of_changes(figures, most)
    ]
    title = f"A cycle with {most:,} changes, by members: where the time goes"
    return bars(title, "seconds", list(_PHASES.values()), drawn)


def _points(cells: list[Cell], key: str) -> list[tuple[float, float]]:
    return [(cell["members"], cell[key]) for cell in cells if cell[key] is not None]


def _own(cell: Cell) -> tuple[float, float]:
    return cell["members"], cell["own_answers"][cell["slower_side"]]


def _aim(figures: Figures, cells: list[Cell]) -> list[tuple[float, float]]:
    start = start_of(figures, "door-sync plan")
    least = start["cpu"] if start else 0.0
    return [(cell["members"], least + cell["members"] / 10_000) for cell in cells]

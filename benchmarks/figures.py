"""The figures of one measuring as they stand in docs/figures/bench.json, and how they grow."""

import json
import sqlite3
from collections.abc import Iterable
from http.client import HTTPException
from itertools import pairwise
from pathlib import Path
from typing import Any

FORMAT = 1
PER = 10_000
"""Growth is told for so many members."""

Cell = dict[str, Any]

TROUBLE = (
    *(RuntimeError, OSError, ValueError, LookupError, ArithmeticError),
    *(HTTPException, sqlite3.Error),
)
"""What may go wrong while a cell is measured; it is told, and the other cells go on."""


def good_cells(figures: dict[str, Any]) -> list[Cell]:
    """Return the cells that were measured, by members and changes."""
    cells = [cell for cell in figures["cells"] if "error" not in cell]
    return sorted(cells, key=lambda cell: (cell["members"], cell["changes"]))


def of_changes(figures: dict[str, Any], changes: int) -> list[Cell]:
    """Return the measured cells with so many changes, the smallest club first."""
    return [cell for cell in good_cells(figures) if cell["changes"] == changes]


def start_of(figures: dict[str, Any], what: str) -> Cell | None:
    """Return how the program started with these words; None if that was not measured."""
    return next((one for one in figures["starting"] if one["what"] == what), None)


def cpu_per_members(figures: dict[str, Any], cell: Cell) -> float | None:
    """Return the CPU seconds per 10,000 members, start-up apart; None if that is not known.

    Start-up is what `plan` on an empty site takes.
    """
    start = start_of(figures, "door-sync plan")
    if start is None or not cell["members"]:
        return None
    return float((cell["cpu"] - start["cpu"]) / cell["members"] * PER)


def growth(points: Iterable[tuple[float, float]]) -> list[float]:
    """Given (members, figure) in order of members, return how steeply the figure grows from each
    to the next, for 10,000 members more: the same number everywhere where it grows in a line.

    Raise ValueError if two have the same number of members.
    """
    found = []
    for (few, low), (many, high) in pairwise(points):
        if many == few:
            raise ValueError("two figures for the same number of members")
        found.append((high - low) / (many - few) * PER)
    return found


def read(path: Path) -> dict[str, Any]:
    """Return the figures of a file; raise ValueError if it is of another format."""
    figures: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if figures.get("format") != FORMAT:
        raise ValueError(f"{path.name} was not made by this benchmark")
    return figures


def write(path: Path, figures: dict[str, Any]) -> None:
    """Write the figures, so that two of them can be compared line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")

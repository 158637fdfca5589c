"""The aims that were set for the speed, each beside the figure that tells whether it is met."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Cell, cpu_per_members, good_cells, of_changes, start_of

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Aim:
    """One aim: what it asks, what was measured, and whether that is enough (None: not measured)."""

    asks: str
    measured: str
    is_met: bool | None


def aims(figures: Figures) -> list[Aim]:
    """Return every aim with what these figures say of it."""
    still = of_changes(figures, 0)
    twenty, hundred = _of_size(still, 20_000), _of_size(still, 100_000)
    start = start_of(figures, "door-sync --help")
    return [
        _each(
            "a cycle without changes takes at most 1.3 times what the slower side needs for its "
            "own answers, start-up apart",
            still,
            lambda cell: cell["times_apart"],
            1.3,
        ),
        _one(
            "a cycle without changes at 20,000 members takes less than 6 s", twenty, "wall", 6, "s"
        ),
        _each(
            "less than 1 s of CPU per 10,000 members, start-up apart",
            still,
            lambda cell: cpu_per_members(figures, cell),
            1.0,
        ),
        _all(
            "the fewest requests that read both sides",
            still,
            lambda cell: cell["requests"] == cell["fewest_reads"],
        ),
        _one("planning 100,000 members in less than 1 s", hundred, "deciding", 1, "s"),
        _one("peak memory below 110 MiB at 20,000 members", twenty, "peak_mib", 110, "MiB"),
        _one("peak memory below 350 MiB at 100,000 members", hundred, "peak_mib", 350, "MiB"),
        _one("`door-sync --help` in less than 0.2 s", start, "wall", 0.2, "s"),
        _all(
            "a changed member costs the fewest writes and one read-back",
            [cell for cell in good_cells(figures) if cell["changes"]],
            lambda cell: (
                cell["writes"] == cell["fewest_writes"] and cell["read_backs"] <= cell["people"]
            ),
        ),
    ]


def _one(asks: str, found: Cell | None, key: str, limit: float, unit: str) -> Aim:
    value = None if found is None else found[key]
    if isinstance(value, dict):
        value = value["wall"]
    if value is None:
        return Aim(asks, "–", None)
    return Aim(asks, f"{value:.2f} {unit}", value < limit)


def _each(asks: str, cells: list[Cell], of: Callable[[Cell], float | None], limit: float) -> Aim:
    """Return an aim that each size has to meet; a figure just at the limit meets it."""
    told = [(cell["members"], value) for cell in cells if (value := of(cell)) is not None]
    if not told:
        return Aim(asks, "–", None)
    measured = ", ".join(f"{value:.2f} at {members:,}" for members, value in told)
    return Aim(asks, measured, all(value <= limit for _, value in told))


def _all(asks: str, cells: list[Cell], is_met: Callable[[Cell], bool]) -> Aim:
    if not cells:
        return Aim(asks, "–", None)
    missed = list(_missed(cells, is_met))
    measured = f"not at {'; '.join(missed)}" if missed else f"in all {len(cells)} cells"
    return Aim(asks, measured, not missed)


def _missed(cells: list[Cell], is_met: Callable[[Cell], bool]) -> Iterator[str]:
    for cell in cells:
        if not is_met(cell):
            changes = f" with {cell['changes']:,} changes" if cell["changes"] else ""
            yield f"{cell['members']:,} members{changes}"


def _of_size(cells: list[Cell], members: int) -> Cell | None:
    return next((cell for cell in cells if cell["members"] == members), None)

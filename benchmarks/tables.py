"""The figures as tables of Markdown, and a page with such tables between marks brought up to date.

What stands in docs/proof.md between `<!-- bench: NAME -->` and `<!-- bench end -->` is made here
from docs/figures/bench.json; a test compares the two.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from benchmarks.aims import aims
from benchmarks.figures import Cell, cpu_per_members, good_cells, growth, of_changes

_MARKED = re.compile(
    r"(?P<head><!-- bench: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(?P<foot><!-- bench end -->)",
    re.DOTALL,
)
_NOTHING = "–"

Figures = dict[str, Any]


def with_tables(page: str, figures: Figures) -> str:
    """Return the page with every marked part made anew; raise LookupError for an unknown name."""

    def made(found: re.Match[str]) -> str:
        if found["name"] not in PARTS:
            raise LookupError(f"there is no part {found['name']!r}")
        return f"{found['head']}\n{PARTS[found['name']](figures)}\n\n{found['foot']}"

    return _MARKED.sub(made, page)


def parts_of(page: str) -> list[str]:
    """Return the names of the marked parts of a page."""
    return [found["name"] for found in _MARKED.finditer(page)]


def machine(figures: Figures) -> str:
    """Return a sentence on when and where this was measured."""
    failed = sum("error" in cell for cell in figures["cells"])
    tail = f" Cells that could not be measured: {failed}." if failed else ""
    return (
        f"Measured on {figures['date']} with Python {figures['python']} on {figures['cpus']} "
        f"processors, at a load of {figures['load']:.1f} when it began.{tail}"
    )


def still(figures: Figures) -> str:
    """Return the table of cycles without changes."""
    head = (
        "members",
        "wall s",
        "slower side alone s",
        "times that",
        "start-up apart",
        "requests CiviCRM + controller",
        "fewest",
        "CPU s",
        "CPU s per 10,000, start-up apart",
        "peak MiB",
    )
    rows = []
    for cell in of_changes(figures, 0):
        per = cpu_per_members(figures, cell)
        rows.append(
            (
                _count(cell["members"]),
                _short(cell["wall"]),
                f"{_short(cell['own_answers'][cell['slower_side']])} ({_side(cell)})",
                f"{cell['times_slower_side']:.2f}",
                f"{cell['times_apart']:.2f}",
                _sum(cell["requests"]),
                _sum(cell["fewest_reads"]),
                _short(cell["cpu"]),
                _NOTHING if per is None else f"{per:.2f}",
                _whole(cell["peak_mib"]),
            )
        )
    return _table(head, rows)


def growing(figures: Figures) -> str:
    """Return the table of how wall, CPU and memory grow from one size to the next."""
    cells = of_changes(figures, 0)
    steps = [f"{_count(few)} → {_count(many)}" for few, many in pairwise(_sizes(cells))]
    columns = [
        [f"{step:.2f}" for step in growth((cell["members"], float(cell[key])) for cell in cells)]
        for key in ("wall", "cpu")
    ]
    peaks = [cell for cell in cells if cell["peak_mib"] is not None]
    if len(peaks) == len(cells):
        columns.append(
            [f"{step:.1f}" for step in growth((c["members"], c["peak_mib"]) for c in cells)]
        )
    else:
        columns.append([_NOTHING] * len(steps))
    return _table(
        ("members", "wall s per 10,000", "CPU s per 10,000", "peak MiB per 10,000"),
        list(zip(steps, *columns, strict=True)),
    )


def changed(figures: Figures) -> str:
    """Return the table of cycles with changes."""
    head = (
        "members",
        "changes",
        "wall s",
        "requests CiviCRM + controller",
        "writes",
        "fewest",
        "read-backs",
        "pauses s",
        "answers to writes s",
        "reading back s",
        "CPU s",
        "peak MiB",
    )
    rows = [
        (
            _count(cell["members"]),
            _count(cell["changes"]),
            _short(cell["wall"]),
            _sum(cell["requests"]),
            _count(cell["writes"]),
            _count(cell["fewest_writes"]),
            _count(cell["read_backs"]),
            _short(cell["phases"]["pacing"]),
            _short(cell["phases"]["write_answers"]),
            _short(cell["phases"]["proving"]),
            _short(cell["cpu"]),
            _whole(cell["peak_mib"]),
        )
        for cell in good_cells(figures)
        if cell["changes"]
    ]
    return _table(head, rows)


def phases(figures: Figures) -> str:
    """Return the table of where the wall time went."""
    names = {
        "starting": "starting",
        "reading": "reading",
        "deciding": "deciding",
        "write_answers": "answers to writes",
        "pacing": "pauses",
        "between_writes": "else between writes",
        "proving": "reading back",
        "ending": "after the last answer",
    }
    rows = [
        (
            _count(cell["members"]),
            _count(cell["changes"]),
            *(_short(cell["phases"][name]) for name in names),
        )
        for cell in good_cells(figures)
    ]
    return _table(("members", "changes", *names.values()), rows)


def deciding(figures: Figures) -> str:
    """Return the table of planning alone."""
    rows = [
        (
            _count(cell["members"]),
            _count(cell["deciding"]["changes"]),
            f"{cell['deciding']['wall']:.3f}",
            f"{cell['deciding']['cpu']:.3f}",
        )
        for cell in good_cells(figures)
        if "deciding" in cell
    ]
    return _table(("members", "changes found", "wall s", "CPU s"), rows)


def starting(figures: Figures) -> str:
    """Return the table of starts."""
    rows = [
        (f"`{one['what']}`", f"{one['wall']:.3f}", f"{one['cpu']:.3f}")
        for one in figures["starting"]
    ]
    return _table(("start", "wall s", "CPU s"), rows)


def revoking(figures: Figures) -> str:
    """Return the table of the time from the trigger to the proven revocation."""
    rows = [
        (_count(one["members"]), _short(one["refused"]), _short(one["proven"]))
        for one in figures["revoking"]
        if "error" not in one
    ]
    return _table(("members", "trigger → door refuses s", "trigger → read back s"), rows)


def aimed(figures: Figures) -> str:
    """Return the table of aims and whether each is met."""
    words = {True: "yes", False: "**no**", None: _NOTHING}
    rows = [(one.asks, one.measured, words[one.is_met]) for one in aims(figures)]
    lines = [("aim", "measured", "met"), ("---", "---", "---"), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


PARTS: Mapping[str, Callable[[Figures], str]] = {
    "machine": machine,
    "aims": aimed,
    "still": still,
    "growing": growing,
    "changed": changed,
    "phases": phases,
    "deciding": deciding,
    "starting": starting,
    "revoking": revoking,
}
"""What may stand between marks, by name."""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["--:"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _sizes(cells: Sequence[Cell]) -> list[int]:
    return [cell["members"] for cell in cells]


def _side(cell: Cell) -> str:
    return {"civicrm": "CiviCRM", "unifi": "controller"}[cell["slower_side"]]


def _sum(requests: Mapping[str, int]) -> str:
    return f"{_count(requests['civicrm'])} + {_count(requests['unifi'])}"


def _count(number: int) -> str:
    return f"{number:,}"


def _short(number: float) -> str:
    return f"{number:.2f}"


def _whole(number: float | None) -> str:
    return _NOTHING if number is None else f"{number:.0f}"

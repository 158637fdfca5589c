"""Measure everything, and bring figures, pictures and docs/proof.md up to date: `make bench`.

`python -m benchmarks --help` tells how to measure less.
"""

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import figures as kept
from benchmarks.cycle import measure_size
from benchmarks.pictures import pictures
from benchmarks.revoking import measure_revoking
from benchmarks.sides import ROOT
from benchmarks.starting import measure_starting
from benchmarks.tables import PARTS, with_tables

MATRIX = {
    1_000: (0, 50, 1_000),
    10_000: (0, 50, 1_000),
    20_000: (0, 50),  # there for the mark of v0 and the aim for memory
    50_000: (0, 50, 1_000),
    100_000: (0, 50, 1_000),
}
REVOKING = (1_000, 10_000)
KINDS = ("starting", "cycles", "revoking")
STARTS = 9
T = TypeVar("T")
PAGE = ROOT / "docs" / "proof.md"


def main() -> int:
    """Measure what the arguments ask for; return 1 if some of it failed."""
    chosen = _arguments()
    began = time.monotonic()
    found: dict[str, Any] = {
        "format": kept.FORMAT,
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "starting": [],
        "cells": [],
        "revoking": [],
    }
    failed: list[str] = []
    if "starting" in chosen.only:
        measure = partial(measure_starting, STARTS)
        found["starting"] = _guarded(measure, "starting", failed) or []
    if "cycles" in chosen.only:
        for members in chosen.sizes or MATRIX:
            changes = chosen.changes or MATRIX.get(members, (0,))
            _say(f"{members:,} members, changes: {', '.join(map(str, changes))}")
            found["cells"] += _cells(members, changes, chosen.runs, failed)
    if "revoking" in chosen.only:
        for members in [size for size in REVOKING if not chosen.sizes or size in chosen.sizes]:
            what = f"revoking at {members:,} members"
            one = _guarded(partial(measure_revoking, members, chosen.runs), what, failed)
            found["revoking"].append(one or {"members": members, "error": failed[-1]})
    found["minutes"] = round((time.monotonic() - began) / 60, 1)
    for name, part in PARTS.items():
        _say(f"\n{name}\n{part(found)}")
    if chosen.into:
        _write(found, chosen.into, PAGE if chosen.into == ROOT / "docs" / "figures" else None)
    for failure in failed:
        _say(f"failed: {failure}")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", help="members; all of the matrix if none")
    parser.add_argument("--changes", type=int, nargs="*", help="changes, for each of the sizes")
    parser.add_argument("--runs", type=int, default=3, help="runs of a cycle without changes")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, help="what is measured")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--into",
        type=Path,
        metavar="DIRECTORY",
        help="put bench.json and the pictures there and leave the handbook as it is",
    )
    where.add_argument(
        "--handbook",
        action="store_const",
        const=ROOT / "docs" / "figures",
        dest="into",
        help="bring docs/figures and the tables in docs/proof.md up to date",
    )
    return parser.parse_args()


def _cells(
    members: int, changes: Sequence[int], runs: int, failed: list[str]
) -> list[dict[str, Any]]:
    """Measure one club; if it fails as a whole, each of its cells says so."""
    measure = partial(measure_size, members, changes, runs, _say)
    cells = _guarded(measure, f"{members:,} members", failed)
    if cells is None:
        return [{"members": members, "changes": one, "error": failed[-1]} for one in changes]
    failed += [
        f"{members:,} members, {cell['changes']:,} changes: {cell['error']}"
        for cell in cells
        if "error" in cell
    ]
    return cells


def _guarded(measure: Callable[[], T], what: str, failed: list[str]) -> T | None:
    """Return what is measured, or None after adding to `failed` why there is nothing."""
    try:
        return measure()
    except kept.TROUBLE as failure:
        failed.append(f"{what}: {type(failure).__name__}: {failure}")
        return None


def _write(found: dict[str, Any], directory: Path, page: Path | None) -> None:
    kept.write(directory / "bench.json", found)
    for name, picture in pictures(found).items():
        (directory / name).write_text(picture, "utf-8")
    if page is not None:
        page.write_text(with_tables(page.read_text("utf-8"), found), "utf-8")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    # Leave no directory and no process behind, whoever ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    raise SystemExit(main())

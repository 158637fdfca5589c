"""What a process that runs for years may not have more and more of, measured and judged.

Everything is measured when nothing runs: between two cycles, after a garbage collection.
"""

import gc
import sqlite3
import threading
import tracemalloc
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

OURS: Final = tracemalloc.Filter(True, "*/src/door_sync/*")
NOT_OURS: Final = tracemalloc.Filter(False, "*/src/door_sync/simulators/*")

KIB: Final = 1024

BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    # What garbage collectors and allocators leave about moves by some hundred KiB; a leak of one
    # page for each cycle would be several MiB in a third of 2,000 cycles.
    "resident KiB": (0.02, 2 * KIB),
    # One small object for each cycle, of 100 bytes and more, is 65 KiB in a third of 2,000 cycles.
    # Dates that were read are kept, 4,096 at most: 35 KiB for the days of that third.
    "traced KiB of door-sync": (0.0, 64),
    "objects of door-sync": (0.0, 100),
    # A connection that ends is closed by the other side a moment later.
    "open files": (0.0, 8),
    "sockets": (0.0, 8),
    "threads": (0.0, 8),
    # What a cycle remembers is about people and cards that are there now, and those do not grow.
    "rows": (0.0, 40),
    # What retention keeps of 400 days follows how lively these were.
    "journal KiB": (0.25, 256),
    "state file bytes": (0.25, 256),
    "metrics file bytes": (0.02, 512),
}
"""By how much the last third of a run may exceed the middle third: a share of it, and an amount.
The first third is left out: until retention is reached, the journal fills as it should."""


BY_AGE: Final = frozenset(
    f"rows of {table}"
    for table in (
        *("cycles", "steps", "holds", "hold_guards", "held_effects", "approvals"),
        *("cut_offs", "revocations", "alert_messages"),
    )
)
"""Rows that retention removes by their age, so that age is what they are asked for (`too_old`): one
year has three times the holds of another."""

ENDS: Final[Mapping[str, str]] = {
    "cycles": "started",
    "holds": "closed_at",
    "cut_offs": "lifted_at",
    "revocations": "ended_at",
    "alert_messages": "at",
    "approvals": "ended_at",
}
"""Tables whose rows go by their age, and when each row's began to count."""


@dataclass(frozen=True)
class Measured:
    """One look: how many cycles had run, the simulated day, amounts by name, and the objects of
    door-sync by type."""

    cycles: int
    day: float
    amounts: Mapping[str, float]
    kinds: Counter[str]


def look(cycles: int, day: float, files: Mapping[str, Path], journal: Path) -> Measured:
    """Measure this process, and the files of its site, by names that `BOUNDS` begins with."""
    gc.collect()
    found: dict[str, float] = {
        "resident KiB": _resident(),
        "traced KiB of door-sync": _traced() / KIB,
        "threads": threading.active_count(),
        **_descriptors(),
        **{name: path.stat().st_size for name, path in files.items() if path.exists()},
    }
    found["journal KiB"] = (
        sum(path.stat().st_size for path in journal.parent.glob(f"{journal.name}*")) / KIB
    )
    found |= {f"rows of {table}": count for table, count in _rows(journal).items()}
    kinds = live_objects()
    found["objects of door-sync"] = kinds.total()
    return Measured(cycles, day, found, kinds)


def growth(course: Sequence[Measured]) -> list[str]:
    """Return in words what grew more than it may from the middle third to the last third."""
    third = len(course) // 3
    middle, last = course[third : 2 * third], course[2 * third :]
    found = []
    for name in sorted({name for one in course for name in one.amounts} - BY_AGE - {"audit bytes"}):
        share, amount = _bound(name)
        before = max(one.amounts.get(name, 0.0) for one in middle)
        after = max(one.amounts.get(name, 0.0) for one in last)
        if after > before * (1 + share) + amount:
            found.append(f"{name}: {before:.0f} at most before, then {after:.0f}")
    return found


def too_old(journal: Path, now: datetime, age: timedelta) -> list[str]:
    """Return in words which rows of the journal are older than that."""
    limit = (now - age).isoformat()
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        oldest = {
            table: connection.execute(f"SELECT min({column}) FROM {table}").fetchone()[0]
            for table, column in ENDS.items()
        }
    return [f"{table}: {at}" for table, at in oldest.items() if at is not None and at < limit]


def live_objects() -> Counter[str]:
    """Count the objects of the program's own types, the simulators' apart."""
    return Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in map(type, gc.get_objects())
        if _is_ours(kind.__module__)
    )


def _is_ours(module: object) -> bool:
    return (
        isinstance(module, str)
        and module.startswith("door_sync.")
        and not module.startswith("door_sync.simulators.")
    )


def _bound(name: str) -> tuple[float, float]:
    return next(bound for key, bound in BOUNDS.items() if name.startswith(key))


def _resident() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    raise AssertionError("no line tells the resident size")


def _traced() -> int:
    if not tracemalloc.is_tracing():
        return 0
    taken = tracemalloc.take_snapshot().filter_traces([OURS, NOT_OURS])
    return sum(one.size for one in taken.statistics("filename"))


def _descriptors() -> dict[str, float]:
    targets: list[str] = []
    for one in Path("/proc/self/fd").iterdir():
        try:
            targets.append(str(one.readlink()))
        except FileNotFoundError:
            continue  # it was the one that lists the directory
    return {
        "open files": float(len(targets)),
        "sockets": float(sum(target.startswith("socket:") for target in targets)),
    }


def _rows(journal: Path) -> dict[str, float]:
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            table: float(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for (table,) in tables
        }

"""Decide alone, about what was read once: `python -m benchmarks.deciding DIRECTORY`.

Prints JSON: wall and CPU seconds of `decide` (the middle one of some runs), and how many changes it
found. The directory holds a site's config.toml and .env; nothing is written anywhere.
"""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from door_sync.app.bootstrap import parts_to_look_with
from door_sync.app.collector import collector_paused
from door_sync.app.cycle import dry_run
from door_sync.core.decision import Remembered, decide
from door_sync.settings import load_settings

RUNS = 3


def main() -> None:
    """Read both sides, then decide a few times."""
    site = Path(sys.argv[1])
    settings = load_settings(site / "config.toml", site / ".env", os.environ).settings
    with parts_to_look_with(settings) as parts:
        report = dry_run(parts)
    if report.error is not None or report.world is None:
        raise SystemExit(f"could not be read: {report.error}")
    remembered = Remembered(provisioning=False)
    spent, found = [], 0
    for _ in range(RUNS):
        # What the snapshot works out once, it works out in each run, as in each cycle.
        world = replace(report.world, snapshot=replace(report.world.snapshot))
        wall, cpu = time.perf_counter(), time.process_time()
        with collector_paused():  # as a cycle has it
            decision = decide(world, parts.habits, remembered)
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
        found = len(decision.full.changes)
    wall, cpu = sorted(spent)[RUNS // 2]
    print(json.dumps({"wall": round(wall, 4), "cpu": round(cpu, 4), "changes": found}))


if __name__ == "__main__":
    main()

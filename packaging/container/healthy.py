"""Tells a container's health: whether cycles still begin. Whether they end well is for alerts.

Reads what `door-sync status --json` prints; ends with 0 if a cycle began within so many seconds
(the one argument), else with 1 and a sentence. A hold or a CiviCRM that is down is no ill health:
starting the container anew would mend neither.
"""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path


def newest_beginning(status: dict[str, dict[str, str] | None]) -> datetime | None:
    """Return when the newest cycle of a status began; None if none ever did."""
    cycles = (status["running"], status["last_cycle"])
    return max((datetime.fromisoformat(one["started"]) for one in cycles if one), default=None)


def main() -> int:
    """Ask, and return the exit code."""
    program = Path(sys.executable).with_name("door-sync")
    asked = subprocess.run([program, "status", "--json"], stdout=subprocess.PIPE, check=False)
    if asked.returncode != 0:
        return 1
    began = newest_beginning(json.loads(asked.stdout))
    limit = timedelta(seconds=float(sys.argv[1]))
    if began is not None and datetime.now(UTC) - began <= limit:
        return 0
    sys.stdout.write(f"The newest cycle began: {began or 'never'}.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

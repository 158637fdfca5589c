"""Fuzz every target, one after the other: `python -m fuzz.every SECONDS DIRECTORY`.

The seconds are for all of them together. Prints a table; ends with 1 if there was a finding, whose
input then lies in DIRECTORY/findings, and can be run again with `fuzz.one`.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SHARES: Final = {
    "civicrm": 5,
    "unifi": 5,
    "import": 1,
    "trigger": 1,
    "plan": 1,
    "config": 2,
    "env": 1,
    "answers": 1,
    "audit": 2,
    "state": 1,
}
"""How the time is shared out: most to what comes over the network."""

_COVERED: Final = re.compile(r"cov: (\d+) ft: \d+ corp: (\d+)")
_EXECUTED: Final = re.compile(r"stat::number_of_executed_units: (\d+)")
_PEAK: Final = re.compile(r"stat::peak_rss_mb: +(\d+)")
_HEAD: Final = ("target", "seconds", "executions", "branches", "inputs kept", "peak MB", "findings")


@dataclass(frozen=True)
class Ran:
    """What one target's run printed, and whether it ended with a finding."""

    name: str
    seconds: float
    output: str
    code: int

    def row(self) -> tuple[str, ...]:
        """Return the target's row of the table."""
        covered = _COVERED.findall(self.output)
        branches, kept = covered[-1] if covered else ("?", "?")
        return (
            self.name,
            f"{self.seconds:.0f}",
            _last(_EXECUTED, self.output),
            branches,
            kept,
            _last(_PEAK, self.output),
            "1" if self.code else "0",
        )


def main(words: list[str]) -> int:
    """Fuzz every target; return 1 if one had a finding."""
    seconds, directory = float(words[0]), Path(words[1])
    share = seconds / sum(SHARES.values())
    runs = []
    for name, shares in SHARES.items():
        runs.append(_run(name, max(1.0, shares * share), directory))
        if len(runs) == 1:
            print(_line(_HEAD))
        print(_line(runs[-1].row()), flush=True)
    for run in runs:
        if run.code:
            print(f"\n{run.name} ended with {run.code}:\n{run.output[-3000:]}")
    if any(run.code for run in runs):
        print(f"The inputs are in {directory / 'findings'}: python -m fuzz.one TARGET FILE")
        return 1
    return 0


def _run(name: str, seconds: float, directory: Path) -> Ran:
    ended = subprocess.run(
        [sys.executable, "-m", "fuzz.one", name, f"{seconds:.0f}", str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        errors="replace",
    )
    return Ran(name, seconds, ended.stdout, ended.returncode)


def _last(pattern: re.Pattern[str], text: str) -> str:
    found: list[str] = pattern.findall(text)
    return f"{int(found[-1]):,}" if found else "?"


def _line(cells: tuple[str, ...]) -> str:
    return "  ".join(cell.ljust(11) for cell in cells).rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

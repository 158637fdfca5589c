"""A program measured as a whole process."""

import os
import sys
from pathlib import Path

from benchmarks.process import run

BUSY = "import sys; block = bytearray(300_000_000); print(sum(range(1_000_000))); sys.exit(3)"


def test_time_memory_words_and_ending_of_a_program_are_told(tmp_path: Path) -> None:
    spent = run([sys.executable, "-c", BUSY], where=tmp_path, environ=os.environ)
    assert (spent.exit_code, spent.said) == (3, "499999500000\n")
    assert 0 < spent.cpu_seconds < 60
    assert spent.wall_seconds > 0
    # Less than that cannot be the program's own, which is larger than whoever measures it.
    assert spent.peak_mib is None or spent.peak_mib > 280


def test_the_memory_of_a_program_smaller_than_this_one_is_not_told(tmp_path: Path) -> None:
    """The kernel would give this process's own."""
    ballast = bytearray(100_000_000)
    spent = run([sys.executable, "-c", "pass"], where=tmp_path, environ=os.environ)
    assert spent.peak_mib is None
    assert len(ballast) == 100_000_000

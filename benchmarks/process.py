"""A program as a whole process: its wall time, CPU time and peak memory."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_SECONDS = 900.0
"""Longer than any cycle of the benchmark; what takes longer hangs."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run took: CPU of user and system, and the largest resident set.

    `peak_mib` is None if the measuring process is as large: until a child becomes another program
    the kernel counts its parent's memory as the child's. `began` and `ended` are monotonic time.
    """

    began: float
    ended: float
    cpu_seconds: float
    peak_mib: float | None
    exit_code: int
    said: str = field(repr=False)

    @property
    def wall_seconds(self) -> float:
        """From the call of the program to its end."""
        return self.ended - self.began


def run(command: Sequence[str], *, where: Path, environ: Mapping[str, str]) -> Spent:
    """Run a command to its end, but no longer than LONGEST_SECONDS; it is killed then.

    Its standard error goes where ours goes.
    """
    began = time.monotonic()
    with subprocess.Popen(command, cwd=where, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        limit = threading.Timer(LONGEST_SECONDS, process.kill)
        limit.start()
        try:
            said = process.stdout.read().decode()
            _pid, status, used = os.wait4(process.pid, 0)
        finally:
            limit.cancel()
        ended = time.monotonic()
        process.returncode = os.waitstatus_to_exitcode(status)
    is_its_own = used.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Spent(
        began=began,
        ended=ended,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_mib=used.ru_maxrss / 1024 if is_its_own else None,
        exit_code=process.returncode,
        said=said,
    )

"""Commands of door-sync in processes of their own, forked from one that has imported everything.

A process starts in milliseconds so, and may be told to die, as by SIGKILL, just before or just
after a commit to its journal. Nothing of the program runs in the parent: it has no thread.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from tests.cli.conftest import environment

PATIENCE_SECONDS: Final = 60.0

PARENT: Final = Path(__file__).with_name("fork_parent.py")


@dataclass(frozen=True)
class Ended:
    """How a process ended: its code, negative for a signal; its commits; what it printed."""

    code: int
    commits: int
    said: str

    @property
    def was_killed(self) -> bool:
        """Say whether it died of SIGKILL."""
        return self.code == -signal.SIGKILL


class Forks:
    """Runs one command after the other, each in a new process."""

    def __init__(self, directory: Path) -> None:
        self._out = directory / "said"
        self._parent = subprocess.Popen(
            [sys.executable, str(PARENT)],
            env={**environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._pid = 0
        self._is_over = threading.Event()

    def run(self, *words: str, number: int = 0, when: str = "") -> Ended:
        """Run a command to its end, or let it die "before" or "after" the commit of a number."""
        self._is_over.clear()
        wish = {"words": words, "number": number, "when": when, "out": str(self._out)}
        stdin, stdout = _pipes(self._parent)
        stdin.write(f"{json.dumps(wish)}\n")
        stdin.flush()
        self._pid = _told(stdout)["pid"]
        told = _told(stdout)
        self._is_over.set()
        return Ended(told["code"], told["commits"], self._out.read_text())

    def kill(self, *_: object) -> None:
        """Kill the command that runs, from another thread; return when it is dead."""
        os.kill(self._pid, signal.SIGKILL)
        if not self._is_over.wait(PATIENCE_SECONDS):
            raise TimeoutError("the process does not die")

    def close(self) -> None:
        """End the parent."""
        self._parent.communicate(timeout=PATIENCE_SECONDS)


@contextmanager
def forks(directory: Path) -> Iterator[Forks]:
    """Yield what runs commands; they find everything in the environment of now."""
    opened = Forks(directory)
    try:
        yield opened
    finally:
        opened.close()


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _told(stdout: IO[str]) -> Any:
    return json.loads(stdout.readline())

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

_PARENT: Final = """
import json, os, signal, sqlite3, sys
import encodings.idna
from door_sync.cli.entry import COMMANDS, main
from door_sync.journal import store
import importlib
for one in COMMANDS.values():
    importlib.import_module(one.module)

class Watched(sqlite3.Connection):
    commits, number, when, is_writing = 0, 0, "", False

    def execute(self, sql, *arguments):
        if sql.startswith("BEGIN"):
            self.is_writing = sql == "BEGIN IMMEDIATE"
        if sql != "COMMIT" or not self.is_writing:
            return super().execute(sql, *arguments)
        Watched.commits += 1
        self.die_if("before")
        done = super().execute(sql, *arguments)
        self.die_if("after")
        return done

    def die_if(self, when):
        if Watched.commits == Watched.number and Watched.when == when:
            os.kill(os.getpid(), signal.SIGKILL)

class Module:
    Watched = Watched
    def __getattr__(self, name):
        return getattr(sqlite3, name)
    def connect(self, *arguments, **named):
        return sqlite3.connect(*arguments, factory=Watched, **named)

store.sqlite3 = Module()

for line in sys.stdin:
    wish = json.loads(line)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        out = os.open(wish["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        Watched.number, Watched.when = wish["number"], wish["when"]
        code = 70
        try:
            main(wish["words"])
        except SystemExit as left:
            code = left.code
        finally:
            sys.stdout.flush()
            os.write(writer, str(Watched.commits).encode())
            os._exit(code)
    os.close(writer)
    print(json.dumps({"pid": child}), flush=True)
    _, status = os.waitpid(child, 0)
    commits = os.read(reader, 20)
    os.close(reader)
    told = {"code": os.waitstatus_to_exitcode(status), "commits": int(commits or 0)}
    print(json.dumps(told), flush=True)
"""


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
            [sys.executable, "-c", _PARENT],
            env=environment(),
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

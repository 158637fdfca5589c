"""Runs commands of door-sync, each in a new process that may die at a commit to its journal.

A program of its own, started by `forks.py`: it imports door-sync once and forks, and has no thread.
"""

import json
import os
import signal
import sys
from typing import Any

from door_sync.cli.entry import main
from tests.forking import import_everything, tell, watch_commits


class Commits:
    """Counts the commits of one process, and dies before or after one of them."""

    def __init__(self, number: int, when: str) -> None:
        self.count = 0
        self._dies_at = (number, when)

    def reach(self, when: str) -> None:
        """Take note of a commit that begins, or is over."""
        self.count += when == "before"
        if (self.count, when) == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def run(wish: dict[str, Any], writer: int) -> None:
    """Run one command in this process, which ends with it."""
    out = os.open(wish["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    commits = Commits(wish["number"], wish["when"])
    watch_commits(commits.reach)
    code: Any = 70
    try:
        main(wish["words"])
    except SystemExit as left:
        code = left.code
    finally:
        sys.stdout.flush()
        os.write(writer, str(commits.count).encode())
        os._exit(code)


def serve() -> None:
    """Answer wishes, one a line, until there are no more."""
    import_everything()
    for line in sys.stdin:
        wish = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            run(wish, writer)
        os.close(writer)
        tell({"pid": child})
        _, status = os.waitpid(child, 0)
        commits = os.read(reader, 20)
        os.close(reader)
        tell({"code": os.waitstatus_to_exitcode(status), "commits": int(commits or 0)})


if __name__ == "__main__":
    serve()

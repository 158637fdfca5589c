"""Runs commands of door-sync, each in a new process, on a disk that becomes full at a wish.

A program of its own, started by `disk.py`: it imports door-sync once and forks. Started inside a
namespace of its own, it first mounts a small file system over the site's directory. Every commit
to a journal and every file that is opened to be written is a point, numbered from 1. At one of
them the disk fills, or no file may grow any more, or the process is killed.
"""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from door_sync.cli.entry import main
from tests.forking import import_everything, tell, watch_commits

SIZE = "3m"
_WRITES = os.O_WRONLY | os.O_RDWR


class Points:
    """Counts the points of one process, and acts at those that were wished for."""

    def __init__(self, site: Path, acts: dict[int, str]) -> None:
        self.told: list[str] = []
        self._site = str(site)
        self._acts = acts

    def reach(self, name: str) -> None:
        """Count a point, just before it happens."""
        self.told.append(name)
        match self._acts.get(len(self.told), ""):
            case "full":
                fill(Path(self._site))
            case "limit":
                grow_no_more()
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)

    def commits(self, when: str) -> None:
        """Take note of a commit to a journal."""
        if when == "before":
            self.reach("commits")

    def opened(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of a file that is opened to be written; an audit hook."""
        if event != "open" or not isinstance(arguments[0], str):
            return
        path, _, flags = arguments
        if path.startswith(self._site) and (flags or 0) & _WRITES and not _is_ballast(path):
            self.reach(f"opens {_plain(Path(path).name)}")


def _plain(name: str) -> str:
    """Leave out what is drawn in the name of a temporary file."""
    return f"a new {name[1:].rpartition('.')[0]}" if name.startswith(".") else name


def _is_ballast(path: str) -> bool:
    return Path(path).name == "ballast"


def fill(site: Path) -> None:
    """Leave no room on the disk."""
    with (site / "ballast").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def grow_no_more() -> None:
    """Let no file of this process be written to any more, as at the limit of its size."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))


def run(site: Path, wish: dict[str, Any]) -> dict[str, Any]:
    """Run one command in a child; return its exit code, its points, and what it printed."""
    said, says = os.pipe()
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(says, 1)
        os.dup2(says, 2)
        points = Points(site, {int(number): act for number, act in wish["acts"].items()})
        watch_commits(points.commits)
        sys.addaudithook(points.opened)
        code: Any = 70
        try:
            if wish["from the start"]:
                grow_no_more()
            main(wish["words"])
        except SystemExit as left:
            code = left.code
        finally:
            sys.stdout.flush()
            os.write(tells, json.dumps(points.told).encode())
            os._exit(code)
    os.close(says)
    os.close(tells)
    text, points_told = _all(said), _all(told)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "said": text, "points": json.loads(points_told or "[]")}


def _all(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as file:
        return file.read().decode()


def lay_out(site: Path, eve: Path, *, bare: bool) -> dict[str, Any]:
    """Put the files of the eve in place of whatever is there; if `bare` the settings alone."""
    for path in site.iterdir():
        path.unlink()
    for path in eve.iterdir():
        if not bare or path.name in ("config.toml", ".env"):
            shutil.copy(path, site)
    return {}


def mount(site: Path, how: str) -> dict[str, Any]:
    """Mount the site's small disk, or mount it anew with another option."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(site)], check=True)
    return {}


def answer(site: Path, wish: dict[str, Any]) -> dict[str, Any]:
    """Do what is wished for."""
    match wish["do"]:
        case "run":
            return run(site, wish)
        case "lay out":
            return lay_out(site, Path(wish["eve"]), bare=wish["bare"])
        case "fill":
            fill(site)
        case "make room":
            (site / "ballast").unlink(missing_ok=True)
        case "remount":
            return mount(site, f"remount,{wish['how']}")
        case unknown:
            raise ValueError(unknown)
    return {}


def serve(site: Path, *, has_disk: bool) -> None:
    """Answer wishes, one a line, until there are no more."""
    import_everything()
    if has_disk:
        mount(site, f"size={SIZE}")
    tell({"pid": os.getpid()})
    for line in sys.stdin:
        tell(answer(site, json.loads(line)))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), has_disk=sys.argv[2] == "disk")

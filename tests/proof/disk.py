"""A site on a disk of its own that becomes full: real errors of the kernel, no right needed.

Where the kernel lets an ordinary user make namespaces, the site lies on a small file system that a
ballast fills: ENOSPC in every call. Everywhere, a process may be forbidden to write one more byte
to any file (RLIMIT_FSIZE): EFBIG, which SQLite takes for an error of the disk.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from tests.cli.conftest import environment

PARENT: Final = Path(__file__).with_name("disk_parent.py")
FULL, LIMIT = "full", "limit"
_PRIVATE: Final = ("unshare", "--user", "--map-root-user", "--mount")


def can_mount() -> bool:
    """Say whether a file system can be mounted in a namespace of one's own."""
    if shutil.which("unshare") is None:
        return False
    tried = ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/tmp")
    return subprocess.run([*_PRIVATE, *tried], capture_output=True, check=False).returncode == 0


@dataclass(frozen=True)
class Ended:
    """How a command ended: its code, negative for a signal; what it printed; its points."""

    code: int
    said: str
    points: list[str]


@dataclass
class Disk:
    """The disk of one site, and commands that run on it. `is_own`: it is one of its own."""

    site: Path
    is_own: bool
    pid: int
    _parent: "subprocess.Popen[str]" = field(repr=False)

    def run(
        self,
        *words: str,
        acts: Mapping[int, str] | None = None,
        from_the_start: bool = False,
    ) -> Ended:
        """Run a command; `acts` says what happens at which point of it.

        `from_the_start`: no file may be written to at all.
        """
        where = ("--config", f"{self.site}/config.toml", "--env-file", f"{self.site}/.env")
        told = self.ask(
            "run", words=[*where, *words], acts=acts or {}, **{"from the start": from_the_start}
        )
        return Ended(told["code"], told["said"], told["points"])

    def ask(self, do: str, **more: object) -> dict[str, Any]:
        """Wish for something to be done; return the answer."""
        stdin, stdout = _pipes(self._parent)
        stdin.write(json.dumps({"do": do, **more}) + "\n")
        stdin.flush()
        answered = stdout.readline()
        assert answered, "the program that runs commands has died"
        told: dict[str, Any] = json.loads(answered)
        return told

    def there(self, name: str) -> Path:
        """Return where this process finds a file of the site."""
        root = Path(f"/proc/{self.pid}/root") if self.is_own else Path("/")
        return root / self.site.relative_to("/") / name

    def names(self) -> set[str]:
        """Return the names of everything in the site's directory."""
        return {path.name for path in self.there("").iterdir()}

    def copy_journal(self, to: Path) -> None:
        """Copy the journal, with what is in its log: SQLite finds no way to a disk of our own."""
        for end in ("", "-wal"):
            path = self.there(f"history.db{end}")
            copy = to.with_name(to.name + end)
            if path.exists():
                shutil.copyfile(path, copy)
            else:
                copy.unlink(missing_ok=True)
        to.with_name(f"{to.name}-shm").unlink(missing_ok=True)


@contextmanager
def disk(site: Path, *, is_own: bool) -> Iterator[Disk]:
    """Yield the disk that a site lies on; `is_own` needs `can_mount`."""
    site.mkdir(parents=True, exist_ok=True)
    parent = subprocess.Popen(
        [
            *(_PRIVATE if is_own else ()),
            *(sys.executable, str(PARENT), str(site), "disk" if is_own else "none"),
        ],
        env={**environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield Disk(site, is_own, json.loads(_pipes(parent)[1].readline())["pid"], parent)
    finally:
        parent.communicate(timeout=60)


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout

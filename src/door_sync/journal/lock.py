"""One cycle at a time per site, whoever starts it (§7)."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

from door_sync.files import explain, make_directory
from door_sync.ports import JournalError, LockHeld

FILE_MODE: Final = 0o640


@final
class SiteLock:
    """The lock of the site whose journal is at `journal_path`, held inside a `with` block.

    It is `flock` on a file beside the journal: the kernel drops it with the process, so a crash
    leaves none behind, and it holds between threads of one process too. The file stays; removing
    it would let two processes each lock a file of their own.
    """

    def __init__(self, journal_path: Path) -> None:
        self.path = journal_path.with_name(journal_path.name + ".lock")
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock at once; raise LockHeld if another has it, JournalError if none can."""
        try:
            make_directory(self.path.parent)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            try:
                self._lock(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
        except OSError as error:
            what, remedy = explain(error)
            raise JournalError(f"cannot lock {self.path}: {what}", remedy=remedy) from error
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)  # which drops the lock
            self._descriptor = None

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held_by(os.pread(descriptor, 20, 0), self.path) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _held_by(content: bytes, path: Path) -> LockHeld:
    text = content.decode("ascii", "replace").strip()
    holder = f"process {text}" if text.isdigit() else "a process that did not write its number"
    return LockHeld(
        f"another cycle of this site is running: {holder} holds {path}",
        remedy="Wait until it has ended. If it hangs, end that process; the lock goes with it, "
        "and nothing has to be deleted.",
    )

"""One cycle at a time per site, whoever starts it (§7)."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

from door_sync.files import explain, make_directory
from door_sync.ports import Clock, JournalError, LockHeld

FILE_MODE: Final = 0o640
POLL_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds to wait for a lock that another holds, by which clock.

    `told` is called once, when the wait begins.
    """

    seconds: float
    clock: Clock
    told: Callable[[], None]


@final
class SiteLock:
    """The lock of the site whose journal is at `journal_path`, held inside a `with` block.

    It is `flock` on a file beside the journal: the kernel drops it with the process, so a crash
    leaves none behind, and it holds between threads of one process too. The file stays; removing
    it would let two processes each lock a file of their own. With `patience` a lock that is held
    is waited for, without it nobody waits.
    """

    def __init__(self, journal_path: Path, patience: Patience | None = None) -> None:
        self.path = journal_path.with_name(journal_path.name + ".lock")
        self._patience = patience
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock; raise LockHeld if another has it and keeps it, JournalError if none can
        be had."""
        try:
            make_directory(self.path.parent)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            try:
                self._wait_for(descriptor)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
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

    def _wait_for(self, descriptor: int) -> None:
        """Return as soon as the lock is ours. It is asked for again and again: a blocking flock
        has no time limit but an alarm signal, and threads cannot have one."""
        held = self._try(descriptor)
        if held is None:
            return
        patience = self._patience
        if patience is None or patience.seconds <= 0:
            raise held
        patience.told()
        until = patience.clock.monotonic() + patience.seconds
        while (left := until - patience.clock.monotonic()) > 0:
            patience.clock.sleep(min(POLL_SECONDS, left))
            held = self._try(descriptor)
            if held is None:
                return
        waited = f"{held.message}, still after a wait of {patience.seconds:g} s"
        raise LockHeld(waited, remedy=held.remedy)

    def _try(self, descriptor: int) -> LockHeld | None:
        """Take the lock if it is free, else return who is in the way."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _held_by(os.pread(descriptor, 20, 0), self.path)
        return None


def _held_by(content: bytes, path: Path) -> LockHeld:
    text = content.decode("ascii", "replace").strip()
    holder = f"process {text}" if text.isdigit() else "a process that did not write its number"
    return LockHeld(
        f"another cycle of this site is running: {holder} holds {path}",
        remedy="Wait until it has ended. If it hangs, end that process; the lock goes with it, "
        "and nothing has to be deleted.",
    )

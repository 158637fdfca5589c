"""Files that other programs read: replaced whole, or appended by the line (§7).

A reader never meets half a file, and a full disk, a wrong owner or a directory in the way becomes
one sentence with a remedy. The journal's own files have their errors in `journal.errors`.
"""

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from door_sync.ports import DoorSyncError

DIRECTORY_MODE: Final = 0o750

OWNER_REMEDY: Final = (
    "Give the file and its directory to the user that runs door-sync (chown), or run the command "
    "as that user."
)

_EXPLAINED: Final = {
    errno.ENOSPC: ("the disk is full", "Free some space on that disk."),
    errno.EDQUOT: ("this user's share of the disk is used up", "Free some space on that disk."),
    errno.EFBIG: ("the file may not grow any more", "Raise the limit, or move the file aside."),
    errno.EACCES: ("this user may not do that", OWNER_REMEDY),
    errno.EPERM: ("this user may not do that", OWNER_REMEDY),
    errno.EROFS: (
        "its file system is read-only",
        "Mount it writable; a worn-out SD card also turns read-only.",
    ),
    errno.EISDIR: ("it is a directory", "Move the directory away, or name another file."),
    errno.ENOTDIR: ("a part of its path is a file", "Move that file away, or name another path."),
    errno.EEXIST: ("a part of its path is a file", "Move that file away, or name another path."),
}


class OpsFileError(DoorSyncError):
    """The audit, state or flag file cannot be read or written; `path` tells which.

    Whoever writes decides what that means: the cycle itself is on record in the journal.
    """

    def __init__(self, message: str, *, path: Path, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.path = path


def explain(error: OSError) -> tuple[str, str]:
    """Return what the operating system's refusal means, and what settles it, in plain words."""
    if error.errno in _EXPLAINED:
        return _EXPLAINED[error.errno]
    what = os.strerror(error.errno) if error.errno else type(error).__name__
    return what, "Look at the disk and at the kernel's messages (dmesg)."


@contextmanager
def ops_file_errors(path: Path, action: str) -> Iterator[None]:
    """Turn every OSError inside into an OpsFileError that names the file and the remedy."""
    try:
        yield
    except OSError as error:
        what, remedy = explain(error)
        raise OpsFileError(f"cannot {action} {path}: {what}", path=path, remedy=remedy) from error


def make_directory(directory: Path) -> None:
    """Create a directory and those above it if they are missing (0750); raise OSError."""
    directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)


def sync_directory(directory: Path) -> None:
    """Put the names in a directory on disk, so that a new file outlives a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: str, *, mode: int) -> None:
    """Replace a file in one move: a reader finds the old content or the new, also after a crash.

    A new file gets `mode`; one that exists keeps its own, and a symbolic link stays one. The
    directory is created if missing. Raise OpsFileError; the old content is then still there.
    """
    with ops_file_errors(path, "write"):
        target = Path(os.path.realpath(path))
        make_directory(target.parent)
        with suppress(FileNotFoundError):
            mode = stat.S_IMODE(target.stat().st_mode)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                Path(temporary).unlink()
            raise
        sync_directory(target.parent)


class LineFile:
    """A file to which lines are appended, open and under its lock; see `open_for_lines`.

    The lock holds against every other program that opens the file so; a device or a pipe has none.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        # /dev/stdout and the like have no content to look at and cannot be put on disk.
        self.is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)

    def end(self, longest: int) -> tuple[bytes | None, bytes]:
        """Return the last whole line, without its line end, and what stands behind it.

        None stands for no whole line. What stands behind it is a half line that a power cut or a
        full disk left. Neither is read further back than `longest` bytes. Raise OpsFileError.
        """
        if not self.is_file:
            return b"", b""
        with ops_file_errors(self.path, "read"):
            data, start, chunk = b"", os.fstat(self._descriptor).st_size, 1 << 14
            while start > 0 and data.count(b"\n") < 2 and len(data) < longest:
                take = min(chunk, start)
                start, chunk = start - take, chunk * 2
                data = os.pread(self._descriptor, take, start) + data
        whole, end, half = data.rpartition(b"\n")
        return (whole.rpartition(b"\n")[2] if end or start else None), half

    def tail(self, size: int) -> Iterator[bytes]:
        """Return the lines within the last `size` bytes, the oldest first; raise OpsFileError."""
        if not self.is_file:
            return
        with (
            ops_file_errors(self.path, "read"),
            # A descriptor of its own has a position of its own; the lock stays with the first.
            Path(f"/proc/self/fd/{self._descriptor}").open("rb") as file,
        ):
            file.seek(max(0, os.fstat(self._descriptor).st_size - size))
            yield from file

    def append(self, line: str) -> None:
        """Append one line in one write, and put it on disk before returning; raise OpsFileError.

        A half line that stands at the end is closed first, so that it spoils no other. A line for
        which the disk has no room is taken back.
        """
        with ops_file_errors(self.path, "append to"):
            size = os.fstat(self._descriptor).st_size
            torn = self.is_file and size > 0
            torn = torn and os.pread(self._descriptor, 1, size - 1) != b"\n"
            data = ("\n" if torn else "").encode() + line.encode() + b"\n"
            if os.write(self._descriptor, data) < len(data):
                with suppress(OSError):  # a half line stays then, and the next one closes it
                    os.ftruncate(self._descriptor, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self.is_file:
                os.fsync(self._descriptor)


@contextmanager
def open_for_lines(path: Path, *, mode: int) -> Iterator[LineFile]:
    """Open a file to append lines to it inside the block, alone; raise OpsFileError.

    It is opened for this block with O_APPEND, so that logrotate may move it away or truncate it
    (`copytruncate`) between two blocks. The file is created with `mode`, its directory too if
    missing.
    """
    with ops_file_errors(path, "append to"):
        make_directory(path.parent)
        descriptor = _locked(path, mode)
    try:
        yield LineFile(path, descriptor)
    finally:
        os.close(descriptor)


def _locked(path: Path, mode: int) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return descriptor
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # While this waited for its turn, logrotate may have moved the file away.
            with suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), found):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)

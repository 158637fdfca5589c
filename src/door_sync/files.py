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


def append_line(path: Path, line: str, *, mode: int) -> None:
    """Append one line in one write, and put it on disk before returning.

    The file is opened for this line alone with O_APPEND, so that logrotate may move it away or
    truncate it (`copytruncate`) between two lines. A half line that a power cut or a full disk
    left behind is closed first, so that it spoils no other. The file is created with `mode`, its
    directory too if missing. Raise OpsFileError.
    """
    with ops_file_errors(path, "append to"):
        make_directory(path.parent)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(path, flags, mode)
        try:
            # /dev/stdout and the like have no content to mend and cannot be put on disk.
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            torn = is_file and _ends_in_half_a_line(descriptor)
            data = ("\n" if torn else "").encode() + line.encode() + b"\n"
            if os.write(descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if is_file:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _ends_in_half_a_line(descriptor: int) -> bool:
    # A line that another process is writing at this moment looks torn too: let it finish. The
    # lock goes with the descriptor.
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) not in {b"", b"\n"}

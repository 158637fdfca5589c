"""Whether a cycle is running, found out without touching the lock that it takes (§7).

Taking the lock for a moment would make a cycle that starts in that moment give up, so the kernel's
own list of locks is read.
"""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from door_sync.app.checkup.check import Check, Name, bad, good, not_asked, warning
from door_sync.files import explain
from door_sync.journal.lock import SiteLock
from door_sync.ports import Clock

LOCKS: Final = Path("/proc/locks")

LONG: Final = timedelta(hours=2)
"""A first cycle that fills a large site takes an hour; more is worth a look."""


def lock_check(journal: Path, clock: Clock) -> Check:
    """Return whether a cycle could take the site's lock; one that holds it is no fault."""
    path = SiteLock(journal).path
    try:
        found = path.stat()
    except FileNotFoundError:
        return good(Name.LOCK, "it is free; no cycle has run here yet")
    except NotADirectoryError:
        return not_asked(Name.LOCK, "a part of the journal's path is a file")
    except OSError as error:
        return _unusable(path, error)
    if path.is_dir():
        return _unusable(path, OSError(errno.EISDIR, os.strerror(errno.EISDIR)))
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        return _unusable(path, OSError(errno.EACCES, os.strerror(errno.EACCES)))
    try:
        held = _is_locked(LOCKS.read_text("ascii"), found.st_ino)
        holder = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return not_asked(Name.LOCK, "this system does not tell who holds which lock")
    if not held:
        return good(Name.LOCK, "it is free; no cycle is running")
    process = f"process {holder}" if holder.isdigit() else "a process"
    text = f"a cycle is running: {process} holds {path}"
    age = clock.now() - datetime.fromtimestamp(found.st_mtime, UTC)
    if age > LONG:
        hours = age // timedelta(hours=1)
        return warning(
            Name.LOCK,
            f"{text}, for {hours} hours now",
            f"Look whether it goes on (`door-sync status`). If it hangs, end it (`kill {holder}`).",
        )
    return good(Name.LOCK, text)


def _is_locked(locks: str, inode: int) -> bool:
    """Say whether the kernel's list has a lock of ours (flock) on the file with this number.

    The device is left out: on layered file systems the list names another one than the file.
    """
    for line in locks.splitlines():
        words = line.split()
        if "FLOCK" in words and "->" not in words and words[-3].endswith(f":{inode}"):
            return True
    return False


def _unusable(path: Path, error: OSError) -> Check:
    what, remedy = explain(error)
    return bad(Name.LOCK, f"{path} cannot be locked: {what}", remedy)

"""Whether the files that a cycle keeps could be written, without writing them."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from door_sync.app.checkup.check import Check, Name, bad, good, not_asked, warning
from door_sync.app.checkup.configuration import faults_in
from door_sync.app.checkup.lock import lock_check
from door_sync.files import explain
from door_sync.journal.soundness import look_at_journal, try_to_write
from door_sync.ports import Clock, JournalError
from door_sync.settings import Ops
from door_sync.settings.known import KnownSettings

MIB: Final = 2**20
LITTLE_ROOM: Final = 256 * MIB
NO_ROOM: Final = 16 * MIB
_NAMES: Final = (
    *(Name.JOURNAL, Name.JOURNAL_WRITABLE, Name.AUDIT, Name.STATE, Name.DISK, Name.LOCK),
)
FEW_FILES: Final = 100
"""Free room, and files that may still be made (inodes), below which it is time to act."""


def file_checks(known: KnownSettings, clock: Clock) -> Iterator[Check]:
    """Yield the checks of the journal, the files beside it, the disk and the lock."""
    if known.ops is None:
        because = faults_in(known, "ops")
        yield from (not_asked(name, because) for name in _NAMES)
        return
    ops = known.ops
    yield from _journal(ops.history_db)
    yield _writable(Name.AUDIT, ops.audit_jsonl, "ops.audit_jsonl", is_replaced=False)
    yield _writable(Name.STATE, ops.state_json, "ops.state_json", is_replaced=True)
    yield _disk(ops)
    yield lock_check(ops.history_db, clock)


def flag_check(known: KnownSettings) -> Check:
    """Return whether the flag could be raised."""
    if known.ops is None:
        return not_asked(Name.FLAG, faults_in(known, "ops"))
    return _writable(Name.FLAG, known.ops.alert_flag, "ops.alert_flag", is_replaced=True)


def _journal(path: Path) -> Iterator[Check]:
    try:
        is_there = path.exists()
    except OSError:
        is_there = True  # it cannot be looked for: opening it says why
    if not is_there:
        yield good(Name.JOURNAL, "there is none yet: the first live cycle makes it")
        yield _writable(Name.JOURNAL_WRITABLE, path, "ops.history_db", is_replaced=True)
        return
    try:
        seen = look_at_journal(path)
    except JournalError as error:
        yield bad(Name.JOURNAL, error.message, error.remedy)
        yield not_asked(Name.JOURNAL_WRITABLE, "the journal cannot be read")
        return
    if seen.damage:
        yield bad(
            Name.JOURNAL,
            f"the journal {path} is damaged: {'; '.join(seen.damage)}",
            "Stop door-sync, and put a backup in its place. Without one move it aside together "
            "with its -wal and -shm files: a new one is made, and the history is lost.",
        )
    elif seen.is_provisioning:
        text = "it is sound. The site is being filled for the first time: additions are not limited"
        yield good(Name.JOURNAL, text)
    else:
        yield good(Name.JOURNAL, "it is sound")
    yield _journal_writable(path)


def _journal_writable(path: Path) -> Check:
    directory = _trouble(path, is_replaced=True)  # SQLite lays files of its own beside it
    if directory is not None:
        return _unwritable(Name.JOURNAL_WRITABLE, path, "ops.history_db", directory)
    try:
        try_to_write(path)
    except JournalError as error:
        return bad(Name.JOURNAL_WRITABLE, error.message, error.remedy)
    return good(Name.JOURNAL_WRITABLE, "a cycle could write to it")


def _writable(name: Name, path: Path, setting: str, *, is_replaced: bool) -> Check:
    trouble = _trouble(path, is_replaced=is_replaced)
    if trouble is not None:
        return _unwritable(name, path, setting, trouble)
    if not path.parent.exists():
        return good(name, f"{path.parent} does not exist yet, and could be made")
    return good(name, f"{path} could be written")


def _unwritable(name: Name, path: Path, setting: str, error: OSError) -> Check:
    what, remedy = explain(error)
    return bad(name, f"{path} cannot be written: {what}", f"{remedy} {setting} says where it is.")


def _trouble(path: Path, *, is_replaced: bool) -> OSError | None:
    """Return what would keep this user from writing the file, as the system would say it.

    A file that `is_replaced` is written beside its old self, so that its directory counts.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir():
            return _error(errno.EISDIR)
        if target.exists() and not os.access(target, os.W_OK, effective_ids=True):
            return _error(errno.EROFS if _is_read_only(target) else errno.EACCES)
        if target.exists() and not is_replaced:
            return None
        above = _nearest(target.parent)
        if not above.is_dir():
            return _error(errno.ENOTDIR)
        if not os.access(above, os.W_OK | os.X_OK, effective_ids=True):
            return _error(errno.EROFS if _is_read_only(above) else errno.EACCES)
    except OSError as error:
        return error
    return None


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _nearest(directory: Path) -> Path:
    """Return the directory, or the nearest one above it that exists."""
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    return directory


def _disk(ops: Ops) -> Check:
    """Return how much room is left where the files are; the fullest file system counts."""
    places = {_nearest(path.parent) for path in (ops.history_db, ops.audit_jsonl, ops.state_json)}
    try:
        room = {place: os.statvfs(place) for place in sorted(places)}
    except OSError as error:
        what, remedy = explain(error)
        return bad(Name.DISK, f"nobody can say how much room is left: {what}", remedy)
    remedy = "Free some room there; `sudo du -xh / | sort -h | tail` shows what takes it."
    for place, found in room.items():
        if found.f_files and found.f_favail < FEW_FILES:
            return bad(Name.DISK, f"no more files can be made on the disk of {place}", remedy)
    place, free = min(
        ((place, found.f_bavail * found.f_frsize) for place, found in room.items()),
        key=lambda pair: pair[1],
    )
    text = f"{_size(free)} are free where {place} is"
    if free < NO_ROOM:
        return bad(Name.DISK, f"only {text}, and a cycle needs room for its record", remedy)
    if free < LITTLE_ROOM:
        return warning(Name.DISK, f"only {text}", remedy)
    return good(Name.DISK, text)


def _size(count: int) -> str:
    return f"{count // (1024 * MIB)} GiB" if count >= 10 * 1024 * MIB else f"{count // MIB} MiB"

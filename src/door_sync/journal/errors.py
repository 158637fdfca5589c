"""What goes wrong with the journal's file, in the operator's words (§7).

Every error of SQLite and of the operating system becomes a JournalError here that names the file
and what settles it. No SQL and no value from a record reaches the message.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from door_sync.files import OWNER_REMEDY, explain
from door_sync.ports import JournalError

START_ANEW: Final = (
    "Stop door-sync, put a backup in its place or move it aside together with its -wal and -shm "
    "files, and start again. A new journal starts empty: the history is lost, and with it what "
    "earlier cycles remember."
)

_EXPLAINED: Final = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space on that disk."),
    sqlite3.SQLITE_BUSY: (
        "another program keeps it locked",
        "End the program that has it open: a database browser, a backup, an older door-sync.",
    ),
    sqlite3.SQLITE_LOCKED: ("another program keeps it locked", "End that program."),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", START_ANEW),
    sqlite3.SQLITE_NOTADB: (
        "it is no database",
        "Name another file in ops.history_db. If it was the journal, it is damaged. " + START_ANEW,
    ),
    sqlite3.SQLITE_READONLY: ("it cannot be written to", OWNER_REMEDY),
    sqlite3.SQLITE_PERM: ("this user may not do that", OWNER_REMEDY),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", OWNER_REMEDY),
    sqlite3.SQLITE_IOERR: (
        "the disk failed while reading or writing",
        "Look at the kernel's messages (dmesg); a worn-out SD card shows itself like this.",
    ),
    sqlite3.SQLITE_CONSTRAINT: (
        "a record breaks one of its rules and was not taken",
        "This is a fault of door-sync itself: please report it.",
    ),
}


def journal_error(path: Path, error: sqlite3.Error | OSError) -> JournalError:
    """Return the JournalError that says what this error means for the journal at `path`."""
    if isinstance(error, OSError):
        what, remedy = explain(error)
        return JournalError(f"the journal {path} cannot be used: {what}", remedy=remedy)
    # Errors of the Python module itself, such as a closed connection, carry no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    what, remedy = _EXPLAINED.get(
        code & 0xFF,  # the low byte is the primary code, the rest says where it came from
        ("SQLite refused", "This is a fault of door-sync itself: please report it."),
    )
    return JournalError(f"the journal {path} cannot be used: {what} ({name})", remedy=remedy)


@contextmanager
def foreign_rows(path: Path) -> Iterator[None]:
    """Turn what reading a row raises, whose values door-sync never wrote, into a JournalError.

    The tables hold texts that name times and lists; SQLite cannot tell whether they do.
    """
    try:
        yield
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise JournalError(
            f"the journal {path} cannot be used: it holds something that door-sync did not write",
            remedy=START_ANEW,
        ) from error


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Turn every error of SQLite and of the operating system inside into a JournalError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise journal_error(path, error) from error

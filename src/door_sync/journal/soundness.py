"""A look at the journal for a checkup: is it sound, and could a cycle write to it? Nothing is.

The journal is neither made nor migrated here. SQLite lays its `-wal` and `-shm` files beside it
while it is open, and tidies up those that a crash left; that changes nothing of what is in it.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from door_sync.journal.errors import journal_errors
from door_sync.journal.standing import standing
from door_sync.journal.store import BUSY_TIMEOUT_SECONDS, Store, site_key


@dataclass(frozen=True, slots=True)
class Soundness:
    """`damage` is what SQLite finds wrong, empty for a sound journal; `is_provisioning` says that
    the site is being filled for the first time (§6)."""

    damage: tuple[str, ...]
    is_provisioning: bool


def look_at_journal(path: Path) -> Soundness:
    """Read an existing journal; raise JournalError if it cannot be used at all.

    SQLite checks its pages and rows, but not whether each index fits: that takes long on a small
    machine, and `history verify` does it.
    """
    with closing(Store.open_read_only(path)) as store:
        site_key(store)
        with store.reading() as connection:
            said = [str(one) for (one,) in connection.execute("PRAGMA quick_check(3)")]
        if said != ["ok"]:
            return Soundness(tuple(said), is_provisioning=False)
        return Soundness((), is_provisioning=standing(store).is_provisioning)


def try_to_write(path: Path, *, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> None:
    """Begin to write to an existing journal and take it back; raise JournalError if it may not be.

    A cycle that is running writes for moments only, so that waiting a little is enough.
    """
    with journal_errors(path):
        uri = f"{path.absolute().as_uri()}?mode=rw"
        opened = sqlite3.connect(uri, uri=True, timeout=busy_timeout_seconds, isolation_level=None)
        with closing(opened) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

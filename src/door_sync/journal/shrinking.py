"""Making the journal's file smaller after old rows were removed, where the disk allows it."""

import shutil
from enum import Enum
from typing import Final

from door_sync.journal.errors import journal_errors
from door_sync.journal.store import Store

WORTH_IT: Final = 4
"""The file is written anew only if at least one of so many pages is unused."""

ROOM: Final = 2
"""How much free room SQLite may need for it, in times the file."""


class Shrunk(Enum):
    """What became of the file."""

    DONE = "made smaller"
    NOT_WORTH_IT = "not worth it"
    NO_ROOM = "no room"
    LATER = "a cycle is running"


def shrink(store: Store) -> Shrunk:
    """Make the file smaller, under the site's lock; raise JournalError."""
    with store.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (unused,) = connection.execute("PRAGMA freelist_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    if unused * WORTH_IT < pages:
        return Shrunk.NOT_WORTH_IT
    with journal_errors(store.path):
        free = shutil.disk_usage(store.path.parent).free
    if free < ROOM * pages * size:
        return Shrunk.NO_ROOM
    store.vacuum()
    return Shrunk.DONE

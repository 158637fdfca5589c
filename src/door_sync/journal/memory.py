"""A journal that is forgotten with the process, for a dry run where none exists yet (P7)."""

import secrets
from typing import final

from door_sync.journal.sqlite import SqliteJournal
from door_sync.journal.store import RandomBytes, Store
from door_sync.ports import Clock


@final
class InMemoryJournal(SqliteJournal):
    """The same journal without a file: empty at first, with a site key of its own.

    Tags and digests made with that key mean nothing to the next process, which is right: nothing
    is remembered for them either.
    """

    def __init__(self, clock: Clock, *, random_bytes: RandomBytes = secrets.token_bytes) -> None:
        super().__init__(
            Store.in_memory(random_bytes=random_bytes), clock, random_bytes=random_bytes
        )

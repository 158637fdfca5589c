"""What may happen to a process in the middle of a cycle: it dies, or its disk is full."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from door_sync.journal.store import Store
from door_sync.ports import JournalError
from door_sync.unifi.exchange import Exchange

PLACES = ("before a write", "after a write", "before a commit", "after a commit")


class Death(BaseException):
    """The process is gone: nothing in the program catches this."""


@contextmanager
def dying(place: str, number: int) -> Iterator[None]:
    """Let the process die at the write, or the commit to its journal, of this number from 1."""
    write, writing, count = Exchange.write, Store.writing, 0

    def reached(here: str) -> bool:
        return here == place and count == number

    def mortal_write(self: Exchange, *given: Any, **named: Any) -> Any:
        nonlocal count
        count += place.endswith("write")
        if reached("before a write"):
            raise Death
        answer = write(self, *given, **named)
        if reached("after a write"):
            raise Death
        return answer

    @contextmanager
    def mortal_writing(self: Store) -> Iterator[Any]:
        nonlocal count
        count += place.endswith("commit")
        if reached("before a commit"):
            raise Death
        with writing(self) as connection:
            yield connection
        if reached("after a commit"):
            raise Death

    with patch.object(Exchange, "write", mortal_write), _writing(mortal_writing):
        yield


@contextmanager
def full_disk(number: int) -> Iterator[None]:
    """Let nothing more be written to the journal from the commit of this number on."""
    writing, count = Store.writing, 0

    @contextmanager
    def no_room(self: Store) -> Iterator[Any]:
        nonlocal count
        count += 1
        if count >= number:
            raise JournalError("the journal cannot be used: the disk is full", remedy="Free space.")
        with writing(self) as connection:
            yield connection

    with _writing(no_room):
        yield


def _writing(replacement: Callable[[Store], Any]) -> Any:
    return patch.object(Store, "writing", replacement)

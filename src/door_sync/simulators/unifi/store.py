"""Records by id, in an order that is stable and tells nothing about their creation (rule 14)."""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from door_sync.simulators.unifi.records import Record

R = TypeVar("R", bound=Record)


class Table(Generic[R]):
    """One kind of record, by id. Every change is told to `changed` as (old, new).

    Not safe for threads by itself; its world holds the lock.
    """

    def __init__(self, changed: Callable[[R | None, R | None], None]) -> None:
        self._rows: dict[str, R] = {}
        self._order: list[tuple[bytes, str]] = []
        self._ids: list[str] | None = None
        self._changed = changed

    def put(self, key: str, row: R) -> R:
        """Add or replace a record."""
        old = self._rows.get(key)
        if old is None:
            insort(self._order, _place(key))
            self._ids = None
        self._rows[key] = row
        self._changed(old, row)
        return row

    def remove(self, key: str) -> R:
        """Take a record out and return it; raise KeyError if there is none."""
        old = self[key]
        del self._rows[key]
        del self._order[bisect_left(self._order, _place(key))]
        self._ids = None
        self._changed(old, None)
        return old

    def get(self, key: str) -> R | None:
        """Return the record or None."""
        return self._rows.get(key)

    def ids(self) -> Sequence[str]:
        """Return every id, in the order of lists; made anew only when a record came or went."""
        if self._ids is None:
            self._ids = [key for _, key in self._order]
        return self._ids

    def page(self, start: int, stop: int) -> list[R]:
        """Return a stretch of the list."""
        return [self._rows[key] for _, key in self._order[start:stop]]

    def __getitem__(self, key: str) -> R:
        row = self._rows.get(key)
        if row is None:
            raise KeyError("no such record")  # the key itself may be a card's token (P12)
        return row

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self.page(0, len(self._rows)))


def _place(key: str) -> tuple[bytes, str]:
    return hashlib.sha256(key.encode()).digest(), key

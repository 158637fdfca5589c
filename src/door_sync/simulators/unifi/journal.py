"""Every request that reached the controller, in order (rule 56). It lives in memory only."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

LOG = "/system/logs"
"""The one question that is put with POST (§13)."""


@dataclass(frozen=True)
class Entry:
    """One request: what was asked, and what became of it.

    ``path`` leaves out the base path; ``body`` is the JSON document, or the parts of a multipart
    body as text by their names, or None. ``carried_out`` says that the controller did it, whether
    or not the client was told; ``status`` is what was answered, None if no answer was sent.
    """

    number: int
    method: str
    path: str
    query: str
    body: Any
    carried_out: bool = False
    status: int | None = None

    @property
    def is_write(self) -> bool:
        """Whether the request asked for a change."""
        return self.method not in ("GET", "HEAD", "OPTIONS") and self.path != LOG


class Journal:
    """Safe for threads. What becomes of a request is noted before its client can know.

    With a `limit` only that many of the latest requests are kept, for a simulator that runs long.
    """

    def __init__(self, *, limit: int | None = None) -> None:
        self._limit = limit
        self._entries: dict[int, Entry] = {}
        self._count = 0
        self._lock = threading.Lock()

    def arrived(self, method: str, path: str, query: str, body: Any) -> int:
        """Note a request and return its number, from 1."""
        with self._lock:
            self._count += 1
            self._entries[self._count] = Entry(self._count, method, path, query, body)
            if self._limit is not None and len(self._entries) > self._limit:
                del self._entries[next(iter(self._entries))]
            return self._count

    def carried_out(self, number: int) -> None:
        """Note that the controller did what the request asked."""
        self._amend(number, lambda entry: replace(entry, carried_out=True))

    def answered(self, number: int, status: int) -> None:
        """Note the HTTP status of the answer that goes out."""
        self._amend(number, lambda entry: replace(entry, status=status))

    def requests(self) -> tuple[Entry, ...]:
        """Return every request since the last :meth:`clear`, in order of arrival."""
        with self._lock:
            return tuple(self._entries.values())

    def writes(self) -> tuple[Entry, ...]:
        """Return those that asked for a change."""
        return tuple(entry for entry in self.requests() if entry.is_write)

    def clear(self) -> None:
        """Forget every request; numbers go on."""
        with self._lock:
            self._entries.clear()

    def _amend(self, number: int, change: Callable[[Entry], Entry]) -> None:
        with self._lock:
            if number in self._entries:  # else forgotten while it was under way
                self._entries[number] = change(self._entries[number])

"""One walk over a long list, and whether it found the list whole (P2).

The list is walked in pages by id, each page asking for what comes after the last id seen (CiviCRM
sheet §4.4: pages by offset lose people), until a page is short. The count that was taken before
must equal both the rows found and the count that rides with the last page, else somebody changed
the list, or what the key may see of it, meanwhile (§13.8).

The page that should be the last asks for one row more than a page has: so it is short also where
the rows fill it, and no further request has to prove that nothing follows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from door_sync.ports import SourceDistrusted

MOST_ROWS: Final = 250_000
"""In one list: two and a half times the largest club that door-sync is built for (decision 43)."""

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """Some items, the id of the last one, and the count of the whole list if it was asked for."""

    items: list[ItemT]
    last_id: int
    count: int | None


Ask = Callable[[int, int, bool], Page[ItemT]]
"""Given the id to begin after, how many rows to ask for, and whether to count the whole list too,
fetch a page."""


@dataclass(frozen=True, slots=True)
class Walked(Generic[ItemT]):
    """What a walk found. `after` is None if the list ended before its end was expected."""

    what: str
    rows: list[ItemT] = field(repr=False)
    before: int
    after: int | None

    @property
    def is_whole(self) -> bool:
        """Whether both counts and the rows agree."""
        return self.before == len(self.rows) == self.after

    def __str__(self) -> str:
        after = "" if self.after is None else f" and {self.after} afterwards"
        return f"of {self.what} {len(self.rows)} came, of {self.before} counted before{after}"


def walk(what: str, ask: Ask[ItemT], *, before: int, page_size: int) -> Walked[ItemT]:
    """Walk over the list, `before` being its count; what `ask` raises goes through.

    Raise SourceDistrusted for a list longer than MOST_ROWS. It ends, and is not whole, where a page
    more came than was counted: pages that never end must not be followed.
    """
    if before > MOST_ROWS:
        raise SourceDistrusted(
            f"CiviCRM counts {before:,} {what}, more than the {MOST_ROWS:,} that door-sync reads",
            remedy="If the club has so many, door-sync is not made for it. Else an extension or "
            "a proxy may be changing CiviCRM's answers: ask its administrator.",
        )
    rows: list[ItemT] = []
    after = 0
    while True:
        is_last = len(rows) + page_size >= before
        limit = page_size + 1 if is_last else page_size
        page = ask(after, limit, is_last)
        rows += page.items
        if len(page.items) < limit or len(rows) > before + page_size:
            return Walked(what, rows, before, page.count)
        after = page.last_id

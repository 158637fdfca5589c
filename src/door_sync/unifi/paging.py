"""Reading lists that come in pages, whole or not at all (P2; UniFi sheet §4).

The first page tells how many rows there are, and by its own length how many the controller is
willing to give at once. The other pages follow side by side, asked for by that length; the
`page_size` in answers is never looked at (§20 trap 7). A list whose pages do not add up is read
once more, and then distrusted.

Each row is made into what its list is read for as soon as its page is there, by the thread that
fetched it. The rows as they came are several times as large, so they are not kept.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

from door_sync.ports import ControllerDistrusted
from door_sync.unifi.exchange import Query
from door_sync.unifi.trouble import Right
from door_sync.unifi.wire import Page, RawRow

MOST_PAGES: Final = 10_000
"""More than any site needs; keeps an absurd total from asking for ever."""

MOST_ROWS: Final = 250_000
"""In one list: two and a half times the largest club that door-sync is built for (decision 43)."""

Rows = tuple[Any, ...]
"""The rows of a whole list, each as its listing makes it."""


def as_it_came(row: RawRow) -> RawRow:
    """Keep a row as it is."""
    return row


@dataclass(frozen=True, slots=True)
class Listing:
    """One paged list: its path, the field that makes a row unique, and how many rows to ask for.

    `made` takes a row and returns what is kept of it; raises ControllerDistrusted.
    """

    name: str
    path: str
    key: str
    size: int
    right: Right
    since: str
    query: Query = ()
    is_optional: bool = False
    """Whether a key without the right may go on without this list."""
    made: Callable[[RawRow], object] = as_it_came


Fetch = Callable[[Listing, int, int], Page | None]
"""Given a list, a page number from 1 and a page size, returns that page, or None if the key may
not read an optional list. Raises ControllerError."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What is kept of a page."""

    keys: list[object]
    made: list[object]
    total: int


def read_listings(listings: Sequence[Listing], fetch: Fetch, pool: Executor) -> dict[str, Rows]:
    """Read these lists in the pool's threads and return their rows by name, without those that the
    key may not read. Raise ControllerError."""
    found: dict[str, Rows] = {}
    faults = _read_each(listings, fetch, pool, found)
    if faults:
        faults = _read_each(
            [listing for listing in listings if listing.name in faults], fetch, pool, found
        )
    if faults:
        raise ControllerDistrusted(
            "; ".join(f"the list of {name} {fault}" for name, fault in faults.items()),
            remedy="It was read twice. Somebody may be making many changes in the console just "
            "now: the next cycle tries again.",
        )
    return found


def _read_each(
    listings: Sequence[Listing], fetch: Fetch, pool: Executor, found: dict[str, Rows]
) -> dict[str, str]:
    """Put the rows of every list that adds up into `found`; return what is wrong with the others.

    Only the calling thread waits for the pool, so that a pool of one thread is enough.
    """
    faults: dict[str, str] = {}
    sheets: dict[str, list[_Sheet]] = {}
    wanted: list[tuple[Listing, int, int]] = []

    def take(place: tuple[Listing, int, int]) -> _Sheet | None:
        page = fetch(*place)
        return None if page is None else _sheet(place[0], page)

    firsts = pool.map(take, [(listing, 1, listing.size) for listing in listings])
    for listing, first in zip(listings, firsts, strict=True):
        if first is None:
            continue
        if first.total > MOST_ROWS:
            raise ControllerDistrusted(
                f"the controller counts {first.total:,} {listing.name}, more than the "
                f"{MOST_ROWS:,} that door-sync reads",
                remedy="If the console has so many, door-sync is not made for it. Else check that "
                "unifi.host in config.toml is the console's own address, and restart the Access "
                "application.",
            )
        sheets[listing.name] = [first]
        size = len(first.made)
        count = -(-first.total // size) if size else 0
        if count <= MOST_PAGES:
            wanted += [(listing, number, size) for number in range(2, count + 1)]
    for (listing, _, _), other in zip(wanted, pool.map(take, wanted), strict=True):
        # An optional list that was readable a moment ago is no longer optional.
        sheets[listing.name].append(other if other is not None else _Sheet([], [], 0))
    for listing in listings:
        if listing.name in sheets:
            fault = _fault(sheets[listing.name])
            if fault:
                faults[listing.name] = fault
            else:
                found[listing.name] = tuple(
                    row for sheet in sheets[listing.name] for row in sheet.made
                )
    return faults


def _sheet(listing: Listing, page: Page) -> _Sheet:
    keys = [row[listing.key] for row in page.rows]
    return _Sheet(keys, [listing.made(row) for row in page.rows], page.total)


def _fault(sheets: Sequence[_Sheet]) -> str:
    """Return what does not add up in these pages; nothing if they are the whole list."""
    totals = {sheet.total for sheet in sheets}
    if len(totals) > 1:
        return f"was counted as {min(totals)} and as {max(totals)} rows within one reading"
    given = sum(len(sheet.keys) for sheet in sheets)
    repeats = given - len({key for sheet in sheets for key in sheet.keys})
    if repeats:
        return f"repeats {repeats} of its {given} rows"
    if given != sheets[0].total:
        return f"has {sheets[0].total} rows by its own count but gave {given}"
    return ""

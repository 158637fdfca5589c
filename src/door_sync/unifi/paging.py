"""Reading lists that come in pages, whole or not at all (P2; UniFi sheet §4).

The first page tells how many rows there are, and by its own length how many the controller is
willing to give at once. The other pages follow side by side, asked for by that length; the
`page_size` in answers is never looked at (§20 trap 7). A list whose pages do not add up is read
once more, and then distrusted.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from door_sync.ports import ControllerDistrusted
from door_sync.unifi.exchange import Query
from door_sync.unifi.trouble import Right
from door_sync.unifi.wire import Page, RawRow

MOST_PAGES: Final = 10_000
"""More than any site needs; keeps an absurd total from asking for ever."""

Rows = tuple[RawRow, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One paged list: its path, the field that makes a row unique, and how many rows to ask for."""

    name: str
    path: str
    key: str
    size: int
    right: Right
    since: str
    query: Query = ()
    is_optional: bool = False
    """Whether a key without the right may go on without this list."""


Fetch = Callable[[Listing, int, int], Page | None]
"""Given a list, a page number from 1 and a page size, returns that page, or None if the key may
not read an optional list. Raises ControllerError."""


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
    pages: dict[str, list[Page]] = {}
    wanted: list[tuple[Listing, int, int]] = []
    firsts = pool.map(lambda listing: fetch(listing, 1, listing.size), listings)
    for listing, first in zip(listings, firsts, strict=True):
        if first is None:
            continue
        pages[listing.name] = [first]
        size = len(first.rows)
        count = -(-first.total // size) if size else 0
        if count <= MOST_PAGES:
            wanted += [(listing, number, size) for number in range(2, count + 1)]
    others = pool.map(lambda place: fetch(*place), wanted)
    for (listing, _, _), other in zip(wanted, others, strict=True):
        # An optional list that was readable a moment ago is no longer optional.
        pages[listing.name].append(other if other is not None else Page((), 0))
    for listing in listings:
        if listing.name in pages:
            fault = _fault(listing, pages[listing.name])
            if fault:
                faults[listing.name] = fault
            else:
                found[listing.name] = tuple(
                    row for page in pages[listing.name] for row in page.rows
                )
    return faults


def _fault(listing: Listing, pages: Sequence[Page]) -> str:
    """Return what does not add up in these pages; nothing if they are the whole list."""
    totals = {page.total for page in pages}
    if len(totals) > 1:
        return f"was counted as {min(totals)} and as {max(totals)} rows within one reading"
    given = [row[listing.key] for page in pages for row in page.rows]
    repeats = len(given) - len(set(given))
    if repeats:
        return f"repeats {repeats} of its {len(given)} rows"
    if len(given) != pages[0].total:
        return f"has {pages[0].total} rows by its own count but gave {len(given)}"
    return ""

"""The order of rows, and how a query without a full order loses some of them (§4.4).

Without `orderBy` the order is the database's. Walking by offset is then complete for
``select:["id"]`` alone; with more fields the database changes its plan for the last page, whose
rows are drawn from all of them: some come twice, others never. With `orderBy` on a column that is
not unique, rows of equal value change places from page to page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from door_sync.simulators.civicrm.comparing import collated
from door_sync.simulators.civicrm.errors import ApiError, UnknownField
from door_sync.simulators.civicrm.paths import Resolved, Resolver, Row

_MIX = 2654435761  # Knuth's multiplicative hash: spreads consecutive ids over 32 bits


@dataclass(frozen=True)
class Page:
    """What of the result is asked for; `limit` 0 means all of it."""

    limit: int
    offset: int

    def cut(self, rows: list[Any]) -> list[Any]:
        """Return this page of `rows`."""
        return rows[self.offset : self.offset + self.limit if self.limit else None]

    def is_last_of_several(self, total: int) -> bool:
        """Whether the walk ends here and did not begin here."""
        return 0 < self.offset < total <= self.offset + self.limit


@dataclass(frozen=True)
class Order:
    """The order a query asks for, and the rest that the database decides."""

    columns: list[tuple[Resolved, bool]]
    """Fields to sort by, each with whether it descends."""

    fields: tuple[str, ...]
    """What is selected; the database picks its plan by it."""

    by_id: bool
    """Whether the rows are sorted by id first, ascending, and nothing is left to the database."""

    unordered: bool

    def sort(self, rows: list[Row], page: Page) -> list[Row]:
        """Return all rows in the order in which this page sees them."""
        if self.by_id:
            return rows  # rows come in the order of ids
        if self.unordered:
            rows = self._as_the_database_likes(rows, page)
        for found, descends in reversed(self.columns):
            rows = sorted(rows, key=_sort_key(found.read), reverse=descends)
        return rows

    def _as_the_database_likes(self, rows: list[Row], page: Page) -> list[Row]:
        if self.columns:
            moves = page.limit > 0 and len(rows) > page.limit
            return sorted(rows, key=_shuffle(self.fields, page.offset)) if moves else rows
        if self.fields == ("id",) or page.is_last_of_several(len(rows)):
            return sorted(rows, key=_shuffle(self.fields, page.limit))
        return rows


def compile_order(order_by: dict[str, Any], fields: tuple[str, ...], resolver: Resolver) -> Order:
    """Return the order; raise UnknownField or ApiError for what cannot be sorted by."""
    columns = []
    for name, direction in order_by.items():
        if direction not in ("ASC", "DESC"):
            raise ApiError(f"Invalid sort direction. Cannot order by {name} {direction}")
        found = resolver.find(name)
        if not isinstance(found, Resolved):
            raise UnknownField(name)
        columns.append((found, direction == "DESC"))
    first = next(iter(order_by.items()), None)
    unordered = resolver.scope.switches.unordered
    return Order(columns, fields, first == ("id", "ASC") and not resolver.aliases, unordered)


def _shuffle(fields: tuple[str, ...], salt: int) -> Callable[[Row], int]:
    seed = crc32(f"{fields}{salt}".encode()) | 1

    def place(row: Row) -> int:
        return int((row[0].id * _MIX ^ seed) * _MIX & 0xFFFFFFFF)

    return place


def _sort_key(read: Callable[[Row], Any]) -> Callable[[Row], tuple[bool, Any]]:
    def key(row: Row) -> tuple[bool, Any]:
        value = read(row)
        if isinstance(value, str):
            return True, collated(value)
        if isinstance(value, list):
            return True, ",".join(map(str, value))
        return value is not None, value or 0

    return key

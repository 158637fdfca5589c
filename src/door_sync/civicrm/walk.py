"""A long list read whole, or not at all (P2).

The list is walked in pages by id, each page asking for what comes after the last id seen (CiviCRM
sheet §4.4: pages by offset lose people), until a page is short. The count that was taken before
must equal both the rows found and the count that rides with the last page, else somebody changed
the list meanwhile (§13.8): it is read again, twice at most.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from door_sync.ports import SourceDistrusted

ItemT = TypeVar("ItemT")

MOST_READS = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """Some items, the id of the last one, and the count of the whole list if it was asked for."""

    items: list[ItemT]
    last_id: int
    count: int | None


Ask = Callable[[int, bool], Page[ItemT]]
"""Given the id to begin after, and whether to count the whole list too, fetch a page."""


def walk(what: str, ask: Ask[ItemT], *, expected: int, page_size: int) -> list[ItemT]:
    """Return the whole list, `expected` being the count taken before.

    `what` names the list in messages. Raise SourceDistrusted if counts and rows disagree in three
    readings; what `ask` raises goes through.
    """
    rows: list[ItemT] = []
    for _ in range(MOST_READS):
        rows, count = _once(ask, expected, page_size)
        if len(rows) == count == expected:
            return rows
        logger.info(
            "the list of %s moved while it was read: %s before, %d rows, %s after",
            what,
            expected,
            len(rows),
            count,
        )
        expected = len(rows) if count is None else count
    raise SourceDistrusted(
        f"the list of {what} did not come whole in {MOST_READS} readings: at last {len(rows)} "
        f"rows came, and CiviCRM counted {expected}",
        remedy="Somebody may be changing many records, or the job that updates statuses may be "
        "running: the next cycle tries again. If it stays, ask CiviCRM's administrator.",
    )


def _once(ask: Ask[ItemT], expected: int, page_size: int) -> tuple[list[ItemT], int | None]:
    rows: list[ItemT] = []
    after = 0
    while True:
        page = ask(after, len(rows) + page_size > expected)
        rows += page.items
        if len(page.items) < page_size:
            return rows, page.count
        after = page.last_id

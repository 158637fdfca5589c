"""Lists in pages: whole, or not at all (P2; UniFi sheet §4)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier, Lock, current_thread

import pytest

from door_sync.ports import ControllerDistrusted, ControllerUnreachable
from door_sync.unifi.paging import MOST_PAGES, MOST_ROWS, Listing, read_listings
from door_sync.unifi.trouble import Right
from door_sync.unifi.wire import Page, RawRow

THINGS = Listing("things", "/things", "id", 10, Right.READ_CARDS, since="1.9.1")
GUESTS = Listing("guests", "/guests", "id", 10, Right.READ_VISITORS, since="1", is_optional=True)


def numbered(count: int) -> list[RawRow]:
    return [{"id": f"row-{number}"} for number in range(count)]


@dataclass
class Shelf:
    """A list on the other side. `cap` is the most rows that it gives at once."""

    rows: list[RawRow]
    cap: int = 1000
    asked: list[tuple[int, int]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def fetch(self, listing: Listing, number: int, size: int) -> Page | None:
        with self.lock:
            self.asked.append((number, size))
        size = min(size, self.cap)
        start = (number - 1) * size
        return Page(tuple(self.rows[start : start + size]), len(self.rows))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 95])
def test_a_list_of_any_length_is_read_whole(count: int, pool: ThreadPoolExecutor) -> None:
    shelf = Shelf(numbered(count))
    assert read_listings([THINGS], shelf.fetch, pool) == {"things": tuple(numbered(count))}
    assert sorted(shelf.asked) == [(page, 10) for page in range(1, max(1, -(-count // 10)) + 1)]


def test_a_controller_that_caps_the_page_size_is_asked_for_what_it_gives(
    pool: ThreadPoolExecutor,
) -> None:
    """design.md §9: the size asked for is honoured, or capped lower."""
    shelf = Shelf(numbered(17), cap=4)
    assert read_listings([THINGS], shelf.fetch, pool) == {"things": tuple(numbered(17))}
    assert sorted(shelf.asked) == [(1, 10), (2, 4), (3, 4), (4, 4), (5, 4)]


def test_a_controller_that_gives_more_than_asked_is_taken_at_its_word(
    pool: ThreadPoolExecutor,
) -> None:
    """C6: a list that is not paged after all."""

    def everything(listing: Listing, number: int, size: int) -> Page | None:
        assert number == 1
        return Page(tuple(numbered(37)), 37)

    assert len(read_listings([THINGS], everything, pool)["things"]) == 37


def test_one_thread_is_enough(pool: ThreadPoolExecutor) -> None:
    """No task waits for another: with read_concurrency = 1 that would be for ever."""
    with ThreadPoolExecutor(1) as single:
        rows = read_listings([THINGS, GUESTS], Shelf(numbered(33)).fetch, single)
    assert {name: len(found) for name, found in rows.items()} == {"things": 33, "guests": 33}


def test_pages_are_read_side_by_side(pool: ThreadPoolExecutor) -> None:
    shelf, together = Shelf(numbered(50)), Barrier(4, timeout=20)

    def fetch(listing: Listing, number: int, size: int) -> Page | None:
        if number > 1:
            together.wait()  # breaks, unless all four remaining pages are asked for at once
        return shelf.fetch(listing, number, size)

    assert len(read_listings([THINGS], fetch, pool)["things"]) == 50


def test_a_list_that_may_not_be_read_is_left_out(pool: ThreadPoolExecutor) -> None:
    shelf = Shelf(numbered(12))

    def fetch(listing: Listing, number: int, size: int) -> Page | None:
        return None if listing is GUESTS else shelf.fetch(listing, number, size)

    assert read_listings([THINGS, GUESTS], fetch, pool) == {"things": tuple(numbered(12))}


def test_an_error_of_any_page_is_the_error_of_the_reading(pool: ThreadPoolExecutor) -> None:
    shelf = Shelf(numbered(95))

    def fetch(listing: Listing, number: int, size: int) -> Page | None:
        if number == 7:
            raise ControllerUnreachable("gone")
        return shelf.fetch(listing, number, size)

    with pytest.raises(ControllerUnreachable, match="gone"):
        read_listings([THINGS], fetch, pool)


Spoil = Callable[[int, Page], Page | None]


def one_row_less(number: int, page: Page) -> Page:
    return Page(page.rows[:-1], page.total) if number == 3 else page


def one_row_more(number: int, page: Page) -> Page:
    return Page((*page.rows, {"id": "extra"}), page.total) if number == 3 else page


def first_page_again(number: int, page: Page) -> Page:
    return Page(tuple(numbered(10)), page.total)


def growing(number: int, page: Page) -> Page:
    return Page(page.rows, page.total + (number == 2))


def empty(number: int, page: Page) -> Page:
    return Page((), page.total)


def absurd(number: int, page: Page) -> Page:
    return Page(page.rows, 10 * MOST_PAGES + 1)


def fewer_than_given(number: int, page: Page) -> Page:
    return Page(page.rows, 3)


def suddenly_forbidden(number: int, page: Page) -> Page | None:
    return None if number == 2 else page


SPOILS: list[tuple[Spoil, str]] = [
    (one_row_less, "the list of things has 30 rows by its own count but gave 29"),
    (one_row_more, "the list of things has 30 rows by its own count but gave 31"),
    (first_page_again, "the list of things repeats 20 of its 30 rows"),
    (growing, "the list of things was counted as 30 and as 31 rows within one reading"),
    (empty, "the list of things has 30 rows by its own count but gave 0"),
    (absurd, "the list of things has 100001 rows by its own count but gave 10"),
    (fewer_than_given, "the list of things has 3 rows by its own count but gave 10"),
    (suddenly_forbidden, "the list of things was counted as 0 and as 30 rows within one reading"),
]


def test_a_list_that_is_longer_than_any_club_is_not_asked_for(pool: ThreadPoolExecutor) -> None:
    asked: list[int] = []

    def fetch(listing: Listing, number: int, size: int) -> Page | None:
        asked.append(number)
        return Page(tuple(numbered(10)), MOST_ROWS + 1)

    with pytest.raises(ControllerDistrusted, match=r"counts 250,001 things, more than the 250,000"):
        read_listings([THINGS], fetch, pool)
    assert asked == [1], "a second look would not help"


@pytest.mark.parametrize(("spoil", "message"), SPOILS)
def test_a_list_that_does_not_add_up_twice_is_distrusted(
    spoil: Spoil, message: str, pool: ThreadPoolExecutor
) -> None:
    """Trap 8: nothing may be decided from a part of a list."""
    shelf = Shelf(numbered(30))

    def fetch(listing: Listing, number: int, size: int) -> Page | None:
        page = shelf.fetch(listing, number, size)
        assert page is not None
        return spoil(number, page)

    with pytest.raises(ControllerDistrusted) as caught:
        read_listings([THINGS], fetch, pool)
    assert caught.value.message == message
    assert shelf.asked.count((1, 10)) == 2


@pytest.mark.parametrize(("spoil", "message"), SPOILS)
def test_a_list_that_adds_up_at_the_second_reading_is_believed(
    spoil: Spoil, message: str, pool: ThreadPoolExecutor
) -> None:
    """Somebody may add a person in the console while the list is read; the other list stands."""
    shelf, others = Shelf(numbered(30)), Shelf(numbered(5))

    def fetch(listing: Listing, number: int, size: int) -> Page | None:
        if listing is GUESTS:
            return others.fetch(listing, number, size)
        is_first_reading = shelf.asked.count((1, 10)) < (1 if number == 1 else 2)
        page = shelf.fetch(listing, number, size)
        assert page is not None
        return spoil(number, page) if is_first_reading else page

    rows = read_listings([THINGS, GUESTS], fetch, pool)
    assert rows == {"things": tuple(numbered(30)), "guests": tuple(numbered(5))}
    assert shelf.asked.count((1, 10)) == 2
    assert others.asked == [(1, 10)]


def test_a_row_is_made_by_the_thread_that_fetched_its_page(pool: ThreadPoolExecutor) -> None:
    """So that no page waits as it came until the list is whole: most of the memory was that."""
    fetched_by: dict[str, str] = {}
    made_by: dict[str, str] = {}

    def fetch(listing: Listing, number: int, size: int) -> Page | None:
        page = Shelf(numbered(50)).fetch(listing, number, size)
        assert page is not None
        fetched_by.update({str(row["id"]): current_thread().name for row in page.rows})
        return page

    def made(row: RawRow) -> str:
        made_by[str(row["id"])] = current_thread().name
        return str(row["id"])

    found = read_listings([replace(THINGS, made=made)], fetch, pool)
    assert found == {"things": tuple(f"row-{number}" for number in range(50))}
    assert made_by == fetched_by


def test_rows_that_are_made_alike_are_told_apart_by_what_came(pool: ThreadPoolExecutor) -> None:
    """Unique is the field that the controller gave, whatever is kept of a row."""
    alike = replace(THINGS, made=lambda _: None)
    assert read_listings([alike], Shelf(numbered(23)).fetch, pool) == {"things": (None,) * 23}


def test_a_row_that_cannot_be_made_ends_the_reading(pool: ThreadPoolExecutor) -> None:
    def made(row: RawRow) -> RawRow:
        if row["id"] == "row-31":
            raise ControllerDistrusted("malformed")
        return row

    with pytest.raises(ControllerDistrusted, match="malformed"):
        read_listings([replace(THINGS, made=made)], Shelf(numbered(50)).fetch, pool)

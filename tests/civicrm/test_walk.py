"""A walk over a list, and whether it found the list whole."""

import pytest

from door_sync.civicrm.walk import MOST_ROWS, Page, Walked, walk
from door_sync.ports import SourceDistrusted


class Shelf:
    """A list of numbers as a server would give it; `before_page` may change it on the way."""

    def __init__(self, *numbers: int, page_size: int = 2) -> None:
        self.numbers = list(numbers)
        self.page_size = page_size
        self.asked: list[tuple[int, int, bool]] = []
        self.changes: dict[int, list[int]] = {}

    def ask(self, after: int, limit: int, counting: bool) -> Page[int]:
        self.numbers = self.changes.get(len(self.asked), self.numbers)
        self.asked.append((after, limit, counting))
        found = [number for number in self.numbers if number > after][:limit]
        return Page(found, found[-1] if found else after, len(self.numbers) if counting else None)

    def walk(self, before: int) -> Walked[int]:
        return walk("numbers", self.ask, before=before, page_size=self.page_size)


def test_a_list_that_fits_in_one_page_costs_one_request_which_counts_too() -> None:
    shelf = Shelf(5, page_size=2)
    found = shelf.walk(1)
    assert found.rows == [5]
    assert found.is_whole
    assert shelf.asked == [(0, 3, True)]


def test_an_empty_list_is_asked_for_and_counted_all_the_same() -> None:
    shelf = Shelf()
    assert shelf.walk(0).is_whole
    assert shelf.asked == [(0, 3, True)]


def test_pages_follow_each_other_by_id_and_only_the_last_expected_one_counts() -> None:
    shelf = Shelf(1, 3, 4, 9, 12)
    found = shelf.walk(5)
    assert found.rows == [1, 3, 4, 9, 12]
    assert found.is_whole
    assert shelf.asked == [(0, 2, False), (3, 2, False), (9, 3, True)]


def test_a_full_last_page_asks_for_one_row_more_and_so_proves_the_end() -> None:
    shelf = Shelf(1, 2, 3, 4)
    assert shelf.walk(4).is_whole
    assert shelf.asked == [(0, 2, False), (2, 3, True)]


def test_one_who_came_as_another_left_is_seen_behind_a_full_last_page() -> None:
    """The count is the same as before; the row too many tells."""
    shelf = Shelf(1, 2, 3, 4)
    shelf.changes = {1: [2, 3, 4, 5]}
    found = shelf.walk(4)
    assert found.rows == [1, 2, 3, 4, 5]
    assert found.after == 4
    assert not found.is_whole


def test_a_list_that_grew_since_it_was_counted_is_not_whole() -> None:
    found = Shelf(1, 2, 3, 4, 5).walk(3)
    assert found.rows == [1, 2, 3, 4, 5]
    assert not found.is_whole
    assert str(found) == "of numbers 5 came, of 3 counted before and 5 afterwards"


def test_pages_that_never_end_are_not_followed() -> None:
    """Each is full and goes on by id, as a hostile side would do it for a thousand million rows."""
    asked: list[int] = []

    def ask(after: int, limit: int, counting: bool) -> Page[int]:
        asked.append(after)
        rows = list(range(after + 1, after + 1 + limit))
        return Page(rows, rows[-1], 3 if counting else None)

    found = walk("numbers", ask, before=3, page_size=2)
    assert not found.is_whole
    assert len(asked) == 3


def test_a_list_that_is_longer_than_any_club_is_not_begun() -> None:
    shelf = Shelf(1)
    with pytest.raises(SourceDistrusted) as caught:
        shelf.walk(MOST_ROWS + 1)
    assert caught.value.message == (
        "CiviCRM counts 250,001 numbers, more than the 250,000 that door-sync reads"
    )
    assert shelf.asked == []


def test_a_list_that_ended_before_its_end_was_expected_is_not_whole() -> None:
    shelf = Shelf(1, 2, 3, 4, 5)
    shelf.changes = {1: [1, 5]}
    found = shelf.walk(5)
    assert not found.is_whole
    assert str(found) == "of numbers 3 came, of 5 counted before"


def test_rows_that_differ_from_two_counts_that_agree_are_not_whole() -> None:
    """One left and another came behind the back of the walk."""
    shelf = Shelf(1, 2, 3)
    shelf.changes = {1: [2, 3, 4]}
    found = shelf.walk(3)
    assert (found.before, found.after) == (3, 3)
    assert not found.is_whole


def test_a_count_that_moved_is_seen_even_if_the_rows_fit_the_first() -> None:
    assert not Walked("numbers", [1, 2, 3], before=3, after=4).is_whole
    assert not Walked("numbers", [1, 2, 3], before=4, after=3).is_whole


def test_what_was_found_never_prints_its_rows() -> None:
    assert "4711" not in f"{Walked('numbers', ['4711'], before=1, after=1)!r}"


def test_what_a_page_raises_ends_the_walk() -> None:
    def broken(after: int, limit: int, counting: bool) -> Page[int]:
        raise SourceDistrusted("broken")

    with pytest.raises(SourceDistrusted, match="broken"):
        walk("numbers", broken, before=1, page_size=1)

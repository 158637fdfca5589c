"""A list that is read whole or not at all."""

import pytest

from door_sync.civicrm.walk import MOST_READS, Page, walk
from door_sync.ports import SourceDistrusted


class Shelf:
    """A list of numbers as a server would give it; `before_page` may change it on the way."""

    def __init__(self, *numbers: int, page_size: int = 2) -> None:
        self.numbers = list(numbers)
        self.page_size = page_size
        self.asked: list[tuple[int, bool]] = []
        self.changes: dict[int, list[int]] = {}

    def ask(self, after: int, counting: bool) -> Page[int]:
        self.numbers = self.changes.get(len(self.asked), self.numbers)
        self.asked.append((after, counting))
        found = [number for number in self.numbers if number > after][: self.page_size]
        return Page(found, found[-1] if found else after, len(self.numbers) if counting else None)

    def walk(self, expected: int) -> list[int]:
        return walk("numbers", self.ask, expected=expected, page_size=self.page_size)


def test_a_list_that_fits_in_one_page_costs_one_request_which_counts_too() -> None:
    shelf = Shelf(5, page_size=2)
    assert shelf.walk(1) == [5]
    assert shelf.asked == [(0, True)]


def test_an_empty_list_is_asked_for_and_counted_all_the_same() -> None:
    shelf = Shelf()
    assert shelf.walk(0) == []
    assert shelf.asked == [(0, True)]


def test_pages_follow_each_other_by_id_and_only_the_last_expected_one_counts() -> None:
    shelf = Shelf(1, 3, 4, 9, 12)
    assert shelf.walk(5) == [1, 3, 4, 9, 12]
    assert shelf.asked == [(0, False), (3, False), (9, True)]


def test_a_full_last_page_is_followed_by_one_that_proves_the_end() -> None:
    shelf = Shelf(1, 2, 3, 4)
    assert shelf.walk(4) == [1, 2, 3, 4]
    assert shelf.asked == [(0, False), (2, False), (4, True)]


def test_a_list_that_grew_since_it_was_counted_is_read_again() -> None:
    shelf = Shelf(1, 2, 3, 4, 5)
    assert shelf.walk(3) == [1, 2, 3, 4, 5]
    assert [after for after, _ in shelf.asked].count(0) == 2


def test_a_list_that_shrank_in_the_middle_of_the_walk_is_read_again() -> None:
    shelf = Shelf(1, 2, 3, 4, 5)
    shelf.changes = {1: [1, 5]}
    assert shelf.walk(5) == [1, 5]


def test_rows_that_differ_from_both_counts_are_not_believed() -> None:
    """A row removed and another added behind the walk: the counts agree, the rows do not."""
    shelf = Shelf(1, 2, 3)
    shelf.changes = {1: [2, 3, 4], 2: [2, 3, 4]}
    assert shelf.walk(3) == [2, 3, 4]


def test_a_list_that_never_stands_still_is_distrusted_after_the_third_reading() -> None:
    shelf = Shelf(1, page_size=9)
    shelf.changes = {1: [1, 2], 2: [1, 2, 3], 3: [1, 2, 3, 4]}
    with pytest.raises(SourceDistrusted, match="numbers did not come whole") as caught:
        shelf.walk(0)
    assert len(shelf.asked) == MOST_READS
    assert "next cycle" in caught.value.remedy


def test_what_a_page_raises_ends_the_walk() -> None:
    def broken(after: int, counting: bool) -> Page[int]:
        raise SourceDistrusted("broken")

    with pytest.raises(SourceDistrusted, match="broken"):
        walk("numbers", broken, expected=1, page_size=1)

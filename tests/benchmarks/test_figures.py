"""The arithmetic of the benchmark: growth, what is apart from the start, and the aims."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.aims import aims
from benchmarks.changes import WRITES, Happenings, fewest_writes
from benchmarks.club import CARD_NUMBERS, ENTITLED_MOST, people
from benchmarks.cycle import fewest_reads
from benchmarks.figures import cpu_per_members, good_cells, growth, of_changes, read, write


def test_what_grows_in_a_line_grows_by_the_same_everywhere() -> None:
    assert growth([(1_000, 5), (11_000, 7), (31_000, 11)]) == [2, 2]


def test_what_grows_faster_than_its_club_shows() -> None:
    few, many = growth([(0, 0), (10_000, 1), (20_000, 4)])
    assert few == pytest.approx(1)
    assert many == pytest.approx(3)


def test_two_figures_for_one_size_have_no_growth() -> None:
    with pytest.raises(ValueError, match="same number"):
        growth([(1_000, 1), (1_000, 2)])


def test_a_cell_that_failed_counts_nowhere(figures: dict[str, Any]) -> None:
    assert [cell["members"] for cell in of_changes(figures, 0)] == [1_000, 20_000]
    assert len(good_cells(figures)) == 3


def test_cpu_per_member_leaves_the_start_out(figures: dict[str, Any]) -> None:
    cell = of_changes(figures, 0)[1]
    assert cpu_per_members(figures, cell) == pytest.approx(1.0)
    figures["starting"] = []
    assert cpu_per_members(figures, cell) is None


def test_figures_come_back_as_they_were_written(figures: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "below" / "bench.json", figures)
    assert read(tmp_path / "below" / "bench.json") == figures


def test_figures_of_another_format_are_refused(figures: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "bench.json", {**figures, "format": 0})
    with pytest.raises(ValueError, match="not made by this benchmark"):
        read(tmp_path / "bench.json")


def test_an_aim_is_met_missed_or_not_measured(figures: dict[str, Any]) -> None:
    verdicts = {one.asks: one.is_met for one in aims(figures)}
    assert verdicts["a cycle without changes at 20,000 members takes less than 6 s"] is True
    assert verdicts["a changed member costs the fewest writes and one read-back"] is False
    assert verdicts["peak memory below 350 MiB at 100,000 members"] is None
    assert verdicts["less than 1 s of CPU per 10,000 members, start-up apart"] is True


def test_nothing_measured_meets_no_aim(figures: dict[str, Any]) -> None:
    assert {one.is_met for one in aims({**figures, "cells": [], "starting": []})} == {None}


def test_beyond_the_card_numbers_people_are_former_members_with_a_recycled_number() -> None:
    everybody = list(people(ENTITLED_MOST + 2))
    present = [one for one in everybody if one.is_member]
    assert len({one.card for one in present}) == len(present) == ENTITLED_MOST
    assert [one.card for one in everybody[-2:]] == [0, 1]
    assert len({one.contact for one in everybody}) == len(everybody)


def test_nobody_changes_twice_and_no_card_is_handed_out_twice() -> None:
    happenings = Happenings(1_000)
    events = happenings.round(50) + happenings.round(1_000)
    assert len({event.person for event in events}) == len(events)
    cards = [event.card for event in events if event.card is not None]
    assert len(set(cards)) == len(cards) == 420
    assert min(cards) == 1_000
    assert max(cards) < CARD_NUMBERS


def test_a_club_that_is_used_up_says_so() -> None:
    with pytest.raises(ValueError, match="changed already"):
        Happenings(10).round(50)
    with pytest.raises(ValueError, match="card number"):
        Happenings(100_000).round(5_000)


def test_the_fewest_writes_are_those_of_each_kind_and_full_imports() -> None:
    events = Happenings(10_000).round(1_000)
    assert fewest_writes(events) == 200 * sum(WRITES.values()) + 2


@pytest.mark.parametrize(
    ("members", "civicrm", "unifi"), [(0, 3, 4), (1_000, 3, 18), (10_000, 5, 153)]
)
def test_the_fewest_reads_follow_from_the_sizes_of_pages(
    members: int, civicrm: int, unifi: int
) -> None:
    """One page more holds the owner, whom every controller has."""
    assert fewest_reads(members) == {"civicrm": civicrm, "unifi": unifi}

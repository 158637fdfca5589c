"""Hours of made-up time: a side that is down, storms of triggers, sleep, clocks that are put."""

import itertools
from datetime import timedelta

import pytest

from door_sync.app.report import CycleReport
from door_sync.daemon.pacing import TRIGGER_INTERVAL_SECONDS
from tests.daemon.harness import CADENCE, DOWN, GOOD, World


def down_between(world: World, begin: float, end: float) -> None:
    """Let a side give no answer between two moments."""

    def result() -> CycleReport:
        return DOWN if begin <= world.clock.seconds - 1000 < end else GOOD

    world.site.result = result


@pytest.mark.parametrize("minutes", [1, 3, 10, 60, 180])
def test_after_an_outage_nobody_waits_longer_than_it_lasted_nor_than_the_cadence(
    minutes: int,
) -> None:
    world = World(hours=5)
    begin, end = 600, 600 + minutes * 60
    down_between(world, begin, end)
    world.run()
    first_good = min(at for at in world.site.began if at >= end)
    assert first_good - end <= min(max(minutes * 60, 30), CADENCE)
    assert world.site.shown.count(DOWN) <= 6 + minutes * 60 / CADENCE, "it does not hammer either"


def test_an_hour_down_is_told_as_often_as_the_cadence_would_tell_it() -> None:
    world = World(hours=2)
    down_between(world, 600, 600 + 3600)
    world.run()
    counted = [
        at
        for at, early in zip(world.site.began, world.site.early, strict=True)
        if not early and 600 <= at < 4200
    ]
    assert counted[0] == 600
    assert all(b - a >= CADENCE / 2 for a, b in itertools.pairwise(counted))
    assert len(counted) >= 6


def test_a_call_starts_a_cycle_at_once() -> None:
    world = World(hours=0.5)
    world.day.at(100, world.around.bell.ring)
    world.run()
    assert world.site.began == [0, 100, 700, 1300]


def test_a_storm_of_calls_starts_a_cycle_every_ten_seconds_and_no_more() -> None:
    world = World(hours=0.25)
    world.site.lasts = 2
    for tenth in range(1000, 2000):
        world.day.at(tenth / 10, world.around.bell.ring)
    world.run()
    in_storm = [at for at in world.site.began if 100 <= at < 215]
    assert in_storm[0] == 100
    gaps = [b - a for a, b in itertools.pairwise(in_storm)]
    assert min(gaps) >= TRIGGER_INTERVAL_SECONDS
    assert len(in_storm) == 11, "ten in a hundred seconds, and one for those that came last"


def test_calls_during_a_cycle_lead_to_exactly_one_more_after_it() -> None:
    world = World(hours=0.15)
    world.site.lasts = 60
    merged: list[bool] = []
    for at in (10, 20, 25, 29):
        world.day.at(at, lambda: merged.append(world.around.bell.ring()))
    world.run()
    assert merged == [False, True, True, True]
    assert world.site.began == [0, 60]


def test_a_call_in_the_first_seconds_of_a_cycle_is_not_taken_for_answered_by_it() -> None:
    """The cycle may have read the membership list already."""
    world = World(hours=0.1)
    world.site.lasts = 4
    world.day.at(1, world.around.bell.ring)
    world.run()
    assert world.site.began == [0, 10]


def test_a_call_while_a_side_is_down_is_an_attempt_more() -> None:
    world = World(hours=0.5)
    down_between(world, 0, 300)
    world.day.at(200, world.around.bell.ring)
    world.run()
    assert 200 in world.site.began


@pytest.mark.parametrize("hours", [-8760, -1, 1, 8760])
def test_a_clock_on_the_wall_that_is_put_changes_no_pause(hours: int) -> None:
    world = World(hours=1)

    def put() -> None:
        world.clock.wall += timedelta(hours=hours)

    world.day.at(700, put)
    world.run()
    assert world.site.began == [0, 600, 1200, 1800, 2400, 3000]


def test_after_a_sleep_of_the_machine_one_cycle_is_due_and_not_all_that_were_missed() -> None:
    world = World(hours=12)

    def sleep() -> None:
        world.day.stands_still = 8 * 3600

    world.day.at(1000, sleep)
    world.run()
    [before, after, next_] = [at for at in world.site.began if 500 < at < 1000 + 8 * 3600 + 700]
    assert before == 600
    assert 8 * 3600 <= after - 1000 <= 8 * 3600 + 30
    assert next_ - after == CADENCE


def test_it_looks_at_the_clock_twice_a_minute_for_a_wait_stands_still_while_it_sleeps() -> None:
    world = World(hours=1)
    world.run()
    assert max(world.day.waits) == 30

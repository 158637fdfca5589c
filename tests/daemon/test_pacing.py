"""When the next cycle is due, whatever happens before (decision 31)."""

from hypothesis import given
from hypothesis import strategies as st

from door_sync.daemon.pacing import (
    FIRST_RETRY_SECONDS,
    JITTER,
    TRIGGER_INTERVAL_SECONDS,
    Outcome,
    Schedule,
)

CADENCES = st.floats(60, 86_400)
CHANCES = st.floats(0, 1)
TIMES = st.floats(0, 1e7)
LASTING = st.floats(0, 3600)


def after(schedule: Schedule, outcome: Outcome, at: float, chance: float = 0.0) -> Schedule:
    """The schedule after a cycle that took no time."""
    return schedule.after(outcome, began=at, ended=at, chance=chance)


@given(CADENCES, CHANCES, TIMES, LASTING)
def test_after_a_good_cycle_the_pause_is_the_cadence_less_the_jitter(
    cadence: float, chance: float, began: float, lasts: float
) -> None:
    ended = began + lasts
    schedule = Schedule(cadence, 0).after(Outcome.SETTLED, began=began, ended=ended, chance=chance)
    left = schedule.seconds_left(ended)
    assert cadence * (1 - JITTER) - 0.01 <= left <= cadence + 0.01
    assert schedule.seconds_left(ended + cadence + 0.01) == 0


@given(CADENCES, TIMES, st.lists(st.tuples(LASTING, CHANCES, st.booleans()), max_size=30))
def test_no_pause_is_longer_than_the_cadence_nor_than_what_the_outage_lasted(
    cadence: float, start: float, cycles: list[tuple[float, float, bool]]
) -> None:
    schedule, now, down_since = Schedule(cadence, start), start, None
    for lasts, chance, is_down in cycles:
        began, now = now, now + lasts
        outcome = Outcome.DOWN if is_down else Outcome.SETTLED
        schedule = schedule.after(outcome, began=began, ended=now, chance=chance)
        left = schedule.seconds_left(now)
        assert left <= cadence + 0.01
        if is_down:
            down_since = now if down_since is None else down_since
            assert left <= max(now - down_since, FIRST_RETRY_SECONDS) + 0.01
            assert left >= min(FIRST_RETRY_SECONDS, cadence) * (1 - JITTER) - 0.01
        else:
            down_since = None
        now += left


def test_while_a_side_is_down_the_pauses_double_up_to_the_cadence() -> None:
    schedule, now, pauses = Schedule(600, 0), 0.0, []
    for _ in range(9):
        schedule = after(schedule, Outcome.DOWN, now)
        pauses.append(schedule.seconds_left(now))
        now += pauses[-1]
    assert pauses == [30, 30, 60, 120, 240, 480, 600, 600, 600]


def test_cycles_that_triggers_start_in_an_outage_do_not_make_the_pauses_longer() -> None:
    """A count of failures would be at the cadence after a few of them."""
    schedule = Schedule(600, 0)
    for at in range(0, 60, 10):
        schedule = after(schedule, Outcome.DOWN, at)
    assert schedule.seconds_left(50) == 50


def test_the_first_good_cycle_ends_the_back_off() -> None:
    schedule = after(after(Schedule(600, 0), Outcome.DOWN, 0), Outcome.SETTLED, 30)
    assert after(schedule, Outcome.DOWN, 630).seconds_left(630) == FIRST_RETRY_SECONDS


def test_beside_another_program_it_tries_again_soon() -> None:
    assert after(Schedule(600, 0), Outcome.BUSY, 0).seconds_left(0) == FIRST_RETRY_SECONDS


def test_failures_count_for_alerts_no_oftener_than_the_cadence_would_have_them() -> None:
    schedule, now, early = Schedule(600, 0), 0.0, []
    for _ in range(8):
        early.append(schedule.is_early_retry(now))
        schedule = after(schedule, Outcome.DOWN, now)
        now += schedule.seconds_left(now)
    assert early == [False, True, True, True, True, False, False, False]
    assert not after(schedule, Outcome.SETTLED, now).is_early_retry(now + 1)


@given(TIMES, CADENCES, st.lists(st.floats(0, 1000), min_size=1, max_size=20))
def test_a_trigger_starts_a_cycle_soon_and_not_sooner_than_ten_seconds_after_the_last(
    began: float, cadence: float, calls: list[float]
) -> None:
    schedule = after(Schedule(cadence, began), Outcome.SETTLED, began)
    due = schedule.due
    for call in sorted(calls):
        schedule = schedule.triggered(began + call)
        assert schedule.due >= began + TRIGGER_INTERVAL_SECONDS
        assert schedule.due <= max(began + call, began + TRIGGER_INTERVAL_SECONDS)
        assert schedule.due <= due


def test_before_the_first_cycle_a_trigger_waits_for_nothing() -> None:
    assert Schedule(600, due=900).triggered(0).due == 0


@given(TIMES, CADENCES, CADENCES, st.floats(0, 86_400))
def test_a_shorter_cadence_acts_at_once_and_a_longer_one_takes_nothing_back(
    ended: float, old: float, new: float, later: float
) -> None:
    schedule = after(Schedule(old, 0), Outcome.SETTLED, ended)
    now = min(ended + later, schedule.due)
    changed = schedule.with_cadence(new, now)
    assert changed.cadence == new
    assert changed.due == min(schedule.due, now + new)

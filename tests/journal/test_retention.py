"""Old rows go, what is needed stays, and no wrong clock empties the journal (§7)."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.audited import mark_audited
from door_sync.journal.holds import read_refusals
from door_sync.journal.record import begin_cycle
from door_sync.journal.retention import (
    AT_ONCE,
    Keep,
    Pruned,
    prune,
    prune_daily,
    would_prune,
)
from door_sync.journal.store import Store
from door_sync.ports import StepRecord
from tests.journal.conftest import START, HandClock

KEEP = Keep(changes=timedelta(days=400), quiet=timedelta(days=30))
DAY = timedelta(days=1)

Cycle = Callable[..., str]


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(Store.open(path)) as opened:
        yield opened


@pytest.fixture
def numbers() -> Iterator[int]:
    return iter(range(1_000_000))


@pytest.fixture
def cycle(store: Store, clock: HandClock, numbers: Iterator[int]) -> Cycle:
    return lambda *, wrote=False, event="applied": lived(store, clock, numbers, wrote, event)


def lived(store: Store, clock: HandClock, numbers: Iterator[int], wrote: bool, event: str) -> str:
    """Run a cycle that ended and has its audit line."""

    def unique(size: int) -> bytes:
        return next(numbers).to_bytes(size)

    record = begin_cycle(store, clock, clock.now(), unique)
    if wrote:
        step = StepRecord(ContactId(7), "bind-card", "card", "", digest(bytes(32), "t", 1))
        record.outcome(record.intend(step), "done")
    record.end(event, "", {})
    mark_audited(store, record.cycle_id, digest(bytes(32), "line", record.cycle_id))
    return record.cycle_id


def kept(store: Store) -> list[str]:
    with store.reading() as connection:
        return [name for (name,) in connection.execute("SELECT id FROM cycles ORDER BY number")]


def live_through(clock: HandClock, cycle: Cycle, days: int, *, wrote_every: int = 10) -> list[str]:
    """Run one cycle a day, of which some write; return those."""
    written = []
    for day in range(days):
        clock.moment += DAY
        wrote = day % wrote_every == 0
        name = cycle(wrote=wrote)
        if wrote:
            written.append(name)
    return written


def remove(store: Store, clock: HandClock) -> Pruned:
    """Prune, having said before exactly what would go."""
    foretold = would_prune(store, clock.now(), KEEP)
    done = prune(store, clock.now(), KEEP, most=10_000)
    assert (foretold.changes, foretold.quiet, foretold.steps) == (
        done.changes,
        done.quiet,
        done.steps,
    )
    return done


def test_quiet_cycles_go_after_a_month_and_those_that_wrote_after_a_year(
    store: Store, clock: HandClock, cycle: Cycle
) -> None:
    written = live_through(clock, cycle, 440)
    done = remove(store, clock)
    assert done == Pruned(changes=4, quiet=440 - 44 - 28, steps=4)
    left = kept(store)
    assert [name for name in written if name in left] == written[4:]
    assert len(left) == 40 + 28
    assert remove(store, clock) == Pruned()


def test_the_steps_of_a_day_that_guards_add_up_are_never_touched(
    store: Store, clock: HandClock, cycle: Cycle
) -> None:
    live_through(clock, cycle, 60)
    last = cycle(wrote=True)
    prune(store, clock.now(), Keep(timedelta(days=30), timedelta(days=2)), most=1000)
    assert last in kept(store)


def test_whatever_is_needed_stays_at_any_age(
    store: Store, clock: HandClock, cycle: Cycle, numbers: Iterator[int]
) -> None:
    """No audit line yet, no end yet, the last good one, the latest, and one that held a plan."""
    held, good = cycle(event="halted"), cycle()
    late = begin_cycle(store, clock, clock.now(), lambda n: next(numbers).to_bytes(n))
    late.end("failed", "", {})
    for _ in range(100):
        clock.moment += DAY
        cycle(event="failed")
    with store.writing() as connection:
        connection.execute(
            "INSERT INTO holds (digest, cycle, held_at) VALUES (?, ?, ?)",
            ("ab" * 6, held, START.isoformat()),
        )
    remove(store, clock)
    left = kept(store)
    assert {held, good, late.cycle_id} <= set(left)
    assert len(left) == 3 + 31


def test_cycles_of_a_version_without_a_chain_and_a_site_that_never_was_good_age_too(
    store: Store, clock: HandClock, cycle: Cycle
) -> None:
    for _ in range(60):
        clock.moment += DAY
        cycle(event="failed")
    with store.writing() as connection:
        connection.execute("UPDATE cycles SET audit = 'before the chain', audit_number = NULL")
    assert remove(store, clock).quiet == 29


def test_what_persons_said_goes_with_the_age_of_changes_and_what_stands_stays(
    store: Store, clock: HandClock, cycle: Cycle
) -> None:
    old = START.isoformat(timespec="microseconds")
    with store.writing() as connection:
        connection.executemany(
            "INSERT INTO holds (digest, cycle, held_at, closed_at) VALUES (?, 'gone', ?, ?)",
            [("aa" * 6, old, old), ("bb" * 6, old, None)],
        )
        connection.executemany(
            "INSERT INTO hold_guards (hold, guard, extent, text) VALUES (?, 'mass card', 1, '')",
            [("aa" * 6,), ("bb" * 6,)],
        )
        connection.executemany(
            "INSERT INTO cut_offs (contact_id, at, asked_by, reason, lifted_at, lifted_by) "
            "VALUES (?, ?, 'uid 1', '', ?, 'uid 1')",
            [(7, old, old), (8, old, None)],
        )
        connection.execute(
            "INSERT INTO alert_messages (cause, kind, at) VALUES ('failed', 'begin', ?)", (old,)
        )
    live_through(clock, cycle, 410)
    done = remove(store, clock)
    assert (done.holds, done.cut_offs, done.messages) == (1, 1, 1)
    with store.reading() as connection:
        assert connection.execute("SELECT hold FROM hold_guards").fetchall() == [("bb" * 6,)]
        assert connection.execute("SELECT contact_id FROM cut_offs").fetchall() == [(8,)]


def test_a_refusal_that_stands_outlasts_the_plan_that_it_was_said_to(
    store: Store, clock: HandClock, cycle: Cycle
) -> None:
    """The plan has changed since, so that its hold is closed, but the refused change is still due:
    were the refusal to go by age, it would be carried out unasked."""
    old, effect = START.isoformat(timespec="microseconds"), "ab" * 8
    with store.writing() as connection:
        connection.executemany(
            "INSERT INTO holds (digest, cycle, held_at, closed_at) VALUES (?, 'gone', ?, ?)",
            [("aa" * 6, old, old), ("bb" * 6, old, old)],
        )
        connection.executemany(
            "INSERT INTO held_effects (hold, contact_id, change, kind, digest) "
            "VALUES (?, 7, 'policy', 'policy', ?)",
            [("aa" * 6, effect), ("bb" * 6, effect)],
        )
        connection.executemany(
            "INSERT INTO approvals (hold, verdict, at, asked_by, classes, contacts, ended_at) "
            "VALUES (?, 'rejected', ?, 'uid 1', '[]', '[]', ?)",
            [("aa" * 6, old, None), ("bb" * 6, old, old)],
        )
    live_through(clock, cycle, 410)
    assert would_prune(store, clock.now(), KEEP).holds == 1
    assert remove(store, clock).holds == 1
    with store.reading() as connection:
        (refusal,) = read_refusals(connection, clock.now())
    assert refusal.effects == {effect}


@pytest.mark.parametrize("years", [1, 14, 5000])
def test_a_clock_that_jumps_ahead_and_back_removes_next_to_nothing(
    store: Store, clock: HandClock, cycle: Cycle, years: int
) -> None:
    live_through(clock, cycle, 100, wrote_every=2)
    remove(store, clock)
    before, right = kept(store), clock.moment
    clock.moment += timedelta(days=365 * years)
    live_through(clock, cycle, 3, wrote_every=2)
    remove(store, clock)
    clock.moment = right
    live_through(clock, cycle, 3, wrote_every=2)
    remove(store, clock)
    lost = [name for name in before if name not in kept(store)]
    assert len(lost) <= 6, "six days' quiet cycles, of thirty"
    assert all("2025" in name for name in lost)


def test_a_clock_that_was_set_back_removes_nothing_of_before(
    store: Store, clock: HandClock, cycle: Cycle
) -> None:
    live_through(clock, cycle, 100)
    remove(store, clock)
    before = kept(store)
    clock.moment -= timedelta(days=3650)
    live_through(clock, cycle, 50)
    remove(store, clock)
    assert before == kept(store)[: len(before)]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(min_value=-4000, max_value=4000), min_size=1, max_size=4),
    st.integers(min_value=0, max_value=1),
)
def test_wherever_the_clock_jumps_the_latest_month_of_changes_stays(
    jumps: list[int], also_quiet: int
) -> None:
    """§6: the guards' day is never lost, nor what a volunteer looks back at."""
    store, clock, numbers = Store.in_memory(), HandClock(), iter(range(10_000))
    with closing(store):
        for day in range(200):
            clock.moment += DAY
            lived(store, clock, numbers, day % (1 + also_quiet) == 0, "applied")
        with store.reading() as connection:
            latest = [
                name
                for (name,) in connection.execute(
                    "SELECT id FROM cycles WHERE number > 170 AND id IN (SELECT cycle FROM steps)"
                )
            ]
        for jump in jumps:
            clock.moment += timedelta(days=jump)
            lived(store, clock, numbers, True, "applied")
            prune(store, clock.now(), KEEP, most=10_000)
        assert set(latest) <= set(kept(store))


def test_a_live_cycle_removes_once_a_day_and_no_more_than_its_share(
    store: Store, clock: HandClock, cycle: Cycle
) -> None:
    for _ in range(3 * AT_ONCE):
        clock.moment += timedelta(hours=3)
        cycle()
    first = prune_daily(store, clock.now(), KEEP, most=AT_ONCE)
    assert (first.quiet, first.is_all) == (AT_ONCE, False)
    second = prune_daily(store, clock.now(), KEEP, most=AT_ONCE)
    assert second.is_all
    clock.moment += timedelta(hours=23)
    cycle()
    assert prune_daily(store, clock.now(), KEEP) == Pruned()
    clock.moment += timedelta(hours=2)
    assert prune_daily(store, clock.now(), KEEP).quiet > 0


def test_a_day_that_a_wrong_clock_wrote_down_does_not_put_it_off(
    store: Store, clock: HandClock, cycle: Cycle
) -> None:
    live_through(clock, cycle, 60)
    with store.writing() as connection:
        connection.execute("UPDATE site SET pruned_at = '2099-01-01T00:00:00.000000+00:00'")
    assert prune_daily(store, clock.now(), KEEP).quiet > 0


def test_until_when_rows_are_gone_is_on_record(
    store: Store, clock: HandClock, cycle: Cycle
) -> None:
    def gone_before() -> tuple[str | None, str | None]:
        with store.reading() as connection:
            row: tuple[str | None, str | None] = connection.execute(
                "SELECT pruned_before, pruned_quiet_before FROM site"
            ).fetchone()
            return row

    assert gone_before() == (None, None)
    live_through(clock, cycle, 100)
    remove(store, clock)
    changes, quiet = gone_before()
    assert changes is None
    assert quiet is not None
    assert datetime.fromisoformat(quiet) < clock.now() - KEEP.quiet

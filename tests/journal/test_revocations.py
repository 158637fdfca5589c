"""How long revocations took, from the cycle that learned of each to its proof (P10)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.approvals import Effect, Hold
from door_sync.core.leavers import Leavers
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.core.tags import digest
from door_sync.journal.cutoffs import Reason
from door_sync.journal.memory import InMemoryJournal
from door_sync.journal.record import SqliteCycleRecord
from door_sync.journal.retention import Keep, prune
from door_sync.journal.revocations import Unproven
from door_sync.journal.sqlite import SqliteJournal
from door_sync.journal.store import Store
from door_sync.ports import StepRecord
from tests.journal.conftest import START, HandClock

ANN, BOB = ContactId(42), ContactId(7)
MINUTE = timedelta(minutes=1)

Advance = Callable[[timedelta], datetime]


def learned(journal: SqliteJournal, clock: HandClock, *people: ContactId) -> SqliteCycleRecord:
    """Begin a cycle that learns of these revocations."""
    record = journal.begin(clock.now())
    record.learned(Leavers(learned=frozenset(people)))
    return record


def waiting(journal: SqliteJournal) -> list[ContactId]:
    return [one.contact_id for one in journal.revocation_times(START).unproven]


def test_without_any_revocation_there_is_no_time(journal: SqliteJournal) -> None:
    times = journal.revocation_times(START)
    assert (times.count, times.p50_seconds, times.p95_seconds) == (0, None, None)
    assert (times.unproven, times.oldest_unproven) == ((), None)


def test_it_counts_from_the_start_of_the_cycle_that_learned_of_it(
    journal: SqliteJournal, clock: HandClock, advance: Advance
) -> None:
    record = journal.begin(clock.now())
    advance(MINUTE)
    record.learned(Leavers(learned=frozenset({ANN})))
    assert journal.revocation_times(START).unproven == (Unproven(ANN, START, is_held=False),)
    assert journal.memory(clock.now()).leaving == {ANN}
    record.proven({ANN: advance(MINUTE)})
    times = journal.revocation_times(START)
    assert (times.count, times.p50_seconds, times.p95_seconds) == (1, 120, 120)
    assert journal.memory(clock.now()).leaving == frozenset()


def test_tries_that_failed_and_cycles_that_died_do_not_begin_it_anew(
    journal: SqliteJournal, clock: HandClock, advance: Advance
) -> None:
    record = learned(journal, clock, ANN)
    for _ in range(3):
        advance(10 * MINUTE)
        record = learned(journal, clock, ANN)
    record.proven({ANN: clock.now()})
    assert journal.revocation_times(START).p95_seconds == 1800
    assert journal.proven_seconds(clock.now()) == (1800,)
    assert journal.proven_seconds(clock.now() + MINUTE) == ()
    learned(journal, clock, ANN)
    assert waiting(journal) == [ANN]


def test_a_hold_of_a_day_counts_and_is_told_while_it_lasts(
    journal: SqliteJournal, clock: HandClock, advance: Advance
) -> None:
    effect = Effect(ANN, ChangeClass.REVOKE, "access", digest(bytes(32), "effect", ANN))
    other = Effect(BOB, ChangeClass.GRANT, "access", digest(bytes(32), "effect", BOB))
    hold = Hold("0123456789ab", {"mass deactivation": 0}, frozenset({effect, other}))
    record = learned(journal, clock, ANN, BOB)
    record.decided(hold, {"mass deactivation": "too many"}, ())
    assert journal.revocation_times(START).unproven == (
        Unproven(BOB, START, is_held=False),
        Unproven(ANN, START, is_held=True),
    )
    advance(timedelta(days=1))
    record = learned(journal, clock, ANN, BOB)
    record.decided(None, {}, ())
    assert not any(one.is_held for one in journal.revocation_times(START).unproven)
    record.proven({ANN: clock.now(), BOB: clock.now()})
    assert journal.revocation_times(START).p50_seconds == 86400


def test_what_a_later_read_shows_shut_is_proven_then(
    journal: SqliteJournal, clock: HandClock, advance: Advance
) -> None:
    learned(journal, clock, ANN)
    advance(MINUTE)
    journal.begin(clock.now()).learned(Leavers(shut=frozenset({ANN})))
    assert journal.revocation_times(START).p50_seconds == 60


def test_who_is_entitled_after_all_is_not_measured(
    journal: SqliteJournal, clock: HandClock
) -> None:
    record = learned(journal, clock, ANN)
    record.learned(Leavers(entitled=frozenset({ANN})))
    times = journal.revocation_times(START)
    assert (times.count, times.unproven) == (0, ())


def test_an_urgent_cut_off_counts_from_its_record(
    journal: SqliteJournal, clock: HandClock, advance: Advance
) -> None:
    journal.cut_offs().cut(ANN, "kim", Reason.of(""))
    advance(MINUTE)
    journal.begin_command(clock.now(), "revoke", "kim").proven({ANN: clock.now()})
    assert journal.revocation_times(START).p50_seconds == 60


def test_a_cycle_that_did_not_see_the_cut_off_does_not_take_it_back(
    journal: SqliteJournal, clock: HandClock
) -> None:
    record = learned(journal, clock, ANN)
    journal.cut_offs().cut(ANN, "kim", Reason.of(""))
    record.learned(Leavers(entitled=frozenset({ANN})))
    assert waiting(journal) == [ANN]
    journal.cut_offs().lift(ANN, "kim")
    record.learned(Leavers(entitled=frozenset({ANN})))
    assert waiting(journal) == []


def test_who_had_nothing_to_lose_is_not_measured(journal: SqliteJournal, clock: HandClock) -> None:
    journal.cut_offs().cut(ANN, "kim", Reason.of(""))
    journal.begin(clock.now()).learned(Leavers(shut=frozenset({ANN})))
    times = journal.revocation_times(START)
    assert (times.count, times.unproven) == (0, ())


@pytest.mark.parametrize("by", ["a write", "a cycle"])
def test_a_cut_off_that_died_before_its_proof_is_measured_all_the_same(
    journal: SqliteJournal, clock: HandClock, advance: Advance, by: str
) -> None:
    journal.cut_offs().cut(ANN, "kim", Reason.of(""))
    if by == "a write":
        command = journal.begin_command(clock.now(), "revoke", "kim")
        key = digest(bytes(32), "step", ANN)
        command.intend(StepRecord(ANN, "deactivate-user", "revoke", "cut off by hand", key))
    else:
        advance(MINUTE)
        learned(journal, clock, ANN)
    advance(MINUTE)
    journal.begin(clock.now()).learned(Leavers(shut=frozenset({ANN})))
    times = journal.revocation_times(START)
    assert (times.count, times.p50_seconds) == (1, 60 if by == "a write" else 120)


def test_a_clock_that_was_set_back_makes_no_time_below_zero(
    journal: SqliteJournal, clock: HandClock, advance: Advance
) -> None:
    record = learned(journal, clock, ANN)
    record.proven({ANN: advance(-10 * MINUTE)})
    assert journal.revocation_times(START - timedelta(days=1)).p50_seconds == 0


def test_only_what_was_proven_since_then_is_measured(
    journal: SqliteJournal, clock: HandClock, advance: Advance
) -> None:
    learned(journal, clock, ANN).proven({ANN: advance(MINUTE)})
    assert journal.revocation_times(START + MINUTE).count == 1
    assert journal.revocation_times(START + MINUTE + timedelta(microseconds=1)).count == 0


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=60))
def test_p50_and_p95_are_times_that_so_many_did_not_exceed(lasted: list[int]) -> None:
    clock = HandClock()
    with InMemoryJournal(clock) as journal:
        people = {ContactId(number): seconds for number, seconds in enumerate(lasted, start=1)}
        record = learned(journal, clock, *people)
        record.proven({one: START + timedelta(seconds=s) for one, s in people.items()})
        times = journal.revocation_times(START)
    for percent, value in ((50, times.p50_seconds), (95, times.p95_seconds)):
        assert value is not None
        assert value in lasted
        within = sum(seconds <= value for seconds in lasted)
        below = sum(seconds < value for seconds in lasted)
        assert within * 100 >= percent * len(lasted) > below * 100


def test_old_ones_go_with_the_changes_and_those_without_proof_stay(
    path: Path, journal: SqliteJournal, clock: HandClock, advance: Advance
) -> None:
    record = learned(journal, clock, ANN, BOB)
    record.proven({ANN: clock.now()})
    record.end("applied", "", {})
    for _ in range(30):
        advance(timedelta(days=1))
        journal.begin(clock.now()).end("applied", "", {})
    store = Store.open(path)
    keep = Keep(changes=timedelta(days=10), quiet=timedelta(days=10))
    assert journal.revocation_times(START).count == 1
    prune(store, clock.now(), keep, most=1000)
    store.close()
    assert journal.revocation_times(START).count == 0
    assert waiting(journal) == [BOB]

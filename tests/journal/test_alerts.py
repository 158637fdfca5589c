"""Alerts on record, and what is written in cycle after cycle (P14)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from door_sync.core.causes import Cause, Identity, Standing
from door_sync.core.people import ContactId
from door_sync.journal.alerts import REPEATS, AlertBook, Told
from door_sync.journal.sqlite import SqliteJournal
from door_sync.journal.store import Store
from door_sync.ports import JournalError, StepRecord
from tests.journal.conftest import START, HandClock

HELD = Standing(
    Cause(Identity.HELD, "Seven.", "All stay.", "Look."),
    START,
    failures=3,
    announced=START + timedelta(hours=1),
    reminded=START + timedelta(hours=2),
)
JOURNAL = Standing(Cause(Identity.JOURNAL, "Full.", "Nobody.", "Free."), START, is_over=True)


@pytest.fixture
def book(path: Path) -> Iterator[AlertBook]:
    with AlertBook.open(path) as opened:
        yield opened


def test_what_stands_is_there_again_for_the_next_process(path: Path) -> None:
    with AlertBook.open(path) as book:
        assert book.standing() == ()
        book.keep([HELD, JOURNAL])
    with AlertBook.open(path) as book:
        assert book.standing() == (JOURNAL, HELD)
        book.keep([JOURNAL])
    with AlertBook.open(path) as book:
        assert book.standing() == (JOURNAL,)


def test_each_message_stays_on_record(book: AlertBook) -> None:
    begin, end = Told(Identity.HELD, "begin", START), Told(Identity.HELD, "resolved", START)
    book.keep([HELD], [begin])
    book.keep([], [end])
    assert book.told() == (begin, end)


def test_either_all_of_it_is_kept_or_nothing(book: AlertBook) -> None:
    book.keep([HELD])
    with pytest.raises(JournalError):
        book.keep([JOURNAL], [Told(Identity.JOURNAL, "a kind that is none", START)])
    assert book.standing() == (HELD,)
    assert book.told() == ()


def test_a_cause_that_only_a_newer_release_knows_is_passed_over(path: Path) -> None:
    store = Store.open(path)
    with store.writing() as connection:
        connection.execute(
            "INSERT INTO alerts (cause, began, failures, happened, doors, settles) "
            "VALUES ('a fire', '2026-01-01T00:00:00.000000+00:00', 1, '', '', '')"
        )
        connection.execute(
            "INSERT INTO alert_messages (cause, kind, at) "
            "VALUES ('a fire', 'begin', '2026-01-01T00:00:00.000000+00:00')"
        )
    with AlertBook(store) as book:
        assert book.standing() == ()
        assert book.told() == ()


# What is written in cycle after cycle.

STEP = StepRecord(ContactId(7), "set-policies", "policy", "another policy", "ab" * 16)


def cycle(journal: SqliteJournal, *steps: tuple[StepRecord, str], event: str = "applied") -> None:
    """Record one cycle with these steps and their outcomes; "" is a step without one."""
    record = journal.begin(START)
    for step, outcome in steps:
        number = record.intend(step)
        if outcome:
            record.outcome(number, outcome)
    record.end(event, "", {})


def repeated(path: Path) -> list[tuple[int, str]]:
    with AlertBook.open(path) as book:
        return [*book.repeated()]


def test_a_change_done_alike_in_the_last_three_cycles_is_undone_by_something(
    journal: SqliteJournal, path: Path
) -> None:
    for _ in range(REPEATS - 1):
        cycle(journal, (STEP, "done"))
        assert repeated(path) == []
    cycle(journal, (STEP, "done"), (replace(STEP, contact_id=ContactId(8)), "done"))
    assert repeated(path) == [(7, "policy")]
    cycle(journal)
    assert repeated(path) == []


@pytest.mark.parametrize("event", ["failed", "crashed", "interrupted", "halted"])
def test_a_cycle_that_could_write_nothing_neither_counts_nor_breaks_the_row(
    journal: SqliteJournal, path: Path, event: str
) -> None:
    for _ in range(REPEATS):
        cycle(journal, (STEP, "done"))
        cycle(journal, event=event)
    assert repeated(path) == [(7, "policy")]


def test_a_hold_that_let_a_part_go_on_counts(journal: SqliteJournal, path: Path) -> None:
    for _ in range(REPEATS):
        cycle(journal, (STEP, "done"), event="halted")
    assert repeated(path) == [(7, "policy")]


def test_another_write_each_time_is_somebody_at_work_and_no_repeat(
    journal: SqliteJournal, path: Path
) -> None:
    for digit in "abc":
        cycle(journal, (replace(STEP, digest=digit * 32), "done"))
    assert repeated(path) == []


@pytest.mark.parametrize("outcome", ["unproven", "uncertain", "failed", ""])
def test_a_change_of_which_something_is_not_proven_was_not_done(
    journal: SqliteJournal, path: Path, outcome: str
) -> None:
    other = replace(STEP, kind="bind-card", digest="cd" * 16)
    for _ in range(REPEATS):
        cycle(journal, (STEP, "done"), (other, outcome))
    assert repeated(path) == []


def test_a_refusal_that_nothing_waits_for_does_not_hide_a_repeat(
    journal: SqliteJournal, path: Path
) -> None:
    free = replace(STEP, kind="free-card", change="revoke", digest="cd" * 16)
    deactivate = replace(STEP, kind="deactivate-user", change="revoke")
    for _ in range(REPEATS):
        cycle(journal, (free, "refused"), (deactivate, "done"))
    assert repeated(path) == [(7, "revoke")]


def test_what_a_person_ordered_is_no_cycle(journal: SqliteJournal, path: Path) -> None:
    for _ in range(REPEATS):
        cycle(journal, (STEP, "done"))
    store = Store.open(path)
    with store.writing() as connection:
        connection.execute("UPDATE cycles SET kind = 'revoke' WHERE number = 2")
    store.close()
    assert repeated(path) == []


def test_a_journal_that_cannot_be_opened_is_an_error(tmp_path: Path, clock: HandClock) -> None:
    with pytest.raises(JournalError):
        AlertBook.open(tmp_path)

"""A person's command that writes on its own has a record beside that of a running cycle (§6)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.record import SqliteCycleRecord, begin_command
from door_sync.journal.sqlite import SqliteJournal
from door_sync.journal.store import Store
from door_sync.ports import Clock, JournalError, StepRecord

Advance = Callable[[timedelta], datetime]


@pytest.fixture
def begin(journal: SqliteJournal, path: Path, clock: Clock) -> Callable[[], SqliteCycleRecord]:
    """Begin a command through a connection of its own, as another process does."""
    assert journal.cycles() == []
    store = Store.open(path)

    def command() -> SqliteCycleRecord:
        return begin_command(store, clock, clock.now(), bytes, "revoke", "uid 1000")

    return command


def events(journal: SqliteJournal) -> list[str | None]:
    return [one.event for one in reversed(journal.cycles())]


def test_a_command_ends_no_cycle_and_a_cycle_no_command(
    journal: SqliteJournal, clock: Clock, begin: Callable[[], SqliteCycleRecord]
) -> None:
    cycle = journal.begin(clock.now())
    command = begin()
    assert events(journal) == [None, None]
    step = StepRecord(ContactId(7), "deactivate-user", "revoke", "lost", digest(bytes(32), "t", 1))
    command.outcome(command.intend(step), "done")
    journal.begin(clock.now())
    assert events(journal) == ["interrupted", None, None]
    command.end("applied", "", {"deactivated": 1}, "cut off by hand")
    cycle.end("applied", "", {})
    assert events(journal) == ["applied", "applied", None]


@pytest.mark.parametrize(
    ("age", "event"), [(timedelta(hours=1), None), (timedelta(hours=1, seconds=1), "interrupted")]
)
def test_a_command_without_an_end_counts_as_interrupted_after_an_hour(
    journal: SqliteJournal,
    clock: Clock,
    advance: Advance,
    begin: Callable[[], SqliteCycleRecord],
    age: timedelta,
    event: str | None,
) -> None:
    begin()
    journal.begin(advance(age))
    assert events(journal) == [event, None]


def test_a_command_begins_in_no_journal_that_was_moved_away(
    path: Path, begin: Callable[[], SqliteCycleRecord]
) -> None:
    path.rename(path.with_name("elsewhere.db"))
    with pytest.raises(JournalError, match="moved or replaced"):
        begin()


def test_who_asked_and_why_it_ended_so_are_kept(
    path: Path, begin: Callable[[], SqliteCycleRecord]
) -> None:
    record = begin()
    record.end("failed", "", {}, "the controller gave no answer")
    with Store.open_read_only(path).reading() as connection:
        found = connection.execute("SELECT kind, asked_by, event, reason, audit FROM cycles")
        assert found.fetchall() == [
            ("revoke", "uid 1000", "failed", "the controller gave no answer", None)
        ]

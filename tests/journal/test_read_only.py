"""Dry runs: an existing journal for reading, or one that is forgotten (P7)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.memory import InMemoryJournal
from door_sync.journal.schema import MIGRATIONS, Migration
from door_sync.journal.sqlite import SqliteJournal
from door_sync.journal.store import Store
from door_sync.ports import Clock, GoodCounts, Journal, JournalError, Memory, StepRecord

NEXT: Migration = ("ALTER TABLE cycles ADD COLUMN started_by TEXT NOT NULL DEFAULT 'timer'",)


def keyed(part: str) -> str:
    return digest(bytes(32), "test", part)


@pytest.fixture
def used(path: Path, clock: Clock) -> Path:
    """A closed journal that remembers something."""
    with SqliteJournal.open(path, clock) as journal:
        record = journal.begin(clock.now())
        record.remember_refused_address(keyed("address"))
        record.good_read(GoodCounts(5, 4), [ContactId(3)])
        record.end("applied", keyed("plan"), {})
    return path


@pytest.fixture
def reader(used: Path, clock: Clock) -> Iterator[SqliteJournal]:
    with SqliteJournal.open_read_only(used, clock) as journal:
        yield journal


def test_a_dry_run_reads_memory_key_and_history(
    reader: SqliteJournal, used: Path, clock: Clock
) -> None:
    with SqliteJournal.open(used, clock) as writer:
        assert reader.site_key() == writer.site_key()
        assert reader.memory(clock.now()) == writer.memory(clock.now())
        assert reader.cycles() == writer.cycles()
    assert reader.memory(clock.now()).missing == {3}


def test_a_dry_run_cannot_begin_a_cycle(reader: SqliteJournal, used: Path, clock: Clock) -> None:
    before = used.read_bytes()
    with pytest.raises(JournalError, match="opened for reading alone"):
        reader.begin(clock.now())
    assert len(reader.cycles()) == 1
    assert used.read_bytes() == before


def test_a_dry_run_neither_makes_nor_changes_a_file(used: Path, clock: Clock) -> None:
    before = (used.read_bytes(), used.stat().st_mtime_ns)
    with SqliteJournal.open_read_only(used, clock) as journal:
        journal.memory(clock.now())
    assert (used.read_bytes(), used.stat().st_mtime_ns) == before


def test_a_dry_run_looks_on_while_a_cycle_writes(
    used: Path, clock: Clock, reader: SqliteJournal
) -> None:
    with SqliteJournal.open(used, clock) as writer, writer._store.writing() as connection:
        connection.execute("DELETE FROM missing_contacts")
        assert reader.memory(clock.now()).missing == {3}


def test_a_missing_journal_is_not_made_by_a_dry_run(path: Path, clock: Clock) -> None:
    with pytest.raises(JournalError, match="there is no journal at") as caught:
        SqliteJournal.open_read_only(path, clock)
    assert "live cycle makes it" in caught.value.remedy
    assert list(path.parent.iterdir()) == []


def test_an_older_journal_is_migrated_in_memory_alone(used: Path, clock: Clock) -> None:
    """`plan` works after an update, before the first live cycle, and still writes nothing."""
    before = used.read_bytes()
    with SqliteJournal.open_read_only(used, clock) as journal:
        key, memory = journal.site_key(), journal.memory(clock.now())
    store = Store.open_read_only(used, migrations=(*MIGRATIONS, NEXT))
    with SqliteJournal(store, clock) as journal:
        with store.reading() as connection:
            assert connection.execute("SELECT started_by FROM cycles").fetchall() == [("timer",)]
        assert journal.site_key() == key
        assert journal.memory(clock.now()) == memory
        with pytest.raises(JournalError, match="reading alone"):
            journal.begin(clock.now())
    assert used.read_bytes() == before


def test_an_empty_file_reads_as_an_empty_journal(path: Path, clock: Clock) -> None:
    path.touch()
    with SqliteJournal.open_read_only(path, clock) as journal:
        assert journal.memory(clock.now()) == Memory()
        assert len(journal.site_key()) == 32
    assert path.read_bytes() == b""


def test_without_a_journal_a_dry_run_starts_from_nothing(tmp_path: Path, clock: Clock) -> None:
    with InMemoryJournal(clock) as journal:
        filled: Journal = journal
        assert filled.memory(clock.now()) == Memory()
        assert filled.site_key() == filled.site_key()
        assert len(filled.site_key()) == 32
    assert list(tmp_path.iterdir()) == []


def test_two_journals_in_memory_share_nothing(clock: Clock) -> None:
    with InMemoryJournal(clock) as one, InMemoryJournal(clock) as other:
        assert one.site_key() != other.site_key()
        one.begin(clock.now())
        assert other.cycles() == []


def test_a_journal_in_memory_keeps_a_whole_cycle(
    clock: Clock, advance: Callable[[timedelta], datetime]
) -> None:
    """The demo and tests use it in place of a file."""
    with InMemoryJournal(clock) as journal:
        record = journal.begin(clock.now())
        number = record.intend(
            StepRecord(ContactId(42), "bind", "grant", "tier Gold", keyed("step"))
        )
        record.outcome(number, "done")
        record.remember_statusless(keyed("row"))
        advance(timedelta(minutes=1))
        record.end("applied", keyed("plan"), {"added": 1})
        assert journal.memory(clock.now()).statusless == {keyed("row")}
        assert journal.steps(record.cycle_id)[0].outcome == "done"
        assert journal.cycles()[0].ended == clock.now()

"""Older journals are migrated, newer ones refused; all or nothing (§7)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from door_sync.journal.schema import MIGRATIONS, Migration
from door_sync.journal.sqlite import SqliteJournal
from door_sync.journal.store import Store
from door_sync.ports import Clock, JournalError

# A made-up next version: a new table, and a new column with a value for the old rows.
NEXT: Migration = (
    "CREATE TABLE keepsakes (digest TEXT PRIMARY KEY) STRICT",
    "ALTER TABLE cycles ADD COLUMN started_by TEXT NOT NULL DEFAULT 'timer'",
)
LAST: Migration = ("INSERT INTO keepsakes VALUES ('made by the third')",)

BROKEN: Migration = (
    "CREATE TABLE keepsakes (digest TEXT PRIMARY KEY) STRICT",
    "ALTER TABLE no_such_table ADD COLUMN more TEXT",
)


@pytest.fixture
def first_version(path: Path, clock: Clock) -> Path:
    """A journal of version 1 with one cycle, as a site has it before an update."""
    with SqliteJournal.open(path, clock) as journal:
        journal.begin(clock.now()).end("applied", "", {"added": 3})
    return path


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_new_journal_has_this_programs_version_and_mark(first_version: Path) -> None:
    assert ask(first_version, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert ask(first_version, "PRAGMA application_id") == [(int.from_bytes(b"DOOR"),)]


def test_an_empty_file_becomes_a_journal(path: Path, clock: Clock) -> None:
    """What is left when the power failed between making the file and filling it (P9)."""
    path.touch()
    with SqliteJournal.open(path, clock) as journal:
        assert len(journal.site_key()) == 32


def test_an_older_journal_is_migrated_and_keeps_key_and_history(
    first_version: Path, clock: Clock
) -> None:
    with SqliteJournal.open(first_version, clock) as journal:
        key, history = journal.site_key(), journal.cycles()
    migrated = Store.open(first_version, migrations=(*MIGRATIONS, NEXT, LAST))
    with SqliteJournal(migrated, clock) as journal:
        assert journal.site_key() == key
        assert journal.cycles() == history
    assert ask(first_version, "PRAGMA user_version") == [(len(MIGRATIONS) + 2,)]
    assert ask(first_version, "SELECT started_by FROM cycles") == [("timer",)]
    assert ask(first_version, "SELECT digest FROM keepsakes") == [("made by the third",)]


def test_each_migration_runs_once(first_version: Path) -> None:
    for _ in range(2):
        Store.open(first_version, migrations=(*MIGRATIONS, NEXT)).close()
    assert ask(first_version, "PRAGMA user_version") == [(len(MIGRATIONS) + 1,)]


def test_a_migration_that_fails_leaves_the_journal_as_it_was(
    first_version: Path, clock: Clock
) -> None:
    with pytest.raises(JournalError, match="SQLite refused"):
        Store.open(first_version, migrations=(*MIGRATIONS, LAST, BROKEN))
    with pytest.raises(JournalError, match="SQLite refused"):
        Store.open(first_version, migrations=(*MIGRATIONS, BROKEN))
    assert ask(first_version, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert ask(first_version, "SELECT name FROM sqlite_schema WHERE name = 'keepsakes'") == []
    with SqliteJournal.open(first_version, clock) as journal:
        assert journal.cycles()[0].summary == {"added": 3}


def test_a_newer_journal_is_refused_by_name_of_both_versions_and_left_alone(
    first_version: Path, clock: Clock
) -> None:
    Store.open(first_version, migrations=(*MIGRATIONS, NEXT)).close()
    for open_ in (SqliteJournal.open, SqliteJournal.open_read_only):
        with pytest.raises(JournalError) as caught:
            open_(first_version, clock)
        assert f"of version {len(MIGRATIONS) + 1}," in caught.value.message
        assert f"no version above {len(MIGRATIONS)}" in caught.value.message
        assert str(first_version) in caught.value.message
        assert "newer" in caught.value.remedy
    assert ask(first_version, "SELECT started_by FROM cycles") == [("timer",)]


def test_a_journal_that_another_process_is_making_is_waited_for(path: Path) -> None:
    """It is seen before or after, never half-made and taken for another program's."""
    path.touch()
    with closing(sqlite3.connect(path, isolation_level=None)) as maker:
        maker.execute("BEGIN IMMEDIATE")
        maker.execute("CREATE TABLE half_made (x)")
        with pytest.raises(JournalError, match="another program keeps it locked"):
            Store.open(path, busy_timeout_seconds=0)
        maker.execute("ROLLBACK")
    Store.open(path, busy_timeout_seconds=0).close()

"""A look at the journal for a checkup, which leaves it as it is."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from door_sync.journal.soundness import look_at_journal, try_to_write
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import JournalError
from tests.journal.conftest import HandClock


@pytest.fixture
def made(path: Path, clock: HandClock) -> Path:
    """A journal that has seen a cycle."""
    with SqliteJournal.open(path, clock) as journal:
        journal.begin(datetime(2026, 11, 22, tzinfo=UTC)).end("applied", "", {})
    return path


def test_a_journal_that_was_looked_at_and_tried_has_the_same_bytes_and_nothing_beside_it(
    made: Path,
) -> None:
    before = made.read_bytes()
    seen = look_at_journal(made)
    try_to_write(made)
    assert (seen.damage, seen.is_provisioning) == ((), False)
    assert made.read_bytes() == before
    assert [*made.parent.iterdir()] == [made]


def test_neither_look_makes_a_journal(path: Path) -> None:
    for look in (look_at_journal, try_to_write):
        with pytest.raises(JournalError):
            look(path)
    assert list(path.parent.iterdir()) == []


def test_pages_that_got_lost_are_damage(made: Path) -> None:
    with made.open("r+b") as file:
        file.seek(36)  # how many pages the file says are free
        file.write((3).to_bytes(4, "big"))
    [found] = look_at_journal(made).damage
    assert "freelist" in found.lower()


def test_a_damaged_page_is_damage_or_makes_the_journal_unusable(made: Path) -> None:
    with closing(sqlite3.connect(made)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with made.open("r+b") as file:
        file.seek(size)
        file.write(b"\xff" * size)
    with pytest.raises(JournalError, match="it is damaged"):
        look_at_journal(made)


def test_another_programs_database_is_none(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(JournalError, match="another program's database"):
        look_at_journal(path)


def test_a_journal_that_somebody_keeps_locked_cannot_be_written_to(made: Path) -> None:
    with closing(sqlite3.connect(made, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="another program keeps it locked"):
            try_to_write(made, busy_timeout_seconds=0)
        look_at_journal(made)
    try_to_write(made, busy_timeout_seconds=0)

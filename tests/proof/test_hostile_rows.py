"""A journal with rows that door-sync did not write: a wrong file, or somebody's hands."""

import random
import sqlite3
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from door_sync.app.past import story_of
from door_sync.core.people import ContactId
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import JournalError
from tests.journal.chained import AuditedSite
from tests.journal.conftest import START, HandClock
from tests.thorough import THOROUGH

STRANGE: tuple[object, ...] = (
    "",
    "x",
    "\ud7ff\u202e",
    "[",
    "[" * 3000,
    "{}",
    "null",
    '["x"]',
    "[1e400]",
    "9" * 5000,
    "0000-00-00",
    "2026-01-01",
    "9999-12-31T23:59:59.999999-23:59",
    0,
    -1,
    2**63 - 1,
    -(2**63),
    b"\xff\xfe",
    1.5,
    None,
)
"""What a column may be given; SQLite itself refuses some of it, the tables being STRICT."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with some history, closed."""
    site = AuditedSite(tmp_path)
    for _ in range(2):
        site.cycle()
    record = site.begin()
    site.write(record, 311)
    site.write(record, 312, None)
    site.store.close()
    assert site.files.journal is not None
    return site.files.journal


def looks() -> list[Callable[[SqliteJournal], Any]]:
    """Everything that reads a journal for a cycle, or for a person."""
    return [
        lambda journal: journal.memory(START),
        lambda journal: journal.cycles(),
        lambda journal: [journal.steps(one.cycle_id) for one in journal.cycles()],
        lambda journal: journal.standing(),
        lambda journal: journal.revocation_times(START),
        lambda journal: journal.cut_offs().of(ContactId(311)),
        lambda journal: journal.site_key(),
    ]


def columns(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            if set(name) <= set(string.ascii_letters + "_") and not name.startswith("sqlite")
        ]
        return [
            (table, row[1])
            for table in tables
            for row in connection.execute(f"PRAGMA table_info({table})")
        ]


def spoilt(path: Path, chance: random.Random) -> bool:
    """Put something strange into one column of every row; False where SQLite refuses it."""
    table, column = chance.choice(columns(path))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"UPDATE {table} SET {column} = ?", (chance.choice(STRANGE),))
    except (sqlite3.Error, OverflowError):
        return False
    finally:
        connection.close()
    return True


def read_everything(path: Path) -> None:
    """Read it in every way; each succeeds or refuses it in words."""
    refused: list[JournalError] = []
    for look in looks():
        try:
            with SqliteJournal.open_read_only(path, HandClock()) as journal:
                look(journal)
            story_of(path, ContactId(311))
        except JournalError as error:
            refused.append(error)
    for refusal in refused:
        assert str(path) in refusal.message
        assert refusal.remedy
        assert len(refusal.message) < 1000


@pytest.mark.parametrize("seed", range(600 if THOROUGH else 60))
def test_a_row_that_is_not_ours_is_taken_as_such_or_refused_in_words(seed: int, path: Path) -> None:
    chance = random.Random(seed)
    for _ in range(20):
        if spoilt(path, chance):
            break
    read_everything(path)


@pytest.mark.parametrize("seed", range(300 if THOROUGH else 30))
def test_so_is_a_file_whose_bytes_were_changed(seed: int, path: Path) -> None:
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 5, 100])):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content[: chance.choice([len(content), len(content) // 2, 90])])
    read_everything(path)


@pytest.mark.parametrize(
    "content", [b"", b"SQLite format 3\x00" + bytes(84), bytes(4096), b"\x1f\x8b" + bytes(500)]
)
def test_another_kind_of_file_is_refused_and_not_touched(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(content)
    read_everything(path)
    assert path.read_bytes() == content

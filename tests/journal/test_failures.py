"""What is wrong with the file is said in one sentence with a remedy; real causes only (§7)."""

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.sqlite import SqliteJournal
from door_sync.journal.store import Store, _switch_on_durability
from door_sync.ports import Clock, JournalError, StepRecord

Spawn = Callable[..., "subprocess.Popen[str]"]


def keyed(part: str) -> str:
    return digest(bytes(32), "test", part)


def assert_says(error: JournalError, path: Path, *words: str) -> None:
    """The message names the file and the cause, and there is something to do about it."""
    assert str(path) in error.message
    for word in words:
        assert word in error.message
    assert error.remedy.endswith(".")
    assert error.exit_code == 2


@pytest.fixture
def old_journal(path: Path, clock: Clock) -> Path:
    """A closed journal with a cycle in it."""
    with SqliteJournal.open(path, clock) as journal:
        journal.begin(clock.now()).end("applied", keyed("plan"), {})
    return path


@pytest.fixture
def intruder(old_journal: Path) -> Iterator[sqlite3.Connection]:
    """Another program that has the journal open."""
    with closing(sqlite3.connect(old_journal, isolation_level=None)) as connection:
        yield connection


def test_a_directory_in_its_place(path: Path, clock: Clock) -> None:
    path.mkdir()
    for open_ in (SqliteJournal.open, SqliteJournal.open_read_only):
        with pytest.raises(JournalError) as caught:
            open_(path, clock)
        assert_says(caught.value, path, "it is a directory")
    assert list(path.iterdir()) == []


def test_a_link_that_leads_nowhere(path: Path, clock: Clock) -> None:
    path.symlink_to(path.with_name("gone"))
    with pytest.raises(JournalError) as caught:
        SqliteJournal.open(path, clock)
    assert_says(caught.value, path, "no ordinary file")


@pytest.mark.parametrize(
    "content", [b"hello", b"door-sync was here\n" * 1000], ids=["tiny", "large"]
)
def test_a_file_that_is_no_database_is_left_as_it_is(
    path: Path, clock: Clock, content: bytes
) -> None:
    """Its mode too: a slip in `ops.history_db` may name any file of the system."""
    path.write_bytes(content)
    path.chmod(0o644)
    before = (path.stat().st_mode, path.stat().st_mtime_ns)
    for open_ in (SqliteJournal.open, SqliteJournal.open_read_only):
        with pytest.raises(JournalError) as caught:
            open_(path, clock)
        assert_says(caught.value, path, "it is no database", "SQLITE_NOTADB")
    assert path.read_bytes() == content
    assert (path.stat().st_mode, path.stat().st_mtime_ns) == before


def test_another_programs_database_is_left_as_it_is(path: Path, clock: Clock) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE places (name TEXT)")
        other.commit()
    path.chmod(0o664)
    content, mode = path.read_bytes(), path.stat().st_mode
    for open_ in (SqliteJournal.open, SqliteJournal.open_read_only):
        with pytest.raises(JournalError) as caught:
            open_(path, clock)
        assert_says(caught.value, path, "another program's database")
    assert path.read_bytes() == content
    assert path.stat().st_mode == mode


def test_a_damaged_journal(old_journal: Path, clock: Clock) -> None:
    content = bytearray(old_journal.read_bytes())
    content[4096:] = b"\x5a" * len(content[4096:])
    old_journal.write_bytes(content)

    def use() -> None:
        with SqliteJournal.open(old_journal, clock) as journal:
            journal.memory(clock.now())

    with pytest.raises(JournalError) as caught:
        use()
    assert_says(caught.value, old_journal, "it is damaged", "SQLITE_CORRUPT")
    assert "the history is lost" in caught.value.remedy


def test_a_full_disk_refuses_the_intent_and_loses_none_before_it(
    journal: SqliteJournal, path: Path, clock: Clock
) -> None:
    """P13: no record, no write; what was recorded stays, and the next cycle goes on."""
    record = journal.begin(clock.now())
    bulky = StepRecord(ContactId(42), "bind", "grant", "r" * 2000, keyed("step"))

    def limit(pages: int) -> None:
        journal._store._connection.execute(f"PRAGMA max_page_count = {pages}")

    recorded: list[int] = []

    def fill() -> None:
        for _ in range(20):
            number = record.intend(bulky)
            recorded.append(number)

    limit(1)  # SQLite takes it as: not one page more than now
    with pytest.raises(JournalError) as caught:
        fill()
    assert_says(caught.value, path, "the disk is full", "SQLITE_FULL")
    assert [one.number for one in journal.steps(record.cycle_id)] == recorded
    limit(100_000)
    fill()
    assert [one.number for one in journal.steps(record.cycle_id)] == recorded


def test_another_program_that_is_writing(
    old_journal: Path, intruder: sqlite3.Connection, clock: Clock
) -> None:
    with SqliteJournal.open(old_journal, clock, busy_timeout_seconds=0) as journal:
        intruder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError) as caught:
            journal.begin(clock.now())
        assert_says(caught.value, old_journal, "another program keeps it locked", "SQLITE_BUSY")
        assert len(journal.cycles()) == 1
        intruder.execute("ROLLBACK")
        journal.begin(clock.now())
        assert len(journal.cycles()) == 2


def test_another_program_that_keeps_the_file_for_itself(
    old_journal: Path, intruder: sqlite3.Connection, clock: Clock
) -> None:
    intruder.execute("PRAGMA locking_mode = EXCLUSIVE")
    intruder.execute("UPDATE cycles SET event = event")
    for open_ in (SqliteJournal.open, SqliteJournal.open_read_only):
        with pytest.raises(JournalError) as caught:
            open_(old_journal, clock, busy_timeout_seconds=0)
        assert_says(caught.value, old_journal, "another program keeps it locked")


def test_a_directory_that_this_user_may_not_write_to(path: Path, spawn: Spawn) -> None:
    """The child gives up root's rights where the tests run as root."""
    path.parent.chmod(0o500)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from door_sync.journal.sqlite import SqliteJournal\n"
        "from door_sync.ports import JournalError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: SqliteJournal.open(Path(sys.argv[1]), None)\n"
        "except JournalError as error: print(error.message, error.remedy, sep='\\n')\n"
    )
    said, _ = spawn(code, path).communicate(timeout=30)
    message, remedy = said.splitlines()
    assert message == f"the journal {path} cannot be used: this user may not do that"
    assert "chown" in remedy


def test_a_file_in_the_place_of_its_directory(path: Path, clock: Clock) -> None:
    path.write_text("not a directory")
    for below in (path / "history.db", path / "deeper" / "history.db"):
        with pytest.raises(JournalError) as caught:
            SqliteJournal.open(below, clock)
        assert_says(caught.value, below, "a part of its path is a file")
    assert path.read_text() == "not a directory"


def test_a_place_where_nothing_can_be_made(clock: Clock) -> None:
    """An error that has no words of its own is told in the system's."""
    path = Path("/proc/door-sync/history.db")
    with pytest.raises(JournalError) as caught:
        SqliteJournal.open(path, clock)
    assert_says(caught.value, path, "No such file or directory")


@pytest.mark.parametrize("replaced", [True, False])
def test_a_journal_that_was_moved_away_while_in_use_begins_no_cycle(
    journal: SqliteJournal, path: Path, clock: Clock, replaced: bool
) -> None:
    """P13: SQLite would go on writing where nobody finds it."""
    path.rename(path.with_name("elsewhere.db"))
    if replaced:
        path.touch()
    with pytest.raises(JournalError) as caught:
        journal.begin(clock.now())
    assert_says(caught.value, path, "moved or replaced")
    assert journal.cycles() == []


def test_a_journal_whose_directory_became_a_file(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "lib" / "history.db"
    with SqliteJournal.open(path, clock) as journal:
        path.parent.rename(tmp_path / "elsewhere")
        path.parent.touch()
        with pytest.raises(JournalError) as caught:
            journal.begin(clock.now())
    assert_says(caught.value, path, "a part of its path is a file")


def test_a_closed_journal(path: Path, clock: Clock) -> None:
    journal = SqliteJournal.open(path, clock)
    journal.close()
    with pytest.raises(JournalError) as caught:
        journal.begin(clock.now())
    assert_says(caught.value, path, "SQLite refused", "ProgrammingError")


def test_a_write_through_a_read_only_file(old_journal: Path) -> None:
    with closing(Store.open_read_only(old_journal)) as store:
        with pytest.raises(JournalError) as caught, store.reading() as connection:
            connection.execute("DELETE FROM cycles")
        assert_says(caught.value, old_journal, "it cannot be written to", "SQLITE_READONLY")


def test_an_interrupted_transaction_leaves_nothing_behind(
    journal: SqliteJournal, clock: Clock
) -> None:
    def interrupt() -> None:
        with journal._store.writing() as connection:
            connection.execute("INSERT INTO cycles (id, started) VALUES ('half', 'done')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert journal.cycles() == []
    journal.begin(clock.now())
    assert len(journal.cycles()) == 1


PERSONAL = ("ada@example.org", "Ada Lovelace", "sync-04711", "04711", "4711", "B7A3D921C0FFEE")


@pytest.mark.parametrize("value", PERSONAL)
def test_only_keyed_digests_are_taken_where_a_digest_belongs(
    journal: SqliteJournal, path: Path, clock: Clock, value: str
) -> None:
    """P12: a slip of the program is refused, and the refusal does not tell the value either."""
    record = journal.begin(clock.now())
    good = keyed("good")
    slips: list[Callable[[], None]] = [
        lambda: record.remember_refused_address(value),
        lambda: record.remember_failed_import(value, good),
        lambda: record.remember_failed_import(good, value),
        lambda: record.remember_statusless(value),
        lambda: record.remember_alias(value, good),
        lambda: record.remember_alias(good, value),
    ]
    for slip in slips:
        with pytest.raises(JournalError) as caught:
            slip()
        assert_says(caught.value, path, "breaks one of its rules", "SQLITE_CONSTRAINT")
        assert value not in f"{caught.value.message} {caught.value.__cause__}"
    written = b"".join(one.read_bytes() for one in path.parent.glob("history.db*"))
    assert value.encode() not in written


def test_a_file_system_without_shared_memory(path: Path) -> None:
    """As on a network share: SQLite stays in another mode and says so. Memory does the same."""
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(JournalError) as caught,
    ):
        _switch_on_durability(connection, path)
    assert_says(caught.value, path, "cannot share memory")


def test_an_sqlite_without_strict_tables(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(JournalError, match=r"3\.37\.0 or newer") as caught:
        SqliteJournal.open(path, clock)
    assert caught.value.remedy
    assert not path.exists()


def test_nothing_stays_open_after_a_failure(path: Path, clock: Clock) -> None:
    path.write_bytes(b"no database" * 100)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for open_ in (SqliteJournal.open, SqliteJournal.open_read_only):
        with pytest.raises(JournalError):
            open_(path, clock)
    assert len(list(Path("/proc/self/fd").iterdir())) == before

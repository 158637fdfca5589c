"""The journal as the port Journal asks for it (§7, P13)."""

import re
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.history import PastCycle, PastStep
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import (
    Clock,
    CycleRecord,
    Journal,
    JournalError,
    Memory,
    StepRecord,
)

Advance = Callable[[timedelta], datetime]
Spawn = Callable[..., "subprocess.Popen[str]"]

KEY = bytes(range(32))


def keyed(*parts: str | int) -> str:
    return digest(KEY, "test", *parts)


def step(contact_id: int = 42, kind: str = "deactivate") -> StepRecord:
    return StepRecord(
        ContactId(contact_id), kind, "revoke", "no active membership", keyed(contact_id, kind)
    )


def look_in(path: Path, query: str) -> list[tuple[object, ...]]:
    """What another process would find in the file at this moment."""
    with closing(sqlite3.connect(path)) as other:
        return other.execute(query).fetchall()


def test_it_fills_the_port(path: Path, clock: Clock) -> None:
    with SqliteJournal.open(path, clock) as opened:
        journal: Journal = opened
        record: CycleRecord = journal.begin(clock.now())
        assert record.cycle_id


def test_a_new_journal_remembers_nothing(journal: SqliteJournal, clock: Clock) -> None:
    assert journal.memory(clock.now()) == Memory()
    assert journal.cycles() == []


@pytest.mark.usefixtures("journal")
def test_the_file_is_private_and_so_are_its_companions(path: Path) -> None:
    companions = sorted(path.parent.glob("history.db*"))
    assert [one.name for one in companions] == ["history.db", "history.db-shm", "history.db-wal"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in companions} == {0o600}


def test_a_journal_that_others_may_read_becomes_private_again(path: Path, clock: Clock) -> None:
    """The site's key is in it: with the key, a tag leads back to the card number (P12)."""
    SqliteJournal.open(path, clock).close()
    path.chmod(0o644)
    SqliteJournal.open(path, clock).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_missing_directories_are_made_for_the_owner_and_his_group(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "lib" / "door-sync" / "history.db"
    SqliteJournal.open(path, clock).close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750


@pytest.mark.parametrize("name", ["a?b#c%41.db", "file:x.db", "ключ.db"])
def test_any_file_name_is_taken_as_it_is(tmp_path: Path, clock: Clock, name: str) -> None:
    SqliteJournal.open(tmp_path / name, clock).close()
    assert [one.name for one in tmp_path.iterdir()] == [name]
    SqliteJournal.open_read_only(tmp_path / name, clock).close()


def test_the_site_key_is_made_once_and_kept(path: Path, clock: Clock) -> None:
    with SqliteJournal.open(path, clock, random_bytes=lambda count: KEY[:count]) as first:
        assert first.site_key() == KEY
    with SqliteJournal.open(path, clock) as second:
        assert second.site_key() == KEY


def test_two_sites_have_different_keys_of_32_bytes(tmp_path: Path, clock: Clock) -> None:
    keys = set()
    for name in ("one.db", "other.db"):
        with SqliteJournal.open(tmp_path / name, clock) as journal:
            keys.add(journal.site_key())
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 2


def test_a_lost_site_key_is_an_error_and_never_made_anew(journal: SqliteJournal) -> None:
    """With another key, everything remembered would silently mean nothing any more."""
    with journal._store.writing() as connection:
        connection.execute("DELETE FROM site")
    with pytest.raises(JournalError, match="lost its site key"):
        journal.site_key()


def test_every_commit_is_on_disk_before_the_call_returns(journal: SqliteJournal) -> None:
    with journal._store.reading() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.usefixtures("journal")
def test_all_tables_are_strict(path: Path) -> None:
    tables = look_in(
        path,
        "SELECT name, strict FROM pragma_table_list "
        "WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'",
    )
    assert {strict for _, strict in tables} == {1}
    assert {"site", "cycles", "steps", "aliases"} <= {name for name, _ in tables}


def test_a_cycle_id_tells_its_start_in_utc_and_never_comes_twice(
    journal: SqliteJournal, clock: Clock
) -> None:
    in_rome = clock.now().astimezone(timezone(timedelta(hours=1)))
    names = [journal.begin(in_rome).cycle_id for _ in range(20)]
    assert all(re.fullmatch(r"20250310T081500Z-[0-9a-f]{8}", name) for name in names)
    assert len(set(names)) == 20


def test_an_intent_is_on_record_before_the_write_is_sent(
    journal: SqliteJournal, path: Path, clock: Clock
) -> None:
    record = journal.begin(clock.now())
    assert record.intend(step(42)) == 1
    assert look_in(path, "SELECT cycle, number, contact_id, kind, outcome FROM steps") == [
        (record.cycle_id, 1, 42, "deactivate", None)
    ]


def test_an_outcome_is_recorded_with_its_time_and_code(
    journal: SqliteJournal, clock: Clock, advance: Advance
) -> None:
    record = journal.begin(clock.now())
    intended_at = clock.now()
    number = record.intend(step(42))
    settled_at = advance(timedelta(seconds=3))
    record.outcome(number, "refused", "CODE_USER_NOT_FOUND")
    assert journal.steps(record.cycle_id) == [
        PastStep(
            number=1,
            contact_id=ContactId(42),
            kind="deactivate",
            change="revoke",
            reason="no active membership",
            digest=step(42).digest,
            intended_at=intended_at,
            outcome="refused",
            outcome_at=settled_at,
            detail="CODE_USER_NOT_FOUND",
        )
    ]


def test_steps_are_numbered_in_each_cycle_from_one(journal: SqliteJournal, clock: Clock) -> None:
    for _ in range(2):
        record = journal.begin(clock.now())
        assert [record.intend(step(contact_id)) for contact_id in (7, 3, 5)] == [1, 2, 3]
        assert [one.contact_id for one in journal.steps(record.cycle_id)] == [7, 3, 5]


def test_a_read_back_replaces_the_first_word_about_a_step(
    journal: SqliteJournal, clock: Clock
) -> None:
    """P10: a write that was accepted and does not show is no success."""
    record = journal.begin(clock.now())
    number = record.intend(step())
    record.outcome(number, "done")
    record.outcome(number, "unproved")
    (found,) = journal.steps(record.cycle_id)
    assert (found.outcome, found.detail) == ("unproved", "")


def test_an_outcome_without_an_intent_is_an_error(journal: SqliteJournal, clock: Clock) -> None:
    former = journal.begin(clock.now())
    former.intend(step())
    record = journal.begin(clock.now())
    with pytest.raises(JournalError, match="has no step 1"):
        record.outcome(1, "done")
    assert journal.steps(former.cycle_id)[0].outcome is None


def test_a_code_with_lone_surrogates_is_recorded_escaped(
    journal: SqliteJournal, clock: Clock
) -> None:
    """JSON may carry them, SQLite refuses them, and a strange reply must not stop a cycle."""
    record = journal.begin(clock.now())
    record.outcome(record.intend(step()), "refused", "CODE_\ud800")
    assert journal.steps(record.cycle_id)[0].detail == "CODE_\\ud800"


def test_an_ended_cycle_tells_how_it_ended(
    journal: SqliteJournal, clock: Clock, advance: Advance
) -> None:
    started = clock.now()
    record = journal.begin(started)
    ended = advance(timedelta(minutes=2))
    record.end("partial", keyed("plan"), {"added": 2, "failed": [42]})
    assert journal.cycles() == [
        PastCycle(
            cycle_id=record.cycle_id,
            started=started,
            ended=ended,
            event="partial",
            digest=keyed("plan"),
            summary={"added": 2, "failed": [42]},
        )
    ]


def test_a_cycle_ends_once(journal: SqliteJournal, clock: Clock) -> None:
    record = journal.begin(clock.now())
    record.end("applied", keyed("plan"), {})
    with pytest.raises(JournalError, match="already ended"):
        record.end("crashed", keyed("plan"), {})
    assert journal.cycles()[0].event == "applied"


def test_a_running_cycle_has_no_event_yet(journal: SqliteJournal, clock: Clock) -> None:
    journal.begin(clock.now())
    (running,) = journal.cycles()
    assert (running.event, running.ended, running.digest, running.summary) == (None, None, None, {})


def test_the_next_cycle_marks_one_without_an_end_as_interrupted(
    journal: SqliteJournal, clock: Clock, advance: Advance
) -> None:
    """P9: when it died is unknown, the write it died in is not."""
    finished = journal.begin(clock.now())
    finished.end("applied", keyed("plan"), {})
    died = journal.begin(clock.now())
    died.outcome(died.intend(step(1)), "done")
    died.intend(step(2))
    journal.begin(advance(timedelta(minutes=10)))
    assert [(one.event, one.ended) for one in journal.cycles()] == [
        (None, None),
        ("interrupted", None),
        ("applied", clock.now() - timedelta(minutes=10)),
    ]
    assert [(one.number, one.outcome) for one in journal.steps(died.cycle_id)] == [
        (1, "done"),
        (2, None),
    ]


def test_a_cycle_taken_for_dead_may_still_say_how_it_ended(
    journal: SqliteJournal, clock: Clock
) -> None:
    slow = journal.begin(clock.now())
    journal.begin(clock.now())
    slow.end("applied", keyed("plan"), {})
    assert [one.event for one in journal.cycles()] == [None, "applied"]


def test_the_latest_cycles_come_first_and_no_more_than_asked_for(
    journal: SqliteJournal, clock: Clock
) -> None:
    names = [journal.begin(clock.now()).cycle_id for _ in range(5)]
    assert [one.cycle_id for one in journal.cycles(limit=3)] == names[:1:-1]


def test_an_unknown_cycle_has_no_steps(journal: SqliteJournal) -> None:
    assert journal.steps("20250101T000000Z-00000000") == []


def test_a_time_without_a_zone_is_refused_and_nothing_is_written(
    journal: SqliteJournal, clock: Clock
) -> None:
    with pytest.raises(ValueError, match="time zone"):
        journal.begin(clock.now().replace(tzinfo=None))
    assert journal.cycles() == []


def test_threads_of_one_process_may_share_it(journal: SqliteJournal, clock: Clock) -> None:
    record = journal.begin(clock.now())
    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(lambda contact: record.intend(step(contact)), range(1, 41)))
    assert sorted(numbers) == list(range(1, 41))
    by_number = {one.number: one.contact_id for one in journal.steps(record.cycle_id)}
    assert by_number == {number: contact for contact, number in enumerate(numbers, start=1)}


def test_processes_that_start_at_once_agree_on_one_key(path: Path, spawn: Spawn) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from door_sync.journal.sqlite import SqliteJournal\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "with SqliteJournal.open(Path(sys.argv[1]), None) as journal:\n"
        "    print(journal.site_key().hex())\n"
    )
    processes = [spawn(code, path) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    keys = [process.communicate("go\n", timeout=30)[0] for process in processes]
    assert len(set(keys)) == 1
    assert len(bytes.fromhex(keys[0])) == 32


def test_threads_that_make_it_at_once_agree_on_one_key(tmp_path: Path, clock: Clock) -> None:
    """SQLite alone would refuse some of them as locked while another switches to WAL."""
    for attempt in range(5):
        together = threading.Barrier(4, timeout=30)

        def make(path: Path, together: threading.Barrier = together) -> bytes:
            together.wait()
            with SqliteJournal.open(path, clock) as journal:
                return journal.site_key()

        with ThreadPoolExecutor(4) as threads:
            assert len(set(threads.map(make, [tmp_path / f"{attempt}.db"] * 4))) == 1

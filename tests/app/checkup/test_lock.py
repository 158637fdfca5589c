"""Who holds the lock, as the kernel tells it."""

from pathlib import Path

import pytest

from door_sync.app.checkup import lock
from door_sync.app.checkup.check import Verdict
from door_sync.app.clock import SystemClock
from door_sync.journal.lock import SiteLock


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "history.db"
    with SiteLock(path):
        pass
    return path


def test_a_system_that_does_not_tell_is_not_asked(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOCKS", tmp_path / "no such list")
    found = lock.lock_check(journal, SystemClock())
    assert found.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("line", "held"),
    [
        ("1: FLOCK  ADVISORY  WRITE 812 08:01:{inode} 0 EOF", True),
        ("1: FLOCK  ADVISORY  WRITE -1 00:2f:{inode} 0 EOF", True),
        ("1: POSIX  ADVISORY  WRITE 812 08:01:{inode} 0 EOF", False),
        ("1: -> FLOCK  ADVISORY  WRITE 813 08:01:{inode} 0 EOF", False),
        ("1: FLOCK  ADVISORY  WRITE 812 08:01:1{inode} 0 EOF", False),
        ("", False),
    ],
)
def test_only_a_lock_of_ours_on_this_file_counts(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, held: bool
) -> None:
    """Who merely waits for the lock does not hold it."""
    locks = tmp_path / "locks"
    locks.write_text(line.format(inode=SiteLock(journal).path.stat().st_ino) + "\n")
    monkeypatch.setattr(lock, "LOCKS", locks)
    assert ("is running: process" in lock.lock_check(journal, SystemClock()).text) is held


def test_a_holder_that_did_not_write_its_number_is_a_process(journal: Path) -> None:
    with SiteLock(journal) as held:
        held.path.write_text("")
        assert "is running: a process holds" in lock.lock_check(journal, SystemClock()).text

"""One cycle at a time per site, whoever starts it (§7)."""

import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from door_sync.journal.lock import SiteLock
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import Clock, JournalError, LockHeld

Spawn = Callable[..., "subprocess.Popen[str]"]

HOLD = """
import os, signal, sys
from pathlib import Path
from door_sync.journal.lock import SiteLock
with SiteLock(Path(sys.argv[1])):
    print("held", flush=True)
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.readline()
"""


def test_the_lock_lies_beside_the_journal_and_names_its_holder(path: Path) -> None:
    with SiteLock(path) as lock:
        assert lock.path == path.with_name("history.db.lock")
        assert lock.path.read_text() == f"{os.getpid()}\n"


def test_the_holder_may_open_the_journal(path: Path, clock: Clock) -> None:
    with SiteLock(path), SqliteJournal.open(path, clock) as journal:
        journal.begin(clock.now())


def test_another_process_is_told_at_once_who_holds_it(path: Path, spawn: Spawn) -> None:
    holder = spawn(HOLD, path, "wait")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LockHeld, match=f"process {holder.pid} holds") as caught, SiteLock(path):
        pytest.fail("two hold the lock")
    assert caught.value.exit_code == 75
    assert "Wait until it has ended" in caught.value.remedy
    holder.communicate("end\n", timeout=30)
    with SiteLock(path) as lock:
        assert lock.path.read_text() == f"{os.getpid()}\n"


def test_a_lock_left_by_a_dead_process_is_no_obstacle(path: Path, spawn: Spawn) -> None:
    died = spawn(HOLD, path, "die")
    died.communicate(timeout=30)
    assert died.returncode == -signal.SIGKILL
    assert path.with_name("history.db.lock").read_text() == f"{died.pid}\n"
    with SiteLock(path):
        pass


def test_one_thread_at_a_time_holds_it(path: Path) -> None:
    """The daemon and the console are threads of one process."""
    together = threading.Barrier(4, timeout=30)

    def take() -> bool:
        together.wait()
        try:
            with SiteLock(path):
                together.wait()
                return True
        except LockHeld:
            together.wait()
            return False

    with ThreadPoolExecutor(4) as threads:
        taken = [one.result() for one in [threads.submit(take) for _ in range(4)]]
    assert sorted(taken) == [False, False, False, True]


def test_the_same_lock_is_not_taken_twice_and_stays_held(path: Path) -> None:
    lock = SiteLock(path)
    with lock:
        with pytest.raises(LockHeld), lock:
            pytest.fail("taken twice")
        with pytest.raises(LockHeld), SiteLock(path):
            pytest.fail("dropped by the refusal")
    with lock:
        pass


def test_it_is_free_again_after_a_crash_inside(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), SiteLock(path):
        _ = 1 // 0
    with SiteLock(path):
        pass


def test_sites_do_not_lock_each_other_out(tmp_path: Path) -> None:
    with SiteLock(tmp_path / "north.db"), SiteLock(tmp_path / "south.db"):
        pass


def test_a_holder_that_has_not_written_its_number_yet_is_told_of_too(path: Path) -> None:
    with SiteLock(path) as lock:
        lock.path.write_text("")
        with pytest.raises(LockHeld, match="did not write its number"), SiteLock(path):
            pytest.fail("two hold the lock")


def test_a_missing_directory_is_made(tmp_path: Path) -> None:
    with SiteLock(tmp_path / "lib" / "history.db") as lock:
        assert stat.S_IMODE(lock.path.parent.stat().st_mode) == 0o750


def test_a_lock_that_cannot_be_made_is_no_lock_held(path: Path) -> None:
    path.with_name("history.db.lock").mkdir()
    with pytest.raises(JournalError, match="it is a directory") as caught, SiteLock(path):
        pytest.fail("held without a file")
    assert not isinstance(caught.value, LockHeld)
    assert str(path) in caught.value.message
    assert caught.value.remedy


def test_refusals_leave_no_file_open(path: Path) -> None:
    with SiteLock(path):
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(3):
            with pytest.raises(LockHeld), SiteLock(path):
                pytest.fail("two hold the lock")
        assert len(list(Path("/proc/self/fd").iterdir())) == before

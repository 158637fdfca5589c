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

from door_sync.app.clock import SystemClock
from door_sync.journal.lock import POLL_SECONDS, Patience, SiteLock
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


class PatientClock(SystemClock):
    """Seconds pass when somebody waits; what happens meanwhile is up to the test."""

    def __init__(self, meanwhile: Callable[[int], None] = lambda _: None) -> None:
        self.waits: list[float] = []
        self._meanwhile = meanwhile

    def monotonic(self) -> float:
        return sum(self.waits)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._meanwhile(len(self.waits))


def silent() -> None:
    """Nobody is told of the wait."""


def test_nobody_waits_for_a_free_lock(path: Path) -> None:
    clock, told = PatientClock(), list[str]()
    with SiteLock(path, Patience(60, clock, lambda: told.append("waiting"))):
        pass
    assert (clock.waits, told) == ([], [])


def test_a_lock_that_is_held_is_waited_for_and_taken_as_soon_as_it_is_free(path: Path) -> None:
    held, told = SiteLock(path), list[str]()

    def end_at_the_third(wait: int) -> None:
        if wait == 3:
            held.__exit__(None, None, None)

    clock = PatientClock(end_at_the_third)
    held.__enter__()
    with SiteLock(path, Patience(60, clock, lambda: told.append("waiting"))) as lock:
        assert lock.path.read_text() == f"{os.getpid()}\n"
        with pytest.raises(LockHeld), SiteLock(path):
            pytest.fail("waited for, but not taken")
    assert clock.waits == [POLL_SECONDS] * 3
    assert told == ["waiting"], "once, not at every look"


@pytest.mark.parametrize("seconds", [0.1, 1, 1.1])
def test_who_waited_in_vain_is_told_how_long(path: Path, seconds: float) -> None:
    clock = PatientClock()
    late = SiteLock(path, Patience(seconds, clock, silent))
    with SiteLock(path), pytest.raises(LockHeld) as caught, late:
        pytest.fail("two hold the lock")
    assert caught.value.exit_code == 75
    assert f"process {os.getpid()} holds" in caught.value.message
    assert caught.value.message.endswith(f", still after a wait of {seconds} s")
    assert caught.value.remedy
    assert clock.monotonic() == pytest.approx(seconds)


def test_without_seconds_nobody_waits_and_nobody_says_so(path: Path) -> None:
    clock = PatientClock()
    with (
        SiteLock(path),
        pytest.raises(LockHeld) as caught,
        SiteLock(path, Patience(0, clock, lambda: pytest.fail("told of a wait"))),
    ):
        pytest.fail("two hold the lock")
    assert clock.waits == []
    assert "a wait of" not in caught.value.message


def test_who_waits_gets_the_lock_of_a_process_that_is_killed(path: Path, spawn: Spawn) -> None:
    """With SIGKILL: it has no chance to tidy up, and nothing has to be deleted (§7)."""
    holder = spawn(HOLD, path, "wait")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    def kill(wait: int) -> None:
        if wait == 1:
            holder.kill()
            holder.wait(timeout=30)

    clock = PatientClock(kill)
    with SiteLock(path, Patience(60, clock, silent)):
        assert holder.returncode == -signal.SIGKILL
    assert len(clock.waits) == 1


def test_threads_that_wait_hold_it_one_after_another(path: Path) -> None:
    together, alone, taken = threading.Barrier(4, timeout=30), threading.Lock(), list[int]()

    def take(number: int) -> None:
        together.wait()
        with SiteLock(path, Patience(1e9, PatientClock(), silent)) as lock:
            assert alone.acquire(blocking=False), "two hold the lock"
            for _ in range(50):  # each look at the file lets the other threads run
                assert lock.path.read_text() == f"{os.getpid()}\n"
            alone.release()
            taken.append(number)

    with ThreadPoolExecutor(4) as threads:
        for one in [threads.submit(take, number) for number in range(4)]:
            one.result(timeout=60)
    assert sorted(taken) == [0, 1, 2, 3]


def test_an_interrupted_wait_leaves_neither_a_lock_nor_an_open_file(path: Path) -> None:
    def interrupt(_wait: int) -> None:
        raise KeyboardInterrupt

    late = SiteLock(path, Patience(60, PatientClock(interrupt), silent))
    with SiteLock(path):
        before = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(KeyboardInterrupt), late:
            pytest.fail("two hold the lock")
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    with SiteLock(path):
        pass

"""`run --once --wait`: a cycle that is running already is waited for, not given up (§7)."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from door_sync.app.clock import SystemClock
from door_sync.journal.lock import SiteLock
from door_sync.simulators.faults import Hook
from tests.cli.conftest import PATIENCE_SECONDS, PROGRAM, Ran, Site, environment

WAITS = "Waiting up to 600 s for the cycle that is running already"


@contextmanager
def running(site: Site) -> Iterator[tuple["subprocess.Popen[str]", threading.Event]]:
    """Yield a process in the middle of its cycle, and what lets the controller answer it."""
    asked, may_go_on = threading.Event(), threading.Event()

    def hold_up(_request: object) -> None:
        asked.set()
        assert may_go_on.wait(PATIENCE_SECONDS)

    site.club.unifi.faults.add(Hook(hold_up), method="POST", path="/users")
    first = site.start("run", "--once")
    try:
        assert asked.wait(PATIENCE_SECONDS)
        yield first, may_go_on
    finally:
        may_go_on.set()
        with first:
            first.kill()
        site.club.unifi.faults.clear()


class Waiting:
    """A `run --once --wait 600` whose standard error is a terminal, once it says that it waits."""

    def __init__(self, site: Site) -> None:
        self.heard, speaks = os.openpty()
        self.process = subprocess.Popen(
            [*PROGRAM, *site.where(), "run", "--once", "--wait", "600"],
            env={**environment(), "TERM": "xterm", "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=speaks,
            text=True,
        )
        os.close(speaks)
        self.said = b""
        while WAITS.encode() not in self.said:
            piece = self._read()
            assert piece, f"it never said that it waits: {self.said!r}"
            self.said += piece

    def end(self) -> Ran:
        """Listen until it has ended; return what it left behind."""
        while piece := self._read():
            self.said += piece
        os.close(self.heard)
        out, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return Ran(self.process.returncode, out, self.said.decode())

    def _read(self) -> bytes:
        try:
            return os.read(self.heard, 10_000)
        except OSError:  # the process has ended, and with it the terminal
            return b""


def test_a_second_process_waits_until_the_first_has_ended_and_then_runs(site: Site) -> None:
    site.club.join(1101)
    with running(site) as (first, may_go_on):
        second = Waiting(site)
        site.club.join(1102)
        may_go_on.set()
        assert "1 person gained access" in first.communicate(timeout=PATIENCE_SECONDS)[0]
        ran = second.end()
    assert (first.returncode, ran.code) == (0, 0)
    assert ran.out.startswith("Done: 1 person gained access.")
    assert [cycle.event for cycle in site.cycles()] == ["applied", "applied"]
    one, two = site.cycles()
    assert one.ended is not None
    assert two.started >= one.ended, "one cycle at a time"


def test_a_first_process_that_is_killed_is_waited_for_no_longer(site: Site) -> None:
    """The lock goes with the process; the cycle that waited heals what was left half done (P9)."""
    site.club.join(1101)
    with running(site) as (first, may_go_on):
        second = Waiting(site)
        first.kill()
        first.wait(timeout=PATIENCE_SECONDS)
        may_go_on.set()
        ran = second.end()
    assert first.returncode == -signal.SIGKILL
    assert ran.code == 0, ran.err
    assert site.club.opens(1101)
    assert [cycle.event for cycle in site.cycles()] == ["interrupted", "applied"]


def test_ctrl_c_ends_the_wait_and_not_the_cycle_that_runs(site: Site) -> None:
    site.club.join(1101)
    with running(site) as (first, may_go_on):
        second = Waiting(site)
        second.process.send_signal(signal.SIGINT)
        ran = second.end()
        assert (ran.code, ran.out) == (130, "")
        assert "Interrupted." in ran.err
        assert "Traceback" not in ran.err
        may_go_on.set()
        first.communicate(timeout=PATIENCE_SECONDS)
    assert first.returncode == 0
    assert [cycle.event for cycle in site.cycles()] == ["applied"]


class WaitsInNoTime(SystemClock):
    """Seconds pass by waiting alone, and at once."""

    waited = 0.0

    def monotonic(self) -> float:
        return self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds


def test_after_a_wait_in_vain_it_ends_with_75_and_says_how_long_it_waited(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("door_sync.app.bootstrap.SystemClock", WaitsInNoTime)
    with SiteLock(site.journal):
        ran = site.run("run", "--once", "--wait", "90")
    assert (ran.code, ran.out) == (75, "")
    told = re.search(r"process (\d+) holds \S+history.db.lock, still after a wait of 90 s", ran.err)
    assert told
    assert int(told[1]) == os.getpid()
    assert "What to do: Wait until it has ended." in ran.err
    assert not site.flag.exists(), "nothing is wrong with this site"


@pytest.mark.parametrize("words", [["--once", "--wait", "0"], ["--once", "--wait", "86400"]])
def test_a_free_lock_is_taken_at_once(site: Site, words: list[str]) -> None:
    ran = site.run("run", *words)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--wait", "5"], "--wait goes with --once alone"),
        (["--once", "--dry-run", "--wait", "5"], "a dry run takes no lock"),
        (["--once", "--wait", "-1"], "0<=x<=86400"),
        (["--once", "--wait", "86401"], "0<=x<=86400"),
        (["--once", "--wait", "1.5"], "not a valid integer range"),
    ],
)
def test_a_wait_that_makes_no_sense_is_wrong_use(site: Site, words: list[str], why: str) -> None:
    ran = site.run("run", *words)
    assert (ran.code, ran.out) == (64, "")
    assert why in ran.err
    assert not site.audit.exists(), "no cycle was tried"

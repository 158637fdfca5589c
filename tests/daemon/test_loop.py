"""Cycle after cycle: the pause, bad cycles, signals, and another program beside it."""

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from door_sync.app.report import CycleReport
from door_sync.daemon.loop import Stop, run_for_ever
from door_sync.ports import DoorSyncError, JournalError, LockHeld, SourceUnreachable

CADENCE = 600.0
GOOD = CycleReport(datetime(2026, 1, 1, tzinfo=UTC), dry_run=False, key=b"", cycle_id="c1")
BAD = CycleReport(
    datetime(2026, 1, 1, tzinfo=UTC),
    dry_run=False,
    key=b"",
    cycle_id="c2",
    error=SourceUnreachable("CiviCRM is in maintenance mode (503)"),
)


class Patience(Stop):
    """Waits without letting time pass, and asks for the end after so many cycles."""

    def __init__(self, cycles: int) -> None:
        super().__init__()
        self.waited: list[float] = []
        self._cycles = cycles

    def wait(self, seconds: float) -> str:
        self.waited.append(seconds)
        if len(self.waited) > self._cycles:
            self.ask("enough")
        return super().wait(0)


class Site:
    """Gives one result after another, raising those that are exceptions; keeps what was shown."""

    def __init__(self, *results: CycleReport | BaseException) -> None:
        self.results = list(results)
        self.begun = 0
        self.shown: list[CycleReport] = []

    def cycle(self) -> CycleReport:
        self.begun += 1
        result = self.results.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result

    def run(self, stop: Stop | None = None) -> list[EventDict]:
        """Run until the results are used up; return what was logged."""
        stop = stop or Patience(len(self.results))
        with capture_logs() as logged:
            run_for_ever(self.cycle, CADENCE, self.shown.append, stop)
        return logged


@pytest.fixture(autouse=True)
def _handlers_as_before() -> Iterator[None]:
    """Whatever a test does, the test runner keeps its signals; every test puts them back too."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    assert {number: signal.getsignal(number) for number in before} == before
    structlog.reset_defaults()


def test_a_pause_of_one_cadence_follows_each_cycle_and_none_comes_first() -> None:
    stop = Patience(3)
    site = Site(GOOD, GOOD, GOOD)
    site.run(stop)
    assert stop.waited == [0, CADENCE, CADENCE, CADENCE]
    assert site.shown == [GOOD, GOOD, GOOD]


def test_asked_before_the_first_cycle_it_runs_none() -> None:
    stop = Stop()
    stop.ask("SIGTERM")
    site = Site(GOOD)
    logged = site.run(stop)
    assert site.begun == 0
    assert [entry["event"] for entry in logged] == ["started", "ended"]


def test_the_log_says_how_each_cycle_went_and_why_it_ended() -> None:
    logged = Site(GOOD, BAD).run()
    started, good, bad, ended = logged
    assert started == {"event": "started", "log_level": "info", "cadence_seconds": CADENCE}
    assert (good["event"], good["cycle"], good["ending"]) == ("cycle", "c1", "clean")
    assert good["deactivated"] == 0
    assert "reason" not in good
    assert (bad["log_level"], bad["ending"]) == ("error", "failed")
    assert bad["reason"] == "CiviCRM is in maintenance mode (503)"
    assert ended == {"event": "ended", "log_level": "info", "why": "enough"}


@pytest.mark.parametrize(
    ("trouble", "event", "said"),
    [
        (JournalError("the disk is full", remedy="Free some."), "trouble", "the disk is full"),
        (DoorSyncError("odd"), "trouble", "odd"),
        (LookupError("Zaphodine Quux"), "the cycle broke off with a fault", "LookupError"),
    ],
)
def test_a_bad_cycle_ends_nothing(trouble: Exception, event: str, said: str) -> None:
    site = Site(trouble, GOOD)
    logged = site.run()
    assert site.shown == [GOOD]
    assert logged[1]["event"].startswith(event)
    assert logged[1]["log_level"] == "error"
    assert said in str(logged[1])
    assert "Zaphodine" not in str(logged), "P12"


def test_where_a_fault_happened_is_said_to_those_who_asked_for_more() -> None:
    logged = Site(LookupError("Zaphodine Quux"), GOOD).run()
    [entry] = [entry for entry in logged if entry["log_level"] == "debug"]
    assert "test_loop.py" in entry["where"]
    assert entry["where"].endswith("LookupError")


def test_a_report_that_cannot_be_shown_ends_nothing() -> None:
    site = Site(GOOD, GOOD)
    shown = iter([DoorSyncError("the disk is full"), None])

    def show(_report: CycleReport) -> None:
        trouble = next(shown)
        if trouble is not None:
            raise trouble

    with capture_logs() as logged:
        run_for_ever(site.cycle, CADENCE, show, Patience(2))
    assert site.begun == 2
    assert [e["reason"] for e in logged if e["event"] == "trouble"] == ["the disk is full"]


def test_beside_a_program_that_serves_the_site_already_it_ends_at_once() -> None:
    """The exit code 75 of §8: whoever started a second one is told."""
    site = Site(LockHeld("another cycle of this site is running"))
    with pytest.raises(LockHeld):
        site.run()
    assert site.begun == 1
    assert site.shown == []


def test_a_cycle_that_a_person_runs_by_hand_costs_one_cycle_and_no_more() -> None:
    site = Site(GOOD, LockHeld("process 7 holds the lock"), GOOD)
    logged = site.run()
    assert site.shown == [GOOD, GOOD]
    [entry] = [entry for entry in logged if entry["event"] == "no cycle this time"]
    assert (entry["log_level"], entry["reason"]) == ("warning", "process 7 holds the lock")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_cycle_in_progress_end_and_no_other_begin(number: signal.Signals) -> None:
    site = Site(GOOD, GOOD)
    steps: list[str] = []

    def cycle() -> CycleReport:
        steps.append("begun")
        os.kill(os.getpid(), number)
        steps.append("ended")
        return site.cycle()

    with capture_logs() as logged:
        run_for_ever(cycle, CADENCE, site.shown.append)
    assert steps == ["begun", "ended"]
    assert site.shown == [GOOD]
    assert logged[-1] == {"event": "ended", "log_level": "info", "why": number.name}


def test_a_signal_ends_the_pause() -> None:
    """The pause would last for ten minutes."""

    class Told(Stop):
        def wait(self, seconds: float) -> str:
            if seconds:
                threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
            return super().wait(seconds)

    site = Site(GOOD, GOOD)
    logged = site.run(Told())
    assert site.begun == 1
    assert logged[-1]["why"] == "SIGTERM"


def test_the_former_handlers_are_back_after_a_fault_too() -> None:
    before = signal.getsignal(signal.SIGTERM)
    site = Site(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        site.run()
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_it_leaves_signals_alone_and_listens_to_its_stop() -> None:
    before = signal.getsignal(signal.SIGTERM)
    stop, begun = Stop(), threading.Event()
    during: list[object] = []

    def cycle() -> CycleReport:
        during.append(signal.getsignal(signal.SIGTERM))
        begun.set()
        return GOOD

    thread = threading.Thread(target=run_for_ever, args=(cycle, CADENCE, lambda _: None, stop))
    thread.start()
    assert begun.wait(10)
    stop.ask("the owner")
    thread.join(10)
    assert not thread.is_alive()
    assert during == [before]


class TestStop:
    def test_without_a_wish_it_returns_nothing_in_time(self) -> None:
        assert Stop().wait(0) == ""

    def test_every_wish_is_told_once(self) -> None:
        stop = Stop()
        stop.ask("one")
        stop.ask("two")
        assert [stop.wait(0), stop.wait(0), stop.wait(0)] == ["one", "two", ""]

    def test_a_signal_handler_may_ask_while_the_same_thread_waits(self) -> None:
        """A threading.Event could deadlock here, if the signal came at the wrong moment."""
        stop = Stop()
        before = signal.signal(signal.SIGALRM, lambda *_: stop.ask("SIGALRM"))
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        try:
            assert stop.wait(10) == "SIGALRM"
        finally:
            signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_on_a_terminal_ctrl_c_is_answered_at_once(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cycle may take minutes: somebody who waits should know for what."""
    reading, writing = os.openpty() if is_terminal else os.pipe()
    os.set_blocking(reading, False)
    said: list[bytes] = []

    def cycle() -> CycleReport:
        os.kill(os.getpid(), signal.SIGINT)
        said.append(_read(reading))
        return GOOD

    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        with capture_logs():
            run_for_ever(cycle, CADENCE, lambda _: None)
    os.close(reading)
    assert (b"Ending after the cycle in progress." in said[0]) is is_terminal


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1000)
    except BlockingIOError:
        return b""

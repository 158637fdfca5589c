"""Cycle after cycle: the pause, bad cycles, signals, reloads, and another program beside it."""

import os
import signal
import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from door_sync.app.clock import WakingClock
from door_sync.app.cycle import Progress
from door_sync.app.report import CycleReport
from door_sync.daemon.loop import Surroundings, outcome_of, run_for_ever
from door_sync.daemon.pacing import Outcome
from door_sync.daemon.sd_notify import Manager
from door_sync.daemon.watching import Watch
from door_sync.daemon.wishes import Wishes
from door_sync.ports import (
    ControllerDistrusted,
    ControllerForbids,
    DoorSyncError,
    JournalError,
    LockHeld,
    SourceDistrusted,
    SourceUnreachable,
    WrongController,
)
from door_sync.settings import BadSettings, Fault
from tests.daemon.harness import CADENCE, DOWN, GOOD, NOON, World


def test_the_first_cycle_begins_at_once_and_a_cadence_lies_between_two() -> None:
    world = World(hours=1)
    world.site.lasts = 20
    world.run()
    assert world.site.began == [0, 620, 1240, 1860, 2480, 3100]
    assert world.site.shown == [GOOD] * 6


def test_chance_makes_a_pause_shorter() -> None:
    world = World(hours=0.2)
    world.chance = 0.5
    world.run()
    assert world.site.began == [0, 570]


def test_asked_before_the_first_cycle_it_runs_none() -> None:
    world = World()
    world.day.ask_to_end("SIGTERM")
    logged = world.run()
    assert world.site.began == []
    assert [entry["event"] for entry in logged] == ["started", "ended"]


def test_the_log_says_how_each_cycle_went_and_why_it_ended() -> None:
    world = World()
    world.results(GOOD, DOWN)
    started, good, bad, again, ended = world.run()
    assert started == {"event": "started", "log_level": "info", "cadence_seconds": CADENCE}
    assert (good["event"], good["cycle"], good["ending"]) == ("cycle", "c1", "clean")
    assert good["deactivated"] == 0
    assert "reason" not in good
    assert (bad["log_level"], bad["ending"]) == ("error", "failed")
    assert bad["reason"] == "CiviCRM is in maintenance mode (503)"
    assert again == {"event": "trying again soon", "log_level": "info", "seconds": 30}
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
    world = World()
    world.results(trouble, GOOD)
    logged = world.run()
    assert world.site.shown == [GOOD]
    assert world.site.began == [0, CADENCE]
    assert logged[1]["event"].startswith(event)
    assert logged[1]["log_level"] == "error"
    assert said in str(logged[1])
    assert said in str(world.systemd.values("STATUS"))
    assert "Zaphodine" not in str(logged) + str(world.systemd.heard), "P12"


def test_where_a_fault_happened_is_said_to_those_who_asked_for_more() -> None:
    world = World()
    world.results(LookupError("Zaphodine Quux"), GOOD)
    [entry] = [entry for entry in world.run() if entry["log_level"] == "debug"]
    assert "harness.py" in entry["where"]
    assert entry["where"].endswith("LookupError")


def test_a_report_that_cannot_be_shown_ends_nothing_and_changes_no_pause() -> None:
    world = World()
    world.results(DOWN, GOOD)
    world.site.show_fails = [DoorSyncError("the disk is full")]
    logged = world.run()
    assert world.site.began == [0, 30]
    assert [e["reason"] for e in logged if e["event"] == "trouble"] == ["the disk is full"]


def test_beside_a_program_that_serves_the_site_already_it_ends_at_once() -> None:
    """The exit code 75 of §8: whoever started a second one is told."""
    world = World()
    world.results(LockHeld("another cycle of this site is running"))
    with pytest.raises(LockHeld):
        world.run()
    assert world.site.began == [0]
    assert world.site.shown == []


def test_a_cycle_that_a_person_runs_by_hand_costs_half_a_minute_and_no_more() -> None:
    world = World()
    world.results(GOOD, LockHeld("process 7 holds the lock"), GOOD)
    logged = world.run()
    assert world.site.began == [0, 600, 630]
    [entry] = [entry for entry in logged if entry["event"] == "no cycle this time"]
    assert (entry["log_level"], entry["reason"]) == ("warning", "process 7 holds the lock")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, Outcome.SETTLED),
        (SourceUnreachable("x"), Outcome.DOWN),
        (SourceDistrusted("x"), Outcome.DOWN),
        (ControllerDistrusted("x"), Outcome.DOWN),
        (ControllerForbids("x"), Outcome.SETTLED),
        (WrongController("x"), Outcome.SETTLED),
        (JournalError("x"), Outcome.SETTLED),
    ],
    ids=str,
)
def test_what_may_pass_by_itself_is_tried_again_soon(
    error: DoorSyncError | None, outcome: Outcome
) -> None:
    assert outcome_of(CycleReport(NOON, dry_run=False, key=b"", error=error)) is outcome


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_one_lets_the_cycle_in_progress_end_and_no_other_begin(
        self, number: signal.Signals
    ) -> None:
        world, steps = World(), list[str]()

        def during(_progress: Progress) -> None:
            steps.append("begun")
            os.kill(os.getpid(), number)
            steps.append("ended")

        world.site.during = during
        logged = world.run()
        assert steps == ["begun", "ended"]
        assert world.site.shown == [GOOD]
        assert logged[-1] == {"event": "ended", "log_level": "info", "why": number.name}

    def test_one_ends_the_pause(self) -> None:
        """The pause would last for ten minutes, and is a real one here."""
        world = World()

        class Told(Wishes):
            def wait(self, seconds: float) -> None:
                threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
                super().wait(seconds)

        wishes = Told()
        watch = Watch(Manager(), WakingClock(), wishes)
        with capture_logs() as logged:
            run_for_ever(world.site, Surroundings(WakingClock(), watch, lambda: 0, wishes))
        assert world.site.began == [0]
        assert logged[-1]["why"] == "SIGTERM"

    def test_the_former_handlers_are_back_after_a_fault_too(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        world = World()
        world.results(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            world.run()
        assert signal.getsignal(signal.SIGTERM) is before

    def test_in_another_thread_it_leaves_them_alone_and_listens_to_its_wishes(self) -> None:
        before, during = signal.getsignal(signal.SIGTERM), list[object]()
        world = World()
        world.site.during = lambda _: during.append(signal.getsignal(signal.SIGTERM))
        world.day.at(0, lambda: world.day.ask_to_end("the owner"))
        thread = threading.Thread(target=run_for_ever, args=(world.site, world.around))
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert during == [before]


class TestReload:
    def change(self, world: World, **values: float) -> Callable[[], None]:
        def reload() -> None:
            for name, value in values.items():
                setattr(world.site, name, value)

        return reload

    def test_sighup_reads_the_settings_and_a_shorter_cadence_acts_at_once(self) -> None:
        world = World(hours=0.5)
        world.site.reloads = [self.change(world, cadence_seconds=60.0)]
        world.day.at(100, lambda: os.kill(os.getpid(), signal.SIGHUP))
        logged = world.run()
        assert world.site.began[:4] == [0, 160, 220, 280]
        assert {
            "event": "settings read again",
            "log_level": "info",
            "cadence_seconds": 60,
        } in logged

    def test_during_a_cycle_it_waits_for_its_end(self) -> None:
        world = World(hours=0.1)
        world.site.lasts = 100
        read: list[float] = []
        world.site.reloads = [lambda: read.append(world.clock.seconds - 1000)]
        world.day.at(50, lambda: os.kill(os.getpid(), signal.SIGHUP))
        world.run()
        assert read == [100]

    def test_many_during_one_cycle_are_one_and_none_is_lost(self) -> None:
        world = World(hours=0.1)
        world.site.lasts = 10
        world.site.reloads = [world.day.ask_to_reload, lambda: None]
        for _ in range(20):
            world.day.at(5, lambda: os.kill(os.getpid(), signal.SIGHUP))
        world.run()
        assert world.site.reloads == [], "once for all of them, once for the one that came while"

    def test_bad_settings_are_refused_with_all_their_keys_and_the_old_ones_stay(self) -> None:
        world = World(hours=0.5)

        def bad() -> None:
            raise BadSettings(
                [Fault("unifi.host", "is secret-looking", "x"), Fault("cadence_seconds", "y", "z")]
            )

        world.site.reloads = [bad]
        world.day.at(100, lambda: os.kill(os.getpid(), signal.SIGHUP))
        logged = world.run()
        assert world.site.began == [0, 600, 1200]
        [entry] = [e for e in logged if e["event"].startswith("settings refused")]
        assert entry["faults"] == ["unifi.host", "cadence_seconds"]
        assert "secret-looking" not in str(entry)
        [status] = [s for s in world.systemd.values("STATUS") if "refused" in str(s)]
        assert "the old ones stay; wrong: unifi.host, cadence_seconds" in str(status)

    def test_systemd_is_told_when_it_begins_and_when_it_is_over(self) -> None:
        """With Type=notify-reload `systemctl reload` waits for that (sd_notify(3))."""
        world = World(hours=0.1)
        world.site.reloads = [lambda: None]
        world.day.at(100, world.day.ask_to_reload)
        world.run()
        [reloading] = [fields for _, fields in world.systemd.heard if "RELOADING" in fields]
        assert reloading["MONOTONIC_USEC"] == 1_100_000_000
        assert world.systemd.times("RELOADING") == [100]
        assert world.systemd.times("READY") == [0, 100]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_on_a_terminal_ctrl_c_is_answered_at_once(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cycle may take minutes: somebody who waits should know for what."""
    reading, writing = os.openpty() if is_terminal else os.pipe()
    os.set_blocking(reading, False)
    said: list[bytes] = []
    world = World()

    def during(_progress: Progress) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        said.append(_read(reading))

    world.site.during = during
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        world.run()
    os.close(reading)
    assert (b"Ending after the cycle in progress." in said[0]) is is_terminal


def test_a_terminal_that_is_closed_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would go on without anybody who knows of it."""
    reading, writing = os.openpty()
    world = World()

    def during(_progress: Progress) -> None:
        os.close(reading)
        os.kill(os.getpid(), signal.SIGHUP)

    world.site.during = during
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        logged = world.run()
    assert logged[-1]["why"] == "SIGHUP"
    assert world.site.shown == [GOOD]


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1000)
    except BlockingIOError:
        return b""

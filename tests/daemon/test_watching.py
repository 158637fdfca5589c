"""What systemd hears: over real sockets, and only while something moves."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from door_sync.app.cycle import Progress
from door_sync.daemon.sd_notify import Manager, watchdog_seconds
from door_sync.daemon.watching import SLACK_SECONDS, Both
from tests.daemon.harness import World

LIMIT = 300.0


class Ear:
    """The socket on which a service manager listens."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def heard(self) -> str:
        """The next message."""
        return self._socket.recv(4096).decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listen() -> Iterator[Callable[[str], Ear]]:
    ears: list[Ear] = []

    def at(address: str) -> Ear:
        ears.append(Ear(address))
        return ears[-1]

    yield at
    for ear in ears:
        ear.close()


def test_fields_go_out_in_one_message_without_line_breaks_in_them(
    tmp_path: Path, listen: Callable[[str], Ear]
) -> None:
    path = str(tmp_path / "notify")
    ear = listen(path)
    Manager.of({"NOTIFY_SOCKET": path}).tell(READY=1, STATUS="all\nis  well")
    assert ear.heard() == "READY=1\nSTATUS=all is well"


def test_a_socket_without_a_file_is_spoken_to_as_well(listen: Callable[[str], Ear]) -> None:
    name = f"door-sync-test-{os.getpid()}"
    ear = listen(f"\0{name}")
    Manager.of({"NOTIFY_SOCKET": f"@{name}"}).tell(WATCHDOG=1)
    assert ear.heard() == "WATCHDOG=1"


def test_a_reload_carries_the_time_of_systemds_own_clock(
    tmp_path: Path, listen: Callable[[str], Ear]
) -> None:
    path = str(tmp_path / "notify")
    ear = listen(path)
    Manager(path, lambda: 1_234_567_890).reloading("Reading")
    assert ear.heard() == "RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS=Reading"


def test_where_nobody_listens_nothing_is_raised(tmp_path: Path) -> None:
    Manager.of({}).tell(READY=1)
    Manager.of({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell(READY=1)


def test_a_manager_that_does_not_read_is_not_waited_for(
    tmp_path: Path, listen: Callable[[str], Ear]
) -> None:
    path = str(tmp_path / "notify")
    ear = listen(path)
    manager = Manager(path)
    for _ in range(2000):  # far more than a socket holds
        manager.tell(STATUS="x" * 1000)
    assert ear.heard().startswith("STATUS=x")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "300000000"}, 300),
        ({"WATCHDOG_USEC": "300000000", "WATCHDOG_PID": str(os.getpid())}, 300),
        ({"WATCHDOG_USEC": "300000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdogs_time_is_what_the_environment_says_of_this_process(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert watchdog_seconds(environ) == seconds


def gaps(times: list[float], end: float) -> list[float]:
    return [b - a for a, b in zip(times, [*times[1:], end], strict=True)]


def test_in_the_pauses_the_watchdog_hears_of_it_often_enough() -> None:
    world = World(hours=2, watchdog_seconds=LIMIT)
    world.run()
    assert max(gaps(world.systemd.times("WATCHDOG"), 7200)) <= LIMIT / 2


def test_a_short_limit_makes_the_loop_look_around_more_often() -> None:
    world = World(hours=0.2, watchdog_seconds=20)
    world.run()
    assert max(world.day.waits) == 10


def test_a_long_cycle_that_goes_on_keeps_the_watchdog_fed() -> None:
    """A hundred thousand people take a while to read: each answer is a sign of life."""
    world = World(hours=2, watchdog_seconds=LIMIT)

    def during(progress: Progress) -> None:
        progress.stage("Reading CiviCRM and the controller")
        for _ in range(100):
            world.clock.pass_by(30)
            progress.goes_on()
        progress.stage("Writing to the controller")
        for number in range(1, 101):
            world.clock.pass_by(10)
            progress.steps(number, 100)

    world.site.during = during
    world.run()
    assert world.site.began == [0, 4600]
    assert max(gaps(world.systemd.times("WATCHDOG"), 8600)) <= LIMIT / 2
    assert "Writing to the controller: 57 of 100" in world.systemd.values("STATUS")


def test_a_cycle_that_hangs_starves_the_watchdog() -> None:
    """No thread feeds it: systemd then restarts the service."""
    world = World(hours=2, watchdog_seconds=LIMIT)
    world.site.during = lambda _: world.clock.pass_by(7000)
    world.day.at(7000, lambda: None)
    world.run()
    fed = world.systemd.times("WATCHDOG")
    assert fed == [0, *[at for at in fed if at >= 7000]]


def test_signs_of_life_come_once_a_second_at_most() -> None:
    world = World(hours=0.1)

    def during(progress: Progress) -> None:
        for _ in range(1000):
            world.clock.pass_by(0.01)
            progress.goes_on()

    world.site.during = during
    world.run()
    assert len([at for at in world.systemd.times("WATCHDOG") if at <= 10]) <= 11


def test_a_watchdog_that_is_shorter_than_a_request_is_given_more_time() -> None:
    """Else systemd would end a cycle that waits for a slow CiviCRM as it may."""
    world = World(hours=0.1, watchdog_seconds=30)
    logged = world.run()
    needed = round((60 + SLACK_SECONDS) * 1e6)
    assert world.systemd.values("WATCHDOG_USEC") == [needed]
    assert [e["log_level"] for e in logged if "WatchdogSec" in e["event"]] == ["warning"]


def test_one_that_is_long_enough_stays_as_it_is() -> None:
    world = World(hours=0.1, watchdog_seconds=LIMIT)
    world.run()
    assert world.systemd.values("WATCHDOG_USEC") == []


@pytest.mark.parametrize("what", ["end", "reload"])
def test_whoever_waits_for_the_end_of_a_cycle_is_asked_for_more_time_as_long_as_it_goes_on(
    what: str,
) -> None:
    """TimeoutStopSec would kill it in the middle of its writes."""
    world = World(hours=0.1)
    world.site.reloads = [lambda: None]

    def during(progress: Progress) -> None:
        for minute in range(10):
            if minute == 3:
                world.day.ask_to_end("SIGTERM") if what == "end" else world.day.ask_to_reload()
            world.clock.pass_by(60)
            progress.goes_on()

    world.site.during = during
    world.run()
    assert world.systemd.times("EXTEND_TIMEOUT_USEC") == [60.0 * n for n in range(4, 11)]
    assert set(world.systemd.values("EXTEND_TIMEOUT_USEC")) == {round((60 + SLACK_SECONDS) * 1e6)}


def test_it_is_ready_before_its_first_cycle_and_says_when_it_ends() -> None:
    """A side that is down must not keep a machine from starting."""
    world = World(hours=0.1)
    world.site.lasts = 100
    world.run()
    assert world.systemd.times("READY") == [0]
    assert world.systemd.times("STOPPING") == [360]


def test_the_status_says_how_the_last_cycle_went_and_when_the_next_begins() -> None:
    world = World(hours=0.1)
    world.run()
    assert "12:00: the last cycle was clean. The next cycle begins about 12:10:00" in (
        world.systemd.values("STATUS")
    )


def test_two_progresses_are_told_the_same() -> None:
    class Noted(Progress):
        def __init__(self) -> None:
            self.noted: list[object] = []

        def stage(self, text: str) -> None:
            self.noted.append(text)

        def steps(self, done: int, all_: int) -> None:
            self.noted.append((done, all_))

        def goes_on(self) -> None:
            self.noted.append("on")

    one, other = Noted(), Noted()
    both = Both(one, other)
    both.stage("Reading")
    both.steps(1, 2)
    both.goes_on()
    assert one.noted == other.noted == ["Reading", (1, 2), "on"]

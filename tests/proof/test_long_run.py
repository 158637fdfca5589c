"""A club lives for years in one process, stays right, and needs no more at the end than half-way.

`DOOR_SYNC_LONG_RUN` chooses the cycles and the seed: `2000`, or `2000:7`. Without a seed, and with
`make proof`, chance chooses one, and it is printed. `2000:7:untraced` leaves out the one measure
that makes it slow: where in the program memory was asked for.
"""

import os
import socket
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from mmap import mmap
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from door_sync.app.report import CycleReport
from door_sync.app.sentences import sentence
from door_sync.journal.sqlite import SqliteJournal
from tests.club import ImpatientClock, open_club
from tests.notify.conftest import MailServer
from tests.proof.long_run import LongRun
from tests.proof.long_run_measures import Measured, growth, look, too_old
from tests.proof.readings_told import tell
from tests.properties import conftest as properties
from tests.thorough import THOROUGH

CHOSEN, SEED, TRACED, *_ = [
    *os.environ.get("DOOR_SYNC_LONG_RUN", "2000" if THOROUGH else "60:1").split(":"),
    "",
    "",
]
EVERY = 100
"""Cycles between two measurements of a long run; a short one measures every fifth."""

mail_server, no_waiting = properties.mail_server, properties.no_waiting


@pytest.fixture
def traced() -> Iterator[None]:
    """Let Python note where memory was asked for."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("no_waiting")
def test_a_club_lives_for_years(
    tmp_path: Path,
    mail_server: MailServer,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every promise after every cycle, the doors after every clean one; see `LongRun`."""
    cycles, seed = int(CHOSEN), int(SEED or SystemRandom().randrange(10**6))
    is_long = cycles >= 10 * EVERY
    if is_long and TRACED != "untraced":
        request.getfixturevalue("traced")
    say = _teller(request.config)
    say(f"\n{cycles} cycles of a living club, DOOR_SYNC_LONG_RUN={cycles}:{seed}")
    every = min(EVERY, cycles // 12)
    with open_club() as club:
        run = LongRun(club, mail_server, tmp_path, seed)
        try:
            while run.ran < cycles:
                run.turn()
                if run.ran >= every * (len(run.course) + 1):
                    caplog.clear()
                    _forget_what_was_logged(request.config)
                    run.measure()
                if run.ran >= cycles / 4 * (run.updates + 1):
                    run.becomes_another_controller()
            run.turn_the_club_comes_to_rest()
        finally:
            run.close()
    for line in run.told_in_the_end():
        say(line)
    assert run.agreed > cycles / 2, "the doors were hardly ever asked"
    if is_long:
        assert {"clean", "held", "partial", "failed", "died"} <= run.endings.keys()
        assert growth(run.course) == []


def _forget_what_was_logged(config: pytest.Config) -> None:
    """Let pytest drop the records that it keeps for a report of a failure: years of them."""
    plugin: Any = config.pluginmanager.get_plugin("logging-plugin")
    plugin.report_handler.reset()


def _teller(config: pytest.Config) -> Callable[[str], None]:
    is_asked = THOROUGH or "DOOR_SYNC_LONG_RUN" in os.environ
    return (lambda line: tell(config, line)) if is_asked else (lambda _: None)


# The measure itself: what it would notice.

LOOKS, CYCLES_A_LOOK = 12, 50
Leak = Callable[[int], object]


def _course(directory: Path, leak: Leak) -> list[Measured]:
    """Open and close a journal again and again, with something that is left behind each time."""
    journal, clock, course = directory / "history.db", ImpatientClock(), []
    with SqliteJournal.open(journal, clock):
        pass
    for n in range(LOOKS * CYCLES_A_LOOK):
        if n % CYCLES_A_LOOK == 0:
            with SqliteJournal.open_read_only(journal, clock):
                course.append(look(n, 0.0, {"state file bytes": directory / "state"}, journal))
        leak(n)
    return course


def test_what_leaves_nothing_behind_is_no_leak(tmp_path: Path, traced: None) -> None:
    assert growth(_course(tmp_path, lambda _: None)) == []


def test_a_report_that_is_kept_of_each_cycle_is_noticed(tmp_path: Path) -> None:
    kept: list[CycleReport] = []
    now = datetime(2026, 11, 23, tzinfo=UTC)
    found = growth(
        _course(tmp_path, lambda _: kept.append(CycleReport(now, dry_run=True, key=b"")))
    )
    assert [one.split(":")[0] for one in found] == ["objects of door-sync"]


def test_memory_that_a_line_of_the_program_asked_for_and_keeps_is_noticed(
    tmp_path: Path, traced: None
) -> None:
    """A text for each cycle: far too little to show in the size of the process."""
    kept: list[str] = []

    def leak(n: int) -> None:
        kept.append(sentence(f"cycle {n} " + 400 * "x"))

    assert any(one.startswith("traced KiB") for one in growth(_course(tmp_path, leak)))


@pytest.mark.parametrize("what", ["open files", "sockets", "threads"])
def test_what_is_opened_now_and_then_and_never_closed_is_noticed(tmp_path: Path, what: str) -> None:
    with ExitStack() as left_open:

        def leak(n: int) -> None:
            if n % 10:
                return
            if what == "open files":
                left_open.enter_context((tmp_path / "config.toml").open("w"))
            elif what == "sockets":
                left_open.enter_context(socket.socket())
            else:
                ends = threading.Event()
                threading.Thread(target=ends.wait).start()
                left_open.callback(ends.set)

        assert any(one.startswith(what) for one in growth(_course(tmp_path, leak)))


def _with_row(directory: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(directory / "history.db")) as connection, connection:
        connection.execute(statement, values)


def test_rows_that_nothing_removes_are_noticed(tmp_path: Path) -> None:
    remember = "INSERT INTO refused_addresses (digest, at) VALUES (?, '')"
    found = growth(_course(tmp_path, lambda n: _with_row(tmp_path, remember, f"{n:032x}")))
    assert [one.split(":")[0] for one in found] == ["rows of refused_addresses"]


def test_rows_that_retention_forgets_are_noticed_by_their_age(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    journal = tmp_path / "history.db"
    with SqliteJournal.open(journal, ImpatientClock()):
        pass
    tell = "INSERT INTO alert_messages (cause, kind, at) VALUES ('x', 'begin', ?)"
    _with_row(tmp_path, tell, (now - timedelta(days=9)).isoformat())
    assert too_old(journal, now, timedelta(days=10)) == []
    _with_row(tmp_path, tell, (now - timedelta(days=11)).isoformat())
    [found] = too_old(journal, now, timedelta(days=10))
    assert found.startswith("alert_messages: 2026-11-12")


def test_a_process_that_swells_and_a_file_that_grows_are_noticed(tmp_path: Path) -> None:
    """Pages of their own: what other tests gave back to the heap would be taken from there."""
    kept: list[mmap] = []

    def leak(_: int) -> None:
        kept.append(mmap(-1, 1 << 16))
        kept[-1].write(os.urandom(1 << 16))
        with (tmp_path / "state").open("a") as state:
            state.write("another line")

    found = {one.split(":")[0] for one in growth(_course(tmp_path, leak))}
    assert found == {"resident KiB", "state file bytes"}

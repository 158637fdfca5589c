"""`revoke` as a process of its own: killed at any write, and beside a cycle that hangs (§6, P9)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from door_sync.app.report import Ending
from door_sync.journal.sqlite import SqliteJournal
from door_sync.simulators.faults import Armed, Hang, Hook
from tests.app.watching import at_bind, at_create, at_import, at_policies
from tests.club import Club
from tests.cutting import Cutter

PATIENCE_SECONDS = 60
"""After so long a process under test counts as hanging."""

WRITES = 4
"""How many writes cutting both people off takes; a test below holds this number to the truth."""


def start(directory: Path, *words: str) -> "subprocess.Popen[str]":
    """Start one command of the site in that directory as a process of its own."""
    return subprocess.Popen(
        [
            sys.executable,
            *("-m", "door_sync", "--config", str(directory / "config.toml")),
            *("--env-file", str(directory / ".env"), *words),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SUDO_USER": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for the end of a process; return its exit code and what it said."""
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, said


@pytest.fixture
def cutter(club: Club, tmp_path: Path) -> Iterator[Cutter]:
    """A club with one member, and a site in a directory with that journal."""
    club.join(1100)
    club.relax()
    club.write_files(tmp_path)
    cutter = Cutter(club, tmp_path)
    assert cutter.cycle().ending is Ending.CLEAN
    yield cutter
    club.unifi.faults.clear()
    club.civicrm.faults.clear()


def pair(cutter: Cutter) -> tuple[int, int]:
    """Return two members who are in."""
    people = cutter.club.join(1001), cutter.club.join(1002)
    assert cutter.cycle().ending is Ending.CLEAN
    cutter.club.forget()
    return people


def standing(cutter: Cutter) -> list[int]:
    """Return who is cut off on record."""
    with SqliteJournal.open_read_only(cutter.path, cutter.club.clock) as journal:
        return [one.contact_id for one in journal.cut_offs().standing()]


def at_write(club: Club, fault: Hook | Hang, number: int) -> Armed:
    """Arm a fault for that write from now."""
    return club.unifi.faults.add(fault, where=lambda request: request.method != "GET", first=number)


def test_cutting_both_off_takes_so_many_writes(cutter: Cutter) -> None:
    first, second = pair(cutter)
    code, said = ended(start(cutter.directory, "revoke", str(first), str(second)))
    assert code == 0, said
    assert cutter.club.writes() == WRITES
    assert not cutter.club.opens(1001)
    assert not cutter.club.opens(1002)


@pytest.mark.parametrize("carried_out", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_kill_at_any_write_leaves_the_rest_to_the_next_cycle(
    cutter: Cutter, number: int, carried_out: bool
) -> None:
    first, second = pair(cutter)
    process: list[subprocess.Popen[str]] = []

    def kill(_request: object) -> None:
        process[0].send_signal(signal.SIGKILL)
        process[0].wait()

    at_write(cutter.club, Hook(kill, after=carried_out), number)
    process.append(start(cutter.directory, "revoke", str(first), str(second)))
    assert ended(process[0])[0] == -signal.SIGKILL
    cutter.club.unifi.faults.clear()
    assert standing(cutter) == [first, second]
    with SqliteJournal.open_read_only(cutter.path, cutter.club.clock) as journal:
        record = journal.cycles()[0]
        steps = journal.steps(record.cycle_id)
    assert record.event is None
    assert [one.outcome for one in steps] == ["done"] * (number - 1) + [None], "P13"

    report = cutter.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert not cutter.club.opens(1001)
    assert not cutter.club.opens(1002)
    assert {cutter.club.status_of(one) for one in (first, second)} == {"DEACTIVATED"}
    cutter.club.forget()
    assert cutter.cycle().ending is Ending.CLEAN
    assert cutter.club.writes() == 0


HELD_UP = {
    "import": lambda club: at_import(club, Hang(), times=1),
    "create": lambda club: at_create(club, Hang()),
    "bind": lambda club: at_bind(club, Hang(), times=1),
    "policy": lambda club: at_policies(club, Hang(), times=1),
}
"""Where a cycle hangs; the first write of each kind is for the person with the lower contact id."""


@pytest.mark.parametrize("place", HELD_UP)
def test_a_cut_off_does_not_wait_for_a_cycle_that_hangs(cutter: Cutter, place: str) -> None:
    """The cycle hangs in a write for the very person; it goes on when the person is cut off."""
    club = cutter.club
    contact = club.join(1001)
    other = club.join(1003, "Silver")
    club.forget()
    hanging = HELD_UP[place](club)
    cycle = start(cutter.directory, "run", "--once")
    hanging.wait(PATIENCE_SECONDS)
    assert cycle.poll() is None
    code, said = ended(start(cutter.directory, "revoke", str(contact)))
    assert code == 0, said
    assert cycle.poll() is None, "the cycle is still there, and so is its lock"
    hanging.release()
    cycle_code, told = ended(cycle)
    assert cycle_code == 0, told
    assert not club.opens(1001)
    assert club.opens(1003)
    assert club.status_of(other) == "ACTIVE"
    assert cutter.cycle().ending is Ending.CLEAN
    assert not club.opens(1001)


def test_it_works_while_civicrm_is_down_and_a_plan_is_held(cutter: Cutter) -> None:
    first, second = pair(cutter)
    club = cutter.club
    config = cutter.directory / "config.toml"
    config.write_text(
        config.read_text()
        .replace("mass_deactivate_pct = 1.0", "mass_deactivate_pct = 0.01")
        .replace("small_site_max = 1000", "small_site_max = 0")
    )
    club.lapse(first)
    club.lapse(second)
    code, said = ended(start(cutter.directory, "run", "--once"))
    assert code == 1, said
    club.civicrm.faults.add(Hang(after=False), times=None)
    code, said = ended(start(cutter.directory, "revoke", str(first)))
    assert code == 0, said
    assert not club.opens(1001)
    assert club.opens(1002), "the hold stands for everybody else"


def test_two_who_cut_off_the_same_person_at_once_do_not_disturb_each_other(
    cutter: Cutter,
) -> None:
    first, second = pair(cutter)
    both = [start(cutter.directory, "revoke", str(first), str(second)) for _ in range(2)]
    ends = [ended(one) for one in both]
    assert [code for code, _ in ends] == [0, 0], ends
    assert standing(cutter) == [first, second]
    assert not cutter.club.opens(1001)

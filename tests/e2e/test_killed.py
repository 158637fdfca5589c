"""Kill the program at every write, let one clean cycle follow: the end is the same (P9, P13)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from door_sync.app.bootstrap import run_site
from door_sync.app.report import CycleReport, Ending
from door_sync.journal.sqlite import SqliteJournal
from door_sync.settings import load_settings
from door_sync.simulators.faults import Hook
from tests.club import Club

WRITES = 27
"""How many writes the story takes; a test below holds this number to the truth."""


def begin_story(club: Club, directory: Path) -> None:
    """Bring the club to the eve of a cycle that needs every kind of step."""
    club.reset()
    crm, world = club.civicrm.world, club.unifi.world
    leaver = club.join(1001)
    club.join(1002, "Gold", first="Stays")
    ann, bob = club.join(1003, first="Ann"), club.join(1004, "Silver", first="Bob")
    down = club.join(1005, first="Down")
    renamed = club.join(1006, first="Renamed", email="old@example.org")
    heir = club.join(1007, first="Heir", email="heir@example.org")
    passing = club.join(1008, first="Passing")
    back = club.join(1012, first="Back", email="back@example.org")
    crm.trash(back)
    assert sync(club, directory).ending is Ending.CLEAN
    crm.restore_contact(back)
    club.add_user(str(back), cards=[1011], policies=[club.gold], status="DEACTIVATED")
    stuck = club.add_user("", cards=[1013], status="DEACTIVATED")
    world.edit_user(stuck, first_name="Left", last_name="Longago")
    club.lapse(leaver)
    crm.set_card(ann, "1004")
    crm.set_card(bob, "1003")
    club.retier(down, "Silver")
    crm.set_name(renamed, first_name="Newname")
    crm.set_email(renamed, "new@example.org")
    crm.set_email(heir, "old@example.org")
    club.retier(passing, "Day pass")
    club.join(1001, "Silver", first="Recycler")
    club.join(1010, first="Newcard", email="heir@example.org")
    club.join(1013, first="Reclaims")
    club.forget()


def sync(club: Club, directory: Path) -> CycleReport:
    """Run one live cycle of the site in that directory, in this process."""
    config = club.write_files(directory)
    settings = load_settings(config, directory / ".env", {}).settings
    return run_site(settings, clock=club.clock)


def run_in_a_process(directory: Path) -> subprocess.Popen[bytes]:
    """Start one live cycle in a process of its own."""
    return subprocess.Popen(
        [
            sys.executable,
            *("-m", "door_sync", "--config", str(directory / "config.toml")),
            *("--env-file", str(directory / ".env"), "run", "--once"),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def uninterrupted(running_club: Club, tmp_path_factory: pytest.TempPathFactory) -> object:
    """The end state of the story when nothing comes in between."""
    directory = tmp_path_factory.mktemp("uninterrupted")
    begin_story(running_club, directory)
    report = sync(running_club, directory)
    assert report.ending is Ending.CLEAN, report.reason()
    assert running_club.writes() == WRITES
    kinds = {type(planned.step).__name__ for planned in report.plan.steps()}
    assert len(kinds) == 9, f"the story lacks a kind of step, it has {kinds}"
    running_club.forget()
    assert sync(running_club, directory).ending is Ending.CLEAN
    assert running_club.writes() == 0
    return running_club.end_state()


@pytest.mark.parametrize("carried_out", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_kill_at_any_write_heals_in_one_cycle(
    running_club: Club, tmp_path: Path, uninterrupted: object, number: int, carried_out: bool
) -> None:
    club = running_club
    begin_story(club, tmp_path)
    process: list[subprocess.Popen[bytes]] = []
    club.unifi.faults.add(
        Hook(lambda _request: _kill(process[0]), after=carried_out),
        where=lambda request: request.method != "GET",
        first=number,
    )
    process.append(run_in_a_process(tmp_path))
    assert process[0].wait(timeout=60) == -signal.SIGKILL
    club.unifi.faults.clear()

    with SqliteJournal.open(tmp_path / "history.db", club.clock) as journal:
        [cycle, *_] = journal.cycles()
        steps = journal.steps(cycle.cycle_id)
    assert cycle.ended is None
    died_in = [step.kind for step in steps if step.outcome is None]
    assert died_in == [steps[-1].kind] or set(died_in) == {"import-card"}, "one write, on record"

    report = sync(club, tmp_path)
    assert report.ending is Ending.CLEAN, report.reason()
    assert club.end_state() == uninterrupted
    club.forget()
    assert sync(club, tmp_path).ending is Ending.CLEAN
    assert club.writes() == 0


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()

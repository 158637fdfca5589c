"""Kill the program in the middle of an approved plan: what is left goes through (§6, P9)."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from door_sync.app.cycle import live_run
from door_sync.app.report import CycleReport, Ending
from door_sync.core.guards import Budgets
from door_sync.journal.sqlite import SqliteJournal
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hook
from tests.club import Club

CAREFUL = Budgets(deactivate=0.15, add=0.15, card=0.15, few=2)


def guards_of(report: CycleReport) -> list[str]:
    assert report.decision is not None
    return [one.guard for one in report.decision.objections]


def begin(club: Club, directory: Path) -> tuple[str, list[int]]:
    """Bring a site of files to a held plan with everything in it: leavers, joiners, restores, and
    members whose cards go round; return its name and who comes back."""
    club.reset()
    with SqliteJournal.open(directory / "history.db", club.clock) as journal:
        members = [club.join(1001 + number, email=f"m{number}@x.org") for number in range(20)]
        assert cycle(club, journal).ending is Ending.CLEAN
        back = members[15:18]
        for contact in back:
            club.lapse(contact)
        assert cycle(club, journal).ending is Ending.CLEAN
        for contact in back:
            club.rejoin(contact, "Silver")
        for contact in members[:4]:
            club.lapse(contact)
        for contact, number in zip(members[5:9], (1007, 1008, 1009, 1006), strict=True):
            club.civicrm.world.set_card(contact, str(number))
        for number in range(4):
            club.join(2001 + number, email=f"j{number}@x.org")
        club.habits = replace(club.habits, budgets=CAREFUL)
        report = cycle(club, journal)
        assert guards_of(report) == [
            "mass deactivation",
            "mass deactivation in 24 hours",
            "mass addition",
            "mass card change",
        ]
        journal.holds().approve(report.hold_digest, "kim")
    club.write_files(directory)
    config = directory / "config.toml"
    text = config.read_text().replace("small_site_max = 1000", "small_site_max = 2")
    for name in ("deactivate", "add", "card"):
        text = text.replace(f"mass_{name}_pct = 1.0", f"mass_{name}_pct = 0.15")
    config.write_text(text)
    club.forget()
    return report.hold_digest, back


def cycle(club: Club, journal: SqliteJournal) -> CycleReport:
    with club.parts(journal) as parts:
        return live_run(parts)


def is_write(request: SeenRequest) -> bool:
    return request.method != "GET"


def run_in_a_process(directory: Path) -> subprocess.Popen[bytes]:
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
    begin(running_club, directory)
    with SqliteJournal.open(directory / "history.db", running_club.clock) as journal:
        report = cycle(running_club, journal)
    assert report.ending is Ending.CLEAN, report.reason()
    assert running_club.writes() == WRITES
    return running_club.end_state()


WRITES = 41
"""How many writes the story takes; the fixture above holds this number to the truth."""


@pytest.mark.parametrize("number", range(1, WRITES + 1, 2))
def test_what_is_left_of_an_approved_plan_that_was_killed_goes_through(
    running_club: Club, tmp_path: Path, uninterrupted: object, number: int
) -> None:
    club = running_club
    digest, back = begin(club, tmp_path)
    process: list[subprocess.Popen[bytes]] = []

    def kill(_request: object) -> None:
        process[0].send_signal(signal.SIGKILL)
        process[0].wait()

    club.unifi.faults.add(Hook(kill, after=number % 4 == 1), where=is_write, first=number)
    process.append(run_in_a_process(tmp_path))
    assert process[0].wait(timeout=60) == -signal.SIGKILL
    club.unifi.faults.clear()
    with SqliteJournal.open(tmp_path / "history.db", club.clock) as journal:
        report = cycle(club, journal)
        assert report.ending is Ending.CLEAN, report.reason()
        assert club.end_state() == uninterrupted
        lately = journal.memory(club.clock.now()).lately
        assert lately == {"revoke": set(back)}, "all the rest was approved"
        club.forget()
        assert cycle(club, journal).ending is Ending.CLEAN
        assert club.writes() == 0
        kept = journal.holds().find(digest)
        assert kept is not None
        assert [one.ending for one in kept.words] == ["used up"]

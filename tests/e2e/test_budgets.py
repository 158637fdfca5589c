"""How much a site changes in a cycle and in a day without a person's word (§6), live."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from door_sync.app.cycle import live_run
from door_sync.app.report import CycleReport, Ending
from door_sync.core.guards import Budgets
from door_sync.core.people import ContactId
from door_sync.journal.sqlite import SqliteJournal
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hook, Reset
from tests.club import Club

DAY = timedelta(hours=24)


def fill(club: Club, members: int, first: int = 1001) -> list[int]:
    """Let so many people join an empty site, which is its first provisioning."""
    joined = [club.join(first + number) for number in range(members)]
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    club.forget()
    return joined


def leave(club: Club, members: list[int]) -> CycleReport:
    """Let these people lapse, and run a cycle."""
    for contact in members:
        club.lapse(contact)
    return club.cycle()


def guards(report: CycleReport) -> list[str]:
    assert report.decision is not None
    return [one.guard for one in report.decision.objections]


def is_write(request: SeenRequest) -> bool:
    return request.method != "GET"


def active(club: Club) -> int:
    return sum(
        user.status == "ACTIVE" and bool(user.employee_number) for user in club.unifi.world.users
    )


def test_a_site_that_loses_fifteen_in_a_hundred_each_cycle_is_stopped_and_goes_on_a_day_later(
    club: Club,
) -> None:
    members = fill(club, 100)
    assert leave(club, members[:15]).ending is Ending.CLEAN
    assert active(club) == 85
    club.forget()

    report = leave(club, members[15:27])
    assert report.ending is Ending.HELD, "12 of 85 are few, but not on the same day"
    assert guards(report) == ["mass deactivation in 24 hours"]
    assert "27 of 85 active people would lose their access in 24 hours" in report.reason()
    assert "more than 30%" in report.reason()
    assert [kept.hold.digest for kept in club.journal.holds().waiting()] == [report.hold_digest]

    club.clock.ahead = DAY - timedelta(minutes=5)
    assert club.cycle().ending is Ending.HELD
    assert club.writes() == 0
    assert active(club) == 85

    club.clock.ahead = DAY + timedelta(minutes=5)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert active(club) == 73
    assert club.journal.holds().waiting() == []
    assert leave(club, members[27:36]).ending is Ending.CLEAN, "21 of 73"
    club.forget()
    assert guards(leave(club, members[36:37])) == ["mass deactivation in 24 hours"]
    assert club.writes() == 0


def test_nine_of_nine_at_a_small_site_are_held(club: Club) -> None:
    members = fill(club, 9)
    extra = club.join(1500)
    assert club.cycle().ending is Ending.CLEAN
    club.forget()
    report = leave(club, [*members, extra][:9])
    assert report.ending is Ending.HELD
    assert "mass deactivation" in guards(report)
    assert club.writes() == 0
    assert active(club) == 10


@pytest.mark.parametrize("leavers", [9, 4])
def test_below_the_floor_more_than_three_leavers_wait_for_a_person(
    club: Club, leavers: int
) -> None:
    members = fill(club, 9)
    report = leave(club, members[:leavers])
    assert report.ending is Ending.HELD
    assert "mass deactivation" in guards(report)
    assert f"{leavers} of 9" in report.reason()
    assert club.writes() == 0


def test_a_small_site_is_not_emptied_three_at_a_time(club: Club) -> None:
    members = fill(club, 9)
    assert leave(club, members[:3]).ending is Ending.CLEAN
    assert leave(club, members[3:6]).ending is Ending.CLEAN
    club.forget()
    report = leave(club, members[6:8])
    assert guards(report) == ["mass deactivation in 24 hours"]
    assert club.writes() == 0
    assert active(club) == 3


def test_the_first_provisioning_of_four_hundred_is_free_and_uses_up_no_day(club: Club) -> None:
    fill(club, 400)
    assert active(club) == 400
    assert club.journal.memory(club.clock.now()).lately == {}
    for number in range(100):
        club.join(2001 + number)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, "a quarter more is a cycle's own, with nothing before it"
    assert active(club) == 500
    club.join(2500)
    club.forget()
    assert club.cycle().ending is Ending.CLEAN, "101 of 500 in the day"


def test_a_provisioning_that_was_cut_short_goes_on_being_free(club: Club) -> None:
    """Five answers in a row stay away, so the cycle ends; the rest comes with the next."""
    for number in range(30):
        club.join(1001 + number)
    club.unifi.faults.add(Reset(), where=is_write, first=20, times=None)
    assert club.cycle().ending is Ending.FAILED
    club.unifi.faults.clear()
    assert club.journal.memory(club.clock.now()).provisioning
    assert club.cycle().ending is Ending.CLEAN
    assert active(club) == 30
    lately = club.journal.memory(club.clock.now()).lately
    assert lately.get("grant", frozenset()) == frozenset()
    assert not club.journal.memory(club.clock.now()).provisioning


def test_what_was_approved_does_not_count_in_the_day_after(club: Club) -> None:
    members = fill(club, 40)
    report = leave(club, members[:20])
    assert guards(report) == ["mass deactivation"]
    club.journal.holds().approve(report.hold_digest, "kim")
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert active(club) == 20
    assert club.journal.memory(club.clock.now()).lately == {}
    assert leave(club, members[20:23]).ending is Ending.CLEAN
    assert active(club) == 17
    assert club.journal.memory(club.clock.now()).lately == {"revoke": frozenset(members[20:23])}


def cycle(club: Club, journal: SqliteJournal) -> CycleReport:
    with club.parts(journal) as parts:
        return live_run(parts)


def test_a_cycle_that_was_killed_counts_with_the_write_it_died_in(
    club: Club, tmp_path: Path
) -> None:
    """Nobody knows whether that one was carried out, so it counts as if it was."""
    config = club.write_files(tmp_path)
    with SqliteJournal.open(tmp_path / "history.db", club.clock) as journal:
        members = [club.join(1001 + number) for number in range(40)]
        assert cycle(club, journal).ending is Ending.CLEAN
        for contact in members[:8]:
            club.lapse(contact)
    process: list[subprocess.Popen[bytes]] = []

    def kill(_request: object) -> None:
        process[0].send_signal(signal.SIGKILL)
        process[0].wait()

    club.unifi.faults.add(Hook(kill), where=is_write, first=8)
    process.append(
        subprocess.Popen(
            [
                sys.executable,
                *("-m", "door_sync", "--config", str(config)),
                *("--env-file", str(tmp_path / ".env"), "run", "--once"),
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    assert process[0].wait(timeout=60) == -signal.SIGKILL
    club.unifi.faults.clear()
    left = active(club)
    assert left in (36, 37)
    with SqliteJournal.open(tmp_path / "history.db", club.clock) as journal:
        lately = journal.memory(club.clock.now()).lately
        assert lately == {"revoke": frozenset(map(ContactId, members[:4]))}
        club.habits = replace(club.habits, budgets=Budgets(deactivate=0.10))
        club.forget()
        report = cycle(club, journal)
        assert "mass deactivation in 24 hours" in guards(report)
        assert f"8 of {left}" in report.reason()
        assert club.writes() == 0

"""What others read about a cycle: an audit line, the state file, the flag (§7)."""

import json
from pathlib import Path
from typing import Any

import pytest

from door_sync.app.causes import causes
from door_sync.app.clock import SystemClock
from door_sync.app.recording import OpsFiles, record_fault, record_outside
from door_sync.app.report import CycleReport, Ending
from door_sync.journal.state import SiteState, read_state
from door_sync.ports import JournalError
from door_sync.simulators.faults import html_error
from tests.app.watching import (
    DEACTIVATE,
    at_create,
    at_policies,
    at_status,
    bad_token,
    refused,
    settled,
)
from tests.club import HABITS, Club


@pytest.fixture
def files(tmp_path: Path) -> OpsFiles:
    """The three files of a site that has not run yet."""
    return OpsFiles(tmp_path / "audit.jsonl", tmp_path / "state.json", tmp_path / "alert.flag")


def record(club: Club, report: CycleReport, files: OpsFiles) -> CycleReport:
    return record_outside(report, files, club.clock)


def lines(files: OpsFiles) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files.audit.read_text().splitlines()]


def state(files: OpsFiles) -> SiteState:
    return read_state(files.state).state


def clean(club: Club) -> CycleReport:
    """Run a cycle in which two join, one is recycled and one leaves."""
    leaver, other = club.join(1001), club.join(1002)
    settled(club)
    club.lapse(leaver)
    club.retier(other, "Silver")
    club.civicrm.world.set_card(other, "1003")
    club.join(1004, email="secret@example.org", first="Secretname")
    club.join(1005, "Mystery")
    return club.cycle()


def held(club: Club) -> CycleReport:
    """Run a cycle of which everything is held."""
    people = [club.join(1001 + n) for n in range(12)]
    settled(club)
    club.habits = HABITS
    for contact in people[:8]:
        club.lapse(contact)
    return club.cycle()


def held_in_part(club: Club) -> CycleReport:
    """Run a cycle in which one leaves, while the many who join are held."""
    people = [club.join(1001 + n) for n in range(12)]
    settled(club)
    club.habits = HABITS
    club.lapse(people[0])
    for number in range(8):
        club.join(2001 + number)
    return club.cycle()


def partial(club: Club) -> CycleReport:
    """Run a cycle in which one leaver cannot be deactivated, and another is."""
    people = [club.join(1001), club.join(1002)]
    settled(club)
    for contact in people:
        club.lapse(contact)
    at_status(club, refused(), club.user_of(people[1]), DEACTIVATE)
    return club.cycle()


def broken(club: Club) -> CycleReport:
    """Run a cycle that cannot read CiviCRM."""
    club.civicrm.faults.add(html_error(500), times=None)
    return club.cycle()


def broken_off(club: Club) -> CycleReport:
    """Run a cycle that ends with the first policy, after a leaver was deactivated."""
    leaver, other = club.join(1001), club.join(1002)
    settled(club)
    club.lapse(leaver)
    club.retier(other, "Silver")
    at_policies(club, bad_token())
    return club.cycle()


def test_a_clean_cycle_leaves_a_line_with_its_counts_and_a_success(
    club: Club, files: OpsFiles
) -> None:
    report = record(club, clean(club), files)
    assert report.ending is Ending.CLEAN, report.reason()
    [line] = lines(files)
    assert line["event"] == "applied"
    assert line["dry_run"] is False
    assert line["summary"] == {
        "added": 1,
        "updated_credential": 1,
        "updated_policy": 1,
        "deactivated": 1,
        "unmapped": 1,
    }
    assert line["cycle"] == report.cycle_id
    assert line["digest"] == report.digest()
    assert "reason" not in line
    assert "exception" not in line
    leaver, other, joiner = list(club.memberships)[1:4]
    assert line["changes"] == [
        {"contact": leaver, "class": "revoke", "outcome": "done"},
        {"contact": other, "class": "card", "outcome": "done"},
        {"contact": other, "class": "policy", "outcome": "done"},
        {"contact": joiner, "class": "grant", "outcome": "done"},
    ]
    assert state(files).last_success is not None
    assert state(files).run_count == 1
    assert not files.flag.exists()


def test_a_held_cycle_leaves_its_reason_and_raises_the_flag(club: Club, files: OpsFiles) -> None:
    report = record(club, held(club), files)
    assert report.ending is Ending.HELD
    [line] = lines(files)
    assert line["event"] == "halted"
    assert line["reason"] == report.reason()
    assert "mass deactivation: 8 of 13" in line["reason"]
    assert line["changes"] == []
    assert line["digest"] == report.digest() != ""
    assert state(files).last_success is None
    assert state(files).last_halt_reason == report.reason()
    flag = files.flag.read_text()
    assert "Guard 'mass deactivation': 8 of 13" in flag
    assert "safety.mass_deactivate_pct" in flag
    assert "people who left can still open doors" in flag


def test_a_cycle_held_in_part_leaves_what_it_did_and_what_waits(
    club: Club, files: OpsFiles
) -> None:
    report = record(club, held_in_part(club), files)
    [line] = lines(files)
    assert line["event"] == "halted"
    assert line["summary"]["deactivated"] == 1
    assert line["changes"] == [
        {"contact": report.done[0].contact_id, "class": "revoke", "outcome": "done"}
    ]
    assert state(files).last_halt is not None
    flag = files.flag.read_text()
    assert "mass addition" in flag
    assert "everything else goes on" in flag


def test_a_cycle_in_which_some_failed_names_them(club: Club, files: OpsFiles) -> None:
    report = record(club, partial(club), files)
    assert report.ending is Ending.PARTIAL
    done, failed = list(club.memberships)[1:3]
    [line] = lines(files)
    assert line["event"] == "applied"
    assert line["changes"] == [
        {"contact": done, "class": "revoke", "outcome": "done"},
        {"contact": failed, "class": "revoke", "outcome": "failed"},
    ]
    assert line["summary"]["deactivated"] == 1
    assert state(files) == SiteState(run_count=1)
    assert f"The changes for contact {failed} failed." in files.flag.read_text()


def test_a_cycle_that_could_not_read_leaves_the_error(club: Club, files: OpsFiles) -> None:
    report = record(club, broken(club), files)
    assert report.ending is Ending.FAILED
    assert report.error is not None
    [line] = lines(files)
    assert line["event"] == "crashed"
    assert line["exception"] == {
        "class": type(report.error).__name__,
        "message": report.error.message,
    }
    assert line["changes"] == []
    assert state(files) == SiteState(run_count=1)
    flag = files.flag.read_text()
    assert report.error.message in flag
    assert "people who left can still open doors" in flag


def test_a_cycle_that_broke_off_leaves_what_was_done_and_what_was_not(
    club: Club, files: OpsFiles
) -> None:
    report = record(club, broken_off(club), files)
    assert report.ending is Ending.FAILED
    leaver, other = list(club.memberships)[1:3]
    [line] = lines(files)
    assert line["event"] == "crashed"
    assert line["exception"]["class"] == "ControllerForbids"
    assert line["changes"] == [
        {"contact": leaver, "class": "revoke", "outcome": "done"},
        {"contact": other, "class": "policy", "outcome": "failed"},
    ]
    flag = files.flag.read_text()
    assert "What was written before stays" in flag
    assert f"The changes for contact {other} failed." in flag
    assert "make a new token" in flag


def test_the_flag_is_lowered_by_the_next_clean_cycle_and_its_reason_stays_known(
    club: Club, files: OpsFiles
) -> None:
    record(club, partial(club), files)
    assert files.flag.exists()
    club.unifi.faults.clear()
    record(club, club.cycle(), files)
    assert not files.flag.exists()
    assert [line["event"] for line in lines(files)] == ["applied", "applied"]
    assert state(files).run_count == 2
    assert state(files).last_success is not None


def test_a_dry_run_leaves_an_audit_line_alone(club: Club, files: OpsFiles) -> None:
    record(club, partial(club), files)
    flag, kept = files.flag.read_text(), files.state.read_text()
    report = record(club, club.plan(), files)
    assert report.ending is Ending.CLEAN
    line = lines(files)[1]
    assert line["dry_run"] is True
    assert line["event"] == "applied"
    assert line["summary"]["deactivated"] == 1
    assert line["changes"] == []
    assert files.flag.read_text() == flag
    assert files.state.read_text() == kept


def test_no_name_address_or_number_is_in_any_of_the_files(club: Club, files: OpsFiles) -> None:
    record(club, clean(club), files)
    at_create(club, refused(), times=None)
    club.join(1006, email="secret@example.org", first="Secretname")
    record(club, club.cycle(), files)
    told = files.audit.read_text() + files.state.read_text() + files.flag.read_text()
    for secret in ("Secretname", "secret", "example.org", "sync-", "Ber"):
        assert secret not in told


# Files that cannot be written.


def unwritable(path: Path) -> None:
    """Put a directory where the file should be."""
    path.mkdir()
    (path / "something").touch()


@pytest.mark.parametrize("name", ["audit", "state", "flag"])
def test_a_file_that_cannot_be_written_is_reported_and_keeps_nothing_from_the_others(
    club: Club, files: OpsFiles, name: str
) -> None:
    path: Path = getattr(files, name)
    unwritable(path)
    before = clean(club)
    report = record(club, before, files)
    assert before.ending is Ending.CLEAN
    assert report.ending is Ending.FAILED
    assert report.ending.value == 2
    assert report.done == before.done
    [trouble] = report.troubles
    assert str(path) in trouble
    assert "it is a directory" in trouble
    assert str(path) in report.reason()
    assert files.audit.is_file() == (name != "audit")
    assert files.state.is_file() == (name != "state")
    if name == "audit":
        assert str(path) in files.flag.read_text()
        assert state(files).last_success is None
    if name == "state":
        assert str(path) in files.flag.read_text()
        assert lines(files)[0]["event"] == "applied"


def test_all_three_files_may_be_unwritable(club: Club, files: OpsFiles) -> None:
    for path in (files.audit, files.state, files.flag):
        unwritable(path)
    report = record(club, clean(club), files)
    assert len(report.troubles) == 3
    assert club.opens(1004)


def test_the_trouble_of_a_file_does_not_hide_what_is_held(club: Club, files: OpsFiles) -> None:
    unwritable(files.audit)
    report = record(club, held(club), files)
    assert report.ending is Ending.FAILED
    assert "mass deactivation" in report.reason()
    flag = files.flag.read_text()
    assert "mass deactivation" in flag
    assert str(files.audit) in flag


def test_a_dry_run_reports_an_audit_file_that_it_cannot_write(club: Club, files: OpsFiles) -> None:
    unwritable(files.audit)
    report = record(club, club.plan(), files)
    assert len(report.troubles) == 1
    assert not files.state.exists()


# Cycles that never were, and faults of the program.


def test_a_journal_that_cannot_be_written_says_that_revocations_do_not_happen(
    files: OpsFiles,
) -> None:
    error = JournalError("the journal is on a full disk", remedy="Free some space.")
    report = CycleReport(SystemClock().now(), dry_run=False, key=b"", error=error)
    assert record_outside(report, files, SystemClock()).ending is Ending.FAILED
    [line] = lines(files)
    assert line["exception"]["class"] == "JournalError"
    flag = files.flag.read_text()
    assert "the journal is on a full disk" in flag
    assert "Revocations are not happening" in flag
    assert "Free some space." in flag


def test_a_clean_report_gives_no_cause(club: Club) -> None:
    assert causes(clean(club)) == []


def test_a_fault_of_the_program_leaves_its_class_and_raises_the_flag(files: OpsFiles) -> None:
    record_fault(ZeroDivisionError("with a name in it"), files, SystemClock())
    [line] = lines(files)
    assert line["event"] == "crashed"
    assert line["exception"] == {"class": "ZeroDivisionError", "message": "ZeroDivisionError"}
    assert state(files) == SiteState(run_count=1)
    flag = files.flag.read_text()
    assert "ZeroDivisionError" in flag
    assert "with a name in it" not in flag


@pytest.mark.parametrize("name", ["audit", "state", "flag"])
def test_a_fault_of_the_program_is_told_wherever_it_can_be(files: OpsFiles, name: str) -> None:
    unwritable(getattr(files, name))
    record_fault(ZeroDivisionError(), files, SystemClock())
    for other in {"audit", "state", "flag"} - {name}:
        assert getattr(files, other).is_file()

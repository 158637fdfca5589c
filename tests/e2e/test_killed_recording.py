"""Kill the program at every write of its journal and of its audit file (P9, P13).

What is on record is the truth at any moment: the journal opens, `history verify` passes, and after
the next cycle every live cycle has its line and the controller its end state.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from door_sync.app.bootstrap import run_site
from door_sync.app.past import Verdict, check
from door_sync.app.report import CycleReport, Ending
from door_sync.app.urgent import revoke
from door_sync.core.people import ContactId
from door_sync.journal.cutoffs import Reason
from door_sync.journal.sqlite import SqliteJournal
from door_sync.settings import load_settings
from door_sync.simulators.faults import Hook
from tests.club import Club

COMMITS = 21
"""How many times the story's cycle commits to the journal; a test holds this to the truth."""

DRIVER = """
import os, signal, sys
from contextlib import contextmanager
from door_sync.cli.entry import main
from door_sync.files import LineFile
from door_sync.journal.store import Store

where, number, told, *words = sys.argv[1:]
commits = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

writing, append = Store.writing, LineFile.append

@contextmanager
def watched(self):
    global commits
    with writing(self) as connection:
        yield connection
        commits += 1
        if where == "commit" and commits == int(number):
            die()
    open(told, "w").write(str(commits))

def watched_append(self, line):
    if where == "before the line":
        die()
    if where == "in the line":
        os.write(self._descriptor, line.encode()[: len(line) // 2])
        die()
    append(self, line)
    if where == "after the line":
        die()

Store.writing, LineFile.append = watched, watched_append
main(words)
"""


def settings_of(club: Club, directory: Path) -> tuple[Path, Path]:
    """Write the site's two files; return where journal and audit file are."""
    config = club.write_files(directory)
    ops = load_settings(config, directory / ".env", {}).settings.ops
    return ops.history_db, ops.audit_jsonl


def sync(club: Club, directory: Path) -> CycleReport:
    """Run one live cycle in this process."""
    config = club.write_files(directory)
    return run_site(load_settings(config, directory / ".env", {}).settings, clock=club.clock)


def verified(club: Club, directory: Path) -> Verdict:
    """Check the record; what it finds is printed where a test fails."""
    journal, audit = settings_of(club, directory)
    verdict = check(journal, audit, ())
    assert verdict.is_fine, (verdict.audit.findings, verdict.database)
    return verdict


def begin_story(club: Club, directory: Path) -> None:
    """One leaves, one joins with that one's card, one changes tier, and one only stays."""
    club.reset()
    leaver, other = club.join(1001), club.join(1002)
    club.join(1003)
    assert sync(club, directory).ending is Ending.CLEAN
    club.lapse(leaver)
    club.retier(other, "Silver")
    club.join(1001)
    club.forget()


def run_watched(directory: Path, where: str, number: int = 0) -> int:
    """Run one live cycle in a process of its own; return its exit code."""
    return subprocess.run(
        [
            *(sys.executable, "-c", DRIVER, where, str(number), str(directory / "commits")),
            *("--config", str(directory / "config.toml"), "--env-file", str(directory / ".env")),
            *("run", "--once"),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    ).returncode


def heals(club: Club, directory: Path) -> list[dict[str, Any]]:
    """Hold the record to the truth, now and after the next cycle; return all audit lines."""
    verified(club, directory)
    report = sync(club, directory)
    assert report.ending is Ending.CLEAN, report.reason()
    verdict = verified(club, directory)
    assert not [note for note in verdict.audit.notes if "has no line yet" in note.text]
    journal, audit = settings_of(club, directory)
    with SqliteJournal.open_read_only(journal, club.clock) as opened:
        names = [one.cycle_id for one in opened.cycles()]
    lines = [json.loads(line) for line in audit.read_text().splitlines() if line.endswith("}")]
    assert sorted(str(one["cycle"]) for one in lines) == sorted(names), "one line for each cycle"
    club.forget()
    assert sync(club, directory).ending is Ending.CLEAN
    assert club.writes() == 0
    return lines


def test_the_story_commits_as_often_as_said(running_club: Club, tmp_path: Path) -> None:
    begin_story(running_club, tmp_path)
    assert run_watched(tmp_path, "nowhere") == 0
    assert int((tmp_path / "commits").read_text()) == COMMITS
    heals(running_club, tmp_path)


@pytest.mark.parametrize("number", range(1, COMMITS + 1))
def test_a_kill_at_any_write_of_the_journal(
    running_club: Club, tmp_path: Path, number: int
) -> None:
    begin_story(running_club, tmp_path)
    assert run_watched(tmp_path, "commit", number) == -signal.SIGKILL
    lines = heals(running_club, tmp_path)
    died = [one for one in lines if one["event"] == "crashed"]
    assert len(died) <= 1
    for one in died:
        assert one["exception"]["class"] == "Interrupted"
        assert one["exception"]["message"].startswith("the process died ")
        assert "late" in one


@pytest.mark.parametrize("where", ["before the line", "in the line", "after the line"])
def test_a_kill_at_the_audit_line(running_club: Club, tmp_path: Path, where: str) -> None:
    """Half a line stays half, the whole one is recognised, and the missing one is made up for."""
    begin_story(running_club, tmp_path)
    assert run_watched(tmp_path, where) == -signal.SIGKILL
    lines = heals(running_club, tmp_path)
    assert [one["event"] for one in lines] == ["applied"] * 3
    assert ("late" in lines[1]) is (where != "after the line")
    changes = lines[1]["changes"]
    assert len(changes) == 3
    assert {one["outcome"] for one in changes} == {"done"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 6))
def test_somebody_who_is_cut_off_in_the_middle_of_a_cycle_stands_in_both_records(
    running_club: Club, tmp_path: Path, number: int, after: bool
) -> None:
    """What was written for them before is in the journal, so the line tells of it, too."""
    begin_story(running_club, tmp_path)
    journal, audit = settings_of(running_club, tmp_path)
    joined = running_club.join(1004)

    def cut(_request: object) -> None:
        with running_club.parts() as parts:
            clock, reason = running_club.clock, Reason.of("")
            revoke([ContactId(joined)], parts.controller, journal, audit, clock, "kim", reason)

    running_club.unifi.faults.add(
        Hook(cut, after=after), where=lambda request: request.method != "GET", first=number
    )
    assert sync(running_club, tmp_path).ending is Ending.CLEAN
    running_club.unifi.faults.clear()
    verified(running_club, tmp_path)
    [line] = [
        one for one in map(json.loads, audit.read_text().splitlines()[1:]) if "command" not in one
    ]
    told = [one for one in line["changes"] if one["contact"] == joined]
    assert {"contact": joined, "class": "grant", "outcome": "cut off"} in told

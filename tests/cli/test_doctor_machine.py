"""`doctor` on this machine: each fault turns its own line, and its remedy mends it."""

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from door_sync.app.checkup import files
from door_sync.app.checkup.check import Name
from door_sync.journal.lock import SiteLock
from door_sync.journal.soundness import try_to_write
from tests.cli.conftest import Site
from tests.cli.doctoring import Bench, Case, Cure, open_secured_club, prove, run_shown
from tests.club import Club


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    with open_secured_club() as club:
        yield club


@pytest.fixture
def bench(site: Site) -> Bench:
    return Bench(site)


def a_wrong_value(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.configure(unifi__facility_code=300)

    def write(remedy: str) -> None:
        text = bench.site.config.read_text()
        [line] = re.findall(r"For example: (.+)", remedy)
        bench.site.config.write_text(text.replace("facility_code = 300", line))

    return write


def a_line_twice(bench: Bench, _undoing: ExitStack) -> Cure:
    text = bench.site.env_file.read_text()
    bench.site.env_file.write_text(f"CIVICRM_API_KEY=an older one\n{text}")
    return lambda _: bench.site.env_file.write_text(text)


def no_key(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.site.env_file.write_text("UNIFI_API_KEY=simulated-access-token\n")

    def write(remedy: str) -> None:
        [name] = re.findall(r"Put (\w+)=…", remedy)
        with bench.site.env_file.open("a") as file:
            file.write(f"{name}={bench.site.civicrm_key}\n")

    return write


def open_secrets(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.site.env_file.chmod(0o644)
    return run_shown


def settings_for_all_to_write(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.site.config.chmod(0o666)
    bench.site.journal.chmod(0o640)
    return run_shown


def another_user(bench: Bench, undoing: ExitStack) -> Cure:
    own = os.geteuid
    patch = undoing.enter_context(pytest.MonkeyPatch.context())
    patch.setattr(os, "geteuid", lambda: own() + 4711)

    def run_as(remedy: str) -> None:
        assert remedy.startswith("Run door-sync as ")
        patch.undo()

    return run_as


def no_database(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.site.journal.write_text("What was here is gone. " * 400)

    def move_aside(remedy: str) -> None:
        assert "move it aside together with its -wal and -shm files" in remedy
        bench.site.journal.rename(bench.site.journal.with_name("damaged.db"))

    return move_aside


def lost_pages(bench: Bench, _undoing: ExitStack) -> Cure:
    backup = bench.site.journal.read_bytes()
    with bench.site.journal.open("r+b") as file:
        file.seek(36)
        file.write((3).to_bytes(4, "big"))

    def put_back(remedy: str) -> None:
        assert "put a backup in its place" in remedy
        bench.site.journal.write_bytes(backup)

    return put_back


def somebody_has_the_journal_open(bench: Bench, undoing: ExitStack) -> Cure:
    patch = undoing.enter_context(pytest.MonkeyPatch.context())
    patch.setattr(files, "try_to_write", partial(try_to_write, busy_timeout_seconds=0))
    browser = undoing.enter_context(closing(sqlite3.connect(bench.site.journal)))
    browser.execute("BEGIN IMMEDIATE")

    def end(remedy: str) -> None:
        assert "End the program that has it open" in remedy
        browser.close()

    return end


def a_file_in_the_journals_path(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.configure(ops__history_db=str(bench.ca_file / "history.db"))

    def name_another(remedy: str) -> None:
        assert "name another path. ops.history_db" in remedy
        bench.configure(ops__history_db=str(bench.site.journal))

    return name_another


def a_directory_for_a_file(path: Path) -> Cure:
    path.unlink()
    path.mkdir()

    def move_away(remedy: str) -> None:
        assert "Move the directory away" in remedy
        path.rmdir()

    return move_away


class FullDisk:
    """A disk with so much room, and so many files to come."""

    def __init__(self, mib: int, files_left: int = 10**6) -> None:
        self.found = SimpleNamespace(
            f_bavail=mib, f_frsize=2**20, f_files=10**7, f_favail=files_left, f_flag=0
        )

    def __call__(self, _bench: Bench, undoing: ExitStack) -> Cure:
        patch = undoing.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(os, "statvfs", lambda _path: self.found)

        def free(remedy: str) -> None:
            assert "Free some room there" in remedy
            patch.undo()

        return free


def a_cycle_that_hangs(bench: Bench, undoing: ExitStack) -> Cure:
    lock = SiteLock(bench.site.journal)
    undoing.enter_context(lock)
    before = time.time() - 3 * 3600
    os.utime(lock.path, (before, before))

    def end(remedy: str) -> None:
        assert f"`kill {os.getpid()}`" in remedy
        undoing.close()

    return end


JOURNAL_BUSY = "somebody has the journal open"
CASES = [
    Case("a wrong value", Name.SETTINGS, a_wrong_value),
    Case("a line twice", Name.SETTINGS, a_line_twice, "warn"),
    Case(
        "no key",
        Name.SETTINGS,
        no_key,
        unasked=tuple(name for name in Name if name.family.value == "CiviCRM"),
    ),
    Case("open secrets", Name.MODES, open_secrets),
    Case("settings for all to write", Name.MODES, settings_for_all_to_write),
    Case("another user", Name.OWNER, another_user, "warn"),
    Case("no database", Name.JOURNAL, no_database, unasked=(Name.JOURNAL_WRITABLE,)),
    Case("lost pages", Name.JOURNAL, lost_pages),
    Case(JOURNAL_BUSY, Name.JOURNAL_WRITABLE, somebody_has_the_journal_open),
    Case(
        "a file in the journal's path",
        Name.JOURNAL_WRITABLE,
        a_file_in_the_journals_path,
        unasked=(Name.LOCK,),
    ),
    Case("no audit file", Name.AUDIT, lambda b, _: a_directory_for_a_file(b.site.audit)),
    Case("no state file", Name.STATE, lambda b, _: a_directory_for_a_file(b.site.state)),
    Case("little room", Name.DISK, FullDisk(200), "warn"),
    Case("no room", Name.DISK, FullDisk(3)),
    Case("no more files", Name.DISK, FullDisk(10**5, files_left=7)),
    Case(
        "no lock",
        Name.LOCK,
        lambda b, _: a_directory_for_a_file(SiteLock(b.site.journal).path),
    ),
    Case("a cycle that hangs", Name.LOCK, a_cycle_that_hangs, "warn"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_fault_turns_its_line_and_its_remedy_mends_it(bench: Bench, case: Case) -> None:
    prove(bench, case)


def test_each_check_of_the_machine_has_a_fault_that_turns_it() -> None:
    own = {name for name in Name if name.family.value == "This machine"}
    assert {case.line for case in CASES} == own


def test_a_cycle_that_runs_is_no_fault(bench: Bench) -> None:
    with SiteLock(bench.site.journal):
        looked = bench.look()
    assert looked.code == 0
    assert f"a cycle is running: process {os.getpid()} holds" in looked.line(Name.LOCK)["text"]
    assert "no cycle is running" in bench.look().line(Name.LOCK)["text"]


def test_looking_does_not_keep_a_cycle_from_starting(bench: Bench) -> None:
    """The lock is not taken, not even for a moment: another process could start in it."""
    path = SiteLock(bench.site.journal).path
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fcntl.flock", lambda *words: seen.append(words))
        assert bench.look().line(Name.LOCK)["verdict"] == "ok"
    assert seen == []
    assert path.exists()


def test_before_the_first_cycle_nothing_is_made_and_nothing_is_wrong(bench: Bench) -> None:
    for path in (bench.site.journal.parent, bench.site.audit.parent, bench.site.flag.parent):
        for one in path.iterdir() if path.exists() else ():
            one.unlink()
        if path.exists():
            path.rmdir()
    looked = bench.look()
    assert (looked.code, looked.lines("bad", "warn")) == (0, [])
    assert "the first live cycle makes it" in looked.line(Name.JOURNAL)["text"]
    assert not bench.site.journal.parent.exists()
    assert not bench.site.audit.parent.exists()


def test_a_site_that_is_being_filled_is_told_of(bench: Bench) -> None:
    with closing(sqlite3.connect(bench.site.journal)) as connection, connection:
        connection.execute("UPDATE site SET provisioning = 1")
    assert "additions are not limited" in bench.look().line(Name.JOURNAL)["text"]


def test_with_nothing_but_a_broken_file_it_ends_as_any_command_does(bench: Bench) -> None:
    bench.site.config.write_text("[civicrm\n")
    looked = bench.look()
    assert looked.code == 78
    assert looked.lines("bad") == ["settings"]
    others = [name.title for name in Name if name not in (Name.SETTINGS, Name.MODES)]
    assert looked.lines("unknown") == others


def test_faults_of_the_settings_are_all_told_and_hide_nothing_else(bench: Bench) -> None:
    bench.configure(ops__state_json=5, alert__transport="pigeon", safety__small_site_max=-1)
    looked = bench.look()
    assert looked.lines("bad") == ["settings"] * 3
    assert "controller token" in looked.lines("ok")
    assert "CiviCRM key" in looked.lines("ok")

"""`history`: past cycles, one person's story, and whether the record holds (§8, P13)."""

import json
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.lock import SiteLock
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import StepRecord
from tests.app.watching import DEACTIVATE, at_status, refused
from tests.cli.conftest import Site


def as_json(site: Site, *words: str) -> Any:
    ran = site.run("history", *words, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def change(site: Site, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(site.journal, isolation_level=None)) as connection:
        connection.execute(statement, values)


def step(contact: int, kind: str, class_: str) -> StepRecord:
    reason = "the membership is active"
    return StepRecord(ContactId(contact), kind, class_, reason, digest(bytes(32), "t", contact))


class TestTheList:
    def test_cycles_that_did_something_are_told_the_newest_last(self, site: Site) -> None:
        first, second = site.club.join(1101), site.club.join(1102)
        site.settle()
        site.settle()
        site.club.lapse(first)
        site.settle()
        ran = site.run("history")
        assert ran.code == 0
        told = [line for line in ran.out.splitlines() if line.startswith("    ")]
        assert told == ["    2 people gained access.", "    1 person lost access."]
        assert "`door-sync history --cycle ID`" in ran.out
        assert ran.out.index("gained") < ran.out.index("lost")
        assert [one["writes"] > 0 for one in as_json(site, "--all")["cycles"]] == [
            True,
            False,
            True,
        ]
        assert len(as_json(site, "--limit", "1")["cycles"]) == 1
        assert second

    def test_cycles_that_stop_for_the_same_reason_are_one_entry(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        key, site.club.civicrm.world.keys = site.civicrm_key, {}
        for _ in range(3):
            assert site.run("run", "--once").code == 2
        [_, stopped] = as_json(site)["cycles"]
        assert (stopped["event"], stopped["cycles"]) == ("failed", 3)
        text = site.run("history").out
        assert "3 cycles in a row" in text
        assert ": stopped\n    " in text
        assert key not in text

    def test_an_empty_history_says_so(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        change(site, "DELETE FROM steps")
        assert site.run("history").out == "No cycle that did something is on record.\n"
        change(site, "DELETE FROM cycles")
        assert site.run("history", "--all").out == "No cycle is on record.\n"

    def test_two_questions_at_once_are_wrong_use(self, site: Site) -> None:
        assert site.run("history", "--cycle", "x", "--contact", "7").code == 64
        assert site.run("history", "--contact", "07").code == 64


class TestOneCycle:
    def test_every_step_is_shown_with_what_is_known_of_it(self, site: Site) -> None:
        contact = site.club.join(1101)
        site.settle()
        name = site.cycles()[-1].cycle_id
        text = site.run("history", "--cycle", name).out
        assert f"   1. contact {contact}: " in text
        assert "create the user (create-user): done and read back  [grant: " in text
        told = as_json(site, "--cycle", name)
        assert [one["kind"] for one in told["steps"]][-1] == "set-policies"
        assert {one["outcome"] for one in told["steps"]} == {"done"}

    def test_an_unknown_one_is_wrong_use_that_names_the_list(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        ran = site.run("history", "--cycle", "20200101T000000Z-00000000")
        assert ran.code == 64
        assert "door-sync history --all" in ran.err

    def test_an_interrupted_one_names_the_step_it_died_in(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        with SqliteJournal.open(site.journal, site.club.clock) as journal:
            record = journal.begin(site.club.clock.now())
            record.outcome(record.intend(step(42, "create-user", "grant")), "done")
            record.intend(step(42, "bind-card", "grant"))
        site.settle()
        text = site.run("history", "--cycle", record.cycle_id).out
        assert (
            "The process died in a write: bind-card of contact 42 (grant); it may have been "
            "carried out or not." in text
        )
        assert "bind the card (bind-card): was being written when the process died" in text
        assert as_json(site, "--cycle", record.cycle_id)["died_in"]["kind"] == "bind-card"
        line = site.audit.read_text().splitlines()[-2]
        assert json.loads(line)["exception"]["class"] == "Interrupted"
        assert "bind-card of contact 42" in json.loads(line)["exception"]["message"]


class TestOneContact:
    def test_nothing_on_record_is_said(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        text = site.run("history", "--contact", "4242").out
        assert text.startswith("Nothing is on record about contact 4242.\n")
        assert "The journal goes back to " in text

    def test_the_whole_story_in_order(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Gains access, its revocation is refused, is held, approved, cut off, and that lifted."""
        monkeypatch.setenv("TZ", "Europe/Berlin")
        contact, _ = site.club.join(1101), site.club.join(1102)
        site.settle()
        site.club.lapse(contact)
        at_status(site.club, refused(), site.club.user_of(contact), DEACTIVATE, times=1)
        assert site.run("run", "--once").code == 3
        at, later, end = (
            (site.club.clock.now() + timedelta(minutes=n)).isoformat(timespec="microseconds")
            for n in (1, 2, 3)
        )
        change(site, "INSERT INTO holds VALUES ('abababababab', 'then', ?, ?)", at, end)
        change(site, "INSERT INTO hold_guards VALUES ('abababababab', 'mass deactivation', 1, 'x')")
        change(
            site,
            "INSERT INTO held_effects VALUES ('abababababab', ?, 'revoke', 'deactivate-user', ?)",
            contact,
            digest(bytes(32), "t", 1),
        )
        said = (
            "INSERT INTO approvals (hold, verdict, at, asked_by, classes, contacts, ended_at, "
            "ending) VALUES ('abababababab', 'approved', ?, 'maria', ?, ?, ?, 'used up')"
        )
        change(site, said, later, '["revoke"]', "[]", end)
        change(site, said, later, '["grant"]', "[]", end)
        change(site, said, later, "[]", "[99999]", end)
        change(
            site,
            "INSERT INTO cut_offs (contact_id, at, asked_by, reason, lifted_at, lifted_by) "
            "VALUES (?, '2099-01-01', 'paul', 'lost the card', '2099-01-02', 'maria')",
            contact,
        )
        text = site.run("history", "--contact", str(contact)).out
        parts = [
            f"What is on record about contact {contact}, the newest last:",
            "Gained access (grant): ",
            "    - create the user (create-user): done and read back",
            "Lost access, but not every step went well (revoke): ",
            "    - deactivate the user (deactivate-user): refused by the controller (CODE_PARAMS",
            "Was held in plan abababababab (revoke) by guard 'mass deactivation'.",
            "Plan abababababab was approved by maria.",
            "    That ended ",
            "Was cut off at once by paul: lost the card.",
            "The cut-off was lifted by maria.",
        ]
        places = [text.index(part) for part in parts]
        assert places == sorted(places)
        assert text.count("was approved by") == 1
        events = as_json(site, "--contact", str(contact))["events"]
        assert [one["event"] for one in events] == [
            "changed",
            "changed",
            "held",
            "said",
            "cut off",
            "lifted",
        ]

    def test_no_name_address_or_number_is_told(self, site: Site) -> None:
        contact = site.club.join(1101, first="Zaphodine", email="zap@example.org")
        site.settle()
        for words in ((), ("--contact", str(contact)), ("--json",), ("verify", "--json")):
            out = site.run("history", *words).out
            for secret in ("Zaphodine", "zap@", "1101"):
                assert secret not in out


class TestVerify:
    def test_a_site_that_ran_is_fine(self, site: Site) -> None:
        leaver = site.club.join(1101)
        site.club.join(1102)
        site.settle()
        site.audit.rename(site.audit.with_name("audit.jsonl.1"))
        site.club.lapse(leaver)
        site.settle()
        assert site.run("run", "--once", "--dry-run").code == 0
        ran = site.run("history", "verify")
        assert ran.code == 0, ran.out
        assert ran.out.startswith(
            "Fine: 2 files with 3 lines read, and the journal agrees with all 2 lines of cycles.\n"
        )
        assert "What this proves: " in ran.out
        told = as_json(site, "verify")
        assert (told["fine"], told["lines"], told["findings"]) == (True, 3, [])
        assert site.run("history", "verify", str(site.audit)).code == 0

    def test_findings_name_file_and_line_and_end_with_2(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        site.settle()
        text = site.audit.read_text()
        site.audit.write_text(text.replace('"added": 1', '"added": 2', 1))
        ran = site.run("history", "verify")
        assert ran.code == 2
        assert ran.out.startswith("Something is wrong: 1 finding in 1 file with 2 lines.\n")
        assert f"  - {site.audit}, line 1: was changed after it was written" in ran.out
        [found] = json.loads(site.run("history", "verify", "--json").out)["findings"]
        assert (found["file"], found["line"]) == (str(site.audit), 1)

    def test_many_findings_are_counted(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        with site.audit.open("a") as file:
            file.write("junk\n" * 50)
        ran = site.run("history", "verify")
        assert "… and 10 more; --json lists them all." in ran.out

    def test_a_damaged_journal_is_a_clear_error(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        change(site, "PRAGMA wal_checkpoint(TRUNCATE)")
        content = bytearray(site.journal.read_bytes())
        content[4096:] = b"\x5a" * len(content[4096:])
        site.journal.write_bytes(content)
        for words in ((), ("verify",), ("prune",), ("--contact", "7")):
            ran = site.run("history", *words)
            assert (ran.code, ran.out) == (2, "")
            assert "it is damaged" in ran.err
            assert "What to do: Stop door-sync, put a backup in its place" in ran.err


@pytest.mark.parametrize("words", [(), ("verify",), ("prune",), ("prune", "--dry-run")])
class TestAnyOfThem:
    def test_without_a_journal_it_says_so_and_makes_none(
        self, site: Site, words: tuple[str, ...]
    ) -> None:
        ran = site.run("history", *words)
        assert (ran.code, ran.out) == (2, "")
        assert f"there is no journal at {site.journal}" in ran.err
        assert not site.journal.exists()

    def test_a_journal_of_a_newer_version_is_refused(
        self, site: Site, words: tuple[str, ...]
    ) -> None:
        site.club.join(1101)
        site.settle()
        change(site, "PRAGMA user_version = 99")
        ran = site.run("history", *words)
        assert ran.code == 2
        assert "knows no version above" in ran.err

    def test_it_works_while_a_cycle_runs(self, site: Site, words: tuple[str, ...]) -> None:
        site.club.join(1101)
        site.settle()
        with SiteLock(site.journal), SqliteJournal.open(site.journal, site.club.clock) as journal:
            record = journal.begin(site.club.clock.now())
            record.intend(step(42, "bind-card", "grant"))
            assert site.run("history", *words).code == 0
            assert journal.cycles()[0].event is None


class TestPrune:
    def age(self, site: Site) -> None:
        """Let the site have run for two years, once a day."""
        with SqliteJournal.open(site.journal, site.club.clock) as journal:
            for day in range(730, 0, -1):
                at = site.club.clock.now() - timedelta(days=day)
                journal.begin(at).end("applied", "", {}, "long ago " * 50)
        change(site, "UPDATE cycles SET audit = 'before the chain' WHERE audit IS NULL")

    def test_it_says_first_and_then_removes_what_is_old(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        self.age(site)
        foretold = site.run("history", "prune", "--dry-run").out
        assert foretold.startswith("Would remove ")
        done = site.run("history", "prune").out
        assert foretold.splitlines()[0].removeprefix("Would remove") == done.splitlines()[
            0
        ].removeprefix("Removed")
        assert "30 days of quiet cycles" in done
        assert site.run("history", "prune").out.startswith("Removed nothing.\n")
        assert site.run("history", "verify").code == 0

    def test_the_file_is_made_smaller_unless_a_cycle_runs_or_the_disk_is_full(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        site.club.join(1101)
        site.settle()
        self.age(site)
        size = site.journal.stat().st_size
        with SiteLock(site.journal):
            assert "keeps its size: a cycle is running" in site.run("history", "prune").out
        with monkeypatch.context() as patched:
            patched.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
            assert "the disk lacks the room" in site.run("history", "prune").out
        assert "was made smaller" in site.run("history", "prune").out
        assert site.journal.stat().st_size < size


def test_a_killed_cycle_is_told_at_once_and_its_line_comes_with_the_next(site: Site) -> None:
    """P9: what is on record is the truth at any moment."""
    site.club.join(1101)
    site.settle()
    process = site.start("run")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert site.run("history", "verify").code == 0
    site.settle()
    assert site.run("history", "verify").code == 0
    assert Path(site.audit).exists()


def test_live_cycles_remove_what_is_old_as_the_settings_say(site: Site) -> None:
    site.club.join(1101)
    site.settle()
    with SqliteJournal.open(site.journal, site.club.clock) as journal:
        for day in range(60, 0, -1):
            at = site.club.clock.now() - timedelta(days=day)
            journal.begin(at).end("applied", "", {})
    change(site, "UPDATE cycles SET audit = 'before the chain' WHERE audit IS NULL")
    change(site, "UPDATE site SET pruned_at = NULL")
    site.configure(ops__history_db=str(site.journal), ops__keep_quiet_cycles_days=10)
    site.settle()
    first, latest, lived_through = 1, 1, 11  # ten days lie between eleven daily cycles
    assert len(as_json(site, "--all")["cycles"]) == first + lived_through + latest
    assert site.run("history", "verify").code == 0

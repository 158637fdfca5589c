"""`run` where files refuse, another cycle runs, or the program itself is at fault (§7)."""

import pytest

from door_sync.journal.lock import SiteLock
from tests.cli.conftest import Ran, Site


class TestFilesThatRefuse:
    def test_an_unwritable_journal_stops_the_cycle_and_the_flag_says_what_that_means(
        self, site: Site
    ) -> None:
        leaver = site.club.join(1101)
        site.club.join(1102)
        site.settle()
        site.club.lapse(leaver)
        site.configure(ops__history_db=str(site.directory))
        ran = site.run("run", "--once")
        assert ran.code == 2
        assert ran.out.startswith(
            "Stopped: no cycle runs without a record of it. Revocations are not happening: people "
            "who left can still open doors. Until then cut off people who must lose access with "
            "`door-sync revoke CONTACT --without-record`, or in the controller by hand.\nWhy: "
        )
        assert f"The journal {site.directory} cannot be used: it is a directory." in ran.out
        assert site.club.writes() == 0
        flag = site.flag.read_text()
        assert "No cycle runs, because its record cannot be kept" in flag
        assert "Revocations are not happening: people who left can still open doors." in flag
        assert "`door-sync revoke CONTACT --without-record`" in flag
        assert site.audit_line()["exception"]["class"] == "JournalError"
        assert site.state_content()["run_count"] == 2

    def test_a_lock_that_cannot_be_taken_is_the_same(self, site: Site) -> None:
        (site.directory / "file").write_text("")
        site.configure(ops__history_db=str(site.directory / "file" / "history.db"))
        ran = site.run("run", "--once")
        assert ran.code == 2
        assert "cannot lock" in ran.out.lower()
        assert "Revocations are not happening" in site.flag.read_text()

    @pytest.mark.parametrize("name", ["audit_jsonl", "state_json", "alert_flag"])
    def test_another_file_that_refuses_changes_nothing_at_the_doors_but_is_told(
        self, site: Site, name: str
    ) -> None:
        journal = {"ops__history_db": str(site.journal)}
        site.configure(**{f"ops__{name}": str(site.directory)}, **journal)
        site.club.join(1101)
        ran = site.run("run", "--once")
        assert ran.code == 2
        done, affected, trouble, *_ = ran.out.splitlines()
        assert done == "Done: 1 person gained access. Everything written was read back."
        assert affected.startswith("The doors are not affected")
        assert trouble.startswith("Trouble: Cannot ")
        assert f"{site.directory}: it is a directory. Move the directory away" in trouble
        assert site.club.opens(1101)
        assert site.last_event() == "applied"
        if name != "alert_flag":
            assert "Nothing: the cycle itself is not affected" in site.flag.read_text()
        if name == "audit_jsonl":
            assert site.state_content()["last_success_iso"] is None, (
                "a reader of the audit misses a cycle"
            )


class TestTheLock:
    def test_while_another_cycle_runs_there_is_none_and_nothing_is_wrong(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        before = site.state.read_text(), site.audit.read_text(), site.cycles()
        with SiteLock(site.journal):
            ran = site.run("run", "--once")
        assert (ran.code, ran.out) == (75, "")
        assert "another cycle of this site is running: process " in ran.err
        assert "What to do: Wait until it has ended." in ran.err
        assert (site.state.read_text(), site.audit.read_text(), site.cycles()) == before
        assert not site.flag.exists()
        assert site.run("run", "--once").code == 0


class TestAFaultOfTheProgram:
    @pytest.fixture
    def ran(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> Ran:
        """A cycle that dies of a defect, whose message knows a person."""

        def broken(*_: object, **__: object) -> None:
            raise LookupError("Zaphodine Quux")

        site.club.join(1101)
        monkeypatch.setattr("door_sync.app.cycle.decide", broken)
        return site.run("run", "--once")

    def test_the_operator_reads_a_sentence(self, ran: Ran) -> None:
        assert (ran.code, ran.out) == (2, "")
        assert "fault of its own (LookupError)" in ran.err
        assert "Traceback" not in ran.err

    def test_journal_audit_state_and_flag_know(self, ran: Ran, site: Site) -> None:
        assert site.last_event() == "crashed"
        assert site.audit_line()["event"] == "crashed"
        assert site.audit_line()["exception"] == {"class": "LookupError", "message": "LookupError"}
        assert site.state_content()["run_count"] == 1
        flag = site.flag.read_text()
        assert "broke off with a fault of the program (LookupError)" in flag
        assert "`door-sync -v run --once`" in flag
        assert b"Zaphodine" not in site.everything_written()

    def test_files_that_refuse_do_not_hide_it(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise LookupError

        site.configure(
            ops__history_db=str(site.journal),
            **{f"ops__{one}": str(site.directory) for one in ("audit_jsonl", "alert_flag")},
        )
        monkeypatch.setattr("door_sync.app.cycle.decide", broken)
        ran = site.run("run", "--once")
        assert ran.code == 2
        assert "fault of its own (LookupError)" in ran.err
        assert site.state_content()["run_count"] == 1

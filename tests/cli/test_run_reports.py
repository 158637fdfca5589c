"""`run --dry-run` and `run --json`: a look ahead, and a report for scripts (P7, §8)."""

import json

from tests.app.watching import at_create, refused
from tests.cli.conftest import Ran, Site


class TestADryRun:
    def test_it_says_what_would_be_done_without_names_and_writes_nothing(self, site: Site) -> None:
        contact = site.club.join(1101, first="Anna")
        ran = site.run("run", "--once", "--dry-run")
        assert ran == Ran(
            0,
            "A live cycle would write: 1 person gains access.\n\nA live cycle would do this:\n"
            f"  - contact {contact} gains access: joined tier Gold\n",
            "",
        )
        assert site.club.writes() == 0

    def test_it_leaves_an_audit_line_and_touches_nothing_else(self, site: Site) -> None:
        site.club.join(1101)
        site.run("run", "--once", "--dry-run")
        assert site.audit_line()["dry_run"] is True
        assert site.audit_line()["summary"]["added"] == 1
        assert site.audit_line()["cycle"] == ""
        assert not site.state.exists()
        assert not site.journal.exists()
        assert not site.flag.exists()

    def test_state_journal_and_flag_stay_as_they_are(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        site.keys(unifi="x" * 20)
        site.run("run", "--once")
        site.keys()
        before = site.state.read_text(), site.flag.read_text(), site.cycles()
        assert site.run("run", "--once", "--dry-run").code == 0
        assert (site.state.read_text(), site.flag.read_text(), site.cycles()) == before

    def test_a_failed_one_says_so_and_raises_no_flag(self, site: Site) -> None:
        site.keys(unifi="x" * 20)
        ran = site.run("run", "--once", "--dry-run")
        assert ran.code == 2
        assert ran.out.startswith("No plan: a live cycle would stop here and write nothing.")
        assert (site.audit_line()["event"], site.audit_line()["dry_run"]) == ("crashed", True)
        assert not site.flag.exists()

    def test_a_held_one_tells_what_waits_and_what_would_go_on(self, site: Site) -> None:
        site.club.join(1101)
        leaver = site.club.join(1102)
        site.settle()
        site.club.lapse(leaver)
        joined = site.club.join(1103)
        site.configure(
            safety__small_site_max=0, safety__mass_add_pct=0.0, safety__mass_deactivate_pct=1.0
        )
        ran = site.run("run", "--once", "--dry-run")
        assert ran.code == 1
        assert ran.out.startswith(
            "Held in part: 1 person gains access only after a person has looked.\n"
            "A live cycle would do the rest: 1 person loses access.\n"
        )
        assert f"contact {joined} gains access" in ran.out


class TestJson:
    def test_a_script_reads_the_whole_report(self, site: Site) -> None:
        contact = site.club.join(1101, first="Anna")
        site.club.add_user("", cards=[1102])
        blocked = site.club.join(1102)
        ran = site.run("run", "--once", "--json")
        report = json.loads(ran.out)
        assert (ran.code, ran.err) == (0, "")
        assert (report["ending"], report["exit_code"], report["dry_run"]) == ("clean", 0, False)
        assert report["cycle"] == site.cycles()[-1].cycle_id
        assert report["digest"] == site.cycles()[-1].digest
        assert report["summary"] == site.audit_line()["summary"]
        assert report["outcomes"] == [
            {
                "contact": one,
                "class": "grant",
                "reason": "joined tier Gold",
                "outcome": "done",
                "problems": [],
            }
            for one in (contact, blocked)
        ]
        [card] = report["blocked"]
        assert card["contact"] == blocked
        assert card["holder"]["status"] == "ACTIVE"
        assert card["leaves_no_card"] is True
        assert {step["step"] for step in report["steps"]} == {
            "import-card",
            "create-user",
            "bind-card",
            "set-policies",
        }
        assert "name" not in report["steps"][0]

    def test_a_failure_has_its_place_in_it(self, site: Site) -> None:
        site.keys(unifi="x" * 20)
        ran = site.run("run", "--once", "--json")
        report = json.loads(ran.out)
        assert ran.code == report["exit_code"] == 2
        assert report["ending"] == "failed"
        assert report["error"]["class"] == "ControllerForbids"
        assert report["error"]["remedy"]
        assert report["steps"] == []
        assert report["held"] is None

    def test_a_person_who_failed_is_failed_in_it(self, site: Site) -> None:
        bad = site.club.join(1102)
        at_create(site.club, refused(), bad, times=None)
        try:
            report = json.loads(site.run("run", "--once", "--json").out)
        finally:
            site.club.unifi.faults.clear()
        [outcome] = report["outcomes"]
        assert (report["ending"], report["exit_code"]) == ("partial", 3)
        assert (outcome["contact"], outcome["outcome"]) == (bad, "failed")
        assert "CODE_PARAMS_INVALID" in outcome["problems"][0]

    def test_files_that_could_not_be_written_are_in_it(self, site: Site) -> None:
        site.configure(ops__alert_flag=str(site.directory))
        site.club.join(1101)
        report = json.loads(site.run("run", "--once", "--json").out)
        assert report["ending"] == "failed"
        assert report["error"] is None
        assert len(report["troubles"]) == 1
        assert str(site.directory) in report["troubles"][0]

"""`run --once`: the exit code, what is printed, and what is left for others to read (§7, §8)."""

from datetime import datetime

import pytest

from door_sync.simulators.faults import Answer, json_answer
from tests.app.watching import at_create, at_status, bad_token, refused
from tests.cli.conftest import Ran, Site

UNCHANGED = "Everybody keeps the access they have: people who left can still open doors."


class TestACleanCycle:
    def test_it_says_what_was_done_and_that_it_was_proven(self, site: Site) -> None:
        contact = site.club.join(1101)
        ran = site.run("run", "--once")
        assert ran == Ran(
            0,
            "Done: 1 person gained access. Everything written was read back.\n\nDone:\n"
            f"  - contact {contact} gained access: joined tier Gold\n",
            "",
        )
        assert site.club.opens(1101)

    def test_the_next_one_has_nothing_to_do_and_writes_nothing(self, site: Site) -> None:
        site.club.join(1101)
        site.settle()
        ran = site.run("run", "--once")
        assert ran == Ran(0, "Nothing to do: the controller matches the membership list.\n", "")
        assert site.club.writes() == 0

    def test_it_is_on_record_for_monitoring(self, site: Site) -> None:
        contact = site.club.join(1101)
        site.run("run", "--once")
        line = site.audit_line()
        [cycle] = site.cycles()
        assert line.pop("ts")
        assert line == {
            "event": "applied",
            "dry_run": False,
            "summary": {
                "added": 1,
                "updated_credential": 0,
                "updated_policy": 0,
                "deactivated": 0,
                "unmapped": 0,
            },
            "cycle": cycle.cycle_id,
            "digest": cycle.digest,
            "changes": [{"contact": contact, "class": "grant", "outcome": "done"}],
            "opens": True,
            "prev": "",
            "hash": line["hash"],
        }
        assert cycle.event == "applied"
        success = site.state_content()["last_success_iso"]
        assert datetime.fromisoformat(success).tzinfo is not None
        assert site.state_content() == {
            "last_success_iso": success,
            "last_halt_iso": None,
            "last_halt_reason": None,
            "run_count": 1,
        }

    def test_it_takes_a_flag_down(self, site: Site) -> None:
        site.club.join(1101)
        site.keys(unifi="x" * 20)
        site.run("run", "--once")
        assert site.flag.exists()
        site.keys()
        site.settle()
        assert not site.flag.exists()

    def test_a_card_that_waits_for_a_person_is_told_first_and_is_no_failure(
        self, site: Site
    ) -> None:
        site.club.add_user("", cards=[1102])
        site.club.join(1101)
        contact = site.club.join(1102)
        ran = site.run("run", "--once")
        first, second, *_ = ran.out.splitlines()
        assert ran.code == 0
        assert first == "Done: 2 people gained access. Everything written was read back."
        assert second == (
            f"1 card is blocked: contact {contact} must wait for a person to settle it, see below."
        )
        assert "not managed by door-sync, ACTIVE" in ran.out
        assert f"Contact {contact} has no working card." in ran.out
        assert "Ask the holder to return it and free it in the controller" in ran.out
        again = site.run("run", "--once")
        assert again.out.startswith("Nothing to do that can be done without a person.\n1 card is")


class TestAHeldCycle:
    @pytest.fixture
    def leaver(self, site: Site) -> int:
        """Somebody who left, at a site where nobody may lose access unasked."""
        site.club.join(1101)
        leaver = site.club.join(1102)
        site.settle()
        site.club.lapse(leaver)
        site.configure(safety__small_site_max=0, safety__mass_deactivate_pct=0.1)
        return leaver

    def test_nothing_is_written_and_it_says_what_that_means(self, site: Site, leaver: int) -> None:
        ran = site.run("run", "--once")
        assert (ran.code, ran.err) == (1, "")
        digest = site.audit_line()["digest"]
        assert ran.out.splitlines() == [
            f"Held: nothing was written, a person must look first. {UNCHANGED}",
            "",
            (
                "Guard 'mass deactivation': 1 of 2 active people would lose their access, which is "
                "more than 10%."
            ),
            (
                "  What settles it: If that is right, approve the plan, or raise "
                "safety.mass_deactivate_pct for one cycle; if not, mend the data in CiviCRM."
            ),
            "",
            f"Waiting for a person, plan {digest}:",
            f"  - contact {leaver} loses access: no active membership",
            (
                f"  Let it pass with `door-sync approve {digest}` (within 24 hours, and no more "
                f"than this), or refuse it with `door-sync reject {digest}`."
            ),
        ]
        assert site.club.writes() == 0
        assert site.club.opens(1102)

    def test_monitoring_and_the_flag_know(self, site: Site, leaver: int) -> None:
        success = site.state_content()["last_success_iso"]
        site.run("run", "--once")
        reason = "1 of 2 active people would lose their access, which is more than 10%"
        digest = site.audit_line()["digest"]
        assert site.audit_line()["event"] == "halted"
        assert site.audit_line()["reason"] == f"mass deactivation: {reason}"
        assert site.audit_line()["changes"] == []
        assert site.last_event() == "halted"
        assert site.state_content()["last_success_iso"] == success
        assert site.state_content()["last_halt_iso"] > success
        assert site.state_content()["last_halt_reason"] == f"mass deactivation: {reason}"
        assert site.state_content()["run_count"] == 2
        assert site.flag.read_text() == (
            "door-sync needs a person.\n\n"
            f"What happened: Guard 'mass deactivation': {reason}.\n"
            f"What it means for the doors: {UNCHANGED}\n"
            "What settles it: If that is right, approve the plan, or raise "
            "safety.mass_deactivate_pct for one cycle; if not, mend the data in CiviCRM. "
            f"`door-sync approve {digest}` lets it through as it is; `door-sync reject {digest}` "
            "says that it is wrong.\n"
        )

    def test_doing_what_settles_it_settles_it(self, site: Site, leaver: int) -> None:
        site.run("run", "--once")
        site.configure(safety__small_site_max=0, safety__mass_deactivate_pct=1.0)
        ran = site.run("run", "--once")
        assert ran.code == 0
        assert "1 person lost access" in ran.out
        assert not site.club.opens(1102)
        assert not site.flag.exists()

    def test_a_class_waits_while_the_others_go_on(self, site: Site, leaver: int) -> None:
        joined = site.club.join(1103)
        site.configure(
            safety__small_site_max=0, safety__mass_add_pct=0.0, safety__mass_deactivate_pct=1.0
        )
        ran = site.run("run", "--once")
        assert ran.code == 1
        assert ran.out.startswith(
            "Held in part: 1 person gains access only after a person has looked.\n"
            "The rest is done: 1 person lost access.\n"
        )
        assert f"  - contact {leaver} lost access" in ran.out
        assert f"  - contact {joined} gains access" in ran.out
        assert not site.club.opens(1102)
        assert not site.club.opens(1103)
        assert "What this guard counts waits for a person; everything else" in site.flag.read_text()
        assert site.audit_line()["event"] == "halted"
        assert site.audit_line()["summary"]["deactivated"] == 1
        again = site.run("run", "--once")
        assert "\nThere is nothing else to do.\n" in again.out

    def test_a_class_that_waits_and_somebody_who_fails_are_both_told(
        self, site: Site, leaver: int
    ) -> None:
        site.club.join(1103)
        site.configure(
            safety__small_site_max=0, safety__mass_add_pct=0.0, safety__mass_deactivate_pct=1.0
        )
        user = site.club.user_of(leaver)
        at_status(site.club, refused(), user, {"status": "DEACTIVATED"})
        try:
            ran = site.run("run", "--once")
        finally:
            site.club.unifi.faults.clear()
        assert ran.code == 1, "a hold outranks the failure of some people"
        assert f"\nNot done: contact {leaver} failed; the next cycle tries again.\n" in ran.out
        assert f"The changes for contact {leaver} failed." in site.flag.read_text()
        assert "Guard 'mass addition'" in site.flag.read_text()


class TestAFailedCycle:
    def test_a_key_that_is_refused(self, site: Site) -> None:
        site.club.join(1101)
        site.keys(unifi="x" * 20)
        ran = site.run("run", "--once")
        assert (ran.code, ran.err) == (2, "")
        assert ran.out.startswith(f"Stopped: nothing was written. {UNCHANGED}\nWhy: ")
        assert "the controller refuses the API token" in ran.out
        assert "put it into UNIFI_API_KEY" in ran.out
        assert site.audit_line()["event"] == "crashed"
        assert site.audit_line()["exception"]["class"] == "ControllerForbids"
        assert site.last_event() == "failed"
        assert site.state_content() == {
            "last_success_iso": None,
            "last_halt_iso": None,
            "last_halt_reason": None,
            "run_count": 1,
        }
        flag = site.flag.read_text()
        assert "The cycle stopped: " in flag
        assert f"What it means for the doors: {UNCHANGED}" in flag

    def test_a_key_that_civicrm_does_not_know(self, site: Site) -> None:
        site.keys(civicrm="y" * 20)
        ran = site.run("run", "--once")
        assert ran.code == 2
        assert "Why: CiviCRM does not know the API key (401).\n" in ran.out
        assert "What to do: Check CIVICRM_API_KEY" in ran.out

    @pytest.mark.parametrize(
        ("key", "address"),
        [("civicrm__host", "http://127.0.0.1:1"), ("unifi__host", "https://127.0.0.1:1")],
    )
    def test_a_side_that_does_not_answer(self, site: Site, key: str, address: str) -> None:
        site.configure(**{key: address})
        ran = site.run("run", "--once")
        assert ran.code == 2
        assert f"{address} cannot be reached: nothing listens on that port." in ran.out
        assert "Check that it is switched on" in ran.out
        assert "trying again" in ran.err

    def test_both_sides_that_do_not_answer_are_both_told(self, site: Site) -> None:
        site.configure(unifi__host="https://127.0.0.1:1", civicrm__host="http://127.0.0.1:1")
        ran = site.run("run", "--once")
        assert ran.code == 2
        assert "Why: http://127.0.0.1:1 cannot be reached" in ran.out
        assert "Nor could the controller be read: " in ran.out
        assert ran.out.count("Check that it is switched on") == 1, "the same remedy settles both"

    def test_another_controller_than_the_pinned_one_gets_no_request(self, site: Site) -> None:
        """P11, to the last word of what the operator reads."""
        site.configure(unifi__tls_fingerprint=":".join(["AB"] * 32))
        ran = site.run("run", "--once")
        assert ran.code == 2
        assert "a certificate that is not the pinned one, so nothing was sent to it" in ran.out
        assert site.club.unifi_server.fingerprint is not None
        assert site.club.unifi_server.fingerprint in ran.out
        address = site.club.unifi_server.url.removeprefix("https://")
        assert f"`openssl s_client -connect {address} </dev/null" in ran.out
        assert site.club.unifi.journal.requests() == ()
        assert site.audit_line()["exception"]["class"] == "WrongController"

    def test_a_cycle_that_is_stopped_on_the_way_says_what_stays(self, site: Site) -> None:
        leaver = site.club.join(1101)
        site.club.join(1102)
        site.settle()
        site.club.lapse(leaver)
        joined = site.club.join(1103)
        at_create(site.club, bad_token(), joined, times=None)
        try:
            ran = site.run("run", "--once")
        finally:
            site.club.unifi.faults.clear()
        assert ran.code == 2
        assert ran.out.startswith("Stopped on the way, after 4 writes. What is done stays;")
        assert f"\nDone:\n  - contact {leaver} lost access" in ran.out
        [failed] = [line for line in ran.out.splitlines() if f"contact {joined} (grant)" in line]
        assert failed.count("the cycle ended before this was written") == 1
        flag = site.flag.read_text()
        assert "What was written before stays; all others keep the access they have" in flag
        assert site.audit_line()["changes"] == [
            {"contact": leaver, "class": "revoke", "outcome": "done"},
            {"contact": joined, "class": "grant", "outcome": "failed"},
        ]

    @pytest.mark.parametrize(
        "answer",
        [
            json_answer({"values": [], "count": 0}),
            json_answer([]),
            Answer(200, b"<html>Please log in</html>", "text/html"),
            Answer(200, b""),
        ],
        ids=["nothing in it", "a list", "a login page", "no body"],
    )
    def test_an_answer_that_must_not_be_believed_revokes_nobody(
        self, site: Site, answer: Answer
    ) -> None:
        site.club.join(1101)
        site.settle()
        site.club.civicrm.faults.add(answer, times=None)
        try:
            ran = site.run("run", "--once")
        finally:
            site.club.civicrm.faults.clear()
        assert ran.code == 2
        assert ran.out.startswith("Stopped: nothing was written.")
        assert site.club.writes() == 0
        assert site.club.opens(1101)


class TestAPartialCycle:
    def test_it_names_who_failed_and_that_all_others_are_done(self, site: Site) -> None:
        good, bad = site.club.join(1101), site.club.join(1102)
        at_create(site.club, refused(), bad, times=None)
        try:
            ran = site.run("run", "--once")
        finally:
            site.club.unifi.faults.clear()
        assert (ran.code, ran.err) == (3, "")
        assert ran.out.startswith(
            f"Not done for everybody: contact {bad} failed. Otherwise done: 1 person gained "
            "access.\nThe next cycle tries them again; nobody else is affected.\n"
        )
        assert f"\nFailed:\n  - contact {bad} (grant): creating the user" in ran.out
        assert site.audit_line()["event"] == "applied"
        assert site.audit_line()["summary"]["added"] == 1
        assert site.audit_line()["changes"] == [
            {"contact": good, "class": "grant", "outcome": "done"},
            {"contact": bad, "class": "grant", "outcome": "failed"},
        ]
        assert site.last_event() == "partial"
        assert site.state_content()["last_success_iso"] is None
        assert site.state_content()["run_count"] == 1
        assert site.flag.read_text() == (
            "door-sync needs a person.\n\n"
            f"What happened: The changes for contact {bad} failed.\n"
            "What it means for the doors: These people may still have access that they should not "
            "have, or lack theirs.\n"
            "What settles it: The next cycle tries again; `door-sync run --once` says what goes "
            "wrong.\n"
        )
        site.settle()
        assert not site.flag.exists()

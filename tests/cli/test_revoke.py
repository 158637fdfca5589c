"""`revoke` and `restore` as an operator meets them: words, exit codes, privacy (§6, §8, P12)."""

import json
import logging

import pytest

from door_sync.journal.sqlite import SqliteJournal
from door_sync.simulators.faults import Reset
from tests.app.watching import DEACTIVATE, at_free, at_status, refused
from tests.cli.conftest import Ran, Site

MARKS = ("Zaphodine", "zaphodine@marked.example", "54321", "Grudgewords")
REASON = "Grudgewords: ask zaphodine@marked.example for card 54321\nat once"


@pytest.fixture
def member(site: Site) -> int:
    """Somebody who is in, beside others."""
    site.club.join(1100)
    contact = site.club.join(54321, first="Zaphodine")
    site.settle()
    return contact


def test_a_cut_off_says_what_it_means_for_the_doors_and_that_it_sticks(
    site: Site, member: int
) -> None:
    user = site.club.user_of(member)
    ran = site.run("revoke", str(member))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        f"Cut off: contact {member} was deactivated and read back, and opens no door any more.\n"
        f"  - contact {member}: user {user} deactivated\n"
        "It is on record: no cycle gives access, whatever CiviCRM says, until "
        f"`door-sync restore {member}`.\n"
    )
    assert not site.club.opens(54321)
    assert f"contact {member}" in site.run("status").out
    after = site.run("run", "--once")
    assert after.code == 0
    assert f"`door-sync restore {member}`" in after.out
    assert not site.club.opens(54321)


def test_several_are_cut_off_in_one_call_each_once(site: Site, member: int) -> None:
    other = site.club.join(1002)
    site.settle()
    ran = site.run("revoke", str(member), str(other), str(member), "999")
    assert ran.code == 0
    assert (
        f"Cut off: contacts {member}, {other} were deactivated and read back, and open" in ran.out
    )
    nothing = "Nothing to cut in the controller: no user that carries the id of contact 999 can "
    assert nothing in ran.out
    assert "If contact 999 could come in until now, it is as a user or visitor without" in ran.out
    assert "contact 999: no user in the controller has this contact id" in ran.out
    assert ran.out.count(f"- contact {member}:") == 1


def test_a_second_time_says_who_was_first(site: Site, member: int) -> None:
    site.run("revoke", str(member))
    ran = site.run("revoke", str(member))
    assert ran.code == 0
    assert f"The cut-off of contact {member} stood already, since " in ran.out
    assert "deactivated before" in ran.out
    assert "could come in until now" not in ran.out


def test_a_card_that_stays_is_told(site: Site, member: int) -> None:
    at_free(site.club, refused())
    ran = site.run("revoke", str(member))
    site.club.unifi.faults.clear()
    assert ran.code == 0
    assert "1 card stays on the user" in ran.out


def test_a_controller_out_of_reach_says_what_to_do_at_the_door(site: Site, member: int) -> None:
    site.club.unifi.faults.add(Reset(), times=None)
    ran = site.run("revoke", str(member))
    site.club.unifi.faults.clear()
    assert ran.code == 2
    assert ran.out.startswith(f"Not done: contact {member} may still open doors.\nWhy: ")
    assert "The next cycle tries again. Until then they may open doors: take the card" in ran.out
    assert "It is on record: no cycle gives access" in ran.out
    assert site.run("run", "--once").code == 0
    assert not site.club.opens(54321)


def test_another_controller_is_told_nothing(site: Site, member: int) -> None:
    """P11: the key does not leave this machine, and the cut-off stands."""
    site.configure(unifi__tls_fingerprint=":".join(["AB"] * 32))
    ran = site.run("revoke", str(member))
    assert ran.code == 2
    assert "not the pinned one" in ran.out
    assert site.club.unifi.journal.requests() == ()
    assert "It is on record" in ran.out


def test_somebody_who_failed_is_named_with_why(site: Site, member: int) -> None:
    at_status(site.club, refused(), site.club.user_of(member), DEACTIVATE)
    ran = site.run("revoke", str(member))
    site.club.unifi.faults.clear()
    assert ran.code == 3
    assert f"Not done: contact {member} may still open doors." in ran.out
    assert "CODE_PARAMS_INVALID" in ran.out


def test_a_user_without_a_status_is_called_unproven(site: Site, member: int) -> None:
    site.club.unifi.world.edit_user(site.club.user_of(member), missing=["status"])
    ran = site.run("revoke", str(member))
    assert ran.code == 3
    assert f"Not proven: whether contact {member} can still open doors." in ran.out
    assert "shows no status" in ran.out


def test_an_unusable_journal_names_the_way_without_it(site: Site, member: int) -> None:
    site.configure(ops__history_db=str(site.directory))
    ran = site.run("revoke", str(member))
    assert ran.code == 2
    assert ran.err.startswith("door-sync: Nothing was done: the journal ")
    assert f"`door-sync revoke {member} --without-record`" in ran.err
    assert site.club.opens(54321)
    ran = site.run("revoke", str(member), "--without-record")
    assert ran.code == 0
    assert "This is not on record and does not stick" in ran.out
    assert not site.club.opens(54321)


@pytest.mark.parametrize("word", ["0", "01", "-7", "x", "1.5", "", "9" * 19, "\u0664"])
@pytest.mark.parametrize("command", ["revoke", "restore"])
def test_what_is_no_contact_id_is_wrong_use(site: Site, command: str, word: str) -> None:
    ran = site.run(command, "7", word)
    assert ran.code == 64
    assert not site.journal.exists(), "and nothing was written"


@pytest.mark.parametrize("command", ["revoke", "restore"])
def test_nobody_named_is_wrong_use(site: Site, command: str) -> None:
    assert site.run(command).code == 64


def test_the_json_says_everything(site: Site, member: int) -> None:
    user = site.club.user_of(member)
    content = json.loads(site.run("revoke", str(member), "--reason", "x", "--json").out)
    assert content == {
        "exit_code": 0,
        "on_record": True,
        "record": site.cycles()[-1].cycle_id,
        "people": [
            {
                "contact": member,
                "outcome": "cut off",
                "is_new": True,
                "users": [user],
                "deactivated_before": [],
                "cards_left": 0,
                "problems": [],
            }
        ],
        "error": None,
        "reason_changed": False,
        "troubles": [],
    }
    site.keys(unifi="x" * 20)
    content = json.loads(site.run("revoke", "999", "--json").out)
    assert content["exit_code"] == 2
    assert content["error"]["class"] == "ControllerForbids"


def test_restore_lets_civicrm_decide_again(site: Site, member: int) -> None:
    site.run("revoke", str(member))
    ran = site.run("restore", str(member), "999")
    assert ran.code == 0
    assert ran.out.startswith(f"Lifted: the cut-off of contact {member}, since ")
    assert "Contact 999 was not cut off; nothing changes." in ran.out
    assert f"The next cycle gives contact {member} access if CiviCRM says so" in ran.out
    assert not site.club.opens(54321)
    assert site.run("run", "--once").code == 0
    assert site.club.opens(54321)
    ran = site.run("restore", str(member), "--json")
    assert json.loads(ran.out) == [
        {"contact": member, "lifted": False, "since": None, "cut_off_by": None}
    ]


def test_restore_before_the_first_cycle_makes_the_journal(site: Site) -> None:
    ran = site.run("restore", "7")
    assert (ran.code, ran.out) == (0, "Contact 7 was not cut off; nothing changes.\n")
    assert site.journal.exists()


def test_restore_says_who_had_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "kim")
    site.run("revoke", "7")
    assert "by kim (by sudo" in site.run("restore", "7").out


def test_an_audit_file_that_cannot_be_written_is_told(site: Site, member: int) -> None:
    site.audit.unlink()
    site.audit.mkdir()
    ran = site.run("revoke", str(member))
    assert ran.code == 0
    assert "Trouble: " in ran.out
    assert "The next cycle writes the line." in ran.out


def said(site: Site, ran: Ran) -> str:
    """Return what a command left in files that others read, and what it printed."""
    files = [site.audit, site.state, site.flag]
    return ran.out + ran.err + "".join(one.read_text() for one in files if one.exists())


@pytest.mark.parametrize("trouble", ["none", "refused", "unreachable"])
def test_neither_the_reason_nor_the_person_gets_into_log_audit_or_alert(
    site: Site, member: int, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if trouble == "refused":
        at_status(site.club, refused(), site.club.user_of(member), DEACTIVATE)
    if trouble == "unreachable":
        site.club.unifi.faults.add(Reset(), times=None)
    ran = site.run("-v", "revoke", str(member), "--reason", REASON)
    after = site.run("-v", "run", "--once")
    site.club.unifi.faults.clear()
    text = said(site, ran) + said(site, after) + caplog.text
    for server in (site.club.civicrm_server, site.club.unifi_server):  # whose port may be any
        text = text.replace(server.url, "")
    assert [mark for mark in MARKS if mark in text] == []
    with SqliteJournal.open_read_only(site.journal, site.club.clock) as journal:
        [standing] = journal.cut_offs().standing()
    assert standing.reason == "Grudgewords: ask … for card … at once"
    assert "The reason was changed before it was kept" in ran.out
    assert "Grudgewords" in site.run("status").out, "where a person asks"
    shown = site.everything_written()
    assert b"zaphodine@marked.example" not in shown
    assert shown.count(b"Grudgewords") >= 1, "in the journal, else this would prove nothing"


def test_a_long_reason_is_cut_and_that_is_said(site: Site) -> None:
    ran = site.run("revoke", "7", "--reason", "x" * 300)
    assert "The reason was cut after 200 characters." in ran.out

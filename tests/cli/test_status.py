"""`status`: how the site stands, from its journal alone (§6, §8)."""

import json
from contextlib import closing

from door_sync.core.people import ContactId
from door_sync.journal.cutoffs import Reason
from door_sync.journal.sqlite import SqliteJournal
from door_sync.journal.store import Store
from door_sync.ports import StepRecord
from door_sync.simulators.faults import Answer
from tests.cli.conftest import Site


def status(site: Site) -> str:
    ran = site.run("status")
    assert ran.code == 0, ran.err
    return ran.out


def hold(site: Site) -> str:
    """Let four of five leave, which must be held; return the digest."""
    people = [site.club.join(number) for number in range(1101, 1106)]
    site.settle()
    site.configure(safety__small_site_max=3)
    for contact in people[:4]:
        site.club.lapse(contact)
    ran = site.run("run", "--once", "--json")
    assert ran.code == 1
    digest = json.loads(ran.out)["held"]["digest"]
    assert isinstance(digest, str)
    return digest


def test_before_the_first_cycle_it_names_the_first_step_and_makes_nothing(site: Site) -> None:
    assert "`door-sync run --once` runs the first one" in status(site)
    assert not site.journal.exists()


def test_it_asks_neither_system(site: Site) -> None:
    site.settle()
    status(site)
    assert site.club.unifi.journal.requests() == ()


def test_a_good_site_says_since_when(site: Site) -> None:
    site.settle()
    site.settle()
    first, *_ = site.cycles()
    text = status(site)
    assert text.startswith("Good: the controller has matched the membership list since ")
    content = json.loads(site.run("status", "--json").out)
    assert content["converged"] is True
    assert content["good_since"] == first.started.isoformat(timespec="seconds")
    assert content["holds"] == content["cut_off"] == content["alerts"] == []


def test_a_hold_is_shown_with_what_settles_it(site: Site) -> None:
    digest = hold(site)
    text = status(site)
    assert text.startswith("Held: ")
    assert "guard 'mass deactivation': 4 of 5 active people" in text
    assert f"`door-sync approve {digest}`" in text
    assert json.loads(site.run("status", "--json").out)["holds"][0]["approvable"] is True
    assert "1 plan, no other alert" in text


def test_an_approval_is_shown_until_it_has_done_its_work(site: Site) -> None:
    digest = hold(site)
    assert site.run("approve", digest, "--only", "revoke").code == 0
    assert f"plan {digest} (revoke only), good until" in status(site)
    site.settle()
    assert "good until" in status(site)
    site.settle()
    assert "good until" not in status(site)


def test_a_rejection_is_shown(site: Site) -> None:
    digest = hold(site)
    assert site.run("reject", digest).code == 0
    assert "Rejected by " in status(site)


def test_what_cannot_be_approved_is_said_to_be_so(site: Site) -> None:
    site.settle()
    site.configure(**{'tier_mapping.rules."Gold"__target_policy': "No such policy"})
    ran = site.run("run", "--once")
    assert ran.code == 1
    assert "`door-sync approve" not in ran.out
    text = status(site)
    assert "Approving cannot settle it" in text
    [held] = json.loads(site.run("status", "--json").out)["holds"]
    refused = site.run("approve", held["digest"])
    assert refused.code == 1
    assert "cannot be approved" in refused.err


def test_people_who_are_cut_off_are_shown(site: Site) -> None:
    site.settle()
    with SqliteJournal.open(site.journal, site.club.clock) as journal:
        journal.cut_offs().cut(ContactId(7), "ada", Reason.of("stole the drill"))
    text = status(site)
    assert "contact 7, by ada just now: stole the drill. `door-sync restore 7` ends that." in text


def test_a_dead_cycle_is_shown_with_the_step_it_died_in(site: Site) -> None:
    site.settle()
    with SqliteJournal.open(site.journal, site.club.clock) as journal:
        record = journal.begin(site.club.clock.now())
        record.intend(StepRecord(ContactId(5), "deactivate-user", "revoke", "why", "0" * 16))
        text = status(site)
        assert "has not ended: it is at deactivate-user for contact 5 (revoke), or its " in text
        content = json.loads(site.run("status", "--json").out)
        assert content["is_at"] == {"contact": 5, "step": "deactivate-user", "class": "revoke"}
        assert content["died_in"] is None
        journal.begin(site.club.clock.now()).end("applied", "", {})
        text = status(site)
    assert text.startswith("Good")
    with SqliteJournal.open(site.journal, site.club.clock) as journal:
        record = journal.begin(site.club.clock.now())
        record.intend(StepRecord(ContactId(5), "deactivate-user", "revoke", "why", "0" * 16))
        journal.begin(site.club.clock.now())
    text = status(site)
    assert "died, at deactivate-user for contact 5 (revoke)" in text


def test_a_cycle_that_stopped_says_why(site: Site) -> None:
    site.settle()
    site.club.civicrm.faults.add(Answer(503), times=None)
    try:
        assert site.run("run", "--once").code == 2
    finally:
        site.club.civicrm.faults.clear()
    text = status(site)
    assert text.startswith("Not good: ")
    assert "Last good cycle: " in text


def test_in_the_normal_case_it_has_ten_lines_at_most(site: Site) -> None:
    contact = site.club.join(1001)
    site.club.join(1002)
    site.settle()
    site.club.lapse(contact)
    site.settle()
    lines = status(site).splitlines()
    assert len(lines) <= 10
    assert all(lines)
    text = "\n".join(lines)
    assert "Next cycle: " in text
    assert "Waiting for a person: no plan, no alert. Cut off by hand: nobody." in text
    assert "Revocations: 1 in the last 90 days" in text
    assert "Not proven yet: none." in text
    assert "Keys and certificates: good when both sides were last read well" in text
    assert "Controller: pinned to the certificate " in text


def test_when_nobody_runs_cycles_it_says_how_to_look(site: Site) -> None:
    site.settle()
    with closing(Store.open(site.journal)) as store, store.writing() as connection:
        connection.execute("UPDATE cycles SET started = '2026-01-01T00:00:00.000000+00:00'")
    assert "nobody seems to run them" in status(site)
    assert "`systemctl status door-sync`" in status(site)
    content = json.loads(site.run("status", "--json").out)
    assert content["next_cycle"]["missed"] is True


def test_a_revocation_without_proof_is_shown_with_its_age(site: Site) -> None:
    hold(site)
    text = status(site)
    assert "Not proven yet: contacts " in text
    assert "held by a guard, the oldest known since" in text
    revocations = json.loads(site.run("status", "--json").out)["revocations"]
    assert len(revocations["unproven"]) == 4
    assert all(one["held"] for one in revocations["unproven"])
    assert json.loads(site.run("history", "--json").out)["revocations"] == revocations
    assert "held by a guard" in site.run("history").out


def test_its_json_says_when_both_sides_answered_and_what_is_pinned(site: Site) -> None:
    site.settle()
    content = json.loads(site.run("status", "--json").out)
    assert content["answered_at"] is not None
    assert content["pins"] == [site.club.unifi_server.fingerprint]
    assert content["next_cycle"]["due"] is not None

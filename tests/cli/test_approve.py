"""Approving and rejecting a held plan from the command line (§6)."""

import json
import re

from tests.cli.conftest import Site

MEMBERS = 12


def mass_lapse(site: Site) -> list[int]:
    """Fill the site, settle it, and let a third of the members lapse."""
    members = [site.club.join(number) for number in range(1, MEMBERS + 1)]
    site.settle()
    site.configure(safety__small_site_max=3)
    for contact in members[:4]:
        site.club.lapse(contact)
    return members[:4]


def waiting(site: Site) -> str:
    """Run a cycle that must be held; return the digest that it prints."""
    ran = site.run("run", "--once")
    assert ran.code == 1, ran.out
    found = re.search(r"`door-sync approve ([0-9a-f]{12})`", ran.out)
    assert found is not None, ran.out
    return found[1]


def test_what_was_approved_is_done_by_the_next_cycle(site: Site) -> None:
    leavers = mass_lapse(site)
    ran = site.run("approve", waiting(site))
    assert ran.code == 0
    assert "4 people lose access" in ran.out
    done = site.run("run", "--once")
    assert done.code == 0, done.out
    assert {site.club.status_of(contact) for contact in leavers} == {"DEACTIVATED"}


def test_a_part_may_be_approved(site: Site) -> None:
    first, *others = mass_lapse(site)
    ran = site.run("approve", waiting(site), "--only", "revoke", "--contact", str(first), "--json")
    assert json.loads(ran.out)["approved"] == [{"contact": first, "class": "revoke"}]
    assert len(json.loads(ran.out)["still_held"]) == len(others)
    done = site.run("run", "--once")
    assert done.code in (0, 1)
    assert site.club.status_of(first) == "DEACTIVATED"


def test_an_unknown_digest_is_refused_and_nothing_happens(site: Site) -> None:
    leavers = mass_lapse(site)
    digest = waiting(site)
    ran = site.run("approve", "0" * 12)
    assert ran.code == 64
    assert digest in ran.err
    assert site.run("run", "--once").code == 1
    assert {site.club.status_of(contact) for contact in leavers} == {"ACTIVE"}


def test_what_was_rejected_stays_held(site: Site) -> None:
    leavers = mass_lapse(site)
    digest = waiting(site)
    assert site.run("approve", digest).code == 0
    ran = site.run("reject", digest)
    assert ran.code == 0
    assert "taken back" in ran.out
    assert site.run("run", "--once").code == 1
    assert {site.club.status_of(contact) for contact in leavers} == {"ACTIVE"}


def test_without_a_journal_there_is_nothing_to_approve(site: Site) -> None:
    ran = site.run("approve", "0" * 12)
    assert ran.code == 2
    assert "nothing waits" in ran.err
    assert not site.journal.exists()

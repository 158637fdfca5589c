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


def test_who_is_left_out_stays_held_although_too_few_are_left_for_a_guard(site: Site) -> None:
    """Two of twelve are no crowd, but a person said who may go."""
    one, two, *others = mass_lapse(site)
    digest = waiting(site)
    words = ("--contact", str(one), "--contact", str(two))
    assert site.run("approve", digest, *words).code == 0
    assert site.run("run", "--once").code == 1
    ran = site.run("run", "--once")
    assert ran.code == 1
    assert f"contacts {others[0]}, {others[1]}" in ran.out
    assert "Guard 'refused by a person'" in ran.out
    assert {site.club.status_of(contact) for contact in (one, two)} == {"DEACTIVATED"}
    assert {site.club.status_of(contact) for contact in others} == {"ACTIVE"}
    assert site.run("approve", waiting(site)).code == 0
    assert site.run("run", "--once").code == 0
    assert {site.club.status_of(contact) for contact in others} == {"DEACTIVATED"}


def test_what_was_rejected_stays_held_when_less_of_it_is_left(site: Site) -> None:
    first, second, *others = mass_lapse(site)
    assert site.run("reject", waiting(site)).code == 0
    for contact in others:
        site.club.rejoin(contact)
    assert site.run("run", "--once").code == 1
    assert {site.club.status_of(contact) for contact in (first, second)} == {"ACTIVE"}
    for contact in (first, second):
        site.club.rejoin(contact)
    assert site.run("run", "--once").code == 0
    site.club.lapse(first)
    assert site.run("run", "--once").code == 0, "the refusal ended when the data was mended"
    assert site.club.status_of(first) == "DEACTIVATED"


def test_what_was_rejected_may_be_approved_after_all(site: Site) -> None:
    leavers = mass_lapse(site)
    digest = waiting(site)
    assert site.run("reject", digest).code == 0
    assert site.run("approve", digest).code == 0
    assert site.run("run", "--once").code == 0
    assert {site.club.status_of(contact) for contact in leavers} == {"DEACTIVATED"}

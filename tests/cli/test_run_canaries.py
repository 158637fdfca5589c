"""`civicrm.canary_contact` and `unifi.canary_user`: from the settings to the operator."""

import pytest

from tests.cli.conftest import Site

UNCHANGED = "Everybody keeps the access they have: people who left can still open doors."


@pytest.fixture
def contact(site: Site) -> int:
    """A contact for this alone, at a site in step, where somebody has just left."""
    contact = site.club.civicrm.world.add_contact("Nobody", "Real", card=60000)
    site.club.join(1101)
    leaver = site.club.join(1102)
    site.configure(civicrm__canary_contact=contact, unifi__canary_user=site.club.owner)
    site.settle()
    site.club.lapse(leaver)
    site.club.civicrm.world.clear_card(contact)
    return contact


def test_a_missing_contact_stops_a_cycle_and_the_text_settles_it(site: Site, contact: int) -> None:
    ran = site.run("run", "--once")
    assert ran.code == 2
    assert ran.out.startswith(f"Stopped: nothing was written. {UNCHANGED}\nWhy: ")
    assert f"lacks contact {contact}, which civicrm.canary_contact says is always in" in ran.out
    assert f"What to do: If contact {contact} was deleted or merged in CiviCRM" in ran.out
    assert site.club.writes() == 0
    assert site.club.opens(1102)
    assert site.audit_line()["exception"]["class"] == "SourceDistrusted"
    assert "civicrm.canary_contact" in site.flag.read_text()
    another = site.club.civicrm.world.add_contact("Nobody", "Else", card=60001)
    site.configure(civicrm__canary_contact=another)
    assert site.run("run", "--once").code == 0
    assert not site.club.opens(1102)
    assert not site.flag.exists()


@pytest.mark.parametrize("words", [["plan"], ["run", "--once", "--dry-run"]], ids=" ".join)
def test_what_only_looks_doubts_the_same(site: Site, contact: int, words: list[str]) -> None:
    ran = site.run(*words)
    assert ran.code == 2
    assert f"lacks contact {contact}, which civicrm.canary_contact says" in ran.out
    assert site.club.writes() == 0


def test_a_missing_user_stops_a_cycle(site: Site, contact: int) -> None:
    wrong = "00000000-0000-0000-0000-000000000000"
    site.configure(unifi__canary_user=wrong)
    ran = site.run("run", "--once")
    assert ran.code == 2
    assert f"lacks user {wrong}, who unifi.canary_user says is always in it" in ran.out
    assert "set unifi.canary_user to another one" in ran.out
    assert site.club.writes() == 0
    assert site.audit_line()["exception"]["class"] == "ControllerDistrusted"

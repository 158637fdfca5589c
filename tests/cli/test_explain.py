"""`explain`: one person's chain of reasons, from both sides and the journal (§8, P7)."""

import json
import re
from typing import Any

import pytest

from door_sync.core.telling import Told
from door_sync.simulators.faults import html_error
from door_sync.simulators.unifi.doors import Verdict
from tests.cli.conftest import Site
from tests.club import FACILITY, Club


def text(site: Site, contact: int, code: int = 0) -> str:
    ran = site.run("explain", str(contact))
    assert ran.code == code, ran.out + ran.err
    assert "Traceback" not in ran.err
    return ran.out


def content(site: Site, contact: int) -> dict[str, Any]:
    ran = site.run("explain", str(contact), "--json")
    assert ran.code == 0, ran.err
    assert ran.out.isascii()
    found: dict[str, Any] = json.loads(ran.out)
    return found


def sections(told: str) -> dict[str, str]:
    """Return what stands below each title; the first lines under ""."""
    found, title = {"": ""}, ""
    for line in told.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            title = line[:-1]
            found[title] = ""
        else:
            found[title] += f"{line}\n"
    return found


def test_before_the_first_cycle_it_tells_what_that_will_do_and_makes_nothing(site: Site) -> None:
    contact = site.club.join(1001, first="Zora")
    told = sections(text(site, contact))
    assert told[""].startswith(f"Contact {contact} (Zora Ber) should have access: tier Gold.\n")
    assert "the next cycle works on it" in told[""]
    assert "4. give the new user the policy 'Gold hours'" in told["The next cycle"]
    assert "On record" not in told
    assert told["What the member could be told"].strip() == Told.SOON.value
    assert not site.journal.exists()
    assert site.club.writes() == 0


def test_a_member_who_is_in_is_told_so_with_the_last_changes_and_their_proof(site: Site) -> None:
    contact = site.club.join(1001)
    site.settle()
    told = sections(text(site, contact))
    assert "The controller has it so" in told[""]
    assert "It decides: the highest rank" in told["Memberships"]
    assert f"bound to this contact's own user {site.club.user_of(contact)[:8]}" in told["Card"]
    assert "ACTIVE; policy 'Gold hours'; card #" in told["In the controller"]
    assert "all is as it should be" in told["The next cycle"]
    assert "set the access policies (set-policies): done and read back" in told["On record"]
    assert site.club.opens(1001)
    assert told["What the member could be told"].strip() == Told.WORKS.value


def test_a_leaver_sees_the_lapsed_membership_and_the_steps_to_come(site: Site) -> None:
    contact = site.club.join(1001)
    site.club.join(1002)
    site.settle()
    site.club.lapse(contact)
    told = sections(text(site, contact))
    assert "should have no access: no active membership." in told[""]
    assert "The controller still has an open user; the next cycle closes it." in told[""]
    assert "Its status is not among civicrm.active_statuses." in told["Memberships"]
    assert "deactivate user" in told["The next cycle"]
    site.club.forget()
    site.settle()
    assert "no user that could open a door" in text(site, contact)


def test_a_hold_is_named_with_its_guard_and_its_plan(site: Site) -> None:
    people = [site.club.join(number) for number in range(1101, 1106)]
    site.settle()
    site.configure(safety__small_site_max=3)
    for contact in people[:4]:
        site.club.lapse(contact)
    held = site.run("run", "--once", "--json")
    digest = json.loads(held.out)["held"]["digest"]
    told = sections(text(site, people[0]))
    assert "and the next cycle does not close it" in told[""]
    assert "Held by guard 'mass deactivation': revoke" in told["The next cycle"]
    assert f"plan {digest}" in told["The next cycle"]
    whole = sections(text(site, people[4]))
    assert "holds the whole cycle, so nothing is written for anybody" in whole["The next cycle"]
    assert content(site, people[0])["held"][0]["plan"] == digest
    assert site.run("approve", digest).code == 0
    assert "A person approved it, over guard 'mass deactivation'" in text(site, people[0])


def test_a_cut_off_says_who_and_why_and_what_ends_it(site: Site) -> None:
    contact = site.club.join(1001)
    site.settle()
    assert site.run("revoke", str(contact), "--reason", "lost the card").code == 0
    told = sections(text(site, contact))
    assert ": lost the card. That outweighs every membership until" in told["What they give"]
    assert f"`door-sync restore {contact}`" in told["What they give"]
    assert told["What the member could be told"].strip() == Told.BLOCKED.value
    assert content(site, contact)["cut_off"]["reason"] == "lost the card"


def test_a_blocked_card_says_who_holds_it(site: Site) -> None:
    holder = site.club.join(1001, first="Hilda")
    site.settle()
    site.club.unifi.switch(nfc_id_in_card_list=True)
    site.club.add_card(1500, holder=site.club.user_of(holder), alias=False)
    contact = site.club.join(1500)
    told = sections(text(site, contact))
    assert f"held by contact {holder} (Hilda Ber), ACTIVE" in told["Card"]
    assert "is blocked; an active user holds it" in told["Card"]
    assert content(site, contact)["card"]["holders"][0]["contact"] == holder


def test_a_number_of_two_members_names_the_other(site: Site) -> None:
    one, other = site.club.join(1001), site.club.join(1001, first="Otto")
    told = sections(text(site, one))
    assert f"The same number stands at contact {other} (Otto Ber)" in told["Card"]
    assert content(site, one)["card"]["shared_with"] == [other]
    site.settle()
    assert "nobody knows which is right" in text(site, one)


def test_what_is_wrong_with_a_card_field_stands_there(site: Site) -> None:
    bad, empty = site.club.join("12x"), site.club.join(None)
    site.club.join(1001)
    assert "The card field does not hold decimal digits. Mend it in CiviCRM." in text(site, bad)
    assert "The card field in CiviCRM is empty." in text(site, empty)
    assert content(site, bad)["card"]["problem"].startswith("the card field does not")


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        ("Supporter", "gives no access"),
        ("Day pass", "has a day pass"),
        ("Mystery", "nobody knows what they should have"),
    ],
)
def test_every_kind_of_rule_has_its_words(site: Site, tier: str, words: str) -> None:
    site.club.join(1001)
    contact = site.club.join(1002, tier)
    assert words in text(site, contact)
    kinds = {"Supporter": "deny", "Day pass": "skip", "Mystery": "unknown"}
    assert content(site, contact)["entitlement"]["kind"] == kinds[tier]


def test_the_trash_and_the_dead_are_named(site: Site) -> None:
    site.club.join(1001)
    one, two = site.club.join(1002), site.club.join(1003)
    site.settle()
    site.club.civicrm.world.trash(one)
    site.club.civicrm.world.contacts[two].is_deceased = True
    assert "The contact is in CiviCRM's trash." in text(site, one)
    assert "The contact is marked as deceased." in text(site, two)


def test_a_contact_that_nobody_knows_is_said_to_be_so(site: Site) -> None:
    site.club.join(1001)
    told = text(site, 4711)
    assert told.startswith("Contact 4711: neither CiviCRM nor the controller knows this contact.\n")
    assert "A membership has an id of its own" in told
    assert content(site, 4711)["known"] == "not_returned"


def test_a_user_whose_contact_is_gone_is_shown(site: Site) -> None:
    site.club.join(1001)
    site.club.add_user("4711", cards=[1500], policies=[site.club.gold])
    first = text(site, 4711)
    assert "nobody knows what they should have" in first
    assert "CiviCRM did not return this contact: deleted for good" in first
    site.settle()
    site.settle()
    told = text(site, 4711)
    assert "CiviCRM does not return this contact; the controller has it still." in told
    assert "DEACTIVATED" in told


def test_two_users_of_one_contact_are_told_apart(site: Site) -> None:
    contact = site.club.join(1001)
    site.settle()
    site.club.add_user(str(contact), policies=[site.club.silver], status="DEACTIVATED")
    told = sections(text(site, contact))["In the controller"]
    assert "the one that door-sync writes to" in told
    assert "settle it in the controller's console" in told


def test_an_invited_administrator_and_a_user_without_status_are_explained(site: Site) -> None:
    one, two = site.club.join(1001), site.club.join(1002)
    site.club.add_user(str(one), status="PENDING")
    extra = site.club.unifi.world.add_policy("Party").id
    policies = [site.club.gold, extra]
    site.club.add_user(str(two), cards=[1002], policies=policies, missing=["status"])
    assert "invited administrator who has not accepted" in text(site, one)
    assert "no status shown; policy 'Gold hours' (and otherwise 'Party')" in text(site, two)


# What cannot be read.


def test_with_a_side_down_it_says_so_and_ends_with_2(site: Site) -> None:
    contact = site.club.join(1001)
    site.settle()
    site.club.unifi.faults.add(html_error(502), times=None)
    told = text(site, contact, 2)
    assert told.startswith(f"Contact {contact} cannot be explained now")
    assert "Gained access (grant)" in told
    site.club.unifi.faults.clear()
    site.club.civicrm.faults.add(html_error(502), times=None)
    assert "Why: " in text(site, contact, 2)


def test_a_contact_that_cannot_be_asked_for_ends_with_2_too(site: Site) -> None:
    contact = site.club.join(1001)
    site.settle()
    fault = html_error(502)
    site.club.civicrm.faults.add(fault, where=lambda r: b"start_date" in r.body, times=None)
    assert "cannot be explained now" in text(site, contact, 2)
    ran = site.run("explain", str(contact), "--json")
    assert json.loads(ran.out)["error"]["class"] == "SourceUnreachable"


def test_a_word_that_is_no_contact_id_is_wrong_use(site: Site) -> None:
    assert site.run("explain", "042").code == 64


# Taps.


def tap(club: Club, number: int, door: str) -> Verdict:
    return club.unifi.world.tap(FACILITY, number, door)


def test_taps_and_refusals_are_shown_with_their_doors(site: Site) -> None:
    contact = site.club.join(1001, "Silver")
    site.settle()
    tap(site.club, 1001, site.club.front)
    tap(site.club, 1001, site.club.workshop)
    told = sections(text(site, contact))["At the doors"]
    assert "Front opened" in told
    assert "Workshop stayed shut" in told
    entries = content(site, contact)["taps"]["entries"]
    assert sorted(one["opened"] for one in entries) == [False, True]


def test_a_card_that_the_controller_does_not_know_is_found_at_the_door(site: Site) -> None:
    contact = site.club.join(1001)
    tap(site.club, 1001, site.club.front)
    assert "stayed shut, for a card with this number that is nobody's" in text(site, contact)


def test_many_taps_are_counted_not_listed(site: Site) -> None:
    contact = site.club.join(1001)
    site.settle()
    for _ in range(13):
        site.club.unifi.world.tap(FACILITY, 1001, site.club.front, site.club.unifi.world.clock())
    told = sections(text(site, contact))["At the doors"]
    assert told.count("Front opened") <= 10


def test_without_the_right_one_line_says_so_and_nothing_else_suffers(site: Site) -> None:
    contact = site.club.join(1001)
    site.settle()
    families = ("user", "credential", "visitor", "policy")
    scopes = [f"{right}:{family}" for right in ("view", "edit") for family in families]
    site.club.unifi.world.add_token("without-log", scopes=scopes)
    site.keys(unifi="without-log")
    told = sections(text(site, contact))
    assert told["At the doors"].count("\n") == 2
    assert "lacks the right System Log: View" in told["At the doors"]
    assert "The controller has it so" in told[""]
    assert content(site, contact)["taps"] is None


def test_a_log_that_cannot_be_read_costs_its_own_section_alone(site: Site) -> None:
    contact = site.club.join(1001)
    site.settle()
    site.club.unifi.faults.add(html_error(502), path="/system/logs", times=None)
    told = sections(text(site, contact))
    assert "The controller's log could not be read" in told["At the doors"]
    assert "The controller has it so" in told[""]
    assert content(site, contact)["taps_error"]


# Promises.


def test_it_writes_nothing_anywhere(site: Site) -> None:
    site.club.join(1001)
    site.settle()
    contact = site.club.join(1002)
    before = site.everything_written()
    text(site, contact)
    content(site, contact)
    assert site.club.writes() == 0
    assert site.everything_written() == before


def test_names_stand_in_it_and_card_numbers_never(site: Site) -> None:
    contact = site.club.join(41234, first="Zora", email="zora@example.org")
    site.settle()
    tap(site.club, 41234, site.club.front)
    for words in (("explain", str(contact)), ("explain", str(contact), "--json")):
        ran = site.run(*words)
        assert "Zora" in ran.out
        assert "zora@" not in ran.out + ran.err
        # Not as a part of a time or an id, where any digits may stand.
        number = r"(?<![0-9a-f])(41234|0?2aa112)(?![0-9a-f])"
        assert not re.search(number, f"{ran.out}{ran.err}".lower())


SITUATIONS = ("well", "lapsed", "cut", "blocked", "bad", "double", "new", "moved", "hand", "pass")


def test_nobody_is_told_that_a_card_works_which_the_door_refuses(site: Site) -> None:
    """The door itself is asked, for everybody of a club in which everything happens."""
    club = site.club
    people = {name: club.join(1001 + number) for number, name in enumerate(SITUATIONS)}
    site.settle()
    club.lapse(people["lapsed"])
    assert site.run("revoke", str(people["cut"])).code == 0
    group, field = club.civicrm.world.custom_field("Door_Access.card_id")
    assert group is not None
    cards = {contact: 1001 + number for number, contact in enumerate(people.values())}
    for name, number in (("blocked", 1900), ("bad", "x"), ("double", 1001), ("moved", 1950)):
        club.civicrm.world.contacts[people[name]].custom[field.id] = number
        cards[people[name]] = number if isinstance(number, int) else 0
    club.add_card(1900, holder=club.owner, alias=False)
    club.unifi.world.set_status(club.user_of(people["hand"]), "DEACTIVATED")
    club.retier(people["pass"], "Day pass")
    people["late"] = club.join(1020)
    cards[people["late"]] = 1020
    for _ in range(2):
        for contact in people.values():
            told = content(site, contact)["told"]["kind"]
            if told == "works":
                assert club.opens(cards[contact]), contact
            if contact == people["new"]:
                assert told == "works"
        site.run("run", "--once")

"""What people read after a cycle, in the cases that a whole site does not come to by itself."""

import json

import pytest

from door_sync.simulators.faults import json_answer
from tests.cli.conftest import Site

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e"


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_escape_sequences_in_names_do_not_reach_the_terminal(site: Site, form: str) -> None:
    """From CiviCRM and from the controller, names of people and of policies alike."""
    club = site.club
    club.join(1101, first=f"Anna{ESCAPES}")
    leaver = club.join(1102)
    site.settle()
    club.unifi.world.edit_user(club.user_of(leaver), first_name=f"Lena{ESCAPES}")
    del club.civicrm.world.contacts[leaver]
    site.run("run", "--once")  # the second reading that misses somebody believes it
    policy = club.unifi.world.add_policy(f"Bronze{ESCAPES}", [club.front])
    site.config.write_text(site.config.read_text().replace("Gold hours", policy.id))
    ran = site.run("plan", "--format", form)
    assert "Anna" in ran.out
    assert "Bronze" in ran.out
    assert [c for c in ran.out if not c.isprintable() and c != "\n"] == []
    assert "Lena" in ran.out
    if form == "json":
        for step in json.loads(ran.out)["steps"]:
            assert f"{step['name']}{step['text']}".isprintable()


def test_a_leaver_who_is_in_the_controller_alone_is_shown_by_the_name_there(site: Site) -> None:
    site.club.join(1100)
    contact = site.club.join(1101)
    site.settle()
    site.club.unifi.world.edit_user(site.club.user_of(contact), first_name="Lena", last_name="Old")
    crm = site.club.civicrm.world
    del crm.contacts[contact]
    ran = site.run("plan")
    assert f"contact {contact} (Lena Old)" in ran.out


def test_a_policy_whose_name_may_not_be_read_is_shown_by_its_id(site: Site) -> None:
    site.club.join(1101)
    text = site.config.read_text()
    site.config.write_text(
        text.replace("Gold hours", site.club.gold).replace("Silver hours", site.club.silver)
    )
    refused = json_answer({"code": "CODE_UNAUTHORIZED", "msg": "No.", "data": None})
    site.club.unifi.faults.add(refused, path="/access_policies", times=None)
    try:
        ran = site.run("plan")
    finally:
        site.club.unifi.faults.clear()
    assert f"give the new user the policy {site.club.gold} " in ran.out
    assert "the controller's key may not read access policies" in ran.out


def test_an_error_whose_message_says_it_all_has_no_line_about_what_to_do(site: Site) -> None:
    odd = json_answer({"code": "CODE_SYSTEM_ERROR", "msg": "No.", "data": None})
    site.club.unifi.faults.add(odd, path="/users", times=None)
    try:
        ran = site.run("run", "--once")
    finally:
        site.club.unifi.faults.clear()
    assert ran.code == 2
    assert ran.out.splitlines()[1:] == [
        "Why: The list of users: the controller answered CODE_SYSTEM_ERROR to a plain read."
    ]
    assert "What settles it: The next cycle tries again." in site.flag.read_text()


def test_a_card_that_waits_for_a_held_plan_names_that_plan(site: Site) -> None:
    """Somebody's card becomes free only when a person lets a held class of changes through."""
    club = site.club
    others = [club.join(1100 + n) for n in range(4)]
    keeper = club.join(1110)
    site.settle()
    club.civicrm.world.set_card(keeper, "1111")
    joined = club.join(1110)
    site.configure(safety__small_site_max=0, safety__mass_card_pct=0.0, safety__mass_add_pct=1.0)
    ran = site.run("run", "--once")
    assert ran.code == 1
    [digest] = [
        line.removeprefix("Waiting for a person, plan ").removesuffix(":")
        for line in ran.out.splitlines()
        if line.startswith("Waiting for a person")
    ]
    assert f"It waits for the held plan {digest}, in which the card becomes free" in ran.out
    assert f"contact {keeper} changes card: another card number" in ran.out
    assert f"contact {joined} gained access" in ran.out
    assert not [other for other in others if f"contact {other} " in ran.out]


def test_a_card_enrolled_by_hand_has_no_tag(site: Site) -> None:
    club = site.club
    club.join(1100)
    leaver = club.join(1101)
    site.settle()
    club.add_card(1102, holder=club.user_of(leaver), alias=False)
    club.lapse(leaver)
    ran = site.run("plan")
    assert "(Mem Ber): take a card enrolled by hand off user " in ran.out
    assert "(Mem Ber): take card #" in ran.out


def test_somebody_who_is_let_in_without_a_card_is_not_said_to_get_in(site: Site) -> None:
    site.club.join(1100)
    site.settle()
    site.club.unifi.world.bind(site.club.add_card(1101), site.club.owner)
    contact = site.club.join(1101)
    ran = site.run("run", "--once")
    assert f"contact {contact} gained access, but has no working card yet: joined" in ran.out

"""`cards`: what stands where, with names, and a tag for each card."""

import json
import re
from typing import Any

from door_sync.cli.cards import MEANS
from door_sync.core.card_list import CardState
from tests.cli.conftest import Site
from tests.club import Club


def rows(site: Site, *words: str) -> list[dict[str, Any]]:
    """What `cards --json` says."""
    ran = site.run("cards", "--json", *words)
    assert ran.code == 0, ran.out
    found: list[dict[str, Any]] = json.loads(ran.out)["cards"]
    return found


def furnish(club: Club) -> None:
    """Put cards everywhere that a card can be."""
    world = club.unifi.world
    club.join(1001, first="Ann")
    hand, free, old, past = (club.add_card(n, alias=False) for n in (2001, 2002, 2003, 2004))
    del free
    world.bind(hand, world.add_user("Una", "Managed").id)
    world.bind(old, world.add_user("Dea", "Gone", status="DEACTIVATED").id)
    world.add_visitor("Vic", "Past", 0, 4_000_000_000, card_token=past, cancelled=True)
    world.add_visitor("Val", "Here", 0, 4_000_000_000, card_token=club.add_card(2005, alias=False))


def test_each_card_is_under_its_state_with_names_and_never_with_its_number(
    site: Site, club: Club
) -> None:
    furnish(club)
    club.forget()
    ran = site.run("cards")
    assert ran.code == 0
    assert club.writes() == 0
    assert ran.out.startswith(
        "6 cards: 1 stuck, 1 ended-visit, 1 visitor, 1 unmanaged, 1 coming, 1 free.\n"
    )
    assert "On users that door-sync does not manage (unmanaged):" in ran.out
    assert "a card without a known number, on Una Managed (user " in ran.out
    assert "`door-sync adopt` takes it over with your yes" in ran.out
    assert re.search(r"  - card #[0-9a-f]{6}, wanted by contact \d+ \(Ann Ber\)\n", ran.out)
    for number in ("1001", "2001", "2002", "2003", "2004", "2005"):
        assert number not in ran.out


def test_after_a_cycle_the_members_card_is_in_use(site: Site, club: Club) -> None:
    furnish(club)
    site.settle()
    [row] = rows(site, "--state", "in-use")
    assert row["settles"] == "Nothing to do."
    assert row["wanted_by"][0]["name"] == "Ann Ber"
    assert row["is_in_controller"]


def test_only_the_states_asked_for_are_listed(site: Site, club: Club) -> None:
    furnish(club)
    states = {row["state"] for row in rows(site, "--state", "free", "--state", "stuck")}
    assert states == {"free", "stuck"}
    assert site.run("cards", "--state", "lost").code == 64


def test_a_blocked_card_says_who_has_it_and_what_settles_it(site: Site, club: Club) -> None:
    ann = club.join(1001, first="Ann")
    club.add_card(1001, holder=club.add_user("n/a"))
    ran = site.run("cards", "--state", "blocked")
    assert f"contact {ann} (Ann Ber): card #" in ran.out
    assert "an active user holds it" in ran.out
    assert "Ask the holder to return it" in ran.out
    [row] = rows(site, "--state", "blocked")
    assert row["reason"] == "an active user holds it"


def test_a_card_that_waits_for_a_held_plan_names_the_command_that_lets_it_pass(
    site: Site, club: Club
) -> None:
    """Many change cards at once, which is held; a new member waits for one of the old cards."""
    members = [club.join(1001 + n) for n in range(6)]
    site.settle()
    site.configure(safety__small_site_max=1)
    for number, member in enumerate(members):
        club.civicrm.world.set_card(member, str(2001 + number))
    club.join(1001)
    ran = site.run("cards", "--state", "blocked")
    digest = re.search(r"held plan ([0-9a-f]{12})", ran.out)
    assert digest is not None, ran.out
    assert f"`door-sync approve {digest[1]}` lets that pass." in ran.out
    assert "A plan is held, so not all of what the next cycle should do will be done" in ran.out


def test_a_side_that_cannot_be_read_is_told_and_ends_with_two(site: Site) -> None:
    site.keys(civicrm="wrong")
    ran = site.run("cards")
    assert (ran.code, "CIVICRM_API_KEY" in ran.out) == (2, True)
    ran = site.run("cards", "--json")
    assert ran.code == 2
    assert json.loads(ran.out)["cards"] is None


def test_every_state_has_its_heading() -> None:
    assert [*MEANS] == [*CardState]

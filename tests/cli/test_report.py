"""`report access`: on a terminal, in a spreadsheet, and on a page to print and sign."""

import csv
import io
import json
import stat
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Site
from tests.club import Club

HOSTILE = '<script>alert("x")</script>&amp;'


def visit(club: Club, first: str, last: str = "Able") -> None:
    """Let a visitor with a card be in the house."""
    token = club.add_card(3001, alias=False)
    club.unifi.world.add_visitor(
        first, last, 0, 4_000_000_000, door_ids=[club.front], card_token=token
    )


def furnish(site: Site, club: Club) -> int:
    """Let a member, a user made by hand and a visitor have access; return the contact."""
    ann = club.join(1001, first="Ann")
    site.settle()
    by_hand = club.unifi.world.add_user("Una", "Known", policy_ids=[club.silver])
    club.add_card(2001, holder=by_hand.id, alias=False)
    visit(club, "Vic")
    club.forget()
    return ann


def test_everybody_who_can_open_something_is_told_and_nothing_is_written(
    site: Site, club: Club
) -> None:
    ann = furnish(site, club)
    ran = site.run("report", "access")
    assert ran.code == 0
    assert club.writes() == 0
    assert ran.out.startswith(
        "3 people can open something: 1 member, 1 user that door-sync does not manage, 1 visitor; "
        "1 more user can open nothing.\n"
    )
    assert f"  - Ann Ber (contact {ann}, Gold): Front, Workshop\n      1 card; Gold hours\n" in (
        ran.out
    )
    assert "  - Una Known (ACTIVE): Front\n      1 card; Silver hours\n" in ran.out
    assert "  - Vic Able (ACTIVE): Front\n      1 card; no policy\n" in ran.out
    assert "      3  Front\n      1  Workshop\n" in ran.out


@pytest.mark.parametrize("ending", ["csv", "html", "json", "txt"])
def test_the_file_is_for_its_owner_alone_and_its_name_tells_the_form(
    site: Site, club: Club, ending: str
) -> None:
    furnish(site, club)
    file = site.directory / f"access.{ending}"
    file.write_text("old")
    file.chmod(0o644)
    ran = site.run("report", "access", "--out", str(file))
    assert ran.code == 0
    assert "for your eyes alone" in ran.out
    assert "Una" not in ran.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    begins = {"csv": '"kind"', "html": "<!DOCTYPE html>", "json": "{", "txt": "3 people"}
    assert file.read_text().startswith(begins[ending])
    printed = site.run("report", "access", "--format", "text" if ending == "txt" else ending).out
    assert len(printed.splitlines()) == len(file.read_text().splitlines())


def table(site: Site) -> list[dict[str, str]]:
    """The CSV as a spreadsheet reads it."""
    return [*csv.DictReader(io.StringIO(site.run("report", "access", "--format", "csv").out))]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1", " =1", '="x"', "=1,2\n3"]
)
def test_no_name_is_a_formula_in_a_spreadsheet(site: Site, club: Club, name: str) -> None:
    club.unifi.world.edit_user(club.owner, first_name=name, policy_ids=(club.gold,))
    club.add_card(2001, holder=club.owner, alias=False)
    [row] = table(site)
    assert row["name"].startswith("'")
    assert "\n" not in row["name"]


def test_a_plain_name_is_left_as_it_is(site: Site, club: Club) -> None:
    ann = furnish(site, club)
    rows = {row["name"]: row for row in table(site)}
    assert rows["Ann Ber"]["contact"] == str(ann)
    assert rows["Ann Ber"]["doors"] == "Front, Workshop"
    assert rows["Vic Able"]["kind"] == "visitor"


class Page(HTMLParser):
    """What a browser makes of the page: its tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(site: Site) -> Page:
    """The page as it is printed."""
    ran = site.run("report", "access", "--format", "html")
    assert ran.code == 0
    return Page(ran.out)


def test_the_page_loads_nothing_and_has_a_place_to_sign(site: Site, club: Club) -> None:
    ann = furnish(site, club)
    made = page(site)
    names = {tag for tag, _ in made.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "svg"}
    attributes = {key for _, found in made.tags for key in found}
    assert attributes <= {"lang", "charset", "http-equiv", "content", "class"}
    assert "url(" not in "".join(made.text)
    assert "@import" not in "".join(made.text)
    for text in ("Ann Ber", str(ann), "Una Known", "Vic Able", "Workshop", "Signature"):
        assert text in made.text
    assert any(text.startswith("3 people can open something") for text in made.text)
    assert any("The doors of 127.0.0.1, as the controller" in text for text in made.text)


def test_a_hostile_name_is_text_on_the_page_and_nothing_else(site: Site, club: Club) -> None:
    """Of a user, a visitor, a policy and a door."""
    world = club.unifi.world
    door = world.add_door(f"{HOSTILE}door")
    policy = world.add_policy(f"{HOSTILE}policy", [door.id])
    made = world.add_user(HOSTILE, '"><b onmouseover=x>', policy_ids=[policy.id])
    club.add_card(2001, holder=made.id, alias=False)
    plain = page(site)
    visit(club, HOSTILE, "'><img src=x>")
    found = page(site)
    assert {tag for tag, _ in found.tags} == {tag for tag, _ in plain.tags}
    assert "script" not in {tag for tag, _ in found.tags}
    assert "b" not in {tag for tag, _ in found.tags}
    for text in (f'{HOSTILE} "><b onmouseover=x>', f"{HOSTILE} '><img src=x>"):
        assert text in "".join(found.text)
    assert f"{HOSTILE}door" in found.text


def test_the_json_has_everybody_for_scripts(site: Site, club: Club) -> None:
    ann = furnish(site, club)
    found: dict[str, Any] = json.loads(site.run("report", "access", "--format", "json").out)
    assert [one["kind"] for one in found["people"]] == ["member", "user", "visitor"]
    assert found["people"][0]["contact"] == ann
    assert found["doors"] == {"Front": 3, "Workshop": 1}
    assert found["missing"] == []


def test_without_civicrm_the_page_says_what_is_missing_and_it_ends_with_two(
    site: Site, club: Club
) -> None:
    furnish(site, club)
    site.keys(civicrm="wrong")
    file = site.directory / "page.html"
    ran = site.run("report", "access", "--out", str(file))
    assert ran.code == 2
    text = "".join(Page(file.read_text()).text)
    assert "What CiviCRM says is missing" in text
    assert "Una Known" in text


def test_without_the_controller_there_is_no_report(site: Site, tmp_path: Path) -> None:
    site.configure(unifi__host="https://127.0.0.1:1")
    file = tmp_path / "page.html"
    ran = site.run("report", "access", "--out", str(file))
    assert ran.code == 2
    assert not file.exists()


def test_no_card_number_or_token_is_in_any_form(site: Site, club: Club) -> None:
    furnish(site, club)
    tokens = [card.token for card in club.unifi.world.cards]
    for form in ("text", "csv", "html", "json"):
        out = site.run("report", "access", "--format", form).out
        assert not any(number in out for number in ("1001", "2001", "3001"))
        assert not any(token in out for token in tokens)

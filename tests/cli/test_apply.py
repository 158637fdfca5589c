"""`plan --out plan.json`, then `apply plan.json`: exactly that plan, or nothing (§6)."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Site


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


def plan(site: Site, file: Path) -> None:
    ran = site.run("plan", "--out", str(file))
    assert ran.code == 0, ran.err
    assert f"`door-sync apply {file}`" in ran.out
    site.club.forget()


def test_a_plan_is_carried_out_as_it_was_looked_at(site: Site, file: Path) -> None:
    site.settle()
    contact = site.club.join(1101)
    plan(site, file)
    ran = site.run("apply", str(file))
    assert ran.code == 0, ran.err
    assert f"contact {contact} gained access" in ran.out
    assert site.club.opens(1101)


def test_the_first_plan_of_a_site_can_be_applied_too(site: Site, file: Path) -> None:
    """There is no journal yet, so the plan's digests have a key of their own."""
    site.club.join(1101)
    plan(site, file)
    assert not site.journal.exists()
    assert site.run("apply", str(file)).code == 0
    assert site.club.opens(1101)


def test_the_sites_own_key_is_never_written_into_a_plan(site: Site, file: Path) -> None:
    site.settle()
    site.club.join(1101)
    plan(site, file)
    assert json.loads(file.read_text())["apply"]["key"] is None


def test_what_came_went_or_differs_is_named_and_nothing_happens(site: Site, file: Path) -> None:
    leaver, mover, stayer = site.club.join(1101), site.club.join(1102), site.club.join(1103)
    site.settle()
    site.club.lapse(leaver)
    site.club.retier(mover, "Silver")
    plan(site, file)
    site.club.rejoin(leaver)
    newcomer = site.club.join(1104)
    site.club.civicrm.world.contacts[mover].first_name = "Other"
    before = site.club.end_state()
    ran = site.run("apply", str(file))
    assert ran.code == 1
    assert f"contact {newcomer} (grant) came in" in ran.out
    assert f"contact {leaver} (revoke) is not needed any more" in ran.out
    assert f"contact {mover} (profile) came in" in ran.out
    assert str(stayer) not in ran.out.split("Why:")[1].split()
    assert site.club.writes() == 0
    assert site.club.end_state() == before
    assert site.last_event() == "halted"


def test_another_card_number_is_another_plan(site: Site, file: Path) -> None:
    site.settle()
    contact = site.club.join(1101)
    plan(site, file)
    site.club.civicrm.world.set_card(contact, 1102)
    ran = site.run("apply", str(file))
    assert ran.code == 1
    assert f"contact {contact} (grant) would be done in another way" in ran.out
    assert site.club.writes() == 0


def test_a_plan_of_another_site_is_refused(site: Site, file: Path) -> None:
    site.settle()
    plan(site, file)
    content = json.loads(file.read_text())
    content["apply"]["site"] = "0" * 12
    file.write_text(json.dumps(content))
    ran = site.run("apply", str(file))
    assert ran.code == 64
    assert "another site" in ran.err
    assert site.club.writes() == 0


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"apply": {"version": 2}}', '{"apply": 3}', "\ud800", "[" * 100_000],
)
def test_what_is_no_plan_is_refused(site: Site, file: Path, content: str) -> None:
    file.write_bytes(content.encode("utf-8", "surrogatepass"))
    ran = site.run("apply", str(file))
    assert ran.code == 64
    assert "`door-sync plan --out plan.json`" in ran.err


def test_a_missing_file_is_named(site: Site, file: Path) -> None:
    ran = site.run("apply", str(file))
    assert ran.code == 2
    assert str(file) in ran.err


def test_guards_hold_what_they_held(site: Site, file: Path) -> None:
    """Looking at a plan approves nothing."""
    people = [site.club.join(number) for number in range(1101, 1106)]
    site.settle()
    site.configure(safety__small_site_max=1)
    for contact in people[:3]:
        site.club.lapse(contact)
    ran = site.run("plan", "--out", str(file))
    assert ran.code == 1
    ran = site.run("apply", str(file))
    assert ran.code == 1
    assert site.club.opens(1101)

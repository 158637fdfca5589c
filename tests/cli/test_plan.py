"""`plan` and `show-diff`: what would be written, with names, and nothing written (P7)."""

import json
import stat
from pathlib import Path

import pytest

from door_sync.journal.lock import SiteLock
from door_sync.simulators.faults import json_answer
from tests.cli.conftest import Site

WAYS = [[], ["--format", "json"], ["--format", "markdown"]]


@pytest.mark.parametrize("command", ["plan", "show-diff"])
def test_every_step_is_shown_in_order_with_names(site: Site, command: str) -> None:
    anna = site.club.join(1101, first="Anna")
    ran = site.run(command)
    assert (ran.code, ran.err) == (0, "")
    first, *_ = ran.out.splitlines()
    assert first == "A live cycle would write: 1 person gains access."
    who = f"contact {anna} (Anna Ber)"
    steps = [line for line in ran.out.splitlines() if line.lstrip()[:1].isdigit()]
    assert [step.split(". ", maxsplit=1)[1].split(" #")[0] for step in steps] == [
        f"{who}: import card",
        f"{who}: create a user  [grant: joined tier Gold]",
        f"{who}: bind card",
        f"{who}: give the new user the policy 'Gold hours'  [grant: joined tier Gold]",
    ]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_written_anywhere(site: Site, way: list[str]) -> None:
    """P7: not to the controller, and not a file of the site either."""
    site.club.join(1101)
    before = site.club.end_state()
    assert site.run("plan", *way).code == 0
    assert site.club.writes() == 0
    assert site.club.end_state() == before
    assert {path.name for path in site.directory.iterdir()} == {"config.toml", ".env"}


def test_an_existing_journal_is_read_and_left_as_it_is(site: Site) -> None:
    """The digest of a plan is the same the next time, which only the site's key can bring about."""
    site.club.join(1101)
    site.settle()
    site.club.join(1102)
    before, cycles = site.journal.read_bytes(), site.cycles()
    digests = {json.loads(site.run("plan", "--format", "json").out)["digest"] for _ in range(2)}
    assert len(digests) == 1
    assert site.cycles() == cycles
    assert site.journal.read_bytes() == before
    assert json.loads(site.audit.read_text())["event"] == "applied", "one line, of the live cycle"


def test_the_plan_is_what_a_live_cycle_then_does(site: Site) -> None:
    """P7: exactly the steps a live cycle would take next."""
    stays, leaves = site.club.join(1101), site.club.join(1102)
    site.settle()
    site.club.lapse(leaves)
    joins = site.club.join(1102, "Silver")
    planned = json.loads(site.run("plan", "--format", "json").out)
    assert site.run("run", "--once").code == 0
    [_, cycle] = site.cycles()
    assert cycle.digest == planned["digest"]
    assert {step["contact"] for step in planned["steps"]} == {leaves, joins}
    assert stays not in {step["contact"] for step in planned["steps"]}
    assert site.club.opens(1102)
    assert site.club.status_of(leaves) == "DEACTIVATED"


@pytest.mark.parametrize(("joins", "code"), [(True, 10), (False, 0)])
def test_the_detailed_exit_code_tells_changes_from_none(site: Site, joins: bool, code: int) -> None:
    site.club.join(1101)
    site.settle()
    if joins:
        site.club.join(1102)
    ran = site.run("plan", "--detailed-exitcode")
    assert ran.code == code
    assert ("Nothing to do" in ran.out) is not joins
    assert site.run("plan").code == 0


def test_a_held_plan_ends_with_1_also_with_the_detailed_exit_code(site: Site) -> None:
    leaves, _ = site.club.join(1101), site.club.join(1102)
    site.settle()
    site.club.lapse(leaves)
    site.configure(safety__small_site_max=0, safety__mass_deactivate_pct=0.1)
    for words in (["plan"], ["plan", "--detailed-exitcode"]):
        ran = site.run(*words)
        assert ran.code == 1
        assert ran.out.startswith("Held: a live cycle would write nothing, a person must look")
        assert "raise safety.mass_deactivate_pct for one cycle" in ran.out
        assert f"contact {leaves} (Mem Ber) loses access: no active membership" in ran.out
    held = json.loads(site.run("plan", "--format", "json").out)
    assert held["steps"] == []
    assert [one["contact"] for one in held["held"]["changes"]] == [leaves]
    assert held["objections"][0]["setting"] == "safety.mass_deactivate_pct"
    assert held["digest"] == held["held"]["digest"]


@pytest.mark.parametrize("way", WAYS)
def test_a_side_that_cannot_be_read_ends_with_2_and_says_why(site: Site, way: list[str]) -> None:
    site.keys(unifi="x" * 20)
    ran = site.run("plan", "--detailed-exitcode", *way)
    assert (ran.code, ran.err) == (2, "")
    assert "CODE" in ran.out
    assert "UNIFI" in ran.out
    if way[-1:] == ["json"]:
        error = json.loads(ran.out)["error"]
        assert error["class"] == "ControllerForbids"
        assert "the controller refuses the API token" in error["message"]
        assert "put it into UNIFI_API_KEY" in error["remedy"]


@pytest.mark.parametrize("way", WAYS)
def test_a_broken_journal_is_told_like_any_other_trouble(site: Site, way: list[str]) -> None:
    site.configure(ops__history_db=str(site.directory))
    ran = site.run("plan", *way)
    assert (ran.code, ran.err) == (2, "")
    assert "it is a directory" in ran.out


@pytest.mark.parametrize("way", WAYS)
def test_out_writes_the_same_text_to_a_file_for_its_owner_alone(
    site: Site, way: list[str], tmp_path: Path
) -> None:
    site.club.join(1101, first="Anna")
    site.settle()
    site.club.join(1102, first="Berta")
    file = tmp_path / "somewhere" / "plan.txt"
    ran = site.run("plan", *way, "--out", str(file))
    assert (ran.code, ran.err) == (0, "")
    assert str(file) in ran.out
    assert "Berta" not in ran.out
    assert "Berta" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    if not way:
        assert file.read_text() == site.run("plan").out


def test_out_takes_the_rights_to_an_older_file_away_from_others(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "plan.txt"
    file.write_text("an older plan")
    file.chmod(0o644)
    site.club.join(1101, first="Anna")
    assert site.run("plan", "--out", str(file)).code == 0
    assert "Anna" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_out_keeps_the_exit_code(site: Site, tmp_path: Path) -> None:
    site.club.join(1101)
    words = ("plan", "--out", str(tmp_path / "plan.txt"), "--detailed-exitcode")
    assert site.run(*words).code == 10
    site.keys(unifi="x" * 20)
    assert site.run(*words).code == 2


def test_a_place_that_cannot_be_written_is_named(site: Site) -> None:
    ran = site.run("plan", "--out", str(site.directory))
    assert (ran.code, ran.out) == (2, "")
    assert f"cannot write {site.directory}: it is a directory" in ran.err
    assert "What to do: Move the directory away, or name another file." in ran.err


def test_a_distrusted_answer_makes_no_plan(site: Site) -> None:
    """P2: a login page, or nothing at all, is not an empty membership list."""
    site.club.civicrm.faults.add(json_answer({"values": []}), times=None)
    try:
        ran = site.run("plan")
    finally:
        site.club.civicrm.faults.clear()
    assert ran.code == 2
    assert ran.out.startswith("No plan: a live cycle would stop here and write nothing.")
    assert "people who left can still open doors" in ran.out


def test_a_plan_needs_no_lock(site: Site) -> None:
    """A person may look at any time, also while a cycle runs."""
    site.club.join(1101)
    site.settle()
    with SiteLock(site.journal):
        assert site.run("plan").code == 0

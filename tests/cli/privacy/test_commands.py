"""Every command, with all that people may type and all that may be wrong at a site (P12)."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from door_sync.journal.lock import SiteLock
from door_sync.simulators.faults import (
    Answer,
    Reset,
)
from tests.app.watching import lie
from tests.cli.marked import EMAIL, FIRST, LAST, SHOUT, Marked, much_to_do, refusal
from tests.e2e.journal_troubles import JOURNAL_TROUBLES


def held(marked: Marked) -> str:
    """Let everybody's joining wait; return the plan's name."""
    site = marked.site
    site.settle()
    for number in range(4):
        contact = site.club.join(54340 + number, first=FIRST)
        site.club.civicrm.world.set_name(contact, last_name=LAST)
    site.club.lapse(marked.leaver)
    site.configure(safety__small_site_max=0, safety__mass_deactivate_pct=0.01)
    ran = marked.run("run", "--once", "--json")
    assert ran.code == 1
    digest = json.loads(ran.out)["held"]["digest"]
    assert isinstance(digest, str)
    return digest


def test_a_hold_and_all_that_is_said_about_it(marked: Marked) -> None:
    site = marked.site
    digest = held(marked)
    for unknown in ("0" * 12, "zzz"):
        assert marked.run("approve", unknown).code != 0
        assert marked.run("reject", unknown).code != 0
    assert marked.run("approve", digest, "--contact", "999999").code != 0
    for command in (["reject", digest], ["approve", digest, "--json"], ["approve", digest]):
        assert marked.run(*command).code == 0
        marked.run("status")
        marked.run("status", "--json")
    another = site.club.join(54360, first=FIRST)
    site.club.civicrm.world.set_name(another, last_name=LAST)
    site.configure(safety__small_site_max=0, safety__mass_add_pct=0.01)
    assert marked.run("run", "--once").code == 1
    marked.run("plan", shows_names=True)
    site.configure(**{'tier_mapping.rules."Gold"__target_policy': "No such policy"})
    told = json.loads(marked.run("run", "--once", "--json").out)
    assert marked.run("approve", told["held"]["digest"]).code == 1
    site.club.clock.ahead = timedelta(days=2)
    marked.run("status")


def test_a_plan_in_a_file(marked: Marked, tmp_path: Path) -> None:
    """The file shows names to its owner; what is said about it does not."""
    site, club = marked.site, marked.site.club
    plan = tmp_path.parent / f"{tmp_path.name}-plan.json"
    site.settle()
    club.lapse(marked.leaver)
    assert marked.run("plan", "--out", str(plan)).code == 0
    assert f"{FIRST} {LAST}" in plan.read_text()
    club.civicrm.world.set_card(marked.member, "54399")
    assert marked.run("apply", str(plan)).code == 1
    club.civicrm.world.set_card(marked.member, "54321")
    assert marked.run("apply", str(plan), "--json").code == 0
    content = json.loads(plan.read_text())
    for spoilt in (SHOUT, json.dumps(SHOUT), json.dumps({"apply": SHOUT}), json.dumps({SHOUT: 1})):
        plan.write_text(spoilt)
        assert marked.run("apply", str(plan)).code == 64
    for another in (SHOUT, "0" * 12):
        content["apply"]["site"] = another
        plan.write_text(json.dumps(content))
        assert marked.run("apply", str(plan)).code == 64
    assert marked.run("apply", str(tmp_path / "missing.json")).code != 0
    assert marked.run("plan", "--out", str(tmp_path)).code != 0


def test_people_cut_off_and_let_in_again(marked: Marked) -> None:
    """Of a reason an address and a number are not kept, whatever the one who types it thinks."""
    site, club = marked.site, marked.site.club
    much_to_do(marked)
    one = str(marked.member)
    reason = f"stole card 54321 of {EMAIL}, sync-54321"
    assert marked.run("revoke", one, "--reason", reason).code == 0
    for command in (["status"], ["run", "--once"], ["history", "--contact", one], ["status"]):
        marked.run(*command)
    assert marked.run("restore", one).code == 0
    assert marked.run("restore", one, "--json").code in (0, 1, 64)
    assert marked.run("restore", "999999").code in (0, 1, 64)
    for contact in ("0", "x", "54321x"):
        site.run("revoke", contact)
    everything: dict[str, Any] = {"times": None}
    writes: dict[str, Any] = {"method": "PUT", "times": None}
    for fault, where in (
        (refusal("CODE_PARAMS_INVALID"), writes),
        (Reset(), writes),
        (refusal("CODE_ACCESS_TOKEN_INVALID", 401), everything),
        (Answer(200, SHOUT.encode()), everything),
        (lie(), writes),
    ):
        club.unifi.faults.add(fault, **where)
        marked.run("revoke", one, "--json")
        marked.run("revoke", one, "--without-record")
        club.unifi.faults.clear()
        marked.run("restore", one)


def test_what_happened(marked: Marked) -> None:
    much_to_do(marked)
    marked.run("run", "--once")
    for words in ([], ["--all"], ["--contact", str(marked.member)], ["--cycle", "none"]):
        marked.run("history", *words)
        marked.run("history", "--json", *words)
    [*_, last] = marked.site.cycles()
    marked.run("history", "--cycle", last.cycle_id)
    marked.run("history", "prune", "--dry-run")
    marked.run("history", "prune")
    marked.run("history", "verify")
    with marked.site.audit.open("a") as file:
        file.write(f'{SHOUT}\n{{"cycle": "{SHOUT}"}}\n')
    ran = marked.site.run("-v", "history", "verify")
    assert ran.code == 2
    for name in (FIRST, LAST, EMAIL, "54321"):
        assert name not in ran.out + ran.err
    marked.site.audit.unlink()
    assert marked.run("history", "verify", "--json").code == 2


def test_an_audit_line_that_is_made_up_for(marked: Marked) -> None:
    site = marked.site
    much_to_do(marked)
    kept = site.audit.read_bytes()
    site.audit.unlink()
    site.audit.mkdir()
    assert marked.run("run", "--once").code == 2
    site.audit.rmdir()
    site.audit.write_bytes(kept)
    marked.run("run", "--once")
    assert "late" in site.audit.read_text()


def test_the_other_files_of_a_site(marked: Marked) -> None:
    site = marked.site
    for name in ("audit_jsonl", "state_json", "alert_flag"):
        site.configure(ops__history_db=str(site.journal), **{f"ops__{name}": str(site.directory)})
        assert marked.run("run", "--once").code == 2
        marked.run("notify-test")
    site.configure()
    site.state.write_text(SHOUT)
    marked.site.run("run", "--once")
    site.state.write_text(json.dumps({"run_count": SHOUT}))
    marked.site.run("run", "--once")
    with SiteLock(site.journal):
        assert marked.run("run", "--once").code == 75
        assert marked.run("run", "--once", "--wait", "0").code == 75


@pytest.mark.parametrize("name", JOURNAL_TROUBLES)
def test_a_journal_in_trouble(marked: Marked, name: str) -> None:
    begins, _ = JOURNAL_TROUBLES[name]
    much_to_do(marked)
    one = str(marked.member)
    with begins(marked.site):
        for words in (
            ["run", "--once"],
            ["plan"],
            ["status"],
            ["approve", "0" * 12],
            ["revoke", one],
            ["revoke", one, "--without-record"],
            ["restore", one],
            ["history"],
            ["history", "verify"],
            ["history", "prune"],
        ):
            ran = marked.site.run("-v", *words)
            marked.holds_no_secret((ran.out + ran.err).encode())
            assert FIRST not in ran.err
            assert words == ["plan"] or FIRST not in ran.out
    marked.run("run", "--once")


def test_a_journal_without_its_key_or_of_another_program(marked: Marked) -> None:
    marked.site.settle()
    with closing(sqlite3.connect(marked.site.journal)) as other, other:
        other.execute("DELETE FROM site")
    assert marked.run("run", "--once").code == 2
    with closing(sqlite3.connect(marked.site.journal)) as other:
        other.execute("PRAGMA application_id = 7")
    assert marked.run("run", "--once").code == 2

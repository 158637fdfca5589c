"""docs/from-v0.md is true: what it lists is written by real cycles, and v0's keys are all there.

What v0 wrote stands here by itself, so that no change of the program takes the promise along (§7).
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from door_sync.cli.entry import COMMANDS
from door_sync.daemon import start
from door_sync.daemon.wishes import Wishes
from door_sync.settings import kinds
from door_sync.settings.model import Alert
from tests.app.watching import at_create, refused
from tests.cli.conftest import Site
from tests.docs.pages import page, section, spans, table

PAGE = page("from-v0.md")

V0_AUDIT = {
    "ts": str,
    "event": str,
    "dry_run": bool,
    "summary": dict,
    "summary.added": int,
    "summary.updated_credential": int,
    "summary.updated_policy": int,
    "summary.deactivated": int,
    "summary.unmapped": int,
    "reason": str,
    "exception": dict,
    "exception.class": str,
    "exception.message": str,
}
V0_EVENTS = {"applied", "halted", "crashed"}
V0_STATE = {"last_success_iso", "last_halt_iso", "last_halt_reason", "run_count"}
V0_COMMANDS = {
    "door-sync validate-config",
    "door-sync show-diff",
    "door-sync run --once",
    "door-sync run --once --dry-run",
    "door-sync run",
}
V0_TRANSPORTS = {"flag-file", "smtp", "mailgun", "apprise"}


def listed(title: str, *heading: str, of_v0: bool = False) -> set[str]:
    """The words of the first column, of all rows or of those that say yes to v0."""
    rows = table(section(PAGE, title), *heading)
    assert {row[1] for row in rows} <= {"yes", "no"}
    return {span for row in rows if row[1] == "yes" or not of_v0 for span in spans(row[0])}


def flat(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key of an object and of the objects inside, with dots between."""
    if isinstance(content, list):
        for one in content:
            yield from flat(one, path)
    elif isinstance(content, dict):
        for key, value in content.items():
            here = f"{path}.{key}" if path else key
            yield here, value
            yield from flat(value, here)


@pytest.fixture
def lines(site: Site) -> list[dict[str, Any]]:
    """The audit lines of a site to which everything has happened once."""
    club = site.club
    leaver, other, changer, climber = (club.join(1101 + number) for number in range(4))
    back = club.join(1105)
    assert site.run("run", "--once").code == 0

    club.lapse(back)
    assert site.run("run", "--once").code == 0

    club.join(1106, "Mystery")
    club.join(1107)
    club.lapse(leaver)
    club.rejoin(back)
    club.civicrm.world.set_card(changer, 1108)
    club.retier(climber, "Silver")
    club.civicrm.world.set_name(other, last_name="Newname")
    assert site.run("run", "--once", "--dry-run").code == 0
    assert site.run("run", "--once").code == 0

    failing = club.join(1109)
    at_create(club, refused(), failing, times=None)
    assert site.run("run", "--once").code == 3
    club.unifi.faults.clear()

    site.keys(unifi="x" * 20)
    assert site.run("run", "--once").code == 2
    site.keys()

    club.lapse(other)
    site.configure(safety__small_site_max=0, safety__mass_deactivate_pct=0.01)
    assert site.run("run", "--once").code == 1
    site.configure()

    assert site.run("revoke", str(changer)).code == 0
    away = site.audit.with_name("elsewhere")
    site.audit.rename(away)
    site.audit.mkdir()
    assert site.run("run", "--once").code == 2
    site.audit.rmdir()
    away.rename(site.audit)
    with site.audit.open("a") as file:
        file.write('{"ts": "20')
    assert site.run("run", "--once").code == 0
    return [json.loads(line) for line in site.audit.read_text().splitlines() if line[-1] == "}"]


def test_the_table_of_the_audit_file_has_the_keys_that_are_written_and_no_other(
    lines: list[dict[str, Any]],
) -> None:
    written = {key for line in lines for key, _ in flat(line)}
    assert listed("What the audit file says", "key", "in v0") == written


def test_each_key_of_v0_is_listed_and_written_with_the_kind_of_value_it_had(
    lines: list[dict[str, Any]],
) -> None:
    assert listed("What the audit file says", "key", "in v0", of_v0=True) == V0_AUDIT.keys()
    found = {(key, type(value)) for line in lines for key, value in flat(line) if key in V0_AUDIT}
    assert found == set(V0_AUDIT.items())
    always = {"ts", "event", "dry_run", "summary"}
    for line in lines:
        assert [*line][:4] == ["ts", "event", "dry_run", "summary"]
        assert always <= line.keys()
        assert ("reason" in line) is (line["event"] == "halted")
        assert ("exception" in line) is (line["event"] == "crashed")


def test_events_and_counts_mean_what_the_page_says(lines: list[dict[str, Any]]) -> None:
    rows = table(section(PAGE, "The three words of event"), "`event`", "in v0")
    assert {span for row in rows for span in spans(row[0])} == V0_EVENTS
    assert {line["event"] for line in lines} == V0_EVENTS
    dry, live, partial = lines[2:5]
    counts = {
        "added": 2,
        "updated_credential": 1,
        "updated_policy": 1,
        "deactivated": 1,
        "unmapped": 1,
    }
    assert (dry["dry_run"], dry["summary"], dry["changes"]) == (True, counts, [])
    assert (live["dry_run"], live["summary"]) == (False, counts)
    classes = sorted(change["class"] for change in live["changes"])
    assert classes == ["card", "grant", "policy", "profile", "restore", "revoke"]
    assert partial["event"] == "applied"
    assert [change["outcome"] for change in partial["changes"]] == ["failed"]
    assert partial["summary"]["added"] == 0, "nobody came in"


def test_the_classes_and_outcomes_are_all_told(lines: list[dict[str, Any]]) -> None:
    told = set(spans(section(PAGE, "What the audit file says")))
    for key in ("class", "outcome"):
        assert {change[key] for line in lines for change in line["changes"]} <= told


def test_the_state_file_has_the_keys_of_v0_and_no_other(site: Site) -> None:
    site.settle()
    assert set(site.state_content()) == V0_STATE
    assert listed("What the state file says", "key", "in v0", of_v0=True) == V0_STATE
    assert listed("What the state file says", "key", "in v0") == V0_STATE


def test_a_state_file_of_v0_is_counted_on_from(site: Site) -> None:
    site.state.parent.mkdir()
    old = {
        "last_success_iso": "2024-05-01T08:00:00",
        "last_halt_iso": "2024-04-01T08:00:00",
        "last_halt_reason": "too many",
        "run_count": 41,
    }
    site.state.write_text(json.dumps(old))
    site.settle()
    now = site.state_content()
    assert now["run_count"] == 42
    assert now["last_halt_reason"] == "too many"
    assert now["last_halt_iso"].startswith("2024-04-01T08:00:00")
    assert now["last_success_iso"] > old["last_success_iso"]


def test_a_success_is_a_cycle_that_ends_with_0_alone(site: Site) -> None:
    site.settle()
    success = site.state_content()["last_success_iso"]
    at_create(site.club, refused(), site.club.join(1101), times=None)
    try:
        assert site.run("run", "--once").code == 3
    finally:
        site.club.unifi.faults.clear()
    assert site.state_content()["last_success_iso"] == success


def test_v0s_commands_are_there_and_in_the_table(site: Site) -> None:
    assert listed("Commands", "command", "in v0", of_v0=True) == V0_COMMANDS
    for command in V0_COMMANDS:
        assert command.split(" ")[1] in COMMANDS
    for words in (["validate-config"], ["show-diff"], ["run", "--once", "--dry-run"]):
        assert site.run(*words).code == 0
    assert site.club.writes() == 0


def test_show_diff_leaves_no_audit_line_and_a_dry_run_does(site: Site) -> None:
    site.run("show-diff")
    assert not site.audit.exists()
    site.run("run", "--once", "--dry-run")
    assert site.audit_line()["dry_run"] is True


def test_a_bad_configuration_changes_no_file(site: Site) -> None:
    site.configure(unifi__facility_code=256)
    assert site.run("run", "--once").code == 78
    assert not any(path.exists() for path in (site.audit, site.state, site.flag))


def test_the_exit_codes_are_among_those_of_the_program() -> None:
    codes = [row[0] for row in table(section(PAGE, "Exit codes"), "code", "when")]
    known = [row[0] for row in table(section(page("commands.md"), "Exit codes"), "code")]
    assert codes == [code for code in known if code in {"0", "1", "2", "3", "75", "78"}]


def test_the_ways_of_alerting_are_those_of_the_settings() -> None:
    assert listed("Alerts", "`alert.transport`", "in v0") == V0_TRANSPORTS
    assert listed("Alerts", "`alert.transport`", "in v0", of_v0=True) == V0_TRANSPORTS
    kind = kinds.kind_of(kinds.fields_of(Alert)["transport"])
    assert {word.strip('",') for word in kind.split(" ") if word != "or"} == V0_TRANSPORTS


class Once(Wishes):
    """Asks for the end in the first pause."""

    def wait(self, seconds: float) -> None:
        self.ask_to_end("bedtime")


def test_the_log_has_one_line_for_each_cycle_with_the_keys_of_the_table(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "Wishes", Once)
    site.club.join(1101, "Gold", first="Zaphodine")
    well = site.run("--log-format", "json", "run")
    site.keys(unifi="x" * 20)
    badly = site.run("--log-format", "json", "run")
    found = [
        line
        for ran in (well, badly)
        for line in map(json.loads, ran.err.splitlines())
        if line["event"] == "cycle"
    ]
    assert [line["ending"] for line in found] == ["clean", "failed"]
    assert {key for line in found for key in line} == listed("Log lines", "key", "in v0")
    assert "Zaphodine" not in well.err + badly.err

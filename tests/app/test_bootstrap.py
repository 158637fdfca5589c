"""The one composition root: what a site's settings become, and what a cycle of it leaves (§4)."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from door_sync.app.bootstrap import habits, plan_site, run_site
from door_sync.app.cycle import Progress
from door_sync.app.report import Ending
from door_sync.app.traffic import Traffic
from door_sync.core.guards import Budgets
from door_sync.core.tiers import Resolution, Rule
from door_sync.http import AuthorityTls, HttpClient, PinnedTls, PlainHttp, UntrustedCertificate
from door_sync.journal.lock import SiteLock
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import ControllerForbids, JournalError, LockHeld
from door_sync.settings import Settings, load_settings
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hook
from tests.club import Club


@pytest.fixture
def settings(club: Club, tmp_path: Path) -> Settings:
    """What an operator wrote down for this club."""
    return load(club.write_files(tmp_path))


def load(config: Path, **replaced: str) -> Settings:
    """Load the files of a club, with parts of the text of config.toml replaced."""
    text = config.read_text()
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    config.write_text(text)
    return load_settings(config, config.with_name(".env"), {}).settings


class Watcher(Progress):
    """Remembers how a cycle went on."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.last_step = (0, 0)
        self.signs = 0

    def goes_on(self) -> None:
        self.signs += 1

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def steps(self, done: int, all_: int) -> None:
        self.last_step = (done, all_)


def test_settings_alone_make_a_site_whose_doors_open(club: Club, settings: Settings) -> None:
    contact = club.join(1101)
    watcher, traffic = Watcher(), Traffic()
    report = run_site(settings, watcher, traffic=traffic)
    assert report.ending is Ending.CLEAN
    assert club.opens(1101)
    assert contact in [change.contact_id for change in report.done]
    assert watcher.stages == [
        "Reading CiviCRM and the controller",
        "Writing to the controller",
        "Reading back what was written",
    ]
    assert watcher.last_step == (2, 2)
    assert settings.ops.state_json.exists()
    requests = sum(side.requests for side in traffic.sides.values())
    assert set(traffic.sides) == {"civicrm", "unifi"}
    assert watcher.signs == requests + 1, "one for each answer, one before alerts are sent"


def test_the_clock_of_the_site_dates_its_cycles(club: Club, settings: Settings) -> None:
    club.clock.ahead = timedelta(days=365)
    report = run_site(settings, clock=club.clock)
    assert report.started - club.clock.now() < timedelta(minutes=1)
    with SqliteJournal.open_read_only(settings.ops.history_db, club.clock) as journal:
        [cycle] = journal.cycles()
    assert cycle.cycle_id == report.cycle_id


def test_many_sites_run_side_by_side(club: Club, settings: Settings, tmp_path: Path) -> None:
    """Nothing of a site is in a global (§4): the other one's lock is another lock."""
    (tmp_path / "other").mkdir()
    other = load(club.write_files(tmp_path / "other"))
    with SiteLock(settings.ops.history_db):
        assert run_site(other).ending is Ending.CLEAN
        with pytest.raises(LockHeld):
            run_site(settings)


def test_a_plan_before_the_first_cycle_makes_no_journal(club: Club, settings: Settings) -> None:
    report = plan_site(settings)
    assert report.ending is Ending.CLEAN
    assert report.dry_run
    assert report.plan.changes
    assert not settings.ops.history_db.exists()
    assert not settings.ops.audit_jsonl.exists()


def test_a_plan_leaves_an_audit_line_where_it_stands_for_a_cycle(settings: Settings) -> None:
    plan_site(settings, leaves_audit_line=True)
    assert '"dry_run": true' in settings.ops.audit_jsonl.read_text()
    assert not settings.ops.state_json.exists()


def test_a_plan_uses_what_the_journal_remembers(club: Club, settings: Settings) -> None:
    """The site's key is in it, so that a card has the same tag in every plan."""
    run_site(settings)
    club.join(1102)
    digests = {(report := plan_site(settings)).plan.digest(report.key) for _ in range(2)}
    assert len(digests) == 1


@pytest.mark.parametrize("command", [run_site, plan_site])
def test_a_file_of_authorities_that_is_none_is_in_the_report(
    club: Club, tmp_path: Path, command: type
) -> None:
    """It is found out when the connections are built, before anything is asked."""
    config = club.write_files(tmp_path)
    (tmp_path / "ca.pem").write_text("no certificate")
    private = f'"https://crm.example.org"\nca_file = "{tmp_path}/ca.pem"'
    settings = load(config, **{f'"{club.civicrm_server.url}"': private})
    report = command(settings)
    assert isinstance(report.error, UntrustedCertificate)
    assert "is not a PEM file" in report.error.message
    assert "civicrm.ca_file" in report.error.remedy
    assert club.unifi.journal.requests() == ()


def test_a_journal_that_may_not_even_be_looked_for_is_in_the_report(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", forbidden)
    report = plan_site(settings)
    assert isinstance(report.error, JournalError)
    assert "this user may not do that" in report.error.message


def test_a_journal_that_breaks_on_the_way_ends_the_cycle_and_is_no_small_matter(
    club: Club, settings: Settings
) -> None:
    """No further write is sent (P13), and the flag says what that means for the doors."""
    contacts = [club.join(1101), club.join(1102)]

    def refuse_steps(_request: SeenRequest) -> None:
        alter(
            settings.ops.history_db,
            "CREATE TRIGGER no BEFORE INSERT ON steps BEGIN SELECT RAISE(ABORT, 'no'); END",
        )

    club.unifi.faults.add(Hook(refuse_steps), method="POST", path="/users")
    report = run_site(settings)
    club.unifi.faults.clear()
    assert isinstance(report.error, JournalError)
    assert report.ending is Ending.FAILED
    created = {user.employee_number for user in club.unifi.world.users} - {""}
    assert len(created) == 1, "the next one was not even begun"
    assert not [number for number in (1100, 1101, 1102) if club.opens(number)]
    flag = settings.ops.alert_flag.read_text()
    assert "Revocations are not happening" in flag
    assert "What was written before stays" in flag

    alter(settings.ops.history_db, "DROP TRIGGER no")
    assert run_site(settings).ending is Ending.CLEAN
    assert len(contacts) == sum(club.opens(number) for number in (1101, 1102))
    assert not settings.ops.alert_flag.exists()


def alter(journal: Path, statement: str) -> None:
    """Change the journal behind door-sync's back."""
    with closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute(statement)


def test_a_key_that_is_refused_is_in_the_report_and_the_lock_is_free_again(
    club: Club, settings: Settings, tmp_path: Path
) -> None:
    env = tmp_path / ".env"
    env.write_text(env.read_text().replace("UNIFI_API_KEY=", "UNIFI_API_KEY=x"))
    wrong = load(tmp_path / "config.toml")
    assert isinstance(run_site(wrong).error, ControllerForbids)
    with SiteLock(settings.ops.history_db):
        pass


def test_a_fault_of_the_program_comes_out_although_no_file_can_be_written(
    club: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    config = club.write_files(tmp_path)
    settings = load(
        config,
        **{f"{tmp_path}/{name}": str(tmp_path) for name in ("audit.jsonl", "alert.flag")},
        **{f"{tmp_path}/state.json": f"{config}/state.json"},
        **{"[ops]": f'[ops]\nhistory_db = "{tmp_path}/history.db"'},
    )
    monkeypatch.setattr("door_sync.app.bootstrap.habits", broken)
    with pytest.raises(ZeroDivisionError):
        run_site(settings)


class Noted(HttpClient):
    """A client that notes how it was made; newest last."""

    made: list[tuple[str, dict[str, Any]]]

    def __init__(self, base_url: str, **options: Any) -> None:
        Noted.made.append((base_url, options))
        super().__init__(base_url, **options)


def test_each_connection_is_what_the_settings_say(
    club: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(
        club.write_files(tmp_path),
        **{
            "[civicrm]": '[civicrm]\ntimeout_seconds = 21\npage_size = 123\nauth = "authorization"',
            "[unifi]": "[unifi]\ntimeout_seconds = 22",
            "write_interval_ms = 0": "write_interval_ms = 75",
        },
    )
    monkeypatch.setattr(Noted, "made", [], raising=False)
    monkeypatch.setattr("door_sync.app.bootstrap.HttpClient", Noted)
    club.forget()
    plan_site(settings)
    (crm_url, crm), (unifi_url, unifi) = Noted.made
    assert (crm_url, unifi_url) == (club.civicrm_server.url, club.unifi_server.url)
    assert (crm["timeout_seconds"], unifi["timeout_seconds"]) == (21, 22)
    assert isinstance(crm["tls"], PlainHttp)
    assert unifi["tls"] == PinnedTls((club.unifi_server.fingerprint or "",))
    assert unifi["write_interval_seconds"] == 0.075
    assert crm["trust_environment_proxies"] is True
    assert unifi["trust_environment_proxies"] is False, "no proxy between us and the pin (§11)"
    seen = club.civicrm.journal.entries()
    assert {key.lower() for one in seen for key in one.headers} >= {"authorization"}
    limits = {call.params.get("limit") for call in club.civicrm.journal.calls("Contact")}
    assert 123 + 1 in limits, "one row more tells whether the page is the last"


def test_a_website_is_asked_over_tls_that_an_authority_vouches_for(
    club: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = '"https://crm.example.org"'
    settings = load(club.write_files(tmp_path), **{f'"{club.civicrm_server.url}"': address})
    monkeypatch.setattr(Noted, "made", [], raising=False)
    monkeypatch.setattr("door_sync.app.bootstrap.HttpClient", Noted)
    monkeypatch.setattr("door_sync.app.bootstrap.dry_run", lambda parts, _progress: parts)
    plan_site(settings)
    assert Noted.made[0][1]["tls"] == AuthorityTls(None)


def test_habits_say_what_the_settings_say(club: Club, tmp_path: Path) -> None:
    config = club.write_files(tmp_path)
    settings = load(
        config,
        **{
            "[civicrm]": '[civicrm]\nstale = "deny"\nstale_after_days = 3\n'
            'active_statuses = ["Current"]',
            "[unifi]": '[unifi]\nemail = "off"',
            "mass_deactivate_pct = 1.0": "mass_deactivate_pct = 0.1",
            "mass_add_pct = 1.0": "mass_add_pct = 0.2",
            "mass_policy_pct = 1.0": "mass_policy_pct = 0.3",
            "mass_card_pct = 1.0": "mass_card_pct = 0.4",
            "mass_profile_pct = 1.0": "mass_profile_pct = 0.5",
            "small_site_max = 1000": "small_site_max = 6\nbaseline_floor = 7\nmin_read_pct = 0.8\n"
            'on_bad_record = "halt"\nscope = "cycle"',
        },
    )
    found = habits(settings)
    assert set(found.rules) == {
        Rule("Gold", Resolution.TIER, 100, "Gold hours"),
        Rule("Silver", Resolution.TIER, 50, "Silver hours"),
        Rule("Supporter", Resolution.NONE, 10),
        Rule("Day pass", Resolution.DAY_PASS, 20),
    }
    assert found.active_statuses == {"Current"}
    assert found.stale_after == timedelta(days=3)
    assert found.stale_denies
    assert not found.email_sync
    assert found.budgets == Budgets(
        deactivate=0.1,
        add=0.2,
        policy=0.3,
        card=0.4,
        profile=0.5,
        floor=7,
        few=6,
        min_read=0.8,
        halt_on_bad_record=True,
        everything_holds_everything=True,
    )


def test_a_site_that_says_nothing_has_the_cautious_habits(club: Club, tmp_path: Path) -> None:
    config = club.write_files(tmp_path)
    text = config.read_text()
    start, end = text.index("[safety]"), text.index("[ops]")
    config.write_text(text[:start] + text[end:])
    found = habits(load(config))
    assert found.budgets == Budgets()
    assert found.active_statuses == {"Current", "Grace", "New"}
    assert (found.stale_denies, found.email_sync) == (False, True)

"""Two files in, frozen settings out."""

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path

import pydantic
import pytest

from door_sync.settings import Secret, Settings, find_files, load_settings
from tests.settings.conftest import CONFIG, FINGERPRINT, KEYS, Site

Changed = Callable[..., str]


def test_a_site_of_the_first_version_loads_unchanged(site: Site) -> None:
    """Every value is the one written; every key that did not exist then has its default."""
    loaded = site.load()
    settings = loaded.settings
    assert loaded.warnings == ()
    assert settings.cadence_seconds == 600
    assert settings.civicrm.model_dump() == {
        "host": "https://crm.example.org",
        "card_id_field": "Door_Access.card_id",
        "active_statuses": ("Current", "Grace", "New"),
        "auth": "x-civi-auth",
        "path": "/civicrm/ajax/api4",
        "page_size": 5000,
        "ca_file": None,
        "timeout_seconds": 60.0,
        "stale": "warn",
        "stale_after_days": 7,
        "canary_contact": None,
    }
    assert settings.unifi.model_dump() == {
        "host": "https://192.0.2.10:12445",
        "tls_fingerprint": (FINGERPRINT,),
        "facility_code": 42,
        "email": "sync",
        "canary_user": None,
        "write_interval_ms": 75,
        "read_concurrency": 4,
        "timeout_seconds": 30.0,
    }
    assert settings.safety.model_dump() == {
        "mass_deactivate_pct": 0.15,
        "mass_add_pct": 0.25,
        "mass_policy_pct": 0.20,
        "baseline_floor": 10,
        "mass_card_pct": 0.20,
        "mass_profile_pct": 0.50,
        "small_site_max": 3,
        "min_read_pct": 0.80,
        "on_bad_record": "quarantine",
        "scope": "class",
    }
    assert {name: rule.model_dump() for name, rule in settings.tier_mapping.rules.items()} == {
        "Gold": {"resolution": "tier", "target_policy": "id or exact name", "rank": 100}
    }
    assert settings.alert.model_dump() == {
        "transport": "flag-file",
        "after_failures": 2,
        "reminder_hours": 24.0,
        "smtp": None,
        "mailgun": None,
        "apprise": None,
    }
    assert settings.ops.model_dump() == {
        "audit_jsonl": Path("/var/log/door-sync/audit.jsonl"),
        "state_json": Path("/var/lib/door-sync/state.json"),
        "alert_flag": Path("/var/run/door-sync/alert.flag"),
        "history_db": Path("/var/lib/door-sync/history.db"),
        "metrics_textfile": None,
        "keep_changes_days": 400,
        "keep_quiet_cycles_days": 30,
    }
    assert settings.secrets.civicrm_api_key.reveal() == "crm-key-value"
    assert settings.secrets.unifi_api_key.reveal() == "unifi-key-value"


def test_the_least_that_a_site_must_say(site: Site) -> None:
    least = f"""
    [civicrm]
    host = "https://crm.example.org"
    card_id_field = "Door_Access.card_id"
    [unifi]
    host = "https://192.0.2.10"
    tls_fingerprint = "{FINGERPRINT}"
    facility_code = 0
    [tier_mapping.rules.Gold]
    resolution = "none"
    """
    settings = site.load(least).settings
    as_in_the_first_version = site.load().settings
    assert settings.cadence_seconds == as_in_the_first_version.cadence_seconds
    assert settings.civicrm == as_in_the_first_version.civicrm
    assert settings.safety == as_in_the_first_version.safety
    assert settings.alert == as_in_the_first_version.alert
    assert settings.ops == as_in_the_first_version.ops
    assert settings.unifi.host == "https://192.0.2.10:12445"


def test_every_key_can_be_set(site: Site, changed: Changed, tmp_path: Path) -> None:
    (tmp_path / "authority.pem").touch()
    config = changed(
        (
            "[unifi]",
            (
                'auth = "authorization"\npath = "/?civiwp=CiviCRM&q=civicrm/ajax/api4/"\n'
                'page_size = 100\nca_file = "authority.pem"\ntimeout_seconds = 2.5\n'
                'stale = "deny"\nstale_after_days = 30\ncanary_contact = 4294967295\n[unifi]'
            ),
        ),
        (
            "[safety]",
            (
                'email = "off"\nwrite_interval_ms = 0\nread_concurrency = 16\n'
                'timeout_seconds = 600\ncanary_user = "17d2f099-99df-429b-becb-1399a6937e5a"\n'
                "[safety]\nmass_card_pct = 0\nmass_profile_pct = 1\nsmall_site_max = 0\n"
                'min_read_pct = 0.5\non_bad_record = "halt"\nscope = "cycle"'
            ),
        ),
        (
            "[alert]",
            (
                '[tier_mapping.rules."Day pass"]\nresolution = "day-pass"\n'
                '[tier_mapping.rules.Silver]\nresolution = "tier"\ntarget_policy = "p"\n'
                "rank = 100\n"
                "[alert]"
            ),
        ),
        (
            '"flag-file"',
            (
                '"smtp"\n[alert.apprise]\n[alert.smtp]\nhost = "Mail.example.org"\nport = 25\n'
                'starttls = false\nfrom = "Door sync <door@example.org>"\n'
                'to = ["a@example.org", "b@example.org"]\nsubject_prefix = ""\n'
                '[alert.mailgun]\ndomain = "mg.example.org"\nfrom = "x@example.org"\n'
                'to = "y@example.org"'
            ),
        ),
        (
            "alert_flag",
            (
                'history_db = "kept/journal.db"\nkeep_changes_days = 90\n'
                "keep_quiet_cycles_days = 7\nalert_flag"
            ),
        ),
    )
    settings = site.load(config).settings
    civicrm, unifi, safety, alert = (
        settings.civicrm,
        settings.unifi,
        settings.safety,
        settings.alert,
    )
    assert (civicrm.auth, civicrm.path) == (
        "authorization",
        "/?civiwp=CiviCRM&q=civicrm/ajax/api4",
    )
    assert (civicrm.page_size, civicrm.timeout_seconds) == (100, 2.5)
    assert (civicrm.stale, civicrm.stale_after_days) == ("deny", 30)
    assert civicrm.ca_file == tmp_path / "authority.pem"
    assert civicrm.canary_contact == 4_294_967_295
    assert unifi.canary_user == "17d2f099-99df-429b-becb-1399a6937e5a"
    assert (unifi.email, unifi.write_interval_ms) == ("off", 0)
    assert (unifi.read_concurrency, unifi.timeout_seconds) == (16, 600.0)
    assert (safety.mass_card_pct, safety.mass_profile_pct, safety.small_site_max) == (0, 1, 0)
    assert (safety.min_read_pct, safety.on_bad_record, safety.scope) == (0.5, "halt", "cycle")
    assert list(settings.tier_mapping.rules) == ["Gold", "Day pass", "Silver"]
    assert settings.tier_mapping.rules["Day pass"].target_policy is None
    assert alert.smtp is not None
    assert (alert.smtp.host, alert.smtp.port, alert.smtp.starttls) == (
        "mail.example.org",
        25,
        False,
    )
    assert alert.smtp.sender == "Door sync <door@example.org>"
    assert alert.smtp.to == ("a@example.org", "b@example.org")
    assert alert.smtp.subject_prefix == ""
    assert alert.mailgun is not None
    assert (alert.mailgun.domain, alert.mailgun.to) == ("mg.example.org", ("y@example.org",))
    assert settings.ops.history_db == tmp_path / "kept/journal.db"
    assert (settings.ops.keep_changes_days, settings.ops.keep_quiet_cycles_days) == (90, 7)


def test_fingerprints_come_out_in_one_form(site: Site, changed: Changed) -> None:
    second = "cd" * 32
    config = changed((f'"{FINGERPRINT}"', f'["{FINGERPRINT.lower()}", "{second}"]'))
    assert site.load(config).settings.unifi.tls_fingerprint == (
        FINGERPRINT,
        ":".join(["CD"] * 32),
    )


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("https://CRM.example.org/", "https://crm.example.org"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_address_of_civicrm_comes_out_in_one_form(
    site: Site, changed: Changed, written: str, host: str
) -> None:
    config = changed(("https://crm.example.org", written))
    assert site.load(config).settings.civicrm.host == host


def test_relative_paths_start_at_the_settings_file(
    site: Site, changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From wherever a command is started, the site has one journal and one lock."""
    site.load(changed(('"/var/lib/door-sync/state.json"', '"kept/state.json"')))
    monkeypatch.chdir(tmp_path.parent)
    relative = Path(tmp_path.name) / "config.toml"
    settings = load_settings(relative, site.env_file, {}).settings
    assert settings.ops.state_json == tmp_path / "kept/state.json"
    assert settings.ops.history_db == tmp_path / "kept/history.db"


def test_a_file_saved_with_a_byte_order_mark_or_windows_line_ends_loads(site: Site) -> None:
    site.write_env(b"\xef\xbb\xbf" + KEYS.replace("\n", "\r\n").encode())
    settings = site.load(b"\xef\xbb\xbf" + CONFIG.replace("\n", "\r\n").encode()).settings
    assert settings.secrets.unifi_api_key.reveal() == "unifi-key-value"


def test_nothing_in_the_settings_can_be_changed(site: Site) -> None:
    settings = site.load().settings
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.cadence_seconds = 1  # type: ignore[misc]  # that it fails is what is tested
    with pytest.raises(pydantic.ValidationError):
        settings.safety.mass_add_pct = 1.0
    with pytest.raises(TypeError):
        settings.tier_mapping.rules["New"] = settings.tier_mapping.rules["Gold"]  # type: ignore[index]  # as above
    assert isinstance(settings.civicrm.active_statuses, tuple)


def test_settings_show_neither_secret_nor_address_when_printed(
    site: Site, changed: Changed
) -> None:
    smtp = '"smtp"\n[alert.smtp]\nhost = "m.example"\nfrom = "x@example.org"\nto = "y@example.org"'
    settings: Settings = site.load(changed(('"flag-file"', smtp))).settings
    shown = f"{settings!r} {settings} {settings.alert!r} {settings.secrets}"
    for hidden in ("crm-key-value", "unifi-key-value", "x@example.org", "y@example.org"):
        assert hidden not in shown


def test_a_secret_shows_itself_to_nobody_who_does_not_ask() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2")
    assert hash(secret) == hash(Secret("hunter2"))
    assert secret != Secret("hunter3")
    assert secret != "hunter2"
    with pytest.raises(TypeError) as caught:
        pickle.dumps(secret)
    assert "hunter2" not in str(caught.value)


def test_files_are_found_where_the_caller_says_else_by_the_environment_else_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = (tmp_path / "config.toml", tmp_path / ".env")
    assert find_files(None, None, {}) == here
    assert find_files(None, None, {"DOOR_SYNC_CONFIG_DIR": ""}) == here
    environ = {"DOOR_SYNC_CONFIG_DIR": "/etc/door-sync"}
    assert find_files(None, None, environ) == (
        Path("/etc/door-sync/config.toml"),
        Path("/etc/door-sync/.env"),
    )
    assert find_files("a.toml", None, environ) == (Path("a.toml"), Path("/etc/door-sync/.env"))
    assert find_files(None, Path("b.env"), environ) == (
        Path("/etc/door-sync/config.toml"),
        Path("b.env"),
    )


def by_smtp(**keys: object) -> str:
    lines = [f"{name} = {str(value).lower()}" for name, value in keys.items()]
    addresses = 'from = "a@example.org"\nto = ["b@example.org"]'
    table = "\n".join(["[alert.smtp]", addresses, *lines])
    return CONFIG.replace('transport = "flag-file"', f'transport = "smtp"\n{table}')


PASSWORD = "SMTP_USERNAME=doorbot\nSMTP_PASSWORD=sesame\n"


def test_a_password_in_the_clear_to_another_machine_is_a_warning(site: Site) -> None:
    site.write_env(KEYS + PASSWORD)
    config = by_smtp(host='"mail.example.org"', starttls=False)
    [warning] = site.load(config).warnings
    assert "alert.smtp.starttls" in warning
    assert "SMTP_PASSWORD" in warning
    assert "465" in warning
    assert "sesame" not in warning


@pytest.mark.parametrize(
    ("secrets", "keys"),
    [
        (PASSWORD, {"host": '"mail.example.org"'}),
        (PASSWORD, {"host": '"mail.example.org"', "starttls": False, "port": 465}),
        (PASSWORD, {"host": '"127.0.0.1"', "starttls": False}),
        ("", {"host": '"mail.example.org"', "starttls": False}),
    ],
)
def test_a_password_that_nobody_can_read_on_its_way_is_none(
    site: Site, secrets: str, keys: dict[str, object]
) -> None:
    site.write_env(KEYS + secrets)
    assert site.load(by_smtp(**keys)).warnings == ()


def test_how_patient_and_how_insistent_alerts_are_has_its_limits(site: Site) -> None:
    def changed_to(line: str) -> str:
        return CONFIG.replace('transport = "flag-file"', line)

    alert = site.load(changed_to("after_failures = 1\nreminder_hours = 0")).settings.alert
    assert (alert.after_failures, alert.reminder_hours) == (1, 0)
    assert site.fault(changed_to("after_failures = 0")).key_path == "alert.after_failures"
    assert site.fault(changed_to("reminder_hours = -1")).key_path == "alert.reminder_hours"

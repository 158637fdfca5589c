"""Both files as `init` writes them: read again, they say what was decided."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from door_sync.settings import kinds, load_settings
from door_sync.settings.envfile import parse_env_file
from door_sync.settings.secrets import PURPOSES
from door_sync.settings.writing import RuleWritten, config_text, env_text

REQUIRED: Mapping[tuple[str, ...], object] = {
    ("civicrm", "host"): "https://crm.example.org",
    ("civicrm", "card_id_field"): "Door_Access.card_id",
    ("unifi", "host"): "https://192.0.2.10:12445",
    ("unifi", "tls_fingerprint"): ":".join(["AB"] * 32),
    ("unifi", "facility_code"): 7,
}
RULES = {
    "Gold": RuleWritten("tier", 'The "big" policy \\ all', 30),
    "Friend of the club": RuleWritten("none", None, 0),
    'Tages"karte" ü.1': RuleWritten("day-pass", None, 10),
}
KEYS = {"CIVICRM_API_KEY": "abc", "UNIFI_API_KEY": "def"}


def written(more: Mapping[tuple[str, ...], object]) -> str:
    return config_text({**REQUIRED, **more}, RULES, "Written by a test.")


def test_what_was_decided_is_read_again(tmp_path: Path) -> None:
    more = {
        ("unifi", "email"): "off",
        ("civicrm", "active_statuses"): ("Current", "Old friends, paid"),
        ("ops", "state_json"): "state.json",
        ("alert", "transport"): "smtp",
        ("alert", "smtp", "host"): "mail.example.org",
        ("alert", "smtp", "from"): "door-sync@example.org",
        ("alert", "smtp", "to"): ["board@example.org", "keys@example.org"],
    }
    (tmp_path / "config.toml").write_text(written(more))
    (tmp_path / ".env").write_text(env_text(KEYS))
    (tmp_path / ".env").chmod(0o600)
    loaded = load_settings(tmp_path / "config.toml", tmp_path / ".env", {})
    settings = loaded.settings
    assert loaded.warnings == ()
    assert settings.unifi.email == "off"
    assert settings.civicrm.active_statuses == ("Current", "Old friends, paid")
    assert settings.ops.state_json == tmp_path / "state.json"
    assert settings.alert.smtp is not None
    assert settings.alert.smtp.to == ("board@example.org", "keys@example.org")
    found = settings.tier_mapping.rules
    assert {
        name: RuleWritten(rule.resolution, rule.target_policy, rule.rank)
        for name, rule in found.items()
    } == RULES
    assert settings.secrets.unifi_api_key.reveal() == "def"


def test_every_key_stands_in_the_file_but_those_of_channels_not_chosen() -> None:
    text = written({})
    for *path, name in kinds.all_keys():
        if path[:1] == ["alert"] and len(path) > 1:
            continue
        assert f"\n{name} = " in text or f"\n#{name} = " in text, name
    assert "[alert.smtp]" not in text


def test_a_key_with_a_default_that_nobody_decided_is_as_if_it_were_not_there() -> None:
    table = tomllib.loads(written({}))
    assert "auth" not in table["civicrm"]
    assert table["safety"]["mass_deactivate_pct"] == 0.15


@pytest.mark.parametrize(
    "value",
    ["plain-Value_1.2", "with blank", "a#b", "it's", 'say "so"', 'it\'s "so" \\ x', "$HOME", "'"],
)
def test_a_secret_is_read_again_whatever_is_in_it(value: str) -> None:
    text = env_text({**KEYS, "SMTP_PASSWORD": value})
    env = parse_env_file(text, ".env")
    assert env.faults == ()
    assert env.values == {**KEYS, "SMTP_PASSWORD": value}


def test_the_env_file_names_every_secret() -> None:
    text = env_text(KEYS)
    assert all(f"\n{name}=" in text or f"\n#{name}=" in text for name in PURPOSES)

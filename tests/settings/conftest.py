"""A site's two files, as a test wants them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from door_sync.settings import BadSettings, Fault, Loaded, load_settings

KEYS = "CIVICRM_API_KEY=crm-key-value\nUNIFI_API_KEY=unifi-key-value\n"
FINGERPRINT = ":".join(["AB"] * 32)
CONFIG = f"""
cadence_seconds = 600
[civicrm]
host = "https://crm.example.org"
card_id_field = "Door_Access.card_id"
active_statuses = ["Current", "Grace", "New"]
[unifi]
host = "https://192.0.2.10:12445"
tls_fingerprint = "{FINGERPRINT}"
facility_code = 42
[safety]
mass_deactivate_pct = 0.15
mass_add_pct = 0.25
mass_policy_pct = 0.20
baseline_floor = 10
[tier_mapping.rules.Gold]
resolution = "tier"
target_policy = "id or exact name"
rank = 100
[alert]
transport = "flag-file"
[ops]
audit_jsonl = "/var/log/door-sync/audit.jsonl"
state_json  = "/var/lib/door-sync/state.json"
alert_flag  = "/var/run/door-sync/alert.flag"
"""
"""The keys that a site of the first version has (design.md §10)."""


class Site:
    """Writes the two files and loads them."""

    def __init__(self, directory: Path) -> None:
        self.config = directory / "config.toml"
        self.env_file = directory / ".env"
        self.write_env(KEYS)

    def write_env(self, text: str | bytes, mode: int = 0o600) -> None:
        self.env_file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.env_file.chmod(mode)

    def load(
        self, config: str | bytes = CONFIG, environ: Mapping[str, str] | None = None
    ) -> Loaded:
        self.config.write_bytes(config if isinstance(config, bytes) else config.encode())
        return load_settings(self.config, self.env_file, environ or {})

    def faults(
        self, config: str | bytes = CONFIG, environ: Mapping[str, str] | None = None
    ) -> list[Fault]:
        with pytest.raises(BadSettings) as caught:
            self.load(config, environ)
        return list(caught.value.faults)

    def fault(
        self, config: str | bytes = CONFIG, environ: Mapping[str, str] | None = None
    ) -> Fault:
        (fault,) = self.faults(config, environ)
        return fault


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def changed() -> Callable[..., str]:
    """Return CONFIG with lines replaced: `old` must be there once."""

    def change(*replacements: tuple[str, str]) -> str:
        text = CONFIG
        for old, new in replacements:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return text

    return change

"""Settings: config.toml and the secrets, checked once, then frozen (design.md §10)."""

from door_sync.settings.daemon import Daemon
from door_sync.settings.faults import BadSettings, Fault
from door_sync.settings.loading import Loaded, find_files, load_settings
from door_sync.settings.model import (
    Alert,
    Civicrm,
    Mailgun,
    Ops,
    Rule,
    Safety,
    Settings,
    Smtp,
    TierMapping,
    Unifi,
)
from door_sync.settings.secrets import Secret, Secrets

__all__ = [
    "Alert",
    "BadSettings",
    "Civicrm",
    "Daemon",
    "Fault",
    "Loaded",
    "Mailgun",
    "Ops",
    "Rule",
    "Safety",
    "Secret",
    "Secrets",
    "Settings",
    "Smtp",
    "TierMapping",
    "Unifi",
    "find_files",
    "load_settings",
]

"""Every key of config.toml: its kind, its range, its default, and what it is for.

This file owns that truth. The sample file, the table in the handbook and the words of every fault
are made from it (`reference`, `faults`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from door_sync.settings.daemon import Daemon
from door_sync.settings.fields import (
    ApiPath,
    CardField,
    FilePath,
    Fingerprints,
    HostName,
    MailAddress,
    MailAddresses,
    Sealed,
    Section,
    Share,
    Text,
    civicrm_address,
    key,
    unifi_address,
    wrong,
)
from door_sync.settings.secrets import Secrets

SMTPS_PORT: Final = 465
"""Where mail servers speak TLS from the first byte."""


class Civicrm(Section):
    """Where the members are kept."""

    host: Annotated[str, AfterValidator(civicrm_address)] = key(
        "Address of the site, without a path. http:// is accepted for this machine itself only.",
        example="https://crm.example.org",
    )
    card_id_field: CardField = key(
        "The custom field that holds the card number, as Group.field with machine names.",
        example="Door_Access.card_id",
    )
    active_statuses: tuple[Text, ...] = key(
        "Names of the membership statuses that give access.",
        default=("Current", "Grace", "New"),
        min_length=1,
    )
    auth: Literal["x-civi-auth", "authorization"] = key(
        "The header that carries the key. Change it only if CiviCRM never accepts the key: some "
        "web servers drop one or the other.",
        default="x-civi-auth",
        commented=True,
    )
    path: ApiPath = key(
        "Where APIv4 answers. WordPress without permalinks: "
        '"/?civiwp=CiviCRM&q=civicrm/ajax/api4".',
        default="/civicrm/ajax/api4",
        commented=True,
    )
    page_size: int = key(
        "Rows asked for at once. Lower it if CiviCRM runs out of memory.",
        default=5000,
        ge=100,
        le=5000,
        commented=True,
    )
    ca_file: FilePath | None = key(
        "PEM file of the authority that signed CiviCRM's certificate, where it is a private one. "
        "Without it SSL_CERT_FILE or the system's authorities are used.",
        default=None,
        example="/etc/door-sync/authority.pem",
        commented=True,
    )
    timeout_seconds: float = key(
        "How long one request may take, from the connection to the last byte.",
        default=60.0,
        ge=1,
        le=600,
        commented=True,
    )
    stale: Literal["warn", "deny"] = key(
        "What a membership is worth that still counts as active long after its end date, because "
        'CiviCRM\'s scheduled job does not run: "warn" keeps the access and says so, "deny" '
        "takes it away.",
        default="warn",
        commented=True,
    )
    stale_after_days: int = key(
        "How long after its end date.", default=7, ge=0, le=3650, commented=True
    )
    canary_contact: int | None = key(
        "Id of a contact that must be among those with a card in every read, else nothing is "
        "written. Without it no contact is looked for.",
        default=None,
        ge=1,
        le=4_294_967_295,
        example=1234,
        commented=True,
    )


class Unifi(Section):
    """The controller of the doors."""

    host: Annotated[str, AfterValidator(unifi_address)] = key(
        "Address of the console. The port is 12445 if none is given.",
        example="https://192.0.2.10:12445",
    )
    tls_fingerprint: Fingerprints = key(
        "SHA-256 fingerprint of the console's certificate: the only proof of who answers. A list "
        "of two while the certificate is being replaced.",
        example=":".join(["00"] * 32),
    )
    facility_code: int = key("Facility code of the cards (Wiegand-26).", ge=0, le=255, example=42)
    email: Literal["sync", "off"] = key(
        "Whether e-mail addresses are written to the controller. It can mail invitations to "
        'people, so "off" is the quiet choice.',
        default="sync",
        commented=True,
    )
    write_interval_ms: int = key(
        "Pause between two writes, in thousandths of a second.",
        default=75,
        ge=0,
        le=60_000,
        commented=True,
    )
    canary_user: Text | None = key(
        "Id of a user that must be in every list of users, else nothing is written. Without it no "
        "user is looked for.",
        default=None,
        example="00000000-0000-0000-0000-000000000000",
        commented=True,
    )
    read_concurrency: int = key("Pages read side by side.", default=4, ge=1, le=16, commented=True)
    timeout_seconds: float = key(
        "How long one request may take, from the connection to the last byte.",
        default=30.0,
        ge=1,
        le=600,
        commented=True,
    )


class Safety(Section):
    """How much may change at once before a person is asked. Shares are of the active managed
    users: 0.15 is 15 %."""

    mass_deactivate_pct: Share = key("Share of people who may lose access.", default=0.15)
    mass_add_pct: Share = key("Share of people who may be added or restored.", default=0.25)
    mass_policy_pct: Share = key("Share of people whose policy may change.", default=0.20)
    baseline_floor: int = key(
        "Below that many active managed users the shares say nothing and do not apply.",
        default=10,
        ge=0,
    )
    mass_card_pct: Share = key(
        "Share of people whose card may change.", default=0.20, commented=True
    )
    mass_profile_pct: Share = key(
        "Share of people whose name or address may change.", default=0.50, commented=True
    )
    small_site_max: int = key(
        "That many changes of a kind are never too many.", default=3, ge=0, commented=True
    )
    min_read_pct: Share = key(
        "The smallest share of the last good read of either side that is believed.",
        default=0.80,
        commented=True,
    )
    on_bad_record: Literal["quarantine", "halt"] = key(
        "What a malformed or duplicate card, or a membership type without a rule, stops: that "
        "person, or the whole cycle.",
        default="quarantine",
        commented=True,
    )
    scope: Literal["class", "cycle"] = key(
        'What too many changes of one kind hold back: that kind ("class"), or everything.',
        default="class",
        commented=True,
    )


class Rule(Section):
    """What a membership type is worth. The table's name is the type's name or label."""

    resolution: Literal["tier", "none", "day-pass"] = key(
        'Whether it gives access ("tier"), gives none, or is handled by hand for single days.',
        example="tier",
    )
    target_policy: Text | None = key(
        'The access policy that it gives: id or exact name. With "tier" only.',
        default=None,
        validate_default=True,
        example="Members all week",
    )
    rank: int = key(
        "Of several memberships the one with the highest rank counts.", default=0, example=100
    )

    @field_validator("target_policy")
    @classmethod
    def _belongs_to_a_tier(cls, policy: str | None, info: ValidationInfo) -> str | None:
        resolution = info.data.get("resolution")
        if resolution == "tier" and policy is None:
            raise wrong(
                'is missing, and a rule with resolution = "tier" needs it',
                'Add target_policy = "…": the policy\'s exact name in UniFi Access, or its id.',
            )
        if resolution in {"none", "day-pass"} and policy is not None:
            raise wrong(
                f'does not belong to a rule with resolution = "{resolution}"',
                'Remove the line, or set resolution = "tier".',
            )
        return policy


class TierMapping(Section):
    """Which membership type gives which access policy: one table for each type."""

    rules: Annotated[Mapping[str, Rule], Sealed] = key("The rules by type.", min_length=1)


class Mail(Section):
    """What every mail has."""

    sender: MailAddress = key("Sender.", alias="from", repr=False, example="door-sync@example.org")
    to: MailAddresses = key("Recipient, or a list.", repr=False, example="board@example.org")
    subject_prefix: str = key(
        "What each subject begins with.", default="[door-sync]", pattern=r"^[^\r\n]*$"
    )


class Smtp(Mail):
    """Mail by an SMTP server. SMTP_USERNAME and SMTP_PASSWORD go into the env file."""

    host: HostName = key("The mail server.", example="mail.example.org")
    port: int = key("Its port.", default=587, ge=1, le=65535)
    starttls: bool = key(
        "Whether the connection is encrypted by STARTTLS. With port 465 it always is, from the "
        "first byte.",
        default=True,
    )


class Mailgun(Mail):
    """Mail by Mailgun. MAILGUN_API_KEY goes into the env file."""

    domain: HostName = key("The sending domain.", example="mg.example.org")
    region: Literal["us", "eu"] = key(
        "Where Mailgun keeps the domain.", default="us", commented=True
    )


class Apprise(Section):
    """Any service that Apprise knows. Its addresses are secrets: APPRISE_URLS in the env file."""


class Alert(Section):
    """How the program calls for a person. The flag file (ops.alert_flag) is always there."""

    transport: Literal["flag-file", "smtp", "mailgun", "apprise"] = key(
        "The way besides the flag file. `door-sync notify-test` tries it.",
        default="flag-file",
    )
    after_failures: int = key(
        "In how many cycles in a row CiviCRM or the controller must give no answer before that is "
        "told. Everything else is told at once.",
        default=2,
        ge=1,
        le=1000,
        commented=True,
    )
    reminder_hours: float = key(
        "How long between two reminders while something lasts; 0 for none.",
        default=24.0,
        ge=0,
        le=8760,
        commented=True,
    )
    smtp: Smtp | None = key("Mail by SMTP.", default=None, validate_default=True)
    mailgun: Mailgun | None = key("Mail by Mailgun.", default=None, validate_default=True)
    apprise: Apprise | None = key("Other services.", default=None)

    @field_validator("smtp", "mailgun")
    @classmethod
    def _is_there_if_chosen(cls, table: Mail | None, info: ValidationInfo) -> Mail | None:
        name = info.field_name
        if table is None and info.data.get("transport") == name:
            raise wrong(
                f'is missing, and alert.transport = "{name}" needs it',
                f"Add a table [alert.{name}] as config.example.toml shows.",
            )
        return table


class Ops(Section):
    """Files that the program keeps. A relative path starts at the directory of config.toml."""

    audit_jsonl: FilePath = key(
        "One line of JSON for each cycle.", default=Path("/var/log/door-sync/audit.jsonl")
    )
    state_json: FilePath = key(
        "When the last cycle was good, for monitoring.",
        default=Path("/var/lib/door-sync/state.json"),
    )
    alert_flag: FilePath = key(
        "Exists while something needs a person.", default=Path("/var/run/door-sync/alert.flag")
    )
    history_db: FilePath = key(
        "The journal: every cycle and every write. By default history.db beside state_json.",
        default_factory=lambda data: data["state_json"].parent / "history.db",
        example="/var/lib/door-sync/history.db",
        commented=True,
    )
    metrics_textfile: FilePath | None = key(
        "Figures for monitoring, written after each cycle, for the textfile collector of "
        "Prometheus' node_exporter. Its name must end in .prom there. Without it none are written.",
        default=None,
        example="/var/lib/prometheus/node-exporter/door-sync.prom",
        commented=True,
    )
    keep_changes_days: int = key(
        "How long the journal keeps cycles that wrote, holds and cut-offs, in days.",
        default=400,
        ge=30,
        le=36500,
    )
    keep_quiet_cycles_days: int = key(
        "How long it keeps cycles that wrote nothing, in days.", default=30, ge=2, le=36500
    )


class Config(Section):
    """The whole of config.toml."""

    cadence_seconds: int = key("Pause between two cycles, in seconds.", default=600, ge=60)
    civicrm: Civicrm
    unifi: Unifi
    safety: Safety = Field(default_factory=Safety)
    tier_mapping: TierMapping
    alert: Alert = Field(default_factory=Alert)
    ops: Ops = Field(default_factory=Ops)
    daemon: Daemon = Field(default_factory=Daemon)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was configured for one site; nothing in it can be changed."""

    cadence_seconds: int
    civicrm: Civicrm
    unifi: Unifi
    safety: Safety
    tier_mapping: TierMapping
    alert: Alert
    ops: Ops
    daemon: Daemon
    secrets: Secrets

    @property
    def request_seconds(self) -> float:
        """The longest that a single request to either side may take."""
        return max(self.civicrm.timeout_seconds, self.unifi.timeout_seconds)

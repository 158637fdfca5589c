"""One check: its name, what came out, and what settles it."""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Verdict(StrEnum):
    """What came out of a check."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"
    """Not asked, because of another check, or because there is no harmless way to ask."""


class Family(Enum):
    """What a check looks at; the families are looked at in this order."""

    MACHINE = "This machine"
    CIVICRM = "CiviCRM"
    CONTROLLER = "The controller"
    ALERTS = "Alerts"


class Name(Enum):
    """Every check there is, with its family, in the order in which they are told."""

    SETTINGS = "settings", Family.MACHINE
    MODES = "file modes", Family.MACHINE
    OWNER = "owner", Family.MACHINE
    JOURNAL = "journal", Family.MACHINE
    JOURNAL_WRITABLE = "journal writable", Family.MACHINE
    AUDIT = "audit file", Family.MACHINE
    STATE = "state file", Family.MACHINE
    DISK = "disk space", Family.MACHINE
    LOCK = "lock", Family.MACHINE

    CIVICRM = "CiviCRM reachable", Family.CIVICRM
    CERTIFICATE = "CiviCRM certificate", Family.CIVICRM
    CIVICRM_CLOCK = "CiviCRM clock", Family.CIVICRM
    CIVICRM_KEY = "CiviCRM key", Family.CIVICRM
    AUTHENTICATE = "right: authenticate with api key", Family.CIVICRM
    ACCESS_CIVICRM = "right: access CiviCRM", Family.CIVICRM
    VIEW_ALL = "right: view all contacts", Family.CIVICRM
    ACCESS_MEMBERS = "right: access CiviMember", Family.CIVICRM
    CUSTOM_DATA = "right: access all custom data", Family.CIVICRM
    CARD_FIELD = "card field", Family.CIVICRM
    STATUSES = "membership statuses", Family.CIVICRM
    TYPES = "membership types", Family.CIVICRM
    JOB = "membership job", Family.CIVICRM
    CANARY_CONTACT = "canary contact", Family.CIVICRM

    CONTROLLER = "controller reachable", Family.CONTROLLER
    FINGERPRINT = "controller fingerprint", Family.CONTROLLER
    CONTROLLER_CLOCK = "controller clock", Family.CONTROLLER
    IDENTITY = "Identity Enterprise", Family.CONTROLLER
    TOKEN = "controller token", Family.CONTROLLER
    PEOPLE = "right: People & Groups: Edit", Family.CONTROLLER
    CREDENTIALS = "right: Credentials: Edit", Family.CONTROLLER
    VIEW_POLICIES = "right: Access Policy: View", Family.CONTROLLER
    VIEW_VISITORS = "right: Visitor: View", Family.CONTROLLER
    VERSION = "controller version", Family.CONTROLLER
    POLICIES = "policies", Family.CONTROLLER
    CANARY_USER = "canary user", Family.CONTROLLER

    FLAG = "flag file", Family.ALERTS
    CHANNEL = "alert channel", Family.ALERTS

    @property
    def title(self) -> str:
        """What people and scripts call it."""
        return self.value[0]

    @property
    def family(self) -> Family:
        """What it looks at."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a checkup. `text` says what is, `remedy` what settles it; empty if nothing does
    or nothing has to be settled. Both are sentences without names, addresses or keys (P12)."""

    name: Name
    verdict: Verdict
    text: str
    remedy: str = ""


def good(name: Name, text: str) -> Check:
    """Return a check that found nothing wrong."""
    return Check(name, Verdict.OK, text)


def warning(name: Name, text: str, remedy: str = "") -> Check:
    """Return a check that found something worth a look, which stops nothing."""
    return Check(name, Verdict.WARN, text, remedy)


def bad(name: Name, text: str, remedy: str) -> Check:
    """Return a check that found a fault."""
    return Check(name, Verdict.BAD, text, remedy)


def not_asked(name: Name, because: str) -> Check:
    """Return a check that could not be made, for no fault of its own."""
    return Check(name, Verdict.UNKNOWN, f"not asked, because {because}")

"""A site on which one fault at a time is injected, found by `doctor`, and mended as it says."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from door_sync.app.checkup.check import Name
from door_sync.simulators.civicrm.permissions import FULL
from door_sync.simulators.civicrm.seed import fresh_world
from door_sync.simulators.civicrm.simulator import CivicrmSimulator
from door_sync.simulators.tls import Certificate, self_signed
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN, UnifiSimulator
from tests.cli.conftest import Ran, Site
from tests.club import Club

TYPES = ("Gold", "Silver", "Supporter", "Day pass")
SHOWN = {"People & Groups": "user", "Credentials": "credential"}
SHOWN |= {"Access Policy": "policy", "Visitor": "visitor"}


@contextmanager
def open_secured_club() -> Iterator[Club]:
    """Start both simulators, CiviCRM with TLS too; yield the club, empty."""
    civicrm, unifi = CivicrmSimulator(fresh_world(types=TYPES)), UnifiSimulator()
    with (
        civicrm.serve(certificate=certificate_of_civicrm()) as civicrm_server,
        unifi.serve() as unifi_server,
    ):
        club = Club(civicrm, unifi, civicrm_server, unifi_server)
        club.reset()
        yield club


def certificate_of_civicrm(until: datetime = datetime(2049, 1, 1, tzinfo=UTC)) -> Certificate:
    """Make a certificate that is trusted where its own file is named."""
    return self_signed("127.0.0.1", san=["127.0.0.1"], until=until)


@dataclass(frozen=True)
class Looked:
    """What `doctor --json` printed, and its exit code."""

    code: int
    checks: tuple[dict[str, str], ...]

    def lines(self, *verdicts: str) -> list[str]:
        """Return the names of the checks with one of these verdicts."""
        return [one["name"] for one in self.checks if one["verdict"] in verdicts]

    def line(self, name: Name) -> dict[str, str]:
        """Return the one line of a check."""
        [found] = [one for one in self.checks if one["name"] == name.title]
        return found

    def verdicts(self) -> list[tuple[str, str]]:
        """Return each name with its verdict."""
        return [(one["name"], one["verdict"]) for one in self.checks]


class Bench:
    """A sound site: two members, canaries on both sides, a rule for each type, one cycle done."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.club = site.club
        self.crm = site.club.civicrm.world
        self.unifi = site.club.unifi.world
        self.ca_file = site.directory / "authority.pem"
        self.trust(certificate_of_civicrm())
        permissions = self.crm.permissions("full")
        permissions.clear()
        permissions.update(FULL)
        self.member = self.club.join(1101)
        self.club.join(1102, "Silver")
        self.settings: dict[str, object] = {
            "civicrm__ca_file": str(self.ca_file),
            "civicrm__canary_contact": self.member,
            "unifi__canary_user": self.club.owner,
        }
        self.without: set[str] = set()
        self.configure()
        self.site.settle()

    def trust(self, certificate: Certificate) -> None:
        """Let CiviCRM show a certificate, and let the site trust it."""
        self.club.civicrm_server.swap_certificate(certificate)
        self.ca_file.write_bytes(certificate.pem_cert)

    def configure(self, **values: object) -> None:
        """Write config.toml as it is when all is well, but for these values; None takes one out."""
        self.site.configure(**{**self.settings, **values})
        taken = [name.partition("__")[2] for name, value in values.items() if value is None]
        lines = self.site.config.read_text().splitlines(keepends=True)
        self.site.config.write_text(
            "".join(line for line in lines if line.split(" = ")[0] not in taken)
        )

    def look(self) -> Looked:
        """Run `doctor --json`."""
        ran: Ran = self.site.run("doctor", "--json")
        assert "Traceback" not in ran.err
        return Looked(ran.code, tuple(json.loads(ran.out)["checks"]))

    def replace_token(self, remedy: str) -> None:
        """Make a new token with the rights that a remedy lists, and put it into the env file."""
        rights = re.findall(r"(People & Groups|Credentials|Access Policy|Visitor): (\w+)", remedy)
        scopes = {f"{level.lower()}:{SHOWN[category]}" for category, level in rights}
        self.unifi.add_token("a-new-token", scopes=scopes)
        self.site.keys(unifi="a-new-token")

    def limit_token(self, *scopes: str) -> None:
        """Give the token these scopes alone."""
        self.unifi.add_token(DEFAULT_TOKEN, scopes=scopes)


Cure = Callable[[str], object]
"""Does what a remedy says, which is handed to it."""

Inject = Callable[[Bench, ExitStack], Cure]
"""Brings a fault about and returns how its remedy is carried out; what must be undone in any case
goes onto the stack."""


@dataclass(frozen=True)
class Case:
    """One fault: the line that it turns, to which verdict, and how it comes about."""

    what: str
    line: Name
    inject: Inject
    verdict: str = "bad"
    unasked: tuple[Name, ...] = ()
    """The lines that cannot be asked any more because of it."""


def prove(bench: Bench, case: Case) -> None:
    """Pin that the fault turns its own line and no other, and that its remedy mends it."""
    sound = bench.look()
    assert (sound.code, sound.lines("bad", "warn")) == (0, [])
    with ExitStack() as undoing:
        cure = case.inject(bench, undoing)
        sick = bench.look()
        assert sick.lines("bad", "warn") == [case.line.title], sick.checks
        line = sick.line(case.line)
        assert line["verdict"] == case.verdict
        assert sick.code == (2 if case.verdict == "bad" else 0)
        unasked = [name for name in sick.lines("unknown") if name not in sound.lines("unknown")]
        assert unasked == [name.title for name in case.unasked]
        for name in case.unasked:
            assert sick.line(name)["text"].startswith("not asked, because ")
        cure(line["remedy"])
        assert bench.look().verdicts() == sound.verdicts()


def commands_of(remedy: str) -> list[str]:
    """Return the commands that a remedy shows."""
    return re.findall(r"`([^`]+)`", remedy)


def run_shown(remedy: str) -> None:
    """Run the one command that a remedy shows; tests need no sudo for their own files."""
    [command] = commands_of(remedy)
    subprocess.run(command.replace("sudo ", ""), shell=True, check=True)


def named_right(remedy: str) -> str:
    """Return the right that a remedy says to give."""
    [right] = re.findall(r'the right "([^"]+)"', remedy)
    return str(right)


def state_of(bench: Bench) -> Mapping[str, Any]:
    """Return the controller's whole state."""
    dumped: Mapping[str, Any] = bench.club.unifi.dump()
    return dumped


def files_of(directory: Path) -> dict[Path, bytes]:
    """Return every file below a directory with its bytes, but for those in which SQLite keeps who
    has the journal open."""
    found = [path for path in directory.rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in found if path.suffix not in (".db-wal", ".db-shm")}

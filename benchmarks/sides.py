"""Both simulated sides as somebody outside meets them, and a site that talks to them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.changes import Event
from benchmarks.club import CARD_FIELD, FACILITY, TIERS

ROOT = Path(__file__).parents[1]
SOURCES = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
CIVICRM_SECONDS, UNIFI_SECONDS = 0.150, 0.020
TRIGGER_SECRET = "of the benchmark alone, on this machine alone"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a side answered; times are seconds of that side's clock."""

    method: str
    target: str
    body: str = field(repr=False)
    is_write: bool
    arrived: float
    answered: float


class Side:
    """One side in its process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.facts = self._line()

    def tell(self, *command: object) -> Any:
        """Give a command and return the answer; raise RuntimeError if the process is gone."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._line()

    def record(self) -> list[Asked]:
        """Return the requests since the last time this was called, oldest first."""
        return [Asked(**entry) for entry in self.tell("record")]

    def cpu_seconds(self) -> float:
        """Return the CPU seconds that the side used so far."""
        return float(self.tell("cpu"))

    def _line(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a simulated side ended by itself")
        return json.loads(line)


@dataclass(frozen=True)
class Sides:
    """Both sides of one club, and the directory of the site between them."""

    members: int
    civicrm: Side
    unifi: Side
    site: Path

    def happen(self, events: list[Event]) -> None:
        """Let these things happen in CiviCRM."""
        self.civicrm.tell("events", [[one.kind, one.person, one.card] for one in events])

    def forget(self) -> None:
        """Forget the requests so far."""
        self.civicrm.record()
        self.unifi.record()


@contextmanager
def club(members: int) -> Iterator[Sides]:
    """Start both sides of a club of so many, and write the files of its site; yield them."""
    with (
        _side("civicrm", members, CIVICRM_SECONDS) as civicrm,
        _side("unifi", members, UNIFI_SECONDS) as unifi,
        TemporaryDirectory(prefix="door-sync-bench-") as directory,
    ):
        sides = Sides(members, civicrm, unifi, Path(directory))
        write_files(sides)
        yield sides


def door_sync(*words: str) -> list[str]:
    """Return the command line of the program."""
    return [sys.executable, "-m", "door_sync", *words]


def surroundings(**more: str) -> dict[str, str]:
    """Return the environment in which this repository's modules are found."""
    return {**os.environ, "PYTHONPATH": SOURCES, **more}


def write_files(sides: Sides, *, listen: str = "") -> None:
    """Write config.toml and .env of the site. Every guard lets everything pass."""
    where, rules = sides.site, "".join(map(_rule, TIERS))
    (where / "config.toml").write_text(
        f"""
[civicrm]
host = "{sides.civicrm.facts["url"]}"
card_id_field = "{CARD_FIELD}"
[unifi]
host = "{sides.unifi.facts["url"]}"
tls_fingerprint = "{sides.unifi.facts["fingerprint"]}"
facility_code = {FACILITY}
email = "sync"
[safety]
mass_deactivate_pct = 1.0
mass_add_pct = 1.0
mass_policy_pct = 1.0
mass_card_pct = 1.0
mass_profile_pct = 1.0
small_site_max = 1000
[ops]
audit_jsonl = "{where}/audit.jsonl"
state_json = "{where}/state.json"
alert_flag = "{where}/alert.flag"
{rules}
"""
        + (f'[daemon]\nlisten = "{listen}"\n' if listen else "")
    )
    env = where / ".env"
    env.write_text(
        f"CIVICRM_API_KEY={sides.civicrm.facts['key']}\nUNIFI_API_KEY={sides.unifi.facts['key']}\n"
        + (f"TRIGGER_SECRET={TRIGGER_SECRET}\n" if listen else "")
    )
    env.chmod(0o600)


def _rule(tier: str) -> str:
    return (
        f'[tier_mapping.rules.{tier}]\nresolution = "tier"\n'
        f'target_policy = "{tier} hours"\nrank = {len(tier)}\n'
    )


@contextmanager
def _side(name: str, members: int, latency: float) -> Iterator[Side]:
    command = [sys.executable, "-m", "benchmarks.serve", name, str(members), str(latency)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=surroundings(), text=True
    ) as process:
        try:
            yield Side(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()

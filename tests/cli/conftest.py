"""A site as its operator has it: two files in a directory, both systems behind real sockets.

Commands run in this process, or as a process of their own where signals, pipes, terminals and
exit codes of the real thing matter.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import stamina
import structlog

from door_sync.cli.entry import main
from door_sync.journal.history import PastCycle
from door_sync.journal.sqlite import SqliteJournal
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.club import CARD_FIELD, FACILITY, RULES, Club, ImpatientClock, open_club

SOURCES = Path(__file__).parents[2] / "src"
PROGRAM = [sys.executable, "-m", "door_sync"]
PATIENCE_SECONDS = 60
"""After so long a process under test counts as hanging."""


@dataclass(frozen=True)
class Ran:
    """What a command left behind: its exit code, and what it printed."""

    code: int
    out: str
    err: str


class Site:
    """One club's door-sync: its two files, and its commands."""

    def __init__(
        self, club: Club, directory: Path, capsys: pytest.CaptureFixture[str] | None = None
    ) -> None:
        self.club = club
        self.directory = directory
        self.config = directory / "config.toml"
        self.env_file = directory / ".env"
        self.audit = directory / "log" / "audit.jsonl"
        self.state = directory / "lib" / "state.json"
        self.journal = directory / "lib" / "history.db"
        self.flag = directory / "run" / "alert.flag"
        self._capsys = capsys
        self.configure()
        self.keys()

    def configure(self, **values: object) -> None:
        """Write config.toml; `unifi__host=…` stands for the key `host` in the table `unifi`."""
        tables: dict[str, dict[str, object]] = {
            "civicrm": {
                "host": self.club.civicrm_server.url,
                "card_id_field": CARD_FIELD,
                "active_statuses": ["Current", "Grace", "New"],
            },
            "unifi": {
                "host": self.club.unifi_server.url,
                "tls_fingerprint": self.club.unifi_server.fingerprint,
                "facility_code": FACILITY,
                "write_interval_ms": 0,
            },
            "safety": {"baseline_floor": 0, "small_site_max": 1000},
            "alert": {"transport": "flag-file"},
            "ops": {
                "audit_jsonl": str(self.audit),
                "state_json": str(self.state),
                "alert_flag": str(self.flag),
            },
        }
        for rule in RULES:
            table = {"resolution": rule.resolution.value, "rank": rule.rank}
            policy = {"target_policy": rule.target_policy} if rule.target_policy else {}
            tables[f'tier_mapping.rules."{rule.key}"'] = {**table, **policy}
        for name, value in values.items():
            table_name, _, key = name.partition("__")
            tables.setdefault(table_name, {})[key] = value
        lines = []
        for table_name, keys in tables.items():
            lines += [f"[{table_name}]", *(f"{key} = {_toml(v)}" for key, v in keys.items())]
        self.config.write_text("\n".join(lines) + "\n")

    def keys(self, *, civicrm: str = "", unifi: str = DEFAULT_TOKEN, mode: int = 0o600) -> None:
        """Write the env file."""
        civicrm = civicrm or self.civicrm_key
        self.env_file.write_text(f"CIVICRM_API_KEY={civicrm}\nUNIFI_API_KEY={unifi}\n")
        self.env_file.chmod(mode)

    @property
    def civicrm_key(self) -> str:
        """The key that CiviCRM accepts."""
        return self.club.civicrm.world.secret_of("full")

    def run(self, *words: str) -> Ran:
        """Run one command in this process; it takes a site that was handed `capsys`."""
        assert self._capsys is not None
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([*self.where(), *words])
        out, err = self._capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Ran(left.value.code, out, err)

    def start(self, *words: str, stderr: int = subprocess.PIPE) -> "subprocess.Popen[str]":
        """Start one command as a process of its own."""
        return subprocess.Popen(
            [*PROGRAM, *self.where(), *words],
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )

    def run_apart(self, *words: str) -> Ran:
        """Run one command as a process of its own, to its end."""
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        return Ran(process.returncode, out, err)

    def where(self) -> list[str]:
        """Return the options that say which site it is."""
        return ["--config", str(self.config), "--env-file", str(self.env_file)]

    def cycles(self) -> list[PastCycle]:
        """Return the journal's cycles, the oldest first."""
        with SqliteJournal.open_read_only(self.journal, self.club.clock) as journal:
            return [*reversed(journal.cycles())]

    def last_event(self) -> str | None:
        """Return the word with which the journal says how the last cycle ended."""
        return self.cycles()[-1].event

    def audit_line(self) -> dict[str, Any]:
        """Return the last line of the audit file."""
        line: dict[str, Any] = json.loads(self.audit.read_text().splitlines()[-1])
        return line

    def state_content(self) -> dict[str, Any]:
        """Return what the state file says."""
        content: dict[str, Any] = json.loads(self.state.read_text())
        return content

    def settle(self) -> None:
        """Run a cycle that must end clean, and forget its requests."""
        ran = self.run("run", "--once")
        assert ran.code == 0, ran.out + ran.err
        self.club.forget()

    def everything_written(self) -> bytes:
        """Return the bytes of every file of the site but the operator's own two."""
        files = [path for path in sorted(self.directory.rglob("*")) if path.is_file()]
        own = {self.config, self.env_file}
        return b"\n".join(path.read_bytes() for path in files if path not in own)


def environment() -> dict[str, str]:
    """Return the environment of a door-sync started from the sources."""
    return {**os.environ, "PYTHONPATH": str(SOURCES), "PYTHONUNBUFFERED": "", "NO_COLOR": "1"}


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=2):
        yield


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Take back what a command did to the process's logging."""
    root, own = logging.getLogger(), logging.getLogger("door_sync")
    handlers, levels = [*root.handlers], (root.level, own.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    """Both simulators, started once for a module."""
    with open_club() as club:
        yield club


@pytest.fixture
def club(running_club: Club) -> Club:
    """An empty club."""
    running_club.clock = ImpatientClock()
    running_club.reset()
    running_club.forget()
    return running_club


@pytest.fixture
def site(club: Club, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Site:
    """The club's site, with its files in an empty directory."""
    return Site(club, tmp_path, capsys)

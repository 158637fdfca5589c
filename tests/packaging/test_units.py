"""The units of systemd: no fault is found in them, they fit the program, and it runs in them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from door_sync.cli.entry import EXIT_USAGE
from door_sync.ports import LockHeld
from door_sync.settings import BadSettings
from door_sync.settings.model import Civicrm, Ops, Unifi
from door_sync.settings.secrets import PURPOSES

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "packaging/systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))
INSTANCE = "hall"
OWN_DIRECTORIES = {
    "StateDirectory": "/var/lib",
    "LogsDirectory": "/var/log",
    "RuntimeDirectory": "/run",
}
MOST_EXPOSED = 2.0
"""On the scale of systemd-analyze security, which ends at 10."""


def settings_of(unit: str, section: str = "Service") -> list[tuple[str, str]]:
    """The settings of a unit's section in their order."""
    text = (UNITS / unit).read_text("utf-8")
    found = re.search(rf"^\[{section}\]\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    lines = [line for line in found[1].splitlines() if line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def values(unit: str, name: str) -> list[str]:
    """What a unit sets one thing to, as often as it does."""
    return [value for setting, value in settings_of(unit) if setting == name]


def analyzer() -> str:
    """systemd-analyze, or a test that is skipped."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return program


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root directory with the units, what they start, and the units that systemd brings."""
    analyzer()
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    (tmp_path / "etc/systemd").mkdir(parents=True)
    shutil.copytree(UNITS, tmp_path / "etc/systemd/system")
    for name in ("usr/local/bin/door-sync", "bin/kill"):
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return tmp_path


def verified(machine: Path, unit: str) -> tuple[int, str]:
    """What `systemd-analyze verify` thinks of a unit: its exit code and its words."""
    unit = unit.replace("@.", f"@{INSTANCE}.")
    ran = subprocess.run(
        [analyzer(), "verify", "--man=no", f"--root={machine}", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("unit", [*SERVICES, *TIMERS])
def test_systemd_finds_no_fault_in_a_unit(machine: Path, unit: str) -> None:
    assert verified(machine, unit) == (0, "")


def test_a_misspelt_setting_would_be_found(machine: Path) -> None:
    analyzer()
    unit = machine / "etc/systemd/system/door-sync.service"
    unit.write_text(unit.read_text().replace("ProtectHome", "ProtectHom"))
    assert "Unknown key 'ProtectHom'" in verified(machine, "door-sync.service")[1]


def exposure(path: Path) -> float:
    """How much of the machine a service could reach, as `systemd-analyze security` counts it."""
    ran = subprocess.run(
        [analyzer(), "security", "--offline=true", "--no-pager", path],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", ran.stdout)
    assert found is not None, ran.stderr
    return float(found[1])


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_exposed_to_little_of_the_machine(unit: str) -> None:
    assert exposure(UNITS / unit) <= MOST_EXPOSED


def test_a_service_that_is_shut_in_by_nothing_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "bare.service").write_text("[Service]\nExecStart=/bin/true\n")
    assert exposure(tmp_path / "bare.service") > MOST_EXPOSED


def hardening(unit: str) -> list[tuple[str, str]]:
    """What shuts a service in, in its order."""
    found = settings_of(unit)
    return found[found.index(("UMask", "0027")) :]


@pytest.mark.parametrize("unit", SERVICES)
def test_all_services_are_shut_in_alike_and_write_to_their_own_directories_only(unit: str) -> None:
    assert hardening(unit) == hardening("door-sync.service")
    assert ("ProtectSystem", "strict") in hardening(unit)
    assert not values(unit, "ReadWritePaths")
    instance = "/%i" if "@" in unit else ""
    assert [values(unit, name) for name in OWN_DIRECTORIES] == [[f"door-sync{instance}"]] * 3
    assert values(unit, "Environment") == [f"DOOR_SYNC_CONFIG_DIR=/etc/door-sync{instance}"]
    assert values(unit, "User") == values(unit, "Group") == ["door-sync"]


def test_the_default_paths_lie_in_the_directories_of_the_service() -> None:
    directories = {
        Path(above, value)
        for name, above in OWN_DIRECTORIES.items()
        for value in values("door-sync.service", name)
    }
    ops = Ops()
    for path in (ops.audit_jsonl, ops.state_json, ops.alert_flag, ops.history_db):
        assert Path(re.sub(r"^/var/run/", "/run/", str(path))).parent in directories


@pytest.mark.parametrize("unit", SERVICES)
def test_every_secret_may_come_as_a_credential_under_its_own_name(unit: str) -> None:
    """Without a path of its own: systemd lets one that is missing pass, the env file has it."""
    site = "door-sync.%i" if "@" in unit else "door-sync"
    assert values(unit, "LoadCredential") == [f"{name}:{site}.{name}" for name in PURPOSES]


@pytest.mark.parametrize("unit", ["door-sync.service", "door-sync@.service"])
def test_a_service_is_not_started_again_for_what_stays_wrong(unit: str) -> None:
    [codes] = values(unit, "RestartPreventExitStatus")
    assert {int(code) for code in codes.split()} == {EXIT_USAGE, BadSettings.exit_code}
    assert values(unit, "Type") == ["notify"]
    [ping] = values(unit, "WatchdogSec")
    assert ping == "5min"
    for table in (Civicrm, Unifi):
        assert table.model_fields["timeout_seconds"].default < 300


def test_a_timer_that_meets_a_running_cycle_has_not_failed() -> None:
    [codes] = values("door-sync-once.service", "SuccessExitStatus")
    assert int(codes) == LockHeld.exit_code


SHUT_IN = """
import ctypes, errno, os, sys
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
jail = ctypes.c_void_p(library.seccomp_init(0x00050000 | errno.EPERM))
for name in sys.argv[1].split(","):
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number >= 0 and library.seccomp_rule_add(jail, 0x7FFF0000, number, 0) != 0:
        sys.exit("rule " + name)
system = ctypes.CDLL(None)
if system.prctl(38, 1, 0, 0, 0) != 0 or library.seccomp_load(jail) != 0:
    sys.exit("no filter")
system.prctl(65, 1, 0, 0, 0)  # no memory that is written and run; older kernels do not know it
os.execv(sys.argv[2], sys.argv[2:])
"""


def system_calls(name: str) -> set[str]:
    """The system calls of one of systemd's groups, or the one of this name."""
    if not name.startswith("@"):
        return {name}
    ran = subprocess.run(
        [analyzer(), "syscall-filter", name], capture_output=True, text=True, check=True
    )
    names = [line.split()[0] for line in ran.stdout.splitlines()[1:] if line.strip()]
    return {call for one in names if one != "#" for call in system_calls(one)}


def allowed_calls() -> set[str]:
    """The system calls that the service may make, as systemd adds its lines up."""
    allowed = system_calls("@default")
    for line in values("door-sync.service", "SystemCallFilter"):
        found = {call for name in line.removeprefix("~").split() for call in system_calls(name)}
        allowed = allowed - found if line.startswith("~") else allowed | found
    return allowed


def shut_in(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with these words under the system calls that the service has."""
    try:
        import ctypes

        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed")
    calls = ",".join(sorted(allowed_calls()))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-c", SHUT_IN, calls, sys.executable, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_needs_no_system_call_that_the_service_lacks() -> None:
    """The demo reads, writes, talks TLS and SQLite, and listens, as the service does."""
    ran = shut_in("-m", "door_sync", "demo")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""


def test_a_system_call_that_the_service_lacks_is_refused_there() -> None:
    ran = shut_in("-c", "import os; os.setpriority(os.PRIO_PROCESS, 0, 5)")
    assert "PermissionError" in ran.stderr

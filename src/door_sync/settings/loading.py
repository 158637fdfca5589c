"""Finds, reads and checks both files, and reports everything that is wrong with them at once."""

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from door_sync.settings.addresses import is_loopback, listen_address
from door_sync.settings.daemon import Daemon
from door_sync.settings.envfile import EnvFile, parse_env_file
from door_sync.settings.faults import BadSettings, Fault
from door_sync.settings.gathering import SecretSources
from door_sync.settings.kinds import Location
from door_sync.settings.model import SMTPS_PORT, Alert, Config, Settings
from door_sync.settings.secrets import Secrets
from door_sync.settings.toml import NotToml, parsed_toml
from door_sync.settings.translating import dotted, faults_of

CONFIG_DIRECTORY = "DOOR_SYNC_CONFIG_DIR"
CONFIG_NAME = "config.toml"
ENV_NAME = ".env"

LARGEST_FILE = 2**20
"""Bytes of either file; the largest honest ones are a hundredth of it."""

_SERVES_NOTHING = (
    "daemon.listen serves nothing: put TRIGGER_SECRET into the env file, or set "
    "daemon.metrics = true"
)
_OPEN_TO_OTHERS = (
    "daemon.listen is open to other machines, without TLS: listen on 127.0.0.1, and let a web "
    "server with TLS pass /hooks/sync on"
)
_OTHERS_MAY_READ_OR_WRITE = stat.S_IROTH | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that can be used, and what is worth a warning nevertheless."""

    settings: Settings
    warnings: tuple[str, ...]


def find_files(
    config: str | Path | None, env_file: str | Path | None, environ: Mapping[str, str]
) -> tuple[Path, Path]:
    """Return where settings and secrets are looked for: where the caller says, else under their
    usual names in DOOR_SYNC_CONFIG_DIR, else in the working directory (§8)."""
    directory = Path(environ.get(CONFIG_DIRECTORY) or Path.cwd())
    return (
        Path(config) if config else directory / CONFIG_NAME,
        Path(env_file) if env_file else directory / ENV_NAME,
    )


def load_settings(config_path: Path, env_path: Path, environ: Mapping[str, str]) -> Loaded:
    """Read settings and secrets; raise BadSettings with every fault of both.

    Relative paths inside the settings start at the directory of `config_path`, so that a site is
    the same whoever starts a command and from where. A missing env file is no fault by itself:
    the secrets may come from the environment or from systemd's credentials.
    """
    written, config, faults = read_config(config_path)
    env_file = read_env_file(env_path)
    sources = SecretSources(env_file, env_path, environ)
    secrets = sources.secrets(config.alert.transport if config else transport_of(written))
    faults += [*env_file.faults, *sources.faults]
    if config is None or secrets is None or faults:
        raise BadSettings(faults)
    settings = Settings(
        cadence_seconds=config.cadence_seconds,
        civicrm=config.civicrm,
        unifi=config.unifi,
        safety=config.safety,
        tier_mapping=config.tier_mapping,
        alert=config.alert,
        ops=config.ops,
        daemon=config.daemon,
        secrets=secrets,
    )
    warnings = (
        env_file.warnings,
        _exposed(env_path),
        in_the_clear(settings.alert, secrets),
        about_listening(settings.daemon, secrets),
    )
    return Loaded(settings, tuple(chain(*warnings)))


def about_listening(daemon: Daemon, secrets: Secrets) -> tuple[str, ...]:
    """Warn of a listener that serves nobody, or is open to everybody."""
    if daemon.listen is None:
        is_idle = secrets.trigger_secret is not None
        return ("TRIGGER_SECRET has no use without daemon.listen",) if is_idle else ()
    if secrets.trigger_secret is None and not daemon.metrics:
        return (_SERVES_NOTHING,)
    if is_loopback(listen_address(daemon.listen).host):
        return ()
    return (_OPEN_TO_OTHERS,)


def in_the_clear(alert: Alert, secrets: Secrets) -> tuple[str, ...]:
    """Warn of a password that would travel to another machine for everybody to read."""
    smtp = alert.smtp
    if alert.transport != "smtp" or smtp is None or secrets.smtp_password is None:
        return ()
    if smtp.starttls or smtp.port == SMTPS_PORT or is_loopback(smtp.host):
        return ()
    text = "alert.smtp.starttls = false sends SMTP_PASSWORD over the network for everybody to read"
    return (f"{text}: set it to true, or use port {SMTPS_PORT}",)


def read_config(path: Path) -> tuple[dict[str, Any], Config | None, list[Fault]]:
    """Return config.toml as written, as validated (None if it is not valid), and its faults."""
    remedy = "Begin with a copy of config.example.toml, or name the file with --config."
    try:
        written = parsed_toml(_read_text(path, remedy))
    except _Unreadable as unreadable:
        return {}, None, [unreadable.fault]
    except NotToml as error:
        return {}, None, [_syntax_fault(path, error)]
    faults: list[Fault] = []
    values = _without_dates(written, (), faults)
    try:
        config = Config.model_validate_json(
            json.dumps(values), context={"directory": path.absolute().parent}
        )
    except ValidationError as error:
        told = {fault.key_path for fault in faults}
        faults += [fault for fault in faults_of(error, written) if fault.key_path not in told]
        return written, None, faults
    if config.civicrm.ca_file is not None and not _is_file(config.civicrm.ca_file):
        problem = f"names a file that does not exist: {config.civicrm.ca_file}"
        faults.append(Fault("civicrm.ca_file", problem, "Correct the path, or remove the line."))
    return written, config, faults


def transport_of(written: Mapping[str, Any]) -> str | None:
    """Return the transport as written, so that its secrets are asked for beside other faults."""
    alert = written.get("alert")
    transport = alert.get("transport") if isinstance(alert, dict) else None
    return transport if isinstance(transport, str) else None


def read_env_file(path: Path) -> EnvFile:
    """Return what the env file says, with its faults and warnings."""
    try:
        return parse_env_file(_read_text(path, "Name the file with --env-file."), str(path))
    except _Missing:
        return EnvFile(exists=False)
    except _Unreadable as unreadable:
        return EnvFile(faults=(unreadable.fault,))


def _exposed(path: Path) -> tuple[str, ...]:
    """Warn of an env file that every user of this machine may read or change."""
    try:
        exposed = path.stat().st_mode & _OTHERS_MAY_READ_OR_WRITE
    except OSError:
        return ()
    text = f"Every user of this machine can read or change {path}: run chmod 600 {path}"
    return (text,) if exposed else ()


class _Unreadable(Exception):
    """A file cannot be read as text; `fault` says why."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.fault = Fault(str(path), problem, remedy)


class _Missing(_Unreadable):
    """There is no such file."""


def _read_text(path: Path, remedy: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise _Missing(path, "does not exist", remedy) from None
    except IsADirectoryError:
        raise _Unreadable(path, "is a directory, not a file", remedy) from None
    except PermissionError:
        remedy = "Give the file to the user that runs door-sync (chown), or run it as that user."
        raise _Unreadable(path, "may not be read by this user", remedy) from None
    except OSError as error:
        raise _Unreadable(path, f"cannot be read: {error.strerror}", remedy) from None
    if len(raw) > LARGEST_FILE:
        problem = f"is larger than {LARGEST_FILE:,} bytes"
        raise _Unreadable(path, problem, "It is hardly the file meant: name the right one.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
    raise _Unreadable(
        path, f"is not UTF-8 text (line {line})", "Save it again with the encoding UTF-8."
    )


def _syntax_fault(path: Path, error: NotToml) -> Fault:
    place = f" at {error.place}" if error.place else ""
    return Fault(
        str(path),
        f"is not valid TOML{place}: {error.problem}",
        "Text stands in quotes, each key on its own line, each table name in [brackets].",
    )


def _without_dates(value: Any, location: Location, faults: list[Fault]) -> Any:
    """Take dates and times out, noting them: no key has one, and JSON knows none."""
    if isinstance(value, date | time):
        problem = "is a date or a time, and no setting is"
        faults.append(Fault(dotted(location), problem, "Put it in quotes if it is meant as text."))
        return None
    if isinstance(value, dict):
        return {
            name: kept
            for name, inner in value.items()
            if (kept := _without_dates(inner, (*location, name), faults)) is not None
        }
    if isinstance(value, list):
        return [_without_dates(entry, (*location, at), faults) for at, entry in enumerate(value)]
    return value


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a directory on the way may not be entered
        return False

"""What is known of a site although its configuration has faults: for looking, never for a cycle.

A cycle needs both files without a fault (`loading`). A checkup wants to ask what can be asked
nevertheless: each table of config.toml and each secret stands for itself here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from door_sync.settings.envfile import EnvFile
from door_sync.settings.faults import BadSettings, Fault
from door_sync.settings.fields import Section
from door_sync.settings.gathering import SecretSources
from door_sync.settings.loading import (
    about_listening,
    in_the_clear,
    load_settings,
    read_config,
    read_env_file,
    transport_of,
)
from door_sync.settings.model import Alert, Civicrm, Ops, Settings, TierMapping, Unifi
from door_sync.settings.secrets import CIVICRM_API_KEY, UNIFI_API_KEY, Secret, Secrets

_SPARE: Final[Mapping[type[Section], Mapping[str, object]]] = {Unifi: {"facility_code": 0}}
"""Keys without a default that nobody needs who writes no card."""

_Table = TypeVar("_Table", bound=Section)


@dataclass(frozen=True, slots=True)
class KnownSettings:
    """The tables and secrets without a fault that matters to them; None for one that has any.

    `faults` is everything that is wrong with both files, `warnings` what is worth one; who may
    read the files is not among them.
    `alert_secrets` are good for alerts alone: both keys in them are blank if one has a fault.
    `config_path` and `env_path` are where they are, None where nobody says.
    """

    civicrm: Civicrm | None
    unifi: Unifi | None
    tier_mapping: TierMapping | None
    alert: Alert | None
    ops: Ops | None
    civicrm_api_key: Secret | None
    unifi_api_key: Secret | None
    alert_secrets: Secrets | None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    config_path: Path | None = None
    env_path: Path | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether not one table could be read, so that nothing can be looked at."""
        return not any((self.civicrm, self.unifi, self.tier_mapping, self.alert, self.ops))


def known_of(
    settings: Settings, config_path: Path | None = None, env_path: Path | None = None
) -> KnownSettings:
    """Return settings without a fault in the form that a checkup takes."""
    return KnownSettings(
        civicrm=settings.civicrm,
        unifi=settings.unifi,
        tier_mapping=settings.tier_mapping,
        alert=settings.alert,
        ops=settings.ops,
        civicrm_api_key=settings.secrets.civicrm_api_key,
        unifi_api_key=settings.secrets.unifi_api_key,
        alert_secrets=settings.secrets,
        warnings=(
            *in_the_clear(settings.alert, settings.secrets),
            *about_listening(settings.daemon, settings.secrets),
        ),
        config_path=config_path,
        env_path=env_path,
    )


def know_settings(config_path: Path, env_path: Path, environ: Mapping[str, str]) -> KnownSettings:
    """Read settings and secrets as far as they can be read; raise nothing for what is wrong."""
    try:
        settings = load_settings(config_path, env_path, environ).settings
    except BadSettings as bad:
        faults = bad.faults
    else:
        known = known_of(settings, config_path, env_path)
        own = read_env_file(env_path).warnings
        return replace(known, warnings=(*own, *known.warnings))
    written, _, _ = read_config(config_path)
    env_file = read_env_file(env_path)
    sources = SecretSources(env_file, env_path, environ)
    secrets = sources.secrets(transport_of(written)) or _alert_secrets(
        env_file, env_path, environ, transport_of(written)
    )
    directory = config_path.absolute().parent
    alert = _table(Alert, "alert", written, directory)
    clear = in_the_clear(alert, secrets) if alert is not None and secrets is not None else ()
    return KnownSettings(
        civicrm=_table(Civicrm, "civicrm", written, directory),
        unifi=_table(Unifi, "unifi", written, directory),
        tier_mapping=_table(TierMapping, "tier_mapping", written, directory),
        alert=alert,
        ops=_table(Ops, "ops", written, directory),
        civicrm_api_key=sources.one(CIVICRM_API_KEY),
        unifi_api_key=sources.one(UNIFI_API_KEY),
        alert_secrets=secrets,
        faults=faults,
        warnings=(*env_file.warnings, *clear),
        config_path=config_path,
        env_path=env_path,
    )


def _alert_secrets(
    env_file: EnvFile, env_path: Path, environ: Mapping[str, str], transport: str | None
) -> Secrets | None:
    blank = dict.fromkeys((CIVICRM_API_KEY, UNIFI_API_KEY), "-")
    others = replace(env_file, values={**env_file.values, **blank})
    return SecretSources(others, env_path, environ).secrets(transport)


def _table(
    kind: type[_Table], name: str, written: Mapping[str, Any], directory: Path
) -> _Table | None:
    """Return a table, with the default for each key that is wrong and has one."""
    if not written:  # no file, or none that can be read: what is in it is not known
        return None
    values = written.get(name, {})
    if not isinstance(values, dict):
        return None
    try:
        return _validated(kind, values, directory)
    except ValidationError as error:
        wrong = {details["loc"][0] for details in error.errors() if details["loc"]}
    kept = {key: value for key, value in values.items() if key not in wrong}
    spare = {key: value for key, value in _SPARE.get(kind, {}).items() if key in wrong}
    try:
        return _validated(kind, {**kept, **spare}, directory)
    except ValidationError:
        return None


def _validated(kind: type[_Table], values: Mapping[str, object], directory: Path) -> _Table:
    # A date is no JSON, and no key is one: as a text it is a wrong value like any other.
    document = json.dumps(values, default=str)
    return kind.model_validate_json(document, context={"directory": directory})

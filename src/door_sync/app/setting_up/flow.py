"""The whole of setting a site up: ask both sides, decide, and write both files at the end.

Nothing is written before the last answer, so that whoever stops on the way finds everything as it
was.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from pydantic import ValidationError

from door_sync.app.setting_up import checks
from door_sync.app.setting_up import question as q
from door_sync.app.setting_up.alerts_side import AlertsSide, ask_alerts, needed
from door_sync.app.setting_up.civicrm_side import CivicrmSide, ask_civicrm
from door_sync.app.setting_up.controller_side import ControllerSide, ask_controller
from door_sync.app.setting_up.files import CONFIG_MODE, ENV_MODE, NewFile, lost, write_together
from door_sync.app.setting_up.interview import Interview
from door_sync.app.setting_up.mapping import ask_rules
from door_sync.ports import Clock, DoorSyncError
from door_sync.settings import BadSettings, secrets
from door_sync.settings.envfile import parse_env_file
from door_sync.settings.loading import read_env_file
from door_sync.settings.model import Config
from door_sync.settings.translating import faults_of
from door_sync.settings.writing import RuleWritten, config_text, env_text

_PLACES: Final = ("audit_jsonl", "state_json", "alert_flag")
LAYOUTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "here": ("audit.jsonl", "state.json", "alert.flag"),
    "system": (
        "/var/log/door-sync/audit.jsonl",
        "/var/lib/door-sync/state.json",
        "/var/run/door-sync/alert.flag",
    ),
}
"""Where the audit file, the state file (and the journal beside it) and the flag go."""


class AlreadyThere(DoorSyncError):
    """A file exists, and nobody said that it may be replaced."""

    exit_code: ClassVar[int] = 64


class NotWanted(DoorSyncError):
    """A person said no at the end."""


@dataclass(frozen=True)
class Place:
    """Where the two files go; `force` lets existing ones be replaced unasked; `is_system` proposes
    the places of a service."""

    config: Path
    env: Path
    force: bool
    is_system: bool

    @property
    def existing(self) -> list[Path]:
        """Those that are there already."""
        return [path for path in (self.config, self.env) if path.exists()]


def set_up(interview: Interview, place: Place, clock: Clock) -> None:
    """Ask everything and write both files; raise DoorSyncError with nothing written otherwise."""
    _begin(interview, place)
    civicrm = ask_civicrm(interview, clock)
    controller = ask_controller(interview, clock)
    rules = ask_rules(interview, civicrm.survey.types, controller.survey.policies)
    alerts = ask_alerts(interview)
    layout = _ask_layout(interview, place)
    config = _config(civicrm, controller, rules, alerts, layout)
    env = _env(civicrm, controller, alerts, place.env)
    _check(config, env, place)
    _confirm(interview, place, config)
    files = [NewFile(place.env, env, ENV_MODE), NewFile(place.config, config, CONFIG_MODE)]
    kept = write_together(files, clock.now())
    interview.lines(["", f"Written: {place.config} (settings) and {place.env} (keys, mode 600)."])
    interview.lines(f"The former one is kept as {path}." for path in kept)
    if alerts.values["alert", "transport"] != "flag-file":
        interview.say("`door-sync notify-test` sends a test message by the channel chosen.")


def _begin(interview: Interview, place: Place) -> None:
    existing = " and ".join(map(str, place.existing))
    if existing and not interview.is_attended and not place.force:
        raise AlreadyThere(
            f"there already: {existing}",
            remedy="With --force both files are replaced, and the former ones kept beside them, "
            "with .bak and the date behind their names. Or name other files with --config and "
            "--env-file.",
        )
    transport = interview.answers.values.get(q.TRANSPORT.key, q.TRANSPORT.default or "")
    trusts = interview.answers.values.get(q.TRUST_SHOWN.key) == "yes"
    always = [one for one in q.QUESTIONS.values() if not one.only_with]
    wanted = [one for one in always if one is not q.FINGERPRINT or not trusts]
    interview.require([*wanted, *needed(transport)])
    interview.say(
        "This asks for the two systems, looks at what they have, proposes the rest, and writes "
        f"{place.config} and {place.env}. Nothing is written before the end, and nothing is "
        "changed in either system. Ctrl-C stops at any time."
    )
    if existing:
        interview.say(
            f"There already: {existing}. Their answers are proposed once more, and you are asked "
            "before anything is replaced."
        )


def _ask_layout(interview: Interview, place: Place) -> str:
    interview.title("Files")
    before = tuple(interview.former.values.get(f"ops.{key}") for key in _PLACES)
    usual = "system" if place.is_system else "here"
    proposal = next((name for name, paths in LAYOUTS.items() if paths == before), usual)
    return interview.ask(q.LAYOUT, checks.one_of(q.LAYOUT), proposal=proposal)


def _config(
    civicrm: CivicrmSide,
    controller: ControllerSide,
    rules: Mapping[str, RuleWritten],
    alerts: AlertsSide,
    layout: str,
) -> str:
    values: dict[tuple[str, ...], object] = {
        ("civicrm", "host"): civicrm.host,
        ("civicrm", "card_id_field"): civicrm.card_field,
        ("civicrm", "active_statuses"): civicrm.statuses,
        ("unifi", "host"): controller.host,
        ("unifi", "tls_fingerprint"): controller.fingerprint,
        ("unifi", "facility_code"): controller.facility,
        ("unifi", "email"): controller.email,
        **{("ops", key): path for key, path in zip(_PLACES, LAYOUTS[layout], strict=True)},
        **alerts.values,
    }
    if civicrm.auth != q.CIVICRM_AUTH.default:
        values["civicrm", "auth"] = civicrm.auth
    if civicrm.path != q.CIVICRM_PATH.default:
        values["civicrm", "path"] = civicrm.path
    head = (
        "Settings of door-sync, written by `door-sync init`. Lines that begin with # and a word of "
        "their own are the defaults: take the # away to change one. Keys and passwords do not "
        "belong here but into the env file. After a change: `door-sync doctor`, then `door-sync "
        "plan`."
    )
    return config_text(values, rules, head)


def _env(civicrm: CivicrmSide, controller: ControllerSide, alerts: AlertsSide, path: Path) -> str:
    """Return the env file, with what a former one held besides: init does not ask for all."""
    former = read_env_file(path).values
    kept = {name: former[name] for name in secrets.PURPOSES if former.get(name)}
    new = {
        secrets.CIVICRM_API_KEY: civicrm.key,
        secrets.UNIFI_API_KEY: controller.token,
        **alerts.secrets,
    }
    return env_text({**kept, **new})


def _check(config: str, env: str, place: Place) -> None:
    """Raise BadSettings, before anything is written, for files that could not be read again."""
    written = tomllib.loads(config)
    directory = place.config.absolute().parent
    faults = [*parse_env_file(env, str(place.env)).faults]
    try:
        Config.model_validate_json(json.dumps(written), context={"directory": directory})
    except ValidationError as error:
        faults += faults_of(error, written)
    if faults:
        raise BadSettings(faults)


def _confirm(interview: Interview, place: Place, config: str) -> None:
    interview.lines([""])
    for path in place.existing:
        if path == place.config:
            changes = lost(path.read_text("utf-8", errors="replace"), config)
            interview.lines([f"{path} would be replaced. The former one is kept beside it."])
            interview.lines(f"  {line}" for line in changes)
        else:
            interview.say(
                f"{path} would be replaced. Keys that were not asked for here stay in it; the "
                "former one is kept beside it."
            )
    if place.existing and place.force:
        return
    prompt = "Replace them, and write both files" if place.existing else "Write both files"
    if not interview.yes(f"{prompt}? (yes, no)", proposal=not place.existing):
        raise NotWanted("nothing was written", remedy="Begin anew with `door-sync init`.")

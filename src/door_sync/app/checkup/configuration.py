"""Whether both configuration files are good, and whether the right people may read them."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from door_sync.app.checkup.check import Check, Name, bad, good, not_asked, warning
from door_sync.app.sentences import sentence
from door_sync.settings.known import KnownSettings

_SECRET: Final = stat.S_IRWXO | stat.S_IWGRP
"""What must not be allowed on the env file: anything to everybody, writing to its group."""

_WRITTEN: Final = stat.S_IWOTH
"""What must not be allowed on config.toml: whoever writes it says where the keys are sent."""

_PRIVATE: Final = stat.S_IRWXO | stat.S_IRWXG
"""What must not be allowed on the journal: the site's key is in it (P12)."""


def configuration_checks(known: KnownSettings) -> Iterator[Check]:
    """Yield one line for each fault of the two files, or one that there is none; then the modes
    and the owner of the files."""
    for fault in known.faults:
        yield bad(Name.SETTINGS, f"{fault.key_path} {fault.problem}", fault.remedy)
    for text in known.warnings:
        yield warning(Name.SETTINGS, text)
    if not known.faults and not known.warnings:
        yield good(Name.SETTINGS, "config.toml and the secrets have no fault")
    yield _modes(known)
    yield _owner(known)


def _modes(known: KnownSettings) -> Check:
    journal = known.ops.history_db if known.ops is not None else None
    guarded = (
        (known.env_path, _SECRET, "600"),
        (known.config_path, _WRITTEN, "o-w"),
        (journal, _PRIVATE, "600"),
    )
    exposed = [
        (path, mode)
        for path, unwanted, mode in guarded
        if path is not None and (found := _stat(path)) is not None and found.st_mode & unwanted
    ]
    if not exposed:
        return good(Name.MODES, "nobody else may read the secrets or change the settings")
    names = " and ".join(str(path) for path, _ in exposed)
    commands = " && ".join(f"chmod {mode} {path}" for path, mode in exposed)
    return bad(
        Name.MODES,
        f"other users of this machine can read or change {names}",
        f"Run `{commands}`. If strangers have accounts here, make new keys, too.",
    )


def _owner(known: KnownSettings) -> Check:
    """A command that is run as root by mistake leaves files that the service cannot write to."""
    if known.ops is None:
        return not_asked(Name.OWNER, faults_in(known, "ops"))
    ops, own = known.ops, os.geteuid()
    files = (ops.history_db, ops.state_json, ops.audit_jsonl, ops.history_db.parent)
    for path in files:
        found = _stat(path)
        if found is not None and found.st_uid != own:
            owner, me = _name(found.st_uid), _name(own)
            return warning(
                Name.OWNER,
                f"{path} belongs to {owner}, and this command is run as {me}",
                f"Run door-sync as {owner} (sudo -u {owner} …). If {me} is the user that runs it "
                f"by right: `sudo chown {me} {path}`.",
            )
    return good(Name.OWNER, f"the files belong to {_name(own)}, who runs this command")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def faults_in(known: KnownSettings, table: str) -> str:
    """Return why a table of config.toml cannot be used, to go on from "because"."""
    for fault in known.faults:
        if fault.key_path == table or fault.key_path.startswith(f"{table}."):
            return f"{fault.key_path} in config.toml {sentence(fault.problem).rstrip('.')}"
    return "config.toml cannot be read"

"""Writes both files for a new site: every key with its comment, what was decided filled in.

The comments are those of the sample files. A key that nobody decided stands there as a comment
with its default, so that whoever opens the file finds it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from door_sync.settings import kinds
from door_sync.settings.fields import Section
from door_sync.settings.model import Rule
from door_sync.settings.reference import comment, described, doc_of, value_keys
from door_sync.settings.secrets import PURPOSES

Path = tuple[str, ...]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_VALUE: Final = re.compile(r"[A-Za-z0-9_./:@%+=,~^-]+")


@dataclass(frozen=True, slots=True)
class RuleWritten:
    """One table of rules."""

    resolution: str
    target_policy: str | None
    rank: int


def config_text(values: Mapping[Path, object], rules: Mapping[str, RuleWritten], head: str) -> str:
    """Given what was decided by the path of its key, and the rules by membership type, return a
    config.toml. `head` is a sentence that stands on top as a comment.

    Required keys must be among the values. A table of [alert] is written if it has a value.
    """
    lines = [*comment(head), ""]
    for path, table in kinds.tables():
        if table is Rule:
            lines += _rules(rules)
        elif (
            path[:1] != ("alert",) or len(path) == 1 or any(p[: len(path)] == path for p in values)
        ):
            lines += _table(path, table, values)
    return "\n".join(lines).rstrip("\n") + "\n"


def env_text(secrets: Mapping[str, str]) -> str:
    """Given secrets by name, return an env file with them, and the others as comments."""
    lines = comment("Secrets of door-sync, for the user alone that runs it (mode 600).")
    for name, purpose in PURPOSES.items():
        lines += ["", *comment(purpose[0].upper() + purpose[1:])]
        lines.append(f"{name}={_in_env(secrets[name])}" if name in secrets else f"#{name}=")
    return "\n".join(lines) + "\n"


def in_toml_key(name: str) -> str:
    """Write the name of a key or table as TOML does, with quotes where it needs them."""
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _is_wanted(path: Path, values: Mapping[Path, object]) -> bool:
    is_channel = path[:1] == ("alert",) and len(path) > 1
    return not is_channel or any(decided[: len(path)] == path for decided in values)


def _table(path: Path, table: type[Section], values: Mapping[Path, object]) -> Iterator[str]:
    keys = list(value_keys(table))
    if path and not keys:
        return
    if path:
        yield from comment(doc_of(table))
        yield f"[{'.'.join(path)}]"
    for name, info in keys:
        yield from comment(described(info))
        if (*path, name) in values:
            yield f"{name} = {kinds.in_toml(values[(*path, name)])}"
        else:
            mark = "#" if kinds.is_commented(info) else ""
            yield f"{mark}{name} = {kinds.in_toml(kinds.example_value(info))}"
    yield ""


def _rules(rules: Mapping[str, RuleWritten]) -> Iterator[str]:
    yield from comment(doc_of(Rule))
    for name, info in value_keys(Rule):
        yield from comment(f"{name}: {described(info)}")
    for name, rule in rules.items():
        yield f"[tier_mapping.rules.{in_toml_key(name)}]"
        yield f"resolution = {kinds.in_toml(rule.resolution)}"
        if rule.target_policy is not None:
            yield f"target_policy = {kinds.in_toml(rule.target_policy)}"
        yield f"rank = {rule.rank}"
        yield ""


def _in_env(value: str) -> str:
    """Write a value as every reader of env files understands it (see `envfile`)."""
    if _PLAIN_VALUE.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

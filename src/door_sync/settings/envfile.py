"""The env file: KEY=VALUE by the line, as shells, systemd and containers read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from door_sync.settings.faults import Fault

_ASSIGNMENT = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<rest>.*)")
_SINGLE = re.compile(r"'(?P<value>[^']*)'(?P<behind>.*)")
_DOUBLE = re.compile(r'"(?P<value>(?:[^"\\]|\\.)*)"(?P<behind>.*)')
_ESCAPE = re.compile(r"\\(.)")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_REMEDY = "Each line is NAME=value, a comment that begins with #, or empty."


@dataclass(frozen=True)
class EnvFile:
    """What an env file says. `lines` tells where each name was last set; `exists`, whether there
    is a file at all. Its repr is mute: the values are secrets."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    exists: bool = True


def parse_env_file(text: str, place: str) -> EnvFile:
    """Given the text of an env file and what to call it, return its names and values.

    Quotes around a value are taken off; inside double ones a backslash lets the next character
    stand for itself. Without quotes a blank and # begin a comment. The last of several lines for
    one name counts, with a warning. A malformed line is a fault that gives its number alone.
    """
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    faults: list[Fault] = []
    warnings: list[str] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{place} line {number}"
        found = _ASSIGNMENT.fullmatch(line)
        if found is None:
            faults.append(Fault(where, "is not of the form NAME=value", _REMEDY))
            continue
        value = _value(found["rest"])
        if value is None:
            problem = "has a quote without its partner, or something behind the closing quote"
            faults.append(Fault(where, problem, _REMEDY))
            continue
        name = found["name"]
        if name in values:
            warnings.append(
                f"{where} sets the same name as line {lines[name]}; the last one counts."
            )
        values[name], lines[name] = value, number
    return EnvFile(values, lines, tuple(faults), tuple(warnings))


def _value(rest: str) -> str | None:
    for quote, pattern in (("'", _SINGLE), ('"', _DOUBLE)):
        if rest.startswith(quote):
            quoted = pattern.fullmatch(rest)
            if quoted is None or _COMMENT.sub("", quoted["behind"]).strip():
                return None
            inside = quoted["value"]
            return inside if quote == "'" else _ESCAPE.sub(r"\1", inside)
    return _COMMENT.sub("", rest).strip()

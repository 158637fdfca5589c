"""Turns what pydantic finds into faults: key path, plain words, remedy."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from door_sync.settings import kinds
from door_sync.settings.faults import Fault
from door_sync.settings.kinds import Location
from door_sync.settings.secrets import (
    APPRISE_URLS,
    CIVICRM_API_KEY,
    MAILGUN_API_KEY,
    PURPOSES,
    SMTP_PASSWORD,
    SMTP_USERNAME,
    UNIFI_API_KEY,
)

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")
_LONGEST_KEY = 80
_FOLLOW_UP = "default_factory_not_called"  # another fault of the same table is told already
_WRONG_KIND = {
    "int_type",
    "int_from_float",
    "float_type",
    "finite_number",
    "string_type",
    "bool_type",
    "tuple_type",
    "mapping_type",
    "dict_type",
    "model_type",
    "model_attributes_type",
    "path_type",
}
_SECRET_KEYS = {
    ("civicrm",): {"api_key": CIVICRM_API_KEY, "key": CIVICRM_API_KEY, "token": CIVICRM_API_KEY},
    ("unifi",): {"api_key": UNIFI_API_KEY, "key": UNIFI_API_KEY, "token": UNIFI_API_KEY},
    ("alert", "smtp"): {
        "username": SMTP_USERNAME,
        "user": SMTP_USERNAME,
        "password": SMTP_PASSWORD,
    },
    ("alert", "mailgun"): {"api_key": MAILGUN_API_KEY, "key": MAILGUN_API_KEY},
    ("alert", "apprise"): {"urls": APPRISE_URLS, "url": APPRISE_URLS},
}
"""What somebody may call a secret in config.toml, by table."""


def faults_of(error: ValidationError, written: Mapping[str, Any]) -> Iterator[Fault]:
    """Given pydantic's findings and config.toml as it was written, yield a fault for each."""
    for details in error.errors(include_url=False, include_input=False):
        if details["type"] != _FOLLOW_UP:
            location = details["loc"]
            problem, remedy = _told(details, location, _at(written, location))
            yield Fault(dotted(location), problem, remedy)


def dotted(location: Location) -> str:
    """Return a location as a key path in TOML's own writing; entries of lists count from 1."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f" (entry {part + 1})"
        else:
            path += "." if path else ""
            path += part if _BARE_KEY.fullmatch(part) else f'"{_shown(part)}"'
    return path


def _shown(name: str) -> str:
    """Return a key as it may be printed: somebody's table of members may have got here."""
    text = name if name.isprintable() else ascii(name)[1:-1]
    return text if len(text) <= _LONGEST_KEY else f"{text[:_LONGEST_KEY]}…"


def _told(details: ErrorDetails, location: Location, value: object) -> tuple[str, str]:
    context = details.get("ctx", {})
    match details["type"]:
        case "wrong":
            return context["problem"], context["remedy"] or kinds.example_of(location)
        case "missing":
            return "is missing", kinds.example_of(location)
        case "extra_forbidden":
            return _unknown_key(location)
        case kind if kind in _WRONG_KIND:
            problem = f"is {kinds.kind_of_value(value)}, must be {kinds.kind_of_key(location)}"
            return problem, kinds.example_of(location)
        case "less_than_equal" if context["le"] == 1 and isinstance(value, int | float):
            problem = f"is {value}, must be {kinds.kind_of_key(location)}"
            return problem, f"Write {value / 100:g} if you mean {value:g} percent."
        case "greater_than_equal" | "less_than_equal":
            return f"is {value}, must be {kinds.kind_of_key(location)}", kinds.example_of(location)
        case "literal_error":
            choices = f"must be {kinds.kind_of_key(location)}"
            return choices, _nearest_choice(str(value), location)
        case "too_short":
            return "is empty", kinds.example_of(location)
        case _:
            return f"must be {kinds.kind_of_key(location)}", kinds.example_of(location)


def _nearest_choice(value: str, location: Location) -> str:
    near = difflib.get_close_matches(value, kinds.choices_of(location), 1)
    return f'Did you mean "{near[0]}"?' if near else kinds.example_of(location)


def _unknown_key(location: Location) -> tuple[str, str]:
    *table, name = map(str, location)
    secret = _SECRET_KEYS.get(tuple(table), {}).get(name.lower())
    secret = secret or (name.upper() if name.upper() in PURPOSES else None)
    if secret:
        remedy = (
            f"Take the line out and put {secret}=… into the env file. If others could read "
            "config.toml, make a new key and delete this one."
        )
        return "is a secret, and secrets do not belong into config.toml", remedy
    known = kinds.keys_of(tuple(table))
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return "is not a known key", f"Did you mean {dotted((*table, near[0]))}?"
    elsewhere = [dotted(path) for path in kinds.all_keys() if path[-1] == name]
    if elsewhere:
        return "is not a known key of this table", f"Did you mean {' or '.join(elsewhere)}?"
    return "is not a known key", f"Remove it. Known here are: {', '.join(known) or 'none'}."


def _at(written: object, location: Location) -> object:
    for part in location:
        if isinstance(part, int) and isinstance(written, list):
            written = written[part]
        elif isinstance(written, Mapping):
            written = written.get(part)
    return written

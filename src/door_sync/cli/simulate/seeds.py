"""Seed files, read and checked: what is wrong with one is said with its place."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from door_sync.files import explain
from door_sync.ports import DoorSyncError
from door_sync.simulators.civicrm import World as Site
from door_sync.simulators.civicrm import load_world
from door_sync.simulators.civicrm.records import Record
from door_sync.simulators.unifi import UnifiSimulator
from door_sync.simulators.unifi.envelope import Refusal

LoadedT = TypeVar("LoadedT")
Document = dict[str, Any]

_CIVICRM_SECTIONS: Final = (
    "custom_groups",
    "membership_types",
    "membership_statuses",
    "contacts",
    "memberships",
    "groups",
    "keys",
    "jobs",
    "job_log",
)
_CIVICRM_KEYS: Final = ("card_field", *_CIVICRM_SECTIONS)
_UNIFI_SECTIONS: Final = (
    "doors",
    "door_groups",
    "schedules",
    "policies",
    "users",
    "visitors",
    "groups",
    "cards",
    "tokens",
)
"""Sections in the order in which the simulators load them: a row needs those before it only."""

_TABLES: Final = (
    "contacts",
    "emails",
    "membership_types",
    "membership_statuses",
    "memberships",
    "custom_groups",
    "custom_fields",
    "groups",
    "jobs",
    "job_log",
    "keys",
)
_REFUSED: Final = (ValueError, LookupError, TypeError, AttributeError, Refusal)
"""What the loaders raise for a row that makes no sense; only the first two say what it is."""


class BadSeed(DoorSyncError):
    """A seed file cannot be used."""

    exit_code: ClassVar[int] = 78

    def __init__(self, path: Path, problem: str, side: str, *, remedy: str = "") -> None:
        form = f"Mend it; `door-sync simulate {side} --seed-format` prints what a seed may hold."
        super().__init__(f"the seed {path} cannot be used: {problem}", remedy=remedy or form)


def civicrm_site(path: Path) -> Site:
    """Return the CiviCRM site that a file describes; raise BadSeed."""
    document = _read(path, "civicrm")
    if (problem := _misshapen(document)) is not None:
        raise BadSeed(path, problem, "civicrm")
    return load_seed(path, "civicrm", document, _CIVICRM_SECTIONS, _checked_site)


def unifi_controller(path: Path, *, journal_limit: int | None = None) -> UnifiSimulator:
    """Return the simulator of the controller that a file describes; raise BadSeed."""

    def load(rows: Document) -> UnifiSimulator:
        return UnifiSimulator.from_seed(rows, journal_limit=journal_limit)

    return load_seed(path, "unifi", _read(path, "unifi"), _UNIFI_SECTIONS, load)


def _read(path: Path, side: str) -> Document:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        remedy = "Look at the path behind --seed."
        raise BadSeed(path, "there is no such file", side, remedy=remedy) from error
    except OSError as error:
        what, remedy = explain(error)
        raise BadSeed(path, what, side, remedy=remedy) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadSeed(path, f"it is no JSON: {error.msg} ({place})", side) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise BadSeed(path, "it is no JSON in UTF-8", side) from error
    if not isinstance(document, dict):
        raise BadSeed(path, "it must hold an object: {…}", side)
    return document


def load_seed(
    path: Path,
    side: str,
    document: Document,
    sections: Sequence[str],
    load: Callable[[Document], LoadedT],
) -> LoadedT:
    """Return what `load` makes of a document; raise BadSeed with the place of what it refuses.

    `sections` are the document's lists, in the order in which `load` goes through them.
    """
    try:
        return load(document)
    except ValidationError as error:
        problem = "; ".join(_details(error))
    except _REFUSED as error:
        place = _first_bad_row(document, sections, load)
        problem = f"{place}{_reason(error)}"
    raise BadSeed(path, problem, side)


def _first_bad_row(
    document: Document, sections: Sequence[str], load: Callable[[Document], object]
) -> str:
    """Return the place of the first row that the loader refuses, empty if no row is to blame.

    The loaders do not say where they were; rows need only those before them, so that every
    document cut off behind the bad row fails, and every one cut off before it loads.
    """
    rows = [(name, at) for name in sections for at in range(len(document.get(name, ())))]
    good, bad = 0, len(rows)
    if not _loads(_cut(document, rows, good), load):
        return ""
    while bad - good > 1:
        middle = (good + bad) // 2
        if _loads(_cut(document, rows, middle), load):
            good = middle
        else:
            bad = middle
    name, at = rows[bad - 1]
    return f"{name}, row {at + 1}: "


def _cut(document: Document, rows: Sequence[tuple[str, int]], keep: int) -> Document:
    kept = set(rows[:keep])
    names = {name for name, _ in rows}
    return document | {
        name: [row for at, row in enumerate(document[name]) if (name, at) in kept] for name in names
    }


def _loads(document: Document, load: Callable[[Document], object]) -> bool:
    try:
        load(document)
    except _REFUSED:
        return False
    return True


def _reason(error: Exception) -> str:
    match error:
        case Refusal(code=code):
            return f"the controller would refuse it ({code})"
        case KeyError(args=(key, *_)):
            return f"there is no {key!r}"
        case ValueError() | LookupError():
            return str(error)
        case _:
            return "it has a wrong key, lacks one, or has a value of a wrong kind"


def _misshapen(document: Mapping[str, object]) -> str | None:
    """Return what is wrong with the outer form of a CiviCRM seed, or None."""
    for name, content in document.items():
        if name not in _CIVICRM_KEYS:
            return f"it has an unknown key {name!r}; known are {', '.join(_CIVICRM_KEYS)}"
        if name == "card_field":
            if not isinstance(content, str):
                return "card_field must be a text"
        elif not isinstance(content, list):
            return f"{name} must be a list"
        else:
            for at, row in enumerate(content, start=1):
                if not isinstance(row, dict):
                    return f"{name}, row {at}: it must be an object"
    return None


def _checked_site(document: Document) -> Site:
    """Load a site; raise ValueError too where a column holds a value of a wrong kind."""
    site = load_world(document)
    for table in _TABLES:
        _check_columns(list(getattr(site, table).values()))
    return site


def _check_columns(records: Sequence[Record]) -> None:
    """Raise ValueError if a row of one table holds a value of a wrong kind."""
    if not records:
        return
    kinds = get_type_hints(type(records[0]))
    adapters = {column: TypeAdapter[Any](kind) for column, kind in kinds.items()}
    for record in records:
        for column, adapter in adapters.items():
            try:
                adapter.validate_python(getattr(record, column), strict=True)
            except ValidationError as error:
                [first, *_] = error.errors(include_url=False, include_input=False)
                raise ValueError(f"{column}: {_lower(first['msg'])}") from None


def _details(error: ValidationError) -> list[str]:
    """Return each finding as its place and what is wrong there."""
    return [
        f"{_place(details['loc'])}: {_lower(details['msg'])}"
        for details in error.errors(include_url=False, include_input=False)
    ]


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _place(location: Sequence[int | str]) -> str:
    return ", ".join(f"row {part + 1}" if isinstance(part, int) else part for part in location)

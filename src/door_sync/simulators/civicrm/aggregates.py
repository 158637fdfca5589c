"""`groupBy` with COUNT, GROUP_CONCAT and their like (§4.5).

Known are COUNT, GROUP_CONCAT (both also DISTINCT), MIN, MAX and SUM of a field; any other
function, and `having`, is answered with an error as if the site did not know it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from door_sync.simulators.civicrm.errors import ApiError
from door_sync.simulators.civicrm.paths import Reader, Resolved, Resolver, Row

_CALL = re.compile(
    r"(?P<function>[A-Z_]+)\((?P<distinct>DISTINCT )?(?P<field>[^()]+)\)( AS (?P<alias>\w+))?"
)

_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "COUNT": len,
    # One text in the database, taken apart again by the API: a list, or null without any value.
    "GROUP_CONCAT": lambda values: values or None,
    "MIN": lambda values: min(values, default=None),
    "MAX": lambda values: max(values, default=None),
    "SUM": lambda values: sum(map(_number, values)) if values else None,
}


@dataclass(frozen=True)
class Aggregate:
    """A function over the rows of a group."""

    key: str
    function: Callable[[list[Any]], Any]
    read: Reader
    distinct: bool

    def of(self, rows: list[Row]) -> Any:
        """Return the value for a group; nulls do not count."""
        values = [_flat(value) for value in map(self.read, rows) if value is not None]
        return self.function(list(dict.fromkeys(values)) if self.distinct else values)


def is_expression(name: str) -> bool:
    """Whether a name in `select` is more than a field."""
    return "(" in name or " AS " in name


def compile_expression(name: str, resolver: Resolver) -> Aggregate | None:
    """Return the aggregate, or None if its field is not readable (it is left out then).

    Raises ApiError for an alias of a plain field, and for a function that is not known here.
    """
    call = _CALL.fullmatch(name)
    if call is None:
        raise ApiError("Can only alias SQL expressions")
    if call["function"] not in _FUNCTIONS:
        raise ApiError(f"Unknown function {call['function']}")
    if call["field"] == "*":
        read: Reader = lambda _row: 1  # noqa: E731 one name for both ways to read
    else:
        found = resolver.find(call["field"])
        if not isinstance(found, Resolved):
            return None
        read = found.read
    key = call["alias"] or f"{call['function']}:{call['field']}"
    return Aggregate(key, _FUNCTIONS[call["function"]], read, call["distinct"] is not None)


def grouped(rows: list[Row], by: list[Resolved]) -> list[list[Row]]:
    """Return the rows in groups of equal values, groups in the order of those values."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(_flat(field.read_raw(row)) for field in by), []).append(row)
    return [groups[key] for key in sorted(groups, key=_nulls_first)]


def _nulls_first(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is not None, 0 if value is None else value) for value in values)


def _flat(value: Any) -> Any:
    """A list of choices is one text in the database."""
    return ",".join(value) if isinstance(value, list) else value


def _number(value: Any) -> Any:
    """Text counts as 0 in a sum, unless it begins like a number; only plain numbers do here."""
    return value if isinstance(value, int | float) else 0

"""Queries over lists that are no tables: `getFields`, `Entity.get`, settings (§3).

PHP compares here, not the database: text with regard to case, unknown fields without an error.
"""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from door_sync.simulators.civicrm.errors import ApiError, TypeCrash
from door_sync.simulators.civicrm.params import Params, page_of
from door_sync.simulators.civicrm.query import Result
from door_sync.simulators.civicrm.selection import ROW_COUNT

ArrayRow = Mapping[str, Any]


def select_from(rows: Sequence[ArrayRow], params: Params) -> Result:
    """Return the rows asked for; `count` is the number of all that match, limit or not."""
    matching = [row for row in rows if _all_match(row, params.get("where", []))]
    for name, direction in reversed(list(_directions(params))):
        matching.sort(key=lambda row: str(row.get(name) or ""), reverse=direction == "DESC")
    select = params.get("select", [])
    names = [name for name in select if name != ROW_COUNT]
    page = page_of(params)
    values = [] if select == [ROW_COUNT] else [_shown(row, names) for row in page.cut(matching)]
    total = len(matching)
    return Result(values, total, total if ROW_COUNT in select else None)


def _directions(params: Params) -> list[tuple[str, str]]:
    order_by = params.get("orderBy", {})
    if isinstance(order_by, list) or any(d not in ("ASC", "DESC") for d in order_by.values()):
        raise ApiError("Invalid sort direction. Cannot order")
    return list(order_by.items())


def _shown(row: ArrayRow, names: list[Any]) -> dict[str, Any]:
    if not names:
        return dict(row)
    patterns = [str(name) for name in names]
    return {k: v for k, v in row.items() if any(fnmatchcase(k, pattern) for pattern in patterns)}


def _all_match(row: ArrayRow, clauses: Any) -> bool:
    return all(_matches(row, clause) for clause in clauses)


def _matches(row: ArrayRow, clause: Any) -> bool:
    if not isinstance(clause, list) or len(clause) < 2 or not isinstance(clause[0], str):
        raise TypeCrash("evaluateFilters(): Argument #2 ($filters) must be of type array")
    if len(clause) == 2 and clause[0] in ("AND", "OR", "NOT"):
        if not isinstance(clause[1], list):
            raise TypeCrash("foreach() argument must be of type array")
        parts = [_matches(row, part) for part in clause[1]]
        return any(parts) if clause[0] == "OR" else all(parts) is (clause[0] == "AND")
    have, operator = row.get(clause[0]), clause[1]
    return _compare(have, operator, clause[2] if len(clause) > 2 else None)


def _compare(have: Any, operator: Any, value: Any) -> bool:
    match operator:
        case "IS NULL" | "IS NOT NULL":
            return (have is None) is (operator == "IS NULL")
        case "IS EMPTY" | "IS NOT EMPTY":
            return (not have) is (operator == "IS EMPTY")
        case "=" | "!=" | "<>":
            return (have == value) is (operator == "=")
        case "IN" | "NOT IN":
            if not isinstance(value, list):
                raise TypeCrash("in_array(): Argument #2 ($haystack) must be of type array")
            return (have in value) is (operator == "IN")
        case "LIKE" | "NOT LIKE":
            parts = re.split(r"([%_])", str(value))
            wildcards = {"%": ".*", "_": "."}
            pattern = "".join(wildcards.get(part) or re.escape(part) for part in parts)
            found = re.fullmatch(pattern, str(have or ""), re.IGNORECASE | re.DOTALL)
            return (found is not None) is (operator == "LIKE")
        case "CONTAINS":
            return value in have if isinstance(have, list) else str(value) in str(have or "")
        case _:
            raise ApiError(f"Unsupported operator: '{operator}' cannot be used with array data")

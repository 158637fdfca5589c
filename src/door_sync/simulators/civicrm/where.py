"""`where` clauses, and the conditions of a join, as tests of a row (§4.4, §5.3, §4.6).

Nested AND, OR and NOT follow SQL's three values: a comparison with NULL is unknown, and NOT of
unknown is unknown.
"""

from collections.abc import Callable
from typing import Any

from door_sync.simulators.civicrm.columns import Kind
from door_sync.simulators.civicrm.comparing import ORDERED, UNARY, Comparison
from door_sync.simulators.civicrm.errors import ApiError, TypeCrash, UnknownField
from door_sync.simulators.civicrm.paths import FORBIDDEN, Resolved, Resolver, Row

Predicate = Callable[[Row], bool | None]

_GROUPS = frozenset({"AND", "OR", "NOT"})


class Clauses:
    """Turns clauses into predicates, for one query."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def compile(self, clauses: Any, *, in_join: bool = False) -> list[Predicate]:
        """Return one predicate per clause; all must be true of a row.

        A clause on a core field that the key may not read is left out (§5.3). Raises UnknownField
        for one that does not exist, TypeCrash for what PHP cannot walk through.
        """
        made = (self._clause(clause, "AND", in_join=in_join) for clause in _walk(clauses))
        return [predicate for predicate in made if predicate is not None]

    def _clause(self, clause: Any, within: str, *, in_join: bool) -> Predicate | None:
        if not isinstance(clause, list) or not clause:
            raise TypeCrash("treeWalkClauses(): Argument #1 ($clause) must be of type array")
        if _is_group(clause):
            within = clause[0] if within == "AND" else within
            return self._group(clause[0], clause[1], within, in_join=in_join)
        name, operator, value = (*clause[:3], None, None)[:3]
        found = self._resolver.find(name) if isinstance(name, str) else None
        if found is FORBIDDEN and within == "AND":
            return None
        if not isinstance(found, Resolved):
            raise UnknownField(name)
        if not isinstance(operator, str):
            raise ApiError("Illegal operator")
        is_expression = in_join or (len(clause) > 3 and bool(clause[3]))
        if is_expression and isinstance(value, str) and operator in ORDERED:
            other = self._resolver.find(value)
            if isinstance(other, Resolved):
                return _between_fields(self._comparison(found), found, operator, other)
        return self._against_value(found, operator, value)

    def _group(self, kind: str, clauses: Any, within: str, *, in_join: bool) -> Predicate:
        made = [self._clause(each, within, in_join=in_join) for each in _walk(clauses)]
        parts = [predicate for predicate in made if predicate is not None]
        if kind == "OR":
            return lambda row: _or([part(row) for part in parts])
        if kind == "AND":
            return lambda row: _and([part(row) for part in parts])
        return lambda row: _not(_and([part(row) for part in parts]))

    def _against_value(self, found: Resolved, operator: str, value: Any) -> Predicate:
        read = found.read_raw
        if found.suffix is not None and operator not in UNARY:
            if operator in ("=", "!=", "<>", "IN", "NOT IN"):
                value = self._resolver.stored_values(found, value)
            else:
                read = found.read
                kind: Kind = "list" if found.field.is_list else "text"
                test = self._resolver.comparison(kind).test(operator, value)
                return lambda row: test(read(row))
        elif found.is_contact_id:
            value = self._resolver.contact_token(value)
        test = self._comparison(found).test(operator, value)
        return lambda row: test(read(row))

    def _comparison(self, found: Resolved) -> Comparison:
        return self._resolver.comparison(found.field.kind)


def mentions(clauses: Any, name: str) -> bool:
    """Whether a clause anywhere in `clauses` is about the field `name`."""
    return any(
        clause[0] == name or (_is_group(clause) and mentions(clause[1], name))
        for clause in clauses
        if isinstance(clause, list) and clause
    )


def asks_for_ids(clauses: Any) -> bool:
    """Whether a clause asks for single ids; the default filters are dropped then (§4.6)."""
    return any(
        isinstance(clause, list)
        and len(clause) > 2
        and clause[0] == "id"
        and clause[1] in ("=", "IN")
        for clause in clauses
    )


def _is_group(clause: list[Any]) -> bool:
    return len(clause) == 2 and isinstance(clause[0], str) and clause[0] in _GROUPS


def _walk(clauses: Any) -> list[Any]:
    if not isinstance(clauses, list):
        raise TypeCrash("foreach() argument must be of type array")
    return clauses


def _between_fields(how: Comparison, left: Resolved, operator: str, right: Resolved) -> Predicate:
    if left.field.kind != right.field.kind:
        return lambda _row: None  # the database would convert one of them; nobody needs that
    compare, stored = ORDERED[operator], how.stored

    def predicate(row: Row) -> bool | None:
        a, b = left.read_raw(row), right.read_raw(row)
        return None if a is None or b is None else compare(stored(a), stored(b))

    return predicate


def _or(values: list[bool | None]) -> bool | None:
    if True in values:
        return True
    return None if None in values else False


def _and(values: list[bool | None]) -> bool | None:
    if False in values:
        return False
    return None if None in values else True


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value

"""`get` on an entity that is a table: from parameters to rows and counts (§3, §4)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from door_sync.simulators.civicrm.aggregates import grouped
from door_sync.simulators.civicrm.comparing import collated
from door_sync.simulators.civicrm.errors import ApiError, UnknownField
from door_sync.simulators.civicrm.joins import compile_joins
from door_sync.simulators.civicrm.ordering import Order, compile_order
from door_sync.simulators.civicrm.params import Params, page_of
from door_sync.simulators.civicrm.paths import Resolved, Resolver, Row
from door_sync.simulators.civicrm.schema import Entity
from door_sync.simulators.civicrm.scope import Scope
from door_sync.simulators.civicrm.selection import Selection, compile_selection, repeated
from door_sync.simulators.civicrm.where import Clauses, Predicate, asks_for_ids, mentions


@dataclass(frozen=True)
class Result:
    """What a call found: the rows, and the counts that the envelope shows (§3)."""

    values: list[Any]
    count: int
    matched: int | None = None
    named_columns: int = 0


class Query:
    """One `get`, compiled once and then run over the table."""

    def __init__(self, scope: Scope, entity: Entity, params: Params) -> None:
        self._scope = scope
        self._entity = entity
        self._page = page_of(params)
        self._where = params.get("where", [])
        resolver = self._resolver = Resolver(scope, entity)
        if params.get("having"):
            raise ApiError("having is not simulated")
        self._joins = compile_joins(params.get("join", []), resolver)
        self._tests: list[Predicate] = Clauses(resolver).compile(self._where)
        self._add_default_filter()
        by = params.get("groupBy", [])
        self._select = compile_selection(params.get("select", []), resolver, grouping=bool(by))
        self._group_by = [self._known(name) for name in by]
        self._order = _order(params, self._select, resolver)

    def run(self) -> Result:
        """Return the rows of this page and the counts, wrong where the real ones are."""
        page, select = self._page, self._select
        if select.only_counts:
            total = sum(1 for _ in self._rows())
            return Result([], total, total)
        if self._group_by or select.aggregates:
            return self._groups()
        if self._order.by_id and not select.counts and not select.repeats and page.limit:
            # A keyset page: nothing beyond it needs to be looked at.
            rows = list(islice(self._rows(), page.offset, page.offset + page.limit))
            return self._counted(select.show(rows))
        found = repeated(list(self._rows()), select.repeats, self._resolver)
        return self._counted(select.show(page.cut(self._sorted(found))), len(found))

    def _groups(self) -> Result:
        rows = list(self._rows())
        groups = grouped(rows, self._group_by) if self._group_by else [rows]
        if self._group_by and self._order.columns:
            # A group is sorted by its first row, which stands for it under its identity.
            members = {id(group[0]): group for group in groups}
            firsts = self._order.sort([group[0] for group in groups], self._page)
            groups = [members[id(first)] for first in firsts]
        return self._counted(self._select.show_groups(self._page.cut(groups)), len(groups))

    def _counted(self, values: list[Any], total: int = 0) -> Result:
        """Add the counts: below the limit they are offset + rows, past the end too (§3)."""
        page, fetched = self._page, len(values)
        named = self._select.named_columns
        if not page.limit or fetched < page.limit:
            count = page.offset + fetched
            return Result(values, count, count if self._select.counts else None, named)
        if self._select.counts:
            return Result(values, total, total, named)
        return Result(values, fetched, None, named)

    def _rows(self) -> Iterator[Row]:
        rows: Iterable[Row] = self._candidates()
        for join in self._joins:
            rows = join.rows(rows)
        tests = self._tests
        return (row for row in rows if all(test(row) is True for test in tests))

    def _candidates(self) -> Iterator[Row]:
        """Yield the visible records in the order of ids, only those that `id` clauses allow."""
        table, visible = self._scope.table(self._entity), self._scope.visible(self._entity)
        for number in _ids_in_question(sorted(table), self._where):
            record = table[number]
            if visible is None or visible(record):
                yield (record,)

    def _sorted(self, rows: list[Row]) -> list[Row]:
        is_old = self._scope.switches.is_old
        if self._entity.name == "MembershipType" and is_old and not self._order.columns:
            return sorted(rows, key=lambda row: collated(row[0].name))  # §8 of the versions sheet
        return self._order.sort(rows, self._page)

    def _add_default_filter(self) -> None:
        flag = self._entity.hidden_flag
        if flag and not mentions(self._where, flag) and not asks_for_ids(self._where):
            self._tests += Clauses(self._resolver).compile([[flag, "=", False]])

    def _known(self, name: Any) -> Resolved:
        found = self._resolver.find(name) if isinstance(name, str) else None
        if not isinstance(found, Resolved):
            raise UnknownField(name)
        return found


def _order(params: Params, select: Selection, resolver: Resolver) -> Order:
    order_by = params.get("orderBy", {})
    if isinstance(order_by, list):  # to PHP the keys, so the fields, are then 0, 1, 2 …
        order_by = {str(number): direction for number, direction in enumerate(order_by)}
    return compile_order(order_by, select.names, resolver)


def _ids_in_question(ids: list[int], where: list[Any]) -> Iterable[int]:
    """Return the ids that can pass the clauses on ``id`` alone; the index of a keyset walk."""
    low, high = 0, len(ids)
    wanted: set[int] | None = None
    for clause in where:
        if not (isinstance(clause, list) and len(clause) > 2 and clause[0] == "id"):
            continue
        operator, value = clause[1], clause[2]
        if operator == "IN" and all(type(each) is int for each in value):
            wanted = set(value) if wanted is None else wanted & set(value)
        elif type(value) is int:
            if operator in (">", ">=", "="):
                low = max(low, (bisect_right if operator == ">" else bisect_left)(ids, value))
            if operator in ("<", "<=", "="):
                high = min(high, (bisect_left if operator == "<" else bisect_right)(ids, value))
    return (n for n in ids[low:high] if n in wanted) if wanted is not None else ids[low:high]

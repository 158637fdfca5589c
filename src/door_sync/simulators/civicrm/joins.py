"""Explicit joins (§4.5), and how they vanish (§4 of the versions sheet).

A join to an entity that the key may not read, or that does not exist, is dropped without a word,
together with its conditions: an INNER join then returns everybody.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from door_sync.simulators.civicrm.columns import Field
from door_sync.simulators.civicrm.errors import ApiError, TypeCrash
from door_sync.simulators.civicrm.paths import Reader, Resolved, Resolver, Row
from door_sync.simulators.civicrm.schema import Entity
from door_sync.simulators.civicrm.where import Clauses, Predicate

Side = Literal["LEFT", "INNER", "EXCLUDE"]

_NAMED = re.compile(r"(\w+) AS (\w+)")
_SIDES: dict[Any, Side] = {
    True: "INNER",
    False: "LEFT",
    "LEFT": "LEFT",
    "INNER": "INNER",
    "EXCLUDE": "EXCLUDE",
}


@dataclass(frozen=True)
class Join:
    """One join that is carried out: how to find the records that belong to a row."""

    side: Side
    records: dict[Any, list[Any]]
    key: Reader
    conditions: list[Predicate]

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield each row with its joined records; one row per record."""
        conditions = self.conditions
        for row in rows:
            met = 0
            key = self.key(row)
            for record in () if key is None else self.records.get(key, ()):
                joined = (*row, record)
                if all(condition(joined) is True for condition in conditions):
                    met += 1
                    if self.side != "EXCLUDE":
                        yield joined
            if met == 0 and self.side != "INNER":
                yield (*row, None)


def compile_joins(joins: list[Any], resolver: Resolver) -> list[Join]:
    """Return the joins that are carried out, and make their aliases known to `resolver`.

    Raises ApiError for a side that does not exist.
    """
    made = [_compile(join, resolver) for join in joins]
    return [join for join in made if join is not None]


def _compile(join: Any, resolver: Resolver) -> Join | None:
    if not isinstance(join, list) or not join or not isinstance(join[0], str):
        raise TypeCrash("explode(): Argument #2 ($string) must be of type string, array given")
    named = _NAMED.fullmatch(join[0])
    name, alias = (named[1], named[2]) if named else (join[0], join[0])
    wanted = join[1] if len(join) > 1 else "LEFT"
    if not isinstance(wanted, str | bool) or wanted not in _SIDES:
        raise ApiError("Illegal value for join side")
    conditions = join[2:]
    if conditions and isinstance(conditions[0], str):
        raise ApiError("joins through a bridge entity are not simulated")
    scope = resolver.scope
    entity = scope.entity(name)
    if entity is None or not scope.may_join(entity):
        return None
    resolver.add_join(alias, entity)
    link, others = _link(alias, entity, conditions, resolver)
    here, there = link
    visible = scope.visible(entity)
    records: dict[Any, list[Any]] = defaultdict(list)
    for record in scope.table(entity).values():
        if visible is None or visible(record):
            records[here(record)].append(record)
    return Join(
        _SIDES[wanted], dict(records), there, Clauses(resolver).compile(others, in_join=True)
    )


def _link(
    alias: str, entity: Entity, conditions: list[Any], resolver: Resolver
) -> tuple[tuple[Any, Reader], list[Any]]:
    """Return how the two sides meet, and the conditions left over.

    A condition that names a field of each side, or else the foreign key between them.
    """
    for place, condition in enumerate(conditions):
        if isinstance(condition, list) and len(condition) == 3 and condition[1] == "=":
            sides = [resolver.find(n) for n in (condition[0], condition[2]) if isinstance(n, str)]
            ours = [s for s in sides if isinstance(s, Resolved) and s.owner == f"{alias}."]
            theirs = [s for s in sides if isinstance(s, Resolved) and s.owner != f"{alias}."]
            if ours and theirs:
                others = conditions[:place] + conditions[place + 1 :]
                return (ours[0].field.read, theirs[0].read_raw), others
    main = resolver.entity
    family = "Contact" if main.hidden_flag == "is_deleted" else main.name
    for field in resolver.scope.fields(entity).values():
        if field.fk == family:
            return (field.read, lambda row: row[0].id), conditions
    for field in resolver.scope.fields(main).values():
        if field.fk == entity.name:
            return (lambda record: record.id, _of_main(field)), conditions
    raise ApiError("no way from one entity of the join to the other")


def _of_main(field: Field) -> Reader:
    read = field.read
    return lambda row: read(row[0])

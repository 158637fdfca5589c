"""`select`: which values a row shows (§4.1, §5.2).

Names that lead nowhere are left out without any error. Where the contact type is selected too,
fields that do not suit it are taken out of the row (§5 of the versions sheet).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from door_sync.simulators.civicrm.aggregates import Aggregate, compile_expression, is_expression
from door_sync.simulators.civicrm.errors import TypeCrash
from door_sync.simulators.civicrm.paths import Resolved, Resolver, Row
from door_sync.simulators.civicrm.records import CustomGroup
from door_sync.simulators.civicrm.schema import Entity

ROW_COUNT = "row_count"


@dataclass(frozen=True)
class Selection:
    """What a query shows of each row."""

    names: tuple[str, ...]
    """The names asked for, without ``row_count``, wildcards as they were written."""

    columns: list[Resolved]
    aggregates: list[Aggregate]
    counts: bool
    """Whether ``row_count`` was asked for."""

    repeats: list[CustomGroup]
    """Groups with several records: each repeats its contact's row (§5 of the versions sheet)."""

    @property
    def only_counts(self) -> bool:
        """Whether nothing but ``row_count`` was asked for."""
        return self.counts and not self.names

    @property
    def named_columns(self) -> int:
        """How many columns go through a list of choices."""
        return sum(column.suffix is not None for column in self.columns)

    def show(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """Return the rows as objects."""
        readers = [(column.name, column.read) for column in self.columns]
        shown = [{name: read(row) for name, read in readers} for row in rows]
        for owner in {column.owner for column in self.columns}:
            self._take_out_what_does_not_suit(shown, owner)
        return shown

    def show_groups(self, groups: Iterable[list[Row]]) -> list[dict[str, Any]]:
        """Return one object per group: plain fields of its first row, then the aggregates."""
        readers = [(column.name, column.read) for column in self.columns]
        return [
            {name: read(rows[0]) if rows else None for name, read in readers}
            | {aggregate.key: aggregate.of(rows) for aggregate in self.aggregates}
            for rows in groups
        ]

    def _take_out_what_does_not_suit(self, shown: list[dict[str, Any]], owner: str) -> None:
        type_key = f"{owner}contact_type"
        mine = [column for column in self.columns if column.owner == owner and column.field.only]
        if not any(column.name == type_key for column in self.columns):
            return
        for row in shown:
            for column in mine:
                if row[type_key] is not None and row[type_key] not in column.field.only:
                    del row[column.name]


def compile_selection(names: list[Any], resolver: Resolver, *, grouping: bool) -> Selection:
    """Return the selection; raise ApiError for an expression that is not known.

    ``id`` comes first and is always there, unless the query groups.
    """
    columns: dict[str, Resolved] = {}
    aggregates: dict[str, Aggregate] = {}
    repeats: dict[str, CustomGroup] = {}
    counts = ROW_COUNT in names
    asked = [name for name in names if name != ROW_COUNT]
    for name in asked if asked or counts else ["*"]:
        if not isinstance(name, str):
            raise TypeCrash("str_contains(): Argument #1 must be of type string, array given")
        if is_expression(name):
            aggregate = compile_expression(name, resolver)
            if aggregate is not None:
                aggregates[aggregate.key] = aggregate
            continue
        for each in _expanded(name, resolver) if name.endswith("*") else [name]:
            found = resolver.find(each)
            if isinstance(found, Resolved):
                columns.setdefault(each, found)
        group = _repeating(name, resolver)
        if group is not None:
            repeats[group.name] = group
    if not grouping and not aggregates:
        found = resolver.find("id")
        if isinstance(found, Resolved):
            columns = {"id": found} | columns
    fields = tuple(sorted(set(asked)))
    return Selection(
        fields, list(columns.values()), list(aggregates.values()), counts, list(repeats.values())
    )


def repeated(rows: list[Row], groups: list[CustomGroup], resolver: Resolver) -> list[Row]:
    """Return each contact's row once per record in each of `groups`."""
    for group in groups:
        times: dict[int, int] = {}
        for record in resolver.scope.world.custom_records.values():
            if record.custom_group_id == group.id:
                times[record.entity_id] = times.get(record.entity_id, 0) + 1
        rows = [row for row in rows for _ in range(times.get(row[0].id, 1))]
    return rows


def _expanded(pattern: str, resolver: Resolver) -> list[str]:
    """Return the fields behind ``*``, ``custom.*``, ``Group.*``, ``m.*`` or ``contact_id.*``."""
    head, _, tail = pattern.rpartition(".")
    entity, owner = resolver.entity, ""
    if head in resolver.aliases:
        entity, owner = resolver.aliases[head], f"{head}."
    elif head:
        linked = _linked(head, resolver)
        if linked is not None:
            entity, owner = linked, f"{head}."
    own = resolver.scope.fields(entity).values()
    if pattern == "custom.*":
        return [field.name for field in own if field.custom is not None]
    wanted = tail if owner else pattern
    stored = (f.name for f in own if not f.extra and (f.custom is None or "." in wanted))
    return [f"{owner}{name}" for name in stored if fnmatchcase(name, wanted)]


def _linked(head: str, resolver: Resolver) -> Entity | None:
    found = resolver.find(head)
    if not isinstance(found, Resolved) or found.field.fk is None:
        return None
    entity = resolver.scope.entity(found.field.fk)
    return entity if entity is not None and resolver.scope.may_join(entity) else None


def _repeating(name: str, resolver: Resolver) -> CustomGroup | None:
    if resolver.entity.hidden_flag != "is_deleted":
        return None
    return resolver.scope.multiple_groups().get(name.partition(".")[0])

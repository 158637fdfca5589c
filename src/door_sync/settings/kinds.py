"""What the model says about its keys, in words: kind, range, default, example."""

import json
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, Literal

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from door_sync.settings.fields import Section
from door_sync.settings.model import Config

Location = tuple[int | str, ...]

ANY_NAME = "NAME"
"""Stands for the name of a table where the operator chooses the name."""

_KINDS: Mapping[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text in quotes",
    Path: "a file's path in quotes",
}


def fields_of(table: type[Section]) -> dict[str, FieldInfo]:
    """Return a table's keys as they are written in TOML."""
    return {info.alias or name: info for name, info in table.model_fields.items()}


def tables() -> Iterator[tuple[tuple[str, ...], type[Section]]]:
    """Yield every table with its path, the root first, each table before those inside it."""

    def walk(path: tuple[str, ...], table: type[Section]) -> Iterator[Any]:
        yield path, table
        for name, info in fields_of(table).items():
            inner = table_of(info)
            if inner is not None:
                named = (ANY_NAME,) if _is_mapping(info) else ()
                yield from walk((*path, name, *named), inner)

    return walk((), Config)


def all_keys() -> list[tuple[str, ...]]:
    """Return the path of every key that holds a value."""
    return [
        (*path, name)
        for path, table in tables()
        for name, info in fields_of(table).items()
        if table_of(info) is None
    ]


def keys_of(path: tuple[str, ...]) -> list[str]:
    """Return the names known in the table at this path; none if there is no such table."""
    table = _table_at(path)
    return list(fields_of(table)) if table else []


def table_of(info: FieldInfo) -> type[Section] | None:
    """Return the table behind a key, also one under names of the operator's choice; or None."""
    kind = _bare(info.annotation)
    if _is_mapping(info):
        kind = typing.get_args(kind)[1]
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def kind_of_key(location: Location) -> str:
    """Return what the value at this place must be, to go on from "must be"."""
    info = _field_at(location)
    if info is None or table_of(info) is not None:
        return "a table"
    is_entry = isinstance(location[-1], int)
    return "text in quotes" if is_entry else kind_of(info)


def kind_of(info: FieldInfo) -> str:
    """Return what a key's value must be, with its range."""
    kind = _bare(info.annotation)
    if typing.get_origin(kind) is Literal:
        *most, last = [f'"{choice}"' for choice in typing.get_args(kind)]
        return f"{', '.join(most)} or {last}"
    if typing.get_origin(kind) is tuple:
        lonely = any(isinstance(limit, BeforeValidator) for limit in info.metadata)
        return "text in quotes or a list of such" if lonely else "a list of texts in quotes"
    low = next((limit.ge for limit in info.metadata if hasattr(limit, "ge")), None)
    high = next((limit.le for limit in info.metadata if hasattr(limit, "le")), None)
    if low is None:
        return _KINDS[kind]
    return f"{_KINDS[kind]} " + (f"of at least {low}" if high is None else f"from {low} to {high}")


def kind_of_value(value: object) -> str:
    """Return what a value of a TOML file is, to go on from "is", without telling the value."""
    match value:
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number with a decimal point"
        case str():
            return "text"
        case list():
            return "a list"
        case date() | time():
            return "a date or a time"
        case _:
            return "a table"


def choices_of(location: Location) -> tuple[str, ...]:
    """Return the words that a key may have; none where it is not a choice."""
    info = _field_at(location)
    kind = _bare(info.annotation) if info else None
    return typing.get_args(kind) if typing.get_origin(kind) is Literal else ()


def default_of(info: FieldInfo) -> object:
    """Return a key's default, None where it has none."""
    return None if info.default is PydanticUndefined else info.default


def example_value(info: FieldInfo) -> object:
    """Return what the sample file shows: the example where there is one, else the default."""
    return info.examples[0] if info.examples else default_of(info)


def is_commented(info: FieldInfo) -> bool:
    """Say whether the sample file shows a key as a comment."""
    extra = info.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("commented"))


def in_toml(value: object) -> str:
    """Write a value as TOML does."""
    match value:
        case bool():
            return str(value).lower()
        case float() if value == int(value):
            return str(int(value))
        case tuple() | list():
            return f"[{', '.join(map(in_toml, value))}]"
        case Path():
            return in_toml(str(value))
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def example_of(location: Location) -> str:
    """Return a sentence that shows how this place is written."""
    info = _field_at(location)
    names = [part for part in location if isinstance(part, str)]
    table = table_of(info) if info is not None else _table_at(tuple(names))
    if table is not None:
        if info is not None and _is_mapping(info):
            names.append(ANY_NAME)
        needed = [name for name, inner in fields_of(table).items() if inner.is_required()]
        contents = f" with {', '.join(needed)}" if needed else ""
        return f"Write a table [{'.'.join(names)}]{contents}, as config.example.toml shows."
    if info is None:
        return "Compare it with config.example.toml."
    return f"For example: {names[-1]} = {in_toml(example_value(info))}"


def _bare(annotation: Any) -> Any:
    """Take Annotated and "or None" off an annotation."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _bare(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _bare(next(part for part in typing.get_args(annotation) if part is not type(None)))
    return annotation


def _is_mapping(info: FieldInfo) -> bool:
    return typing.get_origin(_bare(info.annotation)) is Mapping


def _table_at(path: tuple[str, ...]) -> type[Section] | None:
    table: type[Section] | None = Config
    parts = iter(path)
    for part in parts:
        info = fields_of(table).get(part) if table else None
        table = table_of(info) if info else None
        if info is not None and _is_mapping(info):
            next(parts, None)  # the operator's own name
    return table


def _field_at(location: Location) -> FieldInfo | None:
    *path, name = [part for part in location if isinstance(part, str)]
    table = _table_at(tuple(path))
    return fields_of(table).get(name) if table else None

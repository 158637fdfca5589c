"""`--switch NAME=VALUE`: a text turned into a switch of a simulator, or an error that helps."""

import contextlib
import difflib
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import click
from pydantic import TypeAdapter, ValidationError

_IN_WORDS = {bool: "true|false", int: "NUMBER", str: "TEXT", type(None): "null"}


@dataclass(frozen=True)
class SwitchBoard:
    """The switches that a simulator has: the class that holds them, but for some fields."""

    kind: type
    without: frozenset[str] = frozenset()

    def names(self) -> list[str]:
        """Return every switch, in the order in which the simulator lists them."""
        return [name for name in get_type_hints(self.kind) if name not in self.without]

    def parse(self, texts: Sequence[str]) -> dict[str, Any]:
        """Given texts of the form NAME=VALUE, return the values; raise click.UsageError."""
        return dict(self._parse_one(text) for text in texts)

    def listing(self) -> Iterator[str]:
        """Yield each switch with the values that it takes and its default."""
        default = self.kind()
        for name in self.names():
            yield f"{name}={self._values(name)}  (default {_written(getattr(default, name))})"

    def _parse_one(self, text: str) -> tuple[str, Any]:
        name, equals, value = text.partition("=")
        name = name.strip()
        if name not in self.names():
            raise click.UsageError(f"--switch {name}: {self._unknown(name)}")
        if not equals:
            raise click.UsageError(f"--switch {name} lacks its value: {name}={self._values(name)}")
        try:
            return name, _parsed(TypeAdapter[Any](self._hint(name)), value)
        except ValidationError:
            known = f"{name}={self._values(name)}"
        raise click.UsageError(f"--switch {name}: {value!r} is none of its values: {known}")

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.names(), 1)
        meant = f" Did you mean {near[0]}?" if near else ""
        return f"there is no such switch.{meant} Known are: {', '.join(self.names())}."

    def _hint(self, name: str) -> Any:
        return get_type_hints(self.kind, include_extras=True)[name]

    def _values(self, name: str) -> str:
        return _in_words(self._hint(name))


def _parsed(adapter: TypeAdapter[Any], value: str) -> Any:
    """Return a value as the switch wants it; raise ValidationError."""
    # A firmware is a text though it looks like a number, an HTTP status is a number: try both.
    for attempt in (adapter.validate_python, adapter.validate_json):
        with contextlib.suppress(ValidationError):
            return attempt(value)
    return adapter.validate_python(value.split(","))


def _in_words(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _in_words(inner[0])
    if origin is Literal:
        return "|".join(map(str, inner))
    if origin in (Union, types.UnionType):
        return "|".join(map(_in_words, inner))
    if origin is not None:  # a set, or a tuple of any length
        return f"{_in_words(inner[0])},…"
    return _IN_WORDS[hint]


def _written(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case frozenset() | tuple():
            return ",".join(sorted(map(str, value))) or "none"
        case _:
            return str(value)

"""TOML as text → a document in which nothing is too large or too deep for what comes after.

The parser takes numbers of any length, and tables in tables without end (`a.a.a.a = 1`); neither
has a meaning here, and both make functions fail that have nothing to do with TOML.
"""

import re
import tomllib
from typing import Any, Final

DEEPEST: Final = 32
"""Tables and lists within each other; the settings need 4."""

_LARGEST_NUMBER: Final = 2**63
"""TOML promises no larger integers."""

_LONGEST_PROBLEM: Final = 200

_PLACE: Final = re.compile(r" \(at (line \d+, column \d+|end of document)\)$")


class NotToml(ValueError):
    """A text is no TOML, or not such as anybody writes; `place` is where, or empty."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.place = place


def parsed_toml(text: str) -> dict[str, Any]:
    """Given TOML, return the document; raise NotToml."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        told = _PLACE.sub("", str(error))[:_LONGEST_PROBLEM]  # it repeats keys of any length
        problem = told, found[1] if found else ""
    except (ValueError, RecursionError):
        problem = "a number or a list in it is too large", ""
    else:
        _check(document)
        return document
    raise NotToml(*problem)


def _check(document: dict[str, Any]) -> None:
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
        if any(isinstance(one, int) and abs(one) >= _LARGEST_NUMBER for one in level):
            raise NotToml("a number in it is too large")
        if not level:
            return
    raise NotToml("its tables or lists are nested too deeply")


def _inside(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []

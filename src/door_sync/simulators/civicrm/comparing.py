"""How the database compares a stored value with the value of a `where` clause (§4.1, §4.4).

Text compares by the collation: without regard to case, accents and trailing spaces. Numbers and
text meet as MySQL lets them: ``10013`` finds the text ``10013``, ``20abc`` finds the number 20
(but not on 5.77). Every comparison with NULL is unknown, written None here.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from door_sync.simulators.civicrm.columns import Kind
from door_sync.simulators.civicrm.errors import ApiError, TypeCrash

Test = Callable[[Any], bool | None]
"""A clause's test of one stored value; None means unknown, as in SQL."""

_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?")
_RELATIVE = re.compile(r"([+-]?\d+) (day|week|month|year)s?")
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}

UNARY: Final = frozenset({"IS NULL", "IS NOT NULL", "IS EMPTY", "IS NOT EMPTY"})
ORDERED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<>": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
OPERATORS: Final = (
    UNARY
    | set(ORDERED)
    | {
        "IN",
        "NOT IN",
        "BETWEEN",
        "NOT BETWEEN",
        "LIKE",
        "NOT LIKE",
        "CONTAINS",
        "NOT CONTAINS",
    }
)


@lru_cache(maxsize=200_000)
def collated(text: str) -> str:
    """Return what the collation compares of a text (utf8mb4_unicode_ci, which pads spaces)."""
    return folded(text).rstrip(" ")


@lru_cache(maxsize=200_000)
def folded(text: str) -> str:
    """Return a text without case and accents; trailing spaces count, as they do for LIKE."""
    if text.isascii():
        return text.lower()
    split = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in split if not unicodedata.combining(letter)).casefold()


class Comparison:
    """Compares values of one kind. `is_old` is 5.77, `now` what relative dates count from."""

    def __init__(self, kind: Kind, *, is_old: bool, now: datetime) -> None:
        self.kind = kind
        self._is_old = is_old
        self._now = now

    def stored(self, value: Any) -> Any:
        """Return a stored value as it is compared; None for NULL."""
        if value is None or self.kind == "number":
            return value
        if self.kind == "list":
            # A list of choices is stored as one text with separators around each.
            return "".join(f"\x01{choice}" for choice in value) + "\x01"
        return collated(value) if self.kind == "text" else value

    def given(self, value: Any) -> Any:
        """Return a clause's value as it is compared; None if it cannot match anything."""
        if value is None:
            return None
        if isinstance(value, list | dict):
            raise TypeCrash("Array to string conversion")
        if self.kind == "number":
            return self._number(value)
        text = _as_text(value)
        if self.kind == "date":
            return self._date(text)
        return collated(text) if self.kind == "text" else f"\x01{text}\x01"

    def test(self, operator: str, value: Any) -> Test:
        """Return the test for one clause; raise ApiError for an operator that does not exist."""
        if operator not in OPERATORS:
            raise ApiError("Illegal operator")
        if operator in UNARY:
            return self._unary(operator)
        negated = operator.startswith("NOT ")
        match operator.removeprefix("NOT "):
            case "IN":
                return self._within(_listed(value), negated)
            case "BETWEEN":
                return self._between(_listed(value), negated)
            case "LIKE":
                return self._like(value, negated)
            case "CONTAINS":
                return self._contains(value, negated)
            case _:
                return self._ordered(operator, value)

    def _number(self, value: Any) -> float | int | None:
        if isinstance(value, bool | int | float):
            return value
        match = _NUMBER.match(value)
        if match is None:
            return None if self._is_old else 0
        if self._is_old and match.group().strip() != value.strip():
            return None
        return float(match.group())

    def _date(self, text: str) -> str | None:
        today = datetime(self._now.year, self._now.month, self._now.day)  # noqa: DTZ001 site time
        named = {"now": self._now, "today": today}
        named |= {"yesterday": today - timedelta(1), "tomorrow": today + timedelta(1)}
        try:
            if text in named:
                moment = named[text]
            elif relative := _RELATIVE.fullmatch(text):
                moment = self._now + timedelta(int(relative[1]) * _DAYS[relative[2]])
            else:
                moment = datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            return None
        whole_day = moment.time() == datetime.min.time()
        return date.isoformat(moment) if whole_day else moment.isoformat(" ", "seconds")

    def _unary(self, operator: str) -> Test:
        if operator.endswith("NULL"):
            wanted = operator == "IS NULL"
            return lambda value: (value is None) is wanted
        wanted = operator == "IS EMPTY"
        stored = self.stored
        # NULL, the empty text and the number 0 are empty, as is text of blanks alone.
        return lambda value: (not stored(value)) is wanted

    def _ordered(self, operator: str, value: Any) -> Test:
        compare, wanted, stored = ORDERED[operator], self.given(value), self.stored
        if wanted is None:
            return lambda _value: None
        return lambda value: None if value is None else compare(stored(value), wanted)

    def _within(self, values: Sequence[Any], negated: bool) -> Test:
        if not values:
            return lambda _value: negated
        wanted = {self.given(value) for value in values} - {None}
        stored = self.stored
        return lambda value: None if value is None else (stored(value) in wanted) is not negated

    def _between(self, values: Sequence[Any], negated: bool) -> Test:
        if len(values) != 2:
            raise ApiError("DB Error: syntax error")
        low, high = (self.given(value) for value in values)
        stored = self.stored
        if low is None or high is None:
            return lambda _value: None
        return lambda value: (
            None if value is None else (low <= stored(value) <= high) is not negated
        )

    def _like(self, value: Any, negated: bool) -> Test:
        if not isinstance(value, str | int | float):
            raise TypeCrash("Array to string conversion")
        parts = re.split(r"([%_])", folded(_as_text(value)))
        wildcards = {"%": ".*", "_": "."}
        pattern = re.compile("".join(wildcards.get(p) or re.escape(p) for p in parts), re.DOTALL)
        return self._matching(lambda text: pattern.fullmatch(text) is not None, negated)

    def _contains(self, value: Any, negated: bool) -> Test:
        if self.kind == "list":
            wanted = {str(choice) for choice in value} if isinstance(value, list) else {str(value)}
            return lambda choices: (
                None if choices is None else (wanted <= set(choices)) is not negated
            )
        if not isinstance(value, str | int | float):
            raise TypeCrash("Array to string conversion")
        needle = folded(_as_text(value))
        return self._matching(lambda text: needle in text, negated)

    @staticmethod
    def _matching(matches: Callable[[str], bool], negated: bool) -> Test:
        return lambda value: (
            None if value is None else matches(folded(_as_text(value))) is not negated
        )


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeCrash("implode(): Argument #2 ($array) must be of type ?array, int given")
    return value

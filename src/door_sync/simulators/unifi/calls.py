"""One call of an endpoint: what it may look at, and how it reads its query and its body."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.datastructures import QueryParams

from door_sync.simulators.unifi.envelope import PARAMS_INVALID, Pagination, Refusal
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.world import World

DEFAULT_PAGE_SIZE = 25  # where only the page number is given (C6)

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """A request that passed token, route and scope.

    ``ids`` holds what the path's parameters stood for, ``files`` the parts of a multipart body,
    ``turn`` is the number of the request.
    """

    world: World
    switches: Switches
    ids: Mapping[str, str]
    query: QueryParams
    raw_body: bytes
    files: Mapping[str, bytes]
    turn: int

    def body(self, *known: str) -> "Body":
        """Return the JSON object in the body, with the keys that the endpoint knows (rule 9)."""
        document = self.json()
        if not isinstance(document, dict):
            raise Refusal(PARAMS_INVALID)
        if self.switches.unknown_body_keys == "refused" and not document.keys() <= set(known):
            raise Refusal(PARAMS_INVALID)
        return Body(document)

    def json(self) -> Any:
        """Return the JSON document in the body; refuse what is none (rule 10)."""
        try:
            return json.loads(self.raw_body)
        except ValueError:
            raise Refusal(PARAMS_INVALID) from None

    def page(self, ids: Sequence[str]) -> tuple[Sequence[str], Pagination]:
        """Return the ids of the page that was asked for (rules 11, 12 and 14)."""
        number = self._paging_parameter("page_num")
        size = self._paging_parameter("page_size")
        total = len(ids)
        if number is None and size is None:
            size = self.switches.rows_without_paging or max(total, 1)
        number, size = number or 1, size or DEFAULT_PAGE_SIZE
        if self.switches.page_size_cap is not None:
            size = min(size, self.switches.page_size_cap)
        if self.switches.reorder_between_pages:
            ids = random.Random(self.turn).sample(ids, total)
        start = (number - 1) * size
        if start >= total and total:
            if self.switches.past_the_end == "refused":
                raise Refusal(PARAMS_INVALID)
            if self.switches.past_the_end == "last page":
                start = (total - 1) // size * size
        rows = ids[start : start + size]
        return rows, Pagination(number, len(rows), total)

    def _paging_parameter(self, name: str) -> int | None:
        text = self.query.get(name)
        if text is None:
            return None
        if not text.isdecimal() or int(text) < 1:
            raise Refusal(PARAMS_INVALID)
        return int(text)


class Body:
    """A JSON object whose values have the type that the reference gives them, or none is read."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def __contains__(self, key: object) -> bool:
        return key in self._document

    def raw(self, key: str) -> Any:
        """Return the value as it came, None if the key is absent."""
        return self._document.get(key)

    def text(self, key: str) -> str | None:
        """Return a text, None if the key is absent."""
        return self._optional(key, str)

    def required_text(self, key: str) -> str:
        """Return a text that must be there."""
        return self._required(self.text(key))

    def whole(self, key: str) -> int | None:
        """Return an integer, None if the key is absent."""
        return self._optional(key, int)

    def flag(self, key: str) -> bool:
        """Return a boolean, False if the key is absent."""
        return self._optional(key, bool) or False

    def texts(self, key: str) -> list[str]:
        """Return an array of texts that must be there."""
        values: list[str] = self._required(self._optional(key, list))
        if not all(isinstance(value, str) for value in values):
            raise Refusal(PARAMS_INVALID)
        return values

    def objects(self, key: str) -> list["Body"]:
        """Return an array of objects that must be there."""
        values: list[Any] = self._required(self._optional(key, list))
        if not all(isinstance(value, dict) for value in values):
            raise Refusal(PARAMS_INVALID)
        return [Body(value) for value in values]

    def _optional(self, key: str, kind: type[T]) -> T | None:
        if key not in self._document:
            return None
        value = self._document[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise Refusal(PARAMS_INVALID)
        return value

    def _required(self, value: T | None) -> T:
        if value is None:
            raise Refusal(PARAMS_INVALID)
        return value

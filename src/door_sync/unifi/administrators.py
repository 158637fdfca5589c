"""Who administers the console: told by the search alone (UniFi sheet §6.11)."""

from typing import Final

from door_sync.core.controller import UserId
from door_sync.unifi import wire
from door_sync.unifi.envelope import Success
from door_sync.unifi.exchange import Exchange
from door_sync.unifi.schema import NamedId, shaped

PAGE: Final = 100
MOST_PAGES: Final = 100
"""No club has more administrators than this holds."""


def administrators(exchange: Exchange) -> frozenset[UserId] | None:
    """Return the users that the search calls administrators; None where it cannot be asked.

    It is no route before 3.1.30. Nothing proves that its answer is whole, so it serves as a warning
    alone. Raise ControllerError.
    """
    what = "the list of administrators"
    found: set[UserId] = set()
    for number in range(1, MOST_PAGES + 1):
        query = (("only_admin", "true"), ("page_num", str(number)), ("page_size", str(PAGE)))
        answer = exchange.read("/users/search", what=what, query=query)
        if not isinstance(answer, Success):
            return None
        rows = wire.rows(answer.data, what, key="id") if answer.data is not None else ()
        here = {UserId(shaped(NamedId, row, what).id) for row in rows}
        if here <= found:
            break
        found |= here
    return frozenset(found)

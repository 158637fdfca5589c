"""How much a cycle asked of each side, for whoever counts over many cycles."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from door_sync.http import Counters, HttpClient


class Traffic:
    """Handed into a cycle, it holds afterwards what was sent, also if the cycle broke off."""

    def __init__(self) -> None:
        self._sides: dict[str, Counters] = {}

    @property
    def sides(self) -> Mapping[str, Counters]:
        """What was sent, by side: `civicrm`, `unifi`."""
        return self._sides

    @contextmanager
    def counting(self, side: str, client: HttpClient) -> Iterator[None]:
        """Take down, at the end, what this client did."""
        try:
            yield
        finally:
            self._sides[side] = client.counters

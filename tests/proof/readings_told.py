"""Telling stories under readings: each is compared with how it ends by itself, and counted."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.club import Club, open_club
from tests.proof.readings import OWN, Reading, normal_form, open_under
from tests.proof.readings_stories import STORIES
from tests.thorough import THOROUGH

Case = tuple[Reading, str]


@dataclass
class Teller:
    """Tells stories at one club, and remembers how each ends by itself."""

    club: Club
    told: Counter[str] = field(default_factory=Counter)
    readings: set[Reading] = field(default_factory=set)
    _ends: dict[tuple[str, bool], dict[str, object]] = field(default_factory=dict)

    def tell(self, reading: Reading, story: str) -> None:
        """Tell a story under a reading; its end is that of the simulator as it is by itself."""
        by_itself = (story, reading.imports)
        if by_itself not in self._ends:
            self._ends[by_itself] = self._end(OWN, story, imports=reading.imports)
        assert self._end(reading, story, imports=reading.imports) == self._ends[by_itself]
        self.told[story] += 1
        self.readings.add(reading)

    def _end(self, reading: Reading, story: str, *, imports: bool) -> dict[str, object]:
        open_under(self.club, reading, imports=imports)
        STORIES[story](self.club)
        return normal_form(self.club)


@contextmanager
def telling(title: str, config: pytest.Config) -> Iterator[Teller]:
    """Yield what tells stories; print at the end how many were told, if all of them were."""
    with open_club() as club:
        teller = Teller(club)
        yield teller
    if not THOROUGH:
        return
    tell(config, f"\n{title}")
    for story, count in sorted(teller.told.items()):
        tell(config, f"  {count:6}  {story}")
    told, stories = teller.told.total(), len(teller.told)
    tell(
        config,
        f"  {told:6}  in all: {stories} stories under {len(teller.readings)} readings, "
        "each with the end state that it has by itself",
    )


def tell(config: pytest.Config, line: str) -> None:
    """Print a line to whoever runs the tests, past what catches the tests' own output."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        print(line, flush=True)


def named(case: object) -> str:
    """Return the name of a test's parameter."""
    return case.name if isinstance(case, Reading) else str(case).replace(" ", "_")

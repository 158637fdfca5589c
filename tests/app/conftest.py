"""One pair of simulators for all tests of a module; each begins with an empty, patient club."""

from collections.abc import Iterator

import pytest
import stamina
from tests.club import Club, ImpatientClock, open_club


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=3):
        yield


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    """Both simulators, started once."""
    with open_club() as club:
        yield club


@pytest.fixture
def club(running_club: Club) -> Club:
    """An empty club with a new journal, whose guards do not mind small numbers, and with one
    member who stays, so that nobody mistakes it for an empty membership list."""
    running_club.clock = ImpatientClock()
    running_club.reset()
    running_club.start_journal()
    running_club.relax()
    running_club.join(1100)
    return running_club

"""One pair of simulators for all tests of a module; each begins with an empty, patient club."""

from collections.abc import Iterator

import pytest
import stamina

from tests.app.watching import begin_anew
from tests.club import Club, open_club


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
    """A club that has begun anew."""
    begin_anew(running_club)
    return running_club

"""One pair of simulators for all stories of a module; each story starts with an empty club."""

from collections.abc import Iterator

import pytest
import stamina

from tests.club import Club, open_club


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    """Both simulators, started once."""
    with open_club() as club:
        yield club


@pytest.fixture
def club(running_club: Club) -> Club:
    """An empty club with a new journal."""
    running_club.reset()
    running_club.start_journal()
    return running_club


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Let retries follow at once."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield

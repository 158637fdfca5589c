"""What the proof of hands at the console found, each pinned where it was mended."""

from collections.abc import Iterator

import pytest
import stamina

from door_sync.app.report import Ending
from tests.club import Club, open_club


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    """Both simulators, started once."""
    with open_club() as club:
        yield club


@pytest.fixture
def club(running_club: Club) -> Iterator[Club]:
    """An empty club whose guards let everything pass."""
    running_club.reset()
    running_club.start_journal()
    running_club.relax()
    with stamina.set_testing(True, attempts=3, cap=True):
        yield running_club


@pytest.mark.parametrize("alias", ["sync-09999", "Front desk", ""])
def test_a_card_whose_alias_somebody_edited_gets_its_own_again(club: Club, alias: str) -> None:
    """P8, R3: an import tells whose number it carries. Under another number of ours it would be
    freed as stale, imported and bound anew in each cycle."""
    club.unifi.switch(known_card="same token")
    club.join(1001)
    assert club.cycle().ending is Ending.CLEAN
    [card] = club.unifi.world.cards
    club.unifi.world.edit_card(card.token, alias=alias)
    assert club.cycle().ending is Ending.CLEAN
    assert club.opens(1001)
    assert club.unifi.world.cards[card.token].alias == "sync-01001"
    club.forget()
    assert club.cycle().ending is Ending.CLEAN
    assert club.writes() == 0

"""The card-reuse stories under whatever else the simulated controller may do otherwise.

design.md §9 names eight disputes; `tests/e2e/test_card_reuse.py` tells the stories under all their
combinations. The simulator has more switches than that: here each of their values, alone and with
each value of the eight.
"""

import re
from collections.abc import Iterator
from dataclasses import fields
from itertools import product

import pytest

from door_sync.app.report import Ending
from door_sync.simulators.unifi.switches import Switches
from tests.proof.readings import (
    DISPUTED,
    ENDS_THE_API,
    FURTHER,
    OWN,
    UNREADABLE,
    Reading,
    further_readings,
    normal_form,
    open_under,
)
from tests.proof.readings_stories import STORIES, gets_in, member, stays_out
from tests.proof.readings_told import Teller, named, telling
from tests.thorough import sample

CASES = sample([*product(further_readings(), STORIES)], 251)


@pytest.fixture(scope="module")
def teller(request: pytest.FixtureRequest) -> Iterator[Teller]:
    """What tells stories, over simulators that were started once."""
    with telling("Every further switch, alone and with each of the eight", request.config) as made:
        yield made


@pytest.mark.parametrize(("reading", "story"), CASES, ids=named)
def test_a_story_ends_the_same_whatever_else_the_controller_does(
    teller: Teller, reading: Reading, story: str
) -> None:
    teller.tell(reading, story)


def test_no_switch_and_no_value_is_forgotten() -> None:
    """A new switch of the simulator must be told of here, or be said to end the API."""
    assert {one.name for one in fields(Switches)} == {*DISPUTED, *FURTHER, ENDS_THE_API}
    told = {reading.settings[0] for reading, _ in CASES}
    assert told == {(name, value) for name, values in FURTHER.items() for value in values}


def test_a_firmware_without_the_import_is_named_after_the_leavers_are_out(teller: Teller) -> None:
    """A card that is not in the controller cannot come there; the report says what that needs."""
    club = teller.club
    open_under(club, Reading((("firmware", "3.1.30"),)), imports=False)
    leaver = member(club, 1001)
    assert club.cycle().ending is Ending.CLEAN
    gets_in(club, 1001)
    club.lapse(leaver)
    member(club, 1010)
    report = club.cycle()
    assert report.ending is Ending.FAILED
    assert report.error is not None
    assert "importing 1 card" in report.reason()
    assert "UniFi Access 3.3.10 or newer" in report.error.remedy
    stays_out(club, 1001)
    assert club.status_of(leaver) == "DEACTIVATED"


def test_a_controller_that_left_this_api_is_named_and_nothing_is_touched(teller: Teller) -> None:
    """After an upgrade to Identity Enterprise nothing answers (§1.1 of the UniFi sheet)."""
    club = teller.club
    open_under(club, OWN)
    club.cycle()
    before = normal_form(club)
    club.unifi.switch(**{ENDS_THE_API: True})
    member(club, 1001)
    club.forget()
    report = club.cycle()
    assert report.ending is Ending.FAILED
    assert "Identity Enterprise" in f"{report.reason()} {report.error and report.error.remedy}"
    assert club.writes() == 0
    assert normal_form(club) == before


def test_pages_that_never_fit_together_are_named_and_nothing_is_touched(teller: Teller) -> None:
    """P2: a list of which a user may be missing is no list. Several are read at once; the first
    that does not fit together is named."""
    club = teller.club
    open_under(club, OWN)
    people = [member(club, 1001 + n) for n in range(5)]
    assert club.cycle().ending is Ending.CLEAN
    before = normal_form(club)
    club.unifi.switch(**UNREADABLE)
    club.lapse(people[0])
    for _ in range(3):
        club.forget()
        report = club.cycle()
        assert report.ending is Ending.FAILED
        assert re.search("the list of (users|cards) repeats", report.reason())
        assert club.writes() == 0
    assert normal_form(club) == before

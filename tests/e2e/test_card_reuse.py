"""The card-reuse stories, from the membership list to the door, under every disputed reading."""

from collections.abc import Iterator
from itertools import combinations, product

import pytest

from tests.proof.readings import DISPUTED, EVERY_READING, Reading
from tests.proof.readings_stories import STORIES
from tests.proof.readings_told import Teller, named, telling
from tests.thorough import sample

CASES = sample([*product(EVERY_READING, STORIES)], 83)


@pytest.fixture(scope="module")
def teller(request: pytest.FixtureRequest) -> Iterator[Teller]:
    """What tells stories, over simulators that were started once."""
    with telling("Every reading of design.md §9", request.config) as opened:
        yield opened


@pytest.mark.parametrize(("reading", "story"), CASES, ids=named)
def test_a_story_ends_the_same_under_every_reading(
    teller: Teller, reading: Reading, story: str
) -> None:
    """The stories claim what the doors do, who is named, and that a further cycle writes nothing
    (P3, P8, R3); here the whole of the controller must look alike in the end (§9)."""
    teller.tell(reading, story)


def test_every_two_readings_meet_in_one_of_these_cases() -> None:
    """Also where only a sample is run: what needs two readings at once has nowhere to hide."""
    told = [dict(reading.settings) for reading, _ in CASES]
    for (one, ones), (other, others) in combinations(DISPUTED.items(), 2):
        met = {(settings[one], settings[other]) for settings in told}
        assert met == set(product(ones, others)), f"{one} and {other}"


def test_every_story_is_told_under_each_value_of_every_switch() -> None:
    for story in STORIES:
        told = [dict(reading.settings) for reading, other in CASES if other == story]
        for name, values in DISPUTED.items():
            assert {settings[name] for settings in told} == {*values}, (story, name)

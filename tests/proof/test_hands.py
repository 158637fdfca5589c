"""Somebody at the controller's console, or in the office, between any two requests of a cycle.

Nobody who is active, by the controller at the time of the write, loses a card unless no answer
could have told; then the read-back names the person. Nothing crashes, nothing is called done that
is not, and once the hands rest the doors come to agree with the membership list.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.proof.faults_story import MORE_READINGS, READINGS
from tests.proof.hands_console import CONSOLE
from tests.proof.hands_judge import Judge, judging
from tests.proof.hands_office import OFFICE
from tests.proof.hands_onlooker import LOST_BY_FORCE, MOVED
from tests.thorough import THOROUGH, sample

OWN, *OTHERS = [*READINGS.values(), *MORE_READINGS.values()]
SOME = 75
"""Under the other readings a hand comes at each gap of so many."""


@pytest.fixture(scope="module")
def console(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Judge]:
    title = "Somebody at the console, between any two requests"
    with judging(title, tmp_path_factory.mktemp("console"), pytestconfig) as judge:
        yield judge


@pytest.fixture(scope="module")
def office(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Judge]:
    title = "Somebody in the office, between any two requests to CiviCRM"
    with judging(title, tmp_path_factory.mktemp("office"), pytestconfig) as judge:
        yield judge


def _turned(gaps: list[tuple[int, bool]], by: int) -> list[tuple[int, bool]]:
    """Begin elsewhere for each hand, so that a sample meets as many gaps as there are hands."""
    first = 7 * by % len(gaps)
    return [*gaps[first:], *gaps[:first]]


@pytest.mark.parametrize("name", sample([*CONSOLE], 2))
def test_a_hand_at_the_console(console: Judge, name: str) -> None:
    gaps = console.gaps(OWN)
    turned = _turned(gaps, [*CONSOLE].index(name))
    _all(console, name, turned)
    if THOROUGH:
        for number, reading in enumerate(OTHERS):
            gaps = console.gaps(reading)
            _all(console, name, gaps[number % SOME :: SOME])


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("enables the holder of a card to reclaim", LOST_BY_FORCE),
        ("moves that card to an active stranger", MOVED),
        ("lends that card to a visitor", MOVED),
        ("frees that card", ""),
        ("deletes that card", ""),
    ],
)
def test_a_hand_between_the_last_look_and_the_force(console: Judge, name: str, what: str) -> None:
    """One request before that it is seen in time, and the card stays where it is."""
    console.gaps(OWN)
    console.findings, before = Counter(), console.findings
    console.run(name, CONSOLE[name], console.force - 1, after=False)
    assert not console.findings
    console.run(name, CONSOLE[name], console.force, after=False)
    assert [*console.findings] == ([(name, what)] if what else [])
    console.findings += before


@pytest.mark.parametrize("name", sample([*OFFICE], 2))
def test_a_hand_in_the_office(office: Judge, name: str) -> None:
    turned = _turned(office.gaps_in_civicrm(OWN), [*OFFICE].index(name))
    for number, after in sample(turned, len(turned)):
        try:
            office.run(name, OFFICE[name], number, after=after, in_civicrm=True)
        except AssertionError as error:
            error.add_note(f"{'after' if after else 'before'} request {number} to CiviCRM")
            raise


def _all(judge: Judge, name: str, gaps: list[tuple[int, bool]]) -> None:
    """Let the hand come at every gap; in a sample, at the first where it has something to do."""
    for number, after in gaps:
        try:
            acted = judge.run(name, CONSOLE[name], number, after=after)
        except AssertionError as error:
            error.add_note(f"{'after' if after else 'before'} request {number}")
            raise
        if acted and not THOROUGH:
            return
    assert THOROUGH, f"{name}: it never had anything to do"

"""What the record of a cycle's requests tells: their course, and where the time went."""

from dataclasses import asdict

import pytest

from benchmarks.phases import Phases, phases
from benchmarks.process import Spent
from benchmarks.replay import answers_needed, at_once
from tests.benchmarks.conftest import asked


def spent(began: float, ended: float) -> Spent:
    return Spent(began, ended, 0.5, 60.0, 0, "")


def test_requests_side_by_side_need_no_answer_but_for_the_places_taken() -> None:
    """Two at once: the third is sent when one of the first two is back, and so on."""
    course = [asked(0, 2), asked(0, 3), asked(2, 4), asked(3, 5)]
    assert at_once(course) == 2
    assert answers_needed(course) == [0, 0, 1, 2]


def test_what_was_asked_when_nothing_was_under_way_waits_for_all_before() -> None:
    """As everything waits for the proof of the ground."""
    course = [asked(0, 1), asked(1.1, 2), asked(1.1, 2), asked(2.1, 3)]
    assert answers_needed(course) == [0, 1, 1, 3]


def test_a_busy_client_is_no_reason_for_the_replay_to_wait() -> None:
    """The fourth could have been sent when the second was back; the client came to it later."""
    course = [asked(0, 1), asked(0, 2), asked(1, 9), asked(5, 6)]
    assert answers_needed(course) == [0, 0, 1, 2]


def test_an_answer_and_a_request_of_the_same_moment_are_not_at_once() -> None:
    assert at_once([asked(0, 1), asked(1, 2)]) == 1


def test_phases_add_up_to_the_wall_time() -> None:
    unifi = [
        asked(10.4, 10.6),
        asked(11.0, 11.02, is_write=True),
        asked(11.1, 11.12, is_write=True),
        asked(11.15, 11.17),
        asked(11.3, 11.32, is_write=True),
        asked(11.4, 11.5),
    ]
    found = phases(spent(10, 12), [asked(10.3, 10.9)], unifi)
    expected = Phases(
        starting=0.3,
        reading=0.6,
        deciding=0.1,
        write_answers=0.06,
        pacing=0.15,
        between_writes=0.11,
        proving=0.18,
        ending=0.5,
    )
    assert asdict(found) == pytest.approx(asdict(expected))
    assert sum(asdict(found).values()) == pytest.approx(2)


def test_without_writes_all_after_the_last_answer_is_the_ending() -> None:
    found = phases(spent(0, 3), [asked(1, 2)], [])
    assert (found.starting, found.reading, found.ending) == (1, 1, 1)
    assert (found.write_answers, found.pacing, found.proving) == (0, 0, 0)


def test_a_cycle_that_asked_nothing_has_no_phases() -> None:
    with pytest.raises(ValueError, match="without any request"):
        phases(spent(0, 1), [], [])

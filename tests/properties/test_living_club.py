"""A club lives at random, and stays right: the cycle alone, with guards that let all pass."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.club import open_club
from tests.properties.living import LivingClub


@pytest.mark.usefixtures("no_waiting")
def test_a_living_club_stays_right() -> None:
    """Random worlds, events, readings and faults; see `LivingClub`."""
    with open_club() as club:
        LivingClub.club = club
        run_state_machine_as_test(
            LivingClub,
            settings=settings(
                max_examples=30,
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

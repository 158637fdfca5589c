"""A club lives at random with the whole program around each cycle, and its promises hold."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.club import open_club
from tests.notify.conftest import MailServer
from tests.properties.recorded import RecordedClub


@pytest.mark.usefixtures("no_waiting")
def test_a_recorded_club_stays_right(tmp_path: Path, mail_server: MailServer) -> None:
    """Random worlds, events, troubles, persons and files; see `RecordedClub`."""
    with open_club() as club:
        RecordedClub.club, RecordedClub.server = club, mail_server
        RecordedClub.directory = tmp_path
        run_state_machine_as_test(
            RecordedClub,
            settings=settings(
                max_examples=15,
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

"""Revocation time through whole cycles: learned, failed, held, interrupted, proven (P10)."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from door_sync.app.report import Ending
from door_sync.app.shutting import Fate
from door_sync.core.people import ContactId
from door_sync.journal.memory import InMemoryJournal
from door_sync.journal.revocations import RevocationTimes
from door_sync.journal.sqlite import SqliteJournal
from door_sync.simulators.faults import Fault, Reset
from tests.app.watching import DEACTIVATE, at_look, at_status, bad_token, lie, refused, settled
from tests.club import HABITS, Club
from tests.cutting import Cutter, begin

LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
HOUR = timedelta(hours=1)


def times(club: Club) -> RevocationTimes:
    assert isinstance(club.journal, InMemoryJournal)
    return club.journal.revocation_times(LONG_AGO)


def leaver(club: Club) -> int:
    """Return a member who was in, and lapsed."""
    contact = club.join(1001)
    settled(club)
    club.lapse(contact)
    return contact


def test_a_leaver_is_measured_in_the_cycle_that_revokes(club: Club) -> None:
    leaver(club)
    before = club.clock.now()
    assert club.cycle().ending is Ending.CLEAN
    found = times(club)
    assert found.count == 1
    assert found.p50_seconds is not None
    assert 0 < found.p50_seconds <= (club.clock.now() - before).total_seconds()
    assert found.unproven == ()


@pytest.mark.parametrize(
    "fault", [refused(), lie(), Reset()], ids=["refused", "told done", "no answer"]
)
def test_one_that_failed_counts_from_the_first_try(club: Club, fault: Fault) -> None:
    contact = leaver(club)
    at_status(club, fault, club.user_of(contact), DEACTIVATE)
    assert club.cycle().ending is Ending.PARTIAL
    [waiting] = times(club).unproven
    assert (waiting.contact_id, waiting.is_held) == (contact, False)
    club.unifi.faults.clear()
    club.clock.ahead = HOUR
    assert club.cycle().ending is Ending.CLEAN
    assert 3600 <= (times(club).p50_seconds or 0) < 3700


def test_one_that_the_cycle_did_not_reach_counts_from_that_cycle(club: Club) -> None:
    """No write of it is on record: the key was refused at the first leaver."""
    first = club.join(1001)
    second = club.join(1002)
    settled(club)
    club.lapse(first)
    club.lapse(second)
    club.unifi.faults.add(bad_token(), method="PUT", path="/users/:id/nfc_cards/delete")
    assert club.cycle().ending is Ending.FAILED
    assert [one.contact_id for one in times(club).unproven] == [first, second]


def test_one_without_a_read_back_is_proven_by_the_next_read(club: Club) -> None:
    contact = leaver(club)
    at_look(club, Reset(), f"/users/{club.user_of(contact)}")
    assert club.cycle().ending is Ending.PARTIAL
    assert club.status_of(contact) == "DEACTIVATED"
    assert [one.contact_id for one in times(club).unproven] == [contact]
    club.unifi.faults.clear()
    club.clock.ahead = HOUR
    club.forget()
    assert club.cycle().ending is Ending.CLEAN
    assert club.writes() == 0
    assert 3600 <= (times(club).p50_seconds or 0) < 3700


def test_a_hold_counts_from_the_cycle_that_held_first_and_falls_away_with_its_cause(
    club: Club,
) -> None:
    people = [club.join(number) for number in range(1001, 1006)]
    settled(club)
    club.habits = replace(HABITS, budgets=replace(HABITS.budgets, few=3))
    for contact in people:
        club.lapse(contact)
    assert club.cycle().ending is Ending.HELD
    assert [one.is_held for one in times(club).unproven] == [True] * 5
    club.clock.ahead = HOUR
    for contact in people[1:]:
        club.rejoin(contact)
    assert club.cycle().ending is Ending.CLEAN
    found = times(club)
    assert (found.count, found.unproven) == (1, ())
    assert 3600 <= (found.p50_seconds or 0) < 3700


def test_a_dry_run_learns_nothing(club: Club) -> None:
    leaver(club)
    club.plan()
    assert times(club).unproven == ()


# An urgent cut-off.


@pytest.fixture
def cutter(club: Club, tmp_path: Path) -> Cutter:
    begin(club)
    cutter = Cutter(club, tmp_path)
    club.join(1001)
    cutter.cycle()
    return cutter


def cut_times(cutter: Cutter) -> RevocationTimes:
    with SqliteJournal.open_read_only(cutter.path, cutter.club.clock) as journal:
        return journal.revocation_times(LONG_AGO)


def in_(cutter: Cutter) -> int:
    return max(cutter.club.memberships)


def test_a_cut_off_is_measured_by_its_own_read_back(cutter: Cutter) -> None:
    contact = in_(cutter)
    assert cutter.revoke(contact).people[0].fate is Fate.CUT
    assert (cut_times(cutter).count, cut_times(cutter).unproven) == (1, ())
    cutter.cycle()
    assert cut_times(cutter).count == 1


def test_a_cut_off_of_nobody_is_not_measured(cutter: Cutter) -> None:
    assert cutter.revoke(999).people[0].fate is Fate.NOTHING
    assert (cut_times(cutter).count, cut_times(cutter).unproven) == (0, ())


def test_a_cut_off_that_the_controller_did_not_hear_waits_for_the_next_cycle(
    cutter: Cutter,
) -> None:
    contact = in_(cutter)
    cutter.club.unifi.faults.add(bad_token())
    assert cutter.revoke(contact).exit_code == 2
    assert [one.contact_id for one in cut_times(cutter).unproven] == [ContactId(contact)]
    cutter.club.unifi.faults.clear()
    cutter.club.clock.ahead = HOUR
    assert cutter.cycle().ending is Ending.CLEAN
    assert 3600 <= (cut_times(cutter).p50_seconds or 0) < 3700

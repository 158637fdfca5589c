"""Lists that every other test would believe, and a canary that is missing from them (P2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from door_sync.app.canaries import Canaries
from door_sync.app.cycle import dry_run, live_run
from door_sync.app.report import CycleReport, Ending
from door_sync.core.controller import UserId
from door_sync.core.people import ContactId
from door_sync.ports import ControllerDistrusted, SourceDistrusted
from door_sync.simulators.faults import Rewrite
from tests.club import Club

MEMBERS = 12


@pytest.fixture
def people(club: Club) -> list[int]:
    """A club in step."""
    people = [club.join(1001 + number) for number in range(MEMBERS)]
    assert club.cycle().ending is Ending.CLEAN
    club.forget()
    return people


@pytest.fixture
def canary(club: Club, people: list[int]) -> int:
    """A contact made for this: a card number that nobody carries, and no membership."""
    return club.civicrm.world.add_contact("Nobody", "Real", card=60000)


@contextmanager
def narrowed_for_the_key(club: Club, *without: int) -> Iterator[None]:
    """Let CiviCRM show everybody but these, with counts that agree."""
    seen = frozenset(club.civicrm.world.contacts) - frozenset(without)
    club.civicrm.switches.narrowed_to = seen
    try:
        yield
    finally:
        club.civicrm.switches.narrowed_to = None


@contextmanager
def shortened(club: Club, without: str) -> Iterator[None]:
    """Let the controller list and count everybody but this user."""

    def change(document: Any) -> Any:
        rows = [row for row in document["data"] if row["id"] != without]
        document["pagination"]["total"] -= len(document["data"]) - len(rows)
        document["data"] = rows
        return document

    club.unifi.faults.add(Rewrite(change), method="GET", path="/users", times=None)
    try:
        yield
    finally:
        club.unifi.faults.clear()


def run(club: Club, canaries: Canaries, *, dry: bool = False) -> CycleReport:
    with club.parts() as parts:
        watched = replace(parts, canaries=canaries)
        return dry_run(watched) if dry else live_run(watched)


def test_a_narrowed_membership_list_is_believed_by_all_other_tests(
    club: Club, people: list[int], canary: int
) -> None:
    """Without the setting a hidden member is judged as usual: the second cycle that misses them
    takes their access away (R1)."""
    with narrowed_for_the_key(club, canary, people[0]):
        for _ in range(2):
            assert run(club, Canaries()).ending is Ending.CLEAN
    assert not club.opens(1001)


@pytest.mark.parametrize("dry", [False, True], ids=["live", "dry"])
def test_with_a_canary_a_narrowed_membership_list_changes_nothing(
    club: Club, people: list[int], canary: int, dry: bool
) -> None:
    club.lapse(people[1])
    with narrowed_for_the_key(club, canary, people[0]):
        for _ in range(3):
            report = run(club, Canaries(contact=ContactId(canary)), dry=dry)
            assert isinstance(report.error, SourceDistrusted)
            assert report.ending is Ending.FAILED
            assert f"contact {canary}, which civicrm.canary_contact" in report.reason()
    assert club.writes() == 0
    assert all(club.opens(1001 + number) for number in range(MEMBERS))


def test_a_cycle_after_the_list_is_whole_again_goes_on(
    club: Club, people: list[int], canary: int
) -> None:
    canaries = Canaries(ContactId(canary), UserId(club.owner))
    club.lapse(people[1])
    with narrowed_for_the_key(club, canary):
        run(club, canaries)
    report = run(club, canaries)
    assert report.ending is Ending.CLEAN, report.reason()
    assert [change.contact_id for change in report.done] == [people[1]]


@pytest.mark.parametrize("way", ["clear_card", "trash", "delete"])
def test_a_canary_that_somebody_removed_stops_the_cycle_too(
    club: Club, canary: int, way: str
) -> None:
    """The program cannot tell that from a narrowed list; the text says what to do in both cases."""
    getattr(club.civicrm.world, way)(canary)
    report = run(club, Canaries(contact=ContactId(canary)))
    assert isinstance(report.error, SourceDistrusted)
    assert "set civicrm.canary_contact to another one" in report.error.remedy


def test_a_shortened_list_of_users_is_believed_by_all_other_tests(
    club: Club, people: list[int]
) -> None:
    """Of the users without a card nothing else tells that they are missing."""
    with shortened(club, club.owner):
        assert run(club, Canaries()).ending is Ending.CLEAN


@pytest.mark.parametrize("dry", [False, True], ids=["live", "dry"])
def test_with_a_canary_a_shortened_list_of_users_changes_nothing(
    club: Club, people: list[int], dry: bool
) -> None:
    club.lapse(people[1])
    club.join(2001)
    with shortened(club, club.owner):
        report = run(club, Canaries(user=UserId(club.owner)), dry=dry)
    assert isinstance(report.error, ControllerDistrusted)
    assert report.ending is Ending.FAILED
    assert f"user {club.owner}, who unifi.canary_user" in report.reason()
    assert club.writes() == 0
    assert club.opens(1002)
    assert run(club, Canaries(user=UserId(club.owner))).ending is Ending.CLEAN


def test_a_canary_without_membership_gets_no_user(club: Club, canary: int) -> None:
    report = run(club, Canaries(contact=ContactId(canary)))
    assert report.ending is Ending.CLEAN
    assert club.writes() == 0
    assert report.notices == ()

"""A cycle and an urgent cut-off at the same time, in every order: the person stays out (§6)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from door_sync.app.report import Ending
from tests.club import Club
from tests.cutting import Cutter, begin

CARDS = (1001, 1002)
"""Every card that the person of a story has, had or gets."""

Story = Callable[[Cutter], int]


def granted(cutter: Cutter) -> int:
    """Somebody new: import, create, bind, policy."""
    cutter.cycle()
    return cutter.club.join(1001)


def granted_with_a_card_of_a_disabled_user(cutter: Cutter) -> int:
    """Somebody new, whose card is stuck on a user who left: a reclaim by force."""
    cutter.cycle()
    cutter.club.add_user("", cards=[1001], status="DEACTIVATED")
    return cutter.club.join(1001)


def restored_with_another_card(cutter: Cutter) -> int:
    """Somebody who rejoins: free, clear the policies, activate, bind, policy."""
    club = cutter.club
    cutter.cycle()
    contact = club.join(1002)
    club.add_user(str(contact), cards=[1001], policies=[club.gold], status="DEACTIVATED")
    return contact


def given_another_card_and_tier(cutter: Cutter) -> int:
    """A member who stays: free, bind, policy."""
    club = cutter.club
    contact = club.join(1001, "Silver")
    cutter.cycle()
    club.civicrm.world.set_card(contact, "1002")
    club.retier(contact, "Gold")
    return contact


def kept(cutter: Cutter) -> int:
    """A member with nothing to change; somebody else joins."""
    contact = cutter.club.join(1001)
    cutter.cycle()
    cutter.club.join(1003)
    return contact


STORIES: tuple[Story, ...] = (
    granted,
    granted_with_a_card_of_a_disabled_user,
    restored_with_another_card,
    given_another_card_and_tier,
    kept,
)

READINGS: tuple[dict[str, Any], ...] = (
    {},
    {"unbind": "delete", "deactivated_refuses_cards": True},
    {"unbind": "both", "deactivated_refuses_cards": True, "business_error_status": 400},
)


def is_outside(club: Club, contact: int) -> bool:
    """Whether the person has no active user, and none of their cards opens anything."""
    users = [one for one in club.unifi.world.users if one.employee_number == str(contact)]
    opened = [club.opens(card) or club.opens(card, club.workshop) for card in CARDS]
    return not any(opened) and all(one.status == "DEACTIVATED" for one in users)


def requests_of(club: Club, act: Callable[[], object]) -> int:
    """Return how many requests the controller gets from an act."""
    club.forget()
    act()
    return len(club.unifi.journal.requests())


def stays_outside(cutter: Cutter, contact: int, place: str) -> None:
    """The person is outside now and after the next cycle, which fails for nobody."""
    assert is_outside(cutter.club, contact), place
    report = cutter.cycle()
    assert report.ending is Ending.CLEAN, f"{place}: {report.reason()}"
    assert is_outside(cutter.club, contact), f"{place}, next cycle"
    assert cutter.club.opens(1100), "the others are not affected"


@pytest.mark.parametrize("reading", READINGS, ids=["put", "delete, refuses", "both, 400"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
class TestInEveryOrder:
    """Each request of the one is the moment for the whole of the other, before and after it."""

    def test_a_cut_off_between_any_two_requests_of_a_cycle(
        self, club: Club, tmp_path: Path, story: Story, reading: dict[str, Any]
    ) -> None:
        begin(club, **reading)
        rehearsal = Cutter(club, tmp_path / "rehearsal")
        contact = story(rehearsal)
        number = requests_of(club, rehearsal.cycle)
        assert not is_outside(club, contact), "else nothing would be proven"
        for request in range(1, number + 1):
            for after in (False, True):
                place = f"request {request} of {number}, {'after' if after else 'before'}"
                begin(club, **reading)
                cutter = Cutter(club, tmp_path / f"{request}-{after}")
                contact = story(cutter)
                cut = cutter.at_request(request, partial(cutter.revoke, contact), after=after)
                report = cutter.cycle()
                club.unifi.faults.clear()
                assert [one.exit_code for one in cut] == [0], place
                assert report.ending is Ending.CLEAN, f"{place}: {report.reason()}"
                stays_outside(cutter, contact, place)

    def test_a_cycle_between_any_two_requests_of_a_cut_off(
        self, club: Club, tmp_path: Path, story: Story, reading: dict[str, Any]
    ) -> None:
        begin(club, **reading)
        rehearsal = Cutter(club, tmp_path / "rehearsal")
        contact = story(rehearsal)
        number = requests_of(club, lambda: rehearsal.revoke(contact))
        for request in range(1, number + 1):
            for after in (False, True):
                place = f"request {request} of {number}, {'after' if after else 'before'}"
                begin(club, **reading)
                cutter = Cutter(club, tmp_path / f"{request}-{after}")
                contact = story(cutter)
                ran = cutter.at_request(request, cutter.cycle, after=after)
                done = cutter.revoke(contact)
                club.unifi.faults.clear()
                assert done.exit_code == 0, place
                assert [one.ending for one in ran] == [Ending.CLEAN], place
                stays_outside(cutter, contact, place)

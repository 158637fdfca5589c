"""The card-reuse stories, from the membership list to the door, under every disputed reading."""

from itertools import product

import pytest

from door_sync.app.report import Ending
from door_sync.core.steps import NoticeKind
from door_sync.simulators.unifi.switches import Switches
from tests.club import Club

DISPUTED = {
    "unbind": ("put", "delete", "both"),
    "deactivated_refuses_cards": (False, True),
    "business_error_status": (200, 400),
    "known_card": ("empty token", "same token"),
    "bad_row": ("row fails", "file fails"),
    "dialect": ("string", "numeric"),
    "page_size_cap": (None, 3),
    "nfc_id_in_card_list": (False, True),
}
READINGS = [
    Switches.of(dict(zip(DISPUTED, reading, strict=True)))
    for reading in product(*DISPUTED.values())
]
"""Every combination of design.md §9: 384 controllers."""

SAMPLE = READINGS[::23]
"""Some of them, which meet every value in most company; the last story runs on all."""


@pytest.fixture(params=SAMPLE, ids=[str(n) for n in range(len(SAMPLE))])
def any_club(club: Club, request: pytest.FixtureRequest) -> Club:
    """A club whose controller follows one reading, whose guards do not mind small numbers, and
    with one member who stays, so that nobody mistakes it for an empty membership list."""
    club.reset(request.param)
    club.relax()
    club.join(1100)
    return club


def synced(club: Club) -> None:
    """Run a cycle that must end clean and a second that must write nothing."""
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    club.forget()
    assert club.cycle().ending is Ending.CLEAN
    assert club.writes() == 0


def test_a_new_member_gets_a_user_a_card_and_the_doors_of_the_tier(club: Club) -> None:
    gold, silver = club.join(1001, "Gold"), club.join(1002, "Silver")
    synced(club)
    assert club.opens(1001)
    assert club.opens(1001, club.workshop)
    assert club.opens(1002)
    assert not club.opens(1002, club.workshop)
    assert club.status_of(gold) == club.status_of(silver) == "ACTIVE"


def test_a_lapsed_members_card_goes_to_a_new_member_in_one_cycle(any_club: Club) -> None:
    leaver = any_club.join(1001)
    synced(any_club)
    any_club.lapse(leaver)
    any_club.civicrm.world.clear_card(leaver)
    any_club.join(1001, "Silver")
    synced(any_club)
    assert any_club.status_of(leaver) == "DEACTIVATED"
    assert any_club.opens(1001)
    assert not any_club.opens(1001, any_club.workshop)


def test_a_lapsed_members_card_goes_to_a_new_member_over_two_cycles(any_club: Club) -> None:
    leaver = any_club.join(1001)
    synced(any_club)
    any_club.lapse(leaver)
    synced(any_club)
    assert not any_club.opens(1001)
    any_club.join(1001)
    synced(any_club)
    assert any_club.opens(1001)


@pytest.mark.parametrize("employee_number", ["900", ""], ids=["managed", "unmanaged"])
def test_a_card_stuck_on_a_disabled_user_is_reclaimed(any_club: Club, employee_number: str) -> None:
    stuck = any_club.add_user(employee_number, cards=[1001], status="DEACTIVATED")
    member = any_club.join(1001)
    any_club.join(1002)
    report = any_club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    [warning] = [n for n in report.notices if n.kind is NoticeKind.RECLAIM]
    assert warning.contact_id == member
    assert (employee_number or stuck) in warning.text
    assert any_club.opens(1001)


def test_an_active_holder_is_never_displaced_and_is_named(any_club: Club) -> None:
    any_club.unifi.world.bind(any_club.add_card(1001), any_club.owner)
    any_club.join(1001)
    any_club.join(1002)
    for _ in range(2):
        report = any_club.cycle()
        assert report.ending is Ending.CLEAN, report.reason()
        [blocked] = report.blocked
        assert blocked.holder is not None
        assert blocked.holder.user_id == any_club.owner
    any_club.forget()
    any_club.cycle()
    assert any_club.writes() == 0
    [card] = [c for c in any_club.unifi.world.cards if c.alias == "sync-01001"]
    assert card.holder is not None
    assert card.holder.id == any_club.owner


@pytest.mark.parametrize("status", ["PENDING", "ACTIVE"])
def test_a_card_of_an_unmanaged_person_who_may_be_active_is_left_there(
    any_club: Club, status: str
) -> None:
    holder = any_club.add_user("n/a", cards=[1001], status=status)
    any_club.join(1001)
    report = any_club.cycle()
    assert [one.holder.user_id for one in report.blocked if one.holder] == [holder]


def test_a_card_whose_holder_shows_no_status_is_left_there(any_club: Club) -> None:
    any_club.add_user("n/a", cards=[1001], status="DEACTIVATED", missing=["status"])
    any_club.join(1001)
    report = any_club.cycle()
    assert len(report.blocked) == 1
    assert not any_club.opens(1001)


def test_a_visitors_card_is_left_there(any_club: Club) -> None:
    token = any_club.add_card(1001)
    visitor = any_club.unifi.world.add_visitor(
        "Vic", "Tor", start_time=0, end_time=2**31, card_token=token
    )
    any_club.join(1001)
    report = any_club.cycle()
    [blocked] = report.blocked
    assert blocked.holder is not None
    assert blocked.holder.visitor_id == visitor.id


def test_two_members_swap_cards_in_one_cycle(any_club: Club) -> None:
    ann, bob = any_club.join(1001, "Gold"), any_club.join(1002, "Silver")
    synced(any_club)
    any_club.civicrm.world.set_card(ann, "1002")
    any_club.civicrm.world.set_card(bob, "1001")
    synced(any_club)
    assert any_club.opens(1002, any_club.workshop)
    assert not any_club.opens(1001, any_club.workshop)
    assert any_club.opens(1001)


def test_a_rotation_of_five_settles_in_one_cycle(any_club: Club) -> None:
    people = [any_club.join(1001 + n) for n in range(5)]
    synced(any_club)
    for n, contact in enumerate(people):
        any_club.civicrm.world.set_card(contact, str(1001 + (n + 1) % 5))
    synced(any_club)
    assert all(any_club.opens(1001 + n) for n in range(5))


@pytest.mark.parametrize("card", ["1001", "1009"], ids=["the same card", "another card"])
def test_somebody_who_rejoins_gets_in_again(any_club: Club, card: str) -> None:
    contact = any_club.join(1001)
    synced(any_club)
    any_club.lapse(contact)
    synced(any_club)
    any_club.rejoin(contact, "Silver")
    any_club.civicrm.world.set_card(contact, card)
    synced(any_club)
    assert any_club.opens(int(card))
    assert not any_club.opens(int(card), any_club.workshop)
    assert any_club.opens(1001) == (card == "1001")


def test_somebody_who_rejoins_without_a_card_stays_out(any_club: Club) -> None:
    contact = any_club.join(1001)
    synced(any_club)
    any_club.lapse(contact)
    synced(any_club)
    any_club.rejoin(contact)
    any_club.civicrm.world.clear_card(contact)
    synced(any_club)
    assert any_club.status_of(contact) == "DEACTIVATED"
    assert not any_club.opens(1001)


def test_a_disabled_user_with_another_card_is_restored_without_it(any_club: Club) -> None:
    contact = any_club.join(1009)
    any_club.add_user(str(contact), cards=[1001], policies=[any_club.gold], status="DEACTIVATED")
    synced(any_club)
    assert any_club.opens(1009)
    assert not any_club.opens(1001)


@pytest.mark.parametrize("switches", READINGS, ids=[str(n) for n in range(len(READINGS))])
def test_one_story_ends_the_same_under_every_reading(club: Club, switches: Switches) -> None:
    """Leave, recycle, reclaim, swap, import of a card enrolled by hand, all in one cycle (§9)."""
    club.reset(switches)
    club.relax()
    leaver, ann, bob, cal = (club.join(1001 + n) for n in range(4))
    club.add_user("", cards=[1008], status="DEACTIVATED")
    assert club.cycle().ending is Ending.CLEAN
    crm = club.civicrm.world
    club.lapse(leaver)
    crm.set_card(ann, "1003")
    crm.set_card(bob, "1002")
    crm.set_card(cal, "1001")
    club.join(1004, "Silver")
    club.join(1008, "Silver")
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    opened = {n: (club.opens(n), club.opens(n, club.workshop)) for n in range(1001, 1009)}
    assert opened == {
        1001: (True, True),
        1002: (True, True),
        1003: (True, True),
        1004: (True, False),
        1005: (False, False),
        1006: (False, False),
        1007: (False, False),
        1008: (True, False),
    }
    club.forget()
    club.cycle()
    assert club.writes() == 0

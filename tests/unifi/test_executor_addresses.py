"""E-mail addresses: what a refusal costs, how long it is remembered, who gives way to whom (R2)."""

import pytest

from door_sync.app.report import CycleReport, Ending
from door_sync.core.people import ContactId
from door_sync.core.steps import NoticeKind
from door_sync.simulators.faults import Fault, Reset
from door_sync.unifi.executor import address_digest
from tests.app.watching import (
    Later,
    at_create,
    at_profile,
    done,
    failed,
    kinds,
    outcomes,
    refused,
    settled,
    user,
)
from tests.club import Club

TAKEN = "taken@example.org"
FREE = "free@example.org"
ADDRESS_REFUSED = refused("CODE_USER_EMAIL_ERROR")


def left_out(report: CycleReport) -> list[int | None]:
    """Return the contacts whose address was left out."""
    return [n.contact_id for n in report.notices if n.kind is NoticeKind.ADDRESS_LEFT_OUT]


def address(club: Club, contact: int) -> str:
    return user(club, contact).user_email


def members(club: Club, *addresses: str) -> list[int]:
    """Return people who are in the controller with these addresses."""
    people = [club.join(1001 + n, email=one) for n, one in enumerate(addresses)]
    settled(club)
    return people


def test_a_new_member_whose_address_is_refused_gets_everything_else(club: Club) -> None:
    club.unifi.world.add_hidden_admin(TAKEN)
    contact = club.join(1001, email=TAKEN)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert outcomes(club, report, contact) == [
        ("import-card", "done"),
        ("create-user", "refused"),
        ("create-user", "done"),
        ("bind-card", "done"),
        ("set-policies", "done"),
    ]
    assert left_out(report) == [contact]
    assert address(club, contact) == ""
    assert club.opens(1001)


def test_a_name_is_written_without_the_address_that_is_refused(club: Club) -> None:
    [contact] = members(club, "")
    club.unifi.world.add_hidden_admin(TAKEN)
    club.civicrm.world.set_name(contact, first_name="Other")
    club.civicrm.world.set_email(contact, TAKEN)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert kinds(club, contact) == ["update-profile"] * 2
    assert (user(club, contact).first_name, address(club, contact)) == ("Other", "")
    assert left_out(report) == [contact]
    assert done(report) == [contact]


def test_an_address_alone_that_is_refused_is_neither_done_nor_a_failure(club: Club) -> None:
    [contact] = members(club, FREE)
    club.unifi.world.add_hidden_admin(TAKEN)
    club.civicrm.world.set_email(contact, TAKEN)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert kinds(club, contact) == ["update-profile"]
    assert address(club, contact) == FREE
    assert left_out(report) == [contact]
    assert done(report) == []


def test_somebody_who_rejoins_is_restored_without_the_address_that_is_refused(club: Club) -> None:
    club.unifi.world.add_hidden_admin(TAKEN)
    contact = club.join(1001, email=TAKEN, first="Again")
    club.add_user(str(contact), cards=[1001], status="DEACTIVATED")
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert (user(club, contact).first_name, address(club, contact)) == ("Again", "")
    assert club.opens(1001)


def test_a_refused_address_is_left_alone_for_seven_days(club: Club) -> None:
    club.unifi.world.add_hidden_admin(TAKEN)
    contact = club.join(1001, email=TAKEN)
    club.cycle()
    club.forget()
    for clock in (club.clock, Later(days=6, hours=23)):
        club.clock = clock
        report = club.cycle()
        assert left_out(report) == [contact]
        assert club.writes() == 0
    club.clock = Later(days=7, minutes=1)
    report = club.cycle()
    assert outcomes(club, report, contact) == [("update-profile", "refused")]


def test_a_refused_address_that_is_free_by_then_is_written_after_seven_days(club: Club) -> None:
    club.unifi.world.add_hidden_admin(TAKEN)
    contact = club.join(1001, email=TAKEN)
    club.cycle()
    club.unifi.world.hidden_admins.clear()
    club.clock = Later(days=8)
    settled(club)
    assert address(club, contact) == TAKEN


@pytest.mark.parametrize("other", [FREE, "still.taken@example.org"])
def test_another_address_is_tried_at_once(club: Club, other: str) -> None:
    club.unifi.world.add_hidden_admin(TAKEN)
    club.unifi.world.add_hidden_admin("still.taken@example.org")
    contact = club.join(1001, email=TAKEN)
    club.cycle()
    club.civicrm.world.set_email(contact, other)
    club.forget()
    assert club.cycle().ending is Ending.CLEAN
    assert kinds(club, contact) == ["update-profile"]
    assert address(club, contact) == (FREE if other == FREE else "")


def test_a_refusal_is_remembered_without_the_address_itself(club: Club) -> None:
    """Digests are keyed; neither the journal nor the report holds the text (P12)."""
    club.unifi.world.add_hidden_admin(TAKEN)
    club.join(1001, email=TAKEN)
    report = club.cycle()
    memory = club.journal.memory(club.clock.now())
    assert len(memory.refused_addresses) == 1
    assert "taken" not in repr(memory)
    assert not any("taken" in notice.text for notice in report.notices)


def test_a_refusal_is_remembered_for_this_contact_and_this_address_however_it_is_written() -> None:
    key, ann, bob = bytes(32), ContactId(1), ContactId(2)
    remembered = address_digest(key, ann, TAKEN)
    assert remembered == address_digest(key, ann, f" {TAKEN.upper()} ")
    assert remembered != address_digest(key, ann, FREE)
    assert remembered != address_digest(key, bob, TAKEN)


def test_a_create_that_is_refused_without_the_address_too_is_a_failure(club: Club) -> None:
    settled(club)
    contact = club.join(1001, email=TAKEN)
    at_create(club, ADDRESS_REFUSED, contact, times=1)
    at_create(club, refused(), contact, times=None)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert kinds(club, contact) == ["import-card", "create-user", "create-user"]


def settled_and_written(club: Club, expected: dict[int, str]) -> None:
    """Run one clean cycle after which everybody has the expected address, and a quiet one."""
    settled(club)
    assert {contact: address(club, contact) for contact in expected} == expected
    settled(club)
    club.cycle()
    assert club.writes() == 0


def test_an_address_that_another_member_gives_up_is_written_after_that(club: Club) -> None:
    giver, taker = members(club, TAKEN, "")
    club.civicrm.world.set_email(giver, FREE)
    club.civicrm.world.set_email(taker, TAKEN)
    settled_and_written(club, {giver: FREE, taker: TAKEN})


def test_a_new_member_gets_the_address_that_another_gives_up(club: Club) -> None:
    [giver] = members(club, TAKEN)
    club.civicrm.world.set_email(giver, FREE)
    taker = club.join(1009, email=TAKEN)
    settled_and_written(club, {giver: FREE, taker: TAKEN})


def test_a_chain_of_addresses_moves_in_one_cycle(club: Club) -> None:
    people = members(club, "one@example.org", "two@example.org", "three@example.org")
    moved = ["two@example.org", "three@example.org", FREE]
    for contact, wanted in zip(people, moved, strict=True):
        club.civicrm.world.set_email(contact, wanted)
    settled_and_written(club, dict(zip(people, moved, strict=True)))


@pytest.mark.parametrize("size", [2, 3])
def test_addresses_go_round_in_a_circle_in_one_cycle(club: Club, size: int) -> None:
    had = [f"{n}@example.org" for n in range(size)]
    people = members(club, *had)
    moved = [*had[1:], had[0]]
    for contact, wanted in zip(people, moved, strict=True):
        club.civicrm.world.set_email(contact, wanted)
    settled_and_written(club, dict(zip(people, moved, strict=True)))


@pytest.mark.parametrize(
    "trouble",
    [refused(), ADDRESS_REFUSED, Reset(), Reset(after=True)],
    ids=["refused", "address refused", "no answer", "no answer to what was done"],
)
def test_an_address_whose_holder_could_not_give_it_up_is_not_written(
    club: Club, trouble: Fault
) -> None:
    giver, taker = members(club, TAKEN, "")
    club.civicrm.world.set_email(giver, FREE)
    club.civicrm.world.set_email(taker, TAKEN)
    at_profile(club, trouble, club.user_of(giver), times=None)
    report = club.cycle()
    assert kinds(club, taker) == []
    assert taker not in failed(report)
    assert taker not in done(report)
    club.unifi.faults.clear()
    club.clock = Later(days=8)
    settled_and_written(club, {giver: FREE, taker: TAKEN})


@pytest.mark.parametrize("victim", [0, 1])
def test_a_circle_that_breaks_off_leaves_everybody_an_address_or_none_and_heals(
    club: Club, victim: int
) -> None:
    had = ["one@example.org", "two@example.org"]
    people = members(club, *had)
    for contact, wanted in zip(people, reversed(had), strict=True):
        club.civicrm.world.set_email(contact, wanted)
    at_profile(club, refused(), club.user_of(people[victim]), times=None)
    report = club.cycle()
    assert list(failed(report)) == [people[victim]]
    club.unifi.faults.clear()
    settled_and_written(club, dict(zip(people, reversed(had), strict=True)))

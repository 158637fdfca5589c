"""Leavers come first, each alone, and cutting access waits for no card (P5)."""

import pytest

from door_sync.app.cycle import live_run
from door_sync.app.report import Ending
from door_sync.ports import ControllerUnreachable
from door_sync.simulators.faults import (
    Fault,
    Hang,
    Hook,
    Reset,
    Truncate,
    html_error,
    json_answer,
    rate_limit,
)
from tests.app.watching import (
    DEACTIVATE,
    at_free,
    at_status,
    card,
    done,
    failed,
    holder,
    impatient_parts,
    kinds,
    no_route,
    outcomes,
    refused,
    sent,
    settled,
)
from tests.club import Club

TROUBLES: dict[str, Fault] = {
    "refused": refused(),
    "refused with a system error": refused("CODE_SYSTEM_ERROR"),
    "an empty page": html_error(500),
    "too many requests": rate_limit(3600),
    "no answer": Reset(),
    "no answer to what was done": Reset(after=True),
    "half an answer": Truncate(),
    "an answer cut short": Truncate(cut=True),
    "somebody else's answer": json_answer({"hello": "world"}),
}


def leaver(club: Club, *cards: int) -> int:
    """Return somebody with these cards who has lapsed since the last cycle."""
    contact = club.join(cards[0])
    settled(club)
    for number in cards[1:]:
        club.add_card(number, holder=club.user_of(contact), alias=False)
    club.lapse(contact)
    return contact


def test_revocations_are_the_first_writes_of_a_cycle(club: Club) -> None:
    people = [club.join(1001 + n, first=f"Name{n}") for n in range(4)]
    settled(club)
    joiner = club.join(1009)
    club.retier(people[0], "Silver")
    club.civicrm.world.set_card(people[1], "1010")
    club.civicrm.world.set_name(people[1], first_name="Other")
    club.lapse(people[2])
    club.lapse(people[3])
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    leavers = sent(club)[:4]
    assert leavers == [
        ("free-card", people[2]),
        ("deactivate-user", people[2]),
        ("free-card", people[3]),
        ("deactivate-user", people[3]),
    ]
    assert {contact for _, contact in sent(club)[4:]} == {joiner, *people[:2]}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_a_card_that_cannot_be_freed_costs_one_try_and_nobody_keeps_access(
    club: Club, trouble: Fault
) -> None:
    contact = leaver(club, 1001)
    at_free(club, trouble)
    report = club.cycle()
    assert kinds(club, contact) == ["free-card", "deactivate-user"]
    assert report.ending is Ending.CLEAN, report.reason()
    assert done(report) == [contact]
    assert club.status_of(contact) == "DEACTIVATED"
    assert not club.opens(1001)


def test_a_controller_that_knows_no_way_to_free_a_card_costs_one_try_of_each(club: Club) -> None:
    contact = leaver(club, 1001)
    at_free(club, no_route())
    report = club.cycle()
    assert kinds(club, contact) == ["free-card", "free-card", "deactivate-user"]
    assert done(report) == [contact]
    assert outcomes(club, report, contact) == [
        ("free-card", "refused"),
        ("deactivate-user", "done"),
    ]


def test_a_free_that_hangs_delays_a_deactivation_by_one_time_out_at_most(club: Club) -> None:
    contact = leaver(club, 1001)
    hanging = at_free(club, Hang())
    with impatient_parts(club, 1.0) as parts:
        report = live_run(parts)
    assert hanging.struck == 1
    assert kinds(club, contact) == ["free-card", "deactivate-user"]
    assert done(report) == [contact]
    assert club.status_of(contact) == "DEACTIVATED"


def test_every_card_of_a_leaver_is_freed_whoever_enrolled_it(club: Club) -> None:
    contact = leaver(club, 1001, 1002, 1003)
    assert club.cycle().ending is Ending.CLEAN
    assert kinds(club, contact) == ["free-card"] * 3 + ["deactivate-user"]
    assert {holder(club, 1001 + n) for n in range(3)} == {""}


def test_a_card_that_cannot_be_freed_does_not_keep_the_leavers_other_cards(club: Club) -> None:
    contact = leaver(club, 1001, 1002, 1003)
    at_free(club, refused(), times=1)
    assert club.cycle().ending is Ending.CLEAN
    assert kinds(club, contact) == ["free-card"] * 3 + ["deactivate-user"]
    assert sorted(holder(club, 1001 + n) for n in range(3)) == ["", "", club.user_of(contact)]


def test_a_card_that_an_administrator_freed_meanwhile_is_no_trouble(club: Club) -> None:
    contact = leaver(club, 1001)
    token = card(club, 1001).token
    club.unifi.faults.add(
        Hook(lambda _: club.unifi.world.free(token)), path="/users/:id/nfc_cards/delete"
    )
    report = club.cycle()
    assert outcomes(club, report, contact) == [("free-card", "done"), ("deactivate-user", "done")]
    assert done(report) == [contact]


def test_a_deactivation_that_fails_is_that_leavers_alone(club: Club) -> None:
    people = [club.join(1001 + n) for n in range(3)]
    settled(club)
    for contact in people:
        club.lapse(contact)
    at_status(club, refused(), club.user_of(people[1]), DEACTIVATE)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert list(failed(report)) == [people[1]]
    assert done(report) == [people[0], people[2]]
    assert [club.status_of(one) for one in people] == ["DEACTIVATED", "ACTIVE", "DEACTIVATED"]
    assert str(people[1]) in report.reason()


def test_a_deactivation_that_failed_is_tried_again_in_the_next_cycle(club: Club) -> None:
    contact = leaver(club, 1001)
    at_status(club, refused(), club.user_of(contact), DEACTIVATE, times=1)
    assert club.cycle().ending is Ending.PARTIAL
    settled(club)
    assert club.status_of(contact) == "DEACTIVATED"


def test_one_of_two_users_of_a_leaver_that_fails_does_not_keep_the_other(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    twins = sorted([club.user_of(contact), club.add_user(str(contact), cards=[1002])])
    club.lapse(contact)
    at_status(club, refused(), twins[0], DEACTIVATE)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert [club.unifi.world.users[one].status for one in twins] == ["ACTIVE", "DEACTIVATED"]


def test_every_leaver_is_tried_though_the_controller_is_silent_and_then_the_cycle_ends(
    club: Club,
) -> None:
    people = [club.join(1001 + n) for n in range(7)]
    settled(club)
    for contact in people:
        club.lapse(contact)
    club.join(1010)
    club.join(1011)
    club.unifi.faults.add(Reset(), times=None, where=lambda request: request.method == "PUT")
    club.unifi.faults.add(Reset(), times=None, where=lambda request: request.method == "POST")
    report = club.cycle()
    assert isinstance(report.error, ControllerUnreachable)
    for contact in people:
        assert kinds(club, contact) == ["free-card"] + ["deactivate-user"] * 3
    assert {kind for kind, contact in sent(club) if contact not in people} == {"import-card"}
    assert len(failed(report)) == 9


def test_leavers_cost_the_others_nothing_as_long_as_the_controller_answers_these(
    club: Club,
) -> None:
    people = [club.join(1001 + n) for n in range(7)]
    settled(club)
    for contact in people:
        club.lapse(contact)
    joiner = club.join(1010)
    at_free(club, Reset())
    at_status(club, Reset(), ":id", DEACTIVATE)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert list(failed(report)) == people
    assert done(report) == [joiner]
    assert club.opens(1010)

"""Somebody comes back: stale cards, users that an interrupted cycle left behind (R2)."""

from collections.abc import Callable
from itertools import product

import pytest

from door_sync.app.report import Ending
from door_sync.core.steps import ChangeClass, NoticeKind
from door_sync.simulators.faults import Fault, Hook, Reset
from tests.app.watching import (
    ACTIVATE,
    DEACTIVATE,
    Later,
    at_bind,
    at_free,
    at_policies,
    at_status,
    card,
    done,
    failed,
    holder,
    kinds,
    lie,
    no_route,
    outcomes,
    refused,
    sent,
    settled,
    user,
)
from tests.club import Club

READINGS = [
    {"unbind": unbind, "deactivated_refuses_cards": refuses}
    for unbind, refuses in product(("put", "delete", "both"), (False, True))
]
"""Every reading of C1 (UniFi sheet §18)."""

every_reading = pytest.mark.parametrize(
    "reading",
    READINGS,
    ids=[f"{unbind} {refuses}" for unbind, refuses in (one.values() for one in READINGS)],
)


def returning(club: Club, *stale: int) -> int:
    """Return somebody who rejoins with card 1009 and a user that still has these other cards."""
    contact = club.join(1009)
    club.add_user(str(contact), cards=stale, policies=[club.gold], status="DEACTIVATED")
    return contact


def at_every_write(club: Club, look: Callable[[], bool]) -> list[bool]:
    """Note what is to be seen before and after each write; return the notes, filled later."""
    seen: list[bool] = []
    for after in (False, True):
        club.unifi.faults.add(
            Hook(lambda _: seen.append(look()), after=after),
            where=lambda request: request.method != "GET",
            times=None,
        )
    return seen


@every_reading
def test_a_stale_card_opens_nothing_at_any_moment_of_a_restore(
    club: Club, reading: dict[str, object]
) -> None:
    club.unifi.switch(**reading)
    contact = returning(club, 1001)
    opened = at_every_write(club, lambda: club.opens(1001) or club.opens(1001, club.workshop))
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert len(opened) > 8
    assert not any(opened)
    assert holder(club, 1001) == ""
    assert club.opens(1009)
    assert contact in done(report)


@every_reading
def test_a_restore_is_the_same_to_the_next_cycle_under_every_reading(
    club: Club, reading: dict[str, object]
) -> None:
    club.unifi.switch(**reading)
    contact = returning(club, 1001, 1002)
    settled(club)
    club.cycle()
    assert sent(club) == []
    assert user(club, contact).policy_ids == (club.gold,)
    assert [holder(club, n) for n in (1001, 1002)] == ["", ""]


def test_where_cards_of_deactivated_users_may_be_freed_it_is_done_before_the_activation(
    club: Club,
) -> None:
    contact = returning(club, 1001)
    settled_kinds = run(club, contact)
    assert settled_kinds.index("free-card") < settled_kinds.index("activate-user")
    assert settled_kinds.count("free-card") == 1


def test_what_was_refused_before_the_activation_is_freed_after_it(club: Club) -> None:
    club.unifi.switch(deactivated_refuses_cards=True)
    contact = returning(club, 1001)
    done_kinds = run(club, contact)
    last_free = max(n for n, kind in enumerate(done_kinds) if kind == "free-card")
    assert done_kinds.index("activate-user") < last_free < done_kinds.index("bind-card")


def run(club: Club, contact: int) -> list[str]:
    """Run a clean cycle and return what was sent for a contact."""
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    return kinds(club, contact)


@pytest.mark.parametrize("reading", READINGS[:2], ids=["allowed", "refused"])
@pytest.mark.parametrize(
    "trouble", [refused(), no_route(), Reset()], ids=["refused", "no route", "no answer"]
)
def test_whoever_cannot_be_rid_of_a_stale_card_is_shut_again(
    club: Club, reading: dict[str, object], trouble: Fault
) -> None:
    club.unifi.switch(**reading)
    contact = returning(club, 1001)
    other = club.join(1010)
    at_free(club, trouble)
    opened = at_every_write(club, lambda: club.opens(1001) or club.opens(1009))
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert list(failed(report)) == [contact]
    assert other in done(report)
    assert kinds(club, contact)[-1] == "deactivate-user"
    assert "bind-card" not in kinds(club, contact)
    assert outcomes(club, report, contact)[-1] == ("deactivate-user", "done")
    assert club.status_of(contact) == "DEACTIVATED"
    assert not any(opened)


def test_a_free_that_got_no_answer_shuts_too_and_the_restore_is_not_done(club: Club) -> None:
    """The card came off, but nobody said so; deactivated is not what the member should be."""
    club.unifi.switch(deactivated_refuses_cards=True)
    contact = returning(club, 1001)
    at_free(club, Reset(after=True), first=3)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert contact in failed(report)
    assert contact not in done(report)
    assert club.status_of(contact) == "DEACTIVATED"


def test_a_restore_that_was_shut_waits_a_day_and_then_succeeds(club: Club) -> None:
    contact = returning(club, 1001)
    at_free(club, refused())
    assert club.cycle().ending is Ending.PARTIAL
    club.forget()
    for clock in (club.clock, Later(hours=23)):
        club.clock = clock
        report = club.cycle()
        assert report.ending is Ending.CLEAN
        assert [n.contact_id for n in report.notices if n.kind is NoticeKind.RESTORE_WAITS] == [
            contact
        ]
        assert club.writes() == 0
    club.clock = Later(hours=25)
    club.unifi.faults.clear()
    settled(club)
    assert club.opens(1009)
    assert holder(club, 1001) == ""


def test_a_restore_that_was_shut_is_tried_once_more_on_each_day(club: Club) -> None:
    contact = returning(club, 1001)
    at_free(club, refused())
    club.cycle()
    club.clock = Later(hours=25)
    club.forget()
    assert club.cycle().ending is Ending.PARTIAL
    assert kinds(club, contact).count("activate-user") == 1
    assert club.status_of(contact) == "DEACTIVATED"


def test_a_restore_without_the_stale_card_need_not_wait(club: Club) -> None:
    returning(club, 1001)
    at_free(club, refused())
    assert club.cycle().ending is Ending.PARTIAL
    club.unifi.world.free(card(club, 1001).token)
    settled(club)
    assert club.opens(1009)


def test_whoever_can_be_neither_freed_nor_shut_gets_no_policy(club: Club) -> None:
    contact = returning(club, 1001)
    at_free(club, refused())
    at_status(club, refused(), club.user_of(contact), DEACTIVATE)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert club.status_of(contact) == "ACTIVE"
    assert user(club, contact).policy_ids == ()
    assert not club.opens(1001)


def test_one_stale_card_of_two_that_stays_is_enough_to_stay_shut(club: Club) -> None:
    contact = returning(club, 1001, 1002)
    at_free(club, refused(), first=2)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert club.status_of(contact) == "DEACTIVATED"
    assert sorted([holder(club, 1001), holder(club, 1002)]) == ["", club.user_of(contact)]


def test_a_free_that_was_a_lie_opens_no_door_to_the_stale_card(club: Club) -> None:
    """The controller said that the card is off; it is looked at again before the policy."""
    contact = returning(club, 1001)
    at_free(club, lie())
    opened = at_every_write(club, lambda: club.opens(1001))
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert not any(opened)
    assert not club.opens(1001)
    club.unifi.faults.clear()
    settled(club)
    assert club.opens(1009)
    assert not club.opens(1001)


def test_a_restore_gives_the_tiers_policy_alone_and_says_what_is_not_revived(club: Club) -> None:
    by_hand = club.unifi.world.add_policy("By hand", [club.workshop]).id
    contact = club.join(1009, "Silver")
    club.add_user(str(contact), policies=[club.gold, by_hand], status="DEACTIVATED")
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert user(club, contact).policy_ids == (club.silver,)
    assert [n.contact_id for n in report.notices if n.kind is NoticeKind.HAND_GIVEN_POLICIES] == [
        contact
    ]


def test_a_user_that_a_crash_left_without_anything_is_completed_as_an_addition(club: Club) -> None:
    contact = club.join(1009)
    made = club.add_user(str(contact))
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert club.user_of(contact) == made
    assert ChangeClass.GRANT in [c.change_class for c in report.done if c.contact_id == contact]
    assert club.opens(1009)


@every_reading
def test_an_active_user_without_policy_gets_one_once_its_stale_card_is_off(
    club: Club, reading: dict[str, object]
) -> None:
    club.unifi.switch(**reading)
    contact = club.join(1009)
    club.add_user(str(contact), cards=[1001])
    opened = at_every_write(club, lambda: club.opens(1001))
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert not any(opened)
    assert club.opens(1009)


@pytest.mark.parametrize(
    "trouble", [refused(), Reset(), lie()], ids=["refused", "no answer", "a lie"]
)
def test_an_active_user_without_policy_gets_none_while_its_stale_card_is_on(
    club: Club, trouble: Fault
) -> None:
    contact = club.join(1009)
    made = club.add_user(str(contact), cards=[1001])
    at_free(club, trouble, made)
    report = club.cycle()
    assert contact in failed(report)
    assert user(club, contact).policy_ids == ()
    assert not club.opens(1001)
    club.unifi.faults.clear()
    settled(club)
    assert club.opens(1009)


def test_a_stale_card_that_an_administrator_took_off_meanwhile_delays_nothing(club: Club) -> None:
    """Our own free got no answer; what counts is what is to be seen before the policy."""
    contact = club.join(1009)
    made = club.add_user(str(contact), cards=[1001])
    at_free(club, Reset(after=True), made)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, failed(report)
    assert contact in done(report)
    assert club.opens(1009)


@pytest.mark.parametrize("last", ["activate-user", "bind-card", "set-policies"])
def test_a_restore_that_broke_off_after_any_write_ends_as_it_should(club: Club, last: str) -> None:
    """The connection is lost for good after a write; the next cycle finishes (P9)."""
    contact = returning(club, 1001)
    made = club.user_of(contact)
    match last:
        case "activate-user":
            at_status(club, Reset(after=True), made, ACTIVATE)
        case "bind-card":
            at_bind(club, Reset(after=True), made)
        case _:
            at_policies(club, Reset(after=True), made)
    club.cycle()
    club.unifi.faults.clear()
    settled(club)
    assert club.opens(1009)
    assert not club.opens(1001)
    assert [u.employee_number for u in club.unifi.world.users].count(str(contact)) == 1

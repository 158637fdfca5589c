"""Cards on their way to a member, and what an administrator does meanwhile (R3, P3).

Force is used only on a user who was deactivated when the cycle began and still is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from door_sync.app.report import CycleReport, Ending
from door_sync.core.cards import CardNumber
from door_sync.core.steps import NoticeKind
from door_sync.core.tags import card_tag
from door_sync.simulators.faults import Hook, Reset, html_error
from tests.app.watching import (
    DEACTIVATE,
    at_bind,
    at_free,
    at_look,
    at_status,
    card,
    done,
    failed,
    holder,
    kinds,
    lie,
    outcomes,
    refused,
    settled,
    user,
    when_asked_who_holds,
)
from tests.club import Club


@dataclass(frozen=True)
class Stuck:
    """A member who joins with card 1001, which is stuck on a disabled user, and bystanders."""

    member: int
    token: str
    former: str
    active: str
    disabled: str


@pytest.fixture
def stuck(club: Club) -> Stuck:
    settled(club)
    former = club.add_user("900", cards=[1001], status="DEACTIVATED")
    return Stuck(
        member=club.join(1001),
        token=card(club, 1001).token,
        former=former,
        active=club.add_user("n/a", status="ACTIVE"),
        disabled=club.add_user("n/a", status="DEACTIVATED"),
    )


def forced(club: Club) -> list[str]:
    """Return the users to whom a card was bound by force."""
    return [
        entry.path.split("/")[2]
        for entry in club.unifi.journal.writes()
        if isinstance(entry.body, dict) and entry.body.get("force_add")
    ]


def blocked_by(report: CycleReport) -> list[str | None]:
    """Return the users or visitors that the blocked cards are said to be held by."""
    holders = [one.holder for one in report.blocked]
    return [one.user_id or one.visitor_id if one is not None else None for one in holders]


def meanwhile(club: Club, stuck: Stuck, act: Callable[[], object]) -> CycleReport:
    """Run a cycle in which somebody acts between the snapshot and the question who holds it."""
    when_asked_who_holds(club, stuck.token, act)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    return report


# Between the snapshot and the reclaim.


def test_a_card_that_is_still_stuck_is_taken_back_by_force_once(club: Club, stuck: Stuck) -> None:
    report = meanwhile(club, stuck, lambda: None)
    made = club.user_of(stuck.member)
    assert forced(club) == [made]
    assert holder(club, 1001) == made
    assert club.opens(1001)
    assert done(report) == [stuck.member]


def test_a_holder_who_was_enabled_meanwhile_keeps_the_card(club: Club, stuck: Stuck) -> None:
    def enable() -> object:
        return club.unifi.world.set_status(stuck.former, "ACTIVE")

    report = meanwhile(club, stuck, enable)
    assert forced(club) == []
    assert holder(club, 1001) == stuck.former
    assert blocked_by(report) == [stuck.former]


@pytest.mark.parametrize("status", ["PENDING", "SUSPENDED", ""])
def test_a_holder_whose_status_is_anything_but_deactivated_keeps_the_card(
    club: Club, stuck: Stuck, status: str
) -> None:
    report = meanwhile(club, stuck, lambda: club.unifi.world.set_status(stuck.former, status))
    assert forced(club) == []
    assert holder(club, 1001) == stuck.former
    assert blocked_by(report) == [stuck.former]


def test_a_holder_whose_row_lost_its_status_keeps_the_card(club: Club, stuck: Stuck) -> None:
    world = club.unifi.world
    report = meanwhile(
        club, stuck, lambda: world.edit_user(stuck.former, missing=frozenset({"status"}))
    )
    assert forced(club) == []
    assert blocked_by(report) == [stuck.former]


def test_a_card_that_was_given_to_somebody_active_meanwhile_stays_there(
    club: Club, stuck: Stuck
) -> None:
    report = meanwhile(club, stuck, lambda: club.unifi.world.bind(stuck.token, stuck.active))
    assert forced(club) == []
    assert holder(club, 1001) == stuck.active
    assert blocked_by(report) == [stuck.active]


def test_a_card_that_was_given_away_between_the_two_looks_stays_there(
    club: Club, stuck: Stuck
) -> None:
    """The card's row still named the disabled user; that user's own row has no such card."""

    def give_away() -> object:
        return club.unifi.world.bind(stuck.token, stuck.active)

    when_asked_who_holds(club, stuck.token, give_away, after=True)
    report = club.cycle()
    assert forced(club) == []
    assert holder(club, 1001) == stuck.active
    assert len(report.blocked) == 1


def test_a_card_that_went_to_another_disabled_user_meanwhile_is_taken_from_that_one(
    club: Club, stuck: Stuck
) -> None:
    report = meanwhile(club, stuck, lambda: club.unifi.world.bind(stuck.token, stuck.disabled))
    assert forced(club) == [club.user_of(stuck.member)]
    assert club.opens(1001)
    [warning] = [n for n in report.notices if n.kind is NoticeKind.RECLAIM]
    assert stuck.disabled in warning.text


def test_a_holder_whom_somebody_else_deactivated_only_just_now_keeps_the_card_until_the_next_cycle(
    club: Club, stuck: Stuck
) -> None:
    """Perhaps a slip: the snapshot has not confirmed it (P3)."""
    world = club.unifi.world

    def act() -> None:
        world.bind(stuck.token, stuck.active)
        world.set_status(stuck.active, "DEACTIVATED")

    report = meanwhile(club, stuck, act)
    assert forced(club) == []
    assert holder(club, 1001) == stuck.active
    [blocked] = report.blocked
    assert "next cycle" in blocked.reason
    settled(club)
    assert club.opens(1001)


def test_a_disabled_user_who_was_not_there_before_keeps_the_card_until_the_next_cycle(
    club: Club, stuck: Stuck
) -> None:
    world = club.unifi.world

    def act() -> None:
        world.bind(stuck.token, club.add_user("n/a", status="DEACTIVATED"))

    report = meanwhile(club, stuck, act)
    assert forced(club) == []
    assert len(report.blocked) == 1
    settled(club)
    assert club.opens(1001)


def test_a_card_that_was_given_to_a_visitor_meanwhile_stays_there(club: Club, stuck: Stuck) -> None:
    world = club.unifi.world
    visitors: list[str] = []

    def act() -> None:
        visitor = world.add_visitor("V", "Isitor", 0, 2**31, card_token=stuck.token)
        visitors.append(visitor.id)

    report = meanwhile(club, stuck, act)
    assert forced(club) == []
    assert [holder(club, 1001)] == visitors
    assert blocked_by(report) == visitors


def test_a_card_that_was_freed_meanwhile_is_bound_without_force(club: Club, stuck: Stuck) -> None:
    report = meanwhile(club, stuck, lambda: club.unifi.world.free(stuck.token))
    assert forced(club) == []
    assert club.opens(1001)
    assert ("bind-card", "done") in outcomes(club, report, stuck.member)
    assert [n for n in report.notices if n.kind is NoticeKind.RECLAIM] == []


def test_the_card_of_a_user_who_was_deleted_meanwhile_is_bound_without_force(
    club: Club, stuck: Stuck
) -> None:
    meanwhile(club, stuck, lambda: club.unifi.world.delete_user(stuck.former))
    assert forced(club) == []
    assert club.opens(1001)


def test_a_card_that_names_a_user_who_is_gone_stays_as_it_is(club: Club, stuck: Stuck) -> None:
    def delete() -> None:
        club.unifi.world.delete_user(stuck.former, free_cards=False)

    report = meanwhile(club, stuck, delete)
    assert forced(club) == []
    assert blocked_by(report) == [stuck.former]


def test_a_card_that_was_deleted_meanwhile_is_blocked(club: Club, stuck: Stuck) -> None:
    world = club.unifi.world
    report = meanwhile(
        club, stuck, lambda: (world.free(stuck.token), world.delete_card(stuck.token))
    )
    assert forced(club) == []
    assert len(report.blocked) == 1


def test_a_card_that_the_member_got_by_hand_meanwhile_is_not_bound_again(club: Club) -> None:
    contact = club.join(1002)
    settled(club)
    club.add_user("900", cards=[1001], status="DEACTIVATED")
    club.civicrm.world.set_card(contact, "1001")
    token, made = card(club, 1001).token, club.user_of(contact)
    when_asked_who_holds(club, token, lambda: club.unifi.world.bind(token, made))
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    assert done(report) == [contact]
    assert kinds(club, contact) == ["free-card"]


def test_a_card_that_the_member_had_only_for_a_moment_is_not_done(club: Club, stuck: Stuck) -> None:
    """Bound by hand before the reclaim, and gone again when the member is read back."""
    world = club.unifi.world
    when_asked_who_holds(
        club, stuck.token, lambda: world.bind(stuck.token, club.user_of(stuck.member))
    )
    back = Hook(lambda _: world.bind(stuck.token, stuck.former))
    club.unifi.faults.add(back, method="PUT", path="/users/:id/access_policies")
    report = club.cycle()
    assert "cards that were bound are not on the user" in failed(report)[stuck.member]


@pytest.mark.parametrize("path", ["/credentials/nfc_cards/tokens/:token", "/users/:id"])
def test_a_holder_who_cannot_be_looked_at_keeps_the_card(
    club: Club, stuck: Stuck, path: str
) -> None:
    at_look(club, html_error(502), path, times=3)
    report = club.cycle()
    assert list(failed(report)) == [stuck.member]
    assert forced(club) == []
    assert holder(club, 1001) == stuck.former


# What a reclaim leaves behind.


def test_a_reclaim_is_a_warning_with_the_cards_tag_and_the_former_holder(
    club: Club, stuck: Stuck
) -> None:
    report = meanwhile(club, stuck, lambda: None)
    [warning] = [n for n in report.notices if n.kind is NoticeKind.RECLAIM]
    assert warning.contact_id == stuck.member
    assert "contact 900" in warning.text
    assert stuck.former in warning.text
    tag = card_tag(report.key, CardNumber(1001))
    assert f"#{tag}" in warning.text
    assert "1001" not in warning.text.replace(tag, "").replace(stuck.former, "")


def test_a_holder_enabled_between_the_last_look_and_the_force_is_named(
    club: Club, stuck: Stuck
) -> None:
    """No request lies between them, and the API has no bind with a condition: it can be told."""

    def enable(_: object) -> None:
        club.unifi.world.set_status(stuck.former, "ACTIVE")

    at_bind(club, Hook(enable))
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert failed(report) == {
        stuck.member: f"user {stuck.former}: its card was taken by force and the status reads "
        "ACTIVE by now"
    }


def test_a_holder_deleted_after_the_reclaim_is_no_failure(club: Club, stuck: Stuck) -> None:
    def delete(_: object) -> None:
        club.unifi.world.delete_user(stuck.former)

    at_bind(club, Hook(delete, after=True))
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    assert done(report) == [stuck.member]


def test_a_reclaim_from_an_unmanaged_user_names_the_user(club: Club) -> None:
    former = club.add_user("Bob's", cards=[1001], status="DEACTIVATED")
    club.join(1001)
    report = club.cycle()
    [warning] = [n for n in report.notices if n.kind is NoticeKind.RECLAIM]
    assert f"user {former}" in warning.text
    assert "contact" not in warning.text


def test_a_reclaim_that_got_no_answer_is_a_warning_too(club: Club, stuck: Stuck) -> None:
    at_bind(club, Reset(after=True))
    report = club.cycle()
    assert report.ending is Ending.CLEAN, failed(report)
    assert done(report) == [stuck.member]
    assert len([n for n in report.notices if n.kind is NoticeKind.RECLAIM]) == 1


def test_a_reclaim_that_was_refused_is_no_warning(club: Club, stuck: Stuck) -> None:
    at_bind(club, refused())
    report = club.cycle()
    assert list(failed(report)) == [stuck.member]
    assert [n for n in report.notices if n.kind is NoticeKind.RECLAIM] == []


# A bind that was to be free of doubt is refused.


@pytest.fixture
def joining(club: Club) -> int:
    """Return a member who joins with a card that is there and free."""
    settled(club)
    club.add_card(1001)
    return club.join(1001)


def just_before_the_bind(club: Club, act: Callable[[], object]) -> CycleReport:
    at_bind(club, Hook(lambda _: act()), times=1)
    return club.cycle()


def test_a_free_card_that_somebody_active_got_meanwhile_stays_there(
    club: Club, joining: int
) -> None:
    token, active = card(club, 1001).token, club.add_user("n/a")
    report = just_before_the_bind(club, lambda: club.unifi.world.bind(token, active))
    assert report.ending is Ending.CLEAN
    assert forced(club) == []
    assert blocked_by(report) == [active]
    assert outcomes(club, report, joining) == [
        ("create-user", "done"),
        ("bind-card", "refused"),
        ("set-policies", "done"),
    ]


def test_a_free_card_that_a_disabled_user_got_meanwhile_is_reclaimed(
    club: Club, joining: int
) -> None:
    token, disabled = card(club, 1001).token, club.add_user("n/a", status="DEACTIVATED")
    report = just_before_the_bind(club, lambda: club.unifi.world.bind(token, disabled))
    assert report.ending is Ending.CLEAN
    assert outcomes(club, report, joining)[1:3] == [
        ("bind-card", "refused"),
        ("reclaim-card", "done"),
    ]
    assert club.opens(1001)


def test_a_free_card_that_a_visitor_got_meanwhile_stays_there(club: Club, joining: int) -> None:
    world, token = club.unifi.world, card(club, 1001).token

    def act() -> None:
        world.add_visitor("V", "Isitor", 0, 2**31, card_token=token)

    report = just_before_the_bind(club, act)
    assert [one.contact_id for one in report.blocked] == [joining]
    assert forced(club) == []


def test_the_table_is_asked_once_more_and_not_for_ever(club: Club, joining: int) -> None:
    """The controller says that somebody holds the card, and that nobody does."""
    at_bind(club, refused("CODE_CREDS_NFC_HAS_BIND_USER"))
    report = club.cycle()
    assert list(failed(report)) == [joining]
    assert kinds(club, joining).count("bind-card") == 2
    assert forced(club) == []


# A leaver's card goes to somebody else in the same cycle.


def recycled(club: Club) -> tuple[int, int]:
    """Return a leaver, and a new member who gets the leaver's card."""
    leaver = club.join(1001)
    settled(club)
    club.lapse(leaver)
    return leaver, club.join(1001, "Silver")


def test_a_card_whose_free_failed_is_reclaimed_from_the_leaver_in_the_same_cycle(
    club: Club,
) -> None:
    leaver, joiner = recycled(club)
    at_free(club, refused())
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert done(report) == [leaver, joiner]
    assert outcomes(club, report, joiner)[1:3] == [
        ("bind-card", "refused"),
        ("reclaim-card", "done"),
    ]
    assert club.opens(1001)


def test_a_card_whose_leaver_could_be_neither_freed_nor_shut_stays_there(club: Club) -> None:
    leaver, joiner = recycled(club)
    made = club.user_of(leaver)
    at_free(club, refused())
    at_status(club, refused(), made, DEACTIVATE)
    report = club.cycle()
    assert list(failed(report)) == [leaver]
    assert [one.contact_id for one in report.blocked] == [joiner]
    assert holder(club, 1001) == made
    assert forced(club) == []


def test_a_leaver_whose_deactivation_got_no_answer_keeps_the_card_until_the_next_cycle(
    club: Club,
) -> None:
    leaver, joiner = recycled(club)
    at_free(club, refused())
    at_status(club, Reset(after=True), club.user_of(leaver), DEACTIVATE)
    report = club.cycle()
    assert [one.contact_id for one in report.blocked] == [joiner]
    assert forced(club) == []
    club.unifi.faults.clear()
    settled(club)
    assert club.opens(1001)


def test_a_leaver_who_shows_no_status_keeps_a_card_that_could_not_be_freed(club: Club) -> None:
    leaver, joiner = recycled(club)
    club.unifi.world.edit_user(club.user_of(leaver), missing=frozenset({"status"}))
    at_free(club, refused())
    report = club.cycle()
    assert list(failed(report)) == [leaver]
    assert [one.contact_id for one in report.blocked] == [joiner]
    assert forced(club) == []


def test_a_free_that_was_a_lie_ends_as_a_reclaim(club: Club) -> None:
    leaver, joiner = recycled(club)
    at_free(club, lie())
    report = club.cycle()
    assert report.ending is Ending.CLEAN, failed(report)
    assert done(report) == [leaver, joiner]
    assert holder(club, 1001) == club.user_of(joiner)
    assert user(club, leaver).status == "DEACTIVATED"

"""Said means done (P10): writes that lied, writes without an answer, and what proves them."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from door_sync.app.report import Ending
from door_sync.core.steps import ChangeClass
from door_sync.simulators.faults import Hook, Reset, html_error
from tests.app.watching import (
    ACTIVATE,
    DEACTIVATE,
    at_bind,
    at_create,
    at_free,
    at_look,
    at_policies,
    at_profile,
    at_status,
    bad_token,
    card,
    done,
    failed,
    holder,
    intended,
    kinds,
    lie,
    outcomes,
    settled,
    user,
    when_asked_who_holds,
)
from tests.club import Club

LOST = Reset()
UNHEARD = Reset(after=True)
"""Carried out, but the answer is lost."""


@dataclass(frozen=True)
class Story:
    """One write that can go wrong: what leads to it, where to strike, and its name."""

    kind: str
    prepare: Callable[[Club], int]
    strike: Callable[..., object]


def _joins(club: Club) -> int:
    settled(club)
    club.add_card(1001)
    return club.join(1001)


def _lapses(club: Club) -> int:
    contact = club.join(1001)
    settled(club)
    club.lapse(contact)
    return contact


def _changes_tier(club: Club) -> int:
    contact = club.join(1001)
    settled(club)
    club.retier(contact, "Silver")
    return contact


def _changes_name(club: Club) -> int:
    contact = club.join(1001)
    settled(club)
    club.civicrm.world.set_name(contact, first_name="Other")
    return contact


def _changes_address(club: Club) -> int:
    contact = club.join(1001)
    settled(club)
    club.civicrm.world.set_email(contact, "m@example.org")
    return contact


def _changes_card(club: Club) -> int:
    contact = club.join(1001)
    settled(club)
    club.add_card(1002)
    club.civicrm.world.set_card(contact, "1002")
    return contact


def _rejoins(club: Club) -> int:
    contact = _lapses(club)
    settled(club)
    club.rejoin(contact)
    return contact


def _finds_its_card_stuck(club: Club) -> int:
    contact = club.join(1002)
    settled(club)
    club.add_user("", cards=[1001], status="DEACTIVATED")
    club.civicrm.world.set_card(contact, "1001")
    return contact


STORIES = [
    Story("set-policies", _changes_tier, at_policies),
    Story("update-profile", _changes_name, lambda c, f: at_profile(c, f, ":id", None)),
    Story("update-profile", _changes_address, lambda c, f: at_profile(c, f, ":id", None)),
    Story("bind-card", _joins, at_bind),
    Story("free-card", _changes_card, at_free),
    Story("reclaim-card", _finds_its_card_stuck, at_bind),
    Story("deactivate-user", _lapses, lambda c, f: at_status(c, f, ":id", DEACTIVATE, times=None)),
]
RESTORED = Story(
    "activate-user", _rejoins, lambda c, f: at_status(c, f, ":id", ACTIVATE, times=None)
)

every_write = pytest.mark.parametrize(
    "story", STORIES, ids=[f"{story.kind} {n}" for n, story in enumerate(STORIES)]
)


@pytest.mark.parametrize("story", [*STORIES, RESTORED], ids=lambda story: story.kind)
def test_a_success_that_did_nothing_is_a_failure(club: Club, story: Story) -> None:
    contact = story.prepare(club)
    story.strike(club, lie())
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert list(failed(report)) == [contact]
    assert contact not in done(report)
    assert (story.kind, "unproven") in outcomes(club, report, contact)


@pytest.mark.parametrize("story", [*STORIES, RESTORED], ids=lambda story: story.kind)
def test_after_a_lie_the_next_honest_cycle_mends_it(club: Club, story: Story) -> None:
    contact = story.prepare(club)
    story.strike(club, lie())
    club.cycle()
    club.unifi.faults.clear()
    settled(club)
    club.cycle()
    assert kinds(club, contact) == []


@every_write
def test_a_write_without_an_answer_that_was_carried_out_counts_once_proven(
    club: Club, story: Story
) -> None:
    contact = story.prepare(club)
    story.strike(club, UNHEARD)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, failed(report)
    assert contact in done(report)
    assert (story.kind, "done") in outcomes(club, report, contact)
    assert "uncertain" not in [word for _, word in outcomes(club, report, contact)]


@every_write
def test_a_write_without_an_answer_that_was_not_carried_out_is_a_failure(
    club: Club, story: Story
) -> None:
    contact = story.prepare(club)
    story.strike(club, LOST)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert list(failed(report)) == [contact]
    assert contact not in done(report)
    assert (story.kind, "uncertain") in outcomes(club, report, contact)


@every_write
def test_what_cannot_be_read_back_is_not_done(club: Club, story: Story) -> None:
    contact = story.prepare(club)
    at_look(club, html_error(502), "/users/:id")
    story.strike(club, UNHEARD)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert contact not in done(report)
    assert contact in failed(report)


def test_an_accepted_write_that_cannot_be_read_back_is_not_done(club: Club) -> None:
    contact = _changes_tier(club)
    at_look(club, html_error(502), "/users/:id")
    report = club.cycle()
    assert user(club, contact).policy_ids == (club.silver,)
    assert list(failed(report)) == [contact]
    assert "could not be read back" in failed(report)[contact]
    assert outcomes(club, report, contact) == [("set-policies", "unproven")]


def test_a_user_who_is_gone_when_read_back_is_a_failure(club: Club) -> None:
    contact = _changes_tier(club)
    made = club.user_of(contact)
    at_look(club, Hook(lambda _: club.unifi.world.delete_user(made)), f"/users/{made}", times=1)
    report = club.cycle()
    assert failed(report) == {contact: f"user {made}: the user is not there any more"}


@pytest.mark.parametrize("number", ["", "staff 7", "99999"])
@pytest.mark.parametrize("prepare", [_lapses, _changes_tier, _changes_name])
def test_a_user_who_got_another_number_meanwhile_is_a_failure(
    club: Club, prepare: Callable[[Club], int], number: str
) -> None:
    """Whoever it is now was written to as somebody else, and that must not go by unseen (P4)."""
    contact = prepare(club)
    made = club.user_of(contact)
    club.unifi.faults.add(
        Hook(lambda _: club.unifi.world.edit_user(made, employee_number=number)),
        where=lambda request: request.method != "GET",
    )
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert f"user {made}: somebody gave it another employee number" in failed(report)[contact]
    assert done(report) == []


def test_a_restore_whose_activation_got_no_answer_goes_on_once_a_look_shows_it(
    club: Club,
) -> None:
    """R2: what follows takes stale cards off, so it is not left until the next cycle."""
    contact = _rejoins(club)
    RESTORED.strike(club, UNHEARD)
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    assert contact in done(report)
    assert club.opens(1001)
    club.unifi.faults.clear()
    settled(club)


def test_a_restore_whose_activation_nobody_can_look_at_is_not_done_though_it_was_carried_out(
    club: Club,
) -> None:
    """What follows was passed over, so the member has no card: nothing of this is done."""
    contact = _rejoins(club)
    RESTORED.strike(club, UNHEARD)
    at_look(club, html_error(502), "/users/:id", times=3)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert contact in failed(report)
    assert contact not in done(report)
    assert club.status_of(contact) == "ACTIVE"
    assert not club.opens(1001)
    club.unifi.faults.clear()
    settled(club)
    assert club.opens(1001)


def test_a_restore_whose_policies_were_cleared_without_an_answer_is_not_done(club: Club) -> None:
    contact = club.join(1001)
    club.add_user(str(contact), policies=[club.silver], status="DEACTIVATED")
    at_policies(club, UNHEARD)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert contact not in done(report)
    assert "activate-user" not in kinds(club, contact)


def test_a_restore_whose_name_got_lost_on_the_way_is_not_done(club: Club) -> None:
    """Everything else about the user proves itself; that says nothing of the name."""
    contact = club.join(1001, first="Renamed")
    made = club.add_user(str(contact), status="DEACTIVATED")
    at_profile(club, LOST, made, times=None)
    report = club.cycle()
    assert "the name is not the one that was written" in failed(report)[contact]
    assert club.opens(1001)


def test_a_user_who_could_not_be_created_is_a_failure(club: Club) -> None:
    contact = _joins(club)
    at_create(club, LOST, times=None)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert kinds(club, contact)[-1] == "create-user"
    assert holder(club, 1001) == ""


def test_a_user_whose_creation_got_no_answer_is_found_and_completed(club: Club) -> None:
    contact = _joins(club)
    at_create(club, UNHEARD, times=1)
    report = club.cycle()
    assert report.ending is Ending.CLEAN, failed(report)
    assert kinds(club, contact) == ["create-user", "bind-card", "set-policies"]
    assert club.opens(1001)


def test_a_revocation_without_an_answer_is_not_proven_by_a_row_without_status(club: Club) -> None:
    """Such a row proves a deactivation only together with an accepted write (R2)."""
    contact = _lapses(club)
    made = club.user_of(contact)
    club.unifi.world.edit_user(made, missing=frozenset({"status"}))
    at_status(club, LOST, made, DEACTIVATE, times=None)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert "not DEACTIVATED" in failed(report)[contact]
    assert club.unifi.world.users[made].status == "ACTIVE"


def test_a_second_user_who_cannot_be_proven_keeps_the_whole_revocation_open(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    twin = club.add_user(str(contact))
    club.lapse(contact)
    at_status(club, lie(), twin, DEACTIVATE)
    report = club.cycle()
    assert failed(report) == {contact: f"user {twin}: the status reads ACTIVE, not DEACTIVATED"}


def test_reading_back_ends_when_nobody_answers_any_more(club: Club) -> None:
    """Each silent read sits out its time-outs, so a dead controller is not asked for everybody."""
    settled(club)
    people = [club.join(1001 + n) for n in range(12)]
    look = at_look(club, html_error(502), "/users/:id")
    report = club.cycle()
    assert list(failed(report)) == people
    assert look.struck == 5 * 3


def test_a_silence_that_is_broken_does_not_end_the_reading_back(club: Club) -> None:
    """Four people, three tries each; then one answer; then four people again."""
    settled(club)
    people = [club.join(1001 + n) for n in range(12)]
    at_look(club, html_error(502), "/users/:id", times=3 * 4)
    club.unifi.faults.add(html_error(502), method="GET", path="/users/:id", first=14, times=3 * 4)
    report = club.cycle()
    assert len(failed(report)) == 8
    assert len(done(report)) == len(people) - 8


def test_a_key_that_is_refused_at_the_read_back_proves_nobody(club: Club) -> None:
    contact = _changes_tier(club)
    at_look(club, bad_token(), "/users/:id")
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert report.ending is Ending.PARTIAL


def test_a_card_that_stays_where_it_is_counts_neither_as_done_nor_as_failed(club: Club) -> None:
    """The reclaim met a holder who is active again: the report says so under blocked cards."""
    contact = _finds_its_card_stuck(club)
    club.unifi.world.free(card(club, 1002).token)
    stuck = holder(club, 1001)
    when_asked_who_holds(
        club, card(club, 1001).token, lambda: club.unifi.world.set_status(stuck, "ACTIVE")
    )
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    assert [one.contact_id for one in report.blocked] == [contact]
    assert contact not in done(report)
    assert report.summary()["updated_credential"] == 0
    assert [c.change_class for c in report.plan.changes] == [ChangeClass.CARD]
    assert intended(club, report) == []


@pytest.mark.parametrize(
    "change",
    [{"status": "DEACTIVATED"}, {"first_name": "X"}, {"last_name": "X"}, {"user_email": ""}],
    ids=lambda change: next(iter(change)),
)
def test_a_user_who_was_created_otherwise_than_asked_is_a_failure(
    club: Club, change: dict[str, str]
) -> None:
    settled(club)
    contact = club.join(1001, email="m@example.org")
    edit = Hook(lambda _: club.unifi.world.edit_user(club.user_of(contact), **change), after=True)
    at_create(club, edit, contact)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert contact not in done(report)


def test_a_leaver_whose_status_vanished_meanwhile_is_not_proven(club: Club) -> None:
    """Only a row that showed no status before may go without one after (R2)."""
    contact = _lapses(club)
    made = club.user_of(contact)
    hide = Hook(lambda _: club.unifi.world.edit_user(made, missing=frozenset({"status"})))
    at_look(club, hide, f"/users/{made}", times=1)
    report = club.cycle()
    assert list(failed(report)) == [contact]
    assert club.journal.memory(club.clock.now()).statusless == frozenset()

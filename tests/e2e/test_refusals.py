"""What door-sync refuses to believe, or to do unasked: each story ends without a write (P2, §6)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest

from door_sync.app.report import Ending
from door_sync.core.decision import Habits
from door_sync.core.guards import Budgets
from door_sync.core.tiers import Resolution, Rule
from door_sync.simulators.civicrm.switches import Outage
from door_sync.simulators.faults import Answer, Rewrite, html_error, json_answer
from tests.club import Club

MEMBERS = 30


@pytest.fixture
def running(club: Club) -> Club:
    """A club of thirty members, in step, of whom one has just lapsed and one has just joined."""
    people = [club.join(1001 + number) for number in range(MEMBERS)]
    assert club.cycle().ending is Ending.CLEAN
    club.lapse(people[0])
    club.join(2001)
    club.forget()
    return club


def nothing_happens(club: Club, ending: Ending) -> str:
    """Run a cycle that must end so, twice, without a write; return what it said."""
    said = ""
    for _ in range(2):
        report = club.cycle()
        assert report.ending is ending, report.reason()
        said = report.reason()
    assert club.writes() == 0
    assert all(club.opens(1001 + number) for number in range(MEMBERS))
    return said


def heals(club: Club) -> None:
    """Mend nothing more: one cycle brings the doors up to date."""
    club.civicrm.faults.clear()
    club.unifi.faults.clear()
    assert club.cycle().ending is Ending.CLEAN
    assert not club.opens(1001)
    assert club.opens(2001)


ERROR = {"error_code": "1", "error_message": "Sorry (Error ID: abCD-efGH-ijKL)", "status": 500}


@pytest.mark.parametrize(
    "answer",
    [
        html_error(200),
        html_error(500),
        json_answer(ERROR),
        json_answer({"values": []}),
        Answer(200, b"Critical error. Please see server logs for errorID:abcd", ""),
        Answer(302, b"", "text/html", {"location": "/login"}),
    ],
    ids=["page in 200", "page in 500", "error in 200", "empty", "no content type", "redirect"],
)
def test_a_civicrm_that_answers_with_something_else_stops_the_cycle(
    running: Club, answer: Answer
) -> None:
    running.civicrm.faults.add(answer, times=None)
    nothing_happens(running, Ending.FAILED)
    heals(running)


@pytest.mark.parametrize("outage", get_args(Outage))
def test_a_civicrm_that_is_down_stops_the_cycle(running: Club, outage: Outage) -> None:
    running.civicrm.switches.outage = outage
    running.civicrm.switches.memory_cells = 0
    nothing_happens(running, Ending.FAILED)
    running.civicrm.switches.outage = None
    running.civicrm.switches.memory_cells = None
    heals(running)


@pytest.mark.parametrize(
    "right", ["view all contacts", "access CiviMember", "access all custom data", "access CiviCRM"]
)
def test_a_right_that_was_taken_away_stops_the_cycle(running: Club, right: str) -> None:
    running.civicrm.world.permissions("full").discard(right)
    nothing_happens(running, Ending.FAILED)
    running.civicrm.world.permissions("full").add(right)
    heals(running)


def test_a_card_field_that_was_switched_off_stops_the_cycle(running: Club) -> None:
    running.civicrm.world.set_field_active("Door_Access.card_id", active=False)
    nothing_happens(running, Ending.FAILED)
    running.civicrm.world.set_field_active("Door_Access.card_id", active=True)
    heals(running)


def test_a_status_that_was_renamed_stops_the_cycle(running: Club) -> None:
    running.civicrm.world.rename_status("Current", "Aktuell")
    assert "Current" in nothing_happens(running, Ending.FAILED)
    running.civicrm.world.rename_status("Aktuell", "Current")
    heals(running)


def test_all_memberships_gone_hold_the_cycle(running: Club) -> None:
    for contact in running.memberships:
        running.lapse(contact)
    said = nothing_happens(running, Ending.HELD)
    assert "empty source" in said
    assert "mass deactivation" in said


def test_a_third_of_the_memberships_gone_holds_the_cycle(running: Club) -> None:
    for contact in list(running.memberships)[:10]:
        running.lapse(contact)
    assert "mass deactivation: 10 of 30" in nothing_happens(running, Ending.HELD)


def test_a_third_of_the_contacts_deleted_holds_the_cycle(running: Club) -> None:
    for contact in list(running.memberships)[:10]:
        running.civicrm.world.delete(contact)
    said = nothing_happens(running, Ending.HELD)
    assert "people vanished" in said
    assert "shrunken source" in said


def _page_without(rows: int) -> Callable[[Any], Any]:
    def change(document: Any) -> Any:
        document["data"] = document["data"][:-rows]
        return document

    return change


def test_a_controller_that_lists_fewer_users_than_it_counts_stops_the_cycle(running: Club) -> None:
    running.unifi.faults.add(Rewrite(_page_without(5)), method="GET", path="/users", times=None)
    nothing_happens(running, Ending.FAILED)
    heals(running)


def test_a_controller_that_lists_and_counts_too_few_users_stops_or_holds_the_cycle(
    running: Club,
) -> None:
    """23 of 330, with a total that agrees: the cards of the others betray it."""

    def change(document: Any) -> Any:
        document["data"] = document["data"][:5]
        document["pagination"]["total"] = 5
        return document

    running.unifi.faults.add(Rewrite(change), method="GET", path="/users", times=None)
    nothing_happens(running, Ending.FAILED)
    heals(running)


def test_a_controller_that_lost_most_users_with_their_cards_holds_the_cycle(running: Club) -> None:
    world = running.unifi.world
    doomed = [user.id for user in world.users if user.id != running.owner][:20]
    for user in doomed:
        world.delete_user(user)
    report = running.cycle()
    assert report.ending is Ending.HELD
    assert "shrunken controller" in report.reason()
    assert running.writes() == 0


def test_an_unknown_policy_in_a_rule_holds_the_cycle(running: Club) -> None:
    rules = (Rule("Gold", Resolution.TIER, 1, "Golden hours"), *running.habits.rules[1:])
    running.habits = replace(running.habits, rules=rules)
    assert "unknown policy" in nothing_happens(running, Ending.HELD)


def test_nine_of_nine_at_a_small_site_hold_the_cycle(club: Club) -> None:
    people = [club.join(1001 + number) for number in range(9)]
    club.join(1100, "Silver")
    assert club.cycle().ending is Ending.CLEAN
    club.civicrm.world.delete_membership(club.memberships[people[0]][0])
    club.forget()
    for contact in people[1:]:
        club.lapse(contact)
    report = club.cycle()
    assert report.ending is Ending.HELD
    assert club.writes() == 0


def test_a_first_provisioning_of_many_is_not_held(club: Club) -> None:
    for number in range(80):
        club.join(1001 + number)
    assert club.cycle().ending is Ending.CLEAN
    assert club.opens(1080)


def test_many_joins_later_wait_while_a_leaver_goes_at_once(running: Club) -> None:
    """A hold of a class leaves the others going (§6)."""
    for number in range(12):
        running.join(3001 + number)
    report = running.cycle()
    assert report.ending is Ending.HELD
    assert "mass addition: 13 of 30" in report.reason()
    assert not running.opens(1001)
    assert not running.opens(3001)


def test_scope_cycle_holds_everything(running: Club) -> None:
    running.habits = replace(running.habits, budgets=Budgets(everything_holds_everything=True))
    for number in range(12):
        running.join(3001 + number)
    nothing_happens(running, Ending.HELD)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda club: club.join(3001, "Mystery"),
        lambda club: club.join("x12"),
        lambda club: club.join(1005),
    ],
    ids=["unmapped type", "bad card", "duplicate card"],
)
def test_a_bad_record_halts_the_cycle_where_the_site_wants_that(
    running: Club, spoil: Callable[[Club], object]
) -> None:
    spoil(running)
    strict: Habits = replace(running.habits, budgets=Budgets(halt_on_bad_record=True))
    running.habits, lenient = strict, running.habits
    nothing_happens(running, Ending.HELD)
    running.habits = lenient
    assert running.cycle().ending is Ending.CLEAN
    assert not running.opens(1001)

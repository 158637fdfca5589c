"""A held plan, a person's word, and a world that changes in between (§6), live."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from door_sync.app.report import CycleReport, Ending
from door_sync.core.guards import Budgets
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.ports import JournalError
from door_sync.simulators.faults import Answer
from tests.club import Club

CAREFUL = Budgets(deactivate=0.15, add=0.15, card=0.15, few=2)


def fill(club: Club, members: int = 20) -> list[int]:
    """Fill an empty site, then let the guards be careful."""
    joined = [club.join(1001 + number) for number in range(members)]
    assert club.cycle().ending is Ending.CLEAN
    club.habits = replace(club.habits, budgets=CAREFUL)
    club.forget()
    return joined


def held(club: Club, *guards: str) -> str:
    """Run a cycle that must be held by these guards and write nothing; return the hold's name."""
    club.forget()
    report = club.cycle()
    assert report.ending is Ending.HELD
    assert tuple(guards_of(report)) == guards
    assert club.writes() == 0, "and nothing happened"
    [kept] = club.journal.holds().waiting()
    assert kept.hold.digest == report.hold_digest
    return report.hold_digest


def guards_of(report: CycleReport) -> list[str]:
    assert report.decision is not None
    return [one.guard for one in report.decision.objections]


def grown(report: CycleReport) -> list[tuple[str, list[int], tuple[str, ...]]]:
    assert report.decision is not None
    return [(o.digest, [c for c, _ in o.changes], o.guards) for o in report.decision.grown]


def statuses(club: Club, members: list[int]) -> set[str]:
    return {club.status_of(one) for one in members}


def word(club: Club, digest: str) -> list[str | None]:
    """How the approvals of a hold ended, None while they are in force."""
    kept = club.journal.holds().find(digest)
    assert kept is not None
    return [one.ending for one in kept.words]


@pytest.fixture
def leavers(club: Club) -> list[int]:
    """Six of twenty members have lapsed."""
    members = fill(club)
    for contact in members[:6]:
        club.lapse(contact)
    return members[:6]


def test_what_was_approved_goes_through_once_and_the_approval_ends(
    club: Club, leavers: list[int]
) -> None:
    digest = held(club, "mass deactivation")
    club.journal.holds().approve(digest, "kim")
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert statuses(club, leavers) == {"DEACTIVATED"}
    assert club.journal.holds().waiting() == []
    club.forget()
    assert club.cycle().ending is Ending.CLEAN
    assert club.writes() == 0
    assert word(club, digest) == ["used up"]


def test_a_plan_that_is_looked_at_has_the_name_that_a_cycle_stores(
    club: Club, leavers: list[int]
) -> None:
    looked_at = club.plan().hold_digest
    assert looked_at == held(club, "mass deactivation")
    assert club.plan().hold_digest == looked_at
    club.journal.holds().approve(looked_at, "kim")
    assert club.plan().hold_digest == ""
    assert {change.contact_id for change in club.plan().plan.changes} == set(leavers)
    assert club.writes() == 0


def test_more_of_the_same_is_held_anew_and_can_be_approved_then(
    club: Club, leavers: list[int]
) -> None:
    first = held(club, "mass deactivation")
    club.journal.holds().approve(first, "kim")
    one_more = list(club.memberships)[10]
    club.lapse(one_more)
    second = held(club, "mass deactivation")
    assert second != first
    assert grown(club.plan()) == [(first, [one_more], ())]
    club.journal.holds().approve(second, "kim")
    assert club.cycle().ending is Ending.CLEAN
    assert statuses(club, [*leavers, one_more]) == {"DEACTIVATED"}


def test_less_goes_through(club: Club, leavers: list[int]) -> None:
    club.journal.holds().approve(held(club, "mass deactivation"), "kim")
    club.rejoin(leavers[0])
    assert club.cycle().ending is Ending.CLEAN
    assert club.status_of(leavers[0]) == "ACTIVE"
    assert statuses(club, leavers[1:]) == {"DEACTIVATED"}


def test_what_grew_and_shrank_again_goes_through(club: Club, leavers: list[int]) -> None:
    club.journal.holds().approve(held(club, "mass deactivation"), "kim")
    one_more = list(club.memberships)[10]
    club.lapse(one_more)
    held(club, "mass deactivation")
    club.rejoin(one_more)
    assert club.cycle().ending is Ending.CLEAN
    assert club.status_of(one_more) == "ACTIVE"
    assert statuses(club, leavers) == {"DEACTIVATED"}


def another_card(club: Club, contact: int) -> None:
    club.civicrm.world.set_card(contact, "3333")


def another_tier(club: Club, contact: int) -> None:
    club.retier(contact, "Silver")


def another_name(club: Club, contact: int) -> None:
    club.civicrm.world.set_name(contact, first_name="Other")


@pytest.mark.parametrize("change", [another_card, another_tier, another_name])
def test_other_things_for_one_of_the_approved_people_are_refused(
    club: Club, change: Callable[[Club, int], None]
) -> None:
    fill(club)
    joiners = [club.join(2001 + number) for number in range(5)]
    first = held(club, "mass addition")
    club.journal.holds().approve(first, "kim")
    change(club, joiners[0])
    assert held(club, "mass addition") != first
    assert grown(club.plan()) == [(first, [joiners[0]], ())]
    assert not any(club.opens(2001 + number) for number in range(5))


def test_somebody_elses_card_change_is_not_covered_by_an_approved_joining(club: Club) -> None:
    members = fill(club)
    for number in range(5):
        club.join(2001 + number)
    club.journal.holds().approve(held(club, "mass addition"), "kim")
    for number, contact in enumerate(members[:5]):
        club.civicrm.world.set_card(contact, str(3001 + number))
    report = club.cycle()
    assert guards_of(report) == ["mass card change"]
    assert all(club.opens(2001 + number) for number in range(5)), "the approved ones went on"
    assert not any(club.opens(3001 + number) for number in range(5))
    assert all(club.opens(1001 + number) for number in range(5))


@pytest.mark.parametrize("ahead", [timedelta(hours=24), timedelta(days=-3)])
def test_after_24_hours_or_under_another_clock_an_approval_lets_nothing_through(
    club: Club, leavers: list[int], ahead: timedelta
) -> None:
    digest = held(club, "mass deactivation")
    club.journal.holds().approve(digest, "kim")
    club.clock.ahead = ahead
    assert held(club, "mass deactivation") == digest
    assert word(club, digest) == ["expired"]
    assert statuses(club, leavers) == {"ACTIVE"}


def test_just_before_the_24_hours_are_over_it_does(club: Club, leavers: list[int]) -> None:
    club.journal.holds().approve(held(club, "mass deactivation"), "kim")
    club.clock.ahead = timedelta(hours=23, minutes=55)
    assert club.cycle().ending is Ending.CLEAN
    assert statuses(club, leavers) == {"DEACTIVATED"}


def test_a_rejection_takes_an_approval_back(club: Club, leavers: list[int]) -> None:
    digest = held(club, "mass deactivation")
    club.journal.holds().approve(digest, "kim")
    assert club.journal.holds().reject(digest, "lee") == 1
    assert held(club, "mass deactivation") == digest
    assert word(club, digest) == ["withdrawn", None]
    assert statuses(club, leavers) == {"ACTIVE"}


def test_a_digest_that_nobody_knows_is_no_approval(club: Club, leavers: list[int]) -> None:
    digest = held(club, "mass deactivation")
    with pytest.raises(JournalError):
        club.journal.holds().approve("0" * 12, "kim")
    assert held(club, "mass deactivation") == digest
    assert club.journal.holds().in_force() == []


def test_a_hold_that_is_over_when_it_is_approved_lets_through_what_it_held_and_no_more(
    club: Club, leavers: list[int]
) -> None:
    first = held(club, "mass deactivation")
    one_more = list(club.memberships)[10]
    club.lapse(one_more)
    held(club, "mass deactivation")
    club.journal.holds().approve(first, "kim")
    held(club, "mass deactivation")
    assert statuses(club, [*leavers, one_more]) == {"ACTIVE"}


def test_a_part_goes_through_and_the_rest_waits_under_a_name_of_its_own(
    club: Club, leavers: list[int]
) -> None:
    first = held(club, "mass deactivation")
    club.journal.holds().approve(first, "kim", contacts=[ContactId(leavers[0])])
    report = club.cycle()
    assert report.ending is Ending.HELD
    assert club.status_of(leavers[0]) == "DEACTIVATED"
    assert statuses(club, leavers[1:]) == {"ACTIVE"}
    rest = held(club, "mass deactivation")
    assert rest == report.hold_digest != first
    club.journal.holds().approve(rest, "kim")
    assert club.cycle().ending is Ending.CLEAN
    assert statuses(club, leavers) == {"DEACTIVATED"}


def test_the_rest_does_not_wait_for_somebody_whose_approved_change_fails(club: Club) -> None:
    """Contact 0 was approved alone and the controller refuses to create him, cycle after cycle."""
    fill(club)
    joiners = [club.join(2001 + number, first=f"Join{number}") for number in range(6)]
    first = held(club, "mass addition")
    club.journal.holds().approve(first, "kim", contacts=[ContactId(joiners[0])])
    refusal = Answer(200, b'{"code":"CODE_PARAMS_INVALID","msg":"no","data":null}')
    club.unifi.faults.add(
        refusal, where=lambda seen: seen.method == "POST" and b"Join0" in seen.body, times=None
    )
    report = club.cycle()
    assert [one.change.contact_id for one in report.failed] == [joiners[0]]
    club.journal.holds().approve(report.hold_digest, "kim")
    report = club.cycle()
    club.unifi.faults.clear()
    assert report.ending is Ending.PARTIAL, report.reason()
    assert all(club.opens(2002 + number) for number in range(5))
    assert club.cycle().ending is Ending.CLEAN
    assert club.opens(2001)


# Doubted reads.


def half_are_gone(club: Club) -> list[int]:
    """Half of the contacts have no card any more in CiviCRM."""
    members = fill(club)
    for contact in members[:10]:
        club.civicrm.world.set_card(contact, "")
    return members


def test_an_approved_doubt_is_a_good_read_from_then_on(club: Club) -> None:
    members = half_are_gone(club)
    digest = held(club, "mass deactivation", "shrunken source")
    club.journal.holds().approve(digest, "kim")
    assert club.cycle().ending is Ending.CLEAN
    assert statuses(club, members[:10]) == {"DEACTIVATED"}
    counts = club.journal.memory(club.clock.now()).last_good
    assert counts is not None
    assert counts.contacts == 10
    assert club.cycle().ending is Ending.CLEAN
    assert word(club, digest) == ["used up"]


def test_after_a_part_of_a_doubted_read_the_read_is_doubted_still(club: Club) -> None:
    members = half_are_gone(club)
    digest = held(club, "mass deactivation", "shrunken source")
    some = [ContactId(contact) for contact in members[:3]]
    club.journal.holds().approve(digest, "kim", [ChangeClass.REVOKE], some)
    report = club.cycle()
    assert report.ending is Ending.HELD
    assert statuses(club, members[:3]) == {"DEACTIVATED"}
    assert statuses(club, members[3:]) == {"ACTIVE"}
    counts = club.journal.memory(club.clock.now()).last_good
    assert counts is not None
    assert counts.contacts == 20
    held(club, "mass deactivation", "shrunken source")


def test_a_doubt_that_became_worse_or_has_more_to_do_is_held_anew(club: Club) -> None:
    members = half_are_gone(club)
    first = held(club, "mass deactivation", "shrunken source")
    club.journal.holds().approve(first, "kim")
    joined = club.join(5001)
    second = held(club, "mass deactivation", "shrunken source")
    assert grown(club.plan()) == [(first, [joined], ())]
    club.civicrm.world.set_card(joined, "")
    club.journal.holds().approve(second, "kim")
    club.civicrm.world.set_card(members[10], "")
    held(club, "mass deactivation", "shrunken source")
    said = grown(club.plan())
    assert (first, [members[10]], ("shrunken source",)) in said
    assert statuses(club, members) == {"ACTIVE"}


@pytest.mark.parametrize("guard", ["unknown policy", "people vanished"])
def test_what_no_approval_can_settle_stays_held(club: Club, guard: str) -> None:
    members = fill(club)
    if guard == "unknown policy":
        policy = next(one for one in club.unifi.world.policies if one.name == "Silver hours")
        club.unifi.world.policies.remove(policy.id)
    else:
        for contact in members[:4]:
            del club.civicrm.world.contacts[contact]
    club.lapse(members[10])
    digest = held(club, guard)
    club.journal.holds().approve(digest, "kim")
    assert held(club, guard) == digest
    assert statuses(club, members) == {"ACTIVE"}

"""What the next cycle would do to those who are linked, told before anything is written."""

import pytest

from door_sync.app.adopting import Outlook, Survey, forecast, survey
from door_sync.core.controller import UserId
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.ports import SourceUnreachable
from door_sync.simulators.faults import html_error
from tests.club import Club


def surveyed(club: Club) -> Survey:
    """Both sides, read over real connections."""
    with club.parts() as parts:
        return survey(parts)


def outlook(club: Club, contact: int) -> Outlook:
    """What is ahead of one contact whose user was made by hand under the same name."""
    found = surveyed(club)
    assert contact in {pair.contact_id for pair in found.matching.pairs}
    return found.forecast.outlooks[ContactId(contact)]


def make(club: Club, first: str, **more: object) -> str:
    """Make a user by hand with the name of a member."""
    return club.unifi.world.add_user(first, "Ber", **more).id  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("tier", "status", "remark"),
    [
        ("Day pass", "ACTIVE", "a day pass (Day pass): what the user has stays"),
        ("Mystery", "ACTIVE", "nothing is changed: an active membership of a type"),
        ("Supporter", "DEACTIVATED", "stays deactivated: the tier Supporter gives no access"),
    ],
)
def test_whoever_is_left_as_he_is_learns_why(
    club: Club, tier: str, status: str, remark: str
) -> None:
    contact = club.join(1001, tier, first="Ann")
    make(club, "Ann", status=status)
    found = outlook(club, contact)
    assert found.remark.startswith(remark)
    assert (found.loses_access, found.classes) == (None, ())


def test_a_deactivated_user_without_a_card_in_civicrm_is_not_asked_about_and_stays(
    club: Club,
) -> None:
    contact = club.join(None, first="Ann")
    make(club, "Ann", status="DEACTIVATED")
    assert outlook(club, contact).remark == "stays deactivated: CiviCRM gives no access"


def test_a_deactivated_user_of_a_member_is_restored(club: Club) -> None:
    contact = club.join(1001, first="Ann")
    make(club, "Ann", status="DEACTIVATED")
    assert outlook(club, contact).classes == (ChangeClass.RESTORE,)


def test_a_user_that_is_as_it_should_be_stays_so(club: Club) -> None:
    contact = club.join(1001, first="Ann")
    one = make(club, "Ann", policy_ids=[club.gold])
    club.add_card(1001, holder=one)
    assert outlook(club, contact).remark == "nothing changes"


def test_whoever_would_be_held_by_a_guard_is_told(club: Club) -> None:
    """A mass deactivation is no less one because links bring it about."""
    contacts = [club.join(1001 + n, first=f"M{n}") for n in range(4)]
    for n, contact in enumerate(contacts):
        club.lapse(contact)
        make(club, f"M{n}")
    budgets = club.habits.budgets
    club.habits = type(club.habits)(
        club.habits.rules, club.habits.active_statuses, budgets=type(budgets)(floor=0)
    )
    found = outlook(club, contacts[0])
    assert found.loses_access == "no active membership"
    assert found.held == (ChangeClass.REVOKE,)


def test_a_member_with_a_lapsed_membership_loses_access_as_the_next_cycle_then_does(
    club: Club,
) -> None:
    """The forecast is kept: what is said before is what happens."""
    contact = club.join(1001, first="Ann")
    club.lapse(contact)
    one = make(club, "Ann", policy_ids=[club.gold])
    assert outlook(club, contact).loses_access == "no active membership"
    club.unifi.world.edit_user(one, employee_number=str(contact))
    club.cycle()
    assert club.status_of(contact) == "DEACTIVATED"


def test_a_source_that_fails_while_it_is_asked_about_the_linked_ends_it(club: Club) -> None:
    contact = club.join(None, first="Ann")
    one = make(club, "Ann")
    with club.parts() as parts:
        found = survey(parts)
        club.civicrm.faults.add(html_error(503), times=None)
        links = {UserId(one): ContactId(contact)}
        with pytest.raises(SourceUnreachable):
            forecast(parts, found.reading, found.snapshot, links)

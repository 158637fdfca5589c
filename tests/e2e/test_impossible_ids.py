"""Contact ids at the edge of what CiviCRM can have."""

import pytest

from door_sync.app.report import Ending
from tests.club import Club

LARGEST = 2**32 - 1


def join_as(club: Club, contact_id: int, card: int) -> None:
    """Add a member with this contact id."""
    contact = club.civicrm.world.add_contact("Mem", "Ber", card=card, contact_id=contact_id)
    club.memberships[contact] = []
    club.rejoin(contact)


def test_the_largest_contact_id_of_civicrm_is_a_member_like_any_other(club: Club) -> None:
    join_as(club, LARGEST, 1001)
    assert club.cycle().ending is Ending.CLEAN
    assert club.opens(1001)
    club.forget()
    assert club.cycle().ending is Ending.CLEAN
    assert club.writes() == 0


@pytest.mark.parametrize("contact_id", [LARGEST + 1, 10**18, 10**30])
def test_an_id_that_civicrm_cannot_have_breaks_the_read(club: Club, contact_id: int) -> None:
    """The controller's user of such a contact would not be known again, and made anew each time."""
    club.join(1100)
    join_as(club, contact_id, 1001)
    for _ in range(2):
        report = club.cycle()
        assert report.ending is Ending.FAILED
        assert "holds something unexpected in id" in report.reason()
    assert club.writes() == 0

"""A restore of a user whose row does not show what the user has (R2)."""

import pytest

from door_sync.simulators.faults import Hook
from tests.club import Club

HIDDEN = ("access_policy_ids", "access_policies")


@pytest.mark.parametrize("refuses", [False, True], ids=["frees at once", "frees once active"])
def test_policies_that_a_row_leaves_out_open_no_door_to_a_stale_card(
    club: Club, refuses: bool
) -> None:
    """Asked before and after each write, so that an end of the program anywhere stays shut too."""
    club.unifi.switch(deactivated_refuses_cards=refuses)
    club.join(1100)
    contact = club.join(1001)
    club.add_user(
        str(contact), cards=[1005], policies=[club.gold], status="DEACTIVATED", missing=HIDDEN
    )
    opened: list[bool] = []
    for after in (False, True):
        look = Hook(lambda _request: opened.append(club.opens(1005)), after=after)
        club.unifi.faults.add(look, where=lambda seen: seen.method != "GET", times=None)
    club.relax()
    club.cycle()
    assert opened
    assert not any(opened)
    assert club.opens(1001)
    assert not club.opens(1005)

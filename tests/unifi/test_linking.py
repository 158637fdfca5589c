"""What `adopt` needs of the controller: the link itself, and who administers it."""

import pytest

from door_sync.core.controller import UserId, UserStatus
from door_sync.core.people import ContactId
from door_sync.ports import WriteRefused
from door_sync.simulators.unifi.simulator import UnifiSimulator
from door_sync.simulators.unifi.trouble import business_error
from door_sync.unifi.client import UnifiController


def test_a_link_writes_the_employee_number_and_nothing_else(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    made = simulator.world.add_user("Ann", "Lee", employee_number="HR-17", status="DEACTIVATED")
    before = controller.user(UserId(made.id))
    controller.link(UserId(made.id), ContactId(1042))
    after = controller.user(UserId(made.id))
    assert before is not None
    assert after is not None
    assert (before.contact_id, before.other_number) == (None, "HR-17")
    assert (after.contact_id, after.other_number) == (1042, "")
    assert after.status is UserStatus.DEACTIVATED
    [write] = simulator.journal.writes()
    assert (write.method, write.body) == ("PUT", {"employee_number": "1042"})


def test_a_refused_link_says_which_user_and_contact(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    made = simulator.world.add_user("Ann", "Lee")
    simulator.faults.add(business_error("CODE_PARAMS_INVALID"), method="PUT", times=None)
    with pytest.raises(WriteRefused, match=f"linking user {made.id} to contact 7: refused"):
        controller.link(UserId(made.id), ContactId(7))


def test_administrators_are_those_that_the_search_names(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    world = simulator.world
    owner = world.add_user("Olga", "Owner", is_admin=True)
    world.add_user("Ann", "Lee")
    invited = world.add_user("Ida", "Invited", is_admin=True, status="PENDING")
    assert controller.administrators() == frozenset((UserId(owner.id), UserId(invited.id)))


def test_more_administrators_than_a_page_holds_are_all_found(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    made = [simulator.world.add_user("A", str(n), is_admin=True).id for n in range(120)]
    assert controller.administrators() == frozenset(map(UserId, made))


def test_an_old_controller_cannot_tell_its_administrators(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.switch(firmware="2.0.0")
    assert controller.administrators() is None


def test_a_visit_that_is_over_is_known_as_such(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """§8.5: its card may still be bound to it."""
    world = simulator.world
    world.add_user("Olga", "Owner")
    over = world.add_visitor("Vic", "Past", 0, 1)
    coming = world.add_visitor("Val", "Soon", 4_000_000_000, 4_000_000_100)
    assert controller.read().ended_visits == {over.id}
    world.cancel_visitor(coming.id)
    assert controller.read().ended_visits == {over.id, coming.id}

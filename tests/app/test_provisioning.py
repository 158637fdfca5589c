"""The first filling of a new site: additions are free until one cycle ends with none left (§6)."""

import pytest

from door_sync.app.cycle import live_run
from door_sync.app.report import Ending
from door_sync.core.guards import Scope
from door_sync.core.steps import ChangeClass
from tests.app.watching import (
    DEACTIVATE,
    at_create,
    at_status,
    bad_token,
    failed,
    refused,
    settled,
)
from tests.club import HABITS, Club

MANY = 20


@pytest.fixture
def new_site(club: Club) -> Club:
    """A site with the usual guards, a full membership list, and nobody in the controller yet."""
    club.habits = HABITS
    for number in range(1001, 1000 + MANY):
        club.join(number)
    return club


def provisioning(club: Club) -> bool | None:
    """Return what the journal says about the first provisioning."""
    return club.journal.memory(club.clock.now()).provisioning


def test_everybody_is_added_at_once_and_then_provisioning_ends(new_site: Club) -> None:
    assert provisioning(new_site) is None
    report = new_site.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert report.summary()["added"] == MANY
    assert provisioning(new_site) is False


def test_once_it_has_ended_many_additions_are_held_as_usual(new_site: Club) -> None:
    settled(new_site)
    for number in range(2001, 2011):
        new_site.join(number)
    report = new_site.cycle()
    assert report.ending is Ending.HELD
    assert report.decision is not None
    assert [objection.guard for objection in report.decision.objections] == ["mass addition"]
    assert provisioning(new_site) is False


def test_a_site_that_has_managed_users_already_is_not_provisioned(new_site: Club) -> None:
    for number in range(12):
        contact = new_site.join(3001 + number)
        new_site.add_user(str(contact), cards=[3001 + number], policies=[new_site.gold])
    report = new_site.cycle()
    assert report.ending is Ending.HELD
    assert provisioning(new_site) is False


def test_it_goes_on_while_one_of_the_additions_failed(new_site: Club) -> None:
    new_site.unifi.faults.add(refused(), method="POST", path="/users", first=5, times=None)
    report = new_site.cycle()
    assert report.ending is Ending.PARTIAL
    assert len(failed(report)) == MANY - 4
    assert provisioning(new_site) is True
    new_site.unifi.faults.clear()
    settled(new_site)
    assert provisioning(new_site) is False


def test_it_goes_on_after_a_cycle_that_ended_early(new_site: Club) -> None:
    """Twelve were added, so the site is not empty any more; the others are no mass addition."""
    new_site.unifi.faults.add(bad_token(), method="POST", path="/users", first=13)
    report = new_site.cycle()
    assert report.ending is Ending.FAILED
    assert len(new_site.unifi.world.users) == 1 + 12
    assert provisioning(new_site) is True
    settled(new_site)
    assert provisioning(new_site) is False
    assert len(new_site.unifi.world.users) == 1 + MANY


class PowerCut(BaseException):
    """The process ends here."""


def test_it_goes_on_after_a_power_cut(new_site: Club) -> None:
    made = 0

    with new_site.parts() as parts:
        create = parts.controller.create_user

        def create_twelve(*args: object, **named: object) -> object:
            nonlocal made
            if made == 12:
                raise PowerCut
            made += 1
            return create(*args, **named)  # type: ignore[arg-type]  # handed on

        # The power goes in the middle of the writes.
        parts.controller.create_user = create_twelve  # type: ignore[method-assign, assignment]  # cut
        with pytest.raises(PowerCut):
            live_run(parts)
    assert provisioning(new_site) is True
    settled(new_site)
    assert len(new_site.unifi.world.users) == 1 + MANY


def test_it_goes_on_while_additions_are_held_for_another_reason(new_site: Club) -> None:
    """A held cycle writes nothing, and a site that was empty stays one that is being filled."""
    new_site.unifi.world.add_policy("Gold hours", [new_site.front])
    report = new_site.cycle()
    assert report.decision is not None
    assert [o.scope for o in report.decision.objections] == [Scope.CYCLE]
    assert provisioning(new_site) is True


def test_a_revocation_that_failed_does_not_prolong_it(new_site: Club) -> None:
    leaver, *_, last = new_site.memberships
    at_create(new_site, refused(), last)
    assert new_site.cycle().ending is Ending.PARTIAL
    assert provisioning(new_site) is True
    new_site.lapse(leaver)
    at_status(new_site, refused(), new_site.user_of(leaver), DEACTIVATE)
    report = new_site.cycle()
    assert list(failed(report)) == [leaver]
    assert provisioning(new_site) is False


def test_a_user_without_card_and_policy_is_completed_as_an_addition(new_site: Club) -> None:
    """Half-made users of an interrupted provisioning count as additions, which are free."""
    people = list(new_site.memberships)
    new_site.unifi.faults.add(bad_token(), path="/users/:id/nfc_cards", first=1)
    assert new_site.cycle().ending is Ending.FAILED
    assert len(new_site.unifi.world.users) == 1 + MANY
    report = new_site.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    assert {c.change_class for c in report.done} == {ChangeClass.GRANT}
    assert [c.contact_id for c in report.done] == people

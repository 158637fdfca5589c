"""What the proofs of every fault at every request, and of hands at the console, found."""

from collections.abc import Iterator
from typing import Any

import pytest
import stamina

from door_sync.app.report import Ending
from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import UserId
from door_sync.ports import Profile, WriteRefused
from door_sync.simulators.faults import Fault, Hook, Reset, Rewrite, html_error
from door_sync.simulators.unifi.simulator import UnifiSimulator
from door_sync.simulators.unifi.trouble import business_error, success_without_effect
from door_sync.unifi.client import UnifiController
from tests.club import Club, open_club

IMPORT = "/credentials/nfc_cards/import"


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    """Both simulators, started once."""
    with open_club() as club:
        yield club


@pytest.fixture
def club(running_club: Club) -> Iterator[Club]:
    """An empty club whose guards let everything pass."""
    running_club.reset()
    running_club.start_journal()
    running_club.relax()
    with stamina.set_testing(True, attempts=3, cap=True):
        yield running_club


def test_an_address_that_a_lost_first_try_brought_is_no_refusal(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """Where a user's own address is a conflict, the repeat is refused for what it did before."""
    simulator.switch(own_email_conflicts=True)
    user = simulator.world.add_user("Ann", "Ray", employee_number="1")
    simulator.faults.add(Reset(after=True), method="PUT")
    controller.update_profile(UserId(user.id), Profile(None, None, "ann@example.org"))
    assert simulator.world.users[user.id].user_email == "ann@example.org"


def test_an_alias_that_is_said_to_be_written_and_is_not_counts_as_refused(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """P10: so that the journal remembers the card instead (R3)."""
    token = CardToken(simulator.world.add_card(42, 7).token)
    simulator.faults.add(success_without_effect(), method="PUT")
    with pytest.raises(WriteRefused, match="called done"):
        controller.set_alias(token, CardNumber(7))


def test_an_address_whose_holder_did_not_give_it_up_is_tried_again_in_the_next_cycle(
    club: Club,
) -> None:
    """The holder's write was called done and was not; that is no refusal to keep for a week."""
    first = club.join(1001, email="shared@example.org")
    heir = club.join(1002, email="heir@example.org")
    assert club.cycle().ending is Ending.CLEAN
    club.civicrm.world.set_email(first, "new@example.org")
    club.civicrm.world.set_email(heir, "shared@example.org")
    user = club.user_of(first)
    club.unifi.faults.add(success_without_effect(), method="PUT", path=f"/users/{user}")
    report = club.cycle()
    assert [one.change.contact_id for one in report.failed] == [first]
    assert club.cycle().ending is Ending.CLEAN
    assert club.unifi.world.users[club.user_of(heir)].user_email == "shared@example.org"


def test_nobody_stays_active_with_a_stale_card_after_a_free_that_was_a_lie(club: Club) -> None:
    """R2: without a tier's policy the card would still open what is open to everyone."""
    world = club.unifi.world
    hall = world.add_door("Hall").id
    world.add_policy("For everyone", [hall], everyone=True)
    club.join(1009)
    assert club.cycle().ending is Ending.CLEAN
    contact = club.join(1002)
    club.add_user(str(contact), cards=[1001], status="DEACTIVATED")
    club.unifi.faults.add(
        success_without_effect(), method="PUT", path="/users/:id/nfc_cards/delete"
    )
    report = club.cycle()
    assert [one.change.contact_id for one in report.failed] == [contact]
    assert club.status_of(contact) == "DEACTIVATED"
    assert not club.opens(1001, hall)
    assert club.cycle().ending is Ending.CLEAN
    assert club.opens(1002)
    assert not club.opens(1001, hall)


def test_a_policy_given_by_hand_survives_an_answer_that_looked_at_nothing(club: Club) -> None:
    """An empty list that lacks even the tier's policy, which the row shows, is not believed."""
    world = club.unifi.world
    contact = club.join(1001)
    club.join(1002)
    assert club.cycle().ending is Ending.CLEAN
    by_hand = world.add_policy("By hand", [club.workshop]).id
    world.edit_user(club.user_of(contact), policy_ids=(club.gold, by_hand))
    club.retier(contact, "Silver")
    club.unifi.faults.add(
        Rewrite(_emptied), method="GET", path="/users/:id/access_policies", times=None
    )
    assert club.cycle().ending is Ending.CLEAN
    assert set(world.users[club.user_of(contact)].policy_ids) == {club.silver, by_hand}


def _emptied(document: Any) -> Any:
    document["data"] = []
    return document


def returning_where_cards_of_the_deactivated_stay(club: Club) -> int:
    """Let somebody return whose stale card can come off only after the activation."""
    club.unifi.switch(deactivated_refuses_cards=True)
    world = club.unifi.world
    world.add_policy("For everyone", [club.workshop], everyone=True)
    club.join(1009)
    assert club.cycle().ending is Ending.CLEAN
    contact = club.join(1002)
    club.add_user(str(contact), cards=[1001], status="DEACTIVATED")
    return contact


@pytest.mark.parametrize(
    "fault", [Reset(after=True), business_error(after=True)], ids=["no answer", "refused and done"]
)
def test_an_activation_without_a_good_answer_is_looked_at_before_the_rest_is_left(
    club: Club, fault: Fault
) -> None:
    """R2: who became active all the same would keep a stale card until the next cycle. A refusal
    for the controller's own reasons is not sure to be one (UniFi sheet §3.6)."""
    contact = returning_where_cards_of_the_deactivated_stay(club)
    club.unifi.faults.add(
        fault,
        where=lambda one: one.method == "PUT" and b'"ACTIVE"' in one.body,
        times=None,
    )
    assert club.cycle().ending is Ending.CLEAN
    assert club.opens(1002)
    assert not club.opens(1001, club.workshop)
    assert club.status_of(contact) == "ACTIVE"


def test_a_cycle_that_ends_early_leaves_nobody_active_with_a_stale_card(club: Club) -> None:
    """R2: the end came between the activation and the free; that one try is still made."""
    contact = returning_where_cards_of_the_deactivated_stay(club)
    for number in range(6):
        club.join(1020 + number)
    club.unifi.faults.add(html_error(502), method="POST", path="/users", times=None)
    assert club.cycle().ending is Ending.FAILED
    assert club.status_of(contact) == "DEACTIVATED"
    assert not club.opens(1001, club.workshop)
    club.unifi.faults.clear()
    assert club.cycle().ending is Ending.CLEAN
    assert club.opens(1002)


def test_an_import_that_fails_for_the_controllers_own_reasons_is_tried_in_the_next_cycle(
    club: Club,
) -> None:
    """§3.5: such an error about every card says nothing about any; none waits for a new list."""
    club.join(1009)
    assert club.cycle().ending is Ending.CLEAN
    joined = [club.join(1001), club.join(1002)]
    club.unifi.faults.add(business_error(), method="POST", path=IMPORT, times=None)
    report = club.cycle()
    assert [one.change.contact_id for one in report.failed] == joined
    club.unifi.faults.clear()
    assert club.cycle().ending is Ending.CLEAN
    assert club.opens(1001)
    assert club.opens(1002)


def test_a_card_whose_bind_was_refused_and_done_gets_our_alias_all_the_same(club: Club) -> None:
    """R3: bound, it is nothing to do for the next cycle, which would take it for a stranger's."""
    club.unifi.switch(nfc_id_in_card_list=True)
    club.join(1009)
    assert club.cycle().ending is Ending.CLEAN
    token = club.add_card(1001, alias=False)
    club.join(1001)
    club.unifi.faults.add(
        business_error(after=True), method="PUT", path="/users/:id/nfc_cards", times=None
    )
    club.cycle()
    assert club.unifi.world.cards[token].alias == "sync-01001"


def test_users_that_were_only_said_to_be_made_do_not_make_the_next_list_a_short_one(
    club: Club,
) -> None:
    """§6: the count that a shrunken controller is told by holds those who were read back alone."""
    club.join(1009)
    assert club.cycle().ending is Ending.CLEAN
    joined = [club.join(1001 + number) for number in range(6)]
    made = iter(f"00000000-0000-4000-8000-{number:012}" for number in range(6))

    def invented(document: Any) -> Any:
        document["data"]["id"] = next(made)
        return document

    def unmade(_: object) -> None:
        for user in [*club.unifi.world.users]:
            if user.employee_number in map(str, joined):
                club.unifi.world.delete_user(user.id)

    for fault in (Rewrite(invented), Hook(unmade, after=True)):
        club.unifi.faults.add(fault, method="POST", path="/users", times=None)
    report = club.cycle()
    assert [one.change.contact_id for one in report.failed] == joined
    club.unifi.faults.clear()
    assert club.cycle().ending is Ending.CLEAN
    assert all(club.opens(1001 + number) for number in range(6))


@pytest.mark.parametrize("alias", ["sync-09999", "Front desk", ""])
def test_a_card_whose_alias_somebody_edited_gets_its_own_again(club: Club, alias: str) -> None:
    """P8, R3: an import tells whose number it carries. Under another number of ours it would be
    freed as stale, imported and bound anew in each cycle."""
    club.unifi.switch(known_card="same token")
    club.join(1001)
    assert club.cycle().ending is Ending.CLEAN
    [card] = club.unifi.world.cards
    club.unifi.world.edit_card(card.token, alias=alias)
    assert club.cycle().ending is Ending.CLEAN
    assert club.opens(1001)
    assert club.unifi.world.cards[card.token].alias == "sync-01001"
    club.forget()
    assert club.cycle().ending is Ending.CLEAN
    assert club.writes() == 0

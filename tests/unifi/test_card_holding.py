"""Binding and freeing cards, under every reading of the sheet's §18."""

import pytest

from door_sync.core.cards import CardToken
from door_sync.core.controller import UserId
from door_sync.ports import (
    CardChangeImpossible,
    CardHasHolder,
    ControllerForbids,
    WriteRefused,
    WriteUncertain,
)
from door_sync.simulators.faults import Reset, html_error
from door_sync.simulators.unifi.simulator import UnifiSimulator
from door_sync.simulators.unifi.trouble import (
    business_error,
    null_data,
)
from door_sync.unifi.client import UnifiController

FACILITY = 42
BIND = "/users/:id/nfc_cards"
FREE = "/users/:id/nfc_cards/delete"


@pytest.fixture
def ann(simulator: UnifiSimulator) -> UserId:
    return UserId(simulator.world.add_user("Ann", "Lee", employee_number="1").id)


@pytest.fixture
def bob(simulator: UnifiSimulator) -> UserId:
    return UserId(simulator.world.add_user("Bob", "Ray", employee_number="2").id)


@pytest.fixture
def card(simulator: UnifiSimulator) -> CardToken:
    return CardToken(simulator.world.add_card(FACILITY, 7, alias="sync-00007").token)


def holder_of(simulator: UnifiSimulator, card: CardToken) -> str | None:
    holder = simulator.world.cards[card.reveal()].holder
    return holder.id if holder else None


def sent(simulator: UnifiSimulator) -> list[tuple[str, str]]:
    return [(entry.method, entry.path) for entry in simulator.journal.writes()]


def test_a_free_card_is_bound_without_force(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId, card: CardToken
) -> None:
    """P3; trap 15: it is said aloud that nobody's card may be taken."""
    controller.bind_card(ann, card)
    assert holder_of(simulator, card) == ann
    (write,) = simulator.journal.writes()
    assert write.body == {"token": card.reveal(), "force_add": False}


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("dialect", ["string", "numeric"])
def test_a_card_that_somebody_has_is_not_bound(
    status: int,
    dialect: str,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    bob: UserId,
    card: CardToken,
) -> None:
    """Trap 14."""
    simulator.switch(business_error_status=status, dialect=dialect)
    simulator.world.bind(card.reveal(), bob)
    with pytest.raises(CardHasHolder) as caught:
        controller.bind_card(ann, card)
    assert card.reveal() not in caught.value.message
    assert holder_of(simulator, card) == bob


def test_force_takes_a_card_from_its_holder(
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    bob: UserId,
    card: CardToken,
) -> None:
    simulator.world.bind(card.reveal(), bob)
    controller.bind_card(ann, card, force=True)
    assert holder_of(simulator, card) == ann


@pytest.mark.parametrize("fault", [Reset(), html_error(503), business_error()], ids=repr)
def test_a_forced_bind_is_sent_once(
    fault: Reset,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    bob: UserId,
    card: CardToken,
) -> None:
    """P3: the holder was confirmed just before this write, not before a repeat of it."""
    simulator.world.bind(card.reveal(), bob)
    simulator.faults.add(fault, path=BIND)
    with pytest.raises((WriteUncertain, WriteRefused)):
        controller.bind_card(ann, card, force=True)
    assert len(simulator.journal.writes()) == 1
    assert holder_of(simulator, card) == bob


def test_an_unknown_card_is_refused(controller: UnifiController, ann: UserId) -> None:
    with pytest.raises(WriteRefused) as caught:
        controller.bind_card(ann, CardToken("f" * 64))
    assert caught.value.code == "CODE_NOT_EXISTS"


@pytest.mark.parametrize("status", [404, 200])
def test_a_missing_route_for_an_active_user_ends_the_cycle(
    status: int,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    card: CardToken,
) -> None:
    """R0."""
    simulator.switch(no_route_status=status)
    simulator.faults.add(business_error("CODE_NOT_FOUND"), path=BIND)
    with pytest.raises(ControllerForbids, match=f"binding a card to user {ann}"):
        controller.bind_card(ann, card)


@pytest.mark.parametrize("status", [404, 200])
def test_a_user_that_was_deactivated_meanwhile_costs_itself_alone(
    status: int,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    card: CardToken,
) -> None:
    """design.md §9: the no-route answer may be the refusal of a deactivated user (C1)."""
    simulator.switch(deactivated_refuses_cards=True, no_route_status=status)
    simulator.world.set_status(ann, "DEACTIVATED")
    with pytest.raises(CardChangeImpossible):
        controller.bind_card(ann, card)


def test_a_missing_route_for_a_user_of_unknown_status_or_none_costs_it_alone(
    simulator: UnifiSimulator, controller: UnifiController, card: CardToken
) -> None:
    """P6: it may be deactivated, and the row does not say so."""
    odd = simulator.world.add_user("No", "Status", missing=["status"])
    simulator.faults.add(business_error("CODE_NOT_FOUND"), path=BIND, times=None)
    for user_id in (UserId(odd.id), UserId("00000000-0000-4000-8000-000000000000")):
        with pytest.raises(CardChangeImpossible):
            controller.bind_card(user_id, card)


def test_a_deactivated_user_gets_a_card_where_that_is_allowed(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId, card: CardToken
) -> None:
    simulator.world.set_status(ann, "DEACTIVATED")
    controller.bind_card(ann, card)
    assert holder_of(simulator, card) == ann


def test_a_missing_route_stays_uncertain_if_the_user_cannot_be_read(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId, card: CardToken
) -> None:
    simulator.faults.add(business_error("CODE_NOT_FOUND"), path=BIND)
    simulator.faults.add(html_error(500), method="GET", times=None)
    with pytest.raises(WriteUncertain):
        controller.bind_card(ann, card)


@pytest.mark.parametrize("status", [404, 200])
@pytest.mark.parametrize(
    ("works", "methods"),
    [("put", ["PUT", "PUT"]), ("both", ["PUT", "PUT"]), ("delete", ["PUT", "DELETE", "DELETE"])],
)
@pytest.mark.parametrize("once", [True, False])
def test_a_card_is_freed_by_the_method_that_the_firmware_has(
    status: int,
    works: str,
    methods: list[str],
    once: bool,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    card: CardToken,
) -> None:
    """design.md §9, C1; trap 1. The method that works is tried first from then on."""
    simulator.switch(unbind=works, no_route_status=status)
    other = CardToken(simulator.world.add_card(FACILITY, 8).token)
    for token in (card, other):
        simulator.world.bind(token.reveal(), ann)
    controller.free_card(ann, card, once=once)
    controller.free_card(ann, other, once=once)
    assert (holder_of(simulator, card), holder_of(simulator, other)) == (None, None)
    assert sent(simulator) == [(method, f"/users/{ann}/nfc_cards/delete") for method in methods]


@pytest.mark.parametrize("status", [404, 200])
@pytest.mark.parametrize("works", ["put", "delete", "both"])
@pytest.mark.parametrize("once", [True, False])
def test_a_deactivated_user_that_keeps_its_card_costs_itself_alone(
    status: int,
    works: str,
    once: bool,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    bob: UserId,
    card: CardToken,
) -> None:
    """design.md §9: card changes on a deactivated user refused with no-route. Nothing is learnt
    from that about the methods, and it does not end the cycle."""
    simulator.switch(unbind=works, no_route_status=status, deactivated_refuses_cards=True)
    simulator.world.bind(card.reveal(), ann)
    simulator.world.set_status(ann, "DEACTIVATED")
    with pytest.raises(CardChangeImpossible, match=f"freeing a card from user {ann}"):
        controller.free_card(ann, card, once=once)
    assert holder_of(simulator, card) == ann, "no-route is never read as gone (trap 4)"

    simulator.world.bind(card.reveal(), bob)
    controller.free_card(bob, card, once=once)
    assert holder_of(simulator, card) is None


@pytest.mark.parametrize("works", ["put", "delete", "both"])
def test_a_deactivated_user_s_card_is_freed_where_that_is_allowed(
    works: str,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    card: CardToken,
) -> None:
    simulator.switch(unbind=works)
    simulator.world.bind(card.reveal(), ann)
    simulator.world.set_status(ann, "DEACTIVATED")
    controller.free_card(ann, card)
    assert holder_of(simulator, card) is None


def test_an_update_of_the_firmware_that_changes_the_method_is_noticed(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId, card: CardToken
) -> None:
    """The same object serves for as long as the daemon runs."""
    for works in ("delete", "put", "delete"):
        simulator.switch(unbind=works)
        simulator.world.bind(card.reveal(), ann)
        controller.free_card(ann, card)
        assert holder_of(simulator, card) is None


@pytest.mark.parametrize("code", ["CODE_NOT_EXISTS", "success"])
def test_a_card_that_the_user_does_not_have_any_more_is_free_of_it(
    code: str,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    card: CardToken,
) -> None:
    """§6.7: done, but only after a look."""
    simulator.switch(unbind_not_held=code)
    controller.free_card(ann, card)
    looks = [entry for entry in simulator.journal.requests() if entry.method == "GET"]
    assert len(looks) == (code == "CODE_NOT_EXISTS")


def test_a_user_that_is_gone_has_no_card(controller: UnifiController, card: CardToken) -> None:
    controller.free_card(UserId("00000000-0000-4000-8000-000000000000"), card)


def test_not_there_is_not_believed_while_the_user_shows_the_card(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId, card: CardToken
) -> None:
    simulator.world.bind(card.reveal(), ann)
    simulator.faults.add(business_error("CODE_NOT_EXISTS"), path=FREE)
    with pytest.raises(WriteRefused) as caught:
        controller.free_card(ann, card)
    assert caught.value.code == "CODE_NOT_EXISTS"


def test_not_there_stays_uncertain_if_the_user_cannot_be_read(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId, card: CardToken
) -> None:
    simulator.faults.add(business_error("CODE_NOT_EXISTS"), path=FREE)
    simulator.faults.add(null_data(), method="GET", times=None)
    with pytest.raises(WriteUncertain):
        controller.free_card(ann, card)


def test_a_free_whose_answer_was_lost_is_repeated_and_found_done(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId, card: CardToken
) -> None:
    simulator.world.bind(card.reveal(), ann)
    simulator.faults.add(Reset(after=True), path=FREE)
    controller.free_card(ann, card)
    assert holder_of(simulator, card) is None


@pytest.mark.parametrize("fault", [Reset(), html_error(503), business_error()], ids=repr)
def test_a_single_try_is_a_single_try(
    fault: Reset,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
    card: CardToken,
) -> None:
    """R2, revoke: the deactivation must not wait for the clean-up (P5)."""
    simulator.world.bind(card.reveal(), ann)
    armed = simulator.faults.add(fault, path=FREE, times=None)
    with pytest.raises((WriteUncertain, WriteRefused)):
        controller.free_card(ann, card, once=True)
    assert armed.struck == 1

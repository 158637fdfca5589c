"""Importing and naming cards: known ones, bad ones, and answers that were lost."""

from collections.abc import Callable

import pytest

from door_sync.core.cards import CardNumber, CardToken
from door_sync.ports import (
    ControllerForbids,
    ImportedCard,
    WriteRefused,
    WriteUncertain,
)
from door_sync.simulators.faults import Reset, html_error
from door_sync.simulators.unifi.simulator import UnifiSimulator
from door_sync.simulators.unifi.trouble import (
    business_error,
    null_data,
    success_without_effect,
)
from door_sync.unifi.client import UnifiController

FACILITY = 42
IMPORT = "/credentials/nfc_cards/import"


@pytest.fixture
def card(simulator: UnifiSimulator) -> CardToken:
    return CardToken(simulator.world.add_card(FACILITY, 7, alias="sync-00007").token)


def numbers(*values: int) -> list[CardNumber]:
    return [CardNumber(value) for value in values]


def imported(controller: UnifiController, *values: int) -> dict[int, CardToken]:
    return {one.number.reveal(): one.token for one in controller.import_cards(numbers(*values))}


def test_cards_are_imported_in_one_file_with_our_aliases(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """§10.4."""
    found = controller.import_cards(numbers(1234, 7))
    tokens = {card.alias: CardToken(card.token) for card in simulator.world.cards}
    assert found == [
        ImportedCard(CardNumber(1234), tokens["sync-01234"]),
        ImportedCard(CardNumber(7), tokens["sync-00007"]),
    ]
    (write,) = simulator.journal.writes()
    assert (write.method, write.path) == ("POST", IMPORT)
    assert write.body == {"file": "2A04D2,sync-01234\n2A0007,sync-00007\n"}


def test_the_order_of_an_import_s_answer_does_not_matter(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.switch(import_answer_order="reversed")
    for number, token in imported(controller, 1, 2, 3).items():
        assert simulator.world.cards[token.reveal()].alias == f"sync-{number:05d}"


@pytest.mark.parametrize("bad_row", ["row fails", "file fails"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_row_that_cannot_be_imported_costs_itself_alone(
    bad_row: str, status: int, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """design.md §9: one bad row fails alone, or takes its file along; traps 16 and 17."""
    simulator.switch(bad_row=bad_row, business_error_status=status)
    simulator.world.add_card(FACILITY, 3, alias="Ann's key")
    assert imported(controller, 1, 2, 3, 4, 5).keys() == {1, 2, 4, 5}


@pytest.mark.parametrize("bad_row", ["row fails", "file fails"])
@pytest.mark.parametrize("shown", [True, False])
def test_a_known_card_is_found_by_its_token_or_by_its_raw_id(
    bad_row: str, shown: bool, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """design.md §9: importing a known card gives an empty token, or the same one."""
    known = simulator.world.add_card(FACILITY, 3, alias="Ann's key")
    simulator.switch(bad_row=bad_row, known_card="empty token", nfc_id_in_card_list=shown)
    found = imported(controller, 1, 3, 5)
    assert found.keys() == ({1, 3, 5} if shown else {1, 5})
    simulator.switch(known_card="same token")
    assert imported(controller, 3) == {3: CardToken(known.token)}
    assert simulator.world.cards[known.token].alias == "Ann's key"


def test_two_cards_with_one_number_are_not_guessed_between(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """A card that took our alias by hand must not pass for the one that has the number."""
    simulator.world.add_card(FACILITY, 3, alias="Ann's key")
    simulator.world.add_card(nfc_id="04AABBCC", alias="sync-00003")
    simulator.world.add_card(nfc_id="04AABBDD", alias="sync-3")
    assert imported(controller, 3) == {}


@pytest.mark.parametrize("fault", [Reset(after=True), html_error(504, after=True), null_data()])
def test_an_import_whose_answer_was_lost_is_found_in_the_card_list(
    fault: Reset, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """Trap 23."""
    simulator.faults.add(fault, path=IMPORT)
    assert imported(controller, 1, 2).keys() == {1, 2}
    assert len(simulator.journal.writes()) == 1


@pytest.mark.parametrize("fault", [Reset(), html_error(500), business_error()])
def test_an_import_that_did_not_happen_is_repeated_once(
    fault: Reset, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.faults.add(fault, path=IMPORT)
    assert imported(controller, 1, 2).keys() == {1, 2}
    assert len(simulator.journal.writes()) == 2


@pytest.mark.parametrize("fault", [Reset(), html_error(500), success_without_effect(None)])
def test_an_import_that_stays_without_an_answer_is_uncertain(
    fault: Reset, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.faults.add(fault, path=IMPORT, times=None)
    with pytest.raises(WriteUncertain):
        controller.import_cards(numbers(1, 2))
    assert len(simulator.journal.writes()) == 2


def test_an_import_is_uncertain_if_the_card_list_cannot_be_read(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.faults.add(Reset(after=True), path=IMPORT)
    simulator.faults.add(html_error(500), method="GET", times=None)
    with pytest.raises(WriteUncertain):
        controller.import_cards(numbers(1, 2))
    assert len(simulator.journal.writes()) == 1


def test_a_success_that_imported_nothing_gives_no_token(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.faults.add(success_without_effect([]), path=IMPORT)
    assert controller.import_cards(numbers(1, 2)) == []


@pytest.mark.parametrize("status", [404, 200])
def test_a_firmware_that_cannot_import_is_too_old(
    status: int, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """§17: 3.3.10."""
    simulator.switch(firmware="3.3.9", no_route_status=status)
    with pytest.raises(ControllerForbids, match="importing 1 cards") as caught:
        controller.import_cards(numbers(1))
    assert "3.3.10" in caught.value.remedy


def test_a_key_that_may_not_import_is_told_what_to_tick(
    simulator: UnifiSimulator, connect: Callable[..., UnifiController]
) -> None:
    simulator.world.add_token("viewer", scopes={"edit:user", "view:credential"})
    with pytest.raises(ControllerForbids, match="Credentials: Edit"):
        connect(token="viewer").import_cards(numbers(1))


def test_a_facility_below_sixteen_has_an_odd_count_of_digits(
    simulator: UnifiSimulator, connect: Callable[..., UnifiController]
) -> None:
    """C7: compared as integers, sent without a leading zero."""
    (found,) = connect(facility_code=10).import_cards(numbers(1234))
    assert simulator.world.cards[found.token.reveal()].nfc_id == "A04D2"


def test_a_card_is_given_our_alias(simulator: UnifiSimulator, controller: UnifiController) -> None:
    """R3."""
    token = CardToken(simulator.world.add_card(FACILITY, 7, alias="Ann's key").token)
    assert controller.set_alias(token, CardNumber(7))
    assert simulator.world.cards[token.reveal()].alias == "sync-00007"


@pytest.mark.parametrize("status", [404, 200])
def test_an_older_firmware_cannot_name_cards(
    status: int, simulator: UnifiSimulator, controller: UnifiController, card: CardToken
) -> None:
    """§17: 3.1.30."""
    simulator.switch(firmware="3.1.29", no_route_status=status)
    assert not controller.set_alias(card, CardNumber(7))


def test_an_alias_that_is_taken_is_refused_without_naming_it(
    simulator: UnifiSimulator, controller: UnifiController, card: CardToken
) -> None:
    """P12."""
    other = CardToken(simulator.world.add_card(FACILITY, 8).token)
    with pytest.raises(WriteRefused) as caught:
        controller.set_alias(other, CardNumber(7))
    assert caught.value.message == "giving a card our alias: refused (CODE_PARAMS_INVALID)"

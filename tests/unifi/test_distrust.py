"""Lists that do not add up, or contradict each other: read again, then distrusted (P2, R0)."""

from collections.abc import Callable
from typing import Any

import pytest

from door_sync.core.cards import CardToken
from door_sync.core.controller import HolderUnknown
from door_sync.ports import ControllerDistrusted
from door_sync.simulators.faults import Hook, Rewrite
from door_sync.simulators.unifi.simulator import UnifiSimulator
from door_sync.unifi.client import UnifiController

Connect = Callable[..., UnifiController]
Populate = Callable[..., None]


def rewrite_rows(change: Callable[[list[dict[str, Any]]], object]) -> Rewrite:
    def apply(document: Any) -> Any:
        change(document["data"])
        return document

    return Rewrite(apply)


CARD_LIST = "/credentials/nfc_cards/tokens"


def test_a_user_that_appears_between_two_pages_is_read_at_the_second_reading(
    simulator: UnifiSimulator, populate: Populate, connect: Connect
) -> None:
    populate(30)
    simulator.switch(page_size_cap=10)
    simulator.faults.add(
        Hook(lambda _: simulator.world.add_user("Just", "Now")),
        path="/users",
        where=lambda request: "page_num=2" in request.query,
    )
    assert len(connect(read_concurrency=1).read().users) == 31


def test_a_list_that_changes_its_order_between_pages_is_distrusted(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """Rule 14: rows may be missing from it, whatever its length."""
    populate(40)
    simulator.switch(page_size_cap=10, reorder_between_pages=True)
    with pytest.raises(ControllerDistrusted, match="repeats"):
        controller.read()


def drop_last(rows: list[dict[str, Any]]) -> None:
    rows.pop()


def repeat_first(rows: list[dict[str, Any]]) -> None:
    rows[-1] = rows[0]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(drop_last, "by its own count"), (repeat_first, "repeats 1 of its")],
)
@pytest.mark.parametrize("path", ["/users", CARD_LIST, "/visitors"])
def test_a_list_that_does_not_add_up_is_read_again_and_then_distrusted(
    spoil: Callable[[list[dict[str, Any]]], None],
    message: str,
    path: str,
    simulator: UnifiSimulator,
    populate: Populate,
    controller: UnifiController,
) -> None:
    """P2; trap 8."""
    populate()
    simulator.world.add_visitor("Second", "Visitor", 0, 1)
    whole = controller.read()
    simulator.faults.add(rewrite_rows(spoil), path=path, times=1)
    assert controller.read() == whole
    simulator.faults.add(rewrite_rows(spoil), path=path, times=None)
    with pytest.raises(ControllerDistrusted, match=message):
        controller.read()


def lose_cards(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["nfc_cards"] = []


def lose_one_card(rows: list[dict[str, Any]]) -> None:
    rows[0]["nfc_cards"] = []


@pytest.mark.parametrize("lose", [lose_cards, lose_one_card])
def test_lists_that_disagree_are_read_again(
    lose: Callable[[list[dict[str, Any]]], None],
    simulator: UnifiSimulator,
    populate: Populate,
    controller: UnifiController,
) -> None:
    """R0: somebody may assign a card in the console while the lists are read."""
    populate()
    whole = controller.read()
    simulator.journal.clear()
    simulator.faults.add(rewrite_rows(lose), path="/users")
    assert controller.read() == whole
    paths = [entry.path for entry in simulator.journal.requests()]
    assert {paths.count(path) for path in paths} == {2}, "all lists are read once more"


def test_lists_that_disagree_much_are_distrusted(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    populate()
    simulator.faults.add(rewrite_rows(lose_cards), path="/users", times=None)
    with pytest.raises(ControllerDistrusted, match="disagree about 3 of 4 held cards"):
        controller.read()


def test_a_single_disagreement_makes_one_unknown_holder(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """R0: neither bound nor freed."""
    populate()
    simulator.faults.add(rewrite_rows(lose_one_card), path="/users", times=None)
    snapshot = controller.read()
    ours = [card for card in snapshot.cards if card.is_ours]
    assert [card.holder for card in ours].count(HolderUnknown()) == 1
    assert len(snapshot.cards_held_by) == 2


def test_a_card_that_is_missing_from_the_card_list_stays_on_its_user(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    populate()
    (first, *_) = simulator.world.cards.ids()

    def hide(document: Any) -> Any:
        document["data"] = [row for row in document["data"] if row["token"] != first]
        document["pagination"]["total"] -= 1
        return document

    simulator.faults.add(Rewrite(hide), path=CARD_LIST, times=None)
    snapshot = controller.read()
    assert CardToken(first) not in snapshot.card
    assert CardToken(first) in {token for user in snapshot.users for token in user.tokens}


def wrong_name(rows: list[dict[str, Any]]) -> None:
    rows[0]["first_name"] = 5


def wrong_token(rows: list[dict[str, Any]]) -> None:
    rows[0]["alias"] = ["sync-00001"]


@pytest.mark.parametrize(
    ("path", "spoil", "message"),
    [
        ("/users", wrong_name, "the list of users, id .*: first_name is malformed"),
        (CARD_LIST, wrong_token, "the list of cards: alias is malformed"),
    ],
)
def test_a_value_of_a_wrong_type_is_distrusted_at_once(
    path: str,
    spoil: Callable[[list[dict[str, Any]]], None],
    message: str,
    simulator: UnifiSimulator,
    populate: Populate,
    controller: UnifiController,
) -> None:
    populate()
    simulator.faults.add(rewrite_rows(spoil), path=path)
    with pytest.raises(ControllerDistrusted, match=message):
        controller.read()


def test_a_list_without_pagination_is_distrusted(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """P2: nothing else proves that a list is whole."""
    populate()

    def strip(document: Any) -> Any:
        del document["pagination"]
        return document

    simulator.faults.add(Rewrite(strip), path=CARD_LIST, times=None)
    with pytest.raises(ControllerDistrusted, match="the list of cards, pagination"):
        controller.read()

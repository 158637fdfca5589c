"""The hands in the console, and what keeps the state sound under them."""

import threading
from typing import TYPE_CHECKING

import pytest

from door_sync.simulators.unifi import World, wiegand_26
from door_sync.simulators.unifi.records import Holder

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api


def test_a_wiegand_number_is_upper_case_hex_without_padding() -> None:
    """§10.4: (42, 1234) is 2A04D2; a facility below 16 gives five digits."""
    assert wiegand_26(42, 1234) == "2A04D2"
    assert wiegand_26(10, 1234) == "A04D2"
    assert wiegand_26(0, 7) == "7"


@pytest.mark.parametrize(("facility", "number"), [(256, 1), (-1, 1), (1, 65536), (1, -1)])
def test_a_number_outside_wiegand_26_is_an_error(facility: int, number: int) -> None:
    with pytest.raises(ValueError, match="8 bits"):
        wiegand_26(facility, number)


def test_neither_a_number_nor_a_token_nor_an_alias_nor_a_user_id_can_be_there_twice() -> None:
    world = World()
    card = world.add_card(42, 1, alias="sync-00001")
    other = world.add_card(42, 2)
    user = world.add_user("Ann", "Lee")
    with pytest.raises(ValueError, match="there already"):
        world.add_card(nfc_id="2A0001")
    with pytest.raises(ValueError, match="there already"):
        world.add_card(42, 3, token=card.token)
    with pytest.raises(ValueError, match="alias"):
        world.add_card(42, 3, alias="sync-00001")
    with pytest.raises(ValueError, match="alias"):
        world.edit_card(other.token, alias="sync-00001")
    with pytest.raises(ValueError, match="user id"):
        world.add_user("Bob", "Ray", user_id=user.id)
    with pytest.raises(ValueError, match="a facility and a number"):
        world.add_card(42)
    assert (len(world.cards), len(world.users)) == (2, 1)


def test_a_wrong_id_is_a_key_error() -> None:
    world = World()
    card = world.add_card(42, 1)
    user = world.add_user("Ann", "Lee")
    for act in (
        lambda: world.bind(card.token, "nobody"),
        lambda: world.bind("nothing", user.id),
        lambda: world.free("nothing"),
        lambda: world.set_status("nobody", "ACTIVE"),
        lambda: world.delete_user("nobody"),
        lambda: world.delete_card("nothing"),
        lambda: world.cancel_visitor("nobody"),
        lambda: world.edit_policy("nothing"),
    ):
        with pytest.raises(KeyError, match="no such record"):  # which one, may be a secret
            act()
    assert world.cards[card.token] == card


def test_moving_a_card_keeps_both_sides_in_step() -> None:
    """Rule 30."""
    world = World()
    ann, bob = world.add_user("Ann", "Lee"), world.add_user("Bob", "Ray")
    first = world.add_card(42, 1, holder_id=ann.id)
    second = world.add_card(42, 2, holder_id=ann.id)
    world.edit_card(first.token, alias="a")
    assert [card.token for card in world.cards_of(ann.id)] == [first.token, second.token]
    moved = world.bind(first.token, bob.id)
    assert moved.holder == Holder("USER", bob.id)
    assert [card.token for card in world.cards_of(ann.id)] == [second.token]
    assert [card.token for card in world.cards_of(bob.id)] == [first.token]
    world.delete_card(first.token)
    assert world.cards_of(bob.id) == []
    assert world.card_with_alias("a") is None
    assert world.card_with_number(0x2A0001) is None


def test_records_keep_people_and_numbers_out_of_their_repr() -> None:
    """P12."""
    world = World()
    ann = world.add_user("Annabel", "Leery", user_email="ann@secret.org", pin_token="feed")
    card = world.add_card(42, 1234, alias="sync-01234", holder_id=ann.id)
    visitor = world.add_visitor("Victor", "Torr", 0, 1, remarks="secret", email="v@secret.org")
    world.send_mail(ann.id, "ann@secret.org", "welcome")
    shown = repr([ann, world.cards[card.token], visitor, world.mails, world.add_token("secret")])
    hidden = ["Annabel", "Leery", "secret", "feed", "01234", "2A04D2", card.token, "Victor", "Torr"]
    assert [text for text in hidden if text in shown] == []


def test_many_threads_may_write_while_the_api_reads(api: "Api", world: World) -> None:
    """No list is ever torn: rows and total agree in every answer."""

    def fill(part: int) -> None:
        for number in range(40):
            user = world.add_user("User", f"{part}/{number}")
            world.add_card(part, number, holder_id=user.id)

    threads = [threading.Thread(target=fill, args=(part,)) for part in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        document = api.get("/users").json()
        assert len(document["data"]) == document["pagination"]["total"]
    for thread in threads:
        thread.join()
    rows = api.rows("/users")
    assert len(rows) == 120
    assert all(len(row["nfc_cards"]) == 1 for row in rows)

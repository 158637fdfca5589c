"""Cards and who holds them: rules 30 to 38 of §19 of the UniFi sheet."""

import re
from typing import TYPE_CHECKING

import pytest

from door_sync.simulators.unifi import ManualClock, UnifiSimulator, World
from door_sync.simulators.unifi.records import Card, Holder, User

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api

CARD_LIST = "/credentials/nfc_cards/tokens"


@pytest.fixture
def ann(world: World) -> User:
    return world.add_user("Ann", "Lee")


@pytest.fixture
def bob(world: World) -> User:
    return world.add_user("Bob", "Ray")


@pytest.fixture
def card(world: World) -> Card:
    return world.add_card(42, 1234, alias="sync-01234")


def test_a_card_has_one_holder_over_users_and_visitors(
    api: "Api", world: World, clock: ManualClock, ann: User, card: Card
) -> None:
    """Rule 30: moved from a visitor by force, it is on one side only."""
    visitor = world.add_visitor(
        "Vic", "Tor", int(clock()), int(clock()) + 60, card_token=card.token
    )
    row = api.row(f"{CARD_LIST}/{card.token}")
    assert (row["user_id"], row["user_type"]) == (visitor.id, "VISITOR")
    body = {"token": card.token}
    path = f"/users/{ann.id}/nfc_cards"
    assert api.refused(api.put(path, body)) == "CODE_CREDS_NFC_HAS_BIND_USER"
    api.done(api.put(path, {**body, "force_add": True}))
    row = api.row(f"{CARD_LIST}/{card.token}")
    assert (row["user_id"], row["user_type"]) == (ann.id, "USER")
    assert api.row(f"/visitors/{visitor.id}")["nfc_cards"] == []
    assert len(api.row(f"/users/{ann.id}")["nfc_cards"]) == 1


def test_binding_a_free_card_assigns_it(api: "Api", ann: User, card: Card) -> None:
    """Rule 31."""
    assert api.row(f"{CARD_LIST}/{card.token}")["status"] == "pending"
    path = f"/users/{ann.id}/nfc_cards"
    assert api.done(api.put(path, {"token": card.token})) is api.ABSENT
    row = api.row(f"{CARD_LIST}/{card.token}")
    assert (row["status"], row["user_id"], row["alias"]) == ("assigned", ann.id, "sync-01234")
    names = {"first_name": "Ann", "last_name": "Lee", "name": "Ann Lee"}
    assert row["user"] == {"id": ann.id, **names, "avatar": ""}


def test_binding_a_card_to_its_holder_changes_nothing(
    api: "Api", world: World, simulator: UnifiSimulator, ann: User, card: Card
) -> None:
    """Rule 31; a switch refuses it."""
    bound = world.bind(card.token, ann.id)
    path, body = f"/users/{ann.id}/nfc_cards", {"token": card.token}
    api.done(api.put(path, body))
    assert world.cards[card.token] == bound
    simulator.switch(rebind_same_holder="refused")
    assert api.refused(api.put(path, body)) == "CODE_CREDS_NFC_HAS_BIND_USER"
    assert world.cards[card.token] == bound


@pytest.mark.parametrize("status", ["ACTIVE", "DEACTIVATED", "PENDING"])
@pytest.mark.parametrize("force", [False, None])
def test_a_card_of_somebody_else_is_refused_without_force(
    api: "Api", world: World, ann: User, bob: User, card: Card, status: str, force: bool | None
) -> None:
    """Rule 31: whatever the holder's status, and nothing changes."""
    world.bind(card.token, bob.id)
    world.set_status(bob.id, status)
    body = {"token": card.token} | ({} if force is None else {"force_add": force})
    refused = api.put(f"/users/{ann.id}/nfc_cards", body)
    assert api.refused(refused) == "CODE_CREDS_NFC_HAS_BIND_USER"
    assert world.cards[card.token].holder == Holder("USER", bob.id)


@pytest.mark.parametrize("status", ["ACTIVE", "DEACTIVATED", "PENDING"])
def test_force_moves_a_card_from_a_holder_of_any_status(
    api: "Api", world: World, ann: User, bob: User, card: Card, status: str
) -> None:
    """Rule 31: the old holder loses it."""
    world.bind(card.token, bob.id)
    world.set_status(bob.id, status)
    body = {"token": card.token, "force_add": True}
    api.done(api.put(f"/users/{ann.id}/nfc_cards", body))
    assert world.cards[card.token].holder == Holder("USER", ann.id)
    assert api.row(f"/users/{bob.id}")["nfc_cards"] == []


@pytest.mark.parametrize("code", ["CODE_NOT_EXISTS", "CODE_RESOURCE_NOT_FOUND"])
def test_an_unknown_card_has_a_code(
    api: "Api", simulator: UnifiSimulator, ann: User, code: str
) -> None:
    """§6.6: on every endpoint of one card; which code is a switch."""
    simulator.switch(unknown_card_code=code)
    one = f"{CARD_LIST}/{'0' * 64}"
    bind = api.put(f"/users/{ann.id}/nfc_cards", {"token": "0" * 64, "force_add": True})
    assert api.refused(bind) == code
    assert api.refused(api.get(one)) == code
    assert api.refused(api.put(one, {"alias": "a"})) == code
    assert api.refused(api.call("DELETE", one)) == code


def test_a_user_may_hold_several_cards(api: "Api", world: World, ann: User, card: Card) -> None:
    """Rule 32: binding adds; they stand in the order of binding."""
    second = world.add_card(42, 5)
    for token in (card.token, second.token):
        api.done(api.put(f"/users/{ann.id}/nfc_cards", {"token": token}))
    tokens = [stub["token"] for stub in api.row(f"/users/{ann.id}")["nfc_cards"]]
    assert tokens == [card.token, second.token]


def test_unbinding_is_a_put_and_frees_the_card(
    api: "Api", world: World, ann: User, card: Card
) -> None:
    """Rule 33: it stays registered with its alias; DELETE on that path does not exist."""
    world.bind(card.token, ann.id)
    path, body = f"/users/{ann.id}/nfc_cards/delete", {"token": card.token}
    assert api.is_no_route(api.call("DELETE", path, json=body))
    assert world.cards[card.token].holder == Holder("USER", ann.id)
    assert api.done(api.put(path, body)) is api.ABSENT
    row = api.row(f"{CARD_LIST}/{card.token}")
    assert (row["status"], row["user_id"], row["alias"]) == ("pending", "", "sync-01234")
    assert api.row(f"/users/{ann.id}")["nfc_cards"] == []


@pytest.mark.parametrize(
    ("switch", "works"), [("put", {"PUT"}), ("delete", {"DELETE"}), ("both", {"PUT", "DELETE"})]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_the_method_of_unbinding_is_a_switch(
    api: "Api",
    world: World,
    simulator: UnifiSimulator,
    ann: User,
    card: Card,
    switch: str,
    works: set[str],
    method: str,
) -> None:
    """Rule 33, C1: and the one that does not work frees nothing."""
    simulator.switch(unbind=switch)
    world.bind(card.token, ann.id)
    body = {"token": card.token}
    response = api.call(method, f"/users/{ann.id}/nfc_cards/delete", json=body)
    if method in works:
        assert api.done(response) is api.ABSENT
        assert world.cards[card.token].holder is None
    else:
        assert api.is_no_route(response)
        assert world.cards[card.token].holder == Holder("USER", ann.id)


def test_unbinding_a_card_that_this_user_does_not_hold_is_refused(
    api: "Api", world: World, simulator: UnifiSimulator, ann: User, bob: User, card: Card
) -> None:
    """Rule 33: somebody else's, a free one, an unknown one; nothing changes."""
    free = world.add_card(42, 5)
    world.bind(card.token, bob.id)
    path = f"/users/{ann.id}/nfc_cards/delete"
    for token in (card.token, free.token, "0" * 64):
        assert api.refused(api.put(path, {"token": token})) == "CODE_NOT_EXISTS"
    simulator.switch(unbind_not_held="success")
    assert api.done(api.put(path, {"token": card.token})) is api.ABSENT
    assert world.cards[card.token].holder == Holder("USER", bob.id)


def test_deactivating_changes_no_binding(api: "Api", world: World, ann: User, card: Card) -> None:
    """Rule 34."""
    world.bind(card.token, ann.id)
    api.done(api.put(f"/users/{ann.id}", {"status": "DEACTIVATED"}))
    row = api.row(f"/users/{ann.id}")
    assert (row["status"], row["nfc_cards"][0]["token"]) == ("DEACTIVATED", card.token)
    assert api.row(f"{CARD_LIST}/{card.token}")["user_id"] == ann.id


def test_by_default_a_deactivated_user_takes_card_changes(
    api: "Api", world: World, ann: User, card: Card
) -> None:
    """Rule 35, C1."""
    world.set_status(ann.id, "DEACTIVATED")
    body = {"token": card.token}
    api.done(api.put(f"/users/{ann.id}/nfc_cards", body))
    api.done(api.put(f"/users/{ann.id}/nfc_cards/delete", body))
    assert world.cards[card.token].holder is None


def test_a_deactivated_user_may_refuse_card_changes_with_no_mans_zone(
    api: "Api", world: World, simulator: UnifiSimulator, ann: User, bob: User, card: Card
) -> None:
    """Rule 35, C1: but its card can be taken away by force, and an active user is not concerned."""
    simulator.switch(deactivated_refuses_cards=True)
    other = world.add_card(42, 5, holder_id=ann.id)
    world.set_status(ann.id, "DEACTIVATED")
    before = simulator.dump()
    bind = api.put(f"/users/{ann.id}/nfc_cards", {"token": card.token, "force_add": True})
    assert api.is_no_route(bind)
    unbind = api.put(f"/users/{ann.id}/nfc_cards/delete", {"token": other.token})
    assert api.is_no_route(unbind)
    assert simulator.dump() == before
    body = {"token": other.token, "force_add": True}
    api.done(api.put(f"/users/{bob.id}/nfc_cards", body))
    assert world.cards[other.token].holder == Holder("USER", bob.id)


def test_the_card_list_tells_the_raw_number_only_by_switch(
    api: "Api", simulator: UnifiSimulator, card: Card
) -> None:
    """Rule 36, C2."""
    assert "nfc_id" not in api.rows(CARD_LIST)[0]
    assert "nfc_id" not in api.row(f"{CARD_LIST}/{card.token}")
    simulator.switch(nfc_id_in_card_list=True)
    assert api.rows(CARD_LIST)[0]["nfc_id"] == "2A04D2"
    assert api.row(f"{CARD_LIST}/{card.token}")["nfc_id"] == "2A04D2"


def test_tokens_are_64_hex_digits_and_display_ids_a_counter(world: World) -> None:
    """Rule 37: neither tells anything about the number."""
    cards = [world.add_card(42, number) for number in range(5)]
    assert all(re.fullmatch("[0-9a-f]{64}", card.token) for card in cards)
    assert [card.display_id for card in cards] == [str(100_001 + n) for n in range(5)]
    again = World(seed=world.seed + 1).add_card(42, 0)
    assert again.token != cards[0].token


def test_imported_cards_and_enrolled_ones_differ_in_type(
    api: "Api", world: World, ann: User, card: Card
) -> None:
    """Rule 37."""
    enrolled = world.add_card(nfc_id="04A1B2C3", card_type="ua_card", holder_id=ann.id)
    world.bind(card.token, ann.id)
    stubs = api.row(f"/users/{ann.id}")["nfc_cards"]
    assert [stub["type"] for stub in stubs] == ["ua_card", "id_card"]
    assert api.row(f"{CARD_LIST}/{enrolled.token}")["card_type"] == "ua_card"


def test_a_free_card_can_be_deleted(api: "Api", world: World, card: Card) -> None:
    """Rule 38."""
    assert api.done(api.call("DELETE", f"{CARD_LIST}/{card.token}")) == "success"
    assert card.token not in world.cards
    world.add_card(42, 1234, alias="sync-01234")


def test_a_bound_card_cannot_be_deleted_by_default(
    api: "Api", world: World, simulator: UnifiSimulator, ann: User, card: Card
) -> None:
    """Rule 38."""
    world.bind(card.token, ann.id)
    path = f"{CARD_LIST}/{card.token}"
    refused = api.call("DELETE", path)
    assert api.refused(refused) == "CODE_CREDS_NFC_CARD_CANNOT_BE_DELETE"
    simulator.switch(delete_bound_card="deleted")
    assert api.done(api.call("DELETE", path)) == "success"
    assert api.row(f"/users/{ann.id}")["nfc_cards"] == []


def test_an_alias_can_be_edited_unless_another_card_has_it(
    api: "Api", world: World, simulator: UnifiSimulator, card: Card
) -> None:
    """§10.3."""
    other = world.add_card(42, 5, alias="by hand")
    path = f"{CARD_LIST}/{other.token}"
    assert api.refused(api.put(path, {"alias": "sync-01234"})) == "CODE_PARAMS_INVALID"
    simulator.switch(alias_taken_code="CODE_OPERATION_FORBIDDEN")
    assert api.refused(api.put(path, {"alias": "sync-01234"})) == "CODE_OPERATION_FORBIDDEN"
    assert world.cards[other.token].alias == "by hand"
    assert api.done(api.put(path, {"alias": "by hand"})) == "success"
    assert api.done(api.put(path, {"alias": "sync-00005"})) == "success"
    assert api.row(path)["alias"] == "sync-00005"
    assert api.done(api.put(f"{CARD_LIST}/{card.token}", {"alias": "by hand"})) == "success"
    for token in (card.token, other.token):
        assert api.done(api.put(f"{CARD_LIST}/{token}", {"alias": ""})) == "success"


def test_the_user_of_a_free_card_is_missing_null_or_empty(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """§10.2: by default this card so, that card so."""
    for number in range(30):
        world.add_card(42, number)
    shapes: dict[str, object] = {"missing": "missing", "null": None, "empty": {}}
    for switch, shape in shapes.items():
        simulator.switch(free_card_user=switch)
        assert all(row.get("user", "missing") == shape for row in api.rows(CARD_LIST))
    simulator.switch(free_card_user="varied")
    rows = api.rows(CARD_LIST)
    assert {str(row.get("user", "missing")) for row in rows} == {"missing", "None", "{}"}
    assert rows == api.rows(CARD_LIST)
    assert {(row["user_id"], row["user_type"]) for row in rows} == {("", "")}


def test_a_card_marked_in_the_console_shows_it(api: "Api", world: World, card: Card) -> None:
    """§10.2."""
    world.edit_card(card.token, condition="loss")
    assert api.row(f"{CARD_LIST}/{card.token}")["status"] == "loss"


def test_a_card_row_has_the_keys_of_the_schema(api: "Api", card: Card, ann: User) -> None:
    """§10.2."""
    api.done(api.put(f"/users/{ann.id}/nfc_cards", {"token": card.token}))
    assert api.rows(CARD_LIST)[0].keys() == {
        *("token", "display_id", "note", "status", "alias", "card_type"),
        *("user_id", "user_type", "user"),
    }

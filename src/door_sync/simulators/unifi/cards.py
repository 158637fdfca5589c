"""Endpoints of the card list: §10.2 and §10.3."""

from door_sync.simulators.unifi.calls import Call
from door_sync.simulators.unifi.envelope import Refusal, Success
from door_sync.simulators.unifi.routing import Family
from door_sync.simulators.unifi.rows import card_row
from door_sync.simulators.unifi.users import find_card

CARDS = Family()

_ONE = "/credentials/nfc_cards/tokens/:token"


@CARDS.on("GET", "/credentials/nfc_cards/tokens", scope="view:credential", since="1.22.16")
def list_cards(call: Call) -> Success:
    """Rules 11 to 14 and 36."""
    tokens, pagination = call.page(call.world.cards.ids())
    rows = [card_row(call.world, call.switches, call.world.cards[token]) for token in tokens]
    return Success(rows, pagination)


@CARDS.on("GET", _ONE, scope="view:credential", since="1.22.16")
def fetch_card(call: Call) -> Success:
    """Rule 36."""
    card = find_card(call, call.ids["token"])
    return Success(card_row(call.world, call.switches, card))


@CARDS.on("PUT", _ONE, scope="edit:credential", since="3.1.30")
def edit_alias(call: Call) -> Success:
    """§10.3: an alias that another card has is refused."""
    alias = call.body("alias").required_text("alias")
    card = find_card(call, call.ids["token"])
    other = call.world.card_with_alias(alias) if alias else None
    if other is not None and other.token != card.token:
        raise Refusal(call.switches.alias_taken_code)
    call.world.edit_card(card.token, alias=alias)
    return Success("success")


@CARDS.on("DELETE", _ONE, scope="edit:credential", since="1.22.16")
def delete_card(call: Call) -> Success:
    """Rule 38."""
    card = find_card(call, call.ids["token"])
    if card.holder is not None and call.switches.delete_bound_card == "refused":
        raise Refusal("CODE_CREDS_NFC_CARD_CANNOT_BE_DELETE")
    call.world.delete_card(card.token)
    return Success("success")

"""Strict shapes: what may be missing, what may not be wrong, and what a message may say."""

import pytest

from door_sync.ports import ControllerDistrusted
from door_sync.unifi.schema import CardShape, Pagination, Shape, UserShape, shaped

UUID = "83569f9b-0096-48ab-b2e4-5c9a598568a8"
TOKEN = "9e24cdfafebf63e58fd02c5f67732b478948e5793d31124239597d9a86b30dc4"


@pytest.mark.parametrize(
    ("shape", "raw", "field"),
    [
        (UserShape, {"id": UUID, "first_name": 5}, "first_name"),
        (UserShape, {"id": UUID, "employee_number": 1042}, "employee_number"),
        (UserShape, {"id": UUID, "status": True}, "status"),
        (UserShape, {"id": UUID, "nfc_cards": {}}, "nfc_cards"),
        (UserShape, {"id": UUID, "nfc_cards": [{"token": None}]}, "nfc_cards.0.token"),
        (UserShape, {"id": UUID, "nfc_cards": [{"id": "100001"}]}, "nfc_cards.0.token"),
        (UserShape, {"id": UUID, "nfc_cards": [None]}, "nfc_cards.0"),
        (UserShape, {"id": UUID, "access_policy_ids": "all"}, "access_policy_ids"),
        (UserShape, {"id": UUID, "access_policy_ids": [7]}, "access_policy_ids.0"),
        (UserShape, {"id": "../secret"}, "id"),
        (UserShape, {"id": ""}, "id"),
        (UserShape, {"id": None}, "id"),
        (UserShape, {}, "id"),
        (UserShape, None, "the whole"),
        (UserShape, [], "the whole"),
        (CardShape, {"token": "not a token"}, "token"),
        (CardShape, {"token": TOKEN, "user_id": 0}, "user_id"),
        (CardShape, {"token": TOKEN, "alias": 7}, "alias"),
        (Pagination, {"total": "97"}, "total"),
        (Pagination, {"total": -1}, "total"),
        (Pagination, {"total": True}, "total"),
        (Pagination, {"page_num": 1}, "total"),
        (Pagination, None, "the whole"),
    ],
)
def test_a_wrong_type_names_the_field_and_distrusts_the_reply(
    shape: type[Shape], raw: object, field: str
) -> None:
    with pytest.raises(ControllerDistrusted, match=f"^somewhere.*: {field} is malformed "):
        shaped(shape, raw, "somewhere")


def test_the_message_tells_the_row_and_never_the_value() -> None:
    """P12."""
    raw = {"id": UUID, "first_name": ["Ann Lee"], "user_email": "ann@example.org"}
    with pytest.raises(ControllerDistrusted) as caught:
        shaped(UserShape, raw, "the list of users")
    assert caught.value.message == (
        f"the list of users, id {UUID}: first_name is malformed (string_type)"
    )
    assert caught.value.__context__ is None, "a validation error carries the reply"


def test_what_is_no_uuid_is_not_taken_for_an_id_in_a_message() -> None:
    with pytest.raises(ControllerDistrusted) as caught:
        shaped(UserShape, {"id": "Ann", "status": 5}, "the list of users")
    assert "Ann" not in caught.value.message

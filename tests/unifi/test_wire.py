"""Rows as the UniFi sheet quotes them, turned into the core's types."""

import time
from typing import Any

import pytest

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import Policy, PolicyId, User, UserId, UserStatus, VisitorId
from door_sync.core.people import ContactId
from door_sync.ports import ControllerDistrusted, Profile
from door_sync.unifi import wire
from door_sync.unifi.wire import CardRow, HolderKind, Page, VisitorRow

UUID = "83569f9b-0096-48ab-b2e4-5c9a598568a8"
TOKEN = "9e24cdfafebf63e58fd02c5f67732b478948e5793d31124239597d9a86b30dc4"
OTHER_TOKEN = "d3a1" * 16

HARDWARE_ROW: dict[str, Any] = {
    "id": UUID,
    "first_name": "Ann",
    "last_name": "Lee",
    "user_email": "a@example.org",
    "email": "",
    "employee_number": "1042",
    "onboard_time": 0,
    "status": "ACTIVE",
    "pin_code": None,
    "nfc_cards": [{"id": "100234", "token": TOKEN, "type": "id_card"}],
    "access_policy_ids": ["c1682fb8-ef6e-4fe2-aa8a-b6f29df753ff"],
    "access_policies": [
        {
            "id": "c1682fb8-ef6e-4fe2-aa8a-b6f29df753ff",
            "name": "Members",
            "resources": [],
            "schedule_id": "0616ef06-b807-4372-9ae0-7a87e12e4019",
        }
    ],
}


@pytest.mark.parametrize("total", [10**400, 2**32, -1, True, 1.0, "5"])
def test_a_total_that_cannot_be_a_number_of_rows_is_not_repeated(total: object) -> None:
    with pytest.raises(ControllerDistrusted) as caught:
        wire.page([{"id": "a"}], {"total": total}, "the list", key="id")
    assert len(caught.value.message) < 100


def test_an_import_answer_with_a_hundred_thousand_tokens_takes_no_minutes() -> None:
    """Compared each with each, they would take hours of a processor."""
    number = CardNumber(7)
    row = {"nfc_id": number.nfc_id(42), "alias": ""}
    data = [{**row, "token": f"{at:064x}"} for at in range(100_000)]
    began = time.process_time()
    assert wire.imported_tokens(data, [number], 42, "import") == {}
    assert time.process_time() - began < 20


def test_a_row_from_hardware_becomes_a_user() -> None:
    """§6.0."""
    assert wire.user(HARDWARE_ROW, "users") == User(
        id=UserId(UUID),
        first_name="Ann",
        last_name="Lee",
        email="a@example.org",
        console_email="",
        contact_id=ContactId(1042),
        status=UserStatus.ACTIVE,
        tokens=(CardToken(TOKEN),),
        policy_ids=(PolicyId("c1682fb8-ef6e-4fe2-aa8a-b6f29df753ff"),),
    )


def test_every_optional_field_may_be_missing() -> None:
    """§5: the second row of the users sample lacks several."""
    assert wire.user({"id": UUID}, "users") == User(id=UserId(UUID))


def test_every_optional_field_may_be_null() -> None:
    row = dict.fromkeys(HARDWARE_ROW) | {"id": UUID}
    assert wire.user(row, "users") == User(id=UserId(UUID))


@pytest.mark.parametrize("touch_pass", [[], {}, [{"card_id": "x"}], {"card_id": "x"}, None, 5])
def test_fields_that_a_sync_does_not_need_are_not_looked_at(touch_pass: object) -> None:
    """C9: array or object."""
    row = HARDWARE_ROW | {"touch_pass": touch_pass, "license_plates": 7, "onboard_time": "?"}
    assert wire.user(row, "users") == wire.user(HARDWARE_ROW, "users")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("ACTIVE", UserStatus.ACTIVE),
        ("DEACTIVATED", UserStatus.DEACTIVATED),
        ("PENDING", UserStatus.PENDING),
        ("", UserStatus.UNKNOWN),
        ("deactivated", UserStatus.UNKNOWN),
        ("unknown", UserStatus.UNKNOWN),
        ("SUSPENDED", UserStatus.UNKNOWN),
    ],
)
def test_a_status_is_one_of_three_words_or_unknown(word: str, status: UserStatus) -> None:
    """Trap 9: what is not surely disabled counts as active."""
    assert wire.user(HARDWARE_ROW | {"status": word}, "users").status is status


@pytest.mark.parametrize("number", ["", "042", "n/a", " 7", "-1", "1e3"])
def test_only_a_canonical_number_makes_a_user_managed(number: str) -> None:
    """design.md §2."""
    assert wire.user(HARDWARE_ROW | {"employee_number": number}, "users").contact_id is None


def test_the_console_s_own_address_is_kept_apart() -> None:
    """C12: read both, write `user_email`."""
    row = HARDWARE_ROW | {"user_email": "", "email": "console@example.org"}
    user = wire.user(row, "users")
    assert (user.email, user.console_email) == ("", "console@example.org")


def test_policy_ids_are_read_from_the_expanded_policies_if_their_own_list_is_missing() -> None:
    row = {name: value for name, value in HARDWARE_ROW.items() if name != "access_policy_ids"}
    assert wire.user(row, "users") == wire.user(HARDWARE_ROW, "users")


def test_an_empty_list_of_policy_ids_is_believed() -> None:
    assert wire.user(HARDWARE_ROW | {"access_policy_ids": []}, "users").policy_ids == ()


def test_a_card_or_policy_that_stands_twice_on_a_user_counts_once() -> None:
    row = HARDWARE_ROW | {
        "nfc_cards": [{"token": TOKEN}, {"token": OTHER_TOKEN}, {"token": TOKEN}],
        "access_policy_ids": ["b", "a", "b"],
    }
    user = wire.user(row, "users")
    assert user.tokens == (CardToken(TOKEN), CardToken(OTHER_TOKEN))
    assert user.policy_ids == ("b", "a")


def test_a_visitor_is_read_for_its_cards_alone() -> None:
    """§8.0."""
    row = {"id": UUID, "first_name": "V", "status": "ACTIVE", "nfc_cards": [{"token": TOKEN}]}
    assert wire.visitor(row, "visitors") == VisitorRow(VisitorId(UUID), (CardToken(TOKEN),))
    assert wire.visitor({"id": UUID, "nfc_cards": None}, "visitors") == VisitorRow(VisitorId(UUID))


def test_a_bound_card_names_its_holder() -> None:
    """§10.2."""
    row = {
        "token": TOKEN,
        "display_id": "100004",
        "note": "100004",
        "status": "assigned",
        "alias": "sync-01234",
        "card_type": "id_card",
        "user_id": UUID,
        "user_type": "USER",
        "user": {"id": UUID, "first_name": "Ann", "last_name": "Lee", "name": "Ann Lee"},
        "nfc_id": "2A04D2",
    }
    assert wire.card(row, "cards") == CardRow(
        CardToken(TOKEN), "sync-01234", "2A04D2", UUID, HolderKind.USER, is_assigned=True
    )


@pytest.mark.parametrize("user", [None, {}, "", [], {"id": ""}, {"id": None}])
def test_a_free_card_names_nobody_in_any_of_the_ways_to_say_so(user: object) -> None:
    """§10.2: missing, null or empty."""
    row = {"token": TOKEN, "status": "pending", "user_id": "", "user_type": None, "user": user}
    assert wire.card(row, "cards") == CardRow(CardToken(TOKEN))
    assert wire.card({"token": TOKEN}, "cards") == CardRow(CardToken(TOKEN))


@pytest.mark.parametrize("user_id", [None, ""])
def test_a_holder_named_only_inside_the_user_object_is_seen(user_id: str | None) -> None:
    """P3: a card with any holder is not free."""
    row = {"token": TOKEN, "user_id": user_id, "user": {"id": UUID}}
    assert wire.card(row, "cards").holder_id == UUID


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("USER", HolderKind.USER),
        ("user", HolderKind.USER),
        ("VISITOR", HolderKind.VISITOR),
        ("", HolderKind.UNSAID),
        (None, HolderKind.UNSAID),
        ("ROBOT", HolderKind.STRANGE),
    ],
)
def test_the_kind_of_holder_is_one_of_two_words(word: str | None, kind: HolderKind) -> None:
    assert wire.card({"token": TOKEN, "user_type": word}, "cards").holder_kind is kind


def test_a_policy_has_an_id_and_a_name() -> None:
    assert wire.policy({"id": "p", "name": "Members", "resources": []}, "policies") == Policy(
        PolicyId("p"), "Members"
    )


def test_a_page_takes_the_total_and_not_the_size_from_its_pagination() -> None:
    """§4: `page_size` tells the rows of this page; trap 7."""
    rows = [{"id": "a"}, {"id": "b"}]
    pagination = {"page_num": 1, "page_size": 2, "total": 97}
    assert wire.page(rows, pagination, "users", key="id") == Page(tuple(rows), 97)


def test_a_page_without_pagination_is_distrusted_however_short_it_is() -> None:
    """P2: nothing else proves that a list is whole."""
    with pytest.raises(ControllerDistrusted, match="users, pagination"):
        wire.page([{"id": "a"}], None, "users", key="id")


def test_null_is_an_empty_list_only_if_the_total_says_so() -> None:
    assert wire.page(None, {"total": 0}, "visitors", key="id") == Page((), 0)
    with pytest.raises(ControllerDistrusted, match="holds no list"):
        wire.page(None, {"total": 3}, "visitors", key="id")


@pytest.mark.parametrize("data", [{}, "success", 5, {"id": "a"}])
def test_data_that_is_no_list_is_distrusted(data: object) -> None:
    with pytest.raises(ControllerDistrusted, match="users: the reply holds no list"):
        wire.page(data, {"total": 1}, "users", key="id")


@pytest.mark.parametrize("row", [None, "a", {}, {"id": None}, {"id": 7}])
def test_a_row_without_its_key_is_distrusted(row: object) -> None:
    with pytest.raises(ControllerDistrusted, match="users: a row has no id"):
        wire.page([row], {"total": 1}, "users", key="id")


def test_a_list_in_one_piece_must_reach_a_total_if_it_has_one() -> None:
    rows = [{"id": "a"}, {"id": "b"}]
    assert wire.whole_list(rows, None, "policies", key="id") == tuple(rows)
    assert wire.whole_list(rows, {"total": 2}, "policies", key="id") == tuple(rows)
    with pytest.raises(ControllerDistrusted, match="policies: 3 counted, 2 given"):
        wire.whole_list(rows, {"total": 3}, "policies", key="id")


def test_a_list_in_one_piece_names_nothing_twice() -> None:
    with pytest.raises(ControllerDistrusted, match="the same id comes twice"):
        wire.whole_list([{"id": "a"}, {"id": "a"}], None, "policies", key="id")


NUMBERS = (CardNumber(1234), CardNumber(7))


def test_imported_rows_are_matched_by_their_raw_id_as_a_number() -> None:
    """§10.4, C7: neither order nor zeros nor letter case are promised; trap 20."""
    data = [
        {"nfc_id": "002a0007", "alias": "sync-00007", "token": OTHER_TOKEN},
        {"nfc_id": "2A04D2", "alias": "", "token": TOKEN},
    ]
    assert wire.imported_tokens(data, NUMBERS, 42, "import") == {
        CardNumber(1234): CardToken(TOKEN),
        CardNumber(7): CardToken(OTHER_TOKEN),
    }


@pytest.mark.parametrize("token", ["", None])
def test_an_empty_token_is_a_row_that_failed(token: str | None) -> None:
    """§10.4; trap 17."""
    data = [{"nfc_id": "2A04D2", "token": token}, {"nfc_id": "2A0007", "token": TOKEN}]
    assert wire.imported_tokens(data, NUMBERS, 42, "import") == {CardNumber(7): CardToken(TOKEN)}


@pytest.mark.parametrize("nfc_id", ["2B04D2", "2A9999", "", None, "sync-01234", "-2A04D2"])
def test_a_token_for_a_card_that_was_not_asked_for_is_nobody_s(nfc_id: str | None) -> None:
    data = [{"nfc_id": nfc_id, "token": TOKEN}]
    assert wire.imported_tokens(data, NUMBERS, 42, "import") == {}


def test_an_ambiguous_import_answer_gives_no_token() -> None:
    """A guess could bind somebody else's card."""
    one_token_twice = [{"nfc_id": "2A04D2", "token": TOKEN}, {"nfc_id": "2A0007", "token": TOKEN}]
    two_tokens = [{"nfc_id": "2A0007", "token": TOKEN}, {"nfc_id": "2A0007", "token": OTHER_TOKEN}]
    assert wire.imported_tokens(one_token_twice, NUMBERS, 42, "import") == {}
    assert wire.imported_tokens(two_tokens, NUMBERS, 42, "import") == {}


def test_a_row_that_is_repeated_in_an_import_answer_is_no_contradiction() -> None:
    data = [{"nfc_id": "2A0007", "token": TOKEN}, {"nfc_id": "2A0007", "token": TOKEN}]
    assert wire.imported_tokens(data, NUMBERS, 42, "import") == {CardNumber(7): CardToken(TOKEN)}


@pytest.mark.parametrize("data", [None, {}, "success"])
def test_an_import_answer_without_rows_is_distrusted(data: object) -> None:
    with pytest.raises(ControllerDistrusted, match="holds no list"):
        wire.imported_tokens(data, NUMBERS, 42, "import")


def test_the_import_file_is_two_plain_columns_without_header() -> None:
    """§10.4: upper-case hex without padding, no space after the comma."""
    assert wire.import_file(NUMBERS, 42) == b"2A04D2,sync-01234\n2A0007,sync-00007\n"


def test_a_profile_is_written_with_the_given_fields_alone() -> None:
    assert wire.profile_body(Profile(first_name="Ann")) == {"first_name": "Ann"}
    assert wire.profile_body(Profile()) == {}


def test_an_address_is_written_as_user_email_and_never_as_email() -> None:
    """Trap 10; "" clears it (§6.2)."""
    assert wire.profile_body(Profile(email="a@example.org")) == {"user_email": "a@example.org"}
    assert wire.profile_body(Profile(email="")) == {"user_email": ""}


@pytest.mark.parametrize("email", [None, ""])
def test_a_new_user_carries_its_contact_as_text_and_no_empty_address(email: str | None) -> None:
    """§6.1: a number type is not documented."""
    body = wire.creation_body(ContactId(42), Profile("Ann", "Lee", email))
    assert body == {"first_name": "Ann", "last_name": "Lee", "employee_number": "42"}


def test_rows_do_not_show_numbers_or_tokens() -> None:
    """P12: an alias is a number."""
    shown = repr(wire.card({"token": TOKEN, "alias": "sync-01234", "nfc_id": "2A04D2"}, "cards"))
    assert TOKEN not in shown
    assert "1234" not in shown
    assert "2A04D2" not in shown
    assert "Ann" not in repr(Page((HARDWARE_ROW,), 1))

"""Rows that prove they are what was asked for, and rows that do not."""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from door_sync.civicrm.replies import Rows
from door_sync.civicrm.rows import members_asked, members_with_card, memberships
from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.people import Member, Membership, MembershipType
from door_sync.ports import SourceDistrusted

Recorded = Callable[[str, str], dict[str, Any]]

FIELD = "Door_Access.card_id"
GOLD = MembershipType(1, "Gold", "Gold member")
ACTIVE = {1: "New", 2: "Current"}


def contact(number: object = 4, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": number,
        "first_name": "Zoë",
        "last_name": "Example",
        "display_name": "Dr. Zoë Example",
        "email_primary.email": "zoe@example.org",
        FIELD: "00010013",
        "is_deceased": False,
        "is_deleted": False,
    }
    return row | changes


def membership(number: object = 9, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": number,
        "contact_id": 4,
        "contact_id.is_deleted": False,
        "membership_type_id": 1,
        "status_id": 2,
        "end_date": "2027-05-06",
        "is_override": False,
        "is_test": False,
    }
    return row | changes


def page(*rows: dict[str, object], after: int = 0) -> list[Member]:
    return members_with_card(Rows("Contact.get", list(rows)), FIELD, after)


def asked(*rows: dict[str, object]) -> list[Member]:
    return members_asked(Rows("Contact.get", list(rows)), FIELD, {4, 5})


def owned(*rows: dict[str, object], after: int = 0) -> list[tuple[int, Membership]]:
    found = memberships(Rows("Membership.get", list(rows)), {1: GOLD}, ACTIVE, after)
    return [(int(contact_id), membership) for contact_id, membership in found]


def test_a_contact_becomes_a_member_without_memberships() -> None:
    [member] = page(contact())
    assert member == Member(
        contact_id=member.contact_id,
        first_name="Zoë",
        last_name="Example",
        display_name="Dr. Zoë Example",
        email="zoe@example.org",
        card=CardNumber(10013),
    )
    assert member.contact_id == 4


def test_names_and_address_that_are_null_become_empty() -> None:
    keys = ("first_name", "last_name", "display_name", "email_primary.email")
    [member] = page(contact(**dict.fromkeys(keys)))
    assert (member.first_name, member.last_name) == ("", "")
    assert (member.display_name, member.email) == ("", "")


def test_blanks_in_names_are_kept_as_civicrm_holds_them() -> None:
    [member] = page(contact(first_name="  Space  "))
    assert member.first_name == "  Space  "


@pytest.mark.parametrize(
    ("value", "card"),
    [
        ("00010013", CardNumber(10013)),
        ("10013", CardNumber(10013)),
        (" 10013 ", CardNumber(10013)),
        (10013, CardNumber(10013)),
        (0, CardNumber(0)),
        (10013.0, CardNumber(10013)),
        ("", None),
        ("  ", BadCard.NOT_DIGITS),
        ("12345.0", BadCard.NOT_DIGITS),
        (12345.5, BadCard.NOT_DIGITS),
        (-5, BadCard.NOT_DIGITS),
        (1e400, BadCard.NOT_DIGITS),
        (70000, BadCard.OUT_OF_RANGE),
        (2**64, BadCard.OUT_OF_RANGE),
        (1e300, BadCard.OUT_OF_RANGE),
    ],
)
def test_a_card_is_read_from_text_and_from_numbers(value: object, card: object) -> None:
    """§13.11, §4.1: an Integer field gives a number, a Float field 10013 or 12345.5."""
    [member] = page(contact(**{FIELD: value}))
    assert member.card == card


@pytest.mark.parametrize("value", [True, False, ["10013"], {"a": 1}])
def test_a_card_field_with_something_else_breaks_the_read(value: object) -> None:
    with pytest.raises(SourceDistrusted, match=rf"row 4 .* something unexpected in {FIELD}"):
        page(contact(**{FIELD: value}))


@pytest.mark.parametrize("key", sorted(contact()))
def test_a_contact_that_lacks_a_key_breaks_the_read(key: str) -> None:
    """§13.3: absent is a field that may not be read; null is a person without one."""
    row = contact()
    del row[key]
    with pytest.raises(SourceDistrusted, match=f"lacks the key {key}"):
        asked(row)


@pytest.mark.parametrize(
    ("key", "right"),
    [("email_primary.email", "access CiviCRM"), (FIELD, "access all custom data")],
)
def test_the_right_that_shows_a_missing_key_is_named(key: str, right: str) -> None:
    row = contact()
    del row[key]
    with pytest.raises(SourceDistrusted) as caught:
        page(row)
    assert f'"{right}"' in caught.value.remedy


@pytest.mark.parametrize("key", sorted(membership()))
def test_a_membership_that_lacks_a_key_breaks_the_read(key: str) -> None:
    row = membership()
    del row[key]
    with pytest.raises(SourceDistrusted, match=f"lacks the key {key}") as caught:
        owned(row)
    assert "right" not in caught.value.remedy


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "4"),
        ("id", 4.0),
        ("id", True),
        ("id", None),
        ("id", 0),
        ("id", -4),
        ("first_name", 4),
        ("last_name", ["Example"]),
        ("display_name", False),
        ("email_primary.email", 4),
        ("is_deceased", 0),
        ("is_deceased", "0"),
        ("is_deleted", None),
        ("is_deleted", 0),
        ("is_deleted", "false"),
    ],
)
def test_a_contact_with_a_value_of_another_type_breaks_the_read(key: str, value: object) -> None:
    with pytest.raises(SourceDistrusted, match=f"unexpected in {key}"):
        page(contact(**{key: value}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "9"),
        ("contact_id", "4"),
        ("contact_id", None),
        ("contact_id", 0),
        ("contact_id.is_deleted", None),
        ("contact_id.is_deleted", 0),
        ("membership_type_id", None),
        ("membership_type_id", "1"),
        ("status_id", "2"),
        ("status_id", None),
        ("end_date", 20270506),
        ("end_date", ""),
        ("end_date", "20270506"),
        ("end_date", "2027-W01-1"),
        ("end_date", "2027-02-30"),
        ("end_date", "0000-00-00"),
        ("end_date", "2027-05-06 00:00:00"),
        ("is_override", 1),
        ("is_test", None),
        ("is_test", 0),
    ],
)
def test_a_membership_with_a_value_of_another_type_breaks_the_read(key: str, value: object) -> None:
    with pytest.raises(SourceDistrusted, match=f"unexpected in {key}"):
        owned(membership(**{key: value}))


def test_a_broken_row_is_named_by_its_id_and_shows_nothing_else() -> None:
    """P12"""
    with pytest.raises(SourceDistrusted) as caught:
        page(contact(311, last_name=["Example"]))
    assert "row 311" in caught.value.message
    told = f"{caught.value.message}{caught.value.remedy}"
    assert "Zoë" not in told
    assert "10013" not in told


def test_a_row_whose_id_is_no_number_is_not_quoted() -> None:
    with pytest.raises(SourceDistrusted, match=r"^a row of"):
        page(contact(id="Zoë"))


@pytest.mark.parametrize("numbers", [(4, 4), (5, 4)])
def test_a_contact_that_comes_twice_or_out_of_order_breaks_the_read(
    numbers: tuple[int, int],
) -> None:
    """Versions sheet §12.4: rows are repeated by multi-record groups and by pages without order."""
    with pytest.raises(SourceDistrusted, match="came twice or out of order"):
        page(*map(contact, numbers))


def test_a_row_from_before_the_page_breaks_the_read() -> None:
    with pytest.raises(SourceDistrusted, match="came twice"):
        page(contact(4), after=4)
    with pytest.raises(SourceDistrusted, match="came twice"):
        owned(membership(9), after=9)


@pytest.mark.parametrize("change", [{"is_deleted": True}, {FIELD: None}])
def test_a_contact_that_does_not_meet_the_conditions_breaks_the_walk(
    change: dict[str, object],
) -> None:
    """§5.3: a condition that CiviCRM drops in silence lets everybody through."""
    with pytest.raises(SourceDistrusted, match="conditions"):
        page(contact(**change))


@pytest.mark.parametrize(
    "change", [{"status_id": 4}, {"is_test": True}, {"contact_id.is_deleted": True}]
)
def test_a_membership_that_does_not_meet_the_conditions_breaks_the_read(
    change: dict[str, object],
) -> None:
    """§13.5: decided from the status in each row, never from the row's presence."""
    with pytest.raises(SourceDistrusted, match="conditions"):
        owned(membership(**change))


def test_a_question_by_id_accepts_the_trash_the_dead_and_an_empty_card() -> None:
    trashed, dead = asked(
        contact(4, is_deleted=True, **{FIELD: None}), contact(5, is_deceased=True)
    )
    assert trashed.is_deleted
    assert trashed.card is None
    assert dead.is_deceased


def test_a_question_by_id_does_not_accept_anybody_else() -> None:
    with pytest.raises(SourceDistrusted, match=r"row 6 .* was not asked for"):
        asked(contact(6))


def test_flags_that_were_never_set_are_null_in_old_databases() -> None:
    [member] = page(contact(is_deceased=None))
    [(_, found)] = owned(membership(is_override=None))
    assert not member.is_deceased
    assert not found.is_override


def test_a_membership_has_the_name_of_its_status_and_its_type() -> None:
    assert owned(membership(is_override=True)) == [
        (4, Membership(9, GOLD, "Current", date(2027, 5, 6), is_override=True))
    ]


def test_a_membership_for_life_has_no_end() -> None:
    [(_, found)] = owned(membership(end_date=None))
    assert found.end_date is None


def test_a_type_that_the_list_lacks_is_named_after_its_id_so_that_no_rule_fits() -> None:
    [(_, found)] = owned(membership(membership_type_id=77))
    assert found.type == MembershipType(77, "type 77", "type 77")


def test_recorded_names_and_cards_are_read(recorded: Recorded) -> None:
    rows = [
        contact(number) | row
        for number, row in enumerate(recorded("queries", "contact_names")["body"]["values"], 4)
    ]
    members = members_asked(Rows("Contact.get", rows), FIELD, {53, 63, 64, 103})
    assert [member.first_name for member in members] == ["Wei", "", "Fátima", "Quinn"]
    assert [member.last_name for member in members] == ["Žižek", "", "", "Ødegård"]

    rows = [contact() | row for row in recorded("queries", "contact_odd_cards")["body"]["values"]]
    members = members_asked(Rows("Contact.get", rows), FIELD, set(range(43, 50)))
    assert [member.card for member in members] == [
        CardNumber(12345),
        CardNumber(12345),
        BadCard.NOT_DIGITS,
        None,
        BadCard.NOT_DIGITS,
        BadCard.NOT_DIGITS,
        BadCard.NOT_DIGITS,
    ]


def test_twenty_thousand_rows_take_well_under_a_second() -> None:
    rows = [contact(number) for number in range(1, 20_001)]
    kinds = [membership(number) for number in range(1, 20_001)]
    before = time.process_time()
    page(*rows)
    owned(*kinds)
    assert time.process_time() - before < 1.0

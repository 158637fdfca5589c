"""Which users are managed: those whose employee number is a canonical contact id (design §2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.people import ContactId, Member, Membership, MembershipType, contact_of


@given(st.integers(1, 10**18 - 1))
def test_a_canonical_positive_decimal_names_a_contact(number: int) -> None:
    assert contact_of(str(number)) == ContactId(number)


@pytest.mark.parametrize(
    "employee_number",
    [
        "",
        "0",
        "042",
        "00",
        "-1",
        "+1",
        "4 2",
        " 42",
        "42 ",
        "4.2",
        "1e3",
        "n/a",
        "42a",
        "٤٢",
        "²",
        "42\n",
    ],
)
def test_anything_else_leaves_a_user_unmanaged(employee_number: str) -> None:
    assert contact_of(employee_number) is None


def test_a_number_too_long_for_any_contact_leaves_a_user_unmanaged() -> None:
    assert contact_of("9" * 18) == ContactId(int("9" * 18))
    assert contact_of("1" + "0" * 18) is None
    assert contact_of("9" * 5000) is None


def test_of_a_contact_of_whom_nothing_is_said_nothing_is_known() -> None:
    nobody = Member(ContactId(1))
    assert nobody == Member(ContactId(1), "", "", "", "", None, (), False, False)
    plain = Membership(1, MembershipType(1, "Gold", "Gold"), "Current", None)
    assert not plain.is_override, "a status counts as CiviCRM's own unless a person fixed it"

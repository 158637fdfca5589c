"""R2: the names that are written, and when they differ from what the controller shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.names import NO_LAST_NAME, PersonName, name_of, name_to_write, tidy
from tests.core.builders import member, user


def name(first: str, last: str, display: str, email: str = "") -> PersonName:
    return name_of(member(42, first=first, last=last, display=display, email=email))


def test_first_and_last_name_come_from_civicrm() -> None:
    assert name("Ann", "Lee", "Dr. Ann Lee Jr.") == PersonName("Ann", "Lee")


@pytest.mark.parametrize(("first", "last"), [("", "Lee"), ("Ann", ""), ("", ""), (" ", "Lee")])
def test_where_either_is_empty_the_display_name_is_split_at_its_last_space(
    first: str, last: str
) -> None:
    assert name(first, last, "Ann van der Lee") == PersonName("Ann van der", "Lee")


def test_a_single_word_gets_a_dash_as_last_name() -> None:
    assert name("", "", "Fátima") == PersonName("Fátima", NO_LAST_NAME)
    assert NO_LAST_NAME == "—"


def test_no_name_at_all_becomes_the_word_contact_and_the_id() -> None:
    assert name("", "", "") == PersonName("Contact", "42", is_invented=True)
    assert name(" ", "\t", "  ") == PersonName("Contact", "42", is_invented=True)
    assert name("", "", "", "ann@example.org") == PersonName("Contact", "42", is_invented=True)


def test_a_name_that_civicrm_knows_is_not_called_invented() -> None:
    assert not name("Ann", "Lee", "").is_invented
    assert not name("", "", "Fátima").is_invented
    assert not name("", "Lee", "").is_invented


def test_an_address_that_stands_in_for_a_display_name_is_no_name() -> None:
    """CiviCRM shows the address of somebody without a name (CiviCRM sheet §4.2)."""
    invented = PersonName("Contact", "42", is_invented=True)
    assert name("", "", "ann@example.org", "ann@example.org") == invented
    assert name("", "", " Ann@Example.org", "ann@example.ORG ") == invented
    assert name("", "", "Ann", "ann@example.org") == PersonName("Ann", NO_LAST_NAME)


def test_one_half_of_a_name_is_better_than_an_address() -> None:
    address = "ann@example.org"
    assert name("Ann", "", address, address) == PersonName("Ann", NO_LAST_NAME)
    assert name("", "Lee", address, address) == PersonName("Lee", NO_LAST_NAME)


def test_blanks_are_tidied_before_anything_is_written() -> None:
    assert name("  Mary  Jane ", "O'\u00a0Neil\t", "") == PersonName("Mary Jane", "O' Neil")


def test_both_unicode_forms_of_a_letter_are_written_as_one() -> None:
    assert name("Zoe\u0308", "Lee", "") == PersonName("Zo\u00eb", "Lee")


@pytest.mark.parametrize(
    ("shown_first", "shown_last"),
    [("Zoë", "Lee"), ("Zoe\u0308", "Lee"), (" Zoë ", "Lee"), ("Zoë", "\u00a0Lee")],
)
def test_a_name_that_would_be_written_the_same_is_not_written(
    shown_first: str, shown_last: str
) -> None:
    shown = user("u", first=shown_first, last=shown_last)
    assert name_to_write(member(42, first="Zoë", last="Lee"), shown) is None


@pytest.mark.parametrize(
    ("shown_first", "shown_last"), [("Zoe", "Lee"), ("Zoë", "lee"), ("Zoë", ""), ("ZoëLee", "")]
)
def test_any_other_name_is_written(shown_first: str, shown_last: str) -> None:
    shown = user("u", first=shown_first, last=shown_last)
    assert name_to_write(member(42, first="Zoë", last="Lee"), shown) == PersonName("Zoë", "Lee")


@pytest.mark.parametrize(("first", "last"), [("", "Lee"), ("Ann", ""), (" ", "Lee"), ("Ann", " ")])
def test_half_a_name_that_both_sides_show_is_not_taken_for_the_whole(first: str, last: str) -> None:
    shown = user("u", first=first, last=last)
    written = name_to_write(member(42, first=first, last=last, display="Ann van der Lee"), shown)
    assert written == PersonName("Ann van der", "Lee")


any_name = st.text(st.sampled_from("Aé \u00a0\t-'") | st.characters(codec="utf-8"), max_size=6)


@given(any_name, any_name, any_name)
def test_whatever_civicrm_holds_both_names_are_filled_and_settle_at_once(
    first: str, last: str, display: str
) -> None:
    """P8: what was written is what is compared with the next time."""
    written = name(first, last, display)
    assert written.first
    assert written.last
    assert (tidy(written.first), tidy(written.last)) == (written.first, written.last)
    shown = user("u", first=written.first, last=written.last)
    assert name_to_write(member(42, first=first, last=last, display=display), shown) is None


@given(any_name, any_name, any_name, any_name, st.booleans())
def test_a_name_is_written_exactly_where_it_shows_otherwise(
    first: str, last: str, shown_first: str, shown_last: str, is_shown: bool
) -> None:
    found = member(42, first=first, last=last)
    if is_shown:
        shown_first, shown_last = first, last
    wanted = name_of(found)
    same = (tidy(shown_first), tidy(shown_last)) == (wanted.first, wanted.last)
    written = name_to_write(found, user("u", first=shown_first, last=shown_last))
    assert written == (None if same else wanted)

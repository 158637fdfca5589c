"""Card numbers, tokens and aliases: what is one, what is not, and that none can print itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.cards import (
    BadCard,
    CardNumber,
    CardToken,
    ForeignCard,
    number_from_alias,
    number_from_nfc_id,
    parse_card,
)

numbers = st.integers(0, 65535)
facilities = st.integers(0, 255)


@given(numbers, st.integers(0, 9), st.sampled_from(["", " ", "\t", "  "]))
def test_a_number_written_with_zeros_and_blanks_around_is_read_as_itself(
    number: int, zeros: int, blanks: str
) -> None:
    read = parse_card(f"{blanks}{'0' * zeros}{number}{blanks}")
    assert read == CardNumber(number)
    assert isinstance(read, CardNumber)
    assert read.reveal() == number


def test_an_empty_card_field_holds_no_card() -> None:
    assert parse_card("") is None


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "\t\n",
        "12a",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x10",
        "12 34",
        "1_000",
        "sync-00042",
        "٤٢",
        "²",
    ],
)
def test_a_field_that_holds_anything_but_digits_is_malformed_and_not_empty(text: str) -> None:
    assert parse_card(text) is BadCard.NOT_DIGITS


@pytest.mark.parametrize("text", ["65536", "065536", "99999", "100000", "9" * 5000])
def test_a_number_beyond_wiegand_26_is_out_of_range(text: str) -> None:
    """The last one is longer than Python converts to an integer by default."""
    assert parse_card(text) is BadCard.OUT_OF_RANGE


@pytest.mark.parametrize("text", ["0", "00000", "65535", "0000065535"])
def test_both_ends_of_the_range_are_card_numbers(text: str) -> None:
    assert parse_card(text) == CardNumber(int(text))


@pytest.mark.parametrize("number", [-1, 65536])
def test_a_number_out_of_range_is_refused_without_being_named(number: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 65535") as refusal:
        CardNumber(number)
    assert str(number) not in str(refusal.value).replace("65535", "")


@given(numbers)
def test_an_alias_says_its_number_in_five_digits_and_is_read_back(number: int) -> None:
    alias = CardNumber(number).alias()
    assert alias == f"sync-{number:05d}"
    assert number_from_alias(alias) == CardNumber(number)
    assert number_from_alias(f" {alias} ") == CardNumber(number)


@pytest.mark.parametrize(
    "alias",
    ["", "sync-", "sync-65536", "sync-000042", "sync-1x", "Sync-00042", "my sync-00042", "00042"],
)
def test_any_other_alias_is_not_ours(alias: str) -> None:
    assert number_from_alias(alias) is None


@given(numbers, facilities)
def test_a_raw_id_of_this_facility_is_read_back_whatever_its_case_and_leading_zeros(
    number: int, facility: int
) -> None:
    raw = CardNumber(number).nfc_id(facility)
    for written in (raw, raw.lower(), raw.zfill(8), raw.zfill(16)):
        assert number_from_nfc_id(written, facility) == CardNumber(number)


def test_the_raw_id_of_an_import_is_upper_case_hex_without_padding() -> None:
    """The example of the UniFi sheet §10.4: facility 42, card 1234."""
    assert CardNumber(1234).nfc_id(42) == "2A04D2"
    assert CardNumber(1234).nfc_id(10) == "A04D2"


@given(numbers, facilities, facilities)
def test_a_raw_id_of_another_facility_is_a_foreign_card(
    number: int, facility: int, other: int
) -> None:
    expected = CardNumber(number) if facility == other else ForeignCard()
    assert number_from_nfc_id(CardNumber(number).nfc_id(facility), other) == expected


@pytest.mark.parametrize("raw", ["1002A04D2", "04A1B2C3D4E5F6", "04A1B2C3D4E5F60718AB", "F" * 64])
def test_the_raw_id_of_another_kind_of_card_is_foreign_however_long(raw: str) -> None:
    """A reader's own ids have 8 to 20 digits (§10.4); none of them is ever joined by its alias."""
    assert number_from_nfc_id(raw, 42) == ForeignCard()


@pytest.mark.parametrize("raw", ["", "n/a", "2A04D2 ", "0x2A04D2", "-2A04D2"])
def test_a_raw_id_that_cannot_be_read_says_nothing(raw: str) -> None:
    assert number_from_nfc_id(raw, 42) is None


@given(numbers, numbers)
def test_numbers_compare_as_the_cards_they_stand_for(one: int, other: int) -> None:
    assert (CardNumber(one) == CardNumber(other)) == (one == other)
    assert (CardNumber(one) < CardNumber(other)) == (one < other)
    assert len({CardNumber(one), CardNumber(other)}) == len({one, other})


def test_tokens_compare_as_the_texts_they_stand_for() -> None:
    assert CardToken("a") == CardToken("a")
    assert CardToken("a") != CardToken("b")
    assert CardToken("a") < CardToken("b")
    assert not CardToken("b") < CardToken("a")
    assert not CardToken("a") < CardToken("a")
    assert len({CardToken("a"), CardToken("a"), CardToken("b")}) == 2
    assert CardToken("a").reveal() == "a"


def test_neither_is_equal_to_the_bare_value_it_hides() -> None:
    assert CardNumber(1) != 1
    assert CardToken("a") != "a"
    assert {CardNumber(1)} != {1}


@pytest.mark.parametrize("secret", [CardNumber(54321), CardToken("54321")])
def test_numbers_and_tokens_cannot_print_themselves(secret: CardNumber | CardToken) -> None:
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", "%s" % secret):  # noqa: UP031 - the old way must be mute too
        assert "54321" not in text
        assert type(secret).__name__ in text


def test_what_is_mute_shows_its_kind_alone() -> None:
    assert repr(CardNumber(1001)) == "CardNumber(…)"
    assert repr(CardToken("secret")) == "CardToken(…)"


def test_the_largest_number_has_an_alias_too() -> None:
    assert number_from_alias("sync-65535") == CardNumber(65535)
    assert number_from_alias("sync-65536") is None

"""Keyed tags and digests (P12)."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.tags import card_tag, digest

KEY = bytes(range(32))
OTHER_KEY = bytes(reversed(range(32)))

any_text = st.text(st.characters())
part_lists = st.lists(any_text, max_size=4)


@given(st.integers(0, 0xFFFF))
def test_a_card_has_the_same_six_hex_digits_each_time(number: int) -> None:
    tag = card_tag(KEY, CardNumber(number))
    assert tag == card_tag(KEY, CardNumber(number))
    assert len(tag) == 6
    assert set(tag) <= set("0123456789abcdef")


def test_the_tags_of_all_cards_of_a_site_hardly_ever_meet() -> None:
    """65,536 tags among 16.7 million: about 128 pairs meet by chance, not thousands."""
    tags = {card_tag(KEY, CardNumber(number)) for number in range(0x10000)}
    assert len(tags) > 0x10000 - 400


def test_another_sites_key_gives_another_tag() -> None:
    ours = [card_tag(KEY, CardNumber(number)) for number in range(50)]
    theirs = [card_tag(OTHER_KEY, CardNumber(number)) for number in range(50)]
    assert all(our != their for our, their in zip(ours, theirs, strict=True))


def test_whoever_lacks_the_key_cannot_try_all_numbers() -> None:
    """A plain hash of the number, or a tag under a guessed key, does not lead to the card."""
    tag = card_tag(KEY, CardNumber(4711))
    assert tag != hashlib.sha256(b"4711").hexdigest()[:6]
    assert tag != card_tag(bytes(32), CardNumber(4711))


def test_a_digest_is_an_hmac_over_parts_that_each_carry_their_length() -> None:
    """Pins the form: what a journal remembers must mean the same after an update."""
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in (b"address", b"42", b"a@b.c"))
    expected = hmac.new(KEY, framed, hashlib.sha256).hexdigest()[:32]
    assert digest(KEY, "address", 42, "a@b.c") == expected


@given(part_lists, part_lists)
def test_digests_are_equal_exactly_for_equal_parts(one: list[str], other: list[str]) -> None:
    assert (digest(KEY, "row", *one) == digest(KEY, "row", *other)) == (one == other)


@given(any_text, any_text, part_lists)
def test_domains_never_meet(one: str, other: str, parts: list[str]) -> None:
    assert (digest(KEY, one, *parts) == digest(KEY, other, *parts)) == (one == other)


def test_moving_a_boundary_between_parts_gives_another_digest() -> None:
    assert digest(KEY, "import", "1", "23") != digest(KEY, "import", "12", "3")
    assert digest(KEY, "import", "123") != digest(KEY, "import", "123", "")


def test_another_key_gives_another_digest() -> None:
    assert digest(KEY, "token", "t") != digest(OTHER_KEY, "token", "t")


def test_numbers_and_tokens_are_taken_without_being_revealed_by_the_caller() -> None:
    assert digest(KEY, "number", CardNumber(7)) == digest(KEY, "number", 7)
    assert digest(KEY, "token", CardToken("ab")) == digest(KEY, "token", "ab")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    """An empty key would quietly make every tag guessable."""
    with pytest.raises(ValueError, match="32 bytes"):
        digest(bytes(length), "number", 7)
    with pytest.raises(ValueError, match="32 bytes"):
        card_tag(bytes(length), CardNumber(7))


def test_a_tag_stays_what_it_is_over_an_update_of_the_program() -> None:
    """People look for a tag in logs of years; it is the digest of the domain "card tag" (P12)."""
    number = CardNumber(1001)
    assert card_tag(KEY, number) == digest(KEY, "card tag", number)[:6]


def test_text_that_no_encoding_knows_has_a_digest_too() -> None:
    """Half a letter can come from either side; no cycle ends over it."""
    assert digest(KEY, "name", "\ud800") != digest(KEY, "name", "\ud801")

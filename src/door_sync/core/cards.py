"""Card numbers, tokens and aliases.

This file owns what a card number is. A number says which plastic opens a door, so neither it nor
a token can print itself (P12): `repr` and `str` are mute, and whoever needs the value says
`reveal()`, which is easy to search for.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, final

LARGEST_NUMBER: Final = 0xFFFF

_DIGITS = re.compile(r"[0-9]+")
_ALIAS = re.compile(r"sync-([0-9]{1,5})")
_HEX = re.compile(r"[0-9A-Fa-f]+")


@final
class CardNumber:
    """The number of a Wiegand-26 card, 0 to 65535, as CiviCRM holds it (design.md §2)."""

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        """Take a number; raise ValueError, without the number, if it is out of range."""
        if not 0 <= number <= LARGEST_NUMBER:
            raise ValueError(f"a card number lies between 0 and {LARGEST_NUMBER}")
        self._number = number

    def reveal(self) -> int:
        """Return the number itself, for a write or a comparison, never for a text."""
        return self._number

    def alias(self) -> str:
        """Return the name that door-sync gives this card in the controller (design.md §2)."""
        return f"sync-{self._number:05d}"

    def nfc_id(self, facility: int) -> str:
        """Return the hex that a card import wants (UniFi sheet §10.4: no padding, upper case)."""
        return f"{(facility << 16) | self._number:X}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CardNumber) and other._number == self._number

    def __hash__(self) -> int:
        return hash(self._number)

    def __lt__(self, other: "CardNumber") -> bool:
        return self._number < other._number

    def __repr__(self) -> str:
        return "CardNumber(…)"


@final
class CardToken:
    """The controller's opaque key of one card (UniFi sheet §10.2)."""

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    def reveal(self) -> str:
        """Return the token itself, for a request to the controller."""
        return self._token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CardToken) and other._token == self._token

    def __hash__(self) -> int:
        return hash(self._token)

    def __lt__(self, other: "CardToken") -> bool:
        return self._token < other._token

    def __repr__(self) -> str:
        return "CardToken(…)"


class BadCard(Enum):
    """Why a text in the card field is no card number (R1)."""

    NOT_DIGITS = "the card field does not hold decimal digits"
    OUT_OF_RANGE = f"the card number lies outside 0–{LARGEST_NUMBER}"


def parse_card(text: str) -> CardNumber | BadCard | None:
    """Given the text of the card field, return its number, what is wrong with it, or None.

    None means that the field is empty. A field with blanks alone is malformed, not empty: CiviCRM
    counts it as filled in, and a guess must not take a card away (P1).
    """
    if text == "":
        return None
    digits = text.strip()
    if not _DIGITS.fullmatch(digits):
        return BadCard.NOT_DIGITS
    significant = digits.lstrip("0") or "0"
    if len(significant) > len(str(LARGEST_NUMBER)) or int(significant) > LARGEST_NUMBER:
        return BadCard.OUT_OF_RANGE
    return CardNumber(int(significant))


def number_from_alias(alias: str) -> CardNumber | None:
    """Return the number in an alias that door-sync wrote, or None for any other alias."""
    found = _ALIAS.fullmatch(alias.strip())
    if found is None or int(found[1]) > LARGEST_NUMBER:
        return None
    return CardNumber(int(found[1]))


@dataclass(frozen=True, slots=True)
class ForeignCard:
    """A raw id that belongs to another facility or another kind of card."""


def number_from_nfc_id(nfc_id: str, facility: int) -> CardNumber | ForeignCard | None:
    """Return the number in a raw card id of this facility (UniFi sheet §10.4, conflicts C2 and C7).

    Integers are compared, so leading zeros and letter case do not matter. ForeignCard if the id is
    another facility's or another kind of card; None if there is no readable id.
    """
    if not _HEX.fullmatch(nfc_id):
        return None
    raw = int(nfc_id, 16)
    if raw >> 16 != facility:
        return ForeignCard()
    return CardNumber(raw & LARGEST_NUMBER)

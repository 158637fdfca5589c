"""The made-up club of the benchmark, so that both sides make the same one.

Everybody has a contact with a card number. Up to ENTITLED_MOST of them are Gold members with user,
card and policy; the others are former members whose number was given to somebody else since (legal,
R1): the user is deactivated and holds no card.
"""

from collections.abc import Iterator
from dataclasses import dataclass

FACILITY = 42
CARD_NUMBERS = 65_536
ENTITLED_MOST = 65_000
"""Fewer than there are card numbers, so that new cards can still be handed out."""

FIRST_CONTACT = 1000
CARD_FIELD = "Door_Access.card_id"
TIERS = ("Gold", "Silver")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the club as it begins; people are numbered from 0."""

    number: int
    entitled: int
    """How many are members now; whoever comes after them is a former member."""

    @property
    def contact(self) -> int:
        """The contact id."""
        return FIRST_CONTACT + self.number

    @property
    def is_member(self) -> bool:
        """Whether this one may open doors."""
        return self.number < self.entitled

    @property
    def card(self) -> int:
        """The number in CiviCRM's card field; a former member's is a present member's, too."""
        return self.number % self.entitled

    @property
    def first_name(self) -> str:
        """The first name; all share the last one."""
        return "Member"

    @property
    def last_name(self) -> str:
        """The last name."""
        return f"Number{self.number}"

    @property
    def email(self) -> str:
        """The address on both sides."""
        return f"member{self.number}@example.org"


def entitled(members: int) -> int:
    """Return how many of so many people are members now."""
    return min(members, ENTITLED_MOST)


def people(members: int) -> Iterator[Person]:
    """Yield everybody of a club of so many, members first."""
    count = entitled(members)
    return (Person(number, count) for number in range(members))

"""What happens to a club between two cycles, and the fewest writes that settle it.

A fifth each: somebody joins, leaves, gets another card, changes tier, changes the name. All of it
happens in CiviCRM; nobody changes twice. The members' numbers count up through the rounds, so that
one round after another can be measured on the same club.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.club import CARD_NUMBERS, entitled

ROWS_PER_IMPORT = 200
"""Cards in one import, as door-sync sends them; the controller's own limit is not written down."""

WRITES = {
    "joined": 3,  # create, bind, policy
    "left": 2,  # free the card, deactivate
    "other card": 2,  # free the old one, bind the new one
    "other tier": 1,  # the policies
    "other name": 1,  # the profile
}
"""The writes to the controller that each kind costs at least, imports of new cards apart.

One request of the controller's interface sets a profile and the status, another the policies, a
third one card (§6 of the reference): fewer is not possible.
"""

NEW_CARDS = frozenset({"joined", "other card"})


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a member; `person` counts everybody who ever was one, from 0.

    `card` is a number that nobody had before, for the kinds of NEW_CARDS.
    """

    kind: str
    person: int
    card: int | None = None


@dataclass
class Happenings:
    """Tells what happens next in a club that began with so many `members`."""

    members: int

    def __post_init__(self) -> None:
        self._next_member = 0
        self._next_person = self.members
        self._next_card = entitled(self.members)

    def round(self, count: int) -> list[Event]:
        """Return the next `count` events; raise ValueError if people or cards are used up."""
        return list(self._events(count))

    def lapse(self) -> int:
        """Return the next member, for somebody to let the membership run out."""
        return self._member()

    def _events(self, count: int) -> Iterator[Event]:
        kinds = tuple(WRITES)
        for number in range(count):
            kind = kinds[number % len(kinds)]
            person = self._joiner() if kind == "joined" else self._member()
            yield Event(kind, person, self._card() if kind in NEW_CARDS else None)

    def _member(self) -> int:
        if self._next_member >= entitled(self.members):
            raise ValueError("everybody who was a member has changed already")
        self._next_member += 1
        return self._next_member - 1

    def _joiner(self) -> int:
        self._next_person += 1
        return self._next_person - 1

    def _card(self) -> int:
        if self._next_card >= CARD_NUMBERS:
            raise ValueError("every card number has been handed out")
        self._next_card += 1
        return self._next_card - 1


def fewest_writes(events: list[Event]) -> int:
    """Return the fewest requests that bring these events into the controller."""
    new_cards = sum(event.card is not None for event in events)
    return sum(WRITES[event.kind] for event in events) + -(-new_cards // ROWS_PER_IMPORT)

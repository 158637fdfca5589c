"""Ids, card tokens and display ids, the same for the same seed, in the forms of §5."""

import random
import uuid

FIRST_DISPLAY_ID = 100_001  # rule 37


class Mint:
    """Draws from a generator of its own; nothing it makes tells anything about what it is for."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._next_display_id = FIRST_DISPLAY_ID

    def uuid(self) -> str:
        """A lower-case UUID: the id of anything but a card."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def token(self) -> str:
        """64 lower-case hex digits: a card's key, unrelated to its number."""
        return f"{self._random.getrandbits(256):064x}"

    def display_id(self) -> str:
        """The next value of the counter that cards show."""
        made = str(self._next_display_id)
        self._next_display_id += 1
        return made

    def passed_by(self, display_id: str) -> None:
        """Move the counter past a display id that a seed gives."""
        if display_id.isdecimal():
            self._next_display_id = max(self._next_display_id, int(display_id) + 1)

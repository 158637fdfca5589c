"""Bringing cards into the controller, so that a bad one costs nobody else's (UniFi sheet §10.4).

One bad row may fail alone or take its whole file along: a refused file is halved until the row
stands alone. What became of a file without an answer is read from the card list before the rest
is sent once more. Rows that failed are looked for in that list too: the card may be there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from door_sync.core.cards import CardNumber, CardToken
from door_sync.ports import ImportedCard, ImportUncertain, WriteUncertain
from door_sync.unifi.envelope import SYSTEM_ERROR, Refused

LARGEST_FILE: Final = 200
"""Rows in one file; the controller's own limit is unknown (§10.4)."""

Tokens = Mapping[CardNumber, CardToken]

Upload = Callable[[Sequence[CardNumber]], Tokens | Refused]
"""Sends one file; returns the token of each number that got one, or the refusal of the whole.
Raises WriteUncertain where nobody knows, ControllerError where no further write may follow."""

Look = Callable[[], Tokens]
"""Reads the card list and returns the token of each number that one card alone carries.
Raises WriteUncertain if the list cannot be read."""


class CardImport:
    """One import of some numbers, in as many files as it takes."""

    def __init__(self, upload: Upload, look: Look) -> None:
        self._upload = upload
        self._look = look
        self._found: dict[CardNumber, CardToken] = {}
        self._refusals: set[str] = set()

    def run(self, numbers: Sequence[CardNumber]) -> Tokens:
        """Return the tokens of the numbers that are in the controller now; the others failed.

        Raise WriteUncertain where the controller fell silent before all was settled, or said of
        every file that it failed for reasons of its own (§3.5). The tokens
        that came go along with it: silence about the others is no refusal of them, and must cost
        neither group what the next cycle can still bring (R3).
        """
        wanted = list(dict.fromkeys(numbers))
        try:
            for start in range(0, len(wanted), LARGEST_FILE):
                self._send(wanted[start : start + LARGEST_FILE])
            if self._missing(wanted):
                self._settle(wanted)
            if not self._found and self._refusals == {SYSTEM_ERROR}:
                # All of them alike: the controller's own trouble, and no word about any number.
                raise WriteUncertain(f"importing {len(wanted)} cards: refused ({SYSTEM_ERROR})")
        except WriteUncertain as error:
            if not self._found:
                raise
            arrived = [ImportedCard(number, token) for number, token in self._found.items()]
            raise ImportUncertain(error.message, arrived=arrived, remedy=error.remedy) from error
        return self._found

    def _send(self, file: Sequence[CardNumber], *, again: bool = True) -> None:
        """Send one file; `again` allows one repeat of what is missing after a doubtful answer."""
        try:
            answer = self._upload(file)
        except WriteUncertain:
            rest = self._settle(file)
            if rest and not again:
                raise
        else:
            if not isinstance(answer, Refused):
                self._found.update(answer)
                return
            if not (again and answer.code == SYSTEM_ERROR):
                self._refusals.add(answer.code)
                self._halve(file)
                return
            # It stands for rejected input as well as for a failure half-way (§3.5).
            rest = self._settle(file)
        if rest:
            self._send(rest, again=False)

    def _halve(self, file: Sequence[CardNumber]) -> None:
        if len(file) > 1:
            middle = len(file) // 2
            self._send(file[:middle], again=False)
            self._send(file[middle:], again=False)

    def _settle(self, file: Sequence[CardNumber]) -> Sequence[CardNumber]:
        """Look which of these are in the controller, keep their tokens, return the others."""
        listed = self._look()
        self._found.update({number: listed[number] for number in file if number in listed})
        return self._missing(file)

    def _missing(self, file: Sequence[CardNumber]) -> Sequence[CardNumber]:
        return [number for number in file if number not in self._found]

"""What is wrong with a configuration, all at once, in words for the person who wrote it."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from door_sync.ports import DoorSyncError

_WIDTH = 96
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, what (it goes on from the key path), and what to do.

    Values that the operator wrote are not repeated, since a secret may stand in the wrong place.
    """

    key_path: str
    problem: str
    remedy: str


class BadSettings(DoorSyncError):
    """The configuration cannot be used; `faults` is everything that is wrong with it."""

    exit_code: ClassVar[int] = 78

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.render())

    def render(self) -> str:
        """Return a text that lists every fault with its remedy."""
        count = len(self.faults)
        many = "1 thing is" if count == 1 else f"{count} things are"
        head = f"{many} wrong with the configuration."
        return "\n\n".join([head, *map(_block, self.faults)])


def _block(fault: Fault) -> str:
    return "\n".join([fault.key_path, *_wrapped(fault.problem), *_wrapped(fault.remedy)])


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )

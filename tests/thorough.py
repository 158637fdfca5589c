"""How thorough the proofs are: a sample of each with `make test`, everything with `make proof`."""

import os
from collections.abc import Sequence
from typing import TypeVar

Case = TypeVar("Case")

THOROUGH = os.environ.get("DOOR_SYNC_PROOF") == "thorough"
"""Whether every case shall run, however long that takes."""


def sample(cases: Sequence[Case], every: int) -> list[Case]:
    """Return all cases when thorough, else each `every`-th from the first on (1 or more).

    A number that shares no factor with the length of what repeats in `cases` meets every value.
    """
    return list(cases if THOROUGH else cases[::every])

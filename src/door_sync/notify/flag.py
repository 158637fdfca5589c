"""The flag file: it exists while something needs a person (§7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from door_sync.files import ops_file_errors, replace_file
from door_sync.ports import JournalError

FILE_MODE: Final = 0o644

BY_HAND: Final = "Until then deactivate people who must lose access in the controller by hand."
"""The way out while no cycle runs."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a person is needed, in three sentences, with contact ids alone (P12).

    `happened`: what was found. `doors`: what it means for who may open them now.
    `settles`: the setting, the command or the act that settles it.
    """

    happened: str
    doors: str
    settles: str


def unwritable_journal(error: JournalError) -> Cause:
    """Return the cause that stands while the journal cannot be written: no cycle runs (§7)."""
    return Cause(
        happened=f"No cycle runs, because its record cannot be kept: {error.message}.",
        doors="Revocations are not happening: people who left can still open doors. What was "
        "written before stays, and everybody else keeps the access they have.",
        settles=f"{error.remedy} {BY_HAND}".lstrip(),
    )


def flag_text(causes: Sequence[Cause]) -> str:
    """Return the text of the flag for these causes; raise ValueError if there is none."""
    if not causes:
        raise ValueError("a flag without a cause tells nobody what to do")
    paragraphs = [
        f"What happened: {cause.happened}\n"
        f"What it means for the doors: {cause.doors}\n"
        f"What settles it: {cause.settles}\n"
        for cause in causes
    ]
    return "door-sync needs a person.\n\n" + "\n".join(paragraphs)


def raise_flag(path: Path, text: str) -> None:
    """Write the flag file in one move, in place of an earlier one; raise OpsFileError."""
    replace_file(path, text, mode=FILE_MODE)


def lower_flag(path: Path) -> bool:
    """Remove the flag file; return whether there was one. Raise OpsFileError."""
    with ops_file_errors(path, "remove"):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
    return True

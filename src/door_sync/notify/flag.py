"""The flag file: it exists while something needs a person (§7)."""

import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from door_sync.core.causes import Cause, merged
from door_sync.files import make_directory, ops_file_errors, replace_file
from door_sync.notify.wording import paragraphs

FILE_MODE: Final = 0o644

BY_HAND: Final = (
    "Until then cut off people who must lose access with "
    "`door-sync revoke CONTACT --without-record`, or in the controller by hand."
)
"""The way out while no cycle runs."""


def flag_text(causes: Iterable[Cause]) -> str:
    """Return the text of the flag for these causes; raise ValueError if there is none."""
    told = merged(causes)
    if not told:
        raise ValueError("a flag without a cause tells nobody what to do")
    return "door-sync needs a person.\n\n" + "\n".join(map(paragraphs, told.values()))


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


def read_flag(path: Path) -> str:
    """Return the text of the flag; "" if there is none. Raise OpsFileError."""
    with ops_file_errors(path, "read"):
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""


def check_flag(path: Path) -> None:
    """Raise OpsFileError if the flag could not be written; leave one that stands as it is."""
    with ops_file_errors(path, "write"):
        target = Path(os.path.realpath(path))
        make_directory(target.parent)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with tempfile.NamedTemporaryFile(prefix=f".{target.name}.", dir=target.parent) as file:
            file.write(b"door-sync looks whether it could write here\n")
            file.flush()
            os.fsync(file.fileno())

"""What may be wrong with a line of the audit file, in the words of `history verify`."""

from typing import Final

CHANGED: Final = "was changed after it was written: its content does not match its hash"
NOT_NEXT: Final = (
    "does not follow the line before it: lines were removed between the two, put in, or moved"
)
NOT_FIRST: Final = (
    "is not the first line that was written to this file: lines before it were removed"
)
NOT_AFTER: Final = (
    "does not follow the end of the file before it: lines there were removed, put in, or lost "
    "while logrotate copied the file, or a file is missing here"
)
NO_HASH: Final = (
    "has no hash, and stands after lines that have one: it was put in, damaged, or written by an "
    "older door-sync"
)

UNTOLD: Final = (
    "lines tell of cycles that the journal holds no more, because of their age or because it was "
    "started anew; the chain alone vouches for them"
)

"""The chain that holds the lines of the audit file together, so that a change to one shows.

Each line ends with two keys. `prev` is the hash of the line before it, "" for the very first.
`hash` is the SHA-256, in hexadecimal, of the line's own bytes as they stand in the file, without
its line end and without `, "hash": "…"`. As `prev` is among those bytes, a line vouches for all
lines before it. There is no key in it: anybody can check it, and anybody could forge a whole chain.
What cannot be forged with it are the hashes that the journal holds (§7).
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from door_sync.files import LineFile, open_for_lines

FILE_MODE: Final = 0o640

LONGEST_LINE: Final = 32 << 20
"""No line of door-sync is longer, in bytes: 100,000 changes take a quarter of it."""

SEARCHED_BACK: Final = 64 << 20
"""How far back in the file a line is looked for, in bytes."""

OPENS: Final = "opens"
"""The key, always true, of a line that found the file empty: no line of this file is before it."""

HALF_LINE: Final = "half_line"
"""The key with the hash of the half line before this one, which a power cut left (SHA-256)."""

_CYCLE: Final = re.compile(rb'"cycle": "([^"\\]+)", "digest": ')

_SEALED: Final = re.compile(rb'(\{.*), "hash": "([0-9a-f]{64})"\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A line with its hash: `text` has no line end."""

    text: str
    hash: str


@dataclass(frozen=True, slots=True)
class Seal:
    """The hash that a line carries, and whether it is the hash of what stands there."""

    hash: str
    fits: bool


def seal(content: Mapping[str, object], prev: str) -> Sealed:
    """Return the line for this content, which must not be empty, in ASCII."""
    bare = json.dumps({**content, "prev": prev})
    found = hash_of(bare.encode())
    return Sealed(f'{bare[:-1]}, "hash": "{found}"}}', found)


def seal_of(line: bytes) -> Seal | None:
    """Return the hash at the end of a line, given without its line end; None if it has none."""
    found = _SEALED.fullmatch(line)
    if found is None:
        return None
    carried = found[2].decode()
    return Seal(carried, fits=hash_of(found[1] + b"}") == carried)


def hash_of(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class ChainedFile:
    """The audit file, open and under its lock: nobody else appends meanwhile."""

    def __init__(self, file: LineFile) -> None:
        self._file = file
        last, half = file.end(LONGEST_LINE)
        whole = seal_of(half)
        if whole is not None and whole.fits:  # only its line end is missing
            last, half = half, b""
        self._half = half
        self._is_empty = last is None
        found = seal_of(last or b"")
        self.last: str | None = None if found is None else found.hash

    def append(self, content: Mapping[str, object], start: str) -> str:
        """Append this content as the next line of the chain; return its hash.

        `start` is what the chain goes on from if the file has no chained line at its end: the hash
        that the journal holds for the line written last, "" if there is none. Raise OpsFileError.
        """
        more: dict[str, object] = {}
        if self._is_empty:
            more[OPENS] = True
        if self._half:
            more[HALF_LINE] = hash_of(self._half)
        line = seal({**content, **more}, start if self.last is None else self.last)
        self._file.append(line.text)
        self._half, self._is_empty = b"", False
        self.last = line.hash
        return line.hash

    def written(self, cycle_ids: Collection[str]) -> dict[str, str]:
        """Return the hash of the line of each of these cycles whose line stands in the file."""
        found = {}
        for line in self._file.tail(SEARCHED_BACK) if cycle_ids else ():
            named = _CYCLE.search(line)
            if named is not None and (cycle_id := named[1].decode()) in cycle_ids:
                carried = seal_of(line.rstrip(b"\n"))
                if carried is not None and carried.fits:
                    found[cycle_id] = carried.hash
        return found


@contextmanager
def chained_file(path: Path) -> Iterator[ChainedFile]:
    """Open the audit file to append lines inside the block; raise OpsFileError."""
    with open_for_lines(path, mode=FILE_MODE) as file:
        yield ChainedFile(file)

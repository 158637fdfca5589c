"""The audit file and its older siblings, read line by line, whatever state they are in (§7)."""

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from door_sync.files import ops_file_errors
from door_sync.journal.chain import LONGEST_LINE

_ROTATED: Final = re.compile(r"(?:\.(\d{1,6})|[-.](\d{8,14}|\d{8}-\d{2,6}))(\.gz|\.bz2|\.xz)?")
"""What logrotate puts behind a name: a count, or a day with `dateext`; then the compression."""

_PACKED: Final = (".gz", ".bz2", ".xz")


class Damaged(Exception):
    """A compressed file that cannot be unpacked to its end."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, counted from 1. `is_whole` is False for a last one without a line end, `is_long`
    tells of one that is longer than any of door-sync; its content is left out."""

    number: int
    content: bytes
    is_whole: bool = True
    is_long: bool = False


def with_siblings(path: Path) -> list[Path]:
    """Return the audit file, if it exists, and what logrotate made of it before; oldest first.

    Raise OpsFileError if its directory cannot be read.
    """
    with ops_file_errors(path.parent, "read"):
        beside = [one for one in path.parent.iterdir() if one.name.startswith(path.name)]
        found = [one for one in beside if _ROTATED.fullmatch(one.name[len(path.name) :])]
        found += [path] if path in beside else []
    # While logrotate compresses a file, both stand there, and one of them is not complete.
    return in_order(
        [one for one in found if one.suffix not in _PACKED or one.with_suffix("") not in found]
    )


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Return audit files with the oldest first, as their names tell; `.1` is younger than `.2`."""
    return sorted(paths, key=_age)


def read_lines(path: Path) -> Iterator[Line]:
    """Read a file, unpacked if need be, with no more than one line in memory.

    Raise OpsFileError, or Damaged.
    """
    with ops_file_errors(path, "read"):
        try:
            with _opened(path) as file:
                yield from _lines(file)
        except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
            raise Damaged from error


def _opened(path: Path) -> BinaryIO:
    match path.suffix:
        case ".gz":
            return cast("BinaryIO", gzip.open(path, "rb"))
        case ".bz2":
            return cast("BinaryIO", bz2.open(path, "rb"))
        case ".xz":
            return cast("BinaryIO", lzma.open(path, "rb"))
        case _:
            return path.open("rb")


def _lines(file: BinaryIO) -> Iterator[Line]:
    number = 0
    while content := file.readline(LONGEST_LINE):
        number += 1
        if content.endswith(b"\n"):
            yield Line(number, content[:-1])
            continue
        is_long = False
        while rest := file.readline(LONGEST_LINE):
            is_long = True
            content = b""
            if rest.endswith(b"\n"):
                break
        yield Line(number, content, is_whole=is_long, is_long=is_long)


def _age(path: Path) -> tuple[int, int]:
    """Return what sorts the oldest first: days, then counts downwards, then the file in use."""
    found = re.search(_ROTATED.pattern + r"\Z", path.name)
    if found is None:
        return 2, 0
    if found[1] is not None:
        return 1, -int(found[1])
    return 0, int(found[2].replace("-", "").ljust(14, "0"))

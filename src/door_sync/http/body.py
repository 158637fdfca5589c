"""A reply's body, read whole or not at all.

Decompression is done here and not by the HTTP library, which takes a cut gzip stream for a whole
one: a list that ends early is what P2 is about.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from door_sync.http.errors import ProtocolBroken, TooLarge, TooMuch

ACCEPTED_CODINGS = "gzip"

MOST_VALUES: Final = 1_000_000
"""JSON values in one reply; a page of 5,000 rows has some 50,000. Parsed, a value of three bytes
takes a hundred, so that the size of a body alone bounds no memory."""

_PIECE_BYTES = 2**20
_OTHER_BYTES: Final = bytes(set(range(256)) - set(b",[{"))
"""All but the three: each value of JSON but the first stands behind one of them, in whatever
encoding."""
_GZIP_WINDOW = zlib.MAX_WBITS | 16


def whole_body(pieces: Iterable[bytes], coding: str, *, limit_bytes: int, host: str) -> bytes:
    """Given a body as it comes in and its Content-Encoding, return it decompressed.

    Raise TooLarge as soon as more than `limit_bytes` came in or came out, TooMuch as soon as it
    holds more than MOST_VALUES, ProtocolBroken if the coding is not one that was asked for, or the
    compressed data are damaged or cut.
    """
    bounded = _bounded(pieces, limit_bytes, host)
    match coding.strip().lower():
        case "" | "identity":
            return b"".join(_few_values(bounded, host))
        case "gzip" | "x-gzip":
            unpacked = _bounded(_inflated(bounded, host), limit_bytes, host)
            return b"".join(_few_values(unpacked, host))
        case _:
            raise ProtocolBroken(host=host, reason="its answer is compressed in an unknown way")


def _bounded(pieces: Iterable[bytes], limit_bytes: int, host: str) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit_bytes:
            raise TooLarge(host=host, limit_bytes=limit_bytes)
        yield piece


def _few_values(pieces: Iterable[bytes], host: str) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece.translate(None, _OTHER_BYTES))
        if total > MOST_VALUES:
            raise TooMuch(host=host, reason=f"an answer of more than {MOST_VALUES:,} values")
        yield piece


def _inflated(pieces: Iterable[bytes], host: str) -> Iterator[bytes]:
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    began = False
    for piece in filter(None, pieces):
        began = True
        rest = piece
        while inflated := _inflate(inflater, rest, host):
            yield inflated
            rest = inflater.unconsumed_tail
    if began and (not inflater.eof or inflater.unused_data):
        raise _damaged(host)


def _inflate(inflater: "zlib._Decompress", compressed: bytes, host: str) -> bytes:
    try:
        return inflater.decompress(compressed, _PIECE_BYTES)
    except zlib.error:
        pass
    raise _damaged(host)


def _damaged(host: str) -> ProtocolBroken:
    return ProtocolBroken(host=host, reason="its compressed answer is damaged or cut short")

"""What a hostile server sends, byte for byte: each a script for one connection."""

import gzip
import itertools
import zlib
from collections.abc import Callable, Iterator

from tests.http.conftest import Connection

KIND = b"Content-Type: application/json\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + KIND
MEBIBYTE = 2**20

Pieces = Callable[[], Iterator[bytes]]


def whole(body: bytes, *headers: bytes) -> bytes:
    """Return a good-looking reply with this body."""
    more = b"".join(header + b"\r\n" for header in headers)
    return OK + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def gzip_bomb() -> Iterator[bytes]:
    """Send a hundred kilobytes that unpack to a hundred megabytes."""
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join(packer.compress(bytes(MEBIBYTE)) for _ in range(100)) + packer.flush()
    yield whole(body, b"Content-Encoding: gzip")


def nested_gzip() -> Iterator[bytes]:
    """Pack twice and say so."""
    yield whole(gzip.compress(gzip.compress(b"{}")), b"Content-Encoding: gzip, gzip")


def brotli() -> Iterator[bytes]:
    """Pack in a way that was not asked for."""
    yield whole(b"\x8b\x03\x80{}\x03", b"Content-Encoding: br")


def fifty_megabytes() -> Iterator[bytes]:
    """Send one long text."""
    yield OK + b"Content-Length: %d\r\n\r\n" % (50 * MEBIBYTE)
    yield from itertools.repeat(b"x" * MEBIBYTE, 50)


def chunks_without_end() -> Iterator[bytes]:
    """Never say that it was the last chunk."""
    yield OK + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"100000\r\n" + b" " * MEBIBYTE + b"\r\n")


def tiny_values() -> Iterator[bytes]:
    """Send what takes a hundred times as much memory when it is parsed."""
    yield whole(b"[" + b"[]," * (10 * MEBIBYTE) + b"[]]")


def brackets() -> Iterator[bytes]:
    """Nest deeper than any stack."""
    yield whole(b"[" * 100_000 + b"]" * 100_000)


def long_number() -> Iterator[bytes]:
    """Send a number of a million digits."""
    yield whole(b'{"code":1' + b"0" * MEBIBYTE + b"}")


def headers_without_end() -> Iterator[bytes]:
    """Never come to the body."""
    yield OK
    yield from (b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in itertools.count())


def one_huge_header() -> Iterator[bytes]:
    """Send a header of ten megabytes."""
    yield OK + b"X-Long: "
    yield from itertools.repeat(b"y" * MEBIBYTE, 10)


def interim_flood() -> Iterator[bytes]:
    """Promise an answer, again and again."""
    yield from itertools.repeat(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


def short_length() -> Iterator[bytes]:
    """Send more than was said; the rest would be the next reply's beginning."""
    yield OK + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n{}"


def negative_length() -> Iterator[bytes]:
    """Say that the body is shorter than nothing."""
    yield OK + b"Content-Length: -5\r\n\r\n{}"


def two_lengths() -> Iterator[bytes]:
    """Say two lengths, so that two readers would disagree."""
    yield OK + b"Content-Length: 2\r\nContent-Length: 50\r\n\r\n{}"


def noise() -> Iterator[bytes]:
    """Speak no HTTP."""
    yield b"\x00\xff" * 500


def wrong_encodings() -> Iterator[bytes]:
    """Send lone surrogates, a NUL and an invalid byte."""
    yield whole(b'{"code":"\\ud800","msg":"\x00\xed\xa0\x80\xff"}')


HOSTILE: dict[str, Pieces] = {
    one.__name__: one
    for one in (
        gzip_bomb,
        nested_gzip,
        brotli,
        fifty_megabytes,
        chunks_without_end,
        tiny_values,
        brackets,
        long_number,
        headers_without_end,
        one_huge_header,
        interim_flood,
        short_length,
        negative_length,
        two_lengths,
        noise,
        wrong_encodings,
    )
}


def answering_with(pieces: Pieces) -> Callable[[Connection], None]:
    """Return a script that gives each request such a reply, until the client hangs up."""

    def script(connection: Connection) -> None:
        while connection.request():
            for piece in pieces():
                try:
                    connection.socket.sendall(piece)
                except OSError:
                    return

    return script

"""Requests and replies as data. Their repr tells nothing of what they carry (P12)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from urllib.parse import urlencode


class RetryClass(Enum):
    """What may be repeated by itself when a request gets no good reply (UniFi sheet §3.6)."""

    READ = "read"
    """Changes nothing: repeated after any passing trouble."""
    IDEMPOTENT_WRITE = "idempotent write"
    """Twice is once: repeated after any passing trouble."""
    ONCE = "once"
    """Repeated only when it surely was not carried out; the caller looks before it repeats."""
    NEVER = "never"
    """One single try."""


@dataclass(frozen=True, slots=True, repr=False)
class Json:
    """A body of `application/json`."""

    value: object

    def encoded(self) -> tuple[str, bytes]:
        """Return content type and bytes, all ASCII; raise ValueError for NaN and infinity."""
        text = json.dumps(self.value, separators=(",", ":"), allow_nan=False)
        return "application/json", text.encode("ascii")


@dataclass(frozen=True, slots=True, repr=False)
class Form:
    """A body of `application/x-www-form-urlencoded`: pairs of name and value."""

    fields: tuple[tuple[str, str], ...]

    def encoded(self) -> tuple[str, bytes]:
        """Return content type and bytes."""
        return "application/x-www-form-urlencoded", urlencode(self.fields).encode("ascii")


@dataclass(frozen=True, slots=True, repr=False)
class Upload:
    """A body of `multipart/form-data` with one file."""

    field: str
    filename: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` begins with a slash, is percent-encoded, and may hold a query already
    (CiviCRM sheet §1.1); the pairs of `query` are added to it. `is_write` makes it paced."""

    method: str
    path: str
    retry: RetryClass
    is_write: bool
    query: tuple[tuple[str, str], ...] = ()
    body: Json | Form | Upload | None = None

    def __post_init__(self) -> None:
        route = self.path.partition("?")[0]
        if not route.startswith("/") or {".", ".."} & set(route.split("/")):
            raise ValueError("a request's path begins with a slash and has no dot segments")
        if not self.path.isascii() or not self.path.isprintable() or " " in self.path:
            raise ValueError("a request's path is percent-encoded")

    @property
    def target(self) -> str:
        """Path and query together."""
        if not self.query:
            return self.path
        return f"{self.path}{'&' if '?' in self.path else '?'}{urlencode(self.query)}"

    def __repr__(self) -> str:
        return f"Request({self.method}, {self.retry.value})"


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What came back, whole and decompressed, whatever its status.

    `headers` have lower-case names; of a name that came twice the values are joined by commas.
    `certificate_ends` is the last moment of the certificate that an authority vouched for on this
    connection; None where none was verified, as without TLS and with a pin.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    certificate_ends: datetime | None = None

    @property
    def content_type(self) -> str | None:
        """The Content-Type as sent; None where none was sent, as CiviCRM does when its database
        is down (CiviCRM sheet §6.3)."""
        return self.header("content-type")

    @property
    def media_type(self) -> str | None:
        """The Content-Type in lower case without its parameters."""
        kind = self.content_type
        return None if kind is None else kind.partition(";")[0].strip().lower()

    def header(self, name: str) -> str | None:
        """Return a header's value, or None."""
        return self.headers.get(name.lower())

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.body)} bytes)"

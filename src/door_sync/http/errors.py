"""What can go wrong between a request and its reply, in words for the operator.

    DoorSyncError
    └── HttpError
        ├── Unreachable            no connection; the request was surely not carried out
        ├── TimedOut               no complete reply in time; perhaps carried out
        ├── ConnectionLost         the connection broke; perhaps carried out
        ├── WrongCertificate       not the pinned certificate (P11); nothing was sent
        ├── UntrustedCertificate   no authority that we trust vouches for it; nothing was sent
        ├── TooLarge               the reply is larger than we are willing to hold
        ├── TooMuch                a reply of too many values, or a reading without end
        └── ProtocolBroken         the reply is not HTTP, or cut, or cannot be decompressed

A status of 4xx or 5xx is a reply, not an error: its body decides (R0). No error holds a reply's
body, a header, a path or a query (P12), nor a foreign exception behind it.
"""

from door_sync.ports import DoorSyncError
from door_sync.settings.addresses import fingerprint_command


class HttpError(DoorSyncError):
    """The request got no reply that can be read.

    `host` is the address asked. `maybe_carried_out` is False only where the request surely did
    not reach the other side.
    """

    def __init__(self, message: str, *, host: str, remedy: str, maybe_carried_out: bool) -> None:
        super().__init__(message, remedy=remedy)
        self.host = host
        self.maybe_carried_out = maybe_carried_out


class Unreachable(HttpError):
    """No connection came about: name, address, port, proxy or TLS; `reason` says which."""

    def __init__(self, *, host: str, reason: str, remedy: str | None = None) -> None:
        super().__init__(
            f"{host} cannot be reached: {reason}",
            host=host,
            remedy=remedy
            or "Check that it is switched on, that its address and port in config.toml are right, "
            "and that no firewall stands between.",
            maybe_carried_out=False,
        )
        self.reason = reason


class TimedOut(HttpError):
    """No complete reply within `seconds`, counted over the whole try."""

    def __init__(self, *, host: str, seconds: float, maybe_carried_out: bool) -> None:
        super().__init__(
            f"{host} gave no complete answer within {seconds:g} seconds",
            host=host,
            remedy="If it is merely slow, raise timeout_seconds for this side in config.toml; "
            "otherwise look at its load and at the network between.",
            maybe_carried_out=maybe_carried_out,
        )
        self.seconds = seconds


class ConnectionLost(HttpError):
    """The other side, or something between, ended the connection before the reply was whole."""

    def __init__(self, *, host: str, maybe_carried_out: bool) -> None:
        super().__init__(
            f"{host} broke off the connection before its answer was complete",
            host=host,
            remedy="This passes by itself while a server restarts; if it stays, look at the "
            "server's own log and at the network between.",
            maybe_carried_out=maybe_carried_out,
        )


class WrongCertificate(HttpError):
    """The host showed another certificate than the pinned one; `seen` is its fingerprint."""

    def __init__(self, *, host: str, seen: str) -> None:
        command = fingerprint_command(host.removeprefix("https://"))
        super().__init__(
            f"{host} showed a certificate that is not the pinned one, so nothing was sent to it; "
            f"the SHA-256 fingerprint seen is {seen}",
            host=host,
            remedy="If the controller was reset, replaced or given a new certificate, compare "
            f"this fingerprint with what a computer next to the console is shown by `{command}`, "
            "and put it into unifi.tls_fingerprint. If you know of no such change, somebody may "
            "be standing in between: do not.",
            maybe_carried_out=False,
        )
        self.seen = seen


class UntrustedCertificate(HttpError):
    """No trusted authority vouches for the host's certificate; `reason` is the check's finding."""

    def __init__(self, *, host: str, reason: str) -> None:
        super().__init__(
            f"the certificate of {host} is not trusted, so nothing was sent to it: {reason}",
            host=host,
            remedy="Renew the certificate if it ran out. If a private authority signed it, name "
            "that authority's PEM file in civicrm.ca_file (or in SSL_CERT_FILE).",
            maybe_carried_out=False,
        )
        self.reason = reason


class TooLarge(HttpError):
    """The reply's body passes `limit_bytes`, compressed or not."""

    def __init__(self, *, host: str, limit_bytes: int) -> None:
        super().__init__(
            f"the answer of {host} is larger than {limit_bytes:,} bytes",
            host=host,
            remedy="No honest answer to a page of door-sync's size is that large: check that the "
            "address in config.toml is right.",
            maybe_carried_out=True,
        )
        self.limit_bytes = limit_bytes


class TooMuch(HttpError):
    """A reply, or one reading of many, goes beyond what any honest side gives (decision 43)."""

    def __init__(self, *, host: str, reason: str) -> None:
        super().__init__(
            f"{host} gave more than door-sync is willing to take: {reason}",
            host=host,
            remedy="No honest answer is that long: check that the address in config.toml is "
            "right, and whether that side is overloaded or tampered with. Decision 43 of the "
            "handbook lists the limits.",
            maybe_carried_out=True,
        )
        self.reason = reason


class ProtocolBroken(HttpError):
    """What came is no HTTP reply; `reason` says in what way."""

    def __init__(self, *, host: str, reason: str, maybe_carried_out: bool = True) -> None:
        super().__init__(
            f"{host} did not answer in proper HTTP: {reason}",
            host=host,
            remedy="Check that the address and port in config.toml belong to the web server meant, "
            "and not to another service or a faulty proxy.",
            maybe_carried_out=maybe_carried_out,
        )
        self.reason = reason

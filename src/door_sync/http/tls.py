"""Who may be at the other end: three ways of being sure, and the contexts that make it so (P11).

The pin is checked by the socket itself at the end of every handshake, before the HTTP library
gets hold of the connection: there is no moment at which a request could be written to a host
that was not checked.
"""

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, assert_never

import httpx2

from door_sync.http.errors import UntrustedCertificate, WrongCertificate
from door_sync.settings.addresses import normalised_fingerprint


@dataclass(frozen=True, slots=True)
class PinnedTls:
    """TLS with a leaf certificate that has one of these SHA-256 fingerprints, never by a proxy.

    Neither name nor issuer are looked at: the controller's certificate is signed by itself, for
    a name that it does not have (UniFi sheet §1.2).
    """

    fingerprints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthorityTls:
    """TLS with a certificate that a trusted authority signed for this host name.

    Trusted are the authorities in `ca_file` alone where it is given, else those in the file that
    SSL_CERT_FILE names, else the system's.
    """

    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class PlainHttp:
    """No TLS, for a loopback address only."""


Tls = PinnedTls | AuthorityTls | PlainHttp


def tls_context(tls: Tls, host: str) -> ssl.SSLContext | None:
    """Given how to be sure of `host`, return the context for its connections; None without TLS.

    Raise ValueError for a malformed or missing fingerprint, UntrustedCertificate if the file of
    authorities cannot be used.
    """
    match tls:
        case PinnedTls(fingerprints):
            return _pinned_context(host, frozenset(map(normalised_fingerprint, fingerprints)))
        case AuthorityTls(ca_file):
            return _authority_context(host, ca_file)
        case PlainHttp():
            return None
        case _:
            assert_never(tls)


def authority_context(host: str) -> ssl.SSLContext:
    """Return the context for a connection to `host` that is not HTTP, such as to a mail server.

    Its certificate must be signed by an authority that AuthorityTls trusts. Raise
    UntrustedCertificate if the file of authorities cannot be used.
    """
    return _authority_context(host, None)


def certificate_end(connection: object) -> datetime | None:
    """Given a connection's TLS socket, return when the certificate that was verified on it ends.

    None for what is no TLS socket, and where no authority was asked, so that nothing is known.
    """
    # The HTTP library hands out the interpreter's own object, which has no public class.
    get = getattr(connection, "getpeercert", None)
    ends = (get() or {}).get("notAfter") if get is not None else None
    if not isinstance(ends, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)


def fingerprint_of(certificate: bytes) -> str:
    """Given a certificate in DER, return its SHA-256 as AB:CD:…."""
    return hashlib.sha256(certificate).digest().hex(":").upper()


def _pinned_context(host: str, fingerprints: frozenset[str]) -> ssl.SSLContext:
    if not fingerprints:
        raise ValueError("a pin needs at least one fingerprint")

    class PinnedSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            seen = fingerprint_of(self.getpeercert(binary_form=True) or b"")
            if seen not in fingerprints:
                self.close()
                # No OSError, which the HTTP library would take for a passing trouble.
                raise WrongCertificate(host=host, seen=seen)

    class NoMemoryTls(ssl.SSLObject):
        """Refuses TLS without a socket (as inside another TLS), where no pin would be checked."""

        def do_handshake(self) -> NoReturn:
            raise WrongCertificate(host=host, seen="not looked at")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A TLS 1.2 server could otherwise change its certificate on the running connection.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.sslsocket_class = PinnedSocket
    context.sslobject_class = NoMemoryTls
    return context


def _authority_context(host: str, ca_file: Path | None) -> ssl.SSLContext:
    failure = ""
    try:
        if ca_file is None:
            context = httpx2.create_ssl_context()
        else:
            context = ssl.create_default_context(cafile=ca_file)
    except (ssl.SSLError, OSError) as error:
        failure = "is not a PEM file" if isinstance(error, ssl.SSLError) else "cannot be read"
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    named = "the file named by SSL_CERT_FILE" if ca_file is None else f"civicrm.ca_file {ca_file}"
    raise UntrustedCertificate(host=host, reason=f"{named} {failure}")

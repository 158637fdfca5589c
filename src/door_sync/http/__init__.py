"""HTTP as the adapters see it: a client, requests and replies as data, one tree of errors.

Nothing outside this package knows the HTTP library, its retry machinery, or ssl.
"""

from door_sync.http.certificate import shown_fingerprint
from door_sync.http.client import Counters, HttpClient
from door_sync.http.errors import (
    ConnectionLost,
    HttpError,
    ProtocolBroken,
    TimedOut,
    TooLarge,
    TooMuch,
    Unreachable,
    UntrustedCertificate,
    WrongCertificate,
)
from door_sync.http.messages import Form, Json, Reply, Request, RetryClass, Upload
from door_sync.http.tls import AuthorityTls, PinnedTls, PlainHttp, Tls, fingerprint_of

__all__ = [
    "AuthorityTls",
    "ConnectionLost",
    "Counters",
    "Form",
    "HttpClient",
    "HttpError",
    "Json",
    "PinnedTls",
    "PlainHttp",
    "ProtocolBroken",
    "Reply",
    "Request",
    "RetryClass",
    "TimedOut",
    "Tls",
    "TooLarge",
    "TooMuch",
    "Unreachable",
    "UntrustedCertificate",
    "Upload",
    "WrongCertificate",
    "fingerprint_of",
    "shown_fingerprint",
]

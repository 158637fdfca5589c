"""The certificate that a host shows, looked at before anybody trusts it.

Not one byte is sent on such a connection but the handshake itself (P11): a token can reach only a
host whose fingerprint a person has compared and pinned.
"""

import socket
import ssl
from contextlib import suppress

from door_sync.http.errors import Unreachable
from door_sync.http.tls import fingerprint_of
from door_sync.http.transport import why_no_connection, why_no_tls
from door_sync.settings.addresses import host_address


def shown_fingerprint(address: str, *, timeout_seconds: float) -> str:
    """Given `https://HOST[:PORT]`, return the SHA-256 of the certificate shown there, as AB:CD:….

    No proxy stands between, and nobody is asked whether the certificate is good. Each of
    connecting and shaking hands may take `timeout_seconds`. Raise Unreachable.
    """
    where = host_address(address)
    try:
        plain = socket.create_connection((where.host, where.port), timeout_seconds)
    except TimeoutError:
        reason = f"no connection within {timeout_seconds:g} seconds"
        raise Unreachable(host=where.url, reason=reason) from None
    except OSError as error:
        raise Unreachable(host=where.url, reason=why_no_connection(error)) from None
    with plain:
        return fingerprint_of(_certificate(plain, where.host, where.url))


def _certificate(plain: socket.socket, host: str, url: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # The handshake comes afterwards, so that the socket is closed whichever way it fails.
        with context.wrap_socket(
            plain, server_hostname=host, do_handshake_on_connect=False
        ) as secured:
            secured.do_handshake()
            shown = secured.getpeercert(binary_form=True) or b""
            with suppress(OSError):  # it has shown what was asked for; how it parts is its affair
                secured.shutdown(socket.SHUT_RDWR)
    except TimeoutError:
        reason = "it did not finish the TLS handshake in time"
        raise Unreachable(host=url, reason=reason) from None
    except OSError as error:
        raise why_no_tls(error, url) from None
    return shown

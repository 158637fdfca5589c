"""CiviCRM's side: ordinary verification, private authorities, and proxies where wanted."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from door_sync.http import (
    AuthorityTls,
    HttpClient,
    PlainHttp,
    Request,
    RetryClass,
    TimedOut,
    Unreachable,
    UntrustedCertificate,
)
from tests.http.conftest import OK, Connection, FakeClock, Identity, RawServer, answering

Serve = Callable[..., RawServer]
ClientFor = Callable[..., HttpClient]
Identities = tuple[Identity, Identity]

READ = Request("GET", "/civicrm/ajax/api4/Contact/get", RetryClass.READ, is_write=False)
PROXY_VARIABLES = [
    spelling
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
    for spelling in (name, name.lower())
]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


def server_context(issued: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


def test_a_private_authority_is_trusted_where_its_file_is_named(
    serve: Serve, client_for: ClientFor, identities: Identities, ca_file: Path
) -> None:
    server = serve(answering(), identities[0].context)
    assert client_for(server.url, AuthorityTls(ca_file)).send(READ).status == 200


def test_ssl_cert_file_is_honoured(
    serve: Serve,
    client_for: ClientFor,
    identities: Identities,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    server = serve(answering(), identities[0].context)
    assert client_for(server.url, AuthorityTls()).send(READ).status == 200


def test_an_unknown_authority_gets_no_byte_and_no_second_try(
    serve: Serve, client_for: ClientFor, identities: Identities
) -> None:
    server = serve(answering(), identities[0].context)
    client = client_for(server.url, AuthorityTls(), headers={"X-Civi-Auth": "Bearer key"})
    with pytest.raises(UntrustedCertificate) as caught:
        client.send(READ)
    assert "civicrm.ca_file" in caught.value.remedy
    assert server.received == [b""]
    assert not caught.value.maybe_carried_out


def test_a_certificate_for_another_name_is_refused_and_the_reason_told(
    serve: Serve, client_for: ClientFor, authority: trustme.CA, ca_file: Path
) -> None:
    server = serve(answering(), server_context(authority.issue_cert("crm.example.org")))
    with pytest.raises(UntrustedCertificate, match=r"not valid for '127\.0\.0\.1'"):
        client_for(server.url, AuthorityTls(ca_file)).send(READ)


def test_a_certificate_that_ran_out_is_refused_and_the_reason_told(
    serve: Serve, client_for: ClientFor, authority: trustme.CA, ca_file: Path
) -> None:
    old = authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    server = serve(answering(), server_context(old))
    with pytest.raises(UntrustedCertificate, match="expired"):
        client_for(server.url, AuthorityTls(ca_file)).send(READ)


def test_a_file_of_authorities_that_cannot_be_used_is_named(
    client_for: ClientFor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://crm.example.org"
    with pytest.raises(UntrustedCertificate, match=r"absent\.pem cannot be read"):
        client_for(url, AuthorityTls(tmp_path / "absent.pem"))
    (tmp_path / "words.pem").write_text("no certificate")
    with pytest.raises(UntrustedCertificate, match=r"words\.pem is not a PEM file"):
        client_for(url, AuthorityTls(tmp_path / "words.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    with pytest.raises(UntrustedCertificate, match="SSL_CERT_FILE cannot be read"):
        client_for(url, AuthorityTls())


def test_a_server_without_tls_is_told_as_such(
    serve: Serve, client_for: ClientFor, ca_file: Path
) -> None:
    def plain(connection: Connection) -> None:
        connection.socket.recv(1)
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = serve(plain)
    with pytest.raises(Unreachable, match="does not speak TLS"):
        client_for(f"https://{server.host}", AuthorityTls(ca_file)).send(READ)


def test_a_server_that_hangs_up_in_the_handshake_is_unreachable(
    serve: Serve, client_for: ClientFor, ca_file: Path
) -> None:
    def rude(connection: Connection) -> None:
        connection.socket.recv(1)
        connection.reset()

    server = serve(rude)
    with pytest.raises(Unreachable, match="broke off the TLS handshake"):
        client_for(f"https://{server.host}", AuthorityTls(ca_file)).send(READ)
    assert len(server.received) == 3


class TunnelProxy:
    """A proxy's script: answers CONNECT, then is the far end itself."""

    def __init__(self, answer: bytes, context: ssl.SSLContext) -> None:
        self.answer = answer
        self.context = context
        self.connects: list[bytes] = []
        self.requests: list[bytes] = []

    def __call__(self, connection: Connection) -> None:
        self.connects.append(connection.request())
        connection.send(self.answer)
        if b" 200 " not in self.answer:
            return
        connection.socket = self.context.wrap_socket(connection.socket, server_side=True)
        while request := connection.request():
            self.requests.append(request)
            connection.send(OK)


@pytest.fixture
def tunnel(identities: Identities) -> TunnelProxy:
    return TunnelProxy(b"HTTP/1.1 200 Connected\r\n\r\n", identities[0].context)


def test_a_proxy_from_the_environment_is_used_only_where_it_is_trusted(
    serve: Serve,
    client_for: ClientFor,
    ca_file: Path,
    tunnel: TunnelProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = serve(tunnel)
    monkeypatch.setenv("https_proxy", f"http://{proxy.host}")
    url = "https://localhost:2"  # where nothing listens
    with pytest.raises(Unreachable):
        client_for(url, AuthorityTls(ca_file)).send(READ)
    assert not tunnel.connects

    client = client_for(url, AuthorityTls(ca_file), trust_environment_proxies=True)
    assert client.send(READ).status == 200
    assert client.send(READ).status == 200
    assert tunnel.connects[0].startswith(b"CONNECT localhost:2 ")
    assert len(tunnel.connects) == 1
    assert len(tunnel.requests) == 2


def test_a_proxy_gets_its_own_password_and_never_the_key(
    serve: Serve,
    client_for: ClientFor,
    ca_file: Path,
    tunnel: TunnelProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = serve(tunnel)
    monkeypatch.setenv("ALL_PROXY", f"us%65r:p%40ss@{proxy.host}")
    client = client_for(
        "https://localhost:2",
        AuthorityTls(ca_file),
        headers={"X-Civi-Auth": "Bearer the-key"},
        trust_environment_proxies=True,
    )
    assert client.send(READ).status == 200
    assert b"Basic dXNlcjpwQHNz" in tunnel.connects[0]  # user:p@ss
    assert b"the-key" not in tunnel.connects[0]
    assert b"the-key" in tunnel.requests[0]
    assert b"Basic" not in tunnel.requests[0]


def test_no_proxy_excepts_a_host(
    serve: Serve,
    client_for: ClientFor,
    identities: Identities,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(answering(), identities[0].context)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
    client = client_for(server.url, AuthorityTls(ca_file), trust_environment_proxies=True)
    assert client.send(READ).status == 200


def test_a_proxy_that_refuses_makes_the_host_unreachable(
    serve: Serve,
    client_for: ClientFor,
    ca_file: Path,
    identities: Identities,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request surely did not arrive, so that even a create may be sent again."""
    tunnel = TunnelProxy(
        b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", identities[0].context
    )
    proxy = serve(tunnel)
    monkeypatch.setenv("HTTPS_PROXY", f"http://someone:password@{proxy.host}")
    client = client_for(
        "https://localhost:2", AuthorityTls(ca_file), trust_environment_proxies=True
    )
    with pytest.raises(Unreachable, match="the proxy refused") as caught:
        client.send(Request("POST", "/users", RetryClass.ONCE, is_write=True))
    assert not caught.value.maybe_carried_out
    assert "password" not in str(caught.value)
    assert len(tunnel.connects) == 3


def test_what_a_proxy_was_told_is_not_taken_for_the_request(
    serve: Serve,
    client_for: ClientFor,
    ca_file: Path,
    authority: trustme.CA,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When time is up between the handshake and the first byte, nothing was carried out."""
    context = server_context(authority.issue_cert("localhost"))

    def time_flies(*_: object) -> None:
        clock.seconds += 1000

    context.sni_callback = time_flies
    proxy = serve(TunnelProxy(b"HTTP/1.1 200 Connected\r\n\r\n", context))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
    client = client_for(
        "https://localhost:2", AuthorityTls(ca_file), trust_environment_proxies=True
    )
    with pytest.raises(TimedOut) as caught:
        client.send(Request("POST", "/users", RetryClass.NEVER, is_write=True))
    assert not caught.value.maybe_carried_out


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://", "http://host:port", "a..b:1"])
def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_sent(
    client_for: ClientFor, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(Unreachable, match="a proxy that door-sync cannot use") as caught:
        client_for("https://crm.example.org", AuthorityTls(), trust_environment_proxies=True)
    assert "HTTPS_PROXY" in caught.value.remedy


def test_a_reply_tells_when_the_certificate_that_was_verified_ends(
    serve: Serve, client_for: ClientFor, authority: trustme.CA, ca_file: Path
) -> None:
    ends = datetime(2031, 3, 5, 12, tzinfo=UTC)
    issued = authority.issue_cert("127.0.0.1", not_after=ends)
    server = serve(answering(), server_context(issued))
    assert client_for(server.url, AuthorityTls(ca_file)).send(READ).certificate_ends == ends


def test_of_a_connection_without_tls_no_certificate_is_told(
    serve: Serve, client_for: ClientFor
) -> None:
    assert client_for(serve(answering()).url, PlainHttp()).send(READ).certificate_ends is None

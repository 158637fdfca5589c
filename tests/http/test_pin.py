"""The right controller or nobody (P11)."""

import ssl
from collections.abc import Callable

import pytest

from door_sync.http import HttpClient, PinnedTls, Request, RetryClass, WrongCertificate
from door_sync.http.tls import tls_context
from tests.http.conftest import OK, Connection, Identity, RawServer, answering

Serve = Callable[..., RawServer]
ClientFor = Callable[..., HttpClient]
Identities = tuple[Identity, Identity]

READ = Request("GET", "/users", RetryClass.READ, is_write=False, query=(("secret", "value"),))
TOKEN = {"Authorization": "Bearer the-token"}


def one_reply_per_connection(connection: Connection) -> None:
    if connection.request():
        connection.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))


def test_a_host_with_the_pinned_certificate_is_asked(
    serve: Serve, client_for: ClientFor, identities: Identities
) -> None:
    server = serve(answering(), identities[0].context)
    client = client_for(server.url, PinnedTls((identities[0].fingerprint,)), headers=TOKEN)
    reply = client.send(READ)
    assert reply.body == b"{}"
    assert reply.certificate_ends is None, "nobody vouched for it but the pin"
    client.close()
    assert b"Bearer the-token" in server.received[0]


@pytest.mark.parametrize("serving", [0, 1])
def test_either_of_two_fingerprints_will_do_while_a_certificate_is_replaced(
    serve: Serve, client_for: ClientFor, identities: Identities, serving: int
) -> None:
    server = serve(answering(), identities[serving].context)
    both = PinnedTls(tuple(identity.fingerprint for identity in identities))
    assert client_for(server.url, both).send(READ).status == 200


def test_a_fingerprint_may_be_written_without_colons_and_in_lower_case(
    serve: Serve, client_for: ClientFor, identities: Identities
) -> None:
    server = serve(answering(), identities[0].context)
    plain = identities[0].fingerprint.replace(":", "").lower()
    assert client_for(server.url, PinnedTls((plain,))).send(READ).status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_not_one_byte_of_http_reaches_a_host_with_another_certificate(
    serve: Serve,
    client_for: ClientFor,
    identities: Identities,
    version: ssl.TLSVersion,
) -> None:
    shown, pinned = identities
    context = shown.context
    context.minimum_version = context.maximum_version = version
    try:
        server = serve(answering(), context)
        client = client_for(server.url, PinnedTls((pinned.fingerprint,)), headers=TOKEN)
        with pytest.raises(WrongCertificate):
            client.send(READ)
        assert server.received == [b""]
    finally:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED


def test_the_error_names_the_fingerprint_seen_and_the_setting_but_no_secret(
    serve: Serve, client_for: ClientFor, identities: Identities
) -> None:
    shown, pinned = identities
    server = serve(answering(), shown.context)
    client = client_for(server.url, PinnedTls((pinned.fingerprint,)), headers=TOKEN)
    with pytest.raises(WrongCertificate) as caught:
        client.send(READ)
    error = caught.value
    assert error.seen == shown.fingerprint
    assert shown.fingerprint in error.message
    assert server.host in error.message
    assert "unifi.tls_fingerprint" in error.remedy
    assert not error.maybe_carried_out
    assert "token" not in f"{error!r} {error} {error.remedy}"
    assert "secret" not in f"{error!r} {error} {error.remedy}"


def test_a_wrong_certificate_is_no_passing_trouble(
    serve: Serve, client_for: ClientFor, identities: Identities
) -> None:
    """It is not an OSError and is not tried again, whatever may be repeated otherwise."""
    server = serve(answering(), identities[0].context)
    client = client_for(server.url, PinnedTls((identities[1].fingerprint,)))
    with pytest.raises(WrongCertificate) as caught:
        client.send(READ)
    assert not isinstance(caught.value, OSError)
    assert len(server.received) == 1
    assert client.counters.retries == 0


def test_a_certificate_swapped_in_between_is_refused_at_the_next_handshake(
    serve: Serve, client_for: ClientFor, identities: Identities
) -> None:
    pinned, swapped = identities
    server = serve(one_reply_per_connection, pinned.context)
    client = client_for(server.url, PinnedTls((pinned.fingerprint,)), headers=TOKEN)
    assert client.send(READ).status == 200
    assert client.send(READ).status == 200
    server.context = swapped.context
    with pytest.raises(WrongCertificate):
        client.send(READ)
    assert [bool(received) for received in server.received] == [True, True, False]


def test_no_proxy_ever_stands_before_the_controller(
    serve: Serve,
    client_for: ClientFor,
    identities: Identities,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(answering(), identities[0].context)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    pin = PinnedTls((identities[0].fingerprint,))
    client = client_for(server.url, pin, trust_environment_proxies=True)
    assert client.send(READ).status == 200


def test_nothing_older_than_tls_1_2_is_spoken_and_no_connection_renegotiated() -> None:
    context = tls_context(PinnedTls(("ab" * 32,)), "https://192.0.2.1")
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION


def test_tls_without_a_socket_fails_closed(identities: Identities) -> None:
    """The library takes that way for TLS inside TLS, where the socket's check is not run."""
    context = tls_context(PinnedTls((identities[0].fingerprint,)), "https://192.0.2.1")
    assert context is not None
    inside = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())
    with pytest.raises(WrongCertificate):
        inside.do_handshake()


@pytest.mark.parametrize("fingerprints", [(), ("AB:CD",), ("ab" * 20,), ("gg" * 32,)])
def test_a_missing_or_malformed_pin_is_refused_at_once(
    client_for: ClientFor, fingerprints: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        client_for("https://192.0.2.1:12445", PinnedTls(fingerprints))

"""The right controller and the right CiviCRM, or nobody (P11): the whole program before servers
that are somebody else, or become it.

tests/http/test_pin.py and test_authority.py look at the client alone; here it is the program, with
its exit code, its words, and what the wrong host was told.
"""

import ssl
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from door_sync.simulators.tls import self_signed, server_context
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.cli.conftest import Ran, Site
from tests.http.conftest import Connection, RawServer
from tests.proof.wire.tls_servers import asked_once, old_tls, tunnel

Serve = Callable[..., RawServer]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def leaver(site: Site) -> Iterator[int]:
    """A site after a clean cycle, and a member whose access must end: something to write."""
    contact = site.club.join("50001")
    site.settle()
    site.club.lapse(contact)
    yield contact
    assert not site.club.unifi.journal.writes(), "something was written"


def listening(connection: Connection) -> None:
    """Answer whatever is asked, as if all were well."""
    while connection.request():
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def failed(site: Site, *words: str) -> str:
    """Run a cycle that must fail, and return what it said."""
    ran: Ran = site.run("run", "--once")
    said = ran.out + ran.err
    assert ran.code == 2, said
    assert "Traceback" not in said
    assert DEFAULT_TOKEN not in said
    assert site.civicrm_key not in said
    for word in words:
        assert word in said
    return said


# The controller's side


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.usefixtures("leaver")
def test_another_certificate_is_told_with_its_fingerprint_and_how_to_check_it(
    site: Site,
    serve: Serve,
    version: ssl.TLSVersion,
) -> None:
    stranger = self_signed("unifi.local")
    context = server_context(stranger)
    context.minimum_version = context.maximum_version = version
    server = serve(listening, context)
    site.configure(unifi__host=server.url)
    failed(site, stranger.fingerprint, "unifi.tls_fingerprint", "openssl s_client", server.host)
    assert set(server.received) == {b""}


@pytest.mark.usefixtures("leaver")
def test_a_man_in_the_middle_who_passes_everything_on_learns_nothing(
    site: Site,
    serve: Serve,
) -> None:
    """He has a certificate of his own, so that he can read; the pin is not his."""
    server = serve(listening, server_context(self_signed("unifi.local")))
    with tunnel(server.port) as (port, recording):
        site.configure(unifi__host=f"https://127.0.0.1:{port}")
        failed(site, "showed a certificate that is not the pinned one")
    assert set(server.received) == {b""}
    assert recording.raw
    assert not recording.speaks_http
    assert recording.application_records <= 2 * len(recording.raw)


def test_a_wire_that_only_passes_on_changes_nothing(site: Site) -> None:
    """The same tunnel before the right controller: it proves that the one above could tell."""
    site.club.join("50001")
    port = site.club.unifi_server.port
    with tunnel(port) as (near, recording):
        site.configure(unifi__host=f"https://127.0.0.1:{near}")
        assert site.run("run", "--once").code == 0
    assert recording.application_records > 4 * len(recording.raw)
    assert not recording.speaks_http


@pytest.mark.usefixtures("leaver")
def test_an_expired_certificate_is_good_if_it_is_the_pinned_one(
    site: Site,
    serve: Serve,
) -> None:
    """The pin says who it is; consoles run with certificates that ran out years ago (§1.2)."""
    expired = self_signed("unifi.local", until=datetime(2021, 1, 1, tzinfo=UTC))
    server = serve(listening, server_context(expired))
    site.configure(unifi__host=server.url, unifi__tls_fingerprint=expired.fingerprint)
    failed(site, "the reply (HTTP 200) is not the controller's")
    assert any(b"Bearer" in received for received in server.received)


@pytest.mark.usefixtures("leaver")
def test_an_expired_certificate_that_is_another_is_refused_like_any_other(
    site: Site,
    serve: Serve,
) -> None:
    expired = self_signed("unifi.local", until=datetime(2021, 1, 1, tzinfo=UTC))
    server = serve(listening, server_context(expired))
    site.configure(unifi__host=server.url)
    failed(site, expired.fingerprint)
    assert set(server.received) == {b""}


@pytest.mark.usefixtures("leaver")
def test_nothing_older_than_tls_1_2_is_spoken_with_the_controller(
    site: Site,
    serve: Serve,
) -> None:
    certificate = self_signed("unifi.local")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context = old_tls(server_context(certificate))
    server = serve(listening, context)
    site.configure(unifi__host=server.url, unifi__tls_fingerprint=certificate.fingerprint)
    failed(site, "does not speak TLS 1.2 or newer", server.host)
    assert set(server.received) <= {b""}


@pytest.mark.usefixtures("leaver")
def test_a_port_that_speaks_http_in_the_clear_hears_no_http(
    site: Site,
    serve: Serve,
) -> None:
    server = serve(listening)
    site.configure(unifi__host=server.url.replace("http:", "https:"))
    failed(site, "does not speak TLS 1.2 or newer")
    for received in server.received:
        assert received[:1] in (b"", b"\x16"), "it is a ClientHello"
        assert b"Bearer" not in received
        assert b"HTTP" not in received


@pytest.mark.usefixtures("leaver")
def test_who_hangs_up_after_the_hello_is_unreachable(
    site: Site,
    serve: Serve,
) -> None:
    server = serve(lambda connection: connection.socket.recv(1000) and None)
    site.configure(unifi__host=server.url.replace("http:", "https:"))
    failed(site, "cannot be reached", server.host)


@pytest.mark.parametrize("after", [1, 3, 5, 8])
def test_a_certificate_that_changes_in_the_middle_of_a_cycle_ends_it_there(
    after: int,
    site: Site,
    serve: Serve,
) -> None:
    """So many requests are answered by the right controller, each on a connection of its own; then
    somebody else is there. A connection that is kept open stays with whom it was made."""
    for number in range(2):
        site.club.join(f"5000{number}")
    own, stranger = self_signed("unifi.local"), self_signed("unifi.local")
    server = serve(lambda _: None, server_context(own))
    answered: list[bytes] = []

    def pass_on(connection: Connection) -> None:
        request = connection.request()
        if not request:
            return
        answered.append(request)
        reply = asked_once(site.club.unifi_server.port, request)
        if len(answered) == after:  # before the reply, for the next connection comes at once
            server.context = server_context(stranger)
        connection.send(reply)

    server.script = pass_on
    site.configure(
        unifi__host=server.url,
        unifi__tls_fingerprint=own.fingerprint,
        unifi__read_concurrency=1,
    )
    failed(site, stranger.fingerprint, "unifi.tls_fingerprint")
    assert len(answered) == after
    told = [received for received in server.received if received]
    assert len(told) == after, "nobody else was told anything"


# CiviCRM's side


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


def leaf(issued: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


CIVICRM: dict[str, tuple[Callable[[trustme.CA], ssl.SSLContext], str]] = {
    "expired": (
        lambda ca: leaf(
            ca.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
        ),
        "certificate has expired",
    ),
    "of another name": (
        lambda ca: leaf(ca.issue_cert("crm.example.org")),
        "IP address mismatch",
    ),
    "self-signed": (lambda _: server_context(self_signed("127.0.0.1")), "self-signed certificate"),
    "of an unknown authority": (
        lambda _: leaf(trustme.CA().issue_cert("127.0.0.1")),
        "unable to get local issuer certificate",
    ),
}


@pytest.mark.parametrize("case", CIVICRM)
@pytest.mark.usefixtures("leaver")
def test_a_certificate_that_is_not_good_for_civicrm_is_told_with_what_is_wrong(
    case: str,
    site: Site,
    serve: Serve,
    authority: trustme.CA,
    ca_file: Path,
) -> None:
    make, reason = CIVICRM[case]
    server = serve(listening, make(authority))
    site.configure(civicrm__host=server.url, civicrm__ca_file=str(ca_file))
    failed(site, reason, server.host, "so nothing was sent to it", "civicrm.ca_file")
    assert set(server.received) == {b""}


@pytest.mark.usefixtures("leaver")
def test_nothing_older_than_tls_1_2_is_spoken_with_civicrm(
    site: Site,
    serve: Serve,
    authority: trustme.CA,
    ca_file: Path,
) -> None:
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context = old_tls(leaf(authority.issue_cert("127.0.0.1")))
    server = serve(listening, context)
    site.configure(civicrm__host=server.url, civicrm__ca_file=str(ca_file))
    failed(site, "does not speak TLS 1.2 or newer")
    assert set(server.received) <= {b""}


@pytest.mark.parametrize("to", ["http", "https"])
@pytest.mark.usefixtures("leaver")
def test_a_redirect_away_from_civicrm_is_not_followed(
    to: str,
    site: Site,
    serve: Serve,
    authority: trustme.CA,
    ca_file: Path,
) -> None:
    context = leaf(authority.issue_cert("127.0.0.1"))
    other = serve(listening, context if to == "https" else None)

    def moved(connection: Connection) -> None:
        while connection.request():
            connection.send(
                b"HTTP/1.1 307 Moved\r\nLocation: %s/x\r\nContent-Length: 0\r\n\r\n"
                % other.url.encode()
            )

    server = serve(moved, context)
    site.configure(civicrm__host=server.url, civicrm__ca_file=str(ca_file))
    failed(site, "redirect", "civicrm.host")
    assert other.received == []


@pytest.mark.usefixtures("leaver")
def test_a_proxy_that_the_environment_names_sees_no_key_and_no_word_for_the_controller(
    site: Site,
    serve: Serve,
    authority: trustme.CA,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is asked for a tunnel to CiviCRM, and refuses; the controller is never asked of it."""

    def refuse(connection: Connection) -> None:
        while connection.request():
            connection.send(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

    proxy = serve(refuse)
    civicrm = serve(listening, leaf(authority.issue_cert("127.0.0.1")))
    site.configure(civicrm__host=civicrm.url, civicrm__ca_file=str(ca_file))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    failed(site, "the proxy refused to connect to it")
    heard = b"".join(proxy.received)
    assert b"CONNECT " + civicrm.host.encode() in heard
    assert site.club.unifi_server.url.removeprefix("https://").encode() not in heard
    assert site.civicrm_key.encode() not in heard
    assert civicrm.received == []

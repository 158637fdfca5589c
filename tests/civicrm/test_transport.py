"""What becomes of a request that gets no reply, on real sockets."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from door_sync.civicrm import CivicrmSource
from door_sync.civicrm.client import _TRANSLATED
from door_sync.core.people import ContactId
from door_sync.http import (
    AuthorityTls,
    HttpClient,
    HttpError,
    PlainHttp,
    Reply,
    Request,
    Unreachable,
)
from door_sync.ports import SourceDistrusted, SourceError, SourceUnreachable
from door_sync.simulators.faults import FaultPlan, Hang, Reset, Truncate
from door_sync.simulators.serving import Server, serve
from door_sync.simulators.tls import Certificate, self_signed


class RealClock:
    """The machine's own time; nothing here waits by it."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("a reader never waits by itself")


def leaves(root: type[HttpError]) -> set[type[HttpError]]:
    below = root.__subclasses__()
    return {leaf for branch in below for leaf in leaves(branch)} if below else {root}


def source(client: HttpClient) -> CivicrmSource:
    return CivicrmSource(
        client,
        auth="x-civi-auth",
        path="/civicrm/ajax/api4",
        card_id_field="Door_Access.card_id",
        active_statuses=["Current"],
        page_size=10,
    )


def failure(client: HttpClient) -> SourceError:
    with client, pytest.raises(SourceError) as caught:
        source(client).read()
    return caught.value


def client_of(url: str, ca_file: Path | None = None, *, timeout_seconds: float = 10) -> HttpClient:
    return HttpClient(
        url,
        headers={"X-Civi-Auth": "Bearer KEY"},
        tls=PlainHttp() if url.startswith("http:") else AuthorityTls(ca_file),
        timeout_seconds=timeout_seconds,
        clock=RealClock(),
        attempts=1,
        max_body_bytes=1000,
        trust_environment_proxies=False,
    )


async def empty_page(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"." * 600})


@pytest.fixture
def faults() -> Iterator[FaultPlan]:
    plan = FaultPlan()
    yield plan
    plan.clear()


@pytest.fixture
def server(faults: FaultPlan) -> Iterator[Server]:
    with serve(faults.around(empty_page), certificate=None) as server:
        yield server


class Failing(HttpClient):
    """A client whose every request ends in the same error."""

    def __init__(self, error: HttpError) -> None:
        self.error = error

    def send(self, request: Request) -> Reply:
        raise self.error


@pytest.mark.parametrize("kind", sorted(leaves(HttpError), key=str))
def test_every_kind_of_http_error_becomes_a_source_error_with_its_words(
    kind: type[HttpError],
) -> None:
    """None is forgotten, those of tomorrow included."""
    error = kind.__new__(kind)
    HttpError.__init__(error, "what", host="h", remedy="do this", maybe_carried_out=False)
    for ask in (CivicrmSource.read, lambda source: source.read_contacts([ContactId(4)])):
        with pytest.raises(SourceError) as caught:
            ask(source(Failing(error)))
        assert type(caught.value) is _TRANSLATED[kind]
        assert (caught.value.message, caught.value.remedy) == ("what", "do this")


def test_a_question_about_nobody_asks_nothing() -> None:
    error = Unreachable(host="h", reason="it was asked")
    assert source(Failing(error)).read_contacts([]) == {}


def test_a_server_that_is_off_is_unreachable(server: Server) -> None:
    server.stop()
    error = failure(client_of(server.url))
    assert type(error) is SourceUnreachable
    assert server.url in error.message


@pytest.mark.parametrize("fault", [Reset(), Reset(after=True), Truncate(cut=True)])
def test_a_connection_that_breaks_is_unreachable(
    server: Server, faults: FaultPlan, fault: Reset | Truncate
) -> None:
    faults.add(fault)
    assert type(failure(client_of(server.url))) is SourceUnreachable


def test_a_server_that_never_answers_is_unreachable(server: Server, faults: FaultPlan) -> None:
    faults.add(Hang())
    error = failure(client_of(server.url, timeout_seconds=0.1))
    assert type(error) is SourceUnreachable
    assert "timeout_seconds" in error.remedy


@pytest.fixture
def certificate() -> Certificate:
    return self_signed("crm", san=["127.0.0.1"])


def test_a_certificate_that_nobody_vouches_for_is_distrusted(
    certificate: Certificate, tmp_path: Path
) -> None:
    other = tmp_path / "ca.pem"
    other.write_bytes(self_signed("another", san=["127.0.0.1"]).pem_cert)
    with serve(empty_page, certificate=certificate) as server:
        error = failure(client_of(server.url, other))
    assert type(error) is SourceDistrusted
    assert "civicrm.ca_file" in error.remedy


def test_a_certificate_of_a_named_authority_lets_the_answer_through(
    certificate: Certificate, tmp_path: Path
) -> None:
    own = tmp_path / "ca.pem"
    own.write_bytes(certificate.pem_cert)
    with serve(empty_page, certificate=certificate) as server:
        error = failure(client_of(server.url, own))
    assert "no content type" in error.message

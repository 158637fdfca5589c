"""What becomes of a request that gets no reply, on real sockets."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from door_sync.civicrm import CivicrmSource
from door_sync.civicrm.client import _TRANSLATED
from door_sync.core.people import ContactId
from door_sync.http import (
    HttpClient,
    HttpError,
    Reply,
    Request,
    Unreachable,
)
from door_sync.ports import SourceDistrusted, SourceError, SourceUnreachable
from door_sync.simulators.faults import FaultPlan, Hang, Reset, Truncate
from door_sync.simulators.serving import Server, serve
from door_sync.simulators.tls import Certificate, self_signed

MakeClient = Callable[..., HttpClient]


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
    with pytest.raises(SourceError) as caught:
        source(client).read()
    return caught.value


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

    def reading(self) -> AbstractContextManager[None]:
        return nullcontext()


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


def test_a_server_that_is_off_is_unreachable(server: Server, make_client: MakeClient) -> None:
    server.stop()
    error = failure(make_client(server.url))
    assert type(error) is SourceUnreachable
    assert server.url in error.message


@pytest.mark.parametrize("fault", [Reset(), Reset(after=True), Truncate(cut=True)])
def test_a_connection_that_breaks_is_unreachable(
    server: Server, faults: FaultPlan, make_client: MakeClient, fault: Reset | Truncate
) -> None:
    faults.add(fault)
    assert type(failure(make_client(server.url))) is SourceUnreachable


def test_a_server_that_never_answers_is_unreachable(
    server: Server, faults: FaultPlan, make_client: MakeClient
) -> None:
    faults.add(Hang())
    error = failure(make_client(server.url, timeout_seconds=0.1))
    assert type(error) is SourceUnreachable
    assert "timeout_seconds" in error.remedy


@pytest.fixture
def certificate() -> Certificate:
    return self_signed("crm", san=["127.0.0.1"])


def test_a_certificate_that_nobody_vouches_for_is_distrusted(
    certificate: Certificate, make_client: MakeClient, tmp_path: Path
) -> None:
    other = tmp_path / "ca.pem"
    other.write_bytes(self_signed("another", san=["127.0.0.1"]).pem_cert)
    with serve(empty_page, certificate=certificate) as server:
        error = failure(make_client(server.url, ca_file=other))
    assert type(error) is SourceDistrusted
    assert "civicrm.ca_file" in error.remedy


def test_a_certificate_of_a_named_authority_lets_the_answer_through(
    certificate: Certificate, make_client: MakeClient, tmp_path: Path
) -> None:
    own = tmp_path / "ca.pem"
    own.write_bytes(certificate.pem_cert)
    with serve(empty_page, certificate=certificate) as server:
        error = failure(make_client(server.url, ca_file=own))
    assert "no content type" in error.message


def test_an_answer_larger_than_any_page_is_distrusted(
    server: Server, make_client: MakeClient
) -> None:
    error = failure(make_client(server.url, max_body_bytes=500))
    assert type(error) is SourceDistrusted
    assert "larger than 500 bytes" in error.message

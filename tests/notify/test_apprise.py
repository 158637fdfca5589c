"""Other services by Apprise: its JSON service over real sockets, with real TLS (P12, P14)."""

import json
import logging
import ssl
from collections.abc import Iterator

import pytest
import structlog

from door_sync.notify.apprise import AppriseMessages
from door_sync.notify.notifier import NotifyError
from door_sync.settings import Secret
from tests.notify.conftest import WebServer

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""A plugin of Apprise imports a module that Python 3.13 no longer has, if it is there."""


@pytest.fixture
def other_server(server_context: ssl.SSLContext) -> Iterator[WebServer]:
    server = WebServer(server_context)
    yield server
    server.close()


def url(server: WebServer) -> Secret:
    return Secret(f"jsons://user:sesame@localhost:{server.port}/hook/token123")


def failure(channel: AppriseMessages) -> NotifyError:
    with pytest.raises(NotifyError) as raised:
        channel.send("Subject", "Text")
    for secret in ("sesame", "token123", "localhost"):
        assert secret not in f"{raised.value.message} {raised.value.remedy} {raised.value.code}"
    return raised.value


@pytest.mark.usefixtures("trusted")
def test_each_address_gets_the_message_as_plain_text(
    web_server: WebServer, other_server: WebServer
) -> None:
    AppriseMessages((url(web_server), url(other_server))).send("Cards", "One <two> & three.\n")
    for server in (web_server, other_server):
        [(head, body)] = server.requests
        assert head.startswith("POST /hook/token123")
        content = json.loads(body)
        assert content["title"] == "[door-sync] Cards"
        assert content["message"].rstrip() == "One <two> & three."


@pytest.mark.usefixtures("trusted")
def test_a_long_text_comes_whole_in_parts(web_server: WebServer) -> None:
    text = "".join(f"Contact {number} waits.\n" for number in range(5000))
    AppriseMessages((url(web_server),)).send("Cards", text)
    told = "".join(json.loads(body)["message"] for _, body in web_server.requests)
    assert len(web_server.requests) > 1
    assert [word for word in told.split() if word.isdigit()] == [str(n) for n in range(5000)]


@pytest.mark.usefixtures("trusted")
def test_a_refusal_is_a_failure_and_nothing_of_the_address_is_said(
    web_server: WebServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    web_server.statuses = [500, 500, 500]
    caplog.set_level(logging.DEBUG)
    assert failure(AppriseMessages((url(web_server),))).code == "not taken"
    out, err = capfd.readouterr()
    for secret in ("sesame", "token123"):
        assert secret not in caplog.text + out + err


def test_a_certificate_of_nobody_we_trust_gets_no_message(
    web_server: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert failure(AppriseMessages((url(web_server),))).code == "not taken"
    assert web_server.requests == []
    assert "token123" not in caplog.text


@pytest.mark.usefixtures("trusted")
def test_one_dead_service_does_not_hide_that_the_other_took_it(
    web_server: WebServer, other_server: WebServer
) -> None:
    web_server.close()
    with structlog.testing.capture_logs() as logs:
        AppriseMessages((url(web_server), url(other_server))).send("Subject", "Text")
    assert len(other_server.requests) == 1
    [line] = logs
    assert line["failed"] == 1


def test_an_address_that_apprise_does_not_know_is_named_by_its_number() -> None:
    error = failure(AppriseMessages((Secret("json://localhost/"), Secret("nonsense://sesame"))))
    assert "address 2 of APPRISE_URLS" in error.message


def test_its_repr_shows_no_address() -> None:
    assert "sesame" not in repr(AppriseMessages((Secret("nonsense://sesame"),)))


def test_addresses_are_read_without_asking_any_service() -> None:
    urls = (Secret("jsons://user:sesame@localhost:9/hook"), Secret("json://localhost:9/hook"))
    assert AppriseMessages(urls).read_addresses() == 2
    with pytest.raises(NotifyError, match="does not understand address 2") as raised:
        AppriseMessages((urls[0], Secret("nosuchservice://sesame"))).read_addresses()
    assert "sesame" not in raised.value.message

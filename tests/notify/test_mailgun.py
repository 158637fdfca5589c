"""Mail by Mailgun: over real sockets, with real TLS (P12, P14)."""

import base64
from urllib.parse import parse_qs

import pytest

from door_sync.app.clock import SystemClock
from door_sync.notify import mailgun
from door_sync.notify.mailgun import MailgunMail
from door_sync.notify.notifier import NotifyError
from door_sync.settings import Secret
from tests.notify.conftest import WebServer

KEY = "key-0123456789"


def channel(server: WebServer, host: str = "127.0.0.1") -> MailgunMail:
    return MailgunMail(
        f"https://{host}:{server.port}",
        "mg.example.org",
        Secret(KEY),
        "door-sync@example.org",
        ("board@example.org", "keeper@example.org"),
        SystemClock(),
        "[doors]",
    )


def failure(one: MailgunMail) -> NotifyError:
    """Return how sending fails; its words name nobody and nothing secret."""
    with pytest.raises(NotifyError) as raised:
        one.send("Subject", "Text")
    for secret in ("example.org", KEY, "told of"):
        assert secret not in f"{raised.value.message} {raised.value.remedy} {raised.value.code}"
    return raised.value


@pytest.mark.usefixtures("trusted")
def test_a_mail_is_one_form_to_the_domain_with_the_key_as_a_password(web_server: WebServer) -> None:
    channel(web_server).send("Cards are blocked", "Line one.\nLine – two.\n")
    [(head, body)] = web_server.requests
    assert head.startswith("POST /v3/mg.example.org/messages HTTP/1.1\r\n")
    login = base64.b64encode(f"api:{KEY}".encode()).decode()
    assert f"authorization: basic {login}".lower() in head.lower()
    assert "content-type: application/x-www-form-urlencoded" in head.lower()
    assert parse_qs(body) == {
        "from": ["door-sync@example.org"],
        "to": ["board@example.org", "keeper@example.org"],
        "subject": ["[doors] Cards are blocked"],
        "text": ["Line one.\nLine – two.\n"],
    }


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (400, "alert.mailgun.from"),
        (401, "MAILGUN_API_KEY"),
        (404, "alert.mailgun.domain"),
        (302, "alert.mailgun.from"),
        (500, "alert.mailgun.from"),
    ],
)
def test_a_refusal_is_told_by_its_status_with_what_settles_it(
    web_server: WebServer, status: int, remedy: str
) -> None:
    web_server.statuses = [status]
    error = failure(channel(web_server))
    assert error.code == str(status)
    assert f"status {status}" in error.message
    assert remedy in error.remedy


@pytest.mark.usefixtures("trusted")
def test_a_request_that_may_have_been_carried_out_is_not_repeated(web_server: WebServer) -> None:
    web_server.statuses = [503]
    failure(channel(web_server))
    assert len(web_server.requests) == 1


@pytest.mark.usefixtures("trusted")
def test_too_many_requests_are_tried_once_more(web_server: WebServer) -> None:
    web_server.statuses = [429]
    channel(web_server).send("Subject", "Text")
    assert len(web_server.requests) == 2


def test_a_certificate_of_nobody_we_trust_gets_no_key(web_server: WebServer) -> None:
    assert "certificate that is not trusted" in failure(channel(web_server)).message
    assert web_server.requests == []


@pytest.mark.usefixtures("trusted")
def test_silence_and_absence_are_told(
    web_server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailgun, "TIMEOUT_SECONDS", 0.2)
    web_server.is_silent = True
    assert "gave no answer in time" in failure(channel(web_server)).message
    web_server.close()
    assert "cannot be reached: nothing listens" in failure(channel(web_server)).message


@pytest.mark.usefixtures("trusted")
def test_a_broken_answer_is_told_by_its_kind(
    web_server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "talk", lambda *_: None)
    assert failure(channel(web_server)).code == "ConnectionLost"


def test_each_region_has_an_address_and_no_repr_names_anybody(web_server: WebServer) -> None:
    assert set(mailgun.BASE_URLS) == {"us", "eu"}
    assert all(url.startswith("https://api.") for url in mailgun.BASE_URLS.values())
    assert "@" not in repr(channel(web_server))
    assert KEY not in repr(channel(web_server))


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("status", "known"), [(200, True), (404, False), (401, None), (500, None)])
def test_the_domain_is_asked_for_without_sending(
    web_server: WebServer, status: int, known: bool | None
) -> None:
    web_server.statuses = [status] * 2
    assert channel(web_server).knows_domain() is known
    assert {head.split(" HTTP")[0] for head, _ in web_server.requests} == {
        "GET /v3/domains/mg.example.org"
    }


@pytest.mark.usefixtures("trusted")
def test_asking_for_the_domain_fails_as_sending_does_where_nobody_answers(
    web_server: WebServer,
) -> None:
    web_server.close()
    with pytest.raises(NotifyError, match="Mailgun cannot be reached"):
        channel(web_server).knows_domain()

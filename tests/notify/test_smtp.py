"""Mail by SMTP: over real sockets, with real TLS (P12, P14)."""

import email
import email.policy
from collections.abc import Callable

import pytest
import structlog

from door_sync.notify import smtp
from door_sync.notify.notifier import NotifyError
from door_sync.notify.smtp import SmtpMail
from door_sync.settings import Secret
from tests.notify.conftest import Behaviour, MailServer

Start = Callable[..., MailServer]
PASSWORD = "correct horse"


def mail(
    port: int, *, starttls: bool = True, login: bool = True, host: str = "127.0.0.1"
) -> SmtpMail:
    return SmtpMail(
        host,
        port,
        starttls,
        "door-sync <door-sync@example.org>",
        ("board@example.org", "Wärtin <keeper@example.org>"),
        "[doors]",
        Secret("doorbot") if login else None,
        Secret(PASSWORD) if login else None,
    )


def failure(channel: SmtpMail) -> NotifyError:
    """Return how sending fails; its words name nobody and nothing secret."""
    with pytest.raises(NotifyError) as raised:
        channel.send("Subject", "Text")
    error = raised.value
    for secret in ("example.org", "doorbot", PASSWORD, "banner"):
        assert secret not in f"{error.message} {error.remedy} {error.code}"
    assert error.__cause__ is None
    return error


@pytest.mark.usefixtures("trusted")
def test_a_mail_goes_over_starttls_to_every_recipient_as_plain_text(mail_server: Start) -> None:
    server = mail_server()
    mail(server.port).send("Cards are blocked", "Line one.\nLine – two.\n")
    [(recipients, text)] = server.mails
    assert [one.split("<")[1].split(">")[0] for one in recipients] == [
        "board@example.org",
        "keeper@example.org",
    ]
    read = email.message_from_string(text, policy=email.policy.default)
    assert read["Subject"] == "[doors] Cards are blocked"
    assert read["From"] == "door-sync <door-sync@example.org>"
    assert read["To"] == "board@example.org, Wärtin <keeper@example.org>"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Message-ID"].endswith("@example.org>")
    assert read["Date"] is not None
    assert read.get_content_type() == "text/plain"
    assert read.get_content().splitlines() == ["Line one.", "Line – two."]


@pytest.mark.usefixtures("trusted")
def test_no_line_is_longer_than_mail_may_have(mail_server: Start) -> None:
    server = mail_server()
    text = f"The cards of contacts {', '.join(map(str, range(2000)))} are blocked."
    mail(server.port).send("Subject", text)
    [(_, sent)] = server.mails
    assert max(map(len, sent.splitlines())) < 998
    read = email.message_from_string(sent, policy=email.policy.default)
    assert read.get_content().strip() == text


@pytest.mark.usefixtures("trusted")
def test_the_password_and_the_mail_travel_under_tls_alone(mail_server: Start) -> None:
    server = mail_server()
    mail(server.port).send("Subject", "Text")
    in_the_clear = [text.split(" ")[0].upper() for text, is_secret in server.heard if not is_secret]
    assert in_the_clear == ["EHLO", "STARTTLS"]
    assert any(text.startswith("AUTH") for text, is_secret in server.heard if is_secret)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("starttls", [True, False])
def test_the_port_for_it_means_tls_from_the_first_byte_whatever_starttls_says(
    mail_server: Start, monkeypatch: pytest.MonkeyPatch, starttls: bool
) -> None:
    server = mail_server(tls=True)
    monkeypatch.setattr(smtp, "SMTPS_PORT", server.port)
    mail(server.port, starttls=starttls).send("Subject", "Text")
    assert len(server.mails) == 1
    assert all(is_secret for _, is_secret in server.heard)
    assert "STARTTLS" not in [text for text, _ in server.heard]


def test_without_starttls_and_without_a_login_the_mail_goes_as_it_is(mail_server: Start) -> None:
    server = mail_server(Behaviour(offers=("8BITMIME",)))
    mail(server.port, starttls=False, login=False).send("Subject", "Text")
    assert len(server.mails) == 1
    assert not any(text.startswith("AUTH") for text, _ in server.heard)


def test_a_certificate_of_nobody_we_trust_gets_no_password(mail_server: Start) -> None:
    server = mail_server()
    error = failure(mail(server.port))
    assert "certificate is not trusted" in error.message
    assert "alert.smtp.host" in error.remedy
    assert server.mails == []
    assert not any(text.startswith("AUTH") for text, _ in server.heard)


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_refused(
    mail_server: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = mail_server()
    monkeypatch.setattr(
        "socket.getaddrinfo",
        lambda *_a, **_k: [(2, 1, 6, "", ("127.0.0.1", server.port))],
    )
    assert "not trusted" in failure(mail(server.port, host="mail.example.com")).message


@pytest.mark.usefixtures("trusted")
def test_a_server_that_offers_no_starttls_is_not_spoken_to_in_the_clear(mail_server: Start) -> None:
    server = mail_server(Behaviour(offers=("AUTH PLAIN",)))
    error = failure(mail(server.port))
    assert error.code == "not supported"
    assert [text.split(" ")[0].upper() for text, _ in server.heard] == ["EHLO"]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("replies", "code", "message"),
    [
        ({"AUTH": "535 banner: no doorbot here"}, "535", "refused the login"),
        ({"RCPT": "550 banner: no board@example.org"}, "550", "refused every recipient"),
        ({"MAIL": "451 banner: not now"}, "451", "refused the message"),
        ({"DATA": "554 banner: spam"}, "554", "refused the message"),
        ({"CONNECT": "421 banner: busy"}, "421", "refused the message"),
    ],
)
def test_a_refusal_is_told_by_its_code_alone(
    mail_server: Start, replies: dict[str, str], code: str, message: str
) -> None:
    error = failure(mail(mail_server(Behaviour(replies=replies)).port))
    assert error.code == code
    assert message in error.message
    assert code in error.message
    assert error.remedy


@pytest.mark.usefixtures("trusted")
def test_a_mail_that_some_recipients_refuse_is_sent_and_the_log_counts_them(
    mail_server: Start,
) -> None:
    refusal = {"RCPT TO:<keeper": "550 banner: no keeper@example.org"}
    server = mail_server(Behaviour(replies=refusal))
    with structlog.testing.capture_logs() as logs:
        mail(server.port).send("Subject", "Text")
    assert [len(recipients) for recipients, _ in server.mails] == [1]
    [line] = logs
    assert (line["refused"], line["of"]) == (1, 2)
    assert "example.org" not in str(line)


@pytest.mark.usefixtures("trusted")
def test_a_server_that_hangs_up_after_it_took_the_mail_has_taken_it(mail_server: Start) -> None:
    server = mail_server(Behaviour(hangs_up_at="QUIT"))
    mail(server.port).send("Subject", "Text")
    assert len(server.mails) == 1


@pytest.mark.usefixtures("trusted")
def test_a_server_that_hangs_up_before_has_not(mail_server: Start) -> None:
    assert failure(mail(mail_server(Behaviour(hangs_up_at="MAIL")).port)).code == "connection lost"


def test_a_silent_server_is_waited_for_as_long_as_the_limit_says(
    mail_server: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT_SECONDS", 0.05)
    error = failure(mail(mail_server(Behaviour(is_silent=True)).port))
    assert error.code == "timeout"


@pytest.mark.usefixtures("trusted")
def test_a_handshake_that_does_not_come_is_told_as_silence_or_by_its_kind(
    mail_server: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT_SECONDS", 0.2)
    silent = mail_server(Behaviour(is_silent=True))
    monkeypatch.setattr(smtp, "SMTPS_PORT", silent.port)
    assert failure(mail(silent.port)).code == "timeout"
    plain = mail_server()
    monkeypatch.setattr(smtp, "SMTPS_PORT", plain.port)
    assert failure(mail(plain.port)).code == "SSLError"


def test_nobody_there_and_a_name_that_is_not_known_are_told_apart(mail_server: Start) -> None:
    server = mail_server()
    port = server.port
    server.close()
    assert "nothing listens there" in failure(mail(port)).message
    assert "its name is not known" in failure(mail(25, host="mail.invalid")).message


def test_a_file_of_authorities_that_is_none_is_told_by_its_setting(
    mail_server: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", __file__)
    assert "SSL_CERT_FILE" in failure(mail(mail_server().port)).message


def test_other_trouble_is_told_by_its_kind(
    mail_server: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = mail_server(Behaviour(replies={"CONNECT": "garbage"}))
    error = failure(mail(server.port))
    assert error.message


def test_its_repr_names_nobody() -> None:
    shown = repr(mail(25))
    assert "example.org" not in shown
    assert PASSWORD not in shown


@pytest.mark.usefixtures("trusted")
def test_logging_in_alone_sends_nothing(mail_server: Start) -> None:
    server = mail_server()
    mail(server.port).log_in()
    words = [text.split(" ")[0].upper() for text, over_tls in server.heard if over_tls]
    assert words == ["EHLO", "AUTH", "NOOP", "QUIT"]
    assert server.mails == []


@pytest.mark.usefixtures("trusted")
def test_logging_in_alone_finds_a_wrong_password_as_sending_would(mail_server: Start) -> None:
    server = mail_server(Behaviour(replies={"AUTH": "535 no, board@example.org"}))
    with pytest.raises(NotifyError, match="refused the login") as raised:
        mail(server.port).log_in()
    assert "SMTP_PASSWORD" in raised.value.remedy

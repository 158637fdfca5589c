"""`doctor` before the channels: each fault turns its own line, and nobody is called (P14)."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from door_sync.app.checkup import alerts
from door_sync.app.checkup.check import Name
from door_sync.notify import mailgun
from tests.cli.conftest import Site
from tests.cli.doctoring import Bench, Case, Cure, open_secured_club, prove
from tests.club import Club
from tests.notify.conftest import Behaviour, MailServer, WebServer

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""A plugin of Apprise imports a module that Python 3.13 no longer has, if it is there."""

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    with open_secured_club() as club:
        yield club


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def context(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext:
    """The context of a server that this machine trusts."""
    file = tmp_path / "trusted.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(made)
    return made


@pytest.fixture
def mail_server(context: ssl.SSLContext) -> Iterator[MailServer]:
    server = MailServer(context, tls_from_the_start=False, behaviour=Behaviour())
    yield server
    server.close()


@pytest.fixture
def web_server(context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """What answers in Mailgun's place."""
    server = WebServer(context)
    monkeypatch.setitem(mailgun.BASE_URLS, "eu", f"https://127.0.0.1:{server.port}")
    yield server
    server.close()


@pytest.fixture
def bench(site: Site) -> Bench:
    return Bench(site)


@pytest.fixture
def mailing(bench: Bench, mail_server: MailServer) -> Bench:
    """A site that mails its alerts."""
    bench.settings |= {
        "alert__transport": "smtp",
        "alert.smtp__host": "127.0.0.1",
        "alert.smtp__port": mail_server.port,
        "alert.smtp__from": "door-sync@example.org",
        "alert.smtp__to": "board@example.org",
    }
    add_secrets(bench, f"SMTP_USERNAME=doorbot\nSMTP_PASSWORD={PASSWORD}\n")
    bench.configure()
    return bench


@pytest.fixture
def by_mailgun(bench: Bench, web_server: WebServer) -> Bench:
    """A site that mails its alerts by Mailgun."""
    bench.settings |= {
        "alert__transport": "mailgun",
        "alert.mailgun__domain": "mg.example.org",
        "alert.mailgun__region": "eu",
        "alert.mailgun__from": "door-sync@example.org",
        "alert.mailgun__to": "board@example.org",
    }
    add_secrets(bench, "MAILGUN_API_KEY=key-0123456789\n")
    bench.configure()
    return bench


def add_secrets(bench: Bench, lines: str) -> None:
    with bench.site.env_file.open("a") as file:
        file.write(lines)


def test_a_flag_that_cannot_be_raised_turns_its_line(bench: Bench) -> None:
    def inject(bench: Bench, _undoing: ExitStack) -> Cure:
        bench.site.flag.parent.mkdir(exist_ok=True)
        bench.site.flag.mkdir()

        def move_away(remedy: str) -> None:
            assert "Move the directory away" in remedy
            assert "ops.alert_flag" in remedy
            bench.site.flag.rmdir()

        return move_away

    prove(bench, Case("no flag", Name.FLAG, inject))


@pytest.mark.parametrize(
    ("behaviour", "told", "settled_by"),
    [
        (Behaviour(replies={"AUTH": "535 no"}), "refused the login", "SMTP_PASSWORD"),
        (Behaviour(hangs_up_at="EHLO"), "broke off the connection", "alert.smtp.host"),
        (Behaviour(offers=()), "lacks something", "alert.smtp.port"),
    ],
    ids=["a wrong password", "a server that hangs up", "no STARTTLS"],
)
def test_a_mail_server_that_would_take_no_mail_turns_the_line(
    mailing: Bench, mail_server: MailServer, behaviour: Behaviour, told: str, settled_by: str
) -> None:
    def inject(_bench: Bench, _undoing: ExitStack) -> Cure:
        mail_server.behaviour = behaviour

        def settle(remedy: str) -> None:
            assert settled_by in remedy
            mail_server.behaviour = Behaviour()

        return settle

    prove(mailing, Case("no mail", Name.CHANNEL, inject))
    mail_server.behaviour = behaviour
    assert told in mailing.look().line(Name.CHANNEL)["text"]
    assert mail_server.mails == []


def test_a_mail_server_that_is_not_there_turns_the_line(
    mailing: Bench, mail_server: MailServer
) -> None:
    mail_server.close()
    looked = mailing.look()
    assert (looked.code, looked.lines("bad", "warn")) == (2, ["alert channel"])
    assert "alert.smtp.host" in looked.line(Name.CHANNEL)["remedy"]


def test_a_channel_that_lets_us_in_is_good_and_nobody_is_called(
    mailing: Bench, mail_server: MailServer
) -> None:
    line = mailing.look().line(Name.CHANNEL)
    assert line["verdict"] == "ok"
    assert "`door-sync notify-test` sends a real message" in line["text"]
    assert any(text.startswith("AUTH") for text, _ in mail_server.heard)
    assert mail_server.mails == []
    assert "example.org" not in line["text"]


@pytest.mark.parametrize(
    ("status", "verdict"), [(200, "ok"), (404, "bad"), (401, "warn")], ids=["good", "no", "mute"]
)
def test_mailgun_is_asked_for_the_domain_alone(
    by_mailgun: Bench, web_server: WebServer, status: int, verdict: str
) -> None:
    web_server.statuses = [status]
    looked = by_mailgun.look()
    line = looked.line(Name.CHANNEL)
    assert line["verdict"] == verdict
    assert looked.code == (2 if verdict == "bad" else 0)
    assert [head.split(" ")[0] for head, _ in web_server.requests] == ["GET"]
    if verdict == "bad":
        assert "alert.mailgun.domain" in line["remedy"]
    if verdict == "warn":
        assert "`door-sync notify-test`" in line["remedy"]


def test_addresses_for_apprise_are_read_and_none_is_asked(bench: Bench) -> None:
    bench.settings |= {"alert__transport": "apprise"}
    bench.configure()
    good = bench.site.env_file.read_text()
    add_secrets(bench, "APPRISE_URLS=json://localhost:9/hook\n")
    assert "1 understood, none asked" in bench.look().line(Name.CHANNEL)["text"]
    bench.site.env_file.write_text(f"{good}APPRISE_URLS=nosuchservice://sesame\n")
    looked = bench.look()
    assert looked.lines("bad", "warn") == ["alert channel"]
    assert "address 1 of APPRISE_URLS" in looked.line(Name.CHANNEL)["text"]
    assert "sesame" not in str(looked.checks)
    assert "handbook of Apprise" in looked.line(Name.CHANNEL)["remedy"]


def test_alerts_are_looked_at_although_a_key_of_a_side_is_missing(
    mailing: Bench, mail_server: MailServer
) -> None:
    text = mailing.site.env_file.read_text()
    mailing.site.env_file.write_text(text.replace("CIVICRM_API_KEY", "CIVICRM_KEY"))
    looked = mailing.look()
    assert looked.lines("bad") == ["settings"]
    assert looked.line(Name.CHANNEL)["verdict"] == "ok"
    assert mail_server.heard != []


def test_a_channel_without_its_secret_or_its_table_is_not_asked(bench: Bench) -> None:
    bench.configure(alert__transport="apprise")
    assert bench.look().line(Name.CHANNEL)["text"].endswith("a secret is missing or malformed")
    bench.configure(alert__transport="smtp")
    assert bench.look().line(Name.CHANNEL)["text"].startswith("not asked, because alert.smtp")


def test_a_channel_that_nobody_taught_to_be_looked_at_is_a_fault_of_the_program(
    mailing: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "channel_of", lambda *_: None)
    assert mailing.site.run("doctor").code == 2

"""Every cause in a mail, and every way in which a channel says no (P12)."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Final

import pytest

from door_sync.simulators.faults import (
    Answer,
)
from tests.app.watching import at_free
from tests.cli.marked import EMAIL, FIRST, HAND, LAST, SHOUT, Marked, much_to_do, refusal
from tests.mailing import (
    USER,
    add_mail_keys,
    by_mail,
    mail_server,
    texts,
    trusted_context,
)
from tests.notify.conftest import MailServer, WebServer


@pytest.fixture
def mails(
    marked: Marked, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MailServer]:
    """A mail server that the marked site uses; what it took is searched at the end."""
    with mail_server(tmp_path_factory.mktemp("mail"), monkeypatch) as server:
        marked.site.configure(**by_mail(server))
        add_mail_keys(marked.site)
        yield server
    for text in texts(server):
        marked.holds_no_secret(text.encode())
        assert not any(name in text for name in (FIRST, LAST, EMAIL, HAND))


def test_every_cause_in_a_mail(
    marked: Marked, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocked cards stand all the time; the others begin and end one after the other."""
    site, club = marked.site, marked.site.club
    much_to_do(marked)

    def broken(*_: object, **__: object) -> None:
        error = LookupError(SHOUT)
        error.add_note(SHOUT)
        try:
            raise ValueError(SHOUT)
        except ValueError as cause:
            raise error from cause

    marked.run("run", "--once")
    for plan in (club.civicrm.faults, club.unifi.faults):
        plan.add(Answer(200, SHOUT.encode()), times=None)
        marked.run("run", "--once")
        plan.clear()
    with monkeypatch.context() as patched:
        patched.setattr("door_sync.app.cycle.decide", broken)
        for log_format in ("text", "json"):
            assert marked.run("--log-format", log_format, "run", "--once").code == 2
    for _ in range(3):  # something undoes what is written
        club.unifi.world.set_policies(club.user_of(marked.member), [club.gold])
        marked.run("run", "--once")
    stale = club.memberships[marked.member][0]
    club.civicrm.world.set_end_date(stale, club.clock.now().date() - timedelta(days=90))
    club.lapse(marked.member + 2)
    at_free(club, refusal("CODE_PARAMS_INVALID"))
    club.unifi.faults.add(refusal("CODE_PARAMS_INVALID"), method="PUT", times=None)
    assert marked.run("run", "--once").code == 3
    club.unifi.faults.clear()
    site.configure(ops__audit_jsonl=str(site.directory), **by_mail(mails))
    marked.run("run", "--once")
    site.configure(ops__history_db=str(site.directory), **by_mail(mails))
    marked.run("run", "--once")
    site.configure(safety__small_site_max=0, safety__mass_deactivate_pct=0.01, **by_mail(mails))
    club.lapse(marked.member)
    marked.run("run", "--once")
    site.configure(**by_mail(mails))
    club.clock.ahead = timedelta(days=3)
    for _ in range(2):
        marked.run("run", "--once")
    assert len(mails.mails) > 10


REPLIES: Final = ("CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "QUIT")


def test_a_mail_server_that_says_no(marked: Marked, mails: MailServer) -> None:
    mails.behaviour.replies = {"RCPT": f"550 {SHOUT}"}
    marked.run("run", "--once")
    for word in REPLIES:
        for digits in ("421", "451", "535", "550", "999"):
            mails.behaviour.replies = {word: f"{digits} {SHOUT}"}
            marked.run("notify-test")
        mails.behaviour.replies = {}
        mails.behaviour.hangs_up_at = word
        marked.run("notify-test", "--json")
        marked.run("run", "--once")
        mails.behaviour.hangs_up_at = ""
    for offers in ((), ("STARTTLS",), ("STARTTLS", "AUTH XOAUTH2")):
        mails.behaviour.offers = offers
        marked.run("notify-test")
    two = ["board@example.org", "other@example.org"]
    mails.behaviour.offers = ("STARTTLS", "AUTH PLAIN LOGIN")
    marked.site.configure(**{**by_mail(mails), "alert.smtp__to": two})
    mails.behaviour.replies = {"RCPT TO:<board@": f"550 {SHOUT}"}
    marked.run("notify-test")


def test_a_mail_server_that_is_somebody_else(
    marked: Marked, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for keys in (
        {"alert.smtp__port": 9},
        {"alert.smtp__host": "nobody.invalid"},
    ):
        marked.site.configure(**{**by_mail(mails), **keys})
        marked.run("notify-test")
    marked.site.configure(**by_mail(mails))
    monkeypatch.delenv("SSL_CERT_FILE")
    marked.run("notify-test")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at-all.pem")
    marked.run("notify-test")


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # of Apprise
def test_services_that_say_no(
    marked: Marked, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Mailgun and by Apprise: what goes there, what comes back, and what is said of it."""
    site = marked.site
    club_url = site.club.civicrm_server.url
    with (
        trusted_context(tmp_path_factory.mktemp("web"), monkeypatch) as context,
        closing(WebServer(context)) as server,
    ):
        url = f"https://127.0.0.1:{server.port}"
        places = {"us": url, "eu": "https://127.0.0.1:9"}
        monkeypatch.setattr("door_sync.app.channels.BASE_URLS", places)
        mailgun = {
            "alert__transport": "mailgun",
            "alert.mailgun__domain": "mg.example.org",
            "alert.mailgun__from": "door-sync@example.org",
            "alert.mailgun__to": ["board@example.org"],
        }
        with site.env_file.open("a") as file:
            file.write(
                f"MAILGUN_API_KEY=key-secretpass\nAPPRISE_URLS=jsons://127.0.0.1:{server.port}/"
                f" jsons://{USER}:secretpass@127.0.0.1:9/\n"
            )
        for status in (200, 400, 401, 403, 404, 429, 500, 302):
            server.statuses = [status] * 9
            for way in (mailgun, {"alert__transport": "apprise"}):
                site.configure(**way)
                ran = marked.run("notify-test")
                assert ran.code == (0 if status == 200 else 2), ran.out + ran.err
                assert "secretpass" not in ran.out + ran.err
                marked.run("run", "--once")
        site.configure(**{**mailgun, "alert.mailgun__region": "eu"})
        assert marked.run("notify-test").code == 2
        said = " ".join(body for _, body in server.requests)
    assert not any(name in said for name in (FIRST, LAST, EMAIL, HAND, club_url))
    for urls in ("nosuchservice://x", f"{SHOUT}", f"json://{LAST}"):
        site.configure(alert__transport="apprise")
        site.keys()
        with site.env_file.open("a") as file:
            file.write(f"APPRISE_URLS={urls}\n")
        ran = marked.run("notify-test")
        assert "nosuchservice" not in ran.out + ran.err


def test_a_channel_with_a_fault_of_its_own(
    marked: Marked, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LookupError(SHOUT)

    monkeypatch.setattr("door_sync.notify.smtp.SmtpMail.send", broken)
    assert marked.run("notify-test").code == 2
    assert marked.run("run", "--once").code == 0
    assert mails.mails == []

"""A mail server that a site's alerts go to, and what arrived there (P14)."""

import email
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from tests.cli.conftest import Site
from tests.notify.conftest import Behaviour, MailServer

USER, PASSWORD = "doorbot", "correct horse"


@contextmanager
def trusted_context(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """Yield what a server on loopback needs so that this machine trusts it."""
    authority = trustme.CA()
    file = directory / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    yield context


@contextmanager
def mail_server(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """Yield a mail server whose certificate this machine trusts."""
    with trusted_context(directory, monkeypatch) as context:
        running = MailServer(context, tls_from_the_start=False, behaviour=Behaviour())
        try:
            yield running
        finally:
            running.close()


def by_mail(server: MailServer) -> dict[str, object]:
    """Return the settings that let a site mail to this server, for `Site.configure`."""
    return {
        "alert__transport": "smtp",
        "alert.smtp__host": "127.0.0.1",
        "alert.smtp__port": server.port,
        "alert.smtp__from": "door-sync@example.org",
        "alert.smtp__to": ["board@example.org"],
    }


def add_mail_keys(site: Site) -> None:
    """Write the mail server's login into a site's env file."""
    with site.env_file.open("a") as file:
        file.write(f"SMTP_USERNAME={USER}\nSMTP_PASSWORD={PASSWORD}\n")


def subjects(server: MailServer) -> list[str]:
    """Return the subjects of all mails, without the site's prefix."""
    parsed = (
        email.message_from_string(text, policy=email.policy.default) for text in texts(server)
    )
    # A long subject may begin on the next line of a mail.
    return [one["Subject"].strip().removeprefix("[door-sync] ") for one in parsed]


def texts(server: MailServer) -> list[str]:
    """Return all mails as they came."""
    return [text for _, text in server.mails]


def bodies(server: MailServer) -> list[str]:
    """Return the text of all mails."""
    parsed = (
        email.message_from_string(text, policy=email.policy.default) for text in texts(server)
    )
    return [one.get_content().replace("\r\n", "\n") for one in parsed]

"""Mail by Mailgun's HTTP interface: POST /v3/DOMAIN/messages with the key as a password."""

import base64
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from door_sync.http import (
    AuthorityTls,
    Form,
    HttpClient,
    HttpError,
    Request,
    RetryClass,
    TimedOut,
    Unreachable,
    UntrustedCertificate,
)
from door_sync.notify.notifier import NotifyError
from door_sync.ports import Clock
from door_sync.settings import Secret

BASE_URLS: Final = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
"""Where each region answers."""

TIMEOUT_SECONDS: Final = 20.0

_REMEDIES: Final = {
    401: "Put the right MAILGUN_API_KEY into the env file, and look whether alert.mailgun.region "
    "is the one of the domain.",
    404: "Look at alert.mailgun.domain, and whether alert.mailgun.region is the one of the domain.",
    429: "Mailgun takes no more for now; the next cycle tries again.",
}
_OTHER_REMEDY: Final = (
    "Look at alert.mailgun.from and alert.mailgun.to; Mailgun's own log says more."
)


@dataclass(frozen=True, slots=True)
class MailgunMail:
    """Fills the port Notifier."""

    base_url: str
    domain: str
    key: Secret
    sender: str = field(repr=False)
    to: tuple[str, ...] = field(repr=False)
    clock: Clock = field(repr=False)
    subject_prefix: str = "[door-sync]"

    def send(self, subject: str, text: str) -> None:
        """Send one mail; raise NotifyError unless Mailgun took it."""
        fields = (
            ("from", self.sender),
            *(("to", address) for address in self.to),
            ("subject", f"{self.subject_prefix} {subject}".strip()),
            ("text", text),
        )
        # Not repeated without an answer: it may have been taken, and the next cycle comes anyway.
        request = Request(
            "POST",
            f"/v3/{quote(self.domain, safe='')}/messages",
            RetryClass.ONCE,
            is_write=True,
            body=Form(fields),
        )
        status = self._status(request)
        if status != 200:
            raise NotifyError(
                f"Mailgun did not take the message (status {status})",
                code=str(status),
                remedy=_REMEDIES.get(status, _OTHER_REMEDY),
            )

    def knows_domain(self) -> bool | None:
        """Ask Mailgun for the domain, and send nothing; None if the key may not ask.

        A key made for sending from one domain may do nothing else, and looks like a wrong one.
        Raise NotifyError if there is no answer.
        """
        where = f"/v3/domains/{quote(self.domain, safe='')}"
        status = self._status(Request("GET", where, RetryClass.READ, is_write=False))
        return {200: True, 404: False}.get(status)

    def _status(self, request: Request) -> int:
        try:
            return self._asked(request)
        except HttpError as error:
            failure = _translated(error)
        raise failure  # out here, so that no foreign exception hangs behind it

    def _asked(self, request: Request) -> int:
        login = base64.b64encode(f"api:{self.key.reveal()}".encode()).decode("ascii")
        with HttpClient(
            self.base_url,
            headers={"Authorization": f"Basic {login}"},
            tls=AuthorityTls(),
            timeout_seconds=TIMEOUT_SECONDS,
            clock=self.clock,
            attempts=2,
            trust_environment_proxies=True,
        ) as client:
            return client.send(request).status


def _translated(error: HttpError) -> NotifyError:
    match error:
        case TimedOut():
            what = "gave no answer in time"
        case Unreachable():
            what = f"cannot be reached: {error.reason}"
        case UntrustedCertificate():
            what = f"shows a certificate that is not trusted: {error.reason}"
        case _:
            what = "could not be asked"
    return NotifyError(
        f"Mailgun {what}",
        code=type(error).__name__,
        remedy="Look at the network of this machine, at its proxy and at its clock.",
    )

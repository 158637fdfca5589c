"""Mail by an SMTP server: Python's own client, with certificates checked.

What a server says in words is never repeated: it may name the recipient. Its three digits are.
"""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import localtime, make_msgid, parseaddr
from typing import Final

import structlog

from door_sync.http import UntrustedCertificate
from door_sync.http.tls import authority_context
from door_sync.notify.notifier import NotifyError
from door_sync.settings import Secret
from door_sync.settings.model import SMTPS_PORT

TIMEOUT_SECONDS: Final = 20.0
"""How long each exchange with the server may take."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.notify.smtp")

_LOOK: Final = "Look at alert.smtp.host and alert.smtp.port, and at the network between."
_ADDRESSES: Final = "Look at alert.smtp.from and alert.smtp.to; the server's own log says more."


@dataclass(frozen=True, slots=True)
class SmtpMail:
    """Fills the port Notifier. Port 465 means TLS from the first byte, whatever `starttls` says."""

    host: str
    port: int
    starttls: bool
    sender: str = field(repr=False)
    to: tuple[str, ...] = field(repr=False)
    subject_prefix: str = "[door-sync]"
    username: Secret | None = None
    password: Secret | None = None

    def send(self, subject: str, text: str) -> None:
        """Send one mail; raise NotifyError if the server took it for none of the recipients."""
        mail = EmailMessage()
        with _translated():
            mail["From"] = self.sender
            mail["To"] = ", ".join(self.to)
            mail["Subject"] = f"{self.subject_prefix} {subject}".strip()
            mail["Date"] = localtime()
            mail["Message-ID"] = make_msgid(domain=parseaddr(self.sender)[1].rpartition("@")[2])
            mail["Auto-Submitted"] = "auto-generated"
            # A list of many contacts is a longer line than mail may have; this form breaks it.
            mail.set_content(text, cte="quoted-printable")
            with self._connected() as server:
                refused = server.send_message(mail)
        if refused:
            log.warning("some recipients were refused", refused=len(refused), of=len(self.to))

    def log_in(self) -> None:
        """Connect, encrypt and log in as for a mail, and send none; raise NotifyError."""
        with _translated(), self._connected() as server:
            server.noop()

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        if self.port == SMTPS_PORT:
            context = authority_context(self.host)
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        try:
            if self.starttls and self.port != SMTPS_PORT:
                server.starttls(context=authority_context(self.host))
            if self.username is not None and self.password is not None:
                server.login(self.username.reveal(), self.password.reveal())
            yield server
            with suppress(smtplib.SMTPException, OSError):
                server.quit()  # the mail is taken by now; how the two part is nobody's concern
        finally:
            server.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Turn everything that may go wrong into a NotifyError without foreign words."""
    failure: NotifyError
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        failure = NotifyError(
            f"the mail server refused the login (status {error.smtp_code})",
            code=str(error.smtp_code),
            remedy="Put the right SMTP_USERNAME and SMTP_PASSWORD into the env file. Many services "
            "want a password made for a program.",
        )
    except smtplib.SMTPRecipientsRefused as error:
        codes = ", ".join(sorted({str(code) for code, _ in error.recipients.values()}))
        failure = NotifyError(
            f"the mail server refused every recipient (status {codes})",
            code=codes,
            remedy=_ADDRESSES,
        )
    except smtplib.SMTPNotSupportedError:
        failure = NotifyError(
            "the mail server lacks something that the settings ask for: STARTTLS, a login, or "
            "letters beyond ASCII in an address",
            code="not supported",
            remedy="Set alert.smtp.port to 465 if the server speaks TLS there. A server without a "
            "login needs no SMTP_USERNAME.",
        )
    except smtplib.SMTPResponseException as error:
        failure = NotifyError(
            f"the mail server refused the message (status {error.smtp_code})",
            code=str(error.smtp_code),
            remedy=_ADDRESSES,
        )
    except smtplib.SMTPServerDisconnected as error:
        # Python's client calls it so, too, when it gives up waiting for a reply.
        failure = _slow() if isinstance(error.__context__, TimeoutError) else _lost()
    except UntrustedCertificate:  # raised before any connection, for the file of authorities
        failure = NotifyError(
            "the file of authorities that SSL_CERT_FILE names cannot be used",
            code="authorities",
            remedy="Name a PEM file that this user may read, or take the variable away.",
        )
    except TimeoutError:
        failure = _slow()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        failure = _of_other(error)
    else:
        return
    raise failure  # out here, so that no foreign exception hangs behind it


def _slow() -> NotifyError:
    return NotifyError("the mail server did not answer in time", code="timeout", remedy=_LOOK)


def _lost() -> NotifyError:
    text = "the mail server broke off the connection"
    return NotifyError(text, code="connection lost", remedy=_LOOK)


def _of_other(error: Exception) -> NotifyError:
    kind = type(error).__name__
    match kind:
        case "SSLCertVerificationError":
            return NotifyError(
                "the mail server's certificate is not trusted",
                code=kind,
                remedy="Write the name into alert.smtp.host that the certificate was made for. For "
                "a private authority name its PEM file in SSL_CERT_FILE.",
            )
        case "ConnectionRefusedError" | "gaierror":
            what = "nothing listens there" if kind != "gaierror" else "its name is not known"
            return NotifyError(
                f"the mail server cannot be reached: {what}", code=kind, remedy=_LOOK
            )
        case _:
            return NotifyError(
                f"the mail could not be handed over ({kind})", code=kind, remedy=_LOOK
            )

"""Which channel a site's alerts take, and a message handed to it within a time limit (P14)."""

import threading
from datetime import timedelta
from typing import Final, assert_never

from door_sync.notify.alerts import Policy
from door_sync.notify.mailgun import BASE_URLS, MailgunMail
from door_sync.notify.notifier import Notifier, NotifyError
from door_sync.notify.smtp import SmtpMail
from door_sync.ports import Clock
from door_sync.settings import Alert, Secrets, Settings

LIMIT_SECONDS: Final = 60.0
"""How long a cycle waits for a channel. Each has time limits of its own; this is the last one."""

LABELS: Final = {
    "flag-file": "by the flag file alone",
    "smtp": "as a mail by SMTP",
    "mailgun": "as a mail by Mailgun",
    "apprise": "by the services in APPRISE_URLS",
}
"""What people call each transport."""


def notifier_of(settings: Settings, clock: Clock) -> Notifier | None:
    """Return the channel that the settings name; None for the flag file alone."""
    return channel_of(settings.alert, settings.secrets, clock)


def channel_of(alert: Alert, secrets: Secrets, clock: Clock) -> Notifier | None:
    """Return the channel that a site's table [alert] names, as `notifier_of` does."""
    match alert.transport:
        case "flag-file":
            return None
        case "smtp":
            if (smtp := alert.smtp) is None:
                raise ValueError("settings without [alert.smtp] were let pass")
            return SmtpMail(
                smtp.host,
                smtp.port,
                smtp.starttls,
                smtp.sender,
                smtp.to,
                smtp.subject_prefix,
                secrets.smtp_username,
                secrets.smtp_password,
            )
        case "mailgun":
            if (mailgun := alert.mailgun) is None or secrets.mailgun_api_key is None:
                raise ValueError("settings without [alert.mailgun] or its key were let pass")
            return MailgunMail(
                BASE_URLS[mailgun.region],
                mailgun.domain,
                secrets.mailgun_api_key,
                mailgun.sender,
                mailgun.to,
                clock,
                mailgun.subject_prefix,
            )
        case "apprise":
            from door_sync.notify.apprise import AppriseMessages

            return AppriseMessages(secrets.apprise_urls)
        case _:
            assert_never(alert.transport)


def policy_of(settings: Settings) -> Policy:
    """Return how patient and how insistent a site wants its alerts.

    With the flag file alone there is nothing to remind by: it stands there all the time.
    """
    alert = settings.alert
    is_reminded = alert.reminder_hours > 0 and alert.transport != "flag-file"
    reminder = timedelta(hours=alert.reminder_hours) if is_reminded else None
    return Policy(alert.after_failures, reminder)


def deliver(
    notifier: Notifier, subject: str, text: str, *, limit_seconds: float = LIMIT_SECONDS
) -> None:
    """Send one message; raise NotifyError if it was not taken, or not within the limit.

    A channel that answers byte by byte may hold its thread longer; the cycle goes on without it.
    """
    failures: list[NotifyError] = []

    def send() -> None:
        try:
            notifier.send(subject, text)
        except NotifyError as error:
            failures.append(error)
        except Exception as error:  # noqa: BLE001 - an alert must not break a cycle
            kind = type(error).__name__
            failures.append(NotifyError(f"the channel broke off with a fault ({kind})", code=kind))

    thread = threading.Thread(target=send, name="door-sync alert", daemon=True)
    thread.start()
    thread.join(limit_seconds)
    if thread.is_alive():
        raise NotifyError(
            f"the channel did not finish within {limit_seconds:g} seconds",
            code="timeout",
            remedy="Look at the network of this machine and at the service.",
        )
    if failures:
        raise failures[0]

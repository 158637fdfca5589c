"""Whether a call for a person would reach somebody, found out without calling anybody (P14)."""

from typing import assert_never

from door_sync.app.channels import LABELS, channel_of
from door_sync.app.checkup.check import Check, Name, bad, good, not_asked, warning
from door_sync.app.checkup.configuration import faults_in
from door_sync.notify.apprise import AppriseMessages
from door_sync.notify.mailgun import MailgunMail
from door_sync.notify.notifier import NotifyError
from door_sync.notify.smtp import SmtpMail
from door_sync.ports import Clock
from door_sync.settings import Alert, Secrets
from door_sync.settings.known import KnownSettings

_TRY = "`door-sync notify-test` sends a real message"


def channel_check(known: KnownSettings, clock: Clock) -> Check:
    """Return what can be told of the channel without sending a message by it."""
    if known.alert is None:
        return not_asked(Name.CHANNEL, faults_in(known, "alert"))
    if known.alert.transport == "flag-file":
        text = "alerts are told by the flag file alone: let something watch it"
        return good(Name.CHANNEL, text)
    if known.alert_secrets is None:
        return not_asked(Name.CHANNEL, "a secret is missing or malformed")
    try:
        return _look(known.alert, known.alert_secrets, clock)
    except NotifyError as error:
        return bad(Name.CHANNEL, error.message, error.remedy)


def _look(alert: Alert, secrets: Secrets, clock: Clock) -> Check:
    channel = channel_of(alert, secrets, clock)
    label = LABELS[alert.transport]
    match channel:
        case SmtpMail():
            channel.log_in()
            return good(Name.CHANNEL, f"{label}: the server lets us in. {_TRY}")
        case MailgunMail():
            return _mailgun(channel, label)
        case AppriseMessages():
            count = channel.read_addresses()
            return good(Name.CHANNEL, f"{label}: {count} understood, none asked. {_TRY}")
        case _:
            raise ValueError("a channel that nobody can look at")


def _mailgun(channel: MailgunMail, label: str) -> Check:
    match channel.knows_domain():
        case True:
            return good(Name.CHANNEL, f"{label}: the key and the domain are known there. {_TRY}")
        case False:
            return bad(
                Name.CHANNEL,
                "Mailgun does not know the domain",
                "Look at alert.mailgun.domain, and whether alert.mailgun.region is the one of the "
                "domain.",
            )
        case None:
            return warning(
                Name.CHANNEL,
                "Mailgun does not let the key look at its domain",
                f"A key for sending alone may not, and a wrong one neither: {_TRY}.",
            )
        case unknown:
            assert_never(unknown)

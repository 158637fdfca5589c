"""The questions about alerts: the channel, and what it needs."""

from dataclasses import dataclass, field

from door_sync.app.setting_up import checks
from door_sync.app.setting_up import question as q
from door_sync.app.setting_up.interview import Interview
from door_sync.app.setting_up.question import Question, Wrong
from door_sync.settings import secrets
from door_sync.settings.fields import HostName, MailAddress

_Path = tuple[str, ...]


@dataclass(frozen=True)
class AlertsSide:
    """What was decided: keys of config.toml by path, and secrets by name, which are mute."""

    values: dict[_Path, object]
    secrets: dict[str, str] = field(repr=False)


def ask_alerts(interview: Interview) -> AlertsSide:
    """Ask for the channel, and for what it needs."""
    interview.title("Alerts: how it calls for a person")
    transport = interview.ask(q.TRANSPORT, checks.one_of(q.TRANSPORT))
    values: dict[_Path, object] = {("alert", "transport"): transport}
    kept: dict[str, str] = {}
    host, address = checks.as_setting(HostName), checks.as_setting(MailAddress)
    match transport:
        case "smtp":
            values["alert", "smtp", "host"] = interview.ask(q.SMTP_HOST, host)
            port = interview.ask(q.SMTP_PORT, checks.whole_number(1, 65535))
            values["alert", "smtp", "port"] = port
            values["alert", "smtp", "from"] = interview.ask(q.SMTP_FROM, address)
            values["alert", "smtp", "to"] = interview.ask(q.SMTP_TO, _addresses)
            login = interview.ask(q.SMTP_USER, checks.line_text)
            if login:
                kept[secrets.SMTP_USERNAME] = login
                kept[secrets.SMTP_PASSWORD] = interview.ask(q.SMTP_PASSWORD, _filled)
        case "mailgun":
            values["alert", "mailgun", "domain"] = interview.ask(q.MAILGUN_DOMAIN, host)
            region = interview.ask(q.MAILGUN_REGION, checks.one_of(q.MAILGUN_REGION))
            values["alert", "mailgun", "region"] = region
            values["alert", "mailgun", "from"] = interview.ask(q.MAILGUN_FROM, address)
            values["alert", "mailgun", "to"] = interview.ask(q.MAILGUN_TO, _addresses)
            kept[secrets.MAILGUN_API_KEY] = interview.ask(q.MAILGUN_KEY, checks.key_text)
        case "apprise":
            kept[secrets.APPRISE_URLS] = interview.ask(q.APPRISE_URLS, _filled)
        case _:
            pass
    return AlertsSide(values, kept)


def needed(transport: str) -> list[Question]:
    """Return the questions that this channel brings with it."""
    return [question for question in q.QUESTIONS.values() if question.only_with == transport]


def _addresses(text: str) -> list[str]:
    check = checks.as_setting(MailAddress)
    found = [check(one.strip()) for one in text.split(",") if one.strip()]
    if not found:
        raise Wrong("names nobody", "Give at least one e-mail address.")
    return found


def _filled(text: str) -> str:
    if not text:
        raise Wrong("is empty")
    return checks.line_text(text)

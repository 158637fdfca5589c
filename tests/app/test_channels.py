"""Settings become a channel, and no channel holds a cycle up (P14)."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from door_sync.app.channels import LABELS, deliver, notifier_of, policy_of
from door_sync.app.clock import SystemClock
from door_sync.notify.alerts import Policy
from door_sync.notify.apprise import AppriseMessages
from door_sync.notify.mailgun import MailgunMail
from door_sync.notify.notifier import NotifyError
from door_sync.notify.smtp import SmtpMail
from door_sync.settings import Secret, Settings, load_settings
from tests.club import Club

FROM_TO = 'from = "door-sync@example.org"\nto = "board@example.org"\n'
SECRETS = {
    "SMTP_USERNAME": "doorbot",
    "SMTP_PASSWORD": "sesame",
    "MAILGUN_API_KEY": "key-1",
    "APPRISE_URLS": "json://localhost/a json://localhost/b",
}


def settings(club: Club, directory: Path, alert: str) -> Settings:
    config = club.write_files(directory)
    config.write_text(f"{config.read_text()}\n[alert]\n{alert}")
    return load_settings(config, config.with_name(".env"), SECRETS).settings


def test_the_flag_alone_has_no_channel_and_no_reminders(club: Club, tmp_path: Path) -> None:
    one = settings(club, tmp_path, "")
    assert notifier_of(one, SystemClock()) is None
    assert policy_of(one) == Policy(2, None)


def test_mail_by_smtp_has_what_the_settings_say(club: Club, tmp_path: Path) -> None:
    alert = (
        'transport = "smtp"\nafter_failures = 3\nreminder_hours = 1.5\n[alert.smtp]\n'
        f'host = "mail.example.org"\nport = 2525\nstarttls = true\n{FROM_TO}'
        'subject_prefix = "[doors]"\n'
    )
    one = settings(club, tmp_path, alert)
    assert notifier_of(one, SystemClock()) == SmtpMail(
        "mail.example.org",
        2525,
        True,
        "door-sync@example.org",
        ("board@example.org",),
        "[doors]",
        Secret("doorbot"),
        Secret("sesame"),
    )
    assert policy_of(one) == Policy(3, timedelta(minutes=90))


@pytest.mark.parametrize(
    ("region", "host"),
    [("", "https://api.mailgun.net"), ('region = "eu"\n', "https://api.eu.mailgun.net")],
)
def test_mail_by_mailgun_goes_to_the_region_of_the_domain(
    club: Club, tmp_path: Path, region: str, host: str
) -> None:
    alert = f'transport = "mailgun"\n[alert.mailgun]\ndomain = "mg.example.org"\n{region}{FROM_TO}'
    channel = notifier_of(settings(club, tmp_path, alert), SystemClock())
    assert isinstance(channel, MailgunMail)
    assert (channel.base_url, channel.domain) == (host, "mg.example.org")
    assert (channel.key, channel.sender) == (Secret("key-1"), "door-sync@example.org")
    assert (channel.to, channel.subject_prefix) == (("board@example.org",), "[door-sync]")


def test_other_services_have_their_addresses_and_no_hours_no_reminders(
    club: Club, tmp_path: Path
) -> None:
    one = settings(club, tmp_path, 'transport = "apprise"\nreminder_hours = 0\n')
    addresses = (Secret("json://localhost/a"), Secret("json://localhost/b"))
    assert notifier_of(one, SystemClock()) == AppriseMessages(addresses)
    assert policy_of(one).reminder is None


def test_settings_that_contradict_themselves_are_a_fault(club: Club, tmp_path: Path) -> None:
    one = settings(club, tmp_path, "")
    for transport in ("smtp", "mailgun"):
        alert = one.alert.model_copy(update={"transport": transport})
        with pytest.raises(ValueError, match="were let pass"):
            notifier_of(_with(one, alert), SystemClock())


def _with(one: Settings, alert: object) -> Settings:
    values = {name: getattr(one, name) for name in Settings.__slots__}
    return Settings(**{**values, "alert": alert})


def test_each_transport_has_a_name_for_people(club: Club, tmp_path: Path) -> None:
    assert set(LABELS) == {"flag-file", "smtp", "mailgun", "apprise"}


class Channel:
    """Sends nothing; fails or hangs as a test says."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.released = threading.Event()
        self.released.set()
        self.sent: list[tuple[str, str]] = []

    def send(self, subject: str, text: str) -> None:
        self.released.wait()
        if self.error is not None:
            raise self.error
        self.sent.append((subject, text))


def test_a_message_that_is_taken_is_taken() -> None:
    channel = Channel()
    deliver(channel, "Subject", "Text")
    assert channel.sent == [("Subject", "Text")]


def test_a_failure_comes_back_as_it_is_and_a_fault_by_its_class_alone() -> None:
    error = NotifyError("no", code="1")
    with pytest.raises(NotifyError) as raised:
        deliver(Channel(error), "Subject", "Text")
    assert raised.value is error
    with pytest.raises(NotifyError, match="with a fault \\(KeyError\\)") as raised:
        deliver(Channel(KeyError("board@example.org")), "Subject", "Text")
    assert "example.org" not in raised.value.message


def test_a_channel_that_hangs_is_left_behind() -> None:
    channel = Channel()
    channel.released.clear()
    with pytest.raises(NotifyError, match=r"within 0\.01 seconds"):
        deliver(channel, "Subject", "Text", limit_seconds=0.01)
    channel.released.set()

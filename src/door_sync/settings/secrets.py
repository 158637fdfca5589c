"""Keys and passwords: a type that cannot leak, and which of them are needed."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

CIVICRM_API_KEY = "CIVICRM_API_KEY"
UNIFI_API_KEY = "UNIFI_API_KEY"
SMTP_USERNAME = "SMTP_USERNAME"
SMTP_PASSWORD = "SMTP_PASSWORD"  # noqa: S105 a name, not a password
MAILGUN_API_KEY = "MAILGUN_API_KEY"
APPRISE_URLS = "APPRISE_URLS"
TRIGGER_KEY = "TRIGGER_SECRET"
DEAD_MAN_URL = "DEAD_MAN_URL"

PURPOSES: Mapping[str, str] = {
    CIVICRM_API_KEY: "API key of the CiviCRM contact that door-sync reads as",
    UNIFI_API_KEY: "API token of UniFi Access (Settings, General, Advanced, API Token)",
    SMTP_USERNAME: 'login at the mail server, with alert.transport = "smtp", if it wants one',
    SMTP_PASSWORD: "password at the mail server, together with SMTP_USERNAME",
    MAILGUN_API_KEY: 'API key of Mailgun, with alert.transport = "mailgun"',
    APPRISE_URLS: 'Apprise addresses, parted by blanks, with alert.transport = "apprise"',
    TRIGGER_KEY: "what calls of the trigger are signed with, if daemon.listen is to take any: "
    "32 characters or more, such as `openssl rand -hex 32` prints",
    DEAD_MAN_URL: "address of a dead-man's switch such as healthchecks.io, which is pinged with "
    "each cycle",
}
"""Every secret by its name in the env file, the environment or the systemd credentials."""

NEEDED = frozenset({CIVICRM_API_KEY, UNIFI_API_KEY})
"""Those without which nothing runs."""


class Secret:
    """A text that shows itself to nobody who does not ask for it by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, to be handed to the one who needs it and to nobody else."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of one site. None, or nothing, where one is not needed."""

    civicrm_api_key: Secret
    unifi_api_key: Secret
    smtp_username: Secret | None = None
    smtp_password: Secret | None = None
    mailgun_api_key: Secret | None = None
    apprise_urls: tuple[Secret, ...] = ()
    trigger_secret: Secret | None = None
    dead_man_url: Secret | None = None

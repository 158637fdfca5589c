"""Every question that setting up asks, as data: one table, for terminals and answers files alike.

`key` is how an answers file names it. `default` is what counts where nobody is there to be asked;
a question without one must be answered then. What is merely proposed, because it was found in
CiviCRM or the controller, is no default: nobody's access rests on a guess (P1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from door_sync.settings import secrets


class Wrong(Exception):
    """An answer that cannot be taken: what is wrong with it, and how to mend that. Neither repeats
    a secret."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `secret` is the environment variable that may answer it, for those whose answer
    is never shown; `only_with` says for which other answer it is asked at all."""

    key: str
    prompt: str
    help: str = ""
    default: str | None = None
    choices: tuple[str, ...] = ()
    secret: str = ""
    only_with: str = ""

    @property
    def file_key(self) -> str:
        """The key that names a file with the answer, for a secret."""
        return f"{self.key}_file"


CIVICRM_HOST: Final = Question(
    "civicrm.host",
    "Address of CiviCRM",
    "The address of the website, as you open it in a browser, without a path: "
    "https://crm.example.org",
)
CIVICRM_PATH: Final = Question(
    "civicrm.path",
    "Path of CiviCRM's APIv4",
    "On almost every site it is /civicrm/ajax/api4; on WordPress without permalinks it is "
    "/?civiwp=CiviCRM&q=civicrm/ajax/api4",
    default="/civicrm/ajax/api4",
)
CIVICRM_KEY: Final = Question(
    "civicrm.api_key",
    "API key in CiviCRM (it is not shown)",
    "door-sync reads as a contact of its own, whose API key this is. First steps in the handbook "
    "says which rights it needs, and which it must not have.",
    secret=secrets.CIVICRM_API_KEY,
)
CIVICRM_AUTH: Final = Question(
    "civicrm.auth",
    "Which header carries the key",
    "Some web servers take away the one, some the other. Try the other one if the key is right "
    "and CiviCRM does not see it.",
    default="x-civi-auth",
    choices=("x-civi-auth", "authorization"),
)
CARD_FIELD: Final = Question(
    "civicrm.card_id_field",
    "Which field holds the card number",
    "The custom field of contacts with the number that is printed on the card (0 to 65535). Only "
    "counts are shown; what stands in the fields is not.",
)
STATUSES: Final = Question(
    "civicrm.active_statuses",
    "Which statuses give access",
    "A membership in one of these statuses counts as paid. Names, with commas between.",
    default="Current, Grace, New",
)
UNIFI_HOST: Final = Question(
    "unifi.host",
    "Address of the UniFi console",
    "Its address in your network, such as https://192.0.2.10 (the port is 12445 unless you give "
    "another one).",
)
FINGERPRINT: Final = Question(
    "unifi.tls_fingerprint",
    "Is it the same? (yes, no, or the fingerprint that you see there)",
)
TRUST_SHOWN: Final = Question(
    "unifi.trust_shown_fingerprint",
    "Whether the fingerprint that the console shows now is trusted without comparing it",
    default="no",
    choices=("yes", "no"),
)
UNIFI_TOKEN: Final = Question(
    "unifi.token",
    "API token of UniFi Access (it is not shown)",
    "In the Access application: Settings, General, Advanced, API Token, with the rights People & "
    "Groups: Edit, Credentials: Edit, Access Policy: View, Visitor: View.",
    secret=secrets.UNIFI_API_KEY,
)
FACILITY: Final = Question(
    "unifi.facility_code",
    "Facility code of your cards (0 to 255)",
    "A Wiegand-26 card carries two numbers: its own, and the facility code, which all cards of one "
    "delivery share. It stands on the box or the invoice, often before the number: 042-01234.",
)
EMAIL: Final = Question(
    "unifi.email",
    "Write e-mail addresses to the controller",
    "Your members may get mail: when a person gets an e-mail address in the controller, the "
    "console can send an invitation to UniFi Identity, on a first cycle to all members at once. "
    'Nothing here can prevent that while addresses are written ("sync"). door-sync does not need '
    'addresses; "off" writes none.',
    choices=("off", "sync"),
)
TRANSPORT: Final = Question(
    "alert.transport",
    "How shall it call for a person",
    "When something needs a person, a flag file appears in any case. Besides, door-sync can send "
    "a message: by a mail server (smtp), by Mailgun, or by one of the services that Apprise knows "
    "(Telegram, Matrix, ntfy and many more).",
    default="flag-file",
    choices=("flag-file", "smtp", "mailgun", "apprise"),
)
SMTP_HOST: Final = Question("alert.smtp.host", "Mail server", only_with="smtp")
SMTP_PORT: Final = Question(
    "alert.smtp.port", "Its port (587 with STARTTLS, 465 with TLS)", default="587", only_with="smtp"
)
SMTP_FROM: Final = Question("alert.smtp.from", "Sender's address", only_with="smtp")
SMTP_TO: Final = Question("alert.smtp.to", "Who gets the mails (commas between)", only_with="smtp")
SMTP_USER: Final = Question(
    "alert.smtp.username",
    "Login at the mail server (Enter if it wants none)",
    default="",
    secret=secrets.SMTP_USERNAME,
    only_with="smtp",
)
SMTP_PASSWORD: Final = Question(
    "alert.smtp.password",
    "Password at the mail server (it is not shown)",
    default="",
    secret=secrets.SMTP_PASSWORD,
    only_with="smtp",
)
MAILGUN_DOMAIN: Final = Question("alert.mailgun.domain", "Sending domain", only_with="mailgun")
MAILGUN_REGION: Final = Question(
    "alert.mailgun.region",
    "Where Mailgun keeps the domain",
    default="us",
    choices=("us", "eu"),
    only_with="mailgun",
)
MAILGUN_FROM: Final = Question("alert.mailgun.from", "Sender's address", only_with="mailgun")
MAILGUN_TO: Final = Question(
    "alert.mailgun.to", "Who gets the mails (commas between)", only_with="mailgun"
)
MAILGUN_KEY: Final = Question(
    "alert.mailgun.api_key",
    "API key of Mailgun (it is not shown)",
    secret=secrets.MAILGUN_API_KEY,
    only_with="mailgun",
)
APPRISE_URLS: Final = Question(
    "alert.apprise.urls",
    "Apprise addresses, with blanks between (they are not shown)",
    secret=secrets.APPRISE_URLS,
    only_with="apprise",
)
LAYOUT: Final = Question(
    "ops.layout",
    "Where shall journal, audit file and flag go",
    '"here" keeps them beside config.toml, which suits trying out and a user of your own; '
    '"system" uses /var/lib, /var/log and /var/run, which suits a service.',
    choices=("here", "system"),
)

QUESTIONS: Final[Mapping[str, Question]] = {
    question.key: question
    for question in (
        CIVICRM_HOST,
        CIVICRM_PATH,
        CIVICRM_KEY,
        CIVICRM_AUTH,
        STATUSES,
        CARD_FIELD,
        UNIFI_HOST,
        FINGERPRINT,
        TRUST_SHOWN,
        UNIFI_TOKEN,
        FACILITY,
        EMAIL,
        TRANSPORT,
        SMTP_HOST,
        SMTP_PORT,
        SMTP_FROM,
        SMTP_TO,
        SMTP_USER,
        SMTP_PASSWORD,
        MAILGUN_DOMAIN,
        MAILGUN_REGION,
        MAILGUN_FROM,
        MAILGUN_TO,
        MAILGUN_KEY,
        APPRISE_URLS,
        LAYOUT,
    )
}
"""All questions by key, in the order in which they are asked. What each membership type is worth is
asked besides, under `rules`."""

RULES: Final = "rules"
"""The table of an answers file with a table for each membership type."""

UNMAPPED: Final = "unmapped"
"""The answer that gives a membership type no rule."""

RULE_KEYS: Final = ("resolution", "target_policy", "rank")
RESOLUTIONS: Final = ("tier", "none", "day-pass", UNMAPPED)

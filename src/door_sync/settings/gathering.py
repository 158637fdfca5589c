"""Collects the secrets from the env file, the environment and systemd's credentials (§10)."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path

from door_sync.settings.addresses import ping_address
from door_sync.settings.envfile import EnvFile
from door_sync.settings.faults import Fault
from door_sync.settings.secrets import (
    APPRISE_URLS,
    CIVICRM_API_KEY,
    DEAD_MAN_URL,
    MAILGUN_API_KEY,
    PURPOSES,
    SMTP_PASSWORD,
    SMTP_USERNAME,
    TRIGGER_KEY,
    UNIFI_API_KEY,
    Secret,
    Secrets,
)

CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY"

_HEADER_SECRETS = (CIVICRM_API_KEY, UNIFI_API_KEY, MAILGUN_API_KEY)
_SHORTEST_TRIGGER_KEY = 32
_NEEDED = {"mailgun": MAILGUN_API_KEY, "apprise": APPRISE_URLS}
_BETWEEN_ADDRESSES = re.compile(r"\s+|,(?=\s*[A-Za-z][A-Za-z0-9+.-]*://)")


class SecretSources:
    """Where secrets may stand, in the order in which they count."""

    def __init__(self, env_file: EnvFile, env_path: Path, environ: Mapping[str, str]) -> None:
        self.faults: list[Fault] = []
        self._env_file = env_file
        self._env_path = env_path
        self._values: dict[str, str] = {}
        for name in PURPOSES:
            value = (
                env_file.values.get(name) or environ.get(name) or self._credential(name, environ)
            )
            if value:
                self._values[name] = value

    def secrets(self, transport: str | None) -> Secrets | None:
        """Return the secrets for this alert transport; None, with faults noted, if one is
        missing or malformed. Without a known transport nothing is asked for alerts."""
        for name in (CIVICRM_API_KEY, UNIFI_API_KEY):
            self._require(name)
        if transport in _NEEDED:
            self._require(_NEEDED[transport])
        if transport == "smtp":
            self._require_together(SMTP_USERNAME, SMTP_PASSWORD)
        for name in _HEADER_SECRETS:
            self._check_header_value(name)
        addresses = tuple(
            filter(None, _BETWEEN_ADDRESSES.split(self._values.get(APPRISE_URLS, "")))
        )
        if not all("://" in address for address in addresses):
            problem = "holds something that is not an address like service://…"
            self.faults.append(
                Fault(APPRISE_URLS, problem, "Part several addresses by blanks; quote the value.")
            )
        self._check_trigger_secret()
        self._check_dead_man_url()
        if self.faults:
            return None
        return Secrets(
            civicrm_api_key=Secret(self._values[CIVICRM_API_KEY]),
            unifi_api_key=Secret(self._values[UNIFI_API_KEY]),
            smtp_username=self._optional(SMTP_USERNAME),
            smtp_password=self._optional(SMTP_PASSWORD),
            mailgun_api_key=self._optional(MAILGUN_API_KEY),
            apprise_urls=tuple(map(Secret, addresses)),
            trigger_secret=self._optional(TRIGGER_KEY),
            dead_man_url=self._optional(DEAD_MAN_URL),
        )

    def one(self, name: str) -> Secret | None:
        """Return a single secret if it is there and nothing is known against it, else None."""
        return (
            None if any(fault.key_path == name for fault in self.faults) else self._optional(name)
        )

    def _optional(self, name: str) -> Secret | None:
        return Secret(self._values[name]) if name in self._values else None

    def _require(self, name: str) -> None:
        if name in self._values:
            return
        if any(fault.key_path == name for fault in self.faults):
            return  # it is there, but could not be read
        similar = difflib.get_close_matches(name, self._env_file.lines.keys() - PURPOSES.keys(), 1)
        if name in self._env_file.lines:
            line = self._env_file.lines[name]
            remedy = f"Line {line} of {self._env_path} has the name without a value."
        elif similar:
            line = self._env_file.lines[similar[0]]
            remedy = f"Line {line} of {self._env_path} has a similar name: correct it to {name}."
        else:
            absent = "" if self._env_file.exists else ", which does not exist yet"
            remedy = f"Put {name}=… into the env file {self._env_path}{absent}."
        self.faults.append(Fault(name, f"is missing: {PURPOSES[name]}", remedy))

    def _require_together(self, one: str, other: str) -> None:
        for name, partner in ((one, other), (other, one)):
            if partner in self._values and name not in self._values:
                problem = f"is missing, although {partner} is there"
                remedy = (
                    f"Set both, or neither if the mail server wants no login ({self._env_path})."
                )
                self.faults.append(Fault(name, problem, remedy))

    def _check_header_value(self, name: str) -> None:
        value = self._values.get(name, "")
        if not value.isascii() or not value.isprintable() or " " in value:
            problem = "has blanks, line breaks or letters that no key has"
            remedy = 'Copy the key again, without "Bearer" and without anything around it.'
            self.faults.append(Fault(name, problem, remedy))

    def _check_trigger_secret(self) -> None:
        value = self._values.get(TRIGGER_KEY)
        if value is not None and len(value) < _SHORTEST_TRIGGER_KEY:
            problem = f"is shorter than {_SHORTEST_TRIGGER_KEY} characters, and could be guessed"
            remedy = "`openssl rand -hex 32` prints a good one; put it on the calling side, too."
            self.faults.append(Fault(TRIGGER_KEY, problem, remedy))

    def _check_dead_man_url(self) -> None:
        if DEAD_MAN_URL not in self._values:
            return
        try:
            ping_address(self._values[DEAD_MAN_URL])
        except ValueError as error:
            remedy = "Copy the ping address again, without /start or /fail at its end."
            self.faults.append(Fault(DEAD_MAN_URL, str(error), remedy))

    def _credential(self, name: str, environ: Mapping[str, str]) -> str:
        directory = environ.get(CREDENTIALS_DIRECTORY)
        if not directory:
            return ""
        try:
            return (Path(directory) / name).read_text("utf-8").rstrip("\r\n")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError):
            problem = "is there as a systemd credential but cannot be read as text"
            remedy = f"Look at LoadCredential={name} in the unit file, and at the file it names."
            self.faults.append(Fault(name, problem, remedy))
            return ""

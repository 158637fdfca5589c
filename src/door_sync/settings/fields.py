"""The kinds of value that a setting may have, with their checks.

A check raises `wrong`, which becomes one fault under the key's own path.
"""

import re
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from door_sync.settings.addresses import (
    fingerprint_command,
    host_address,
    host_name,
    is_loopback,
    listen_address,
    normalised_fingerprint,
)

UNIFI_PORT = 12445
"""Where the controller's API answers (UniFi sheet §1.1)."""

_CARD_FIELD = re.compile(r"[A-Za-z0-9_]+\.[A-Za-z0-9_]+")


class Section(BaseModel):
    """One table of config.toml. Its docstring heads the table in the sample file."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )


def key(description: str, *, example: object = None, commented: bool = False, **limits: Any) -> Any:
    """Describe a key. `example` stands in the sample file where it is not the default;
    `commented` keys stand there as a comment. `limits` are pydantic's (default, ge, le, …)."""
    return Field(
        description=description,
        examples=None if example is None else [example],
        json_schema_extra={"commented": commented},
        **limits,
    )


def wrong(problem: str, remedy: str = "") -> PydanticCustomError:
    """Make the error for a value that its key cannot have. Neither sentence repeats the value."""
    return PydanticCustomError("wrong", "{problem}", {"problem": problem, "remedy": remedy})


def civicrm_address(text: str) -> str:
    """Given civicrm.host, return it in one form: https, or http for this machine itself."""
    try:
        address = host_address(text)
    except ValueError as error:
        raise wrong(str(error)) from None
    if address.scheme == "http" and not is_loopback(address.host):
        raise wrong(
            "must begin with https://, or the key and every name would travel in the clear",
            "http:// is for an address of this machine itself (127.0.0.1) only.",
        )
    return address.url


def unifi_address(text: str) -> str:
    """Given unifi.host, return it in one form: https, with the controller's port if it has none."""
    try:
        address = host_address(text, default_port=UNIFI_PORT)
    except ValueError as error:
        raise wrong(str(error)) from None
    if address.scheme != "https":
        raise wrong("must begin with https://: the controller speaks nothing else")
    return address.url


def _listen_address(text: str) -> str:
    try:
        listen_address(text)
    except ValueError as error:
        raise wrong(str(error)) from None
    return text


def one_or_many(value: object) -> object:
    """Let a single text stand for a list of one."""
    return (
        (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
    )


def _fingerprint(text: str) -> str:
    try:
        return normalised_fingerprint(text)
    except ValueError as error:
        raise wrong(
            str(error),
            "This prints it, on a computer next to the console: "
            f"{fingerprint_command('HOST:12445')}",
        ) from None


def _host_name(text: str) -> str:
    try:
        return host_name(text)
    except ValueError as error:
        raise wrong(f"{error}; write the bare name, without https:// or a port") from None


def _mail_address(text: str) -> str:
    _, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    if not (local and domain and text.isprintable()) or " " in address:
        raise wrong("is not an e-mail address")
    return text


def _card_field(text: str) -> str:
    if not _CARD_FIELD.fullmatch(text):
        raise wrong(
            "must be Group.field: the machine names of a custom group and its field",
            "They are the names that CiviCRM's API explorer shows, not the labels.",
        )
    return text


def _api_path(text: str) -> str:
    printable = text.isascii() and text.isprintable() and " " not in text
    route = text.partition("?")[0]
    if not printable or "#" in text or {".", ".."} & set(route.split("/")):
        raise wrong("must be a plain path without blanks")
    if not text.startswith("/") or text.startswith("//"):
        raise wrong("must begin with one slash; the host stands in civicrm.host")
    return text.rstrip("/")


def _not_blank(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise wrong("must not be empty or hold line breaks")
    return text


def _placed(path: Path, info: ValidationInfo) -> Path:
    if str(path) in {"", "."} or "\0" in str(path):
        raise wrong("must name a file")
    if path.parts[0].startswith("~"):
        raise wrong("must be a whole path: ~ is not understood here")
    directory: Path = (info.context or {}).get("directory", Path())
    return directory / path


def _sealed(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(mapping)


Text = Annotated[str, AfterValidator(_not_blank)]
Share = Annotated[float, Field(ge=0, le=1)]
Fingerprints = Annotated[
    tuple[Annotated[str, AfterValidator(_fingerprint)], ...],
    BeforeValidator(one_or_many),
    Field(min_length=1),
]
ListenAddress = Annotated[str, AfterValidator(_listen_address)]
HostName = Annotated[str, AfterValidator(_host_name)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
MailAddresses = Annotated[
    tuple[MailAddress, ...], BeforeValidator(one_or_many), Field(min_length=1)
]
CardField = Annotated[str, AfterValidator(_card_field)]
ApiPath = Annotated[str, AfterValidator(_api_path)]
FilePath = Annotated[Path, AfterValidator(_placed)]
Sealed = AfterValidator(_sealed)

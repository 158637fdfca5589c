"""Addresses and fingerprints as an operator writes them, brought to one form."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_FINGERPRINT_DIGITS = re.compile(r"[0-9A-F]{64}")
_FINGERPRINT_LABEL = re.compile(r"^\s*sha-?256( fingerprint)?\s*[:=]", re.IGNORECASE)
_HOST_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LISTEN = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+)):(?P<port>[0-9]{1,5})")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class HostAddress:
    """Where a side is: scheme, host (an IPv6 address without brackets) and port."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as a URL without a path, the port left out where it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if _DEFAULT_PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def is_loopback(host: str) -> bool:
    """Given a host name or an IP address without brackets, say whether it is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_address(text: str, *, default_port: int | None = None) -> HostAddress:
    """Given `https://HOST[:PORT]`, return its parts; raise ValueError saying what is wrong.

    Nothing else may stand in it: no path, query, fragment, user name or password. The message
    never repeats the text, which may hold a password.
    """
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError("has blanks or unprintable characters in it")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("is not an address like https://HOST:PORT") from None
    if parts.scheme not in _DEFAULT_PORTS or not text.lower().startswith(f"{parts.scheme}://"):
        raise ValueError("must begin with https://")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password")
    if parts.path not in ("", "/") or "?" in text or "#" in text:
        raise ValueError("must be the bare address, without a path or a query")
    if port == 0:
        raise ValueError("has the port 0")
    host = host_name(parts.hostname or "")
    return HostAddress(parts.scheme, host, port or default_port or _DEFAULT_PORTS[parts.scheme])


@dataclass(frozen=True, slots=True)
class Listen:
    """Where this program listens: an IP address without brackets, and a port."""

    host: str
    port: int


def listen_address(text: str) -> Listen:
    """Given `ADDRESS:PORT`, an IPv6 address in brackets, return its parts; raise ValueError saying
    what is wrong. A name is none: it may stand for several addresses."""
    found = _LISTEN.fullmatch(text)
    if found is None or not 1 <= int(found["port"]) <= 65535:
        raise ValueError("is not an address like 127.0.0.1:9147")
    host = found["six"] or found["four"]
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError("must begin with an IP address, such as 127.0.0.1") from None
    return Listen(host, int(found["port"]))


def ping_address(text: str) -> None:
    """Raise ValueError, saying what is wrong, if a text is no address that can be pinged: https,
    or http for this machine itself, with a path. The message never repeats the text."""
    parts = urlsplit(text)
    address = host_address(f"{parts.scheme}://{parts.netloc}")
    if address.scheme == "http" and not is_loopback(address.host):
        raise ValueError("must begin with https://")
    if not text.isascii() or not text.isprintable() or " " in text or "#" in text:
        raise ValueError("has characters that no address has")
    if {".", ".."} & set(parts.path.split("/")):
        raise ValueError("has . or .. in its path")


def host_name(text: str) -> str:
    """Given a host name or an IP address without brackets, return it in ASCII and lower case;
    raise ValueError saying what is wrong, without repeating the text."""
    nameless = "does not name a host"
    try:
        ipaddress.ip_address(text)
    except ValueError:
        pass
    else:
        if "%" in text:
            raise ValueError("must not name a network interface")
        return text
    try:
        host = text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError(nameless) from None
    labels = host.removesuffix(".").split(".")
    # A number as last label is a misspelt IPv4 address: no top-level domain is one.
    if not all(map(_HOST_LABEL.fullmatch, labels)) or labels[-1].isdecimal():
        raise ValueError(nameless)
    return host


def normalised_fingerprint(text: str) -> str:
    """Given a SHA-256 fingerprint in hex, return it as AB:CD:…; raise ValueError otherwise.

    Colons, blanks and case do not matter, nor does the label that openssl prints before it.
    """
    digits = re.sub(r"[:\s]", "", _FINGERPRINT_LABEL.sub("", text)).upper()
    if re.fullmatch(r"[0-9A-F]{40}", digits):
        raise ValueError("is a SHA-1 fingerprint (40 hex digits); SHA-256 has 64")
    if not _FINGERPRINT_DIGITS.fullmatch(digits):
        raise ValueError("is not a SHA-256 fingerprint: 64 hex digits, with or without colons")
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2))


def fingerprint_command(address: str) -> str:
    """Return the shell command that prints the fingerprint of whoever answers at HOST:PORT.

    What it prints, label and all, may stand in unifi.tls_fingerprint.
    """
    return (
        f"openssl s_client -connect {address} </dev/null 2>/dev/null"
        " | openssl x509 -noout -fingerprint -sha256"
    )

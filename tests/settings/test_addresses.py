"""How addresses and fingerprints may be written, and what is refused."""

import pytest

from door_sync.settings.addresses import (
    HostAddress,
    host_address,
    is_loopback,
    normalised_fingerprint,
)

NORMAL = ":".join(["AB"] * 32)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://crm.example.org", HostAddress("https", "crm.example.org", 443)),
        ("https://crm.example.org/", HostAddress("https", "crm.example.org", 443)),
        ("HTTPS://CRM.Example.org:8443", HostAddress("https", "crm.example.org", 8443)),
        ("https://192.0.2.10:12445", HostAddress("https", "192.0.2.10", 12445)),
        ("https://[2001:db8::1]:12445", HostAddress("https", "2001:db8::1", 12445)),
        ("http://localhost:8080", HostAddress("http", "localhost", 8080)),
        ("http://127.0.0.1", HostAddress("http", "127.0.0.1", 80)),
        ("https://vereinsbüro.example", HostAddress("https", "xn--vereinsbro-heb.example", 443)),
        ("https://club_crm.lan.", HostAddress("https", "club_crm.lan.", 443)),
    ],
)
def test_an_address_is_scheme_host_and_port(text: str, address: HostAddress) -> None:
    assert host_address(text) == address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://CRM.example.org:443/", "https://crm.example.org"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
        ("https://192.0.2.10:12445", "https://192.0.2.10:12445"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
    ],
)
def test_an_address_can_be_written_again(text: str, url: str) -> None:
    assert host_address(text).url == url


def test_a_port_is_filled_in_only_where_none_is_given() -> None:
    assert host_address("https://192.0.2.10", default_port=12445).port == 12445
    assert host_address("https://192.0.2.10:443", default_port=12445).port == 443


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("crm.example.org", "https://"),
        ("ftp://crm.example.org", "https://"),
        ("https:/crm.example.org", "https://"),
        ("https:crm.example.org", "https://"),
        ("", "https://"),
        ("https://", "does not name a host"),
        ("https://:443", "does not name a host"),
        ("https://exa mple.org", "blanks"),
        (" https://example.org", "blanks"),
        ("https://example.org\n", "blanks"),
        ("https://ex\tample.org", "blanks"),
        ("https://a..b", "does not name a host"),
        ("https://-a.example", "does not name a host"),
        ("https://" + "a" * 64 + ".example", "does not name a host"),
        ("https://192.0.2.300", "does not name a host"),
        ("https://[fe80::1%25eth0]", "interface"),
        ("https://[nonsense]", "is not an address"),
        ("https://example.org:port", "is not an address"),
        ("https://example.org:99999", "is not an address"),
        ("https://example.org:0", "port 0"),
        ("https://someone@example.org", "user name"),
        ("https://someone:hunter2@example.org", "user name"),
        ("https://@example.org", "user name"),
        ("https://example.org/civicrm", "path"),
        ("https://example.org?x=1", "path"),
        ("https://example.org/?", "path"),
        ("https://example.org#here", "path"),
    ],
)
def test_anything_more_or_less_than_an_address_is_refused_without_repeating_it(
    text: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        host_address(text)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost.example.org", False),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
        ("example.org", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    "text",
    [
        NORMAL,
        NORMAL.lower(),
        "ab" * 32,
        " " + "AB " * 32,
        f"sha256 Fingerprint={NORMAL}",
        f"SHA-256: {NORMAL}",
    ],
)
def test_a_fingerprint_may_be_written_in_many_ways_and_is_kept_in_one(text: str) -> None:
    assert normalised_fingerprint(text) == NORMAL


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "64 hex digits"),
        ("AB:CD", "64 hex digits"),
        ("AB:CD:…", "64 hex digits"),
        ("gg" * 32, "64 hex digits"),
        ("ab" * 33, "64 hex digits"),
        (":".join(["AB"] * 20), "SHA-1"),
        (f"sha1 Fingerprint={NORMAL}", "64 hex digits"),
    ],
)
def test_what_is_no_sha256_fingerprint_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        normalised_fingerprint(text)

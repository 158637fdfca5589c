"""The table [daemon] and its two secrets: what may listen, what is warned of, what is refused."""

import pytest

from door_sync.settings.addresses import Listen, listen_address
from tests.settings.conftest import CONFIG, KEYS, Site

SECRET = "0123456789abcdef" * 4
OPEN = "daemon.listen is open to other machines"


def daemon(*lines: str) -> str:
    return "\n".join([CONFIG, "[daemon]", *lines, ""])


def test_without_the_table_nothing_listens_and_nothing_is_pinged(site: Site) -> None:
    loaded = site.load()
    assert loaded.settings.daemon.listen is None
    assert loaded.settings.daemon.metrics is False
    assert loaded.settings.secrets.trigger_secret is None
    assert loaded.settings.secrets.dead_man_url is None
    assert loaded.warnings == ()


def test_with_both_halves_the_trigger_is_there_without_a_warning(site: Site) -> None:
    site.write_env(f"{KEYS}TRIGGER_SECRET={SECRET}\nDEAD_MAN_URL=https://hc.example.org/ping/abc\n")
    loaded = site.load(daemon('listen = "127.0.0.1:9147"', "metrics = true"))
    secrets = loaded.settings.secrets
    assert loaded.warnings == ()
    assert secrets.trigger_secret is not None
    assert secrets.trigger_secret.reveal() == SECRET
    assert secrets.dead_man_url is not None
    assert SECRET not in repr(loaded)
    assert "hc.example.org" not in repr(loaded)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1:9147", ("127.0.0.1", 9147)),
        ("[::1]:1", ("::1", 1)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
    ],
)
def test_an_address_and_a_port_are_understood(text: str, parts: tuple[str, int]) -> None:
    assert listen_address(text) == Listen(*parts)


@pytest.mark.parametrize(
    "text",
    ["9147", "127.0.0.1", "localhost:9147", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "[::1", ""],
)
def test_what_is_no_address_and_port_is_refused(site: Site, text: str) -> None:
    fault = site.fault(daemon(f'listen = "{text}"'))
    assert fault.key_path == "daemon.listen"
    assert "127.0.0.1" in fault.problem


@pytest.mark.parametrize(
    ("lines", "env", "warned"),
    [
        ((), f"TRIGGER_SECRET={SECRET}", "TRIGGER_SECRET has no use without daemon.listen"),
        (('listen = "127.0.0.1:1"',), "", "daemon.listen serves nothing"),
        (('listen = "0.0.0.0:1"',), f"TRIGGER_SECRET={SECRET}", OPEN),
        (('listen = "[::]:1"',), f"TRIGGER_SECRET={SECRET}", OPEN),
        (('listen = "192.0.2.1:1"',), f"TRIGGER_SECRET={SECRET}", OPEN),
    ],
)
def test_a_listener_that_makes_little_sense_is_a_warning(
    site: Site, lines: tuple[str, ...], env: str, warned: str
) -> None:
    site.write_env(f"{KEYS}{env}\n")
    [warning] = site.load(daemon(*lines)).warnings
    assert warning.startswith(warned)


@pytest.mark.parametrize(
    "lines", [("metrics = true",), ("metrics = true", 'listen = "192.0.2.1:9147"')]
)
def test_metrics_are_for_this_machine_alone(site: Site, lines: tuple[str, ...]) -> None:
    assert site.fault(daemon(*lines)).key_path == "daemon.metrics"


def test_an_address_with_a_fault_is_the_only_fault(site: Site) -> None:
    assert site.fault(daemon("metrics = true", 'listen = "here"')).key_path == "daemon.listen"


def test_a_secret_that_could_be_guessed_is_refused(site: Site) -> None:
    site.write_env(f"{KEYS}TRIGGER_SECRET=hunter2\n")
    fault = site.fault()
    assert fault.key_path == "TRIGGER_SECRET"
    assert "hunter2" not in str(fault)


@pytest.mark.parametrize("good", ["https://hc.example.org/a?b=c", "http://127.0.0.1:8000/ping/x"])
def test_a_switch_may_be_anywhere_with_tls_or_on_this_machine(site: Site, good: str) -> None:
    site.write_env(f"{KEYS}DEAD_MAN_URL={good}\n")
    url = site.load().settings.secrets.dead_man_url
    assert url is not None
    assert url.reveal() == good


@pytest.mark.parametrize(
    "bad",
    [
        "http://hc.example.org/ping/verysecret",
        "ftp://hc.example.org/verysecret",
        "verysecret",
        "https://user:verysecret@hc.example.org/",
        "'https://hc.example.org/very secret'",
        "'https://hc.example.org/verysecret#x'",
        "https://hc.example.org/../verysecret",
        "https://hc.example.org:x/verysecret",
        "'https://[verysecret'",
    ],
)
def test_an_address_that_cannot_be_pinged_is_refused_without_being_repeated(
    site: Site, bad: str
) -> None:
    site.write_env(f"{KEYS}DEAD_MAN_URL={bad}\n")
    fault = site.fault()
    assert fault.key_path == "DEAD_MAN_URL"
    assert "secret" not in str(fault)

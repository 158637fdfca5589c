"""A site that is set up once more: what it had is offered, and nothing is taken for granted."""

import io
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.cli.conftest import Site
from tests.cli.interviewing import Terminal, answered, answers


@pytest.fixture
def again(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that `init` has set up."""
    site.config.unlink()
    site.env_file.unlink()
    monkeypatch.setenv("CIVICRM_API_KEY", site.civicrm_key)
    monkeypatch.setenv("UNIFI_API_KEY", DEFAULT_TOKEN)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert answered(site, answers(site.club)).code == 0
    (site.directory / "answers.toml").unlink()
    return site


Sit = Callable[[], Terminal]


@pytest.fixture
def sit(again: Site) -> Iterator[Sit]:
    """Sit down at a terminal where `init` runs."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Terminal(again)))


def test_a_second_setting_up_offers_the_former_answers(again: Site, sit: Sit) -> None:
    """Enter keeps them; the certificate alone must be confirmed anew."""
    before, keys = tomllib.loads(again.config.read_text()), again.env_file.read_text()
    terminal = sit()
    asked = (
        f"Address of CiviCRM [{again.club.civicrm_server.url}]",
        "Enter keeps the one that there is.",
        "API key in CiviCRM",
        "Which statuses",
        "Which field holds the card number [Door_Access.card_id]",
        "Address of the UniFi console",
        "It is the one that config.toml trusts.",
        "Is it the same?",
        "API token of UniFi Access",
        "Facility code of your cards (0 to 255) [42]",
        "Write e-mail addresses to the controller (off, sync) [off]",
        "Take it so?",
        "How shall it call for a person",
        "Where shall journal, audit file and flag go (here, system) [here]",
    )
    for text in asked:
        if text.endswith("."):
            terminal.wait_for(text)
        else:
            terminal.type(text, "yes" if text.startswith("Is it") else "")
    terminal.type("Replace them, and write both files", "yes")
    assert terminal.end() == 0, terminal.shown
    assert tomllib.loads(again.config.read_text()) == before
    assert again.env_file.read_text() == keys
    for secret in (again.civicrm_key, DEFAULT_TOKEN):
        assert secret not in terminal.shown


def test_another_certificate_than_the_one_trusted_is_said_loudly(again: Site, sit: Sit) -> None:
    text = again.config.read_text()
    fingerprint = again.club.unifi_server.fingerprint or ""
    again.config.write_text(text.replace(fingerprint, ":".join(["AB"] * 32)))
    terminal = sit()
    for text in ("Address of CiviCRM", "API key in", "Which statuses", "Which field", "Address of"):
        terminal.type(text, "")
    terminal.wait_for("IT IS NOT THE ONE that config.toml trusts.")
    terminal.type("Is it the same?", "no")
    assert terminal.end() == 2

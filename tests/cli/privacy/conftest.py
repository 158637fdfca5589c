"""The marked site for these tests, and whether they drive all of the program that speaks (P12).

The members are marked (see marked.py), and so is all that the other side says when it fails. At the
end the lines that make an error or log and were reached are held against those that there are.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import door_sync
from door_sync.ports import DoorSyncError
from tests.cli.conftest import Site
from tests.cli.marked import Marked, marked_site

REACHED: set[tuple[str, int]] = set()
"""The lines of the program that made an error or logged, in all these tests."""


@pytest.fixture
def marked(site: Site) -> Iterator[Marked]:
    """The marked site."""
    with marked_site(site) as opened:
        yield opened
        REACHED.update(opened.heard.places)


ELSEWHERE: Final = {
    "simulators/": "no part of what runs at a site",
    "cli/simulate/": "starts the simulators, whose people are made up",
    "settings/": "speaks of keys of the settings before anybody is read: tests/settings",
    "app/setting_up/": "asks a person for the settings: tests/app/setting_up",
    "cli/init.py": "asks a person for the settings",
    "civicrm/survey.py": "reads types and fields for the settings, and nobody",
    "http/certificate.py": "reads a certificate for the settings",
    "daemon/": "goes on for ever: tests/daemon; its cycles are those of here",
}
"""Where else errors are made or things are logged, and why that is not driven here."""

UNREACHED: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "app/channels.py deliver NotifyError",
            "http/translation.py translated TimedOut",
            "journal/lock.py _wait_for LockHeld",
            "notify/smtp.py _slow NotifyError",
        ),
        "only after seconds of waiting; it names the address and the seconds alone",
    ),
    **dict.fromkeys(
        (
            "http/body.py _bounded TooLarge",
            "http/body.py whole_body ProtocolBroken",
            "http/tls.py do_handshake WrongCertificate",
            "http/translation.py translated ProtocolBroken",
            "http/translation.py translated Unreachable",
            "http/transport.py start_tls Unreachable",
            "http/transport.py why_no_tls Unreachable",
        ),
        "speaks of the connection before any answer came: tests/http",
    ),
    **dict.fromkeys(
        (
            "civicrm/walk.py walk SourceDistrusted",
            "http/allowance.py seconds_left TooMuch",
            "http/allowance.py spend TooMuch",
            "http/body.py _few_values TooMuch",
            "unifi/paging.py _read_each ControllerDistrusted",
        ),
        "names a count and a limit alone: tests/http, tests/civicrm/test_walk.py, tests/unifi",
    ),
    **dict.fromkeys(
        (
            "app/approvals.py _book JournalError",
            "journal/errors.py foreign_rows JournalError",
            "journal/errors.py journal_error JournalError",
            "journal/lock.py __enter__ JournalError",
            "journal/store.py _check_sqlite JournalError",
            "journal/store.py _switch_on_durability JournalError",
            "journal/store.py check_in_place JournalError",
            "journal/store.py open_read_only JournalError",
        ),
        "names the file and the system's own words: tests/journal",
    ),
    **dict.fromkeys(
        (
            "journal/record.py end JournalError",
            "journal/record.py outcome JournalError",
            "journal/store.py writing JournalError",
        ),
        "only a fault of the program gets there: tests/journal",
    ),
    **dict.fromkeys(
        (
            "civicrm/replies.py answered SourceDistrusted",
            "unifi/binding.py rename WriteRefused",
            "unifi/executor.py _end_if_gone ControllerUnreachable",
            "unifi/client.py set_alias WriteRefused",
            "unifi/imports.py run ImportUncertain",
            "unifi/imports.py run WriteUncertain",
            "unifi/reading.py _card_row ControllerDistrusted",
            "unifi/reading.py _somebody ControllerDistrusted",
            "unifi/reading.py snapshot ControllerDistrusted",
            "unifi/reading.py user ControllerDistrusted",
            "unifi/trouble.py key_refused ControllerForbids",
            "unifi/trouble.py poor_write WriteRefused",
            "unifi/wire.py imported_tokens ControllerDistrusted",
        ),
        "takes a hand in the middle of one exchange: tests/unifi and tests/civicrm",
    ),
}
"""The lines that no test here reaches, and why; none that could be driven may come in."""


def _names_of_errors(kind: type[DoorSyncError] = DoorSyncError) -> Iterator[str]:
    yield kind.__name__
    for one in kind.__subclasses__():
        yield from _names_of_errors(one)


def _speaking_lines() -> dict[tuple[str, int, int], str]:
    """Return where the program makes an error or logs: file, first and last line; and in words."""
    root = Path(door_sync.__file__).parent
    names = set(_names_of_errors())
    found = {}
    for path in sorted(root.rglob("*.py")):
        file = str(path.relative_to(root))
        if file.startswith(tuple(ELSEWHERE)):
            continue
        for function, call in _calls(ast.parse(path.read_text()), "-"):
            match call.func:
                case ast.Name(id=name) if name in names:
                    what = name
                case ast.Attribute(value=ast.Name(id="log" | "logger"), attr=level) if (
                    level in LEVELS
                ):
                    what = f"log.{level}"
                case _:
                    continue
            end = call.end_lineno or call.lineno
            found[file, call.lineno, end] = f"{file} {function} {what}"
    return found


LEVELS: Final = ("debug", "info", "warning", "error", "critical", "exception", "log")


def _calls(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef) else function
        if isinstance(child, ast.Call):
            yield inside, child
        yield from _calls(child, inside)


def _unreached() -> set[str]:
    return {
        what
        for (file, first, last), what in _speaking_lines().items()
        if not any(file == there and first <= line <= last for there, line in REACHED)
    }


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_out(request: pytest.FixtureRequest) -> Iterator[None]:
    """At the end hold the lines that were reached against all there are.

    Not where somebody runs some of these tests alone.
    """
    yield
    here = Path(__file__).parent
    files = {one.path for one in request.session.items if one.path.parent == here}
    options = request.config.option
    is_part = options.keyword or options.markexpr or any("::" in one for one in request.config.args)
    if not is_part and files == set(here.glob("test_*.py")):
        assert _unreached() == UNREACHED.keys(), "see UNREACHED"

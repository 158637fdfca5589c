"""The manual page in packaging/man is the one that the commands make, and man can show it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from door_sync.cli.entry import COMMANDS
from door_sync.cli.manual import EXIT_CODES, man_page
from door_sync.settings.secrets import PURPOSES
from tests.docs.pages import page, section, table

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "packaging/man/door-sync.1"


def shown(width: int = 200) -> str:
    """The page as man shows it, without marks for bold."""
    man = shutil.which("man")
    if man is None:
        pytest.skip("man is not installed")
    ran = subprocess.run(
        [man, "--warnings", "-l", KEPT],
        env={**os.environ, "MANWIDTH": str(width), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    return ran.stdout


def test_the_page_that_is_kept_is_the_one_that_the_commands_make() -> None:
    assert KEPT.read_text("utf-8") == man_page(), "`make man` writes it anew"


def test_man_shows_every_command_without_a_complaint() -> None:
    text = shown()
    for name in COMMANDS:
        pattern = rf"(?m)^   {name}$|^ +It is called {name}, too\.$"
        assert re.search(pattern, text), name
    assert "--without-record" in text
    assert r"\&" not in text


def test_the_exit_codes_are_those_of_the_handbook() -> None:
    rows = table(section(page("commands.md"), "Exit codes"), "code")
    assert [int(row[0]) for row in rows] == [*EXIT_CODES]


def test_each_secret_is_named() -> None:
    assert all(f".B {name}" in man_page() for name in PURPOSES)

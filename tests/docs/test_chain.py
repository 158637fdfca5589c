"""The handbook's way to check the chain with standard tools is one that works."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from door_sync.journal.chain import seal_of
from tests.docs.pages import blocks, page, section

CHAIN = section(page("files.md"), "The chain")


def sample() -> list[str]:
    """The lines that the handbook shows."""
    [found] = [
        block
        for block in blocks(section(page("files.md"), "The audit file"))
        if block.kind == "json"
    ]
    return found.text.splitlines()


def checked(directory: Path, lines: list[str]) -> list[list[str]]:
    """What the handbook's commands print for these lines, as words."""
    (directory / "audit.jsonl").write_text("".join(f"{line}\n" for line in lines))
    [script] = [block.text for block in blocks(CHAIN) if block.kind == "sh"]
    shell = shutil.which("sh")
    assert shell is not None
    ran = subprocess.run(
        [shell, "-c", script], cwd=directory, capture_output=True, text=True, check=True
    )
    return [line.split() for line in ran.stdout.splitlines()]


def test_the_lines_that_it_shows_are_a_chain(tmp_path: Path) -> None:
    rows = checked(tmp_path, sample())
    assert [row[0] for row in rows] == [json.loads(line)["hash"] for line in sample()]
    assert [row[0] == row[1] for row in rows] == [True] * 3
    assert [row[2:] for row in rows] == [[], [rows[0][0]], [rows[1][0]]]


@pytest.mark.parametrize("line", range(3))
def test_a_line_that_was_changed_shows(tmp_path: Path, line: int) -> None:
    lines = sample()
    lines[line] = lines[line].replace('"dry_run": false', '"dry_run": true')
    rows = checked(tmp_path, lines)
    assert [row[0] == row[1] for row in rows] == [number != line for number in range(3)]


def test_door_sync_thinks_the_same_of_them() -> None:
    seals = [seal_of(line.encode()) for line in sample()]
    assert [seal is not None and seal.fits for seal in seals] == [True] * 3

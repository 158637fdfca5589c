"""Whatever the program tells people to run is there to be run."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import door_sync
from door_sync.cli.entry import COMMANDS

PACKAGE = Path(door_sync.__file__).parent
COMMAND_LINE = re.compile(r"`door-sync((?: [^` ]+)*)`")


def texts() -> Iterator[tuple[str, str]]:
    """Yield every text in the program's own code, docstrings too, with its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.value


def named_commands() -> Iterator[tuple[str, str]]:
    """Yield the command of every command line in these texts, with its place."""
    for place, text in texts():
        for found in COMMAND_LINE.finditer(text):
            words = [word for word in found[1].split() if not word.startswith("-")]
            if words:
                yield place, words[0]


def test_every_command_that_a_text_names_exists() -> None:
    unknown = [f"{place} names {name}" for place, name in named_commands() if name not in COMMANDS]
    assert unknown == []


def test_texts_do_name_commands() -> None:
    """Else the test above would look at nothing."""
    assert {"run", "plan", "validate-config"} <= {name for _, name in named_commands()}

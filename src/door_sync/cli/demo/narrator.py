"""How the demo reads: headings, paragraphs, the program's own output set off, colour if any."""

import os
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

import click

_NARROWEST, _WIDEST = 40, 100
_GUTTER = "  |"
_ALIKE = re.compile(r"\s*(?:-|\d+\.) (?=contact \d+(?: \(.*?\))?:? (?P<what>\w+ \w+))")
_ANSWER = re.compile(r"(?<=: )(yes|no)\b")
_FEW = 4
_SHOWN = 2


class Narrator:
    """Writes to standard output; in colour on a terminal that wants it, else plain."""

    def __init__(self, *, pauses: bool = False) -> None:
        self._pauses = pauses
        columns = shutil.get_terminal_size((_WIDEST, 24)).columns
        self._width = max(_NARROWEST, min(_WIDEST, columns))
        self._colour = None if not os.environ.get("NO_COLOR") else False

    def heading(self, text: str) -> None:
        """Begin a chapter."""
        self._line()
        self._line(click.style(text, bold=True))
        self._line(click.style("-" * len(text), dim=True))

    def say(self, text: str) -> None:
        """Write a paragraph."""
        self._line()
        for line in textwrap.wrap(text, self._width, break_on_hyphens=False):
            self._line(line)

    def item(self, text: str) -> None:
        """Write one entry of a list; a door's `yes` or `no` gets its colour."""
        for line in self._hanging(f"  {text}", 4):
            self._line(_ANSWER.sub(_coloured, line))

    def output(self, command: str, text: str, ending: str) -> None:
        """Show a command with what it printed, long runs of like lines cut short, and then how it
        ended."""
        gutter = click.style(_GUTTER, dim=True)
        self._line()
        self._line(gutter + click.style(f" $ door-sync {command}", fg="cyan"))
        for line in cut_short(text.splitlines()):
            for part in self._hanging(f" {line}", len(line) - len(line.lstrip()) + 5):
                self._line(gutter + part)
        self._line(click.style(f"    ({ending})", dim=True))

    def complaint(self, text: str) -> None:
        """Say that something is not as it was told."""
        self._line(click.style(f"  NOT AS TOLD: {text}", fg="red", bold=True))

    def pause(self) -> None:
        """Wait for a key, if the reader asked for that and there is one to press."""
        if self._pauses:
            click.pause("\n(any key goes on)")

    def _hanging(self, line: str, indent: int) -> list[str]:
        wrapped = textwrap.wrap(
            line,
            self._width - len(_GUTTER),
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
            break_long_words=False,
        )
        return wrapped or [""]

    def _line(self, text: str = "") -> None:
        click.echo(text, color=self._colour)


def cut_short(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines, of many in a row that do the same for different people only the first two."""
    for (what, indent), run in groupby(lines, _what_and_where):
        alike = list(run)
        if not what or len(alike) <= _FEW:
            yield from alike
        else:
            yield from alike[:_SHOWN]
            yield f"{' ' * indent}… and {len(alike) - _SHOWN} more like these"


def _what_and_where(line: str) -> tuple[str, int]:
    """Return what a line says of somebody, in two words, and the column where it begins to."""
    found = _ALIKE.match(line)
    return (found["what"], found.end()) if found else ("", 0)


def _coloured(answer: re.Match[str]) -> str:
    return click.style(answer[0], fg="green" if answer[0] == "yes" else "red")

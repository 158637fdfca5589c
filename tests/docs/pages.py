"""The handbook and the README as text, and the parts of them that tests look at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A block of code: what kind it says it is, and its text without indentation."""

    kind: str
    text: str


@cache
def pages() -> dict[str, str]:
    """Every page by its path in the repository: README, changelog, handbook."""
    paths = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


def page(name: str) -> str:
    """One page of the handbook by its name below docs/."""
    return pages()[f"docs/{name}"]


def section(text: str, title: str) -> str:
    """The part of a page below a heading, up to the next heading of the same or a higher level."""
    [found] = [h for h in re.finditer(r"^(#+) +(.+?) *$", text, re.MULTILINE) if h[2] == title]
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def blocks(text: str) -> list[Block]:
    """Every fenced block of code."""
    found = []
    for fence in _FENCE.finditer(text):
        indent = len(fence["indent"])
        lines = (line[indent:] for line in fence["body"].splitlines())
        found.append(Block(fence["kind"], "\n".join(lines) + "\n"))
    return found


def without_blocks(text: str) -> str:
    """The text alone, without fenced blocks."""
    return _FENCE.sub("", text)


def spans(text: str) -> list[str]:
    """Everything that stands between backticks in the text."""
    return [span[2] for span in _SPAN.finditer(without_blocks(text))]


def tables(text: str) -> Iterator[list[list[str]]]:
    """Every table as rows of cells, the heading first."""
    rows: list[list[str]] = []
    for line in [*without_blocks(text).splitlines(), ""]:
        if line.lstrip().startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif rows:
            yield [row for row in rows if not set("".join(row)) <= set("-: ")]
            rows = []


def table(text: str, *heading: str) -> list[list[str]]:
    """The rows of the one table whose heading begins with these cells."""
    [found] = [rows for rows in tables(text) if tuple(rows[0][: len(heading)]) == heading]
    return found[1:]


def anchors(text: str) -> set[str]:
    """The names by which links may point at a page's headings."""
    titles = _HEADING.findall(without_blocks(text))
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", t).strip().lower()) for t in titles}


def links(text: str) -> list[str]:
    """Where a page's links point."""
    return _LINK.findall(without_blocks(text))

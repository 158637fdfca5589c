"""What no linter counts: escape hatches, long modules, places of the machine it was written on."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

LONGEST = {"src": 400, "benchmarks": 400, "tests": 500}
"""Lines of a module; 50 to 300 is the habit, and tests may hold a long table of cases."""

HATCHES_IN_THE_PROGRAM = 12
HATCHES_IN_TESTS = 30
"""How many escape hatches there may be: raise a number in the commit that says why."""

_HATCH = re.compile(
    r"#\s*(?:type:\s*ignore(?P<rule>\[[\w-]+(?:,\s*[\w-]+)*\])?"
    r"|noqa(?P<code>:\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)?"
    r"|pragma:\s*no (?:cover|branch)(?P<cover>)"
    r"|nosec(?P<bare>))"
    r"(?P<reason>.*)$"
)
_SOMEBODYS_OWN = {"config.toml", ".env"}
_SKIPPED = {".git", ".venv", ".hypothesis", "site", "dist", "build", "htmlcov", "__pycache__"}
_ELSEWHERE = re.compile(
    "|".join(
        [
            r"(?<![\w.])/(?:work|root|home/\w+)/",  # directories of one machine
            r"[\w-](?<!hypothesis)\.internal\b",
            r"files\.pythonhosted|pypi\.org|proxy\.golang|registry\.npmjs",
        ]
    )
)


def modules(*parts: str) -> list[Path]:
    """Every module below these directories."""
    return sorted(path for part in parts for path in (ROOT / part).rglob("*.py"))


def hatches(*parts: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Every escape hatch below these directories, with its place."""
    for path in modules(*parts):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if path != Path(__file__) and (found := _HATCH.search(line)):
                yield f"{path.relative_to(ROOT)}:{number}", found


@pytest.mark.parametrize(
    ("parts", "most"),
    [(("src", "benchmarks"), HATCHES_IN_THE_PROGRAM), (("tests",), HATCHES_IN_TESTS)],
    ids=["program", "tests"],
)
def test_escape_hatches_are_few(parts: tuple[str, ...], most: int) -> None:
    places = [place for place, _ in hatches(*parts)]
    assert len(places) <= most, "\n".join(places)


def is_explained(hatch: re.Match[str]) -> bool:
    """Whether a hatch names the rule that it opens, and gives a reason in words."""
    is_named = any(hatch[name] is not None for name in ("rule", "code", "cover"))
    return is_named and re.search(r"[a-z]{2,}", hatch["reason"]) is not None


def test_each_escape_hatch_names_its_rule_and_carries_its_reason() -> None:
    found = hatches("src", "benchmarks", "tests")
    assert [place for place, hatch in found if not is_explained(hatch)] == []


@pytest.mark.parametrize(
    ("line", "is_good"),
    [
        ("x = 1  # noqa: S105 a name, not a password", True),
        ("x = 1  # noqa: S105", False),
        ("x = 1  # noqa", False),
        ("x = 1  # type: ignore[misc]  # that it fails is what is tested", True),
        ("x = 1  # type: ignore", False),
        ("else:  # pragma: no cover - another operating system", True),
        ("else:  # pragma: no cover", False),
    ],
)
def test_a_hatch_without_rule_or_reason_is_seen(line: str, is_good: bool) -> None:
    found = _HATCH.search(line)
    assert found is not None
    assert is_explained(found) is is_good


@pytest.mark.parametrize(("part", "most"), LONGEST.items(), ids=LONGEST)
def test_no_module_is_longer_than_a_reader_can_hold(part: str, most: int) -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in modules(part)}
    assert lengths
    assert {str(path): lines for path, lines in lengths.items() if lines > most} == {}


def texts() -> Iterator[tuple[str, str]]:
    """Every file of the repository that is text, by its path."""
    for above, directories, names in os.walk(ROOT):
        directories[:] = [d for d in directories if d not in _SKIPPED and not d.endswith("_cache")]
        for path in (Path(above, name) for name in names if name not in _SOMEBODYS_OWN):
            if path == Path(__file__) or not path.is_file():
                continue
            with suppress(UnicodeDecodeError):
                yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def test_no_file_names_a_place_of_the_machine_it_was_written_on() -> None:
    """Nor the host of a package registry: a lock or a script that does works in one place only."""
    found = [f"{name}: {match[0]}" for name, text in texts() for match in _ELSEWHERE.finditer(text)]
    assert found == []

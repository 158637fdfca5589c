"""What the handbook names exists: commands, options, settings, files; what it shows runs."""

import json
import re
import shlex
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from door_sync.app.clock import SystemClock
from door_sync.app.setting_up.question import QUESTIONS
from door_sync.cli.entry import root
from door_sync.journal.sqlite import SqliteJournal
from door_sync.settings import kinds
from door_sync.settings.reference import reference_files
from tests.docs.pages import ROOT, anchors, blocks, links, pages, spans

WRITTEN = {name: text for name, text in pages().items() if name not in reference_files()}
"""The pages that are written by hand."""

_CALL = re.compile(r"(?:^|ExecStart=|\$\()(?P<path>/\S*/)?door-sync (?P<words>.+?)(?= 2>|[#>|)]|$)")


def calls() -> Iterator[tuple[str, list[str]]]:
    """Every call of the program that a page shows, as its page and its words."""
    for name, text in WRITTEN.items():
        for span in spans(text):
            if span.startswith("door-sync "):
                yield name, shlex.split(span.removeprefix("door-sync "))
        for block in blocks(text):
            for found in map(_CALL.search, block.text.splitlines()):
                # Blocks of plain text show what is printed, but for lines of a crontab.
                if found and (found["path"] or block.kind == "sh"):
                    yield name, shlex.split(found["words"])


def test_every_call_that_is_shown_is_understood() -> None:
    """Each is looked up as the program would, without running it."""
    seen, known = set(), root.get_params(click.Context(root, **root.context_settings))
    for name, words in calls():
        rest = list(words)
        while rest and rest[0].startswith("-"):
            [option] = [one for one in known if rest[0] in one.opts]
            assert isinstance(option, click.Option)
            del rest[: 1 if option.is_flag else 2]
        if rest:
            seen.add(rest[0])
            look_up(root, rest, f"{name}: {words}")
    assert seen == set(root.list_commands(click.Context(root, **root.context_settings)))


def look_up(group: click.Group, words: list[str], place: str) -> None:
    """Fail with the place if the words of a command and its options are not known."""
    command = group.get_command(click.Context(group, **root.context_settings), words[0])
    assert command is not None, place
    if isinstance(command, click.Group):
        if words[1:] and not words[1].startswith("-"):
            look_up(command, words[1:], place)
        return
    known = {opt for p in command.params for opt in p.opts} | {"-h", "--help"}
    options = [word.split("=")[0] for word in words[1:] if word.startswith("--")]
    assert set(options) <= known, place


@pytest.mark.parametrize("name", WRITTEN)
def test_every_setting_that_a_page_names_exists(name: str) -> None:
    tables = {path[0] for path, _ in kinds.tables() if path}
    known = {".".join(key) for key in kinds.all_keys()} | tables | {"tier_mapping.rules"}
    known |= {key for one in QUESTIONS.values() for key in (one.key, one.file_key)}  # of answers
    for span in spans(WRITTEN[name]):
        key = span.split(" = ")[0]
        if re.fullmatch(r"[a-z_]+(\.[A-Za-z_]+)+", key) and key.split(".")[0] in tables:
            assert key in known, key


@pytest.mark.parametrize("name", WRITTEN)
def test_every_piece_of_toml_or_json_is_well_formed_and_has_known_keys_only(name: str) -> None:
    known = set(kinds.all_keys())
    for block in blocks(WRITTEN[name]):
        if block.kind == "toml":
            for key in _keys(tomllib.loads(block.text)):
                rule = key[:2] == ("tier_mapping", "rules")
                assert (*key[:2], kinds.ANY_NAME, key[-1]) in known if rule else key in known
        if block.kind == "json":
            whole = block.text.lstrip().startswith("{\n")
            for text in [block.text] if whole else block.text.splitlines():
                assert json.loads(text)


def _keys(value: Mapping[str, object], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _keys(inner, (*above, name))
        else:
            yield (*above, name)


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"(?m)^([a-z]+):", makefile))
    named = set()
    for text in WRITTEN.values():
        lines = [line for block in blocks(text) for line in block.text.splitlines()]
        for shown in [*spans(text), *lines]:
            named |= set(re.findall(r"^make ([a-z]+)", shown))
    assert {"demo", "test", "docs", "check"} <= named <= targets


@pytest.mark.parametrize("name", WRITTEN)
def test_every_file_of_the_repository_that_a_page_names_exists(name: str) -> None:
    package = ROOT / "src/door_sync"
    packages = {path.name for path in package.iterdir()}
    for span in spans(WRITTEN[name]):
        first = span.split("/")[0]
        if re.fullmatch(r"(tests|docs|src|requirements|benchmarks)/[\w./-]*", span):
            assert (ROOT / span).exists(), span
        elif re.fullmatch(r"[a-z_]+/[a-z_]+\.py|[a-z_]+\.py", span) and first in packages:
            assert (package / span).exists(), span


def test_the_questions_to_the_journal_are_answered(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with SqliteJournal.open(path, SystemClock()) as journal:
        journal.begin(SystemClock().now()).end("applied", "", {})
    asked = [
        found[1]
        for block in blocks(WRITTEN["docs/files.md"])
        for found in re.finditer(r'"(SELECT [^"]+)"', block.text)
    ]
    connection = sqlite3.connect(path)
    answers = [connection.execute(question).fetchall() for question in asked]
    connection.close()
    assert [bool(answer) for answer in answers] == [True, False]


@pytest.mark.parametrize("name", pages())
def test_every_link_leads_somewhere(name: str) -> None:
    for link in links(pages()[name]):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.is_file(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


def test_every_page_of_the_handbook_is_in_its_contents_once() -> None:
    contents = re.findall(r"(?m): ([\w/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"))
    written = [name.removeprefix("docs/") for name in pages() if name.startswith("docs/")]
    assert sorted(contents) == sorted(written)


def test_every_decision_is_in_the_list_with_its_own_title() -> None:
    listed = dict(re.findall(r"\[([^\]]+)\]\((\d{4}-[^)]+)\)", pages()["docs/decisions/index.md"]))
    for name, text in pages().items():
        if re.match(r"docs/decisions/\d", name):
            number, title = re.findall(r"^# (\d+)\. (.+)$", text, re.MULTILINE)[0]
            assert listed.get(title) == Path(name).name
            assert int(number) == int(Path(name).name[:4])


def test_nothing_of_the_handbook_is_loaded_from_elsewhere() -> None:
    """The theme would fetch its highlighter from another site; there is no other such thing.

    Pictures lie beside the page that shows them.
    """
    config = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert "highlightjs: false" in config
    assert "http" not in config
    for name, text in pages().items():
        shown = without_code(re.sub(r"!\[[^\]]*\]\(figures/[\w-]+\.svg\)", "", text))
        assert not re.search(r"<(script|link|img|iframe)\b|!\[", shown), name


def without_code(text: str) -> str:
    """The text without spans of code."""
    for span in spans(text):
        text = text.replace(span, "")
    return text

"""Nothing of the program is left out of the handbook: commands, options, codes, guards, words."""

import json
import re
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from door_sync.app.channels import LABELS
from door_sync.app.checkup.check import Name
from door_sync.app.cycle import EVENT
from door_sync.app.report import CycleReport, Ending
from door_sync.cli.doctor import MARKS
from door_sync.cli.entry import COMMANDS, EXIT_FAULT, EXIT_INTERRUPTED, EXIT_USAGE, root
from door_sync.cli.output.json import report_json
from door_sync.cli.plan import EXIT_CHANGES
from door_sync.core import custody
from door_sync.core.causes import Identity
from door_sync.core.guards import Budgets, Evidence, objections
from door_sync.core.people import ContactId
from door_sync.core.steps import Change, ChangeClass, NoticeKind, Plan, Step, kind_of
from door_sync.journal.audit import (
    Applied,
    AuditedCycle,
    Crashed,
    Halted,
    audit_content,
    audit_line,
)
from door_sync.journal.chain import HALF_LINE, OPENS
from door_sync.journal.history import INTERRUPTED
from door_sync.journal.state import SiteState, write_state
from door_sync.ports import DoorSyncError
from door_sync.settings import kinds
from tests.docs.pages import ROOT, blocks, page, pages, section, spans, table

COMMANDS_PAGE = page("commands.md")
BAD_DAYS = page("bad-days.md")
FILES = page("files.md")
OPERATING = page("operating.md")
HANDBOOK = "\n".join(text for name, text in pages().items() if name.startswith("docs/"))


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it, the group of all first."""
    context = click.Context(root, **root.context_settings)
    yield "", root
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner, below in command.commands.items():
                yield f"{name} {inner}", below


def options() -> Iterator[tuple[str, click.Option]]:
    """Every option with the words of its command."""
    for words, command in commands():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield words, parameter


@pytest.mark.parametrize("words", [words for words, _ in commands() if words])
def test_each_command_is_in_the_handbook_and_in_the_readme(words: str) -> None:
    for text in (HANDBOOK, pages()["README.md"]):
        assert re.search(rf"door-sync {words}\b|`{words}`", text), words


@pytest.mark.parametrize(("words", "option"), [(words, o) for words, o in options()], ids=str)
def test_each_option_is_in_the_handbook_with_its_choices(words: str, option: click.Option) -> None:
    where = (
        page("rehearsing.md") if words.split(" ")[:1] in (["demo"], ["simulate"]) else COMMANDS_PAGE
    )
    told = [span for span in spans(where) if span.startswith("-")]
    for name in option.opts:
        if isinstance(option.type, click.Choice):
            for choice in option.type.choices:
                assert f"{name} {choice}" in told
        else:
            assert name in [span.split(" ")[0] for span in told]


def exit_codes() -> set[int]:
    """Every code with which the program may end."""

    def below(error: type[DoorSyncError]) -> Iterator[int]:
        yield error.exit_code
        for kind in error.__subclasses__():
            yield from below(kind)

    for listed in COMMANDS.values():
        __import__(listed.module)
    own = {EXIT_USAGE, EXIT_FAULT, EXIT_INTERRUPTED, EXIT_CHANGES}
    return {*own, *(ending.value for ending in Ending), *below(DoorSyncError)}


def test_the_table_of_exit_codes_has_every_code_and_no_other() -> None:
    rows = table(section(COMMANDS_PAGE, "Exit codes"), "code")
    assert [int(row[0]) for row in rows] == sorted(exit_codes())
    assert all(row[1] for row in rows)


EVERYTHING_IS_WRONG = Evidence(
    active_managed=20,
    grants=0,
    contacts=1,
    users=1,
    last_contacts=100,
    last_users=100,
    missing=9,
    too_many_missing=True,
    unknown_policies=("Gold",),
    unmapped=(ContactId(1),),
    bad_cards=(ContactId(2),),
    duplicate_cards=(ContactId(3),),
)


def guards() -> set[str]:
    """The name of every guard, by letting all of them object at once."""
    changes = [Change(ContactId(n), one, "", ()) for one in ChangeClass for n in range(1, 21)]
    found = objections(Plan(tuple(changes)), EVERYTHING_IS_WRONG, Budgets(halt_on_bad_record=True))
    return {objection.guard for objection in found}


def test_every_guard_has_a_row_that_says_what_it_counts_and_no_row_has_no_guard() -> None:
    held = section(BAD_DAYS, "When it is held")
    rows = [*_guard_rows(held)]
    assert {row[0].strip("`") for row in rows} == guards()
    assert all(cell for row in rows for cell in row)


def _guard_rows(text: str) -> Iterator[list[str]]:
    yield from table(text, "guard", "fires when so many of the active people would … at once")
    yield from table(text, "guard", "fires when", "setting")
    halting = text[text.index('With `safety.on_bad_record = "halt"`') :]
    yield from table(halting, "guard", "fires when")


def test_all_guards_were_heard_above() -> None:
    """A guard that is added to the core, but not to the evidence here, is found by its name."""
    source = (ROOT / "src/door_sync/core/guards.py").read_text("utf-8")
    quoted = set(
        re.findall(r'"(mass [a-z ]+|[a-z]+ (?:source|type|card|policy|vanished))"', source)
    )
    assert quoted <= guards()
    assert len(quoted) >= 10


def test_the_guards_that_look_back_over_a_day_are_told_of() -> None:
    assert "*in 24 hours*" in section(BAD_DAYS, "When it is held")


def test_each_cause_of_an_alert_has_a_row_that_says_what_it_means_and_what_to_do() -> None:
    rows = table(section(BAD_DAYS, "Alerts"), "cause")
    assert [row[0].strip("`") for row in rows] == [identity.value for identity in Identity]
    assert all(cell for row in rows for cell in row)


def test_each_way_to_send_an_alert_has_a_row() -> None:
    rows = table(section(OPERATING, "Channels"), "`alert.transport`")
    transports = kinds.choices_of(("alert", "transport"))
    assert [row[0].strip("`") for row in rows] == [*transports] == [*LABELS]


def test_each_kind_of_notice_has_a_row() -> None:
    rows = table(section(BAD_DAYS, "Notices"), "kind")
    assert {row[0].strip("`") for row in rows} == {kind.value for kind in NoticeKind}
    assert len(rows) == len(NoticeKind)


def test_each_reason_why_a_card_is_out_of_reach_has_a_row() -> None:
    named = {
        text for name, text in vars(custody).items() if name.isupper() and text != custody.HELD
    }
    reasons = {text for text in (*named, *custody.HELD.values()) if isinstance(text, str)}
    told = " · ".join(row[0] for row in table(section(BAD_DAYS, "Blocked cards"), "it says"))
    assert custody.VISITOR in reasons
    assert [reason for reason in reasons if reason not in told] == []


def test_the_words_for_scripts_are_those_of_the_program() -> None:
    text = section(COMMANDS_PAGE, "For scripts")
    told = set(spans(text))
    assert {one.value for one in ChangeClass} <= told
    steps = {kind_of(object.__new__(kind)) for kind in typing.get_args(Step)}
    assert steps <= told
    assert {ending.name.lower() for ending in Ending} <= told
    report = report_json(
        CycleReport(datetime(2026, 11, 22, tzinfo=UTC), dry_run=True, key=b""), shows_names=True
    )
    keys = [row[0].strip("`") for row in table(text, "key")]
    assert keys == re.findall(r'(?m)^  "(\w+)":', report)


def test_each_way_a_cycle_may_end_in_the_journal_is_told() -> None:
    told = spans(section(FILES, "The journal"))
    assert {*EVENT.values(), "crashed", INTERRUPTED} <= set(told)


def test_the_audit_files_keys_and_words_are_told() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    text = section(FILES, "The audit file")
    endings = (Applied(), Halted("reason"), Crashed(ValueError()))
    lines = [audit_line(AuditedCycle(at, "cycle", ending)) for ending in endings]
    keys = {key for line in lines for key in json.loads(line)}
    full = audit_content(AuditedCycle(at, "cycle", Applied(), command="revoke", late=at))
    rows = table(text, "key")
    assert {row[0].strip("`") for row in rows} == {*keys, *full, OPENS, HALF_LINE}
    assert {type(ending).__name__.lower() for ending in endings} <= set(spans(text))
    [sample] = [block for block in blocks(text) if block.kind == "json"]
    told = [[*json.loads(line)] for line in sample.text.splitlines()]
    told[0].remove(OPENS)
    assert told == [[*json.loads(line)] for line in lines]


def test_the_sample_of_the_state_file_has_its_keys(tmp_path: Path) -> None:
    [sample] = blocks(section(FILES, "The state file"))
    write_state(tmp_path / "state.json", SiteState())
    written = (tmp_path / "state.json").read_text("utf-8")
    assert re.findall(r'"(\w+)":', sample.text) == re.findall(r'"(\w+)":', written)


def test_each_check_of_doctor_has_a_row_in_the_order_in_which_they_are_told() -> None:
    rows = table(section(BAD_DAYS, "What doctor finds"), "check")
    assert [row[0].strip("`") for row in rows] == [name.title for name in Name]
    assert all(cell for row in rows for cell in row)


def test_each_verdict_of_doctor_is_told_with_its_mark() -> None:
    rows = table(section(COMMANDS_PAGE, "doctor"), "mark")
    assert {row[1].strip("`"): row[0] for row in rows} == {
        verdict.value: mark for verdict, mark in MARKS.items()
    }

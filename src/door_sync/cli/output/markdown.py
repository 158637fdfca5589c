"""A plan as Markdown, for a mail or a ticket."""

import re
from collections.abc import Iterable

from door_sync.app.report import CycleReport
from door_sync.app.sentences import sentence
from door_sync.cli.output.text import headline, notice_line, said_to_holds
from door_sync.cli.output.wording import MEANS, Wording, harmless

_MARKUP = re.compile(r"[\\`*_{}\[\]<>|&~#!$@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What starts markup, in one dialect or another: tables, links, mentions, formulas, addresses."""


def plan_markdown(report: CycleReport) -> str:
    """Return the steps a live cycle would take next, as a table, with names."""
    words = Wording(report, shows_names=True)
    lines = ["# door-sync plan", ""]
    for line in headline(report):
        lines += [literal(line), ""]
    for one in report.decision.objections if report.decision else ():
        text = f"{sentence(one.text)} {sentence(one.remedy)}"
        lines += [f"> **Guard '{one.guard}'.** {literal(text)}", ""]
    if report.plan.changes:
        lines += [f"## Plan `{report.plan.digest(report.key)}`", "", *_table(report, words), ""]
    held = report.decision.held_plan if report.decision else None
    if held is not None and report.hold_digest:
        title = f"Waiting for a person: plan `{report.hold_digest}`"
        lines += _list(
            title,
            (
                f"{words.person(c.contact_id)} {MEANS[c.change_class].of(1)}: {c.reason}"
                for c in held.changes
            ),
        )
        for text in said_to_holds(report):
            lines += [literal(text), ""]
    lines += _list("Blocked cards", map(words.blocked, report.blocked))
    lines += _list("Worth knowing", (notice_line(one, words) for one in report.notices))
    return "\n".join(lines)


def literal(text: str) -> str:
    """Return a text that Markdown shows as it is: in one line, inside its cell, without markup."""
    return _MARKUP.sub(r"\\\g<0>", harmless(text))


def _table(report: CycleReport, words: Wording) -> Iterable[str]:
    yield "| step | who | what | class | why |"
    yield "| --- | --- | --- | --- | --- |"
    for number, planned in enumerate(report.plan.steps(), start=1):
        change = planned.change
        cells = (
            str(number),
            words.person(change.contact_id),
            words.step(planned.step),
            change.change_class.value,
            change.reason,
        )
        yield f"| {' | '.join(map(literal, cells))} |"


def _list(title: str, items: Iterable[str]) -> list[str]:
    found = [f"- {literal(item)}" for item in items]
    return [f"## {title}", "", *found, ""] if found else []

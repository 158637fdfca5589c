"""A plan as Markdown, for a mail or a ticket."""

from door_sync.app.report import CycleReport
from door_sync.cli.output.text import tally
from door_sync.cli.output.wording import Wording


def plan_markdown(report: CycleReport) -> str:
    """Return the steps a live cycle would take next, as a table, with names."""
    words = Wording(report, shows_names=True)
    lines = ["# door-sync plan", ""]
    if report.error is not None:
        lines += [f"**Stopped, nothing would be written:** {_cell(report.error.message)}", ""]
        lines += [_cell(report.error.remedy), ""] if report.error.remedy else []
    elif report.plan.changes:
        lines += [f"{tally(report.plan.changes)}. Plan `{report.plan.digest(report.key)}`.", ""]
    elif not report.decision or not report.decision.objections:
        lines += ["Nothing to do: the controller matches the membership list.", ""]
    for one in report.decision.objections if report.decision else ():
        lines += [f"> **Held by {one.guard}:** {_cell(one.text)}. {_cell(one.remedy)}.", ""]
    if report.plan.changes:
        lines += ["| # | who | step | class | why |", "| --- | --- | --- | --- | --- |"]
        for number, planned in enumerate(report.plan.steps(), start=1):
            change = planned.change
            cells = (
                str(number),
                words.person(change.contact_id),
                words.step(planned.step),
                change.change_class.value,
                change.reason,
            )
            lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
        lines.append("")
    held = report.decision.held_plan if report.decision else None
    if held is not None and held.changes:
        lines += [f"## Waiting for a person: plan `{held.digest(report.key)}`", ""]
        lines += [
            f"- {_cell(words.person(c.contact_id))}: {c.change_class.value}, {_cell(c.reason)}"
            for c in held.changes
        ]
        lines.append("")
    for title, items in (
        ("Blocked cards", [words.blocked(one) for one in report.blocked]),
        (
            "Worth knowing",
            [
                f"{words.person(n.contact_id)}: {n.text}" if n.contact_id is not None else n.text
                for n in report.notices
            ],
        ),
    ):
        if items:
            lines += [f"## {title}", "", *(f"- {_cell(item)}" for item in items), ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Return a text that cannot break out of a table cell or start markup of its own."""
    for mark in "\\`*_{}[]<>|":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", " ")

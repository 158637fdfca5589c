"""A cycle's report as plain text: first what happened and what it means, then the detail."""

from collections import Counter
from collections.abc import Iterable

from door_sync.app.report import CycleReport, Ending
from door_sync.cli.output.wording import GAINED, Wording, counted
from door_sync.core.guards import holds_cycle
from door_sync.core.steps import Change, ChangeClass, Notice

MATCHES = "Nothing to do: the controller matches the membership list."


def run_text(report: CycleReport) -> str:
    """Return what `run` prints: contact ids only, never a name (§7)."""
    words = Wording(report)
    lines = [*_headline(report), *_objections(report)]
    lines += _list("Done:", (_change(c, words) for c in _by_class(report.done)))
    lines += _failures(report, words)
    if report.dry_run:
        lines += _list(
            "Would be done:", (_change(c, words) for c in _by_class(report.plan.changes))
        )
    lines += _held(report, words)
    lines += _findings(report, words)
    return "\n".join(lines) + "\n"


def plan_text(report: CycleReport) -> str:
    """Return what `plan` prints: every step a live cycle would take next, in order, with names."""
    words = Wording(report, shows_names=True)
    lines = [*_headline(report), *_objections(report)]
    if report.plan.changes:
        lines += ["", f"Plan {report.plan.digest(report.key)}:"]
        for number, planned in enumerate(report.plan.steps(), start=1):
            person = words.person(planned.change.contact_id)
            why = f"{planned.change.change_class.value}: {planned.change.reason}"
            lines.append(f"{number:4}. {person}: {words.step(planned.step)}  [{why}]")
    lines += _held(report, words)
    lines += _findings(report, words)
    return "\n".join(lines) + "\n"


def tally(changes: Iterable[Change]) -> str:
    """Return how many people a list of changes concerns, class by class."""
    count = Counter(change.change_class for change in changes)
    return ", ".join(
        f"{counted(count[one], 'person', 'people')} {GAINED[one][count[one] != 1]}"
        for one in ChangeClass
        if count[one]
    )


def _headline(report: CycleReport) -> list[str]:
    match report.ending:
        case Ending.FAILED:
            return _stopped(report)
        case Ending.HELD:
            return _held_headline(report)
        case Ending.PARTIAL:
            people = ", ".join(str(one.change.contact_id) for one in report.failed)
            done = tally(report.done)
            done = f" Otherwise: {done}." if done else ""
            return [
                f"Not done for everybody: contacts {people} failed.{done}",
                "The next cycle tries them again; nobody else is affected.",
            ]
        case Ending.CLEAN:
            if report.dry_run and report.plan.changes:
                return [f"A live cycle would write: {tally(report.plan.changes)}."]
            if report.done:
                return [f"Done: {tally(report.done)}. Everything written was read back."]
            return [MATCHES]


def _stopped(report: CycleReport) -> list[str]:
    lines = []
    if report.error is not None:
        written = report.ledger.writes if report.ledger is not None else 0
        if written:
            lines.append(
                f"Stopped on the way, after {counted(written, 'write', 'writes')}. What was "
                "written stays; the next cycle goes on."
            )
        else:
            lines.append("Stopped: nothing was written. Everybody keeps the access they have.")
        lines.append(f"Why: {_sentence(report.error.message)}")
        if report.error.remedy:
            lines.append(f"What to do: {_sentence(report.error.remedy)}")
    lines += [f"Trouble: {_sentence(text)}" for text in report.troubles]
    return lines


def _held_headline(report: CycleReport) -> list[str]:
    if report.decision is None or holds_cycle(report.decision.objections):
        return ["Held: nothing was written. Everybody keeps the access they have."]
    waits = tally(report.decision.held_plan.changes)
    if report.dry_run:
        does = tally(report.plan.changes) or "nothing"
        return [f"Held in part: {waits} only after a person has looked. The rest: {does}."]
    done = tally(report.done) or "nothing"
    return [f"Held in part: {waits} only after a person has looked. Done: {done}."]


def _objections(report: CycleReport) -> list[str]:
    if report.decision is None:
        return []
    lines = []
    for one in report.decision.objections:
        lines += ["", f"Guard '{one.guard}': {_sentence(one.text)}"]
        lines.append(f"  What settles it: {_sentence(one.remedy)}")
    return lines


def _failures(report: CycleReport, words: Wording) -> list[str]:
    return _list(
        "Failed:",
        (
            f"{words.person(one.change.contact_id)} ({one.change.change_class.value}): "
            + "; ".join([*one.problems, *one.doubts])
            for one in report.failed
        ),
    )


def _held(report: CycleReport, words: Wording) -> list[str]:
    if report.decision is None or not report.decision.held:
        return []
    held = report.decision.held_plan
    title = f"Waiting for a person, plan {held.digest(report.key)}:"
    return _list(title, (_change(change, words) for change in _by_class(held.changes)))


def _findings(report: CycleReport, words: Wording) -> list[str]:
    lines = _list("Blocked cards:", (words.blocked(one) for one in report.blocked))
    return lines + _list("Worth knowing:", (_notice(one, words) for one in report.notices))


def _notice(notice: Notice, words: Wording) -> str:
    if notice.contact_id is None:
        return notice.text
    return f"{words.person(notice.contact_id)}: {notice.text}"


def _change(change: Change, words: Wording) -> str:
    what = GAINED[change.change_class][0]
    return f"{words.person(change.contact_id)} {what}: {change.reason}"


def _by_class(changes: Iterable[Change]) -> list[Change]:
    order = list(ChangeClass)
    return sorted(changes, key=lambda c: (order.index(c.change_class), c.contact_id))


def _list(title: str, items: Iterable[str]) -> list[str]:
    lines = [f"  - {item}" for item in items]
    return ["", title, *lines] if lines else []


def _sentence(text: str) -> str:
    """Return a text with a capital at its start and one full stop at its end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")

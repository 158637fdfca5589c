"""A cycle's report as plain text: first what happened and what it means, then the detail."""

from collections.abc import Iterable

from door_sync.app.report import CycleReport
from door_sync.app.sentences import UNCHANGED, named, sentence
from door_sync.cli.output.wording import MEANS, Wording, counted, harmless, tally_of
from door_sync.core.approvals import Growth
from door_sync.core.decision import Decision
from door_sync.core.steps import Change, ChangeClass, Notice
from door_sync.notify.flag import BY_HAND
from door_sync.ports import JournalError

MATCHES = "Nothing to do: the controller matches the membership list."


def run_text(report: CycleReport) -> str:
    """Return what `run` prints: contact ids only, never a name (§7)."""
    words = Wording(report)
    lines = [*headline(report), *_objections(report)]
    lines += _list("Done:", (_change(c, words, is_done=True) for c in _by_class(report.done)))
    lines += _failures(report, words)
    if report.dry_run:
        changes = _by_class(report.plan.changes)
        lines += _list("A live cycle would do this:", (_change(c, words) for c in changes))
    lines += _held(report, words)
    lines += _findings(report, words)
    return _printed(lines)


def plan_text(report: CycleReport) -> str:
    """Return what `plan` prints: every step a live cycle would take next, in order, with names."""
    words = Wording(report, shows_names=True)
    lines = [*headline(report), *_objections(report)]
    if report.plan.changes:
        lines += ["", f"Plan {report.plan.digest(report.key)}:"]
        for number, planned in enumerate(report.plan.steps(), start=1):
            person = words.person(planned.change.contact_id)
            why = f"{planned.change.change_class.value}: {planned.change.reason}"
            lines.append(f"{number:4}. {person}: {words.step(planned.step)}  [{why}]")
    lines += _held(report, words)
    lines += _findings(report, words)
    return _printed(lines)


def headline(report: CycleReport) -> list[str]:
    """Return what happened and what it means for the doors, in a few sentences."""
    if report.error is not None:
        lines = _stopped(report)
        lines.append(f"Why: {sentence(report.error.message)}")
        if report.error.remedy:
            lines.append(f"What to do: {sentence(report.error.remedy)}")
    elif report.decision is not None and report.decision.objections:
        lines = _held_headline(report, report.decision)
    elif report.failed:
        people = named(one.change.contact_id for one in report.failed)
        lines = [
            f"Not done for everybody: {people} failed.{_done(report, ' Otherwise done: ')}",
            "The next cycle tries them again; nobody else is affected.",
        ]
    else:
        lines = [_clean(report)]
    if report.blocked:
        people = named(one.contact_id for one in report.blocked)
        cards = counted(len(report.blocked), "card is", "cards are")
        lines.append(f"{cards} blocked: {people} must wait for a person to settle it, see below.")
    if report.troubles:
        lines += ["The doors are not affected, but what tells people about them is incomplete."]
    lines += [f"Trouble: {sentence(text)}" for text in report.troubles]
    return lines + ([f"Alert not sent: {report.unsent}"] if report.unsent else [])


def tally(changes: Iterable[Change], *, is_done: bool = False) -> str:
    """Return how many people a list of changes concerns, class by class."""
    return tally_of((change.change_class for change in changes), is_done=is_done)


def _stopped(report: CycleReport) -> list[str]:
    if report.dry_run:
        return [f"No plan: a live cycle would stop here and write nothing. {UNCHANGED}"]
    if isinstance(report.error, JournalError):
        no_more = "no cycle runs without a record of it. Revocations are not happening"
        doors = f"{no_more}: people who left can still open doors. {BY_HAND}"
        if report.ledger is None or not report.ledger.writes:
            return [f"Stopped: {doors}"]
        writes = counted(report.ledger.writes, "write", "writes")
        return [f"Stopped on the way, after {writes}, which stay. From here on {doors}"]
    if report.ledger is not None and report.ledger.writes:
        writes = counted(report.ledger.writes, "write", "writes")
        return [f"Stopped on the way, after {writes}. What is done stays; the next cycle goes on."]
    return [f"Stopped: nothing was written. {UNCHANGED}"]


def _held_headline(report: CycleReport, decision: Decision) -> list[str]:
    if decision.is_in_doubt and not report.plan.changes:
        would = "a live cycle would write nothing" if report.dry_run else "nothing was written"
        return [f"Held: {would}, a person must look first. {UNCHANGED}"]
    if decision.is_in_doubt:  # what was asked for by hand is all that runs (§6)
        lines = ["Held: a person must look first, at all but what a person asked for."]
    else:
        waits = tally(decision.held_plan.changes)
        lines = [f"Held in part: {waits} only after a person has looked."]
    if report.dry_run and report.plan.changes:
        lines.append(f"A live cycle would do the rest: {tally(report.plan.changes)}.")
    elif report.done:
        lines.append(_done(report, "The rest is done: "))
    elif not report.failed:
        lines.append("There is nothing else to do.")
    if report.failed:
        people = named(one.change.contact_id for one in report.failed)
        lines.append(f"Not done: {people} failed; the next cycle tries again.")
    return lines


def _clean(report: CycleReport) -> str:
    if report.dry_run and report.plan.changes:
        return f"A live cycle would write: {tally(report.plan.changes)}."
    if report.done:
        return f"{_done(report, 'Done: ')} Everything written was read back."
    return MATCHES if not report.blocked else "Nothing to do that can be done without a person."


def _done(report: CycleReport, before: str) -> str:
    return f"{before}{tally(report.done, is_done=True)}." if report.done else ""


def _objections(report: CycleReport) -> list[str]:
    if report.decision is None:
        return []
    lines = []
    for one in report.decision.settled:
        lines += ["", f"Approved by a person, guard '{one.guard}': {sentence(one.text)}"]
    for one in report.decision.objections:
        lines += ["", f"Guard '{one.guard}': {sentence(one.text)}"]
        lines.append(f"  What settles it: {sentence(one.remedy)}")
    return lines


def _failures(report: CycleReport, words: Wording) -> list[str]:
    return _list(
        "Failed:",
        (
            f"{words.person(one.change.contact_id)} ({one.change.change_class.value}): "
            + "; ".join(dict.fromkeys([*one.problems, *one.doubts]))
            for one in report.failed
        ),
    )


def _held(report: CycleReport, words: Wording) -> list[str]:
    decision, digest = report.decision, report.hold_digest
    if decision is None or not digest:
        return []
    held = _by_class(decision.held_plan.changes)
    lines = ["", f"Waiting for a person, plan {digest}:"]
    lines += [f"  - {_change(change, words)}" for change in held] or ["  - nobody would be changed"]
    lines += [f"  {text}" for text in said_to_holds(report)]
    return lines


def said_to_holds(report: CycleReport) -> list[str]:
    """Return what a person can say to the hold of this cycle, and why an approval did not serve."""
    decision, digest = report.decision, report.hold_digest
    if decision is None:
        return []
    lines = [
        f"The approval of plan {one.digest} does not serve any more: {_came_in(one)} came in since."
        for one in decision.grown
    ]
    if digest and all(one.is_approvable for one in decision.objections):
        first = "A live cycle puts it on record; then l" if report.dry_run else "L"
        lines.append(
            f"{first}et it pass with `door-sync approve {digest}` (within 24 hours, and no more "
            f"than this), or refuse it with `door-sync reject {digest}`."
        )
    return lines


def _came_in(growth: Growth) -> str:
    order = list(ChangeClass)
    people = [
        f"{named(c for c, one in growth.changes if one is change_class)} ({change_class.value})"
        for change_class in order
        if any(one is change_class for _, one in growth.changes)
    ]
    return ", ".join([*people, *(f"more for the guard '{guard}'" for guard in growth.guards)])


def _findings(report: CycleReport, words: Wording) -> list[str]:
    lines = _list("Blocked cards:", (words.blocked(one) for one in report.blocked))
    return lines + _list("Worth knowing:", (notice_line(one, words) for one in report.notices))


def notice_line(notice: Notice, words: Wording) -> str:
    """Return a notice, with the contact that it is about."""
    if notice.contact_id is None:
        return notice.text
    return f"{words.person(notice.contact_id)}: {notice.text}"


def _change(change: Change, words: Wording, *, is_done: bool = False) -> str:
    what = MEANS[change.change_class].of(1, is_done=is_done)
    if _stays_outside(change, words.report):
        what += ", but has no working card yet"
    return f"{words.person(change.contact_id)} {what}: {change.reason}"


def _stays_outside(change: Change, report: CycleReport) -> bool:
    """Say whether somebody who is let in has nothing to open a door with (R3, blocked)."""
    lets_in = change.change_class in (ChangeClass.GRANT, ChangeClass.RESTORE)
    without = {one.contact_id for one in report.blocked if one.leaves_no_card}
    return lets_in and change.contact_id in without


def _by_class(changes: Iterable[Change]) -> list[Change]:
    order = list(ChangeClass)
    return sorted(changes, key=lambda c: (order.index(c.change_class), c.contact_id))


def _list(title: str, items: Iterable[str]) -> list[str]:
    lines = [f"  - {item}" for item in items]
    return ["", title, *lines] if lines else []


def _printed(lines: Iterable[str]) -> str:
    return "".join(f"{harmless(line)}\n" for line in lines)

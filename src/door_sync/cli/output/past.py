"""Past cycles and one person's story as plain text: a sentence for each event (§8).

Contact ids and digests alone, times with their zone.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from door_sync.app.auditing import died_in
from door_sync.app.past import Story
from door_sync.app.sentences import sentence
from door_sync.cli.output.times import local
from door_sync.cli.output.wording import MEANS, counted, harmless
from door_sync.journal.history import INTERRUPTED, PastStep
from door_sync.journal.lookback import Changed, CutOff, Happening, Held, Lifted, Run, Said, Told

_STEPS = {
    "free-card": "take a card off",
    "deactivate-user": "deactivate the user",
    "import-card": "bring the card into the controller",
    "create-user": "create the user",
    "update-profile": "write name or address",
    "activate-user": "activate the user",
    "bind-card": "bind the card",
    "reclaim-card": "take over the card from somebody deactivated",
    "set-policies": "set the access policies",
    "link-user": "link the user to the contact",
}

_DONE = {change.value: meaning.done for change, meaning in MEANS.items()}
_DONE["adopt"] = "linked to a user"

ENDED = {
    "applied": "ended well",
    "partial": "not done for everybody",
    "halted": "held by a guard",
    "failed": "stopped",
    "crashed": "broke off with a fault of the program",
    INTERRUPTED: "its process died",
    None: "running, or its process died just now",
}
"""What each way to end means, in a few words."""


def cycles_text(runs: Sequence[Run], *, quiet_too: bool) -> str:
    """Return one line or two for each cycle, or for those in a row that tell the same."""
    if not runs:
        which = "No cycle" if quiet_too else "No cycle that did something"
        return f"{which} is on record.\n"
    lines = [line for run in runs for line in _run(run)]
    lines += ["", "`door-sync history --cycle ID` shows every step of one."]
    return _printed(lines)


def cycle_text(told: Told) -> str:
    """Return how a cycle went and all its steps, in the order in which they were sent."""
    lines = [*_run(Run(told.started, told, 1))]
    if told.ended is not None:
        lines.append(f"    Ended {local(told.ended)}.")
    if told.digest:
        lines.append(f"    Plan {told.digest}.")
    if told.steps:
        lines += ["", "Steps:"]
    for step in told.steps:
        lines.append(
            f"{step.number:4}. contact {step.contact_id}: {_step(step, told)}  "
            f"[{step.change}: {step.reason}]"
        )
    return _printed(lines)


def story_text(story: Story) -> str:
    """Return one person's story: a sentence for each event, with the steps below it."""
    who = f"contact {story.contact_id}"
    if not story.happenings:
        lines = [f"Nothing is on record about {who}."]
    else:
        lines = [f"What is on record about {who}, the newest last:"]
    for one in story.happenings:
        lines += ["", *_happening(one)]
    if story.since is not None:
        lines += ["", f"The journal goes back to {local(story.since)}; older events may be gone."]
    return _printed(lines)


def story_lines(happenings: Iterable[Happening]) -> Iterator[str]:
    """Return the lines of some events, with the steps below each, set in."""
    for one in happenings:
        for line in _happening(one):
            yield f"  {line}"


def _run(run: Run) -> Iterator[str]:
    told = run.last
    when = local(told.started)
    if run.cycles > 1:
        when = f"{local(run.first)} to {when}, {run.cycles} cycles in a row"
    what = f"{told.command} by {told.asked_by}" if told.command else "cycle"
    yield f"{when}  {what} {told.cycle_id}: {ENDED.get(told.event, told.event or '')}"
    if told.event == INTERRUPTED:
        yield f"    {sentence(died_in(told.steps))}"
    elif told.reason:
        yield f"    {sentence(told.reason)}"
    if told.steps:
        yield f"    {'; '.join(_tally(told))}."


def _tally(told: Told) -> Iterator[str]:
    """Say for how many people something of each class was written, and whether all of it held."""
    for change, done in _DONE.items():
        people: dict[int, bool] = {}
        for step in told.steps:
            if step.change == change:
                good = step.outcome == "done"
                people[step.contact_id] = people.get(step.contact_id, True) and good
        if people:
            text = f"{counted(len(people), 'person', 'people')} {done}"
            doubtful = [f"contact {one}" for one, good in sorted(people.items()) if not good]
            yield f"{text} (not every step went well: {', '.join(doubtful)})" if doubtful else text


def _happening(one: Happening) -> Iterable[str]:
    match one:
        case Changed():
            return _changed(one)
        case Held():
            return _held(one)
        case Said():
            return _said(one)
        case CutOff(at, asked_by, reason):
            why = f": {reason}" if reason else ", without a reason"
            return [f"{local(at)}  Was cut off at once by {asked_by}{why}."]
        case Lifted(at, asked_by):
            return [f"{local(at)}  The cut-off was lifted by {asked_by}."]
        case _:
            assert_never(one)


def _changed(one: Changed) -> Iterator[str]:
    all_good = all(step.outcome == "done" for step in one.steps)
    done = _DONE.get(one.change, one.change).capitalize()
    what = done if all_good else f"{done}, but not every step went well"
    yield f"{local(one.at)}  {what} ({one.change}): {one.reason}."
    by = f"{one.cycle.command} by {one.cycle.asked_by}" if one.cycle.command else "cycle"
    yield f"    In {by} {one.cycle.cycle_id}, which {_ended(one.cycle)}:"
    for step in one.steps:
        yield f"    - {_step(step, one.cycle)}"


def _ended(told: Told) -> str:
    match told.event:
        case None:
            return "is running, or whose process died just now"
        case "applied":
            return "ended well"
        case "partial":
            return "was not done for everybody"
        case "halted":
            return "was held by a guard in part"
        case "failed":
            return "stopped on the way"
        case "crashed":
            return "broke off with a fault of the program"
        case _:
            return "was interrupted: its process died"


def _held(one: Held) -> Iterator[str]:
    changes = ", ".join(one.changes)
    guards = ", ".join(f"'{guard}'" for guard in one.guards)
    yield f"{local(one.at)}  Was held in plan {one.hold} ({changes}) by guard {guards}."
    until = f"until {local(one.until)}" if one.until else "and is held still"
    cycles = counted(one.cycles, "cycle", "cycles")
    yield f"    First in cycle {one.first_cycle}, in {cycles}, {until}."


def _said(one: Said) -> Iterator[str]:
    yield f"{local(one.at)}  Plan {one.hold} was {one.verdict} by {one.asked_by}."
    if one.ended is not None:
        yield f"    That ended {local(one.ended)}: {one.ending}."


def _step(step: PastStep, told: Told) -> str:
    return f"{_STEPS.get(step.kind, step.kind)} ({step.kind}): {_proof(step, told)}"


def _proof(step: PastStep, told: Told) -> str:
    """Say what is known of a write: sent, answered, read back."""
    match step.outcome:
        case None:
            return (
                "was being written when the process died; it may have been carried out or not"
                if told.event is not None
                else "is being written"
            )
        case "done" if step.detail:
            return "no answer came, but it was read back as done"
        case "done":
            return "done and read back" if told.was_read_back else "done, but not read back"
        case "unproven":
            return "accepted, but the read-back did not show it"
        case "uncertain":
            return "no answer came; it may have been carried out or not"
        case "refused":
            return f"refused by the controller ({step.detail})"
        case _:
            return f"{step.outcome} ({step.detail})" if step.detail else str(step.outcome)


def _printed(lines: Iterable[str]) -> str:
    return "".join(f"{harmless(line)}\n" for line in lines)

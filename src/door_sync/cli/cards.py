"""`cards`: every card by its state, with what settles it (R3); nothing is written (P7)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import click

from door_sync.app.bootstrap import plan_site
from door_sync.app.report import CycleReport
from door_sync.cli.context import Options
from door_sync.cli.output.text import plan_text
from door_sync.cli.output.wording import Wording, counted, harmless
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import show
from door_sync.core.card_list import CardState, ListedCard, card_list
from door_sync.core.names import tidy


@dataclass(frozen=True, slots=True)
class Heading:
    """What a state is called, and what settles it."""

    title: str
    settles: str


MEANS = {
    CardState.BLOCKED: Heading("Wanted but blocked", ""),
    CardState.STUCK: Heading(
        "Stuck on a deactivated user",
        "They open nothing. Enter such a number for another member in CiviCRM, and the next cycle "
        "(`door-sync run --once`) takes the card back.",
    ),
    CardState.ENDED_VISIT: Heading(
        "On visitors whose visit is over",
        "Delete the visit in the console, under Visitors: that frees the card.",
    ),
    CardState.VISITOR: Heading(
        "On visitors",
        "They are free when the visit ends and is deleted in the console.",
    ),
    CardState.UNMANAGED: Heading(
        "On users that door-sync does not manage",
        "If the user is a member, `door-sync adopt` takes it over with your yes; else leave it.",
    ),
    CardState.BY_HAND: Heading(
        "Enrolled by hand on members",
        "CiviCRM has another card for them, or none, or this one's number is not known. These stay "
        "and open doors. Enter the number in CiviCRM if it is the right one (or give the card the "
        "alias sync- and the five digits of its number, where the console hides it), else delete "
        "it in the console.",
    ),
    CardState.LEAVING: Heading(
        "On people who should not have them any more",
        "The next cycle takes them off: `door-sync run --once`.",
    ),
    CardState.UNKNOWN_HOLDER: Heading(
        "Of an unknown holder",
        "They are left alone. Give the key the right Visitor: View, or look under Credentials.",
    ),
    CardState.COMING: Heading(
        "Not in the controller yet",
        "The next cycle imports them: `door-sync run --once`.",
    ),
    CardState.FREE: Heading(
        "Free",
        "Enter such a number for a member in CiviCRM, and the next cycle binds the card.",
    ),
    CardState.IN_USE: Heading("In use", "Nothing to do."),
}
"""What each state is called, and what settles it; a blocked card says so itself."""


@click.command("cards")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in CardState]),
    help="Only cards in this state; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON, for scripts.")
@click.pass_obj
def command(options: Options, states: tuple[str, ...], as_json: bool) -> int:
    """List every card by its state, with names and with what settles it; write nothing.

    A card is shown by a tag. Its number is shown nowhere, but equal tags are equal cards.
    """
    settings = options.load()
    with shown_progress() as progress:
        report = plan_site(settings, progress)
    if report.decision is None or report.world is None:
        show(plan_text(report) if not as_json else _failed(report))
        return report.ending.value
    cards = card_list(report.world.snapshot, report.decision.verdicts, report.blocked)
    wanted = [one for one in cards if not states or one.state.value in states]
    words = Wording(report, shows_names=True)
    show(_json(wanted, words) if as_json else _text(wanted, cards, words))
    return 0


def _failed(report: CycleReport) -> str:
    message = report.error.message if report.error is not None else ""
    return json.dumps({"error": message, "cards": None}, indent=2) + "\n"


def _text(wanted: Sequence[ListedCard], cards: Sequence[ListedCard], words: Wording) -> str:
    count = {state: sum(one.state is state for one in cards) for state in CardState}
    parts = [f"{number} {state.value}" for state, number in count.items() if number]
    lines = [f"{counted(len(cards), 'card', 'cards')}: {', '.join(parts) or 'none'}."]
    if not words.report.is_lasting:
        lines.append("The tags hold for this list alone, until the first live cycle.")
    if words.report.hold_digest:
        lines.append(
            f"A plan is held, so not all of what the next cycle should do will be done: see "
            f"`door-sync plan`, then `door-sync approve {words.report.hold_digest}`."
        )
    for state, group in groupby(wanted, key=lambda one: one.state):
        heading = MEANS[state]
        lines += ["", f"{heading.title} ({state.value}):"]
        lines += [f"  - {line}" for one in group for line in _line(one, words)]
        if heading.settles:
            lines.append(f"  {heading.settles}")
    return "".join(f"{harmless(line)}\n" for line in lines)


def _line(one: ListedCard, words: Wording) -> Iterator[str]:
    if one.blocked is not None:
        yield _settled_by(one, words)
        return
    parts = [_name(one, words)]
    if one.holder is not None:
        parts.append(f"on {_holder(one, words)}")
    others = [c for c in one.wanted_by if one.holder is None or c != one.holder.contact_id]
    if others:
        parts.append(f"wanted by {', '.join(words.person(contact) for contact in others)}")
    yield ", ".join(parts)


def _settled_by(one: ListedCard, words: Wording) -> str:
    if one.blocked is None:
        return MEANS[one.state].settles
    text = f"{words.blocked(one.blocked)}."
    if one.blocked.waits_for_hold:
        text += f" `door-sync approve {words.report.hold_digest}` lets that pass."
    return text


def _name(one: ListedCard, words: Wording) -> str:
    return "a card without a known number" if one.number is None else words.card(one.number)


def _holder(one: ListedCard, words: Wording) -> str:
    holder, world = one.holder, words.report.world
    if holder is None:
        return ""
    text = words.holder(holder)
    user = world.snapshot.user.get(holder.user_id) if world and holder.user_id else None
    if user is not None and holder.contact_id is None:
        name = harmless(tidy(f"{user.first_name} {user.last_name}"))
        return f"{name} ({text})" if name else text
    return text


def _json(cards: Sequence[ListedCard], words: Wording) -> str:
    content = {
        "tags_last": words.report.is_lasting,
        "cards": [
            {
                "state": one.state.value,
                "card": None if one.number is None else words.card(one.number),
                "is_in_controller": one.token is not None,
                "holder": None
                if one.holder is None
                else {
                    "user": one.holder.user_id,
                    "contact": one.holder.contact_id,
                    "visitor": one.holder.visitor_id,
                    "status": one.holder.status.value if one.holder.status else None,
                    "text": _holder(one, words),
                },
                "wanted_by": [
                    {"contact": contact, "name": words.name(contact)} for contact in one.wanted_by
                ],
                "reason": one.blocked.reason if one.blocked is not None else None,
                "settles": _settled_by(one, words),
            }
            for one in cards
        ],
    }
    return json.dumps(content, indent=2) + "\n"

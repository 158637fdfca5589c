"""`revoke`: cut somebody off at once, whatever CiviCRM or a running cycle says (§6)."""

import json
import os
from collections.abc import Iterator

import click

from door_sync.app.asking import who_asks
from door_sync.app.bootstrap import controller_alone
from door_sync.app.clock import SystemClock
from door_sync.app.sentences import named, sentence
from door_sync.app.shutting import Fate, Person
from door_sync.app.urgent import Revoked, revoke, revoke_without_record
from door_sync.cli.contacts import ContactParameter, each_contact_once
from door_sync.cli.context import Options
from door_sync.cli.output.times import local
from door_sync.cli.output.wording import counted, harmless
from door_sync.cli.showing import show
from door_sync.core.people import ContactId
from door_sync.journal.cutoffs import LONGEST_REASON, Reason

AT_THE_DOOR = (
    "Until then they may open doors: take the card from them, or deactivate them by hand in the "
    "console of UniFi Access."
)
"""What can be done while the controller cannot be told."""


@click.command("revoke")
@click.argument(
    "contacts",
    metavar="CONTACT...",
    nargs=-1,
    required=True,
    type=ContactParameter(),
    callback=each_contact_once,
)
@click.option("--reason", default="", metavar="TEXT", help="Why, for whoever looks at it later.")
@click.option(
    "--without-record",
    is_flag=True,
    help="Leave the journal alone, where it cannot be written; then it does not stick.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for scripts.")
@click.pass_obj
def command(
    options: Options,
    contacts: tuple[ContactId, ...],
    reason: str,
    without_record: bool,
    as_json: bool,
) -> int:
    """Cut off CONTACT (one or more contact ids of CiviCRM) at once, until `restore`.

    It is put on record, then the controller is told. Neither CiviCRM nor a cycle that is running
    is waited for, and no hold stands in the way.
    """
    settings = options.load()
    clock, words = SystemClock(), Reason.of(reason)
    with controller_alone(settings, clock) as controller:
        if without_record:
            done = revoke_without_record(contacts, controller, clock, words)
        else:
            ops = settings.ops
            asked_by = who_asks(os.environ)
            done = revoke(
                contacts, controller, ops.history_db, ops.audit_jsonl, clock, asked_by, words
            )
    show(_json(done) if as_json else _text(done))
    return done.exit_code


def _text(done: Revoked) -> str:
    lines = [*_headline(done), *_detail(done), *_record(done), *_remarks(done)]
    return "".join(f"{harmless(line)}\n" for line in lines)


def _headline(done: Revoked) -> Iterator[str]:
    """Say what happened and what it means for the doors."""
    of = {fate: [p.contact_id for p in done.people if p.fate is fate] for fate in Fate}
    if of[Fate.CUT]:
        was, does = ("were", "open") if len(of[Fate.CUT]) > 1 else ("was", "opens")
        yield (
            f"Cut off: {named(of[Fate.CUT])} {was} deactivated and read back, and {does} no door "
            "any more."
        )
    if of[Fate.NOTHING]:
        yield (
            "Nothing to cut in the controller: no user that carries the id of "
            f"{named(of[Fate.NOTHING])} can open a door."
        )
    unknown = [p.contact_id for p in done.people if p.fate is Fate.NOTHING and not p.before]
    if unknown:
        # A user made by hand has no contact id, so it is nobody's as far as anybody can tell here.
        yield (
            f"If {named(unknown)} could come in until now, it is as a user or visitor without "
            "that id: look for the name in the console of UniFi Access, and deactivate it there."
        )
    if of[Fate.UNPROVEN]:
        yield (
            f"Not proven: whether {named(of[Fate.UNPROVEN])} can still open doors. Try a card at "
            "a door, or look into the console of UniFi Access."
        )
    if of[Fate.FAILED]:
        yield f"Not done: {named(of[Fate.FAILED])} may still open doors."
    if done.error is not None and not done.shut.is_good:
        yield f"Why: {sentence(done.error.message)}"
        if done.error.remedy:
            yield f"What to do: {sentence(done.error.remedy)}"
    if not done.shut.is_good:
        again = "The next cycle tries again. " if done.is_on_record else ""
        yield f"{again}{AT_THE_DOOR}"


def _detail(done: Revoked) -> Iterator[str]:
    """Say what became of each person's users."""
    if done.error is not None and not any(p.users or p.before for p in done.people):
        return
    for person in done.people:
        yield f"  - contact {person.contact_id}: {_users(person)}"
        for problem in person.problems:
            yield f"    {problem}"


def _users(person: Person) -> str:
    parts = []
    if person.users:
        parts.append(f"{_named_users(person.users)} {_BECAME[person.fate]}")
    if person.before:
        parts.append(f"{_named_users(person.before)} deactivated before")
    if person.cards_left:
        cards = counted(person.cards_left, "card stays", "cards stay")
        parts.append(f"{cards} on the user, as the controller did not give it up")
    return "; ".join(parts) or "no user in the controller has this contact id"


_BECAME = {
    Fate.CUT: "deactivated",
    Fate.NOTHING: "left alone",
    Fate.UNPROVEN: "told to be deactivated, not proven",
    Fate.FAILED: "not surely deactivated",
}


def _named_users(users: tuple[str, ...]) -> str:
    return f"user{'s' if len(users) > 1 else ''} {', '.join(users)}"


def _record(done: Revoked) -> Iterator[str]:
    """Say whether it sticks, and what ends it."""
    people = " ".join(str(person.contact_id) for person in done.people)
    if not done.is_on_record:
        yield (
            "This is not on record and does not stick: a later cycle gives access back if CiviCRM "
            f"says so. When the journal is mended, run `door-sync revoke {people}`."
        )
        return
    for one in done.standing:
        if not one.is_new:
            yield (
                f"The cut-off of contact {one.cut_off.contact_id} stood already, since "
                f"{local(one.cut_off.at)} by {one.cut_off.asked_by}; that stays as it is."
            )
    yield (
        "It is on record: no cycle gives access, whatever CiviCRM says, until "
        f"`door-sync restore {people}`."
    )


def _remarks(done: Revoked) -> Iterator[str]:
    if done.is_on_record and done.reason.is_cleared:
        yield (
            "The reason was changed before it was kept: e-mail addresses and numbers of four or "
            "more digits gave way to …, because they may be somebody's own."
        )
    if done.is_on_record and done.reason.is_shortened:
        yield f"The reason was cut after {LONGEST_REASON} characters."
    for trouble in done.troubles:
        yield f"Trouble: {sentence(trouble)} The next cycle writes the line."


def _json(done: Revoked) -> str:
    new = {one.cut_off.contact_id: one.is_new for one in done.standing}
    error = done.error
    content = {
        "exit_code": done.exit_code,
        "on_record": done.is_on_record,
        "record": done.cycle_id,
        "people": [
            {
                "contact": person.contact_id,
                "outcome": person.fate.value,
                "is_new": new.get(person.contact_id),
                "users": [*person.users],
                "deactivated_before": [*person.before],
                "cards_left": person.cards_left,
                "problems": [*person.problems],
            }
            for person in done.people
        ],
        "error": None
        if error is None
        else {"class": type(error).__name__, "message": error.message, "remedy": error.remedy},
        "reason_changed": done.reason.is_cleared or done.reason.is_shortened,
        "troubles": [*done.troubles],
    }
    return json.dumps(content, indent=2) + "\n"

"""`adopt`: take over users that somebody made by hand, each with a person's yes (P4)."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from door_sync.app.adopting import Confirmed, Survey, examine, seen_digest, survey
from door_sync.app.asking import who_asks
from door_sync.app.bootstrap import parts_to_look_with
from door_sync.app.cycle import Parts, Progress
from door_sync.app.linking import Adopted, Records, link
from door_sync.cli.answers import confirmed_pair, read_answers
from door_sync.cli.context import Options
from door_sync.cli.output.adopting import (
    AdoptingText,
    adopted_json,
    adopted_text,
    forecast_text,
    printed,
    survey_json,
)
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import remark, show
from door_sync.core.matching import Caution, Doubt, Pair, pair_of
from door_sync.core.people import contact_of
from door_sync.journal.lock import Patience
from door_sync.settings import Settings

WAIT_SECONDS = 120.0
"""How long a running cycle is waited for."""

WORDS = [one.value for one in Caution if one.needs_a_word]


@click.command("adopt")
@click.option("--list", "lists", is_flag=True, help="Show who is who, and link nobody.")
@click.option(
    "--link",
    "links",
    multiple=True,
    metavar="USER=CONTACT",
    help="Link this user to this contact; may be given several times.",
)
@click.option("--answers", type=click.Path(), metavar="FILE", help="Link the pairs of this file.")
@click.option(
    "--even-if",
    "words",
    multiple=True,
    type=click.Choice(WORDS),
    help="Link also where this caution holds; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for scripts.")
@click.pass_obj
def command(
    options: Options,
    lists: bool,
    links: tuple[str, ...],
    answers: str | None,
    words: tuple[str, ...],
    as_json: bool,
) -> int:
    """Match users that nobody manages to contacts, and link those that you confirm.

    On a terminal it shows who is who and asks. Nothing is taken over without a yes.
    """
    wanted = [confirmed_pair(text) for text in links]
    if answers is not None:
        wanted += read_answers(Path(answers))
    names_pairs = bool(links) or answers is not None
    if lists and names_pairs:
        raise click.UsageError("--list links nobody; leave out --link and --answers, or --list")
    if not lists and not names_pairs and (as_json or not has_terminal()):
        raise click.UsageError(
            "there is no terminal to ask on: look with --list, then confirm with --link "
            "USER=CONTACT or --answers FILE"
        )
    settings = options.load()
    said = [Caution(word) for word in words]
    with shown_progress() as progress, parts_to_look_with(settings, progress) as parts:
        if names_pairs:
            done = link(parts, wanted, said, _records(settings, parts, progress), progress)
            return _told(done, as_json=as_json)
        found = survey(parts, progress)
    if lists:
        text = AdoptingText(found).whole()
        show(json.dumps(survey_json(found), indent=2) + "\n" if as_json else text)
        return 0
    with parts_to_look_with(settings) as parts:
        agreed = _ask(parts, found, said)
        if not agreed:
            show("Nothing was linked.\n")
            return 0
        return _told(link(parts, agreed, said, _records(settings, parts, Progress())))


def has_terminal() -> bool:
    """Say whether somebody can be asked."""
    return all(one is not None and one.isatty() for one in (sys.stdin, sys.stdout))


def _records(settings: Settings, parts: Parts, progress: Progress) -> Records:
    def told() -> None:
        progress.stage(f"Waiting up to {WAIT_SECONDS:g} s for the cycle that is running")
        remark("A cycle is running; waiting for its end.")

    ops, patience = settings.ops, Patience(WAIT_SECONDS, parts.clock, told)
    return Records(ops.history_db, ops.audit_jsonl, who_asks(os.environ), patience)


def _told(done: Adopted, *, as_json: bool = False) -> int:
    show(json.dumps(adopted_json(done), indent=2) + "\n" if as_json else adopted_text(done))
    return done.exit_code


def _ask(parts: Parts, found: Survey, words: Sequence[Caution]) -> list[Confirmed]:
    """Show who is who, ask, and show what follows; return what the person wants in the end."""
    text = AdoptingText(found)
    show(text.whole())
    show("\n")
    pairs = [*_sure(found, text), *_singly(found, text, words)]
    chosen = [_confirmed(found, pair) for pair in pairs]
    chosen += [one for doubt in found.matching.doubts for one in _settled(found, text, doubt)]
    if not chosen:
        return []
    # What it means for those picked out of a doubt is seen here for the first time.
    good, refused, ahead = examine(parts, found, chosen, [Caution.LOSES_ACCESS, *words])
    for one in refused:
        flags = " ".join(f"--even-if {caution.value}" for caution in one.cautions)
        show(printed([f"Left out: user {one.confirmed.user_id}: {one.reason}. {flags}".rstrip()]))
    if not good:
        return []
    show("\n" + forecast_text(ahead, good))
    if not click.confirm(f"Link {len(good)} now?", default=False):
        return []
    return [_confirmed(found, pair) for pair in good]


def _confirmed(found: Survey, pair: Pair) -> Confirmed:
    seen = seen_digest(found.user(pair.user_id), found.members[pair.contact_id])
    words = frozenset(pair.cautions) - {Caution.OTHER_NUMBER}
    return Confirmed(pair.user_id, pair.contact_id, seen, words)


def _sure(found: Survey, text: AdoptingText) -> list[Pair]:
    sure = [pair for pair in found.matching.pairs if not pair.cautions]
    if not sure:
        return []
    answer = click.prompt(
        f"Link all {len(sure)} sure ones? (y: all, e: ask about each, n: none)",
        type=click.Choice(["y", "e", "n"]),
        default="n",
        show_choices=False,
    )
    if answer == "e":
        return [pair for pair in sure if _yes(text, pair)]
    return sure if answer == "y" else []


def _singly(found: Survey, text: AdoptingText, words: Sequence[Caution]) -> Iterator[Pair]:
    for pair in found.matching.pairs:
        if Caution.OTHER_NUMBER in pair.cautions and Caution.OTHER_NUMBER not in words:
            flag = f"--even-if {Caution.OTHER_NUMBER.value}"
            show(printed([f"Passed over: {pair.user_id} has an employee number; see {flag}."]))
        elif pair.cautions and _yes(text, pair):
            yield pair


def _yes(text: AdoptingText, pair: Pair) -> bool:
    show("\n" + printed(text.pair(pair)))
    return click.confirm("Link this one?", default=False)


def _settled(found: Survey, text: AdoptingText, doubt: Doubt) -> Iterator[Confirmed]:
    free = [one for one in doubt.candidates if one not in found.snapshot.users_of]
    if not free:
        return
    show("\n" + printed(text.doubt(doubt)))
    answer = click.prompt(
        f"Which contact is it? ({', '.join(map(str, free))}, or Enter for none of them)",
        default="",
        show_default=False,
    )
    chosen = contact_of(answer.strip())
    if chosen is None or chosen not in free:
        return
    pair = pair_of(found.user(doubt.user_id), found.members[chosen], found.administrators)
    if not pair.cautions or _yes(text, pair):
        yield _confirmed(found, pair)

"""`history`: what cycles did, one person's whole story, and whether the record holds (§8, P13)."""

from pathlib import Path

import click

from door_sync.app.bootstrap import keep
from door_sync.app.clock import SystemClock
from door_sync.app.past import (
    check,
    cycle,
    latest,
    revocations,
    story_of,
    tidy_up,
    would_tidy_up,
)
from door_sync.cli.contacts import ContactParameter
from door_sync.cli.context import Options
from door_sync.cli.output.past import cycle_text, cycles_text, story_text
from door_sync.cli.output.past_json import cycle_json, cycles_json, story_json
from door_sync.cli.output.revocations import SPAN, times_json, times_text
from door_sync.cli.output.verdict import pruned_text, verdict_json, verdict_text
from door_sync.cli.showing import show
from door_sync.core.people import ContactId

EXIT_FINDINGS = 2
AS_MANY = 20


@click.group("history", invoke_without_command=True)
@click.option("--all", "all_", is_flag=True, help="List cycles that found nothing to do, too.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=AS_MANY,
    show_default=True,
    metavar="N",
    help="How many cycles are listed at most.",
)
@click.option("--cycle", "cycle_id", metavar="ID", help="Show every step of this cycle.")
@click.option(
    "--contact",
    "contact_id",
    type=ContactParameter(),
    metavar="N",
    help="Show everything on record about this contact.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for scripts.")
@click.pass_context
def command(
    context: click.Context,
    all_: bool,
    limit: int,
    cycle_id: str | None,
    contact_id: ContactId | None,
    as_json: bool,
) -> int:
    """List the latest cycles that did something, the newest last.

    It reads the journal alone, also while a cycle runs. Contact ids only, no names.
    """
    if context.invoked_subcommand is not None:
        return 0
    if cycle_id is not None and contact_id is not None:
        raise click.UsageError("--cycle and --contact show two different things: give one of them")
    options: Options = context.obj
    path = options.load().ops.history_db
    if contact_id is not None:
        story = story_of(path, contact_id)
        show(story_json(story) if as_json else story_text(story))
    elif cycle_id is not None:
        told = cycle(path, cycle_id)
        if told is None:
            raise click.BadParameter(
                "the journal has no cycle of this name; `door-sync history --all` lists them",
                param_hint="--cycle",
            )
        show(cycle_json(told) if as_json else cycle_text(told))
    else:
        runs, now = latest(path, limit, quiet_too=all_), SystemClock().now()
        times = revocations(path, now - SPAN)
        if as_json:
            show(cycles_json(runs, {"revocations": times_json(times)}))
        else:
            show(cycles_text(runs, quiet_too=all_) + times_text(times, now))
    return 0


@command.command("verify")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for scripts.")
@click.pass_obj
def verify_command(options: Options, files: tuple[Path, ...], as_json: bool) -> int:
    """Check the audit file, and what logrotate made of it before, against the journal.

    Given FILEs, only those. Ends with 2 if something is wrong.
    """
    ops = options.load().ops
    verdict = check(ops.history_db, ops.audit_jsonl, files)
    show(verdict_json(verdict) if as_json else verdict_text(verdict))
    return 0 if verdict.is_fine else EXIT_FINDINGS


@command.command("prune")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.pass_obj
def prune_command(options: Options, dry_run: bool) -> int:
    """Remove what is older than the settings keep, and make the journal's file smaller.

    Live cycles do the first part by themselves, once a day.
    """
    settings, clock = options.load(), SystemClock()
    path, kept = settings.ops.history_db, keep(settings)
    if dry_run:
        show(pruned_text(would_tidy_up(path, clock, kept), kept, None))
    else:
        done, shrunk = tidy_up(path, clock, kept)
        show(pruned_text(done, kept, shrunk))
    return 0

"""`run`: one cycle, or cycle after cycle until it is told to end."""

import os

import click

from door_sync.app.bootstrap import plan_site, run_site
from door_sync.app.clock import SystemClock
from door_sync.app.cycle import Progress
from door_sync.app.remembering import AlertMemory
from door_sync.app.report import CycleReport
from door_sync.app.traffic import Traffic
from door_sync.cli.context import Options
from door_sync.cli.output.json import report_json
from door_sync.cli.output.text import run_text
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import show
from door_sync.daemon.service import Service, Told
from door_sync.daemon.start import DryRuns, serve
from door_sync.daemon.watching import Both
from door_sync.settings import Settings

LONGEST_WAIT_SECONDS = 86_400


@click.command("run")
@click.option("--once", is_flag=True, help="Run one cycle and end; otherwise go on for ever.")
@click.option("--dry-run", is_flag=True, help="Read and decide, but write nothing.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the report as JSON, for scripts; without --once one line for each cycle.",
)
@click.option(
    "--wait",
    type=click.IntRange(0, LONGEST_WAIT_SECONDS),
    default=0,
    metavar="SECONDS",
    help="With --once: wait so long for a cycle that is running already, instead of giving up.",
)
@click.pass_obj
def command(options: Options, once: bool, dry_run: bool, as_json: bool, wait: int) -> int:
    """Make the controller match the membership list.

    With --once: one cycle, and an exit code that says how it went. Without it: cycle after cycle,
    with a pause of cadence_seconds, until SIGTERM or Ctrl-C, which let the cycle in progress end.
    SIGHUP reads the settings again.
    """
    if wait and not once:
        raise click.UsageError("--wait goes with --once alone: without it cycle follows cycle.")
    if wait and dry_run:
        raise click.UsageError("--wait has no use with --dry-run: a dry run takes no lock.")
    settings = options.load()

    def text(report: CycleReport) -> str:
        if as_json:
            return report_json(report, shows_names=False, in_one_line=not once)
        return run_text(report)

    if once:
        report = _dry_run(settings) if dry_run else _live_run(settings, wait)
        show(text(report))
        return report.ending.value

    def shown(report: CycleReport) -> None:
        show(text(report))

    if dry_run:
        serve(DryRuns(settings, options.load, shown, _dry_run), os.environ)
    else:
        serve(Service(settings, options.load, SystemClock(), shown, _run), os.environ)
    return 0


def _dry_run(settings: Settings, progress: Progress | None = None) -> CycleReport:
    with shown_progress() as bar:
        return plan_site(settings, Both(bar, progress or Progress()), leaves_audit_line=True)


def _live_run(settings: Settings, wait: int) -> CycleReport:
    told = Told(settings, SystemClock())
    try:
        return told.cycle(
            lambda alerts, traffic: _run(
                settings, Progress(), alerts=alerts, traffic=traffic, wait_seconds=wait
            )
        )
    finally:
        told.close()


def _run(
    settings: Settings,
    progress: Progress,
    *,
    alerts: AlertMemory,
    traffic: Traffic,
    wait_seconds: float = 0,
    is_early_retry: bool = False,
) -> CycleReport:
    with shown_progress() as bar:
        return run_site(
            settings,
            Both(bar, progress),
            wait_seconds=wait_seconds,
            alerts=alerts,
            traffic=traffic,
            is_early_retry=is_early_retry,
        )

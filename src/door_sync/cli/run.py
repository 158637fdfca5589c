"""`run`: one cycle, or cycle after cycle until it is told to end."""

import click

from door_sync.app.bootstrap import plan_site, run_site
from door_sync.app.report import CycleReport
from door_sync.cli.context import Options
from door_sync.cli.output.json import report_json
from door_sync.cli.output.text import run_text
from door_sync.cli.progress import shown_progress


@click.command("run")
@click.option("--once", is_flag=True, help="Run one cycle and end; otherwise go on for ever.")
@click.option("--dry-run", is_flag=True, help="Read and decide, but write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, for scripts.")
@click.pass_obj
def command(options: Options, once: bool, dry_run: bool, as_json: bool) -> int:
    """Make the controller match the membership list.

    With --once: one cycle, and an exit code that says how it went. Without it: a cycle every
    cadence_seconds until SIGTERM or Ctrl-C, which let the cycle in progress end.
    """
    settings = options.load().settings

    def cycle() -> CycleReport:
        with shown_progress() as progress:
            if dry_run:
                return plan_site(settings, progress, leaves_audit_line=True)
            return run_site(settings, progress)

    if once:
        report = cycle()
        text = report_json(report, shows_names=False) if as_json else run_text(report)
        click.echo(text, nl=False)
        return report.ending.value

    from door_sync.daemon.loop import run_for_ever

    def show(report: CycleReport) -> None:
        text = report_json(report, shows_names=False) if as_json else run_text(report)
        click.echo(text)

    run_for_ever(cycle, settings.cadence_seconds, show)
    return 0

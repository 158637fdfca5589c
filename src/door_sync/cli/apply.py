"""`apply`: carry out a plan that a person looked at, exactly so or not at all (§6)."""

from pathlib import Path

import click

from door_sync.app.bootstrap import run_site
from door_sync.app.plan_file import read_plan
from door_sync.cli.context import Options
from door_sync.cli.output.json import report_json
from door_sync.cli.output.text import run_text
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import show


@click.command("apply")
@click.argument("file", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, for scripts.")
@click.pass_obj
def command(options: Options, file: str, as_json: bool) -> int:
    """Carry out the plan in FILE, which `plan --out plan.json` wrote.

    Both systems are read again. If what would be written now is not exactly that plan, nothing is
    written, and what has changed is named. What a guard holds stays held: `approve` lets it pass.
    """
    settings = options.load()
    plan = read_plan(Path(file))
    with shown_progress() as progress:
        report = run_site(settings, progress, plan=plan)
    show(report_json(report, shows_names=False) if as_json else run_text(report))
    return report.ending.value

"""`plan`, also called `show-diff`: what a live cycle would write next, and nothing written (P7)."""

from pathlib import Path

import click

from door_sync.app.bootstrap import plan_site
from door_sync.app.report import CycleReport, Ending
from door_sync.cli.context import Options
from door_sync.cli.output.json import report_json
from door_sync.cli.output.markdown import plan_markdown
from door_sync.cli.output.text import plan_text
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import show
from door_sync.files import ops_file_errors, replace_file

EXIT_CHANGES = 10
FILE_MODE = 0o600


@click.command("plan")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How the plan is printed.",
)
@click.option("--out", type=click.Path(), metavar="FILE", help="Write it to this file instead.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="End with 10 if there are changes, 0 if there are none.",
)
@click.pass_obj
def command(options: Options, form: str, out: str | None, detailed_exitcode: bool) -> int:
    """Show the steps that a live cycle would take next, with names; write nothing.

    The file that --out writes can be read by its owner alone, because names stand in it.
    """
    settings = options.load()
    with shown_progress() as progress:
        report = plan_site(settings, progress)
    text = {"text": plan_text, "json": _json, "markdown": plan_markdown}[form](report)
    if out is None:
        show(text)
    else:
        _write_privately(Path(out), text)
        show(f"The plan is in {out}, for your eyes alone: names stand in it.\n")
    if detailed_exitcode and report.ending is Ending.CLEAN:
        return EXIT_CHANGES if report.plan.changes else 0
    return report.ending.value


def _json(report: CycleReport) -> str:
    return report_json(report, shows_names=True)


def _write_privately(path: Path, text: str) -> None:
    with ops_file_errors(path, "write"):
        if path.is_file():
            path.chmod(FILE_MODE)  # a file that is replaced keeps the rights it has
    replace_file(path, text, mode=FILE_MODE)

"""`plan`, also called `show-diff`: what a live cycle would write next, and nothing written (P7)."""

from pathlib import Path

import click

from door_sync.app.bootstrap import plan_site
from door_sync.app.plan_file import applicable
from door_sync.app.report import CycleReport, Ending
from door_sync.cli.context import Options
from door_sync.cli.output.json import report_json
from door_sync.cli.output.markdown import plan_markdown
from door_sync.cli.output.private_file import write_privately
from door_sync.cli.output.text import plan_text
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import show

EXIT_CHANGES = 10

_ENDINGS = {".json": "json", ".md": "markdown"}


@click.command("plan")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    help="How the plan is printed; as the name after --out ends, else text.",
)
@click.option("--out", type=click.Path(), metavar="FILE", help="Write it to this file instead.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="End with 10 if there are changes, 0 if there are none.",
)
@click.pass_obj
def command(options: Options, form: str | None, out: str | None, detailed_exitcode: bool) -> int:
    """Show the steps that a live cycle would take next, with names; write nothing.

    The file that --out writes can be read by its owner alone, because names stand in it. One that
    ends in .json can be carried out with `apply`: exactly so, or not at all.
    """
    settings = options.load()
    with shown_progress() as progress:
        report = plan_site(settings, progress)
    form = form or _ENDINGS.get(Path(out or "").suffix.lower(), "text")
    text = {"text": plan_text, "json": _json, "markdown": plan_markdown}[form](report)
    if out is None:
        show(text)
    else:
        write_privately(Path(out), text)
        show(f"The plan is in {out}, for your eyes alone: names stand in it.\n")
        if form == "json" and report.error is None:
            show(f"Carry it out, exactly so or not at all, with `door-sync apply {out}`.\n")
    if detailed_exitcode and report.ending is Ending.CLEAN:
        return EXIT_CHANGES if report.plan.changes else 0
    return report.ending.value


def _json(report: CycleReport) -> str:
    # Without a plan there is nothing to carry out.
    more = {"apply": applicable(report)} if report.error is None else {}
    return report_json(report, shows_names=True, more=more)

"""`report`: what somebody wants on paper, or in a spreadsheet; nothing is written elsewhere."""

from pathlib import Path
from urllib.parse import urlsplit

import click

from door_sync.app.access import AccessReport, access_report
from door_sync.app.bootstrap import parts_to_look_with
from door_sync.cli.context import Options
from door_sync.cli.output.access import access_csv, access_json, access_text
from door_sync.cli.output.access_page import access_page
from door_sync.cli.output.private_file import write_privately
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import show
from door_sync.settings import Settings

_ENDINGS = {".json": "json", ".csv": "csv", ".html": "html", ".htm": "html"}


@click.group("report")
def command() -> None:
    """Make a report for people: who can open what."""


@command.command("access")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "html", "json"]),
    help="How it is printed; as the name after --out ends, else text.",
)
@click.option("--out", type=click.Path(), metavar="FILE", help="Write it to this file instead.")
@click.pass_obj
def access(options: Options, form: str | None, out: str | None) -> int:
    """Tell who can open which doors by the controller's own lists, beside what CiviCRM says.

    Everybody is in it: members, users that nobody manages, visitors. As html it is one page to
    print and sign. The file that --out writes can be read by its owner alone, because names stand
    in it.
    """
    settings = options.load()
    form = form or _ENDINGS.get(Path(out or "").suffix.lower(), "text")
    with shown_progress() as progress, parts_to_look_with(settings, progress) as parts:
        report = access_report(parts, progress)
    text = _as(form, report, settings)
    if out is None:
        show(text)
    else:
        write_privately(Path(out), text)
        show(f"The report is in {out}, for your eyes alone: names stand in it.\n")
    return 0 if report.error is None else report.error.exit_code


def _as(form: str, report: AccessReport, settings: Settings) -> str:
    match form:
        case "csv":
            return access_csv(report)
        case "html":
            return access_page(report, f"The doors of {urlsplit(settings.unifi.host).hostname}")
        case "json":
            return access_json(report)
        case _:
            return access_text(report)

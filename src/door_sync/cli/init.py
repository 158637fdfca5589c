"""`init`: from two addresses and two keys to both files, a checkup and the first plan (§8)."""

import os
import sys
from pathlib import Path
from typing import Final

import click

from door_sync.app.bootstrap import plan_site
from door_sync.app.checkup.check import Family
from door_sync.app.checkup.everything import checks
from door_sync.app.clock import SystemClock
from door_sync.app.setting_up.answers import Answers, AnswersError, read_answers
from door_sync.app.setting_up.flow import Place, set_up
from door_sync.app.setting_up.former import read_former
from door_sync.app.setting_up.interview import Interview
from door_sync.cli.context import Options
from door_sync.cli.doctor import checks_text, is_bad
from door_sync.cli.entry import EXIT_FAULT, EXIT_INTERRUPTED
from door_sync.cli.output.text import headline, plan_text
from door_sync.cli.output.wording import harmless
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import remark, show
from door_sync.settings import Settings
from door_sync.settings.known import know_settings

STDIN: Final = "-"
LONGEST_PLAN: Final = 40
"""Steps that are printed at the end; a longer plan would push the checkup off the screen."""


@click.command("init")
@click.option(
    "--answers",
    type=click.Path(),
    metavar="FILE",
    help="Take answers from this TOML file; - reads them from standard input.",
)
@click.option("--force", is_flag=True, help="Replace existing files unasked (kept as .bak).")
@click.pass_obj
def command(options: Options, answers: str | None, force: bool) -> int:
    """Set up a site: ask for both systems, write config.toml and .env, check, and show a plan.

    Nothing is changed in CiviCRM or the controller, and nothing is written before the last answer.
    Where there is no terminal, everything comes from --answers; keys may come from the environment
    (CIVICRM_API_KEY, UNIFI_API_KEY). Ends like plan, or with 2 if the checkup finds a fault.
    """
    from door_sync.cli.logs import configure_logs

    configure_logs(verbose=options.verbose, log_format=options.log_format)
    config, env = options.files()
    given = _answers(answers)
    is_attended = answers != STDIN and sys.stdin.isatty() and sys.stdout.isatty()
    terminal = _Terminal() if is_attended else None
    interview = Interview(given, _tell, terminal, read_former(config, env))
    place = Place(config, env, force=force, is_system=_is_system(config))
    try:
        set_up(interview, place, SystemClock())
    except (click.Abort, KeyboardInterrupt):
        remark("\nStopped: nothing was written.")
        return EXIT_INTERRUPTED
    return _look(options, interview)


class _Terminal:
    """The person at this terminal. What is hidden is not echoed, nor is its default shown."""

    def answer(self, prompt: str, *, default: str | None, hidden: bool) -> str:
        typed: str = click.prompt(
            harmless(prompt),
            default=default,
            hide_input=hidden,
            show_default=bool(default) and not hidden,
            type=str,
        )
        return typed


def _tell(line: str) -> None:
    show(harmless(line) + "\n")


def _answers(path: str | None) -> Answers:
    if path is None:
        return Answers(environ=os.environ)
    try:
        text = sys.stdin.read() if path == STDIN else Path(path).read_text("utf-8")
    except (OSError, ValueError):
        problem = f"the answers in {path} cannot be read"
    else:
        return read_answers(text, os.environ)
    raise AnswersError(problem, remedy="Name a readable file of UTF-8 text with --answers.")


def _is_system(config: Path) -> bool:
    """Say whether this looks like the setting up of a service."""
    return os.geteuid() == 0 or config.absolute().is_relative_to("/etc")


def _look(options: Options, interview: Interview) -> int:
    """Check what was written, make the first plan, and say how to go on."""
    settings = options.load()
    interview.title("Is everything ready? (door-sync doctor)")
    with shown_progress() as progress:

        def told(family: Family) -> None:
            progress.stage(f"Looking: {family.value}")

        found = [*checks(know_settings(*options.files(), os.environ), SystemClock(), told)]
    show(checks_text(found))
    interview.title("What would the first cycle write? (door-sync plan)")
    code = _plan(settings)
    if is_bad(found) or code == EXIT_FAULT:
        interview.say(
            "Not ready yet: settle what is marked above (a setting is changed in config.toml, a "
            "key in .env), then `door-sync doctor` looks again."
        )
        return EXIT_FAULT
    interview.lines(["", *_NEXT])
    return code


_NEXT: Final = (
    "Nothing has been written to the controller yet. Read the plan: are these the people?",
    "Next:  door-sync plan         looks again, as often as you like",
    "       door-sync run --once   lets the members in",
)


def _plan(settings: Settings) -> int:
    with shown_progress() as progress:
        report = plan_site(settings, progress)
    if len([*report.plan.steps()]) > LONGEST_PLAN:
        show("".join(f"{harmless(line)}\n" for line in headline(report)))
        show("`door-sync plan` shows it line by line, with names.\n")
    else:
        show(plan_text(report))
    return report.ending.value

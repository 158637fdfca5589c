"""`doctor`: is everything ready for a cycle, and if not, what settles it (§8)?"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Final

import click

from door_sync.app.checkup.check import Check, Family, Verdict
from door_sync.app.checkup.everything import checks
from door_sync.app.clock import SystemClock
from door_sync.app.sentences import sentence
from door_sync.cli.context import Options
from door_sync.cli.entry import EXIT_FAULT
from door_sync.cli.output.wording import counted, harmless
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import show
from door_sync.settings import BadSettings
from door_sync.settings.known import know_settings

MARKS: Final = {Verdict.OK: "✓", Verdict.WARN: "!", Verdict.BAD: "✗", Verdict.UNKNOWN: "–"}

_PLAIN: Final = {**MARKS, Verdict.OK: "ok", Verdict.BAD: "NO", Verdict.UNKNOWN: "-"}
"""For a terminal whose character set lacks them."""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON, for scripts.")
@click.pass_obj
def command(options: Options, as_json: bool) -> int:
    """Check that everything is ready: files, CiviCRM, the controller, alerts; write nothing.

    One line for each check, ✓ or ✗ with what settles it; ! is worth a look, – could not be asked.
    Ends with 0 if no line is ✗, with 2 if one is, with 78 if config.toml cannot be read at all.
    """
    from door_sync.cli.logs import configure_logs

    configure_logs(verbose=options.verbose, log_format=options.log_format)
    known = know_settings(*options.files(), os.environ)
    with shown_progress() as progress:

        def told(family: Family) -> None:
            progress.stage(f"Looking: {family.value}")

        found = [*checks(known, SystemClock(), told)]
    show(checks_json(found) if as_json else checks_text(found, _marks()))
    if known.is_nothing:
        return BadSettings.exit_code
    return EXIT_FAULT if is_bad(found) else 0


def is_bad(found: Sequence[Check]) -> bool:
    """Say whether a check found a fault."""
    return any(check.verdict is Verdict.BAD for check in found)


def checks_text(found: Sequence[Check], marks: dict[Verdict, str] = MARKS) -> str:
    """Return the checks for people: what it means, then one line for each with its remedy."""
    width = max(len(check.name.title) for check in found)
    lines = [_headline(found, marks)]
    for family in Family:
        lines += ["", family.value]
        for check in found:
            if check.name.family is family:
                mark = marks[check.verdict].ljust(max(map(len, marks.values())))
                lines.append(f"{mark} {check.name.title.ljust(width)}  {sentence(check.text)}")
                if check.remedy:
                    indent = " " * (len(mark) + width + 3)
                    lines.append(f"{indent}What to do: {check.remedy}")
    return "".join(f"{harmless(line)}\n" for line in lines)


def _headline(found: Sequence[Check], marks: dict[Verdict, str]) -> str:
    bad = sum(check.verdict is Verdict.BAD for check in found)
    worth = sum(check.verdict is Verdict.WARN for check in found)
    warnings = counted(worth, "is worth a look", "are worth a look")
    if bad:
        faults = counted(bad, "fault", "faults")
        more = f" {warnings[0].upper()}{warnings[1:]}." if worth else ""
        return f"Not ready: {faults}. What to do stands below each {marks[Verdict.BAD]}.{more}"
    if worth:
        return f"Ready: nothing is wrong, and {warnings}."
    return "Ready: nothing is wrong."


def checks_json(found: Sequence[Check]) -> str:
    """Return the checks for scripts."""
    content = {
        "ready": not is_bad(found),
        "checks": [
            {
                "name": check.name.title,
                "family": check.name.family.value,
                "verdict": check.verdict.value,
                "text": check.text,
                "remedy": check.remedy,
            }
            for check in found
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def _marks() -> dict[Verdict, str]:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "".join(MARKS.values()).encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return _PLAIN
    return MARKS

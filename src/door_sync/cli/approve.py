"""`approve`: let a plan pass that a guard holds (§6)."""

import json
import os

import click

from door_sync.app.approvals import Approved, approve
from door_sync.app.asking import who_asks
from door_sync.app.clock import SystemClock
from door_sync.cli.context import Options
from door_sync.cli.output.times import local
from door_sync.cli.output.wording import counted, tally_of
from door_sync.cli.showing import show
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass


@click.command("approve")
@click.argument("digest")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([one.value for one in ChangeClass]),
    help="Only the changes of this class; may be given several times.",
)
@click.option(
    "--contact",
    multiple=True,
    type=click.IntRange(min=1),
    metavar="CONTACT",
    help="Only the changes of this contact; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for scripts.")
@click.pass_obj
def command(
    options: Options, digest: str, only: tuple[str, ...], contact: tuple[int, ...], as_json: bool
) -> int:
    """Let the held plan DIGEST pass, or a part of it, within 24 hours.

    Exactly that plan, or what is left of it by then: a plan that has grown is held anew. The next
    cycle carries it out. DIGEST stands where `run` and `status` show what waits.
    """
    settings = options.load()
    result = approve(
        settings.ops.history_db,
        SystemClock(),
        digest,
        who_asks(os.environ),
        classes=[ChangeClass(one) for one in only],
        contacts=[ContactId(one) for one in contact],
    )
    show(_json(result) if as_json else _text(result))
    return 0


def _text(result: Approved) -> str:
    lines = [f"Approved: plan {result.hold.hold.digest}, until {local(result.until)}."]
    if result.changes:
        lines.append(f"In it: {tally_of(one for _, one in result.changes)}.")
    else:
        lines.append("It changes nobody; the doubt that held the cycle is set aside.")
    if result.rest:
        rest = counted(len(result.rest), "change", "changes")
        lines.append(f"Not approved, and still held: {rest} of the same plan.")
    lines.append("The next cycle carries it out; `door-sync run --once` does so now.")
    return "\n".join(lines) + "\n"


def _json(result: Approved) -> str:
    content = {
        "digest": result.hold.hold.digest,
        "until": result.until.isoformat(timespec="seconds"),
        "approved": [{"contact": c, "class": one.value} for c, one in result.changes],
        "still_held": [{"contact": c, "class": one.value} for c, one in result.rest],
    }
    return json.dumps(content, indent=2) + "\n"

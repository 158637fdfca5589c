"""`reject`: refuse a plan that a guard holds, and take back its approval (§6)."""

import json
import os

import click

from door_sync.app.approvals import Rejected, reject
from door_sync.app.asking import who_asks
from door_sync.app.clock import SystemClock
from door_sync.cli.context import Options
from door_sync.cli.showing import show


@click.command("reject")
@click.argument("digest")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for scripts.")
@click.pass_obj
def command(options: Options, digest: str, as_json: bool) -> int:
    """Refuse the held plan DIGEST, and take back what was approved of it.

    The plan stays held as long as the data asks for it: mend the data in CiviCRM.
    """
    settings = options.load()
    result = reject(settings.ops.history_db, SystemClock(), digest, who_asks(os.environ))
    show(_json(result) if as_json else _text(result))
    return 0


def _text(result: Rejected) -> str:
    lines = [f"Rejected: plan {result.hold.hold.digest}."]
    if result.withdrawn:
        lines.append("What had been approved of it is taken back, but for what is done already.")
    lines.append(
        "It stays held, and nobody's access changes by it. Mend the data in CiviCRM that asks for "
        "it; the hold ends with the first cycle that finds it mended."
    )
    return "\n".join(lines) + "\n"


def _json(result: Rejected) -> str:
    content = {"digest": result.hold.hold.digest, "withdrawn_approvals": result.withdrawn}
    return json.dumps(content, indent=2) + "\n"

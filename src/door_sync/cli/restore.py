"""`restore`: lift a cut-off, so that CiviCRM decides again (§6)."""

import json
import os

import click

from door_sync.app.asking import who_asks
from door_sync.app.clock import SystemClock
from door_sync.app.sentences import named
from door_sync.app.urgent import Restored, restore
from door_sync.cli.contacts import ContactParameter, each_contact_once
from door_sync.cli.context import Options
from door_sync.cli.output.times import local
from door_sync.cli.output.wording import harmless
from door_sync.cli.showing import show
from door_sync.core.people import ContactId


@click.command("restore")
@click.argument(
    "contacts",
    metavar="CONTACT...",
    nargs=-1,
    required=True,
    type=ContactParameter(),
    callback=each_contact_once,
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for scripts.")
@click.pass_obj
def command(options: Options, contacts: tuple[ContactId, ...], as_json: bool) -> int:
    """Lift the cut-off of CONTACT (one or more contact ids), so that CiviCRM decides again.

    Nothing is written to the controller; the next cycle gives access back if CiviCRM says so.
    """
    settings = options.load()
    done = restore(contacts, settings.ops.history_db, SystemClock(), who_asks(os.environ))
    show(_json(done) if as_json else _text(done))
    return 0


def _text(done: tuple[Restored, ...]) -> str:
    lines = []
    for one in done:
        if one.lifted is None:
            lines.append(f"Contact {one.contact_id} was not cut off; nothing changes.")
        else:
            since = f"since {local(one.lifted.at)} by {one.lifted.asked_by}"
            lines.append(f"Lifted: the cut-off of contact {one.contact_id}, {since}.")
    lifted = [one.contact_id for one in done if one.lifted is not None]
    if lifted:
        lines.append(
            f"The next cycle gives {named(lifted)} access if CiviCRM says so; "
            "`door-sync run --once` does so now. Nothing was written to the controller."
        )
    return "".join(f"{harmless(line)}\n" for line in lines)


def _json(done: tuple[Restored, ...]) -> str:
    content = [
        {
            "contact": one.contact_id,
            "lifted": one.lifted is not None,
            "since": None if one.lifted is None else one.lifted.at.isoformat(timespec="seconds"),
            "cut_off_by": None if one.lifted is None else one.lifted.asked_by,
        }
        for one in done
    ]
    return json.dumps(content, indent=2) + "\n"

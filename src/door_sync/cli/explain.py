"""`explain`: why one person may or may not open doors, and what the next cycle does (§8, P7)."""

import click

from door_sync.app.bootstrap import explain_site
from door_sync.cli.contacts import ContactParameter
from door_sync.cli.context import Options
from door_sync.cli.output.explained import explained_text
from door_sync.cli.output.explained_json import explained_json
from door_sync.cli.progress import shown_progress
from door_sync.cli.showing import show
from door_sync.core.people import ContactId


@click.command("explain")
@click.argument("contact_id", type=ContactParameter(), metavar="CONTACT")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for scripts.")
@click.pass_obj
def command(options: Options, contact_id: ContactId, as_json: bool) -> int:
    """Explain one person: memberships, rule, card, controller, next cycle, and the last changes.

    It reads both sides and writes nothing. Names stand in it, card numbers never.
    """
    settings = options.load()
    with shown_progress() as progress:
        found = explain_site(settings, contact_id, progress)
    show(explained_json(found) if as_json else explained_text(found))
    return found.exit_code

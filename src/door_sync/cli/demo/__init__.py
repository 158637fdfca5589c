"""`demo`: a made-up club is synced before the reader's eyes, and the story checks itself."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from door_sync.cli.context import Options


@click.command("demo")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Leave the files behind in this directory: config.toml, .env, the journal and the rest.",
)
@click.option("--pause", is_flag=True, help="Wait for a key after each chapter, on a terminal.")
@click.pass_obj
def command(options: "Options", keep: Path | None, pause: bool) -> int:
    """Sync a made-up club on built-in simulators, and show what happens at its doors.

    Needs no hardware, no account and no configuration; takes a few seconds. Ends with 2 if
    anything does not come out as told.
    """
    from door_sync.cli.demo.telling import tell_all
    from door_sync.cli.logs import configure_logs

    configure_logs(verbose=options.verbose, log_format=options.log_format)
    return tell_all(keep, pauses=pause)

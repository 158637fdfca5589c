"""A command's result on standard output."""

from contextlib import suppress
from pathlib import Path

import click

from door_sync.files import ops_file_errors


def show(text: str) -> None:
    """Print a result; raise OpsFileError if it has no place to go, such as on a full disk.

    A reader who has seen enough (`| head`) is no trouble: what the command did stands, and so does
    its exit code.
    """
    with ops_file_errors(Path("standard output"), "write to"), suppress(BrokenPipeError):
        click.echo(text, nl=False)

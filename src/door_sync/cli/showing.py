"""What a command says: its result on standard output, remarks on standard error."""

from contextlib import suppress
from pathlib import Path

import click


def show(text: str) -> None:
    """Print a result; raise OpsFileError if it has no place to go, such as on a full disk.

    A reader who has seen enough (`| head`) is no trouble: what the command did stands, and so does
    its exit code.
    """
    from door_sync.files import ops_file_errors

    with ops_file_errors(Path("standard output"), "write to"), suppress(BrokenPipeError):
        click.echo(text, nl=False)


def remark(text: str) -> None:
    """Print a line beside the result. That nobody can read it must not stop a cycle."""
    with suppress(OSError):
        click.echo(text, err=True)

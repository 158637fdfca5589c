"""Where the program starts, and where every error becomes a sentence and an exit code (§8)."""

import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from door_sync import __version__
from door_sync.cli.context import Options
from door_sync.ports import DoorSyncError

EXIT_USAGE = 64
EXIT_FAULT = 2
EXIT_INTERRUPTED = 130

COMMANDS = {
    "demo": "door_sync.cli.demo",
    "plan": "door_sync.cli.plan",
    "run": "door_sync.cli.run",
    "show-diff": "door_sync.cli.plan",
    "simulate": "door_sync.cli.simulate",
    "validate-config": "door_sync.cli.validate",
}
"""Which module has which command; it holds a click command in the attribute `command`."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used or listed."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of all commands, in order."""
        return sorted(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return the command of this name, or None."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[name]).command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="door-sync")
@click.option(
    "--config", type=click.Path(), metavar="FILE", help="Settings; config.toml unless given."
)
@click.option(
    "--env-file", type=click.Path(), metavar="FILE", help="Secrets; the file .env unless given."
)
@click.option("-v", "--verbose", is_flag=True, help="Say more, and show where a fault happened.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the log on standard error is written.",
)
@click.pass_context
def root(
    context: click.Context, config: str | None, env_file: str | None, verbose: bool, log_format: str
) -> None:
    """Keep a UniFi Access controller equal to a CiviCRM membership list.

    Paid members get a user, their card and the access policy of their tier; lapsed ones lose
    access. Exit codes: 0 done, 1 held by a guard, 2 failed, 3 some people failed, 64 wrong use,
    75 another cycle is running, 78 bad configuration.
    """
    context.obj = Options(config, env_file, verbose=verbose, log_format=log_format)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; exit with the codes of §8 and without a traceback unless asked."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    verbose = "-v" in words or "--verbose" in words
    try:
        result = root.main(words, prog_name="door-sync", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        code = EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = EXIT_INTERRUPTED
    except DoorSyncError as error:
        click.echo(f"door-sync: {error.message}", err=True)
        if error.remedy:
            click.echo(f"What to do: {error.remedy}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        code = 0  # the reader of our output has seen enough
    except Exception as error:  # noqa: BLE001 - the last stop before the operator
        code = _report_fault(error, verbose=verbose)
    _leave(code)


def _report_fault(error: Exception, *, verbose: bool) -> int:
    """Say that the program itself is at fault. Messages of foreign errors may hold anything (P12),
    so they show only where somebody asked for them on a terminal of their own."""
    if verbose:
        click.echo("".join(traceback.format_exception(error)), err=True)
    else:
        click.echo(
            f"door-sync broke off with a fault of its own ({type(error).__name__}). Nothing is "
            "hidden by it: the journal has every write, and the next cycle heals what is half "
            "done. Run the same command with -v and report what it prints.",
            err=True,
        )
    return EXIT_FAULT


def _leave(code: int) -> NoReturn:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.exit(code)
    # The interpreter would flush once more and complain: give it somewhere to write to.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)

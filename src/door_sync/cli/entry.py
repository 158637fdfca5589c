"""Where the program starts, and where every error becomes a sentence and an exit code (§8).

`door-sync --help` must not wait for libraries that only a cycle needs, least of all on a Raspberry
Pi: this module and what it imports stay light, and each command's module is loaded when used.
"""

import importlib
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, TextIO

import click
from click.shell_completion import CompletionItem

from door_sync import __version__
from door_sync.cli.context import Options
from door_sync.cli.showing import remark

EXIT_USAGE = 64
EXIT_FAULT = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Listed:
    """A command in the list that --help prints: its module, and its purpose in a few words.

    The module holds a click command in the attribute `command`.
    """

    module: str
    purpose: str


COMMANDS = {
    "adopt": Listed("door_sync.cli.adopt", "Take over users made by hand, each with your yes."),
    "apply": Listed("door_sync.cli.apply", "Carry out a plan that was looked at, exactly so."),
    "approve": Listed("door_sync.cli.approve", "Let a plan pass that a guard holds."),
    "cards": Listed("door_sync.cli.cards", "List every card by its state, and what settles it."),
    "completion": Listed("door_sync.cli.completion", "Print the script for a shell's completion."),
    "demo": Listed("door_sync.cli.demo", "Sync a made-up club on built-in simulators."),
    "doctor": Listed(
        "door_sync.cli.doctor", "Check that everything is ready, and say what is not."
    ),
    "explain": Listed("door_sync.cli.explain", "Say why one person may or may not open doors."),
    "history": Listed("door_sync.cli.history", "Tell what past cycles did, and check the record."),
    "init": Listed("door_sync.cli.init", "Set up a site: ask, look, write both files, check."),
    "notify-test": Listed("door_sync.cli.notify_test", "Send a test message as an alert."),
    "plan": Listed("door_sync.cli.plan", "Show what a live cycle would write next."),
    "reject": Listed("door_sync.cli.reject", "Refuse a plan that a guard holds."),
    "report": Listed("door_sync.cli.report", "Tell who can open what: as table, or page to sign."),
    "restore": Listed("door_sync.cli.restore", "Lift a cut-off: CiviCRM decides again."),
    "revoke": Listed("door_sync.cli.revoke", "Cut somebody off at once, until restore."),
    "run": Listed("door_sync.cli.run", "Make the controller match the membership list."),
    "show-diff": Listed("door_sync.cli.plan", "The same as plan."),
    "simulate": Listed("door_sync.cli.simulate", "Play CiviCRM or the controller, for trying out."),
    "status": Listed("door_sync.cli.status", "Show how the site stands and what waits."),
    "validate-config": Listed("door_sync.cli.validate", "Check both configuration files."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is used."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of all commands, in order."""
        return sorted(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return the command of this name, or None."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[name].module).command
        return command

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what may follow, without importing any of the commands."""
        found = [
            CompletionItem(name, help=listed.purpose)
            for name, listed in sorted(COMMANDS.items())
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, context, incomplete)]

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].purpose) for name in sorted(COMMANDS)])


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
    access. Exit codes: 0 done or nothing to do, 1 held by a guard, 2 failed, 3 some people failed,
    10 there are changes (plan --detailed-exitcode), 64 wrong use, 75 another cycle is running,
    78 bad configuration.
    """
    context.obj = Options(config, env_file, verbose=verbose, log_format=log_format)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; exit with the codes of §8 and without a traceback unless asked."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A letter that the terminal's character set lacks must not end a cycle's report.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        result = root.main(words, prog_name="door-sync", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        code = EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        remark("Interrupted. Whatever was written is on record; the next cycle goes on from there.")
        code = EXIT_INTERRUPTED
    except SystemExit:
        code = 0  # the library's way to say that the reader of our words has seen enough
    except Exception as error:  # noqa: BLE001 - the last stop before the operator
        code = _told(error, verbose="-v" in words or "--verbose" in words)
    _leave(code)


def _told(error: Exception, *, verbose: bool) -> int:
    """Tell the operator what went wrong; return the exit code."""
    from door_sync.app.faults import where
    from door_sync.ports import DoorSyncError

    if isinstance(error, DoorSyncError):
        remark(f"door-sync: {error.message}")
        if error.remedy:
            remark(f"What to do: {error.remedy}")
        return error.exit_code
    if verbose:
        remark(where(error))
    else:
        remark(
            f"door-sync broke off with a fault of its own ({type(error).__name__}). Whatever was "
            "written is on record, and the next cycle heals what is half done. Run the same "
            "command with -v before it (door-sync -v …) and report what it prints."
        )
    return EXIT_FAULT


def _leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as it is where the descriptor was closed from the start
            _flush(stream)
    sys.exit(code)


def _flush(stream: TextIO) -> None:
    """Write out what is left. The interpreter would do so at its end, and complain of a closed
    pipe or a full disk: in that case give it somewhere to write to."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

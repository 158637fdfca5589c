"""`completion`: the script that lets a shell complete commands and options."""

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from door_sync.cli.showing import show

SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
PROGRAM = "door-sync"
VARIABLE = "_DOOR_SYNC_COMPLETE"
"""What the scripts set when they ask the program; click makes it of the program's name."""


@click.command("completion")
@click.argument("shell", type=click.Choice([*SHELLS]))
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print a script that lets a shell complete commands and options.

    Put it where the shell looks: for bash into /etc/bash_completion.d/door-sync, for zsh as
    _door-sync into a directory of fpath, for fish into ~/.config/fish/completions/door-sync.fish.
    """
    script = SHELLS[shell](context.find_root().command, {}, PROGRAM, VARIABLE).source()
    show(f"{script}\n")
    return 0

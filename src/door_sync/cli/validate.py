"""`validate-config`: every fault of the two files at once (§8)."""

import click

from door_sync.cli.context import Options
from door_sync.cli.output.wording import counted
from door_sync.cli.showing import show


@click.command("validate-config")
@click.pass_obj
def command(options: Options) -> int:
    """Check both configuration files and print everything that is wrong with them, at once.

    Nothing is read from CiviCRM or the controller. Ends with 78 if something is wrong.
    """
    config, env_file = options.files()
    rules = len(options.load().tier_mapping.rules)
    show(
        f"{config} and {env_file} are good: {counted(rules, 'tier rule', 'tier rules')}, and every "
        "secret that is needed is there.\nNeither CiviCRM nor the controller was asked; "
        "`door-sync plan` asks both and writes nothing.\n"
    )
    return 0

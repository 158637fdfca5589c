"""`validate-config`: every fault of the two files at once (§8)."""

import click

from door_sync.cli.context import Options


@click.command("validate-config")
@click.pass_obj
def command(options: Options) -> int:
    """Check both configuration files and print everything that is wrong with them, at once.

    Nothing is read from CiviCRM or the controller. Ends with 78 if something is wrong.
    """
    config, env_file = options.files()
    loaded = options.load()
    rules = len(loaded.settings.tier_mapping.rules)
    click.echo(f"{config} and {env_file} are good: {rules} tier rules, every secret is there.")
    return 0

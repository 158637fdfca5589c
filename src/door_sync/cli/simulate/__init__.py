"""`simulate civicrm|unifi`: one of the two systems, played on this machine, to rehearse against."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

FunctionT = TypeVar("FunctionT", bound=Callable[..., None])


@click.group("simulate")
def command() -> None:
    """Play CiviCRM or the controller on this machine, to rehearse without either.

    \b
    In one terminal:  door-sync simulate civicrm
    in another:       door-sync simulate unifi

    Each prints its part of config.toml and of the env file. With both parts in place every other
    command works as with the real systems. Only this machine can reach them, and both end with
    Ctrl-C. Without --seed they play a made-up club, whose two halves fit each other.
    """


def _print_and_end(text: Callable[[], str]) -> Callable[..., None]:
    """Return a click callback that prints a text instead of running the command."""

    def callback(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            click.echo(text())
            context.exit()

    return callback


def _shared_options(
    seed_format: Callable[[], str], switches: Callable[[], str]
) -> Callable[[FunctionT], FunctionT]:
    """Return a decorator that adds the options which both simulators have."""
    options = (
        click.option(
            "--port",
            type=click.IntRange(1, 65535),
            help="Where to answer; a free port if not given.",
        ),
        click.option(
            "--seed",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Begin with what this JSON file describes (see --seed-format).",
        ),
        click.option(
            "--switch",
            "switches",
            multiple=True,
            metavar="NAME=VALUE",
            help="Turn a switch (see --list-switches); may be given several times.",
        ),
        click.option(
            "--latency",
            type=click.FloatRange(0),
            default=0.0,
            metavar="MS",
            help="Let each answer take so many milliseconds longer.",
        ),
        click.option(
            "--dump",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="At the end write the state to this file, as a seed that only you can read.",
        ),
        click.option(
            "--seed-format",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_and_end(seed_format),
            help="Print what a seed may hold, and end.",
        ),
        click.option(
            "--list-switches",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_and_end(switches),
            help="Print the switches with their values, and end.",
        ),
    )

    def decorate(function: FunctionT) -> FunctionT:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


# The simulators are imported when they are used: --help must not wait for a web server.


_EXAMPLE = (
    "\nFor an example run the command without --seed, with --dump FILE, and end it with Ctrl-C."
)


def _civicrm_seed_format() -> str:
    from door_sync.simulators.civicrm import seed

    return f"{seed.__doc__}{_EXAMPLE}"


def _civicrm_switches() -> str:
    from door_sync.cli.simulate.civicrm import SWITCHES

    return "\n".join(SWITCHES.listing())


def _unifi_seed_format() -> str:
    from door_sync.simulators.unifi import seed_format

    return f"{seed_format.__doc__}{_EXAMPLE}"


def _unifi_switches() -> str:
    from door_sync.cli.simulate.unifi import SWITCHES

    return "\n".join(SWITCHES.listing())


@command.command("civicrm")
@_shared_options(_civicrm_seed_format, _civicrm_switches)
def civicrm(
    port: int | None,
    seed: Path | None,
    switches: tuple[str, ...],
    latency: float,
    dump: Path | None,
) -> None:
    """Play CiviCRM: the membership list, over HTTP.

    To rehearse trouble turn a switch, for example: --switch outage=civicrm-database
    """
    from door_sync.cli.simulate.civicrm import play

    play(port=port or 0, seed=seed, switches=switches, latency_ms=latency, dump=dump)


@command.command("unifi")
@_shared_options(_unifi_seed_format, _unifi_switches)
def unifi(
    port: int | None,
    seed: Path | None,
    switches: tuple[str, ...],
    latency: float,
    dump: Path | None,
) -> None:
    """Play a UniFi Access controller: the doors, over HTTPS.

    It makes itself a new certificate at each start, and prints the fingerprint.
    """
    from door_sync.cli.simulate.unifi import play

    play(port=port or 0, seed=seed, switches=switches, latency_ms=latency, dump=dump)

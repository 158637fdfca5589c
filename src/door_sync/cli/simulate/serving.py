"""What both simulators have in common on the command line: start, say how to get there, end."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from door_sync.files import replace_file
from door_sync.ports import DoorSyncError
from door_sync.simulators.serving import Server

REQUESTS_KEPT: Final = 1000
"""A rehearsal may run for weeks, and nobody looks at what it was asked last year."""


class CannotServe(DoorSyncError):
    """The port cannot be had."""


@dataclass(frozen=True)
class Announcement:
    """What a person needs to use a simulator: its part of the configuration, and its keys.

    `keys` are all that it accepts, with what they are for.
    """

    name: str
    contents: str
    other_side: str
    config: str
    env: Mapping[str, str]
    keys: tuple[str, ...]


def serve_until_told(
    start: Callable[[], Server],
    announcement: Callable[[Server], Announcement],
    dump: Callable[[], Mapping[str, Any]],
    dump_file: Path | None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; then write the state to `dump_file`, if there is one.

    Raise CannotServe if the port is taken, OpsFileError if the file cannot be written.
    """
    with _told_to_end() as told:
        with _started(start) as server:
            click.echo(_text(server, announcement(server)))
            told.wait()
        click.echo("Ended.")
        if dump_file is not None:
            content = json.dumps(dump(), indent=1, ensure_ascii=False) + "\n"
            replace_file(dump_file, content, mode=0o600)
            click.echo(f"The state is in {dump_file}; --seed {dump_file} begins with it again.")


def _started(start: Callable[[], Server]) -> Server:
    try:
        return start()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else type(error).__name__
        raise CannotServe(
            f"the port cannot be used: {why}",
            remedy="Name another one with --port, or leave --port out to get a free one.",
        ) from error


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and SIGINT set; put the former handlers back at the end."""
    told = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        told.set()

    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _text(server: Server, said: Announcement) -> str:
    lines = [f"{said.name} answers at {server.url} until Ctrl-C.", f"It holds {said.contents}."]
    if server.fingerprint is not None:
        lines.append(f"Fingerprint of its certificate: {server.fingerprint}")
    if len(said.keys) > 1:
        lines += ["", "It accepts these keys:", *(f"  {key}" for key in said.keys)]
    env = "".join(f"{name}={value}\n" for name, value in said.env.items())
    lines += ["", "# Into config.toml:", "", said.config]
    lines += ["# Into .env:", "", env]
    lines += [
        f"# The other half is printed by: door-sync simulate {said.other_side}",
        "# Then: door-sync validate-config, door-sync plan, door-sync run --once",
    ]
    return "\n".join(lines)

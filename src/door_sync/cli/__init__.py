"""The command line (§8): one module per group of commands, each loaded only when it is used."""

from door_sync.cli.entry import main

__all__ = ["main"]

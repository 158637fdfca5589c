"""What programs share that fork commands of door-sync off one process which has imported it all.

They are programs of their own (`e2e/fork_parent.py`, `proof/disk_parent.py`), so nothing of pytest
is imported here. A commit to a journal is a point at which they may act.
"""

import importlib
import json
import sqlite3
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from door_sync.cli.entry import COMMANDS
from door_sync.journal import store

Reach = Callable[[str], None]
"""Is told "before" and "after" each commit of a writing transaction."""


class _Watched(sqlite3.Connection):
    reach: ClassVar[Reach] = staticmethod(lambda _: None)
    is_writing = False

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        if sql.startswith("BEGIN"):
            self.is_writing = sql == "BEGIN IMMEDIATE"
        if sql != "COMMIT" or not self.is_writing:
            return super().execute(sql, *arguments)
        _Watched.reach("before")
        done = super().execute(sql, *arguments)
        _Watched.reach("after")
        return done


class _Sqlite:
    """The module as the journal sees it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)

    def connect(self, *arguments: Any, **named: Any) -> sqlite3.Connection:
        """Open a connection that is watched."""
        return sqlite3.connect(*arguments, factory=_Watched, **named)


def import_everything() -> None:
    """Import all of door-sync, and let commits of journals be watched from now on."""
    importlib.import_module("encodings.idna")  # as a process would at its first request
    for one in COMMANDS.values():
        importlib.import_module(one.module)
    vars(store)["sqlite3"] = _Sqlite()


def watch_commits(reach: Reach) -> None:
    """Tell `reach` of each commit of this process."""
    _Watched.reach = staticmethod(reach)


def tell(what: dict[str, Any]) -> None:
    """Answer with one line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()

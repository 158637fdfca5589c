"""Bringing a journal to this program's version, step by step, all or nothing (§7).

The version is SQLite's own `user_version`. An older journal is migrated; a newer one is refused,
because an older program would leave out what the newer one relies on.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from door_sync.journal.schema import APPLICATION_ID, Migration
from door_sync.ports import JournalError


def version_of(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """Return the version of the journal at `path`, 0 for an empty file.

    Raise JournalError for another program's database, or a version above `newest`.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    is_empty = connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    if owner != APPLICATION_ID and not (owner == 0 and version == 0 and is_empty):
        raise JournalError(
            f"{path} is another program's database, not a journal of door-sync",
            remedy="Name another file in ops.history_db; this one is left as it is.",
        )
    if version > newest:
        raise JournalError(
            f"the journal {path} is of version {version}, and this door-sync knows no version "
            f"above {newest}",
            remedy="Install the door-sync that wrote it, or a newer one. Keep the journal.",
        )
    return int(version)


def migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]
) -> tuple[int, int]:
    """Bring a journal to the version `len(migrations)`; return the version before and after.

    It runs inside the caller's transaction, so a migration that fails, or dies half-way, leaves
    the journal as it was. Raise sqlite3.Error, or JournalError as `version_of` does.
    """
    before = version_of(connection, path, len(migrations))
    for statements in migrations[before:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    return before, len(migrations)

"""The journal's tables, as the list of migrations that make them.

This file owns what the journal may hold: step kinds, contact ids and keyed digests, never a name,
an address, a number or a token (P12, §7). Columns that hold a digest take hexadecimal alone, so
that a slip of the program is refused instead of written down. A migration that has been released
is never edited; a change is a new one at the end.
"""

from typing import Final

Migration = tuple[str, ...]
"""The statements that lead from one version to the next."""

APPLICATION_ID: Final = 0x444F4F52
"""Marks the file as door-sync's ("DOOR"), so that no other program's database is taken over."""

_FIRST: Final[Migration] = (
    """
    CREATE TABLE site (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        key BLOB NOT NULL CHECK (length(key) = 32),
        good_contacts INTEGER,
        good_users INTEGER,
        good_at TEXT,
        provisioning INTEGER CHECK (provisioning IN (0, 1))
    ) STRICT
    """,
    # `event` is NULL while the cycle runs. An interrupted one has no `ended`: nobody knows when.
    """
    CREATE TABLE cycles (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        started TEXT NOT NULL,
        ended TEXT,
        event TEXT,
        digest TEXT,
        summary TEXT
    ) STRICT
    """,
    "CREATE INDEX cycles_without_end ON cycles (number) WHERE event IS NULL",
    """
    CREATE TABLE steps (
        cycle TEXT NOT NULL REFERENCES cycles (id),
        number INTEGER NOT NULL,
        contact_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        change TEXT NOT NULL,
        reason TEXT NOT NULL,
        digest TEXT NOT NULL,
        intended_at TEXT NOT NULL,
        outcome TEXT,
        outcome_at TEXT,
        detail TEXT,
        PRIMARY KEY (cycle, number)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE refused_addresses (
        digest TEXT PRIMARY KEY
            CHECK (length(digest) >= 16 AND digest NOT GLOB '*[^0-9a-f]*'),
        at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE missing_contacts (contact_id INTEGER PRIMARY KEY) STRICT",
    """
    CREATE TABLE failed_imports (
        digest TEXT PRIMARY KEY
            CHECK (length(digest) >= 16 AND digest NOT GLOB '*[^0-9a-f]*'),
        world TEXT NOT NULL
            CHECK (length(world) >= 16 AND world NOT GLOB '*[^0-9a-f]*'),
        at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE failed_restores (
        contact_id INTEGER PRIMARY KEY,
        at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE statusless (
        digest TEXT PRIMARY KEY
            CHECK (length(digest) >= 16 AND digest NOT GLOB '*[^0-9a-f]*'),
        at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE aliases (
        token_digest TEXT PRIMARY KEY
            CHECK (length(token_digest) >= 16 AND token_digest NOT GLOB '*[^0-9a-f]*'),
        number_digest TEXT NOT NULL
            CHECK (length(number_digest) >= 16 AND number_digest NOT GLOB '*[^0-9a-f]*'),
        at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

MIGRATIONS: Final[tuple[Migration, ...]] = (_FIRST,)
"""All migrations in order; a journal of version N has seen the first N."""

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

_SECOND: Final[Migration] = (
    # `kind` is "cycle", or the command of a person that wrote on its own ("revoke"). `audit` is
    # the hash of the line in the audit file, NULL until that line is written; `audit_number` counts
    # those lines in the order in which they were written.
    "ALTER TABLE cycles ADD COLUMN kind TEXT NOT NULL DEFAULT 'cycle'",
    "ALTER TABLE cycles ADD COLUMN asked_by TEXT",
    "ALTER TABLE cycles ADD COLUMN reason TEXT",
    "ALTER TABLE cycles ADD COLUMN audit TEXT",
    "UPDATE cycles SET audit = 'before the chain'",
    "ALTER TABLE cycles ADD COLUMN audit_number INTEGER",
    "CREATE UNIQUE INDEX cycles_by_audit ON cycles (audit_number) WHERE audit_number IS NOT NULL",
    "CREATE INDEX cycles_without_audit ON cycles (number) WHERE audit IS NULL",
    "CREATE INDEX cycles_by_start ON cycles (started)",
    # `counts` is 0 for a change that was free or approved: the 24 hours leave it out (§6).
    "ALTER TABLE steps ADD COLUMN counts INTEGER NOT NULL DEFAULT 1 CHECK (counts IN (0, 1))",
    "CREATE INDEX steps_by_time ON steps (intended_at)",
    "CREATE INDEX steps_by_contact ON steps (contact_id)",
    # `pruned_at` is when old rows were removed last. Cycles up to these moments may be gone: those
    # that wrote, and quiet ones, which go sooner.
    "ALTER TABLE site ADD COLUMN pruned_at TEXT",
    "ALTER TABLE site ADD COLUMN pruned_before TEXT",
    "ALTER TABLE site ADD COLUMN pruned_quiet_before TEXT",
    # A hold is open until a cycle that could decide finds it gone or grown: `closed_at`.
    """
    CREATE TABLE holds (
        digest TEXT PRIMARY KEY
            CHECK (length(digest) >= 12 AND digest NOT GLOB '*[^0-9a-f]*'),
        cycle TEXT NOT NULL,
        held_at TEXT NOT NULL,
        closed_at TEXT
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE hold_guards (
        hold TEXT NOT NULL REFERENCES holds (digest) ON DELETE CASCADE,
        guard TEXT NOT NULL,
        extent INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (hold, guard)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE held_effects (
        hold TEXT NOT NULL REFERENCES holds (digest) ON DELETE CASCADE,
        contact_id INTEGER NOT NULL,
        change TEXT NOT NULL,
        kind TEXT NOT NULL,
        digest TEXT NOT NULL CHECK (length(digest) >= 16 AND digest NOT GLOB '*[^0-9a-f]*'),
        PRIMARY KEY (hold, contact_id, change, kind, digest)
    ) STRICT, WITHOUT ROWID
    """,
    # What a person said to a hold; who approves a part leaves out the rest. `classes` and
    # `contacts` are JSON lists; empty ones mean all.
    """
    CREATE TABLE approvals (
        number INTEGER PRIMARY KEY,
        hold TEXT NOT NULL REFERENCES holds (digest) ON DELETE CASCADE,
        verdict TEXT NOT NULL CHECK (verdict IN ('approved', 'rejected', 'left out')),
        at TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        classes TEXT NOT NULL,
        contacts TEXT NOT NULL,
        ended_at TEXT,
        ending TEXT
    ) STRICT
    """,
    """
    CREATE TABLE cut_offs (
        number INTEGER PRIMARY KEY,
        contact_id INTEGER NOT NULL,
        at TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        reason TEXT NOT NULL,
        lifted_at TEXT,
        lifted_by TEXT
    ) STRICT
    """,
    "CREATE UNIQUE INDEX cut_off_now ON cut_offs (contact_id) WHERE lifted_at IS NULL",
    # One row per cause that stands, or whose end nobody could be told yet (P14).
    """
    CREATE TABLE alerts (
        cause TEXT PRIMARY KEY,
        began TEXT NOT NULL,
        failures INTEGER NOT NULL,
        announced TEXT,
        reminded TEXT,
        is_over INTEGER NOT NULL DEFAULT 0 CHECK (is_over IN (0, 1)),
        happened TEXT NOT NULL,
        doors TEXT NOT NULL,
        settles TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE alert_messages (
        number INTEGER PRIMARY KEY,
        cause TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('begin', 'reminder', 'resolved')),
        at TEXT NOT NULL
    ) STRICT
    """,
)

_THIRD: Final[Migration] = (
    # From when somebody is known to have to lose access until a read showed it. `cycle` learned of
    # it; NULL if a person cut them off, as long as no cycle found something to take.
    """
    CREATE TABLE revocations (
        number INTEGER PRIMARY KEY,
        contact_id INTEGER NOT NULL,
        learned_at TEXT NOT NULL,
        cycle TEXT,
        ended_at TEXT,
        ending TEXT CHECK (ending IN ('proven', 'withdrawn')),
        CHECK ((ended_at IS NULL) = (ending IS NULL))
    ) STRICT
    """,
    "CREATE UNIQUE INDEX revocation_now ON revocations (contact_id) WHERE ended_at IS NULL",
    "CREATE INDEX revocations_by_end ON revocations (ended_at)",
)

MIGRATIONS: Final[tuple[Migration, ...]] = (_FIRST, _SECOND, _THIRD)
"""All migrations in order; a journal of version N has seen the first N."""

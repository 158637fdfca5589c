"""The journal's file: opened safely, and used in short transactions that are durable (P13).

WAL lets readers look on while a cycle writes; `synchronous = FULL` puts every commit on disk
before the call returns, so that a power cut takes nothing back.
"""

import fcntl
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from door_sync.core.tags import KEY_BYTES
from door_sync.files import make_directory, sync_directory
from door_sync.journal.errors import START_ANEW, foreign_rows, journal_errors
from door_sync.journal.migrations import migrate, version_of
from door_sync.journal.schema import MIGRATIONS, Migration
from door_sync.ports import JournalError

RandomBytes = Callable[[int], bytes]
"""Where random bytes come from: `secrets.token_bytes`, unless a test hands in its own."""

FILE_MODE: Final = 0o600
OLDEST_SQLITE: Final = (3, 37, 0)
"""The first SQLite with STRICT tables."""

BUSY_TIMEOUT_SECONDS: Final = 5.0
"""How long to wait for another process that is writing."""

IN_MEMORY: Final = Path(":memory:")


class Store:
    """One open journal. Calls from several threads take turns."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._connection = connection
        self._turn = threading.Lock()
        self._identity = None if path == IN_MEMORY else _identity(path)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        random_bytes: RandomBytes = secrets.token_bytes,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> Self:
        """Open the journal for writing; make it, with a new site key, if it does not exist.

        The file is private (0600), a missing directory is made with 0750, an older journal is
        migrated. Raise JournalError.
        """
        _check_sqlite()
        with journal_errors(path):
            make_directory(path.parent)
            with _alone_in(path.parent):
                return cls._open(path, busy_timeout_seconds, random_bytes, migrations)

    @classmethod
    def _open(
        cls,
        path: Path,
        busy_timeout_seconds: float,
        random_bytes: RandomBytes,
        migrations: Sequence[Migration],
    ) -> Self:
        with suppress(FileExistsError):
            # Never open an existing database here: closing it again would drop the locks that
            # another connection of this process holds on it.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
            sync_directory(path.parent)
        _check_is_file(path)
        connection = _connect(path, "rw", busy_timeout_seconds)
        with _closed_on_error(connection):
            store = cls(connection, path, read_only=False)
            version = store._version(migrations)
            # Only what proved to be a journal is touched: a slip in ops.history_db may name any
            # file of the system, and root may change them all.
            if path.stat().st_mode & 0o077:
                path.chmod(FILE_MODE)  # the site's key is in it (P12)
            _switch_on_durability(connection, path)
            if version < len(migrations):
                store._migrate(migrations, random_bytes)
        return store

    @classmethod
    def open_read_only(
        cls,
        path: Path,
        *,
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        random_bytes: RandomBytes = secrets.token_bytes,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> Self:
        """Open an existing journal for reading alone (P7).

        An older one is copied into memory and migrated there, so that a dry run works after an
        update and still writes nothing. Raise JournalError, also if there is no journal.
        """
        _check_sqlite()
        with journal_errors(path):
            if not path.exists():
                raise JournalError(
                    f"there is no journal at {path}",
                    remedy="The first live cycle makes it; ops.history_db says where it is.",
                )
            _check_is_file(path)
            connection = _connect(path, "ro", busy_timeout_seconds)
            with _closed_on_error(connection):
                store = cls(connection, path, read_only=True)
                if store._version(migrations) == len(migrations):
                    return store
                copy = cls(_connect_in_memory(), path, read_only=True)
                with _closed_on_error(copy._connection):
                    connection.backup(copy._connection)
                    copy._migrate(migrations, random_bytes)
            connection.close()
        return copy

    @classmethod
    def in_memory(cls, *, random_bytes: RandomBytes = secrets.token_bytes) -> Self:
        """Return an empty journal that is forgotten with the process."""
        _check_sqlite()
        store = cls(_connect_in_memory(), IN_MEMORY, read_only=False)
        store._migrate(MIGRATIONS, random_bytes)
        return store

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read inside: everything is seen as it was at one moment. Raise JournalError."""
        with foreign_rows(self.path), self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Write inside, all or nothing; it is on disk when the block ends. Raise JournalError."""
        if self.read_only:
            raise JournalError(f"the journal {self.path} was opened for reading alone")
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def check_in_place(self) -> None:
        """Raise JournalError if the file was moved or replaced since it was opened.

        SQLite would go on writing into the file that nobody finds any more (P13).
        """
        if self._identity is None:
            return
        found = None
        with journal_errors(self.path), suppress(FileNotFoundError):
            found = _identity(self.path)
        if found == self._identity:
            return
        raise JournalError(
            f"the journal {self.path} was moved or replaced while door-sync was running",
            remedy="Put it back if that was a mistake, then start door-sync again.",
        )

    def vacuum(self) -> None:
        """Give the room of removed rows back to the disk; nobody can write meanwhile.

        It needs as much free room as the file takes, twice. Raise JournalError.
        """
        with self._turn, journal_errors(self.path):
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file. Raise JournalError."""
        with self._turn, journal_errors(self.path):
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._turn, journal_errors(self.path):
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _version(self, migrations: Sequence[Migration]) -> int:
        # One transaction, so that a journal being made at this moment is seen before or after it.
        with self.reading() as connection:
            return version_of(connection, self.path, len(migrations))

    def _migrate(self, migrations: Sequence[Migration], random_bytes: RandomBytes) -> None:
        with self._transaction("BEGIN IMMEDIATE") as connection:
            migrate(connection, self.path, migrations)
            connection.execute(
                "INSERT OR IGNORE INTO site (only, key) VALUES (1, ?)", (random_bytes(KEY_BYTES),)
            )


def site_key(store: Store) -> bytes:
    """Return the 32 bytes made when this journal was; raise JournalError if they are gone."""
    with store.reading() as connection:
        row = connection.execute("SELECT key FROM site").fetchone()
    if row is None:
        raise JournalError(f"the journal {store.path} has lost its site key", remedy=START_ANEW)
    return bytes(row[0])


def _connect(path: Path, mode: str, busy_timeout_seconds: float) -> sqlite3.Connection:
    # mode=rw, not rwc: what vanished between two calls must not come back empty and unmigrated.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout_seconds,
        isolation_level=None,  # transactions are begun by name, never behind the program's back
        check_same_thread=False,  # Store lets one thread in at a time
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect_in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _switch_on_durability(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalError(
            f"the journal {path} lies on a file system that cannot share memory between programs",
            remedy="Name a path on a local disk in ops.history_db, not one on a network share.",
        )
    connection.execute("PRAGMA synchronous = FULL")


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    # Two processes that make a journal at the same moment: SQLite refuses the switch to WAL
    # without waiting while another connection is at it.
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _check_is_file(path: Path) -> None:
    if not path.is_file():
        what = "a directory" if path.is_dir() else "no ordinary file"
        raise JournalError(
            f"the journal {path} cannot be used: it is {what}",
            remedy="Move it away, or name another file in ops.history_db.",
        )


def _check_sqlite() -> None:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise JournalError(
            f"this Python comes with SQLite {sqlite3.sqlite_version}; the journal needs "
            f"{'.'.join(map(str, OLDEST_SQLITE))} or newer",
            remedy="Use a Python that is built with a newer SQLite, such as the system's own.",
        )

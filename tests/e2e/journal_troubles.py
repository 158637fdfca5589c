"""Ways in which a journal cannot be written, each made and mended as it happens to a site.

SQLite itself refuses in all of them. What takes another user, or another disk, is brought about by
a setting of the connection, because tests may run as root.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import pytest

from door_sync.journal import store
from door_sync.journal.schema import MIGRATIONS
from tests.cli.conftest import Site


@contextmanager
def _connections(change: Callable[[sqlite3.Connection], object]) -> Iterator[None]:
    """Change every connection to the journal that is opened meanwhile."""
    connect = store._connect

    def changed(*arguments: object) -> sqlite3.Connection:
        connection = connect(*arguments)  # type: ignore[arg-type]  # whatever it takes
        change(connection)
        return connection

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "_connect", changed)
        yield


@contextmanager
def _disk_full(_site: Site) -> Iterator[None]:
    """Whatever is written needs one page more than there may be."""
    writing = store.Store.writing

    @contextmanager
    def fills(opened: store.Store) -> Iterator[sqlite3.Connection]:
        with writing(opened) as connection:
            connection.execute("PRAGMA max_page_count = 1")  # taken as: as many as now
            connection.execute("CREATE TABLE more (content)")
            connection.execute("INSERT INTO more VALUES (zeroblob(1000000))")
            yield connection

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store.Store, "writing", fills)
        yield


@contextmanager
def _read_only(_site: Site) -> Iterator[None]:
    with _connections(lambda connection: connection.execute("PRAGMA query_only = ON")):
        yield


@contextmanager
def _locked(site: Site) -> Iterator[None]:
    """Another program writes to it and does not come to an end; nobody waits for it here."""
    with (
        _connections(lambda connection: connection.execute("PRAGMA busy_timeout = 0")),
        closing(sqlite3.connect(site.journal, isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _kept_for_itself(site: Site) -> Iterator[None]:
    """Another program lets nobody even look into it."""
    with (
        _connections(lambda connection: connection.execute("PRAGMA busy_timeout = 0")),
        closing(sqlite3.connect(site.journal, isolation_level=None)) as other,
    ):
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("PRAGMA user_version = 0")
        yield


@contextmanager
def _corrupt(site: Site) -> Iterator[None]:
    """All pages but the first are something else; the operator has a backup."""
    backup = site.journal.read_bytes()
    site.journal.write_bytes(backup[:4096] + b"\x5a" * len(backup[4096:]))
    yield
    site.journal.write_bytes(backup)


@contextmanager
def _overwritten(site: Site) -> Iterator[None]:
    """It is no database any more."""
    backup = site.journal.read_bytes()
    site.journal.write_bytes(b"door-sync was here\n" * 500)
    yield
    site.journal.write_bytes(backup)


@contextmanager
def _newer(site: Site) -> Iterator[None]:
    """A later door-sync has migrated it."""
    _set_version(site, 999)
    yield
    _set_version(site, len(MIGRATIONS))


def _set_version(site: Site, version: int) -> None:
    with closing(sqlite3.connect(site.journal)) as other:
        other.execute(f"PRAGMA user_version = {version}")


@contextmanager
def _directory(site: Site) -> Iterator[None]:
    aside = site.journal.rename(site.journal.with_name("aside.db"))
    site.journal.mkdir()
    yield
    site.journal.rmdir()
    aside.rename(site.journal)


@contextmanager
def closed_files(site: Site) -> Iterator[None]:
    """Somebody's backup took the right to write away; root does not notice that."""
    places = [*site.journal.parent.iterdir(), site.journal.parent]
    modes = [path.stat().st_mode for path in places]
    for path, mode in zip(places, modes, strict=True):
        path.chmod(mode & 0o555)
    yield
    for path, mode in reversed([*zip(places, modes, strict=True)]):
        path.chmod(mode)


JOURNAL_TROUBLES: dict[str, tuple[Callable[[Site], AbstractContextManager[None]], str]] = {
    "disk full": (_disk_full, "the disk is full"),
    "read-only": (_read_only, "it cannot be written to"),
    "locked": (_locked, "another program keeps it locked"),
    "kept by another program": (_kept_for_itself, "another program keeps it locked"),
    "corrupt": (_corrupt, "it is damaged"),
    "overwritten": (_overwritten, "it is no database"),
    "of a newer version": (_newer, "version 999"),
    "with a directory in its place": (_directory, "it is a directory"),
}
"""How each is made and mended, and what door-sync says of it."""

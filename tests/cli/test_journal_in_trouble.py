"""The journal fails in the middle of a cycle: nothing more is written, and what was is told (§7).

A cycle is run once for each write of its journal, and that write refused, by SQLite itself.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from door_sync.journal.store import Store
from door_sync.simulators.faults import Hook
from tests.cli.conftest import Ran, Site

COMMITS = 21
"""How many writes of the journal the story's cycle takes; a test holds this to the truth."""

BEFORE_ANY = 3
"""So many come before the first write to the controller can be intended."""


class Trouble:
    """Lets the journal fail from its write number `first` on, as `arm` makes it."""

    def __init__(self, site: Site, first: int, kind: str) -> None:
        self.site = site
        self.first = first
        self.kind = kind
        self.count = 0
        self.writes_then: int | None = None
        self.locked: sqlite3.Connection | None = None

    @contextmanager
    def around(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        real = Store.writing

        @contextmanager
        def writing(store: Store) -> Iterator[sqlite3.Connection]:
            self.count += 1
            if self.count >= self.first:
                if self.writes_then is None:
                    self.writes_then = self.site.club.writes()
                self.arm(store._connection)
            with real(store) as connection:
                yield connection

        with monkeypatch.context() as patched:
            patched.setattr(Store, "writing", writing)
            try:
                yield
            finally:
                if self.locked is not None:
                    self.locked.close()

    def arm(self, connection: sqlite3.Connection) -> None:
        match self.kind:
            case "read-only":
                connection.execute("PRAGMA query_only = ON")
            case "full":
                connection.execute("PRAGMA max_page_count = 1")
            case "locked":
                connection.execute("PRAGMA busy_timeout = 0")
                if self.locked is None:
                    self.locked = sqlite3.connect(self.site.journal, isolation_level=None)
                    self.locked.execute("BEGIN IMMEDIATE")
            case "moved" if self.site.journal.exists():
                for end in ("", "-wal", "-shm"):
                    name = self.site.journal.name + end
                    self.site.journal.with_name(name).rename(
                        self.site.directory / f"elsewhere.db{end}"
                    )
            case "corrupt":
                connection.execute("PRAGMA cache_size = 0")
                with self.site.journal.open("r+b") as file:
                    size = file.seek(0, 2)
                    file.seek(0)
                    file.write(b"\x5a" * size)
            case _:
                pass


@pytest.fixture
def eve(site: Site) -> Site:
    """A site before a cycle in which one leaves, one joins with that card, one changes tier."""
    leaver, other = site.club.join(1101), site.club.join(1102)
    site.club.join(1103)
    site.settle()
    site.club.lapse(leaver)
    site.club.retier(other, "Silver")
    site.club.join(1101)
    return site


def run(site: Site, first: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Ran, Trouble]:
    trouble = Trouble(site, first, kind)
    with trouble.around(monkeypatch):
        ran = site.run("run", "--once")
    return ran, trouble


def heals(site: Site) -> None:
    """The next cycle makes everything good, and the record holds."""
    site.settle()
    site.settle()
    ran = site.run("history", "verify")
    assert ran.code == 0, ran.out


def intended(site: Site) -> int:
    """Return how many writes are on record, also where the journal was moved to."""
    moved = site.directory / "elsewhere.db"
    with closing(sqlite3.connect(moved if moved.exists() else site.journal)) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM steps").fetchall()
    return int(count)


def test_the_story_writes_to_the_journal_as_often_as_said(
    eve: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, trouble = run(eve, 1000, "none", monkeypatch)
    assert (ran.code, trouble.count) == (0, COMMITS)


@pytest.mark.parametrize("first", range(1, COMMITS + 1))
def test_after_any_refused_write_no_other_goes_to_the_controller(
    eve: Site, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """P13, at each of them: the error is clear, and nothing was written that is not on record."""
    before = intended(eve)
    ran, trouble = run(eve, first, "read-only", monkeypatch)
    assert eve.club.writes() == trouble.writes_then, "no controller write after it"
    assert ran.code == 2
    assert f"journal {eve.journal} cannot be used: it cannot be written to" in ran.out
    assert "chown" in ran.out
    assert eve.club.writes() <= intended(eve) - before
    if eve.club.writes() and first < COMMITS:
        assert f"after {eve.club.writes()} write" in ran.out
    if first <= BEFORE_ANY:
        assert eve.club.writes() == 0
        assert "Stopped: no cycle runs without a record of it." in ran.out
    assert eve.flag.exists()
    heals(eve)


@pytest.mark.parametrize("kind", ["full", "locked", "moved"])
@pytest.mark.parametrize("first", [1, 6, 9, COMMITS])
def test_whatever_is_wrong_with_it_each_write_is_on_record_before_it_is_sent(
    eve: Site, monkeypatch: pytest.MonkeyPatch, kind: str, first: int
) -> None:
    """A full disk has room left in pages, and one that was moved goes on where it is."""
    before = intended(eve)
    seen: list[int] = []
    eve.club.unifi.faults.add(
        Hook(lambda _request: seen.append(intended(eve) - before)),
        where=lambda request: request.method != "GET",
        times=None,
    )
    ran, _ = run(eve, first, kind, monkeypatch)
    eve.club.unifi.faults.clear()
    assert ran.code in (0, 2)
    assert "Traceback" not in ran.out + ran.err
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) == eve.club.writes()
    if kind == "locked":
        assert ran.code == 2
        assert "another program keeps it locked" in ran.out
        heals(eve)


def test_a_journal_that_is_damaged_in_the_middle_is_found_out_by_the_next_cycle(
    eve: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(eve, 6, "corrupt", monkeypatch)
    eve.club.forget()
    ran = eve.run("run", "--once")
    assert ran.code == 2
    assert "it is damaged" in ran.out or "it is no database" in ran.out
    assert eve.club.writes() == 0


def test_the_people_who_were_done_are_told_although_the_record_broke_off(
    eve: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal fails when the last step is behind: everything was written and read back."""
    ran, _ = run(eve, COMMITS - 2, "read-only", monkeypatch)
    assert ran.code == 2
    assert "lost access" in ran.out
    assert "gained access" in ran.out
    line = json.loads(eve.audit.read_text().splitlines()[-1])
    assert line["exception"]["class"] == "JournalError"
    assert {one["outcome"] for one in line["changes"]} == {"done"}


def test_the_rest_is_told_as_not_done(eve: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ran, _ = run(eve, 8, "read-only", monkeypatch)
    assert "the record of the cycle broke off before this" in ran.out
    line = json.loads(eve.audit.read_text().splitlines()[-1])
    assert "failed" in {one["outcome"] for one in line["changes"]}


def test_an_unwritable_audit_file_is_made_up_for_a_cycle_later(eve: Site) -> None:
    kept = eve.audit.read_text()
    eve.audit.unlink()
    eve.audit.mkdir()
    for _ in range(3):
        assert eve.run("run", "--once").code == 2
    assert eve.run("history", "verify").code == 2
    eve.audit.rmdir()
    eve.audit.write_text(kept)
    notes = eve.run("history", "verify")
    assert notes.code == 0
    assert notes.out.count("has no line yet") == 3
    eve.settle()
    lines = [json.loads(line) for line in eve.audit.read_text().splitlines()]
    assert [("late" in one) for one in lines] == [False, True, True, True, False]
    assert [len(one["changes"]) for one in lines[1:]] == [3, 0, 0, 0]
    done = eve.run("history", "verify")
    assert done.code == 0, done.out
    assert "has no line yet" not in done.out
    assert Path(eve.audit).is_file()

"""Files that this user may not write, found out without writing them."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from door_sync.app.checkup.check import Check, Name, Verdict
from door_sync.app.checkup.configuration import configuration_checks
from door_sync.app.checkup.files import file_checks, flag_check
from door_sync.app.clock import SystemClock
from door_sync.journal.lock import SiteLock
from door_sync.journal.sqlite import SqliteJournal
from door_sync.settings.known import KnownSettings
from door_sync.settings.model import Ops

NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory below which everybody may look, unlike below pytest's own."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    for one in (made, *made.rglob("*")):
        if one.is_dir():
            one.chmod(0o755)
    shutil.rmtree(made)


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Be somebody to whom modes apply: root may do everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def known(directory: Path) -> KnownSettings:
    ops = Ops.model_construct(
        audit_jsonl=directory / "audit.jsonl",
        state_json=directory / "state.json",
        alert_flag=directory / "alert.flag",
        history_db=directory / "history.db",
    )
    return KnownSettings(None, None, None, None, ops, None, None, None)


def looked(directory: Path) -> dict[Name, Check]:
    with as_an_ordinary_user():
        found = [*file_checks(known(directory), SystemClock()), flag_check(known(directory))]
    return {one.name: one for one in found}


def bad(found: dict[Name, Check]) -> list[Name]:
    return [name for name, one in found.items() if one.verdict is Verdict.BAD]


def test_a_directory_of_somebody_else_is_told_for_each_file_in_it(place: Path) -> None:
    place.chmod(0o555)
    found = looked(place)
    assert bad(found) == [Name.JOURNAL_WRITABLE, Name.AUDIT, Name.STATE, Name.FLAG]
    for name in bad(found):
        assert "this user may not do that" in found[name].text
        assert "(chown)" in found[name].remedy
    assert list(place.iterdir()) == []


def test_a_directory_that_may_not_be_entered_is_told_too(place: Path) -> None:
    (place / "closed").mkdir(mode=0o700)
    (place / "closed").chmod(0o000)
    found = looked(place / "closed")
    assert {Name.AUDIT, Name.STATE, Name.FLAG, Name.LOCK} < {*bad(found)}
    assert Name.JOURNAL in bad(found)


def test_a_file_of_somebody_else_in_a_directory_of_ones_own_is_told(place: Path) -> None:
    place.chmod(0o777)
    for name in ("audit.jsonl", "history.db.lock"):
        (place / name).touch()
        (place / name).chmod(0o444)
    assert bad(looked(place)) == [Name.AUDIT, Name.LOCK]


def test_a_journal_that_may_be_read_alone_is_told(place: Path) -> None:
    with SqliteJournal.open(place / "history.db", SystemClock()):
        pass
    (place / "history.db").chmod(0o444)
    place.chmod(0o777)
    found = looked(place)
    assert bad(found) == [Name.JOURNAL_WRITABLE]
    assert found[Name.JOURNAL].verdict is Verdict.OK


def test_a_journal_beside_which_nothing_can_be_laid_cannot_be_used(place: Path) -> None:
    with SqliteJournal.open(place / "history.db", SystemClock()):
        pass
    (place / "history.db").chmod(0o666)
    place.chmod(0o555)
    found = looked(place)
    assert Name.JOURNAL in bad(found)
    assert "(chown)" in found[Name.JOURNAL].remedy
    assert found[Name.JOURNAL_WRITABLE].text == "not asked, because the journal cannot be read"


def test_nor_can_one_that_only_works_as_long_as_another_has_it_open(place: Path) -> None:
    with SqliteJournal.open(place / "history.db", SystemClock()):
        for one in place.iterdir():
            one.chmod(0o666)
        place.chmod(0o555)
        found = looked(place)
    assert found[Name.JOURNAL].verdict is Verdict.OK
    assert f"{place / 'history.db'} cannot be written" in found[Name.JOURNAL_WRITABLE].text


def test_a_read_only_file_system_is_called_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.chmod(0o555)
    real = os.statvfs

    class ReadOnly:
        def __init__(self, path: Path) -> None:
            self._found = real(path)
            self.f_flag = os.ST_RDONLY

        def __getattr__(self, name: str) -> int:
            value: int = getattr(self._found, name)
            return value

    monkeypatch.setattr(os, "statvfs", ReadOnly)
    assert "its file system is read-only" in looked(place)[Name.STATE].text


def test_a_disk_that_does_not_answer_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    place.chmod(0o777)
    monkeypatch.setattr(os, "statvfs", broken)
    found = looked(place)
    assert bad(found) == [Name.DISK]
    assert "dmesg" in found[Name.DISK].remedy


def test_a_small_disk_is_told_in_mebibytes_and_a_large_one_in_gibibytes(place: Path) -> None:
    text = looked(place)[Name.DISK].text
    free = os.statvfs(place)
    size = free.f_bavail * free.f_frsize
    assert ("GiB" in text) is (size >= 10 * 2**30)


def test_a_link_to_a_place_that_can_be_written_is_followed(place: Path) -> None:
    place.chmod(0o777)
    (place / "elsewhere").mkdir(mode=0o777)
    (place / "elsewhere").chmod(0o777)
    (place / "audit.jsonl").symlink_to(place / "elsewhere" / "audit.jsonl")
    assert bad(looked(place)) == []


def test_without_the_table_of_files_none_is_looked_for() -> None:
    nothing = KnownSettings(None, None, None, None, None, None, None, None)
    found = [*file_checks(nothing, SystemClock()), flag_check(nothing)]
    assert {one.verdict for one in found} == {Verdict.UNKNOWN}
    assert all("because config.toml cannot be read" in one.text for one in found)


def test_files_of_nobody_in_particular_are_named_by_number(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    (place / "state.json").touch()
    os.chown(place / "state.json", 4711, 4711)
    [owner] = [one for one in configuration_checks(known(place)) if one.name is Name.OWNER]
    assert owner.verdict is Verdict.WARN
    assert "belongs to user 4711" in owner.text


def test_a_lock_is_free_where_no_cycle_ever_ran(place: Path) -> None:
    place.chmod(0o777)
    assert looked(place)[Name.LOCK].text == "it is free; no cycle has run here yet"
    assert not SiteLock(place / "history.db").path.exists()

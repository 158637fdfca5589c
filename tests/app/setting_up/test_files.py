"""Both files or none, with their rights from the start, and the former ones kept."""

import os
import signal
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from door_sync.app.setting_up.files import NewFile, backup_path, lost, write_together
from door_sync.files import OpsFileError

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def both(directory: Path) -> list[NewFile]:
    return [
        NewFile(directory / ".env", "KEY=secret\n", 0o600),
        NewFile(directory / "config.toml", "a = 1\n", 0o640),
    ]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_both_are_written_with_their_modes_whatever_the_umask(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        assert write_together(both(tmp_path / "new"), NOW) == []
    finally:
        os.umask(former)
    assert mode(tmp_path / "new/.env") == 0o600
    assert mode(tmp_path / "new/config.toml") == 0o640
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [".env", "config.toml"]


def test_a_file_that_others_could_read_becomes_private_and_so_does_its_backup(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env").write_text("KEY=old\n")
    (tmp_path / ".env").chmod(0o644)
    [kept] = write_together(both(tmp_path), NOW)
    assert kept.name == ".env.bak-2026-11-22"
    assert kept.read_text() == "KEY=old\n"
    assert mode(kept) == mode(tmp_path / ".env") == 0o600


def test_a_backup_never_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for number in range(3):
        path.write_text(f"a = {number}\n")
        write_together(both(tmp_path)[1:], NOW)
    names = sorted(one.name for one in tmp_path.iterdir())
    day = "config.toml.bak-2026-11-22"
    assert names == ["config.toml", day, f"{day}-2", f"{day}-3"]
    assert backup_path(path, NOW).name == f"{day}-4"


def test_if_one_cannot_be_written_neither_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEY=old\n")
    (tmp_path / "file").write_text("")
    wanted = [both(tmp_path)[0], NewFile(tmp_path / "file" / "config.toml", "a = 1\n", 0o640)]
    with pytest.raises(OpsFileError, match=r"config\.toml"):
        write_together(wanted, NOW)
    assert (tmp_path / ".env").read_text() == "KEY=old\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == [".env", "file"]


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OpsFileError, match="the disk is full"):
        write_together(both(tmp_path), NOW)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_signal_comes_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """SIGTERM ends the program afterwards; for Ctrl-C there is nothing left to stop."""
    real, heard = os.fsync, list[int]()

    def interrupted(descriptor: int) -> None:
        os.kill(os.getpid(), number)
        real(descriptor)

    def ends(number: int, _: object) -> None:
        assert (tmp_path / "config.toml").exists()
        heard.append(number)

    monkeypatch.setattr(os, "fsync", interrupted)
    former = signal.signal(number, ends)
    try:
        write_together(both(tmp_path), NOW)
    finally:
        signal.signal(number, former)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "config.toml"]
    assert heard == [signal.SIGTERM] * (number == signal.SIGTERM)


def test_as_root_the_files_go_to_whom_the_directory_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    write_together(both(tmp_path), NOW)
    owner = tmp_path.stat()
    assert given == [(owner.st_uid, owner.st_gid)] * 2


def test_another_user_gives_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a file was given away")

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "fchown", refused)
    write_together(both(tmp_path), NOW)


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("a = 0\n")
    (tmp_path / "config.toml").symlink_to(tmp_path / "real.toml")
    write_together(both(tmp_path)[1:], NOW)
    assert (tmp_path / "config.toml").is_symlink()
    assert (tmp_path / "real.toml").read_text() == "a = 1\n"


def test_what_would_be_lost_is_told_key_by_key() -> None:
    old = 'cadence_seconds = 60\n[safety]\nscope = "cycle"\n[tier_mapping.rules.Gold]\nrank = 1\n'
    new = "cadence_seconds = 60\n[tier_mapping.rules.Gold]\nrank = 2\n[unifi]\nfacility_code = 1\n"
    assert lost(old, new) == [
        "safety.scope = 'cycle' would go",
        "tier_mapping.rules.Gold.rank = 1 would become 2",
    ]


def test_the_value_of_what_is_no_setting_is_not_told() -> None:
    """Somebody may have put a key there."""
    assert lost('[civicrm]\napi_key = "SECRET"\n', "") == ["civicrm.api_key would go"]


def test_a_former_file_that_is_no_toml_is_lost_as_a_whole() -> None:
    assert lost("[", "a = 1") == ["what is there now is not valid TOML; all of it would go"]


def test_a_new_file_shows_nothing_of_its_text() -> None:
    assert "SECRET" not in repr(NewFile(Path(".env"), "SECRET", 0o600))

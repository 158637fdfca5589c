"""Files that other programs read: replaced whole, or appended by the line (§7)."""

import errno
import os
import resource
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from door_sync.files import (
    OpsFileError,
    explain,
    make_directory,
    open_for_lines,
    ops_file_errors,
    replace_file,
)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow above `size` bytes: a short write, then a refusal."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def append_line(path: Path, line: str, *, mode: int) -> None:
    with open_for_lines(path, mode=mode) as file:
        file.append(line)


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    replace_file(path, "one", mode=0o644)
    replace_file(path, "two", mode=0o644)
    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_gets_the_mode_and_an_existing_one_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    replace_file(path, "one", mode=0o644)
    assert mode_of(path) == 0o644
    path.chmod(0o600)
    replace_file(path, "two", mode=0o644)
    assert mode_of(path) == 0o600


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "data" / "state.json"
    link = tmp_path / "state.json"
    link.symlink_to(target)
    replace_file(link, "one", mode=0o644)
    assert link.is_symlink()
    assert target.read_text() == "one"


def test_a_reader_finds_the_old_content_or_the_new_never_half(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    contents = {letter * 50_000 for letter in "ab"}
    replace_file(path, "a" * 50_000, mode=0o644)

    def write() -> None:
        for letter in "ba" * 20:
            replace_file(path, letter * 50_000, mode=0o644)

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while writer.is_alive():
        seen.add(path.read_text())
    writer.join()
    assert seen <= contents


def test_what_could_not_be_written_whole_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    replace_file(path, "old", mode=0o644)
    with pytest.raises(OpsFileError, match="may not grow") as caught, largest_file(100):
        replace_file(path, "new" * 100, mode=0o644)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    assert caught.value.remedy


def test_lone_surrogates_are_written_escaped(tmp_path: Path) -> None:
    path = tmp_path / "alert.flag"
    replace_file(path, "code \ud800", mode=0o644)
    assert path.read_text() == "code \\ud800"


def test_a_file_that_is_moved_away_between_two_lines_is_made_again(tmp_path: Path) -> None:
    """logrotate without `copytruncate`."""
    path = tmp_path / "audit.jsonl"
    append_line(path, "one", mode=0o640)
    path.rename(tmp_path / "audit.jsonl.1")
    append_line(path, "two", mode=0o640)
    assert path.read_text() == "two\n"
    assert mode_of(path) == 0o640


def test_a_file_that_is_truncated_between_two_lines_starts_at_its_beginning(
    tmp_path: Path,
) -> None:
    """logrotate with `copytruncate`: no hole of zero bytes."""
    path = tmp_path / "audit.jsonl"
    append_line(path, "one", mode=0o640)
    os.truncate(path, 0)
    append_line(path, "two", mode=0o640)
    assert path.read_bytes() == b"two\n"


def test_a_half_line_left_by_a_power_cut_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"ts": "2025-03-10T08')
    append_line(path, "two", mode=0o640)
    append_line(path, "three", mode=0o640)
    assert path.read_text().splitlines() == ['{"ts": "2025-03-10T08', "two", "three"]


def test_a_line_that_fits_only_in_part_is_an_error_and_is_taken_back(
    tmp_path: Path,
) -> None:
    path = tmp_path / "audit.jsonl"
    append_line(path, "one", mode=0o640)
    with pytest.raises(OpsFileError, match="the disk is full"), largest_file(20):
        append_line(path, "x" * 100, mode=0o640)
    append_line(path, "three", mode=0o640)
    assert path.read_text().splitlines() == ["one", "three"]


def test_lines_of_many_threads_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"

    def write(letter: str) -> None:
        for _ in range(20):
            append_line(path, letter * 3000, mode=0o640)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_text().splitlines()) == sorted(
        letter * 3000 for letter in "abc" for _ in range(20)
    )


def test_a_full_disk_is_said_in_plain_words() -> None:
    with pytest.raises(OpsFileError) as caught:
        append_line(Path("/dev/full"), "line", mode=0o640)
    assert caught.value.message == "cannot append to /dev/full: the disk is full"
    assert caught.value.remedy == "Free some space on that disk."
    assert caught.value.path == Path("/dev/full")


def test_a_device_or_a_pipe_takes_lines_too(tmp_path: Path) -> None:
    """Containers send the audit lines to /dev/stdout, which cannot be put on disk."""
    reading, writing = os.pipe()
    try:
        append_line(Path(f"/proc/self/fd/{writing}"), "line", mode=0o640)
        assert os.read(reading, 100) == b"line\n"
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("below", ["file/x.json", "file/deeper/x.json"])
def test_a_file_in_the_place_of_a_directory(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("here first")
    for write in (replace_file, append_line):
        with pytest.raises(OpsFileError, match="a part of its path is a file"):
            write(tmp_path / below, "text", mode=0o640)
    assert (tmp_path / "file").read_text() == "here first"


def test_directories_are_made_for_the_owner_and_his_group(tmp_path: Path) -> None:
    make_directory(tmp_path / "log")
    make_directory(tmp_path / "log")
    assert mode_of(tmp_path / "log") == 0o750


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EISDIR])
def test_well_known_refusals_have_words_and_a_remedy_of_their_own(number: int) -> None:
    what, remedy = explain(OSError(number, os.strerror(number)))
    assert what != os.strerror(number)
    assert remedy.endswith(".")


def test_other_refusals_are_told_in_the_systems_words() -> None:
    assert explain(OSError(errno.EIO, "x"))[0] == "Input/output error"
    assert explain(OSError())[0] == "OSError"


def test_other_errors_pass_through(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), ops_file_errors(tmp_path, "write"):
        _ = 1 // 0


def test_a_file_that_is_moved_away_while_it_is_waited_for_is_made_again(tmp_path: Path) -> None:
    """logrotate comes between opening the file and having its lock."""
    path = tmp_path / "audit.jsonl"
    waits = threading.Event()

    def write() -> None:
        waits.set()
        append_line(path, "two", mode=0o640)

    with open_for_lines(path, mode=0o640) as file:
        file.append("one")
        thread = threading.Thread(target=write)
        thread.start()
        assert waits.wait(30)
        path.rename(tmp_path / "audit.jsonl.1")
    thread.join(30)
    assert path.read_text() == "two\n"
    assert (tmp_path / "audit.jsonl.1").read_text() == "one\n"


def test_the_end_of_a_file_is_its_last_whole_line_and_what_stands_behind_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "audit.jsonl"
    for content, expected in (
        ("", (None, b"")),
        ("half", (None, b"half")),
        ("one\n", (b"one", b"")),
        ("\n", (b"", b"")),
        ("one\ntwo\nhalf", (b"two", b"half")),
        ("one\n" + "x" * 50_000 + "\n", (b"x" * 50_000, b"")),
    ):
        path.write_text(content)
        with open_for_lines(path, mode=0o640) as file:
            assert file.end(1 << 20) == expected
            assert b"".join(file.tail(1 << 20)) == content.encode()


def test_a_device_has_no_end_to_look_at() -> None:
    with open_for_lines(Path("/dev/null"), mode=0o640) as file:
        assert file.end(1 << 20) == (b"", b"")
        assert list(file.tail(1 << 20)) == []

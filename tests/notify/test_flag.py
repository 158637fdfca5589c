"""The flag file: there while something needs a person (§7)."""

import stat
from pathlib import Path

import pytest

from door_sync.core.causes import Cause, Identity
from door_sync.files import OpsFileError
from door_sync.notify.flag import check_flag, flag_text, lower_flag, raise_flag, read_flag

HELD = Cause(
    Identity.HELD,
    happened="12 of 40 people would lose access in one cycle; 15 % are allowed.",
    doors="Nothing was written; everybody keeps the access they have.",
    settles="If that is right, raise safety.mass_deactivate_pct for one cycle.",
)
BLOCKED = Cause(
    Identity.BLOCKED,
    happened="The card of contact 42 is held by contact 311, who is active.",
    doors="Contact 42 has no working card.",
    settles="Ask contact 311 to return it, or clear it in CiviCRM.",
)


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    return tmp_path / "run" / "alert.flag"


def test_a_flag_says_what_happened_what_it_means_for_the_doors_and_what_settles_it(
    flag: Path,
) -> None:
    raise_flag(flag, flag_text([HELD]))
    assert flag.read_text() == (
        "door-sync needs a person.\n"
        "\n"
        "What happened: 12 of 40 people would lose access in one cycle; 15 % are allowed.\n"
        "What it means for the doors: Nothing was written; everybody keeps the access they have.\n"
        "What settles it: If that is right, raise safety.mass_deactivate_pct for one cycle.\n"
    )


def test_several_causes_stand_one_below_the_other() -> None:
    text = flag_text([HELD, BLOCKED])
    assert text.index(HELD.settles) < text.index("\n\nWhat happened: The card of contact 42")


def test_a_flag_without_a_cause_is_refused() -> None:
    with pytest.raises(ValueError, match="without a cause"):
        flag_text([])


def test_a_raised_flag_is_replaced_and_monitoring_may_read_it(flag: Path) -> None:
    raise_flag(flag, flag_text([HELD]))
    raise_flag(flag, flag_text([BLOCKED]))
    assert "contact 311" in flag.read_text()
    assert "12 of 40" not in flag.read_text()
    assert stat.S_IMODE(flag.stat().st_mode) == 0o644
    assert list(flag.parent.iterdir()) == [flag]


def test_a_lowered_flag_is_gone_and_lowering_again_is_nothing(flag: Path) -> None:
    raise_flag(flag, flag_text([HELD]))
    assert lower_flag(flag) is True
    assert not flag.exists()
    assert lower_flag(flag) is False


def test_lowering_where_no_directory_is_makes_none(flag: Path) -> None:
    assert lower_flag(flag) is False
    assert not flag.parent.exists()


def test_a_directory_in_its_place_is_an_error_that_says_so(flag: Path) -> None:
    (flag / "something").mkdir(parents=True)
    with pytest.raises(OpsFileError, match="it is a directory") as raised:
        raise_flag(flag, flag_text([HELD]))
    with pytest.raises(OpsFileError, match=r"cannot remove .*: it is a directory"):
        lower_flag(flag)
    assert raised.value.remedy
    assert [one.name for one in flag.iterdir()] == ["something"]


def test_two_causes_of_one_identity_are_one_paragraph_that_repeats_nothing() -> None:
    other = Cause(Identity.HELD, "Another guard.", HELD.doors, "Another setting.")
    text = flag_text([HELD, other])
    assert text.count("What happened:") == 1
    assert text.count(HELD.doors) == 1
    assert f"{HELD.settles} Another setting." in text


def test_the_flag_can_be_read_back_and_is_empty_where_there_is_none(flag: Path) -> None:
    assert read_flag(flag) == ""
    raise_flag(flag, flag_text([HELD]))
    assert read_flag(flag) == flag_text([HELD])


def test_looking_whether_it_could_be_written_leaves_a_standing_flag_alone(flag: Path) -> None:
    check_flag(flag)
    assert list(flag.parent.iterdir()) == []
    raise_flag(flag, flag_text([HELD]))
    before = flag.stat()
    check_flag(flag)
    assert list(flag.parent.iterdir()) == [flag]
    assert (flag.stat().st_ino, flag.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_looking_finds_what_would_keep_it_from_being_written(flag: Path) -> None:
    flag.mkdir(parents=True)
    with pytest.raises(OpsFileError, match="it is a directory"):
        check_flag(flag)
    assert list(flag.iterdir()) == []
    with pytest.raises(OpsFileError, match="a part of its path is a file"):
        check_flag(Path(__file__) / "alert.flag")

"""Calling for a person while the journal cannot be used, by long and by short-lived processes."""

from pathlib import Path

import pytest

from door_sync.app.remembering import AlertMemory
from door_sync.core.causes import Cause, Identity
from door_sync.journal.alerts import AlertBook
from door_sync.ports import JournalError
from tests.app.calling import (
    DISTRUST,
    HELD,
    HELD_TITLE,
    NO_JOURNAL,
    TOLD_SO_FAR,
    Desk,
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# A journal that cannot be used.


def test_cycles_that_a_timer_starts_tell_once_of_a_journal_that_cannot_be_used(desk: Desk) -> None:
    desk.spoil_the_journal()
    for _ in range(3):
        desk.cycle(NO_JOURNAL, seen=frozenset())
        flag = desk.flag.read_text()
        assert NO_JOURNAL.happened in flag
        assert TOLD_SO_FAR in flag
    assert desk.box.subjects == ["No cycle runs, because its record cannot be kept"]
    desk.repair_the_journal()
    desk.cycle()
    desk.cycle()
    assert desk.box.subjects[1:] == ["Resolved: no cycle runs, because its record cannot be kept"]
    assert not desk.flag.exists()
    assert desk.told() == [("journal unusable", "resolved")]


def test_a_process_that_goes_on_tells_once_though_neither_journal_nor_flag_can_be_written(
    desk: Desk,
) -> None:
    desk.memory = AlertMemory()
    desk.cycle()
    desk.spoil_the_journal()
    desk.spoil_the_flag()
    for _ in range(3):
        desk.cycle(NO_JOURNAL, seen=frozenset())
    assert len(desk.box.subjects) == 2
    desk.repair_the_journal()
    (desk.flag / "something").rmdir()
    desk.flag.rmdir()
    desk.cycle()
    desk.cycle()
    assert len(desk.box.subjects) == 4
    assert all(subject.startswith("Resolved: ") for subject in desk.box.subjects[2:])
    assert [kind for _, kind in desk.told()] == ["begin", "begin", "resolved", "resolved"]


def test_what_stood_before_the_journal_broke_is_not_told_again(desk: Desk) -> None:
    desk.cycle(HELD)
    desk.spoil_the_journal()
    desk.cycle(NO_JOURNAL, seen=frozenset())
    desk.repair_the_journal()
    desk.cycle(HELD)
    assert [subject.split(":")[0] for subject in desk.box.subjects] == [
        "Changes wait for a person's word",
        "No cycle runs, because its record cannot be kept",
        "Resolved",
    ]
    assert NO_JOURNAL.happened not in desk.flag.read_text()
    assert HELD.happened in desk.flag.read_text()


def test_what_ended_while_the_journal_was_broken_stays_ended_in_a_process_that_goes_on(
    desk: Desk,
) -> None:
    desk.memory = AlertMemory()
    files = Cause(Identity.FILES, "The audit file.", "Nothing.", "Mend it.")
    desk.cycle(files)
    desk.spoil_the_journal()
    desk.cycle(NO_JOURNAL, seen=frozenset())
    desk.repair_the_journal()
    desk.cycle()
    desk.cycle()
    assert len(desk.box.subjects) == 4
    assert len(set(desk.box.subjects)) == 4


def test_the_old_end_of_a_flag_that_cannot_be_replaced_resolves_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.spoil_the_journal()
    desk.cycle(NO_JOURNAL, seen=frozenset())
    old = desk.flag.read_text()
    desk.repair_the_journal()
    for _ in range(3):
        desk.cycle()
        desk.flag.write_text(old)
    assert len(desk.box.subjects) == 2


def test_a_flag_that_cannot_be_read_either_is_no_end_of_the_cycle(desk: Desk) -> None:
    desk.spoil_the_journal()
    desk.spoil_the_flag()
    assert desk.cycle(NO_JOURNAL, seen=frozenset()).trouble
    assert len(desk.box.subjects) == 2


def test_an_end_that_nobody_could_be_told_of_is_kept_at_the_end_of_the_flag(desk: Desk) -> None:
    desk.cycle(HELD)
    desk.cycle(Cause(Identity.FILES, "The audit file.", "Nothing.", "Mend it."), HELD)
    desk.spoil_the_journal()
    desk.memory = None
    desk.box.is_broken = True
    desk.cycle(NO_JOURNAL, seen=frozenset())
    desk.box.is_broken = False
    desk.cycle(NO_JOURNAL, seen=frozenset())
    assert desk.box.subjects[-2:] == [
        "No cycle runs, because its record cannot be kept",
        "Resolved: alerts could not be sent",
    ]


# A journal that cannot be used, time and again, and processes that remember nothing.


def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the journal be read but not be written to."""

    def no_room(_book: AlertBook, *_: object) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr(AlertBook, "keep", no_room)


def test_an_end_that_a_full_disk_could_not_keep_is_told_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.cycle(HELD)
    with monkeypatch.context() as patched:
        full(patched)
        for _ in range(3):
            desk.cycle()
            assert "door-sync needs a person" not in desk.flag.read_text()
    desk.cycle()
    assert [subject.split(":")[0] for subject in desk.box.subjects[1:]] == ["Resolved"]
    assert not desk.flag.exists()
    assert desk.told() == [("held", "begin"), ("held", "resolved")]


def test_what_begins_anew_on_a_full_disk_after_its_end_is_told_anew_and_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.cycle(HELD)
    with monkeypatch.context() as patched:
        full(patched)
        desk.cycle()
        desk.cycle(HELD)
        desk.cycle(HELD)
    desk.cycle(HELD)
    desk.cycle()
    kinds = [subject.split(":")[0] for subject in desk.box.subjects]
    assert kinds == [HELD_TITLE, "Resolved", HELD_TITLE, "Resolved"]
    assert not desk.flag.exists()


@pytest.mark.parametrize("is_broken", [True, False])
def test_a_journal_that_breaks_again_before_its_repair_could_be_told_begins_once(
    desk: Desk, is_broken: bool
) -> None:
    """`is_broken`: the channel still is when the journal breaks for the second time."""
    desk.spoil_the_journal()
    desk.cycle(NO_JOURNAL, seen=frozenset())
    desk.repair_the_journal()
    desk.box.is_broken = True
    desk.cycle()
    desk.cycle()
    desk.spoil_the_journal()
    desk.box.is_broken = is_broken
    desk.cycle(NO_JOURNAL, seen=frozenset())
    desk.repair_the_journal()
    desk.box.is_broken = False
    desk.cycle()
    about = [subject for subject in desk.box.subjects if "record cannot be kept" in subject]
    assert [subject.split(":")[0] for subject in about] == [
        "No cycle runs, because its record cannot be kept",
        "Resolved",
    ]
    assert not desk.flag.exists()


def test_a_flag_without_its_end_does_not_make_the_journal_forget_what_it_told(desk: Desk) -> None:
    """Somebody removed the flag in the meantime, and the second outage could not be told."""
    desk.spoil_the_journal()
    desk.cycle(NO_JOURNAL, seen=frozenset())
    desk.repair_the_journal()
    desk.box.is_broken = True
    desk.cycle()
    desk.flag.unlink()
    desk.spoil_the_journal()
    desk.cycle(NO_JOURNAL, seen=frozenset())
    desk.repair_the_journal()
    desk.box.is_broken = False
    desk.cycle()
    assert desk.box.subjects[1:] == [
        "Resolved: no cycle runs, because its record cannot be kept",
        "Resolved: alerts could not be sent",
    ]


# A service, and a cycle that somebody runs by hand while the service rests.


def _run_by_hand(desk: Desk, *causes: Cause) -> None:
    service, desk.memory = desk.memory, None
    desk.cycle(*causes)
    desk.memory = service


def test_what_another_process_told_the_end_of_is_not_ended_again(desk: Desk) -> None:
    """The service could not keep what it knows; a cycle by hand could, and told more."""
    desk.memory = AlertMemory()
    desk.cycle(HELD)
    desk.spoil_the_journal()
    desk.cycle(HELD, seen=frozenset())
    desk.repair_the_journal()
    _run_by_hand(desk)
    desk.cycle()
    desk.cycle()
    assert desk.box.subjects == [
        "Changes wait for a person's word",
        "Resolved: changes wait for a person's word",
    ]


def test_what_another_process_told_the_beginning_of_does_not_begin_again(desk: Desk) -> None:
    desk.memory = AlertMemory()
    desk.cycle(DISTRUST)
    desk.spoil_the_journal()
    desk.cycle(DISTRUST, seen=frozenset())
    desk.repair_the_journal()
    _run_by_hand(desk, DISTRUST, HELD)
    desk.cycle(DISTRUST, HELD)
    desk.cycle()
    assert desk.box.subjects == [
        "CiviCRM cannot be read or believed",
        "Changes wait for a person's word",
        "Resolved: CiviCRM cannot be read or believed",
        "Resolved: changes wait for a person's word",
    ]

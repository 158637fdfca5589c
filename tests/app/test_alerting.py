"""Calling for a person after a cycle: channel, journal, flag, and each of them broken (P14)."""

from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from door_sync.app.alerting import Called, Found, Ways, call_for_a_person
from door_sync.app.remembering import AlertFiles
from door_sync.core.causes import Cause, Identity
from door_sync.core.people import ContactId
from door_sync.journal.alerts import REPEATS, AlertBook
from door_sync.journal.sqlite import SqliteJournal
from door_sync.notify.alerts import Policy, Sight
from door_sync.ports import StepRecord
from tests.app.calling import (
    DISTRUST,
    EVERYTHING,
    HELD,
    TOLD_SO_FAR,
    Box,
    Desk,
    HandClock,
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_it_is_told_once_by_the_channel_and_stands_on_the_flag_until_it_is_over(desk: Desk) -> None:
    for _ in range(4):
        assert desk.cycle(HELD) == Called()
        assert HELD.happened in desk.flag.read_text()
    desk.cycle()
    desk.cycle()
    assert desk.box.subjects == [
        "Changes wait for a person's word",
        "Resolved: changes wait for a person's word",
    ]
    assert not desk.flag.exists()
    assert desk.told() == [("held", "begin"), ("held", "resolved")]


def test_a_cycle_without_a_cause_asks_nobody_and_keeps_nothing(desk: Desk) -> None:
    desk.cycle()
    assert desk.box.tries == 0
    assert desk.told() == []
    assert not desk.flag.exists()


def test_what_may_pass_is_on_the_flag_at_once_but_not_told(desk: Desk) -> None:
    silence = Cause(Identity.SOURCE, "No answer.", "All stay.", "Wait.", may_pass=True)
    desk.cycle(silence, seen=frozenset())
    assert "No answer." in desk.flag.read_text()
    assert desk.box.subjects == []
    desk.cycle(silence, seen=frozenset())
    assert len(desk.box.subjects) == 1


def test_what_a_cycle_could_not_see_stays_on_the_flag(desk: Desk) -> None:
    desk.cycle(HELD)
    desk.cycle(DISTRUST, seen=frozenset({Sight.JOURNAL}))
    flag = desk.flag.read_text()
    assert DISTRUST.happened in flag
    assert HELD.happened in flag
    desk.cycle(HELD)
    assert DISTRUST.happened not in desk.flag.read_text()
    assert [subject.split(":")[0] for subject in desk.box.subjects] == [
        "Changes wait for a person's word",
        "CiviCRM cannot be read or believed",
        "Resolved",
    ]


def test_reminders_come_as_the_policy_says(desk: Desk) -> None:
    desk.policy = Policy(reminder=timedelta(minutes=20))
    for _ in range(5):
        desk.cycle(HELD)
    assert [subject.split(":")[0] for subject in desk.box.subjects[1:]] == ["Reminder"] * 2


# Channels that break.


def test_a_broken_channel_is_on_the_flag_in_the_report_and_by_its_code_in_the_log(
    desk: Desk,
) -> None:
    desk.box.is_broken = True
    with structlog.testing.capture_logs() as logs:
        called = desk.cycle(HELD)
    assert called == Called(unsent="The box is shut. Open it.")
    flag = desk.flag.read_text()
    assert HELD.happened in flag
    assert "An alert could not be sent: The box is shut." in flag
    assert "`door-sync notify-test`" in flag
    [line] = logs
    assert (line["by"], line["code"]) == ("smtp", "553")
    assert "box" not in str(line)
    assert desk.told() == []


def test_what_was_not_taken_is_sent_later_and_then_the_channel_is_well_again(desk: Desk) -> None:
    desk.box.is_broken = True
    desk.cycle(HELD)
    desk.cycle(HELD)
    desk.box.is_broken = False
    assert desk.cycle(HELD) == Called()
    assert desk.box.subjects == [
        "Changes wait for a person's word",
        "Resolved: alerts could not be sent",
    ]
    assert "could not be sent" not in desk.flag.read_text()
    desk.cycle(HELD)
    assert len(desk.box.subjects) == 2


def test_one_failure_ends_the_sending_of_that_cycle(desk: Desk) -> None:
    desk.box.is_broken = True
    desk.cycle(HELD, DISTRUST)
    assert desk.box.tries == 1
    desk.box.is_broken = False
    desk.cycle(HELD, DISTRUST)
    assert len(desk.box.subjects) == 3


def test_a_channel_stays_broken_on_the_flag_after_its_cause_has_passed_untold(desk: Desk) -> None:
    desk.box.is_broken = True
    desk.cycle(HELD)
    called = desk.cycle()
    assert called.unsent
    flag = desk.flag.read_text()
    assert HELD.happened not in flag
    assert "An alert could not be sent" in flag
    desk.box.is_broken = False
    desk.cycle()
    assert desk.box.subjects == ["Resolved: alerts could not be sent"]
    assert not desk.flag.exists()


def test_a_fault_inside_a_channel_is_no_fault_of_the_cycle(desk: Desk) -> None:
    class Faulty(Box):
        def send(self, subject: str, text: str) -> None:
            raise ZeroDivisionError("with an address in it")

    desk.box = Faulty()
    called = desk.cycle(HELD)
    assert "ZeroDivisionError" in called.unsent
    assert "address" not in called.unsent + desk.flag.read_text()


def test_with_the_flag_alone_what_it_shows_counts_as_told(desk: Desk) -> None:
    desk.has_channel = False
    desk.cycle(HELD)
    desk.cycle(HELD)
    desk.cycle()
    assert desk.told() == [("held", "begin"), ("held", "resolved")]


# A flag that cannot be written.


def test_a_flag_that_cannot_be_written_is_told_by_the_channel(desk: Desk) -> None:
    desk.spoil_the_flag()
    called = desk.cycle(HELD)
    assert "it is a directory" in called.trouble
    assert desk.box.subjects == [
        "Changes wait for a person's word",
        "A file that tells about cycles cannot be written",
    ]
    assert str(desk.flag) in desk.box.texts[1]


def test_a_flag_that_cannot_be_written_tells_nothing_where_it_is_alone(desk: Desk) -> None:
    desk.has_channel = False
    desk.spoil_the_flag()
    desk.cycle(HELD)
    assert desk.told() == []


# What something undoes.


def write_alike(desk: Desk, contact: int) -> None:
    with SqliteJournal.open(desk.journal, desk.clock) as journal:
        for _ in range(REPEATS):
            desk.clock.moment += timedelta(minutes=10)
            record = journal.begin(desk.clock.now())
            step = StepRecord(ContactId(contact), "set-policies", "policy", "why", "ab" * 16)
            record.outcome(record.intend(step), "done")
            record.end("applied", "", {})


def test_what_is_written_in_cycle_after_cycle_is_a_cause(desk: Desk) -> None:
    write_alike(desk, 7)
    desk.cycle()
    assert desk.box.subjects == ["Something undoes what door-sync writes"]
    assert "(policy) for contact 7" in desk.flag.read_text()


def test_it_is_none_for_somebody_whose_change_failed_or_in_a_cycle_that_wrote_nothing(
    desk: Desk,
) -> None:
    write_alike(desk, 7)
    desk.cycle(failed=frozenset({ContactId(7)}))
    desk.cycle(seen=EVERYTHING - {Sight.WRITES})
    assert desk.box.subjects == []


# A journal that breaks while it is used.


def test_a_journal_that_breaks_between_two_messages_lets_the_rest_be_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaking(Box):
        def send(self, subject: str, text: str) -> None:
            super().send(subject, text)
            desk.journal.chmod(0o600)
            with AlertBook.open(desk.journal) as book, book._store.writing() as connection:
                connection.execute("DROP TABLE IF EXISTS alerts")

    desk.box = Breaking()
    desk.cycle(HELD, DISTRUST)
    assert len(desk.box.subjects) == 2
    assert TOLD_SO_FAR in desk.flag.read_text()
    desk.cycle(HELD, DISTRUST)
    assert len(desk.box.subjects) == 2


def test_a_journal_that_cannot_be_asked_what_was_undone_leaves_that_out(desk: Desk) -> None:
    write_alike(desk, 7)
    with AlertBook.open(desk.journal) as book, book._store.writing() as connection:
        connection.execute("ALTER TABLE steps RENAME COLUMN change TO changed")
    desk.cycle()
    assert desk.box.subjects == []


def test_a_site_whose_journal_is_in_memory_has_no_end_of_the_flag(tmp_path: Path) -> None:
    flag = tmp_path / "alert.flag"
    call_for_a_person(Found((HELD,)), AlertFiles(flag), Ways(), HandClock())
    assert HELD.happened in flag.read_text()
    assert TOLD_SO_FAR not in flag.read_text()

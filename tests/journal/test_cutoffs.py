"""Who is cut off stands in the journal until a person lifts it, and so does the first word (§6)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from door_sync.core.people import ContactId
from door_sync.journal.cutoffs import LONGEST_REASON, CutOff, CutOffs, Reason
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import Clock, JournalError
from tests.journal.conftest import START, HandClock

ANN, BOB = ContactId(42), ContactId(7)


@pytest.fixture
def cut_offs(journal: SqliteJournal) -> CutOffs:
    return journal.cut_offs()


def test_whoever_is_cut_off_stands_on_the_list_with_who_asked_and_why(cut_offs: CutOffs) -> None:
    assert cut_offs.cut(ANN, "kim", Reason.of("lost the card"))
    assert cut_offs.cut(BOB, "lee (by sudo)", Reason.of(""))
    assert cut_offs.standing() == [
        CutOff(BOB, START, "lee (by sudo)", ""),
        CutOff(ANN, START, "kim", "lost the card"),
    ]


def test_a_second_cut_off_leaves_the_first_as_it_is(
    cut_offs: CutOffs, advance: Callable[[timedelta], datetime]
) -> None:
    cut_offs.cut(ANN, "kim", Reason.of("first"))
    advance(timedelta(days=1))
    assert not cut_offs.cut(ANN, "lee", Reason.of("second"))
    assert cut_offs.of(ANN) == [CutOff(ANN, START, "kim", "first")]


def test_lifting_says_what_is_lifted_and_lets_somebody_be_cut_off_again(
    cut_offs: CutOffs, journal: SqliteJournal, advance: Callable[[timedelta], datetime]
) -> None:
    cut_offs.cut(ANN, "kim", Reason.of("first"))
    later = advance(timedelta(hours=1))
    lifted = CutOff(ANN, START, "kim", "first", later, "lee")
    assert cut_offs.lift(ANN, "lee") == lifted
    assert cut_offs.standing() == []
    assert journal.memory(later).cut_off == frozenset()
    assert cut_offs.cut(ANN, "max", Reason.of("again"))
    assert cut_offs.of(ANN) == [CutOff(ANN, later, "max", "again"), lifted]
    assert journal.memory(later).cut_off == {ANN}


def test_lifting_what_does_not_stand_changes_nothing(cut_offs: CutOffs) -> None:
    cut_offs.cut(BOB, "kim", Reason.of(""))
    assert cut_offs.lift(ANN, "kim") is None
    assert cut_offs.of(ANN) == []
    cut_offs.lift(BOB, "kim")
    assert cut_offs.lift(BOB, "lee") is None
    assert cut_offs.of(BOB)[0].lifted_by == "kim"


def test_a_running_cycle_sees_at_once_what_another_process_does(
    journal: SqliteJournal, path: Path, clock: HandClock
) -> None:
    record = journal.begin(clock.now())
    with SqliteJournal.open(path, clock) as other:
        other.cut_offs().cut(ANN, "kim", Reason.of(""))
        assert record.cut_off() == {ANN}
        other.cut_offs().lift(ANN, "kim")
    assert record.cut_off() == frozenset()


@pytest.mark.parametrize(
    "act", [lambda list_: list_.cut(ANN, "kim", Reason("")), lambda list_: list_.lift(ANN, "kim")]
)
def test_a_journal_that_was_moved_away_takes_no_cut_off(
    cut_offs: CutOffs, path: Path, act: Callable[[CutOffs], object]
) -> None:
    path.rename(path.with_name("elsewhere.db"))
    with pytest.raises(JournalError, match="moved or replaced"):
        act(cut_offs)


def test_a_journal_that_is_only_read_takes_none_either(
    journal: SqliteJournal, path: Path, clock: Clock
) -> None:
    journal.cut_offs().cut(ANN, "kim", Reason.of(""))
    with SqliteJournal.open_read_only(path, clock) as looked_into:
        assert [one.contact_id for one in looked_into.cut_offs().standing()] == [ANN]
        with pytest.raises(JournalError):
            looked_into.cut_offs().lift(ANN, "kim")


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("stole a drill", "stole a drill"),
        ("  two\n lines\tand\r\nmore ", "two lines and more"),
        ("ask board@example.org about it", "ask … about it"),
        ("mail <zaphod.b+x@example.org>!", "mail …"),
        ("her card 54321 is lost", "her card … is lost"),
        ("card4321,12", "card…,12"),
        ("the tail 432 may stay", "the tail 432 may stay"),
        ("since 2026-11-22", "since …-11-22"),
        ("\u0664\u0665\u0666\u0667 are digits too", "… are digits too"),
        ("a\x1b[31mred\x00 b\u200bc\u202e", "a[31mred bc"),
        ("54\u200b321", "…"),
        ("lone \udcff surrogate", "lone  surrogate"),
        ("", ""),
    ],
)
def test_what_is_personal_or_unprintable_does_not_get_into_the_journal(
    words: str, kept: str
) -> None:
    reason = Reason.of(words)
    assert reason.text == kept
    assert reason.is_cleared is ("…" in kept)
    assert reason.text.isprintable()
    assert not reason.is_shortened


def test_a_long_reason_is_cut_after_it_was_cleared() -> None:
    """Else the first digits of a number at the edge would stay, too few to be seen as one."""
    exact = Reason.of("x" * LONGEST_REASON)
    assert (exact.text, exact.is_shortened) == ("x" * LONGEST_REASON, False)
    long = Reason.of("x" * (LONGEST_REASON - 4) + " 54321 and more")
    assert long.is_shortened
    assert long.is_cleared
    assert len(long.text) <= LONGEST_REASON
    assert not any(letter.isdigit() for letter in long.text)
    assert long.text.endswith("…")

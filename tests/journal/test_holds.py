"""Held plans and what persons said to them, in the journal (§6, §7)."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from door_sync.core.approvals import Approval, Effect, Hold
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.core.tags import digest
from door_sync.journal.holds import (
    APPROVAL_AGE,
    APPROVED,
    EXPIRED,
    LEFT_OUT,
    REJECTED,
    USED_UP,
    WITHDRAWN,
    HoldBook,
)
from door_sync.journal.schema import MIGRATIONS
from door_sync.journal.sqlite import SqliteJournal
from door_sync.journal.store import Store
from door_sync.ports import Clock, JournalError
from tests.core.approving import doubt, grant, held, many, other_name, plan_of, revoke
from tests.journal.conftest import START

Advance = Callable[[timedelta], datetime]

A_MOMENT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
REVOKE, GRANT = ChangeClass.REVOKE, ChangeClass.GRANT
LEAVERS = held(plan_of(*map(revoke, range(1, 6))), many([REVOKE]))
DOUBT = held(plan_of(revoke(1)), doubt(7), many([REVOKE], guard="mass deactivation"))
JOINERS = held(plan_of(*map(grant, range(1, 4))), many([GRANT]))


@pytest.fixture
def book(journal: SqliteJournal) -> HoldBook:
    return journal.holds()


@pytest.fixture
def decide(journal: SqliteJournal, clock: Clock) -> Callable[..., str]:
    """Let a cycle end with this hold, or with none; return the cycle's name."""

    def cycle(hold: Hold | None = None, used_up: tuple[int, ...] = (), text: str = "many") -> str:
        record = journal.begin(clock.now())
        texts = {} if hold is None else {guard: f"{guard}: {text}" for guard in hold.guards}
        record.decided(hold, texts, used_up)
        record.end("halted", "", {})
        return record.cycle_id

    return cycle


def in_force(journal: SqliteJournal, clock: Clock) -> tuple[Approval, ...]:
    """The approvals as a cycle gets them; the book must tell the same."""
    found = tuple(journal.memory(clock.now()).approvals)
    listed = [(kept.hold.digest, word.number) for kept, word in journal.holds().in_force()]
    assert [(one.hold.digest, one.number) for one in found] == listed
    return found


def ending(book: HoldBook, hold: Hold) -> str | None:
    kept = book.find(hold.digest)
    assert kept is not None
    return kept.words[-1].ending


@pytest.mark.parametrize("hold", [LEAVERS, DOUBT, held(plan_of(), doubt(3))])
def test_a_hold_comes_back_as_it_was_kept(
    journal: SqliteJournal, path: Path, clock: Clock, decide: Callable[..., str], hold: Hold
) -> None:
    cycle_id = decide(hold)
    with SqliteJournal.open(path, clock) as later:
        [kept] = later.holds().waiting()
        assert kept == later.holds().find(hold.digest)
    assert kept.hold == hold
    assert (kept.cycle_id, kept.held_at, kept.closed_at) == (cycle_id, START, None)
    assert kept.texts == {guard: f"{guard}: many" for guard in hold.guards}
    assert kept.words == ()


def test_nothing_waits_and_nothing_is_found_in_a_new_journal(book: HoldBook) -> None:
    assert book.waiting() == []
    assert book.in_force() == []
    assert book.find(LEAVERS.digest) is None


def test_a_hold_that_lasts_keeps_the_cycle_that_held_it_first(
    book: HoldBook, decide: Callable[..., str], advance: Advance
) -> None:
    first = decide(LEAVERS)
    advance(HOUR)
    decide(LEAVERS, text="still many")
    [kept] = book.waiting()
    assert (kept.cycle_id, kept.held_at) == (first, START)
    assert list(kept.texts.values()) == ["mass revoke: still many"]


def test_another_hold_closes_the_former(
    book: HoldBook, decide: Callable[..., str], advance: Advance
) -> None:
    decide(LEAVERS)
    later = advance(HOUR)
    decide(JOINERS)
    assert [one.hold for one in book.waiting()] == [JOINERS]
    closed = book.find(LEAVERS.digest)
    assert closed is not None
    assert closed.closed_at == later
    assert closed.hold == LEAVERS


def test_a_cycle_without_a_hold_closes_every_one(
    book: HoldBook, decide: Callable[..., str], advance: Advance
) -> None:
    decide(LEAVERS)
    closed_at = advance(HOUR)
    decide(None)
    advance(HOUR)
    decide(None)
    closed = book.find(LEAVERS.digest)
    assert book.waiting() == []
    assert closed is not None
    assert closed.closed_at == closed_at, "when it was gone, not when that was seen again"


def test_a_cycle_that_could_not_decide_closes_none(
    journal: SqliteJournal, book: HoldBook, decide: Callable[..., str], clock: Clock
) -> None:
    decide(LEAVERS)
    journal.begin(clock.now()).end("failed", "", {})
    journal.begin(clock.now())
    assert [one.hold for one in book.waiting()] == [LEAVERS]


def test_a_hold_that_comes_back_waits_anew_with_what_was_said_to_it(
    journal: SqliteJournal,
    clock: Clock,
    book: HoldBook,
    decide: Callable[..., str],
    advance: Advance,
) -> None:
    decide(LEAVERS)
    book.approve(LEAVERS.digest, "kim")
    decide(None)
    later = advance(HOUR)
    again = decide(LEAVERS)
    [kept] = book.waiting()
    assert (kept.cycle_id, kept.held_at, kept.closed_at) == (again, later, None)
    assert [word.asked_by for word in kept.words] == ["kim"]
    assert [one.hold for one in in_force(journal, clock)] == [LEAVERS]


# What persons say.


def test_an_approval_says_who_when_and_of_what(
    journal: SqliteJournal, clock: Clock, book: HoldBook, decide: Callable[..., str]
) -> None:
    decide(LEAVERS)
    book.approve(LEAVERS.digest, "kim (by sudo)", [GRANT, REVOKE], [ContactId(3), ContactId(2)])
    [kept] = book.waiting()
    word, rest = kept.words
    assert (rest.verdict, rest.classes, rest.contacts) == (LEFT_OUT, word.classes, word.contacts)
    assert (word.verdict, word.at, word.asked_by) == (APPROVED, START, "kim (by sudo)")
    assert (word.classes, word.contacts) == ((GRANT, REVOKE), (2, 3))
    assert (word.ended_at, word.ending) == (None, None)
    [approval] = in_force(journal, clock)
    assert approval == Approval(
        LEAVERS, frozenset(word.classes), frozenset(word.contacts), word.number
    )
    assert {one.contact_id for one in approval.allowed()} == {2, 3}


def test_a_whole_approval_has_neither_classes_nor_contacts(
    journal: SqliteJournal, clock: Clock, book: HoldBook, decide: Callable[..., str]
) -> None:
    decide(DOUBT)
    book.approve(DOUBT.digest, "kim")
    [approval] = in_force(journal, clock)
    assert approval.is_whole
    assert approval.hold == DOUBT


@pytest.mark.parametrize(
    ("age", "counts"),
    [
        (timedelta(), True),
        (APPROVAL_AGE - A_MOMENT, True),
        (APPROVAL_AGE, False),
        (APPROVAL_AGE + A_MOMENT, False),
        (A_MOMENT - APPROVAL_AGE, True),
        (-APPROVAL_AGE, False),
        (timedelta(days=-4000), False),
    ],
    ids=str,
)
def test_an_approval_counts_for_less_than_24_hours_on_either_side(
    journal: SqliteJournal,
    clock: Clock,
    book: HoldBook,
    decide: Callable[..., str],
    advance: Advance,
    age: timedelta,
    counts: bool,
) -> None:
    """A clock that was wrong when it was given makes it last no longer."""
    decide(LEAVERS)
    book.approve(LEAVERS.digest, "kim")
    advance(age)
    assert bool(in_force(journal, clock)) is counts
    decide(LEAVERS)
    assert bool(in_force(journal, clock)) is counts
    assert ending(book, LEAVERS) == (None if counts else EXPIRED)


def test_an_approval_that_ended_does_not_come_back_with_the_clock(
    journal: SqliteJournal,
    clock: Clock,
    book: HoldBook,
    decide: Callable[..., str],
    advance: Advance,
) -> None:
    decide(LEAVERS)
    book.approve(LEAVERS.digest, "kim")
    advance(timedelta(days=30))
    decide(LEAVERS)
    advance(timedelta(days=-30))
    assert in_force(journal, clock) == ()


def test_an_approval_that_has_done_its_work_ends_and_another_does_not(
    journal: SqliteJournal, clock: Clock, book: HoldBook, decide: Callable[..., str]
) -> None:
    decide(LEAVERS)
    book.approve(LEAVERS.digest, "kim", contacts=[ContactId(1)])
    book.approve(LEAVERS.digest, "lee")
    first, second = in_force(journal, clock)
    decide(None, (first.number,))
    assert in_force(journal, clock) == (second,)
    kept = book.find(LEAVERS.digest)
    assert kept is not None
    assert [word.ending for word in kept.words] == [USED_UP, None, None]
    decide(None, (first.number, second.number))
    kept = book.find(LEAVERS.digest)
    assert kept is not None
    assert [word.ended_at for word in kept.words] == [START, None, START]
    assert in_force(journal, clock) == ()


def test_a_rejection_withdraws_what_was_approved_of_that_hold_alone(
    journal: SqliteJournal, clock: Clock, book: HoldBook, decide: Callable[..., str]
) -> None:
    decide(JOINERS)
    book.approve(JOINERS.digest, "kim")
    decide(LEAVERS)
    book.approve(LEAVERS.digest, "kim")
    book.approve(LEAVERS.digest, "lee", [REVOKE])
    assert book.reject(LEAVERS.digest, "max") == 2
    assert [one.hold for one in in_force(journal, clock)] == [JOINERS]
    kept = book.find(LEAVERS.digest)
    assert kept is not None
    assert [(word.verdict, word.ending) for word in kept.words] == [
        (APPROVED, WITHDRAWN),
        (APPROVED, WITHDRAWN),
        (LEFT_OUT, None),
        (REJECTED, None),
    ]
    assert kept.closed_at is None, "it goes on waiting"
    assert book.reject(LEAVERS.digest, "max") == 0


def test_whoever_changes_his_mind_can_approve_after_a_rejection(
    journal: SqliteJournal, clock: Clock, book: HoldBook, decide: Callable[..., str]
) -> None:
    decide(LEAVERS)
    book.reject(LEAVERS.digest, "kim")
    assert in_force(journal, clock) == ()
    book.approve(LEAVERS.digest, "kim")
    assert [one.hold for one in in_force(journal, clock)] == [LEAVERS]


@pytest.mark.parametrize("say", [HoldBook.approve, HoldBook.reject])
def test_nobody_can_speak_of_a_hold_that_never_was(
    book: HoldBook, say: Callable[[HoldBook, str, str], object]
) -> None:
    with pytest.raises(JournalError):
        say(book, LEAVERS.digest, "kim")
    assert book.in_force() == []


def test_a_journal_that_is_only_read_shows_holds_and_takes_no_word(
    path: Path, clock: Clock, book: HoldBook, decide: Callable[..., str]
) -> None:
    decide(LEAVERS)
    with SqliteJournal.open_read_only(path, clock) as looked_into:
        assert [one.hold for one in looked_into.holds().waiting()] == [LEAVERS]
        with pytest.raises(JournalError, match="reading alone"):
            looked_into.holds().approve(LEAVERS.digest, "kim")
        with pytest.raises(JournalError, match="reading alone"):
            looked_into.holds().reject(LEAVERS.digest, "kim")
    assert book.in_force() == []


effects = st.frozensets(
    st.builds(
        Effect,
        st.integers(1, 2**31).map(ContactId),
        st.sampled_from(ChangeClass),
        st.sampled_from(["policy", "lose-access"]),
        st.integers(0).map(lambda number: digest(bytes(32), "test", number)),
    ),
    max_size=5,
)
guards = st.dictionaries(st.text(min_size=1), st.integers(0, 10**6), max_size=3)
holds = st.builds(
    lambda guards, effects: Hold(
        digest(bytes(32), "hold", repr((guards, sorted(map(repr, effects)))))[:12], guards, effects
    ),
    guards,
    effects,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(holds)
def test_any_hold_comes_back_as_it_was_kept(
    book: HoldBook, decide: Callable[..., str], hold: Hold
) -> None:
    decide(hold)
    found = book.find(hold.digest)
    assert found is not None
    assert found.hold == hold


# What the file holds.


def test_no_name_address_or_number_of_a_held_plan_is_in_the_file(
    path: Path, clock: Clock, journal: SqliteJournal, decide: Callable[..., str]
) -> None:
    """P12: a number has few values, so not even its digest without the key may be there."""
    plan = plan_of(other_name(1, "Zaphod", "zaphod@example.org"), grant(2, 54321), revoke(3, 54322))
    hold = held(plan, many([GRANT]), doubt(1))
    decide(hold)
    journal.holds().approve(hold.digest, "kim")
    journal.close()
    whole = b"".join(one.read_bytes() for one in path.parent.iterdir())
    assert hold.digest.encode() in whole
    for secret in ("Zaphod", "zaphod", "54321", "4321", "token-54322", "First 2"):
        assert secret.encode() not in whole


def test_a_hold_cannot_be_kept_under_anything_but_digests(
    decide: Callable[..., str], book: HoldBook
) -> None:
    slip = Effect(ContactId(1), GRANT, "get-card", "sync-54321")
    for hold in (Hold("sync-54321-x", {}, frozenset()), Hold("0" * 12, {}, frozenset({slip}))):
        with pytest.raises(JournalError):
            decide(hold)
    assert book.waiting() == []


def test_an_update_keeps_what_the_first_version_recorded(path: Path, clock: Clock) -> None:
    """A journal made before holds were kept: steps of then count in the day as they did."""
    Store.open(path, migrations=MIGRATIONS[:1]).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO cycles (id, started, ended, event, digest, summary) "
            "VALUES ('first', ?, ?, 'applied', '', '{\"added\": 1}')",
            (START.isoformat(timespec="microseconds"),) * 2,
        )
        connection.execute(
            "INSERT INTO steps VALUES ('first', 1, 7, 'deactivate-user', 'revoke', 'left', "
            "'0123456789abcdef', ?, 'done', ?, '')",
            (START.isoformat(timespec="microseconds"),) * 2,
        )
        connection.execute("INSERT INTO missing_contacts VALUES (8)")
        (key,) = connection.execute("SELECT key FROM site").fetchone()
    with SqliteJournal.open(path, clock) as journal:
        assert journal.site_key() == key
        [cycle] = journal.cycles()
        assert (cycle.cycle_id, cycle.event, cycle.summary) == ("first", "applied", {"added": 1})
        assert [step.contact_id for step in journal.steps("first")] == [7]
        memory = journal.memory(clock.now())
        assert memory.missing == {8}
        assert memory.lately == {"revoke": {7}}
        assert memory.approvals == ()
        assert journal.holds().waiting() == []

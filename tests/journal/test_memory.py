"""What is remembered from cycle to cycle, and for how long (§7, R1, R2, R3)."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.memory import InMemoryJournal
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import Clock, FailedImport, GoodCounts, Memory

Advance = Callable[[timedelta], datetime]

A_MOMENT = timedelta(microseconds=1)


def keyed(*parts: str | int) -> str:
    return digest(bytes(32), "test", *parts)


def test_everything_remembered_is_still_there_after_the_process_ended(
    path: Path, clock: Clock
) -> None:
    with SqliteJournal.open(path, clock) as journal:
        record = journal.begin(clock.now())
        record.remember_refused_address(keyed("address"))
        record.remember_failed_import(keyed("import"), keyed("world"))
        record.remember_failed_restore(ContactId(7))
        record.remember_statusless(keyed("row"))
        record.remember_alias(keyed("token"), keyed("number"))
        record.good_read(GoodCounts(contacts=120, users=118), {ContactId(8), ContactId(9)})
        record.provisioning(open_=True)
    with SqliteJournal.open(path, clock) as journal:
        assert journal.memory(clock.now()) == Memory(
            missing=frozenset({ContactId(8), ContactId(9)}),
            refused_addresses=frozenset({keyed("address")}),
            failed_imports={keyed("import"): FailedImport(keyed("world"), clock.now())},
            failed_restores=frozenset({ContactId(7)}),
            statusless=frozenset({keyed("row")}),
            aliases={keyed("token"): keyed("number")},
            last_good=GoodCounts(contacts=120, users=118),
            provisioning=True,
        )


def test_a_good_read_replaces_who_was_missing_before(journal: SqliteJournal, clock: Clock) -> None:
    """R1: a contact must be missed by two good reads in a row, not by two of many."""
    record = journal.begin(clock.now())
    record.good_read(GoodCounts(10, 10), [ContactId(1), ContactId(2), ContactId(1)])
    record.good_read(GoodCounts(11, 9), [ContactId(2), ContactId(3)])
    memory = journal.memory(clock.now())
    assert memory.missing == {2, 3}
    assert memory.last_good == GoodCounts(11, 9)
    record.good_read(GoodCounts(11, 9), [])
    assert journal.memory(clock.now()).missing == frozenset()


def test_a_cycle_without_a_good_read_leaves_the_last_one(
    journal: SqliteJournal, clock: Clock
) -> None:
    journal.begin(clock.now()).good_read(GoodCounts(10, 10), [ContactId(1)])
    journal.begin(clock.now()).end("failed", "", {})
    memory = journal.memory(clock.now())
    assert memory.missing == {1}
    assert memory.last_good == GoodCounts(10, 10)


@pytest.mark.parametrize("open_", [True, False])
def test_provisioning_is_kept_as_it_was_said_last(
    journal: SqliteJournal, clock: Clock, open_: bool
) -> None:
    record = journal.begin(clock.now())
    record.provisioning(open_=not open_)
    record.provisioning(open_=open_)
    assert journal.memory(clock.now()).provisioning is open_


def test_a_refused_address_is_left_out_for_seven_days(
    journal: SqliteJournal, clock: Clock, advance: Advance
) -> None:
    journal.begin(clock.now()).remember_refused_address(keyed("address"))
    last = advance(timedelta(days=7) - A_MOMENT)
    assert journal.memory(last).refused_addresses == {keyed("address")}
    assert journal.memory(last + A_MOMENT).refused_addresses == frozenset()


def test_a_failed_restore_waits_for_a_day(
    journal: SqliteJournal, clock: Clock, advance: Advance
) -> None:
    journal.begin(clock.now()).remember_failed_restore(ContactId(7))
    last = advance(timedelta(hours=24) - A_MOMENT)
    assert journal.memory(last).failed_restores == {7}
    assert journal.memory(last + A_MOMENT).failed_restores == frozenset()


def test_a_failure_that_comes_again_counts_from_then(
    journal: SqliteJournal, clock: Clock, advance: Advance
) -> None:
    record = journal.begin(clock.now())
    for _ in range(2):
        record.remember_refused_address(keyed("address"))
        record.remember_failed_restore(ContactId(7))
        record.remember_failed_import(keyed("import"), keyed("world", clock.now().isoformat()))
        advance(timedelta(hours=23))
    memory = journal.memory(clock.now())
    assert memory.failed_restores == {7}
    again = clock.now() - timedelta(hours=23)
    assert memory.failed_imports == {
        keyed("import"): FailedImport(keyed("world", again.isoformat()), again)
    }


def test_a_failed_import_is_kept_for_the_caller_to_judge_and_dropped_after_400_days(
    journal: SqliteJournal, clock: Clock, advance: Advance
) -> None:
    at = clock.now()
    journal.begin(at).remember_failed_import(keyed("import"), keyed("world"))
    last = advance(timedelta(days=400) - A_MOMENT)
    assert journal.memory(last).failed_imports == {
        keyed("import"): FailedImport(keyed("world"), at)
    }
    assert journal.memory(last + A_MOMENT).failed_imports == {}


def test_what_was_remembered_under_a_clock_far_ahead_is_not_believed(
    journal: SqliteJournal, clock: Clock, advance: Advance
) -> None:
    """A Raspberry Pi has no battery behind its clock: a wrong year must not stay for years."""
    right = clock.now()
    record = journal.begin(right)
    advance(timedelta(days=3650))
    record.remember_refused_address(keyed("address"))
    record.remember_failed_restore(ContactId(7))
    record.remember_failed_import(keyed("import"), keyed("world"))
    memory = journal.memory(right)
    assert not memory.refused_addresses
    assert not memory.failed_restores
    assert not memory.failed_imports


def test_times_are_compared_in_utc_whatever_zone_they_are_said_in(
    journal: SqliteJournal, clock: Clock, advance: Advance
) -> None:
    journal.begin(clock.now()).remember_failed_restore(ContactId(7))
    in_auckland = timezone(timedelta(hours=13))
    last = advance(timedelta(hours=24) - A_MOMENT).astimezone(in_auckland)
    assert journal.memory(last).failed_restores == {7}
    assert not journal.memory(last + A_MOMENT).failed_restores


def test_reading_the_memory_writes_nothing_and_the_next_cycle_drops_what_is_too_old(
    journal: SqliteJournal, path: Path, clock: Clock, advance: Advance
) -> None:
    record = journal.begin(clock.now())
    record.remember_refused_address(keyed("address"))
    record.remember_failed_restore(ContactId(7))
    record.remember_failed_import(keyed("import"), keyed("world"))
    tables = ("refused_addresses", "failed_restores", "failed_imports")

    def kept() -> list[int]:
        with closing(sqlite3.connect(path)) as other:
            return [other.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in tables]

    journal.memory(advance(timedelta(days=399)))
    assert kept() == [1, 1, 1]
    journal.begin(clock.now())
    assert kept() == [0, 0, 1]
    journal.begin(advance(timedelta(days=1)))
    assert kept() == [0, 0, 0]


class Remembering(RuleBasedStateMachine):
    """Whatever is remembered in whatever order, the memory equals this plain retelling of it."""

    class Clock:
        moment = datetime(2025, 3, 10, 8, 15, tzinfo=UTC)

        def now(self) -> datetime:
            return self.moment

        def monotonic(self) -> float:
            return 0.0

        def sleep(self, seconds: float) -> None:
            raise AssertionError("nothing in the journal waits")

    def __init__(self) -> None:
        super().__init__()
        self.clock = self.Clock()
        self.journal = InMemoryJournal(self.clock)
        self.record = self.journal.begin(self.clock.now())
        self.refused: dict[str, datetime] = {}
        self.restores: dict[ContactId, datetime] = {}
        self.imports: dict[str, FailedImport] = {}
        self.statusless: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.missing: frozenset[ContactId] = frozenset()
        self.counts: GoodCounts | None = None
        self.is_provisioning: bool | None = None

    few = st.integers(1, 4)

    @rule(hours=st.integers(1, 24 * 150))
    def time_passes(self, hours: int) -> None:
        self.clock.moment += timedelta(hours=hours)

    @rule()
    def next_cycle(self) -> None:
        self.record = self.journal.begin(self.clock.now())

    @rule(which=few)
    def address_refused(self, which: int) -> None:
        self.record.remember_refused_address(keyed(which))
        self.refused[keyed(which)] = self.clock.now()

    @rule(contact_id=few)
    def restore_failed(self, contact_id: int) -> None:
        self.record.remember_failed_restore(ContactId(contact_id))
        self.restores[ContactId(contact_id)] = self.clock.now()

    @rule(which=few, world=few)
    def import_failed(self, which: int, world: int) -> None:
        self.record.remember_failed_import(keyed(which), keyed(world))
        self.imports[keyed(which)] = FailedImport(keyed(world), self.clock.now())

    @rule(which=few)
    def statusless_revoked(self, which: int) -> None:
        self.record.remember_statusless(keyed(which))
        self.statusless.add(keyed(which))

    @rule(token=few, number=few)
    def alias_given(self, token: int, number: int) -> None:
        self.record.remember_alias(keyed("token", token), keyed("number", number))
        self.aliases[keyed("token", token)] = keyed("number", number)

    @rule(contacts=few, users=few, missing=st.frozensets(few))
    def read_well(self, contacts: int, users: int, missing: frozenset[int]) -> None:
        self.counts = GoodCounts(contacts, users)
        self.missing = frozenset(ContactId(one) for one in missing)
        self.record.good_read(self.counts, self.missing)

    @rule(open_=st.booleans())
    def provisioned(self, open_: bool) -> None:
        self.record.provisioning(open_=open_)
        self.is_provisioning = open_

    @invariant()
    def the_memory_is_what_was_told(self) -> None:
        now = self.clock.now()
        assert self.journal.memory(now) == Memory(
            missing=self.missing,
            refused_addresses=frozenset(
                one for one, at in self.refused.items() if now - at < timedelta(days=7)
            ),
            failed_imports={
                one: failed
                for one, failed in self.imports.items()
                if now - failed.at < timedelta(days=400)
            },
            failed_restores=frozenset(
                one for one, at in self.restores.items() if now - at < timedelta(hours=24)
            ),
            statusless=frozenset(self.statusless),
            aliases=self.aliases,
            last_good=self.counts,
            provisioning=self.is_provisioning,
        )

    def teardown(self) -> None:
        self.journal.close()


TestRemembering = Remembering.TestCase
TestRemembering.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

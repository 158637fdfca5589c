"""A dry run writes nothing, anywhere, and says exactly what a live cycle does next (P7)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest

from door_sync.app.cycle import Progress, dry_run
from door_sync.app.report import CycleReport, Ending
from door_sync.core.steps import FreeCard, OnRefusal, kind_of
from door_sync.journal.memory import InMemoryJournal
from door_sync.ports import (
    ControllerDistrusted,
    ControllerUnreachable,
    CycleRecord,
    JournalError,
    Memory,
    SourceDistrusted,
    SourceError,
)
from door_sync.simulators.faults import html_error
from tests.app.watching import Write, at_free, refused, sent, settled
from tests.club import HABITS, Club


def announced(report: CycleReport) -> list[Write]:
    """Return the writes of a plan, but for second tries at frees that succeed at first."""
    return [
        (kind_of(planned.step), planned.change.contact_id)
        for planned in report.plan.steps()
        if not (isinstance(planned.step, FreeCard) and planned.step.on_refusal is OnRefusal.SHUT)
    ]


def eventful(club: Club) -> None:
    """Bring the club to the eve of a cycle with every kind of step; ten others just stay."""
    for number in range(3001, 3011):
        club.join(number)
    leaver, tier, name, swap, other, back = (club.join(1001 + n) for n in range(6))
    settled(club)
    club.lapse(back)
    settled(club)
    crm = club.civicrm.world
    club.lapse(leaver)
    club.retier(tier, "Silver")
    crm.set_name(name, first_name="Other")
    crm.set_email(name, "m@example.org")
    crm.set_card(swap, "1005")
    crm.set_card(other, "1004")
    club.rejoin(back)
    club.join(1001, "Silver")
    club.join(1010)
    club.add_user("", cards=[1011], status="DEACTIVATED")
    club.join(1011)
    restored = club.join(1012)
    club.add_user(str(restored), cards=[1013], policies=[club.gold], status="DEACTIVATED")
    club.retier(club.join(1014), "Day pass")


def everything(club: Club) -> None:
    pass


def a_held_cycle(club: Club) -> None:
    club.unifi.world.add_policy("Gold hours")


def a_held_class(club: Club) -> None:
    club.habits = HABITS
    for number in range(20):
        club.join(2001 + number)


def an_empty_source(club: Club) -> None:
    for contact in club.memberships:
        club.lapse(contact)


def a_broken_source(club: Club) -> None:
    club.civicrm.faults.add(html_error(500), times=None)


def a_broken_controller(club: Club) -> None:
    club.unifi.faults.add(html_error(500), times=None)


@pytest.mark.parametrize(
    "circumstance",
    [everything, a_held_cycle, a_held_class, an_empty_source, a_broken_source, a_broken_controller],
)
def test_a_dry_run_sends_no_write_and_leaves_no_trace_in_the_journal(
    club: Club, circumstance: Callable[[Club], None]
) -> None:
    eventful(club)
    club.forget()
    circumstance(club)
    assert isinstance(club.journal, InMemoryJournal)
    before = club.journal.memory(club.clock.now()), club.journal.cycles(), club.end_state()
    report = club.plan()
    assert sent(club) == []
    assert [r for r in club.unifi.journal.requests() if r.method != "GET"] == []
    assert report.dry_run
    assert report.ledger is None
    assert report.done == ()
    assert report.failed == ()
    after = club.journal.memory(club.clock.now()), club.journal.cycles(), club.end_state()
    assert after == before


def test_the_steps_of_a_dry_run_are_what_the_next_live_cycle_sends(club: Club) -> None:
    eventful(club)
    club.forget()
    dry = club.plan()
    live = club.cycle()
    assert live.ending is Ending.CLEAN, live.reason()
    assert len(announced(dry)) > 25
    assert sent(club) == announced(dry)
    assert dry.plan == live.plan
    assert dry.digest() == live.digest()
    assert dry.summary() == live.summary()
    assert dry.notices == live.notices[: len(dry.notices)]


def test_what_a_guard_holds_is_held_in_both(club: Club) -> None:
    eventful(club)
    a_held_class(club)
    club.forget()
    dry = club.plan()
    live = club.cycle()
    assert dry.ending is live.ending is Ending.HELD
    assert dry.reason() == live.reason()
    assert sent(club) == announced(dry) != []
    assert dry.digest() == live.digest()


def test_second_tries_are_announced_where_the_first_are_refused(club: Club) -> None:
    club.unifi.switch(deactivated_refuses_cards=True)
    restored = club.join(1012)
    made = club.add_user(str(restored), cards=[1013], status="DEACTIVATED")
    dry = club.plan()
    frees = [p.step for p in dry.plan.steps() if isinstance(p.step, FreeCard)]
    assert [step.on_refusal for step in frees] == [OnRefusal.GO_ON, OnRefusal.SHUT]
    assert {step.user for step in frees} == {made}


def test_a_dry_run_after_a_clean_cycle_has_nothing_to_say(club: Club) -> None:
    eventful(club)
    settled(club)
    dry = club.plan()
    assert dry.ending is Ending.CLEAN
    assert dry.plan.changes == ()


def test_a_dry_run_before_a_retry_says_the_same_again(club: Club) -> None:
    contact = club.join(1001)
    settled(club)
    club.civicrm.world.set_card(contact, "1002")
    at_free(club, refused())
    club.cycle()
    club.unifi.faults.clear()
    club.forget()
    dry = club.plan()
    club.cycle()
    assert sent(club) == announced(dry) == [("free-card", contact)]


@dataclass
class ReadOnly:
    """A journal that may be looked into, and no more; or not even that."""

    journal: InMemoryJournal
    is_readable: bool = True

    def site_key(self) -> bytes:
        return self.journal.site_key()

    def memory(self, now: datetime) -> Memory:
        if not self.is_readable:
            raise JournalError("the journal cannot be read")
        return self.journal.memory(now)

    def begin(self, now: datetime) -> CycleRecord:
        raise AssertionError("a dry run begins no cycle")


def test_a_dry_run_needs_no_more_than_to_look_into_the_journal(club: Club) -> None:
    club.join(1001)
    assert isinstance(club.journal, InMemoryJournal)
    with club.parts(ReadOnly(club.journal)) as parts:
        assert dry_run(parts).plan.changes


def test_a_journal_that_cannot_be_read_is_in_the_report(club: Club) -> None:
    assert isinstance(club.journal, InMemoryJournal)
    with club.parts(ReadOnly(club.journal, is_readable=False)) as parts:
        report = dry_run(parts)
    assert isinstance(report.error, JournalError)
    assert report.ending is Ending.FAILED
    assert report.decision is None


@pytest.mark.parametrize(
    ("circumstance", "error"),
    [
        (a_broken_source, SourceError),
        (a_broken_controller, ControllerUnreachable),
    ],
)
def test_a_side_that_cannot_be_read_is_in_the_report(
    club: Club, circumstance: Callable[[Club], None], error: type[Exception]
) -> None:
    circumstance(club)
    report = club.plan()
    assert isinstance(report.error, error)
    assert report.ending is Ending.FAILED
    assert report.plan.changes == ()


def test_a_dry_run_shows_its_progress(club: Club) -> None:
    stages: list[str] = []

    class Watch(Progress):
        def stage(self, text: str) -> None:
            stages.append(text)

    with club.parts() as parts:
        dry_run(parts, Watch())
    assert stages == ["Reading CiviCRM and the controller"]


def test_the_two_kinds_of_distrust_are_told_apart(club: Club) -> None:
    club.unifi.faults.add(html_error(404), path="/users", times=None)
    assert isinstance(club.plan().error, ControllerDistrusted)
    club.civicrm.faults.add(html_error(404), times=None)
    assert isinstance(club.plan().error, SourceDistrusted)

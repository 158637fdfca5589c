"""Gather, decide, act, verify, record: what a cycle does when a part of it goes wrong."""

import logging
import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pytest

from door_sync.app import cycle
from door_sync.app.cycle import Parts, Progress, live_run
from door_sync.app.recall import card_list_digest
from door_sync.app.report import Ending
from door_sync.core.controller import Snapshot
from door_sync.core.people import ContactId, Member
from door_sync.core.steps import ChangeClass
from door_sync.journal.history import PastCycle
from door_sync.journal.memory import InMemoryJournal
from door_sync.ports import (
    ControllerUnreachable,
    MemberSource,
    Memory,
    SourceDistrusted,
    SourceReading,
    SourceUnreachable,
)
from door_sync.simulators.faults import Hook, Reset, html_error
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.app.watching import Later, at_create, refused, sent, settled
from tests.club import HABITS, Club


def last_cycle(club: Club) -> PastCycle:
    assert isinstance(club.journal, InMemoryJournal)
    [cycle] = club.journal.cycles(1)
    return cycle


@dataclass
class Watch(Progress):
    """Takes note of what it is told."""

    def __post_init__(self) -> None:
        self.stages: list[str] = []
        self.counts: list[tuple[int, int]] = []

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def steps(self, done: int, all_: int) -> None:
        self.counts.append((done, all_))


def test_the_journal_tells_of_a_cycle_how_it_ended_and_what_it_did(club: Club) -> None:
    club.join(1001)
    report = club.cycle()
    past = last_cycle(club)
    assert past.cycle_id == report.cycle_id
    assert past.event == "applied"
    assert past.digest == report.digest()
    assert past.summary == report.summary()
    assert past.ended is not None


def test_a_cycle_after_a_clean_one_writes_nothing(club: Club) -> None:
    club.join(1001, first="Twice  spaced", email="M@Example.org")
    settled(club)
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    assert sent(club) == []
    assert report.plan.changes == ()


def test_progress_is_told_every_stage_and_every_step(club: Club) -> None:
    club.join(1001)
    watch = Watch()
    with club.parts() as parts:
        report = live_run(parts, watch)
    assert watch.stages == [
        "Reading CiviCRM and the controller",
        "Writing to the controller",
        "Reading back what was written",
    ]
    steps = len(report.plan.steps())
    assert watch.counts[:steps] == [(n, steps) for n in range(1, steps + 1)]
    assert watch.counts[steps:] == [(1, 2), (2, 2)]


def test_a_cycle_with_nothing_to_do_has_one_stage(club: Club) -> None:
    settled(club)
    watch = Watch()
    with club.parts() as parts:
        live_run(parts, watch)
    assert watch.stages == ["Reading CiviCRM and the controller"]
    assert watch.counts == []


# One side or the other cannot be read.


def test_a_source_that_cannot_be_read_stops_everything(club: Club) -> None:
    leaver = club.join(1001)
    settled(club)
    club.lapse(leaver)
    club.civicrm.faults.add(html_error(500), times=None)
    before = club.journal.memory(club.clock.now())
    report = club.cycle()
    assert isinstance(report.error, SourceUnreachable | SourceDistrusted)
    assert "controller" not in report.error.message
    assert report.ending is Ending.FAILED
    assert sent(club) == []
    assert last_cycle(club).event == "failed"
    assert club.journal.memory(club.clock.now()) == before


def test_a_controller_that_cannot_be_read_stops_everything(club: Club) -> None:
    leaver = club.join(1001)
    settled(club)
    club.lapse(leaver)
    club.unifi.faults.add(html_error(500), method="GET", path="/users", times=None)
    report = club.cycle()
    assert isinstance(report.error, ControllerUnreachable)
    assert report.ending is Ending.FAILED
    assert sent(club) == []
    assert last_cycle(club).event == "failed"


def test_both_sides_are_named_when_neither_can_be_read(club: Club) -> None:
    club.civicrm.faults.add(html_error(500), times=None)
    club.unifi.faults.add(html_error(500), times=None)
    report = club.cycle()
    assert isinstance(report.error, SourceUnreachable | SourceDistrusted)
    assert "Nor could the controller be read: " in report.error.message
    assert "restart the Access application" in report.error.remedy


def test_a_fault_of_the_program_on_the_other_side_does_not_hide_the_sources_error(
    club: Club,
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    club.civicrm.faults.add(html_error(500), times=None)
    with club.parts() as parts:
        parts.controller.read = broken  # type: ignore[method-assign, assignment]  # a fault
        report = live_run(parts)
    assert isinstance(report.error, SourceUnreachable | SourceDistrusted)
    assert "Nor could" not in report.error.message


@dataclass
class Unasked:
    """A source that answers for everybody, but not to questions by id."""

    source: MemberSource

    def read(self) -> SourceReading:
        return self.source.read()

    def read_joined(self) -> Mapping[ContactId, Member]:
        return self.source.read_joined()

    def read_contacts(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Member]:
        raise SourceUnreachable("CiviCRM gave no answer")


def test_a_question_by_id_without_an_answer_stops_everything(club: Club) -> None:
    gone, leaver = club.join(1001), club.join(1002)
    settled(club)
    club.civicrm.world.clear_card(gone)
    club.lapse(leaver)
    with club.parts() as parts:
        report = live_run(replace(parts, source=Unasked(parts.source)))
    assert report.ending is Ending.FAILED
    assert sent(club) == []


def test_nobody_is_asked_for_by_id_when_everybody_has_a_card(club: Club) -> None:
    club.join(1001)
    settled(club)
    with club.parts() as parts:
        report = live_run(replace(parts, source=Unasked(parts.source)))
    assert report.ending is Ending.CLEAN, report.reason()


def test_both_sides_are_read_at_the_same_time(club: Club) -> None:
    """Each side's first answer waits until the other side was asked."""
    both = threading.Barrier(2, timeout=20)
    club.unifi.faults.add(Hook(lambda _: both.wait()), path="/access_policies")
    club.civicrm.faults.add(Hook(lambda _: both.wait()))
    assert club.cycle().ending is Ending.CLEAN


# What guards hold.


def test_a_held_cycle_writes_nothing_and_says_so_in_the_journal(club: Club) -> None:
    people = [club.join(1001 + n) for n in range(12)]
    settled(club)
    club.habits = HABITS
    club.join(2001)
    for contact in people[:8]:
        club.lapse(contact)
    report = club.cycle()
    assert report.ending is Ending.HELD
    assert report.ending.value == 1
    assert report.ledger is None
    assert sent(club) == []
    past = last_cycle(club)
    assert past.event == "halted"
    assert past.digest == report.digest()
    assert report.digest() == report.hold_digest != ""
    assert "mass deactivation" in report.reason()


def test_a_leaver_does_not_keep_access_because_many_joined(club: Club) -> None:
    people = [club.join(1001 + n) for n in range(12)]
    settled(club)
    club.habits = HABITS
    club.lapse(people[0])
    for number in range(8):
        club.join(2001 + number)
    report = club.cycle()
    assert report.ending is Ending.HELD
    assert [change.change_class for change in report.done] == [ChangeClass.REVOKE]
    assert not club.opens(1001)
    assert last_cycle(club).event == "halted"


def test_a_hold_outranks_the_failure_of_some_people(club: Club) -> None:
    people = [club.join(1001 + n) for n in range(12)]
    settled(club)
    club.habits = HABITS
    club.lapse(people[0])
    for number in range(8):
        club.join(2001 + number)
    made = club.user_of(people[0])
    club.unifi.faults.add(html_error(400), method="PUT", path=f"/users/{made}", times=None)
    report = club.cycle()
    assert [result.change.contact_id for result in report.failed] == [people[0]]
    assert report.ending is Ending.HELD


def test_the_site_s_day_is_the_day_of_its_own_clock(club: Club) -> None:
    """A membership that ended long ago by that clock is a notice, whatever CiviCRM's day is."""
    contact = club.join(1001)
    settled(club)
    club.clock = Later(days=400)
    report = club.cycle()
    assert report.started.date() == club.clock.now().date()
    assert contact in [notice.contact_id for notice in report.notices]


def test_two_sites_share_nothing(club: Club) -> None:
    """The same parts with another journal are another site: nothing stands in a global."""
    club.join(1001)
    one = club.cycle()
    club.start_journal()
    with club.parts() as parts:
        assert isinstance(parts, Parts)
        other = live_run(parts)
    assert one.key != other.key
    assert one.cycle_id != other.cycle_id


def test_no_name_address_number_token_or_key_is_logged_or_told_at_any_level(
    club: Club, caplog: pytest.LogCaptureFixture
) -> None:
    """A cycle with repeats after silence, refusals, a blocked card and a reclaim (P12)."""
    caplog.set_level(logging.DEBUG)
    club.unifi.world.add_hidden_admin("secret@example.org")
    club.add_user("", cards=[31337], status="DEACTIVATED")
    club.add_card(31338, holder=club.owner)
    people = [club.join(31337 + n, first="Secretname", email="secret@example.org") for n in (0, 1)]
    failing = club.join(31339, first="Secretname")
    at_create(club, refused(), failing)
    club.unifi.faults.add(Reset(), method="PUT", times=2)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert len(report.blocked) == 1
    assert len(caplog.records) > 1
    notices = [notice.text for notice in report.notices]
    problems = [(result.problems, result.doubts) for result in report.failed]
    told = "\n".join(map(repr, (caplog.text, report, notices, problems, memory_of(club))))
    tokens = [card.token for card in club.unifi.world.cards]
    for secret in ("Secretname", "secret@", DEFAULT_TOKEN, *tokens):
        assert secret not in told
    assert not re.search(r"\b0*3133[789]\b", told)
    assert all(str(contact) in told for contact in (*people, failing))


def memory_of(club: Club) -> Memory:
    return club.journal.memory(club.clock.now())


def test_the_whole_card_list_is_digested_only_for_imports_that_may_fail(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs as much as the site has cards, and a cycle without changes needs none of it."""
    made: list[Snapshot] = []

    def counting(key: bytes, snapshot: Snapshot) -> str:
        made.append(snapshot)
        return card_list_digest(key, snapshot)

    monkeypatch.setattr(cycle, "card_list_digest", counting)
    club.join(1001)
    assert club.cycle().ending is Ending.CLEAN
    assert len(made) == 1
    assert club.cycle().ending is Ending.CLEAN
    assert len(made) == 1

"""What `revoke` does at the controller, what it proves, and what it leaves on record (§6)."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from door_sync.app.report import Ending
from door_sync.app.shutting import NO_STATUS, Fate
from door_sync.app.urgent import revoke_without_record
from door_sync.core.people import ContactId
from door_sync.core.tiers import CUT_OFF
from door_sync.journal.cutoffs import Reason
from door_sync.journal.history import PastCycle, PastStep
from door_sync.journal.lock import SiteLock
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import ControllerForbids, ControllerUnreachable, JournalError
from door_sync.simulators.faults import Reset, html_error, rate_limit
from tests.app.watching import (
    DEACTIVATE,
    at_free,
    at_look,
    at_status,
    bad_token,
    holder,
    kinds,
    lie,
    refused,
    sent,
    user,
)
from tests.club import Club
from tests.cutting import Cutter, begin

SWITCHES: tuple[dict[str, Any], ...] = tuple(
    {"unbind": unbind, "deactivated_refuses_cards": refuses, "business_error_status": status}
    for unbind in ("put", "delete", "both")
    for refuses in (False, True)
    for status in (200, 400)
)
"""Every reading that matters for freeing a card (design.md §9)."""


@pytest.fixture
def cutter(club: Club, tmp_path: Path) -> Cutter:
    """Hands at a club in which one member is in."""
    cutter = Cutter(club, tmp_path)
    cutter.cycle()
    club.forget()
    return cutter


def member(cutter: Cutter, *cards: int) -> int:
    """Return a member who is in, with these cards; the first is CiviCRM's."""
    contact = cutter.club.join(cards[0])
    assert cutter.cycle().ending is Ending.CLEAN
    for number in cards[1:]:
        cutter.club.add_card(number, holder=cutter.club.user_of(contact), alias=False)
    cutter.club.forget()
    return contact


def last(cutter: Cutter) -> tuple[PastCycle, list[PastStep]]:
    """Return the newest record of the journal, and its steps."""
    with SqliteJournal.open_read_only(cutter.path, cutter.club.clock) as journal:
        record = journal.cycles()[0]
        return record, list(journal.steps(record.cycle_id))


def audit_line(cutter: Cutter) -> dict[str, Any]:
    """Return the last line of the audit file."""
    line: dict[str, Any] = json.loads(cutter.audit.read_text().splitlines()[-1])
    return line


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_somebody_is_cut_off_at_once_under_every_reading(
    club: Club, tmp_path: Path, switches: dict[str, Any]
) -> None:
    begin(club, **switches)
    cutter = Cutter(club, tmp_path)
    contact = member(cutter, 1001, 1002)
    done = cutter.revoke(contact)
    assert done.exit_code == 0
    [person] = done.people
    assert person.fate is Fate.CUT
    assert user(club, contact).status == "DEACTIVATED"
    refuses = switches["deactivated_refuses_cards"]
    assert person.cards_left == (2 if refuses else 0)
    assert (holder(club, 1001) == "") is not refuses
    assert not club.opens(1001)
    assert not club.opens(1002)
    club.forget()
    assert cutter.cycle().ending is Ending.CLEAN
    assert club.writes() == 0, "there is nothing left to do"
    # A card that stayed there serves the next member all the same (R3).
    club.civicrm.world.clear_card(contact)
    club.join(1001, "Silver")
    assert cutter.cycle().ending is Ending.CLEAN
    assert club.opens(1001)


def test_everybody_is_deactivated_before_any_card_is_freed(cutter: Cutter) -> None:
    people = [member(cutter, 1001), member(cutter, 1002)]
    cutter.revoke(*reversed(people))
    assert [kind for kind, _ in sent(cutter.club)] == ["deactivate-user"] * 2 + ["free-card"] * 2


def test_both_users_with_one_contact_id_are_cut_off(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    second = cutter.club.add_user(str(contact), cards=[1002], policies=[cutter.club.gold])
    third = cutter.club.add_user(str(contact), status="DEACTIVATED")
    [person] = cutter.revoke(contact).people
    assert second in person.users
    assert len(person.users) == 2
    assert person.before == (third,)
    assert not cutter.club.opens(1001)
    assert not cutter.club.opens(1002)


def test_an_invited_administrator_is_cut_off_too(cutter: Cutter) -> None:
    user_id = cutter.club.add_user("77", status="PENDING")
    assert cutter.revoke(77).people[0].fate is Fate.CUT
    assert cutter.club.unifi.world.users[user_id].status == "DEACTIVATED"


def test_where_there_is_nothing_to_cut_the_cut_off_stands_all_the_same(cutter: Cutter) -> None:
    club = cutter.club
    shut = club.add_user("77", cards=[1002], status="DEACTIVATED")
    unmanaged = club.add_user("", cards=[1003])
    done = cutter.revoke(77, 78)
    assert done.exit_code == 0
    assert [(one.fate, one.users, one.before) for one in done.people] == [
        (Fate.NOTHING, (), (shut,)),
        (Fate.NOTHING, (), ()),
    ]
    assert club.writes() == 0
    assert club.unifi.world.users[unmanaged].status == "ACTIVE", "P4"
    assert [one.cut_off.contact_id for one in done.standing] == [77, 78]
    assert audit_line(cutter)["changes"] == []


def test_a_card_that_cannot_be_freed_is_tried_once_and_keeps_nobody_in(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    at_free(cutter.club, rate_limit(3600))
    done = cutter.revoke(contact)
    cutter.club.unifi.faults.clear()
    assert done.exit_code == 0
    assert done.people[0].cards_left == 1
    assert kinds(cutter.club, contact) == ["deactivate-user", "free-card"]
    assert [(step.kind, step.outcome) for step in last(cutter)[1]] == [
        ("deactivate-user", "done"),
        ("free-card", "refused"),
    ]


def test_cards_are_freed_where_the_deactivation_is_refused(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    at_status(cutter.club, refused(), cutter.club.user_of(contact), DEACTIVATE)
    done = cutter.revoke(contact)
    cutter.club.unifi.faults.clear()
    assert done.exit_code == 3
    assert done.people[0].fate is Fate.FAILED
    assert "CODE_PARAMS_INVALID" in " ".join(done.people[0].problems)
    assert not cutter.club.opens(1001), "without a card there is no door"
    assert last(cutter)[0].event == "partial"
    assert cutter.cycle().ending is Ending.CLEAN
    assert user(cutter.club, contact).status == "DEACTIVATED", "the next cycle tried again"


def test_what_was_refused_once_is_tried_a_second_time(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    at_status(cutter.club, refused(), cutter.club.user_of(contact), DEACTIVATE, times=1)
    assert cutter.revoke(contact).exit_code == 0
    assert kinds(cutter.club, contact).count("deactivate-user") == 2


def test_one_persons_failure_is_that_persons(cutter: Cutter) -> None:
    people = [member(cutter, 1001 + n) for n in range(3)]
    at_status(cutter.club, refused(), cutter.club.user_of(people[1]), DEACTIVATE)
    done = cutter.revoke(*people)
    cutter.club.unifi.faults.clear()
    assert [one.fate for one in done.people] == [Fate.CUT, Fate.FAILED, Fate.CUT]
    line = audit_line(cutter)
    assert [(one["contact"], one["outcome"]) for one in line["changes"]] == [
        (people[0], "done"),
        (people[1], "failed"),
        (people[2], "done"),
    ]
    assert line["summary"]["deactivated"] == 2


def test_a_success_that_did_nothing_is_no_proof(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    at_status(cutter.club, lie(), cutter.club.user_of(contact), DEACTIVATE)
    done = cutter.revoke(contact)
    cutter.club.unifi.faults.clear()
    assert (done.people[0].fate, done.exit_code) == (Fate.FAILED, 3)
    assert "the status reads ACTIVE, not DEACTIVATED" in done.people[0].problems[0]
    assert [s.outcome for s in last(cutter)[1] if s.kind == "deactivate-user"] == ["unproven"] * 2


def test_a_write_without_an_answer_is_settled_by_the_read_back(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    at_status(cutter.club, Reset(after=True), cutter.club.user_of(contact), DEACTIVATE)
    done = cutter.revoke(contact)
    cutter.club.unifi.faults.clear()
    assert done.exit_code == 0
    assert last(cutter)[1][0].outcome == "done"


def test_a_user_who_cannot_be_read_back_is_settled_by_the_list(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    at_look(cutter.club, html_error(502), "/users/:id")
    done = cutter.revoke(contact)
    cutter.club.unifi.faults.clear()
    assert done.people[0].fate is Fate.CUT


def test_where_nothing_can_be_read_any_more_nothing_is_proven(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    at_look(cutter.club, html_error(502), "/users/:id")
    cutter.club.unifi.faults.add(html_error(502), method="GET", path="/users", first=2, times=None)
    done = cutter.revoke(contact)
    cutter.club.unifi.faults.clear()
    assert (done.people[0].fate, done.exit_code) == (Fate.UNPROVEN, 3)
    assert "could not be read back" in done.people[0].problems[0]
    assert user(cutter.club, contact).status == "DEACTIVATED"


def test_a_user_who_shows_no_status_is_deactivated_and_called_unproven(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    cutter.club.unifi.world.edit_user(cutter.club.user_of(contact), missing=["status"])
    done = cutter.revoke(contact)
    assert (done.people[0].fate, done.exit_code) == (Fate.UNPROVEN, 3)
    assert done.people[0].problems == (NO_STATUS,)
    assert user(cutter.club, contact).status == "DEACTIVATED"
    assert not cutter.club.opens(1001)


def test_a_user_who_was_deleted_meanwhile_is_out(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    user_id = cutter.club.user_of(contact)
    cutter.at_request(2, lambda: cutter.club.unifi.world.delete_user(user_id), after=False)
    assert cutter.revoke(contact).people[0].fate is Fate.CUT


def test_a_controller_that_does_not_answer_leaves_the_cut_off_for_the_next_cycle(
    cutter: Cutter,
) -> None:
    contact = member(cutter, 1001)
    cutter.club.unifi.faults.add(Reset(), times=None)
    done = cutter.revoke(contact)
    cutter.club.unifi.faults.clear()
    assert isinstance(done.error, ControllerUnreachable)
    assert (done.people[0].fate, done.exit_code) == (Fate.FAILED, 2)
    assert done.is_on_record
    assert last(cutter)[0].event == "failed"
    assert audit_line(cutter)["exception"]["class"] == "ControllerUnreachable"
    assert cutter.club.opens(1001), "nothing could be done yet"
    assert cutter.cycle().ending is Ending.CLEAN
    assert not cutter.club.opens(1001)


def test_a_key_that_dies_on_the_way_leaves_what_is_done_done(cutter: Cutter) -> None:
    first, second = member(cutter, 1001), member(cutter, 1002)
    at_status(cutter.club, bad_token(), cutter.club.user_of(second), DEACTIVATE)
    done = cutter.revoke(first, second)
    cutter.club.unifi.faults.clear()
    assert isinstance(done.error, ControllerForbids)
    assert [one.fate for one in done.people] == [Fate.CUT, Fate.FAILED]
    assert done.exit_code == 2


def test_trouble_after_everybody_is_out_is_no_failure(cutter: Cutter) -> None:
    """Only cards were left, which open nothing."""
    contact = member(cutter, 1001)
    at_free(cutter.club, bad_token())
    done = cutter.revoke(contact)
    cutter.club.unifi.faults.clear()
    assert done.error is not None
    assert (done.people[0].fate, done.exit_code) == (Fate.CUT, 0)
    assert last(cutter)[0].event == "applied"
    assert audit_line(cutter)["event"] == "applied"


def test_neither_lock_nor_civicrm_is_waited_for(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    cutter.club.civicrm.faults.add(Reset(), times=None)
    with SiteLock(cutter.path):
        assert cutter.revoke(contact).exit_code == 0
    cutter.club.civicrm.faults.clear()
    assert cutter.club.civicrm.journal.entries() == []


def test_every_write_is_on_record_as_this_commands(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    done = cutter.revoke(contact)
    record, steps = last(cutter)
    assert record.cycle_id == done.cycle_id
    assert (record.event, record.summary["deactivated"]) == ("applied", 1)
    assert [(s.kind, s.change, s.reason, s.outcome) for s in steps] == [
        ("deactivate-user", "revoke", CUT_OFF, "done"),
        ("free-card", "revoke", CUT_OFF, "done"),
    ]
    with SqliteJournal.open_read_only(cutter.path, cutter.club.clock) as journal:
        lately = journal.memory(cutter.club.clock.now()).lately
    assert contact not in lately.get("revoke", frozenset()), "no guard counts it (§6)"
    line = audit_line(cutter)
    assert (line["event"], line["command"], line["cycle"]) == ("applied", "revoke", done.cycle_id)
    assert line["changes"] == [{"contact": contact, "class": "revoke", "outcome": "done"}]


def test_the_cut_off_is_on_record_before_the_controller_is_asked_anything(cutter: Cutter) -> None:
    def standing() -> list[int]:
        with SqliteJournal.open_read_only(cutter.path, cutter.club.clock) as journal:
            return [one.contact_id for one in journal.cut_offs().standing()]

    seen = cutter.at_request(1, standing, after=False)
    cutter.revoke(77)
    assert seen == [[77]]


def test_a_second_revoke_leaves_the_first_word(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    first = cutter.revoke(contact, reason="first")
    second = cutter.revoke(contact, reason="second")
    assert [one.is_new for one in (*first.standing, *second.standing)] == [True, False]
    assert second.standing[0].cut_off.reason == "first"
    assert second.exit_code == 0


def test_it_works_before_the_first_cycle(club: Club, tmp_path: Path) -> None:
    cutter = Cutter(club, tmp_path)
    contact = club.join(1001)
    assert cutter.revoke(contact).exit_code == 0
    assert cutter.cycle().ending is Ending.CLEAN
    assert not club.opens(1001)
    cutter.restore(contact)
    assert cutter.cycle().ending is Ending.CLEAN
    assert club.opens(1001)


def broken_before(cutter: Cutter) -> None:
    cutter.path.unlink()
    cutter.path.mkdir()


@pytest.mark.parametrize("number", [1, 2])
def test_without_a_journal_nothing_is_done_and_the_other_way_is_named(
    cutter: Cutter, number: int
) -> None:
    people = [member(cutter, 1001 + n) for n in range(number)]
    broken_before(cutter)
    with pytest.raises(JournalError, match=r"^Nothing was done: the journal") as caught:
        cutter.revoke(*people)
    named = " ".join(map(str, people))
    assert f"`door-sync revoke {named} --without-record`" in caught.value.remedy
    assert cutter.club.unifi.journal.requests() == ()


def test_a_journal_that_takes_only_some_says_who_is_on_record(cutter: Cutter) -> None:
    connection = sqlite3.connect(cutter.path)
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON cut_offs WHEN NEW.contact_id = 78 "
        "BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    connection.close()
    message = r"^Nothing was done but to put contact 77 on record: the journal"
    with pytest.raises(JournalError, match=message):
        cutter.revoke(77, 78, 79)
    assert cutter.club.unifi.journal.requests() == ()


def test_a_journal_that_breaks_on_the_way_says_what_stands(cutter: Cutter) -> None:
    contact = member(cutter, 1001)

    def lose_it() -> None:
        """Let the journal's tables go, so that the next write of it fails."""
        connection = sqlite3.connect(cutter.path)
        connection.execute("DROP TABLE steps")
        connection.close()

    cutter.at_request(1, lose_it, after=True)
    with pytest.raises(JournalError, match=r"^The cut-off is on record, but") as caught:
        cutter.revoke(contact)
    assert "--without-record" in caught.value.remedy
    assert cutter.club.writes() == 0, "no write without a record of it (P13)"


def test_without_a_record_the_controller_is_told_and_nothing_else_is_touched(
    cutter: Cutter,
) -> None:
    contact = member(cutter, 1001)
    before = {p: p.read_bytes() for p in cutter.directory.iterdir()}
    with cutter.club.parts() as parts:
        done = revoke_without_record(
            [ContactId(contact)], parts.controller, cutter.club.clock, Reason.of("x")
        )
    assert (done.people[0].fate, done.exit_code, done.is_on_record) == (Fate.CUT, 0, False)
    assert {p: p.read_bytes() for p in cutter.directory.iterdir()} == before
    assert not cutter.club.opens(1001)
    assert cutter.cycle().ending is Ending.CLEAN
    assert cutter.club.opens(1001), "it does not stick"


def test_an_audit_file_that_cannot_be_written_is_told_and_left_to_the_next_cycle(
    cutter: Cutter,
) -> None:
    contact = member(cutter, 1001)
    cutter.audit.unlink(missing_ok=True)
    cutter.audit.mkdir()
    done = cutter.revoke(contact)
    assert done.exit_code == 0
    assert len(done.troubles) == 1
    assert str(cutter.audit) in done.troubles[0]


def test_restoring_writes_nothing_to_the_controller(cutter: Cutter) -> None:
    contact = member(cutter, 1001)
    cutter.revoke(contact)
    cutter.club.forget()
    cutter.restore(contact)
    assert cutter.club.unifi.journal.requests() == ()
    assert not cutter.club.opens(1001)
    assert cutter.cycle().ending is Ending.CLEAN
    assert cutter.club.opens(1001)


def test_a_hold_keeps_nobody_in(cutter: Cutter) -> None:
    people = [member(cutter, 1001 + n) for n in range(5)]
    club = cutter.club
    club.habits = replace(club.habits, budgets=replace(club.habits.budgets, deactivate=0.01, few=0))
    for contact in people:
        club.lapse(contact)
    assert cutter.cycle().ending is Ending.HELD
    assert cutter.revoke(people[0]).exit_code == 0
    assert not club.opens(1001)
    assert club.opens(1002)

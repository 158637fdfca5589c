"""From a cycle's report to causes: contact ids alone, and what the cycle saw (P12, P14)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from door_sync.app.causes import (
    broken_channel,
    causes,
    fault_of_the_program,
    sights,
    undone,
    unusable_journal,
)
from door_sync.app.report import CycleReport, Ending
from door_sync.core.cards import CardNumber
from door_sync.core.causes import Cause, Identity
from door_sync.core.custody import RESTORED
from door_sync.core.decision import Decision
from door_sync.core.people import ContactId
from door_sync.core.steps import Blocked, Plan
from door_sync.core.tiers import ResolvedPolicies
from door_sync.journal.sqlite import SqliteJournal
from door_sync.notify.alerts import Sight
from door_sync.notify.flag import BY_HAND
from door_sync.notify.notifier import NotifyError
from door_sync.ports import (
    ControllerDistrusted,
    ControllerForbids,
    ControllerUnreachable,
    DoorSyncError,
    JournalError,
    SourceDistrusted,
    SourceUnreachable,
    WrongController,
)
from door_sync.unifi.binding import JUST_NOW
from tests.app.watching import DEACTIVATE, at_policies, at_status, bad_token, refused, settled
from tests.club import HABITS, Club

EVERYTHING = frozenset(Sight)


def ended(error: DoorSyncError | None = None, **more: object) -> CycleReport:
    """Return the report of a cycle that ended before anything was read."""
    started = datetime(2026, 11, 22, tzinfo=UTC)
    report = CycleReport(started, dry_run=False, key=bytes(32), cycle_id="1", error=error)
    return replace(report, **more)  # type: ignore[arg-type]  # fields by name


def identities(report: CycleReport) -> list[Identity]:
    return [cause.identity for cause in causes(report)]


def only(report: CycleReport) -> Cause:
    [cause] = causes(report)
    return cause


@pytest.mark.parametrize(
    ("error", "identity", "may_pass"),
    [
        (SourceUnreachable("No."), Identity.SOURCE, True),
        (SourceDistrusted("No."), Identity.SOURCE, False),
        (ControllerUnreachable("No."), Identity.TARGET, True),
        (ControllerDistrusted("No."), Identity.TARGET, False),
        (ControllerForbids("No."), Identity.TARGET, False),
        (WrongController("No."), Identity.TARGET, False),
        (JournalError("No."), Identity.JOURNAL, False),
        (DoorSyncError("No."), Identity.STOPPED, False),
    ],
)
def test_each_error_that_ends_a_cycle_has_its_cause_and_only_silence_may_pass(
    error: DoorSyncError, identity: Identity, may_pass: bool
) -> None:
    cause = only(ended(error))
    assert (cause.identity, cause.may_pass) == (identity, may_pass)
    assert "No." in cause.happened
    assert cause.doors
    assert cause.settles


def test_a_cycle_that_could_not_read_saw_its_journal_and_nothing_else() -> None:
    assert sights(ended(SourceUnreachable("No."))) == {Sight.JOURNAL}


def test_a_cycle_without_a_journal_saw_nothing() -> None:
    assert sights(ended(JournalError("No."))) == set()
    assert sights(ended(DoorSyncError("No."), cycle_id="")) == set()


def test_a_clean_cycle_saw_everything_and_has_no_cause(club: Club) -> None:
    club.join(1001)
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    assert causes(report) == []
    assert sights(report) == EVERYTHING


def held(club: Club) -> CycleReport:
    people = [club.join(1001 + n) for n in range(12)]
    settled(club)
    club.habits = HABITS
    for contact in people[:8]:
        club.lapse(contact)
    return club.cycle()


def test_a_hold_names_its_guard_its_digest_and_both_answers(club: Club) -> None:
    report = held(club)
    cause = only(report)
    assert cause.identity is Identity.HELD
    assert "Guard 'mass deactivation'" in cause.happened
    assert "people who left can still open doors" in cause.doors
    assert f"`door-sync approve {report.hold_digest}`" in cause.settles
    assert f"`door-sync reject {report.hold_digest}`" in cause.settles
    assert sights(report) == EVERYTHING - {Sight.WRITES}


def test_a_hold_that_no_word_can_settle_names_no_command_for_it(club: Club) -> None:
    club.join(1001)
    settled(club)
    club.habits = replace(
        club.habits,
        rules=tuple(
            replace(rule, target_policy="Nowhere") if rule.key == "Gold" else rule
            for rule in club.habits.rules
        ),
    )
    report = club.cycle()
    assert [one.guard for one in report.decision.objections] == ["unknown policy"]  # type: ignore[union-attr]  # a read cycle
    assert "door-sync approve" not in only(report).settles


def test_people_whose_changes_failed_are_named_by_their_ids(club: Club) -> None:
    contact = club.join(1001, first="Secretname")
    settled(club)
    club.lapse(contact)
    at_status(club, refused(), club.user_of(contact), DEACTIVATE)
    report = club.cycle()
    cause = only(report)
    assert cause.identity is Identity.PEOPLE_FAILED
    assert f"contact {contact}" in cause.happened
    assert "Secretname" not in str(cause)
    assert sights(report) == EVERYTHING


def test_a_cycle_that_broke_off_on_the_way_did_not_see_its_writes_through(club: Club) -> None:
    leaver, other = club.join(1001), club.join(1002)
    settled(club)
    club.lapse(leaver)
    club.retier(other, "Silver")
    at_policies(club, bad_token())
    report = club.cycle()
    assert identities(report) == [Identity.TARGET, Identity.PEOPLE_FAILED]
    assert "What was written before stays" in causes(report)[0].doors
    assert sights(report) == {Sight.JOURNAL, Sight.DECISION}


def test_a_blocked_card_is_a_cause_although_the_cycle_ends_clean(club: Club) -> None:
    club.add_user("", cards=[1001])
    contact = club.join(1001)
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    cause = only(report)
    assert cause.identity is Identity.BLOCKED
    assert f"contact {contact}" in cause.happened
    assert "1001" not in str(cause)


def blocked(reason: str = "an active user holds it", **how: bool) -> CycleReport:
    one = Blocked(ContactId(7), CardNumber(1001), reason, None, **how)
    decision = Decision(
        full=Plan(),
        plan=Plan(blocked=(one,)),
        held=frozenset(),
        objections=(),
        verdicts={},
        policies=ResolvedPolicies({}, ()),
        notices=(),
        missing=frozenset(),
        provisioning=False,
    )
    return ended(decision=decision)


def test_a_card_that_waits_for_a_hold_is_no_cause_of_its_own() -> None:
    assert identities(blocked(waits_for_hold=True)) == []
    assert identities(blocked()) == [Identity.BLOCKED]


@pytest.mark.parametrize("reason", [RESTORED, JUST_NOW])
def test_a_card_that_the_next_cycle_brings_is_none_either(reason: str) -> None:
    assert identities(blocked(reason)) == []


def test_who_has_no_working_card_at_all_is_said() -> None:
    assert "No working card at all: contact 7." in only(blocked(leaves_no_card=True)).doors
    assert "No working card" not in only(blocked()).doors


def test_memberships_that_ended_long_ago_are_a_cause(club: Club) -> None:
    contact = club.join(1001)
    for membership in club.memberships[contact]:
        club.civicrm.world.set_end_date(membership, date(2020, 1, 1))
    report = club.cycle()
    assert report.ending is Ending.CLEAN
    cause = only(report)
    assert cause.identity is Identity.STALE
    assert f"contact {contact}" in cause.happened
    assert "civicrm.stale" in cause.doors


def test_files_that_could_not_be_written_are_one_cause_each() -> None:
    report = ended(troubles=("cannot write state.json: full.", "cannot append: full."))
    assert identities(report) == [Identity.FILES, Identity.FILES]


def test_a_fault_of_the_program_tells_its_class_alone() -> None:
    cause = fault_of_the_program(ZeroDivisionError("with a name in it"))
    assert "ZeroDivisionError" in cause.happened
    assert "name" not in str(cause)


def test_a_broken_channel_names_the_command_that_tries_it() -> None:
    cause = broken_channel(NotifyError("no answer", code="timeout"))
    assert cause.happened == "An alert could not be sent: No answer."
    assert cause.settles.startswith("`door-sync notify-test`")


def test_what_something_undoes_is_told_once_per_contact() -> None:
    cause = undone([(ContactId(7), "policy"), (ContactId(7), "card"), (ContactId(9), "card")])
    assert "(card, policy) for contacts 7, 9" in cause.happened


def test_an_unusable_journal_says_that_revocations_are_not_happening(tmp_path: Path) -> None:
    """§7, with an error as a real journal gives it."""
    with pytest.raises(JournalError) as caught:
        SqliteJournal.open(tmp_path, clock=None)  # type: ignore[arg-type]  # fails before any clock is read
    cause = unusable_journal(caught.value)
    assert str(tmp_path) in cause.happened
    assert "it is a directory" in cause.happened
    assert "Revocations are not happening" in cause.doors
    assert caught.value.remedy in cause.settles
    assert cause.settles.endswith(BY_HAND)


def test_a_journal_error_without_a_remedy_still_tells_the_way_out() -> None:
    cause = unusable_journal(JournalError("the journal was opened for reading alone"))
    assert cause.settles == BY_HAND

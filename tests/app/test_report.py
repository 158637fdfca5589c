"""How a report names an ending, a reason and a plan."""

from dataclasses import replace
from datetime import UTC, datetime

from door_sync.app.report import CycleReport, Ending
from door_sync.core.cards import CardNumber
from door_sync.core.decision import Decision
from door_sync.core.guards import Objection, Scope
from door_sync.core.people import ContactId
from door_sync.core.steps import Blocked, Change, ChangeClass, Notice, NoticeKind, Plan
from door_sync.core.tiers import ResolvedPolicies
from door_sync.ports import SourceUnreachable
from door_sync.unifi.ledger import Ledger

KEY = bytes(32)
CHANGE = Change(ContactId(7), ChangeClass.POLICY, "tier Gold", ())
OTHER = Change(ContactId(8), ChangeClass.GRANT, "joined tier Gold", ())
OBJECTION = Objection("mass addition", Scope.CLASS, "many of few", "raise it")


def report(**parts: object) -> CycleReport:
    bare = CycleReport(datetime(2026, 1, 1, tzinfo=UTC), dry_run=False, key=KEY)
    return replace(bare, **parts)  # type: ignore[arg-type]  # parts of a report


def decision(*objections: Objection, running: Plan, full: Plan | None = None) -> Decision:
    full = full or running
    held = {(c.contact_id, c.change_class) for c in full.changes if c not in running.changes}
    return Decision(
        full=full,
        plan=running,
        held=frozenset(held),
        objections=objections,
        verdicts={},
        policies=ResolvedPolicies({}, ()),
        notices=(),
        missing=frozenset(),
        provisioning=False,
    )


def ledger(*failed: Change) -> Ledger:
    made = Ledger()
    made.open([CHANGE, OTHER])
    for change in failed:
        made.of(change).problems.append("it failed")
    return made


def test_an_ending_is_the_exit_code_of_the_command_line() -> None:
    assert [ending.value for ending in (Ending.CLEAN, Ending.HELD, Ending.FAILED)] == [0, 1, 2]
    assert Ending.PARTIAL.value == 3


def test_a_cycle_without_a_decision_or_an_error_had_nothing_to_do() -> None:
    bare = report()
    assert bare.ending is Ending.CLEAN
    assert bare.plan == Plan()
    assert bare.digest() == ""
    assert bare.reason() == ""
    assert set(bare.summary().values()) == {0}
    assert bare.notices == ()
    assert bare.blocked == ()


def test_an_error_outranks_a_hold_and_a_hold_outranks_failures() -> None:
    running = decision(OBJECTION, running=Plan((CHANGE,)))
    error = SourceUnreachable("CiviCRM gave no answer")
    assert report(decision=running, ledger=ledger(CHANGE), error=error).ending is Ending.FAILED
    assert report(decision=running, ledger=ledger(CHANGE)).ending is Ending.HELD
    unheld = decision(running=Plan((CHANGE,)))
    assert report(decision=unheld, ledger=ledger(CHANGE)).ending is Ending.PARTIAL
    assert report(decision=unheld, ledger=ledger()).ending is Ending.CLEAN
    assert report(decision=unheld, ledger=ledger(), troubles=("x",)).ending is Ending.FAILED


def test_the_reason_is_what_needs_a_person_most() -> None:
    running = decision(OBJECTION, OBJECTION, running=Plan((CHANGE,)))
    error = SourceUnreachable("CiviCRM gave no answer")
    full = report(decision=running, ledger=ledger(CHANGE), error=error, troubles=("no disk",))
    assert full.reason() == "CiviCRM gave no answer"
    assert replace(full, error=None).reason() == (
        "mass addition: many of few; mass addition: many of few"
    )
    failing = replace(full, error=None, decision=decision(running=Plan((CHANGE,))))
    assert failing.reason() == "changes failed for contact 7"
    assert replace(failing, ledger=ledger(CHANGE, OTHER)).reason() == (
        "changes failed for contacts 7, 8"
    )
    twice = replace(CHANGE, change_class=ChangeClass.CARD)
    both = Ledger()
    both.open([CHANGE, twice])
    for change in (CHANGE, twice):
        both.of(change).problems.append("it failed")
    assert replace(failing, ledger=both).reason() == "changes failed for contact 7"
    assert replace(failing, ledger=None).reason() == "no disk"


def test_the_digest_names_what_ran_or_else_what_is_held() -> None:
    full = Plan((CHANGE, OTHER))
    in_part = report(decision=decision(OBJECTION, running=Plan((CHANGE,)), full=full))
    wholly = report(decision=decision(OBJECTION, running=Plan(), full=full))
    nothing = report(decision=decision(running=Plan()))
    assert in_part.digest() == Plan((CHANGE,)).digest(KEY)
    assert wholly.digest() == wholly.hold_digest != ""
    assert nothing.hold_digest == ""
    assert nothing.digest() == Plan().digest(KEY)


def test_what_was_found_late_stands_behind_what_was_planned() -> None:
    early = Notice(NoticeKind.UNKNOWN, "early")
    late = Notice(NoticeKind.RECLAIM, "late", ContactId(7))
    blocked = Blocked(ContactId(8), CardNumber(1001), "somebody has it")
    acted = ledger()
    acted.warnings.append(late)
    acted.blocked.append(blocked)
    planned = decision(running=Plan((CHANGE,), blocked=(blocked,)))
    made = report(decision=replace(planned, notices=(early,)), ledger=acted)
    assert made.notices == (early, late)
    assert made.blocked == (blocked, blocked)
    assert report(decision=replace(planned, notices=(early,))).notices == (early,)


def test_a_report_prints_neither_its_key_nor_what_was_read() -> None:
    assert "key" not in repr(report())
    assert "world" not in repr(report())

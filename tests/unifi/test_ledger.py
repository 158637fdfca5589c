"""What became of each step, and whose change that decides (P6, P10)."""

import pytest

from door_sync.core.controller import UserId, UserStatus
from door_sync.core.people import ContactId
from door_sync.core.steps import ActivateUser, Change, ChangeClass, PlannedStep
from door_sync.unifi.ledger import Ledger, Outcome
from tests.core.builders import ACTIVE, DEACTIVATED, MANAGED, user

ANN = Change(ContactId(1), ChangeClass.RESTORE, "rejoined", (ActivateUser(UserId("a")),))
BOB = Change(ContactId(2), ChangeClass.CARD, "another card", (ActivateUser(UserId("b")),))
A, B = UserId("a"), UserId("b")


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.open([BOB, ANN])
    return made


def note(ledger: Ledger, change: Change, outcome: Outcome, detail: str = "") -> None:
    ledger.note(PlannedStep(change.steps[0], change), outcome, detail)


def expect_active(ledger: Ledger, user_id: UserId, change: Change) -> None:
    ledger.expect(user_id, change).status = UserStatus.ACTIVE


@pytest.mark.parametrize(
    ("outcome", "is_done", "has_effect"),
    [
        (Outcome.DONE, True, True),
        (Outcome.NOT_NEEDED, True, True),
        (Outcome.TOLERATED, True, True),
        (Outcome.LEFT_OUT, True, False),
        (Outcome.BLOCKED, True, False),
        (Outcome.PASSED_OVER, True, False),
        (Outcome.UNCERTAIN, False, True),
        (Outcome.FAILED, False, True),
    ],
)
def test_an_outcome_decides_what_its_change_comes_to(
    ledger: Ledger, outcome: Outcome, is_done: bool, has_effect: bool
) -> None:
    note(ledger, ANN, outcome, "why")
    assert ledger.of(ANN).is_done is is_done
    assert ledger.of(ANN).has_effect is has_effect
    assert [(one.outcome, one.detail) for one in ledger.results] == [(outcome, "why")]


def test_a_change_of_which_nothing_is_known_is_neither_failed_nor_of_any_effect(
    ledger: Ledger,
) -> None:
    assert ledger.failed == ()
    assert not ledger.of(ANN).has_effect


def test_the_failed_changes_come_by_contact_id(ledger: Ledger) -> None:
    note(ledger, BOB, Outcome.FAILED)
    note(ledger, ANN, Outcome.UNCERTAIN)
    assert [result.change for result in ledger.failed] == [ANN, BOB]


def test_a_proof_settles_the_doubts_about_a_user(ledger: Ledger) -> None:
    note(ledger, ANN, Outcome.UNCERTAIN, "no answer")
    expect_active(ledger, A, ANN)
    assert ledger.prove(A, user("a", 1, ACTIVE), MANAGED)
    assert ledger.of(ANN).is_done
    assert not ledger.of(ANN).is_unproven


def test_a_proof_settles_nothing_for_a_change_that_was_stopped(ledger: Ledger) -> None:
    note(ledger, ANN, Outcome.UNCERTAIN, "no answer")
    ledger.of(ANN).is_stopped = True
    expect_active(ledger, A, ANN)
    assert ledger.prove(A, user("a", 1, ACTIVE), MANAGED)
    assert not ledger.of(ANN).is_done
    assert ledger.of(ANN).doubts == ["no answer"]


def test_a_proof_settles_nothing_for_others(ledger: Ledger) -> None:
    note(ledger, BOB, Outcome.UNCERTAIN)
    expect_active(ledger, A, ANN)
    ledger.prove(A, user("a", 1, ACTIVE), MANAGED)
    assert not ledger.of(BOB).is_done


def test_a_proof_takes_no_failure_back(ledger: Ledger) -> None:
    note(ledger, ANN, Outcome.FAILED, "refused")
    expect_active(ledger, A, ANN)
    ledger.prove(A, user("a", 1, ACTIVE), MANAGED)
    assert ledger.of(ANN).problems == ["refused"]


def test_what_does_not_match_is_a_problem_of_every_change_of_that_user(ledger: Ledger) -> None:
    expect_active(ledger, A, ANN)
    expect_active(ledger, A, BOB)
    assert not ledger.prove(A, user("a", 1, DEACTIVATED), MANAGED)
    for change in (ANN, BOB):
        assert ledger.of(change).problems == ["user a: the status reads DEACTIVATED, not ACTIVE"]
        assert ledger.of(change).is_unproven


def test_a_change_with_two_users_needs_both_proofs(ledger: Ledger) -> None:
    note(ledger, ANN, Outcome.UNCERTAIN)
    expect_active(ledger, A, ANN)
    expect_active(ledger, B, ANN)
    ledger.prove(A, user("a", 1, ACTIVE), MANAGED)
    ledger.prove(B, user("b", 1, DEACTIVATED), MANAGED)
    assert not ledger.of(ANN).is_done


def test_what_cannot_be_read_back_is_a_problem_of_every_change_of_that_user(
    ledger: Ledger,
) -> None:
    expect_active(ledger, A, ANN)
    ledger.cannot_prove(A, "no answer")
    assert ledger.of(ANN).problems == ["user a could not be read back: no answer"]
    assert ledger.of(ANN).is_unproven
    assert ledger.of(BOB).is_done


def test_the_expectations_of_a_user_add_up_over_its_changes(ledger: Ledger) -> None:
    ledger.expect(A, ANN).status = UserStatus.ACTIVE
    ledger.expect(A, BOB).first_name = "Other"
    assert ledger.proofs[A].status is UserStatus.ACTIVE
    assert ledger.proofs[A].first_name == "Other"

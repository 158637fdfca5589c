"""Who must lose access, and of whom that is over: what revocation time is measured by (P10)."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from door_sync.core.controller import User, UserStatus
from door_sync.core.decision import Remembered, World, decide
from door_sync.core.guards import Budgets
from door_sync.core.leavers import Leavers, leavers
from door_sync.core.people import ContactId, Member
from door_sync.core.steps import ChangeClass
from tests.core.builders import (
    ACTIVE,
    DEACTIVATED,
    NO_STATUS,
    PENDING,
    member,
    membership,
    user,
)
from tests.core.deciding import HABITS, NOTHING, gold, settled, world

ONE = ContactId(1)
STAYS, STAYING_CARD = settled(9)


def club(answer: Iterable[Member], *users: User) -> World:
    """Contact 9 is a member who stays, so that the source is not empty."""
    return world([gold(9)], [STAYS, *users], [STAYING_CARD], answered=answer)


def found(world_: World, remembered: Remembered = NOTHING, *waiting: int) -> Leavers:
    decision = decide(world_, HABITS, remembered)
    return leavers(decision, world_.snapshot, frozenset(map(ContactId, waiting)))


@pytest.mark.parametrize("status", [ACTIVE, PENDING, NO_STATUS])
@pytest.mark.parametrize("waiting", [(), (1,)])
def test_whoever_would_be_revoked_is_learned_of_and_waited_for(
    status: UserStatus, waiting: tuple[int, ...]
) -> None:
    left = club([member(1)], replace(user("u1", 1), status=status))
    assert found(left, NOTHING, *waiting) == Leavers(learned=frozenset({ONE}))


def test_a_revocation_that_a_guard_holds_is_learned_of_too() -> None:
    people = [user(f"u{number}", number) for number in range(1, 6)]
    left = club([member(number) for number in range(1, 6)], *people)
    decision = decide(left, replace(HABITS, budgets=Budgets(few=3)), NOTHING)
    assert len(decision.held_plan.of_class(ChangeClass.REVOKE)) == 5
    assert len(leavers(decision, left.snapshot, ()).learned) == 5


@pytest.mark.parametrize(
    "users", [[], [user("u1", 1, DEACTIVATED)], [user("u1", 1, DEACTIVATED)] * 2]
)
@pytest.mark.parametrize("answer", [[], [member(1)], [gold(1)]])
def test_a_read_without_an_open_user_is_proof_whatever_civicrm_says_by_now(
    users: list[User], answer: list[Member]
) -> None:
    left = club(answer, *users)
    assert found(left, NOTHING, 1) == Leavers(shut=frozenset({ONE}))
    assert found(left, NOTHING) == Leavers()


def test_an_accepted_revocation_of_a_user_without_status_is_proof() -> None:
    left = club([member(1)], user("u1", 1, NO_STATUS))
    settled_ = replace(NOTHING, settled=frozenset({left.snapshot.users[1].id}))
    assert found(left, settled_, 1) == Leavers(shut=frozenset({ONE}))


@pytest.mark.parametrize("answer", [gold(1), member(1, membership("Day"))])
def test_whoever_should_keep_access_after_all_is_not_waited_for(answer: Member) -> None:
    left = club([answer], user("u1", 1))
    assert found(left, NOTHING, 1) == Leavers(entitled=frozenset({ONE}))


def test_what_nobody_knows_ends_no_wait() -> None:
    """Neither a contact that CiviCRM did not return, nor a membership without a rule (P1)."""
    assert found(club([], user("u1", 1)), NOTHING, 1) == Leavers()
    mapped = club([member(1, membership("Unruled"))], user("u1", 1))
    assert found(mapped, NOTHING, 1) == Leavers()


def test_a_doubted_read_makes_nobody_entitled_but_proves_what_the_controller_shows() -> None:
    shrunk = replace(NOTHING, last_contacts=100)
    left = club([gold(1), gold(2)], user("u1", 1), user("u2", 2, DEACTIVATED))
    assert decide(left, HABITS, shrunk).is_in_doubt
    assert found(left, shrunk, 1, 2) == Leavers(shut=frozenset({ContactId(2)}))

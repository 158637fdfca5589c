"""A plan that a person looked at, beside what would be written now (§6)."""

from door_sync.core.cards import CardNumber
from door_sync.core.controller import UserId
from door_sync.core.drift import Drift, drift, seen
from door_sync.core.people import ContactId
from door_sync.core.steps import BindCard, ReclaimCard
from tests.core.approving import KEY, OTHER_KEY, change, grant, other_card, plan_of, revoke
from tests.core.builders import token
from tests.core.guarding import CARD, GRANT, REVOKE


def test_nothing_has_drifted_between_equal_plans() -> None:
    plan = plan_of(revoke(1), grant(2))
    found = drift(seen(plan, KEY), seen(plan, KEY))
    assert found == Drift()
    assert not found


def test_what_came_went_and_differs_is_told_by_contact_and_class() -> None:
    before = plan_of(grant(9), revoke(3), other_card(4, 5))
    now = plan_of(grant(8), revoke(1), grant(1), other_card(4, 6))
    found = drift(seen(before, KEY), seen(now, KEY))
    came = ((ContactId(1), REVOKE), (ContactId(1), GRANT), (ContactId(8), GRANT))
    assert found.came == came
    assert found.went == ((ContactId(3), REVOKE), (ContactId(9), GRANT))
    assert found.differs == ((ContactId(4), CARD),)
    assert found


def test_other_steps_to_the_same_end_are_a_difference_here() -> None:
    """Who applies a plan that he looked at gets those writes, or none."""
    who, number = UserId("u1"), CardNumber(5)
    bind = change(1, CARD, BindCard(who, token(5), number))
    force = change(1, CARD, ReclaimCard(who, token(5), number, UserId("left")))
    assert drift(seen(plan_of(bind), KEY), seen(plan_of(force), KEY)).differs
    again = change(1, CARD, *bind.steps, *bind.steps)
    assert drift(seen(plan_of(bind), KEY), seen(plan_of(again), KEY)).differs


def test_what_is_compared_is_keyed() -> None:
    plan = plan_of(other_card(1, 54321))
    assert seen(plan, KEY) != seen(plan, OTHER_KEY)
    assert "54321" not in repr(seen(plan, KEY))


def test_one_difference_of_any_kind_is_a_drift() -> None:
    one = ((ContactId(1), CARD),)
    assert Drift(came=one)
    assert Drift(went=one)
    assert Drift(differs=one)

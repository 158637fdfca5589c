"""What a person said no to stays held, however little it is, until it is settled (§6)."""

from door_sync.core.approvals import REFUSED, Approval, Approvals, Refusal, effects, refusal_of
from door_sync.core.guards import Scope, held_changes
from door_sync.core.people import ContactId
from door_sync.core.steps import Change, ChangeClass
from tests.core.approving import KEY, grant, held, many, other_card, plan_of, revoke


def refusal(*changes: Change, number: int = 7) -> Refusal:
    """A refusal of everything that these changes do."""
    digests = frozenset(one.digest for change in changes for one in effects(change, KEY))
    return Refusal(digests, number)


def test_nothing_is_refused_where_nobody_said_no() -> None:
    assert Approvals(KEY).refused(plan_of(revoke(1), grant(2))) == frozenset()


def test_a_change_that_does_something_refused_is_refused_as_a_whole() -> None:
    """Whose policy was refused does not get the card of the same change either."""
    said = Approvals(KEY, refusals=[refusal(grant(2))])
    assert said.refused(plan_of(revoke(1), grant(2), grant(3))) == {
        (ContactId(2), ChangeClass.GRANT)
    }


def test_what_would_be_done_instead_is_not_what_was_refused() -> None:
    said = Approvals(KEY, refusals=[refusal(other_card(2, 1002))])
    assert said.refused(plan_of(other_card(2, 1003))) == frozenset()


def test_an_older_approval_does_not_let_pass_what_was_refused() -> None:
    hold = held(plan_of(revoke(1), revoke(2)), many([ChangeClass.REVOKE]))
    said = Approvals(KEY, [Approval(hold)], [refusal(revoke(1))])
    assert said.passing(plan_of(revoke(1), revoke(2))) == {(ContactId(2), ChangeClass.REVOKE)}


def test_a_refusal_holds_these_changes_and_names_the_people() -> None:
    names = frozenset({(ContactId(5), ChangeClass.REVOKE), (ContactId(3), ChangeClass.GRANT)})
    objection = refusal_of(names)
    assert (objection.guard, objection.scope) == (REFUSED, Scope.CLASS)
    assert objection.text.endswith("contacts 3, 5")
    assert objection.is_approvable
    plan = plan_of(revoke(5), revoke(6), grant(3))
    assert held_changes(plan, [objection]) == names


def test_a_refusal_ends_when_nothing_asks_for_it_any_more() -> None:
    said = Approvals(KEY, refusals=[refusal(revoke(1), number=7), refusal(revoke(2), number=8)])
    assert said.used_up(plan_of(revoke(2)), []) == (7,)

"""What a person said no to stays held, however little it is, until it is settled (§6)."""

from collections.abc import Collection

from door_sync.core.approvals import REFUSED, Approval, Approvals, Refusal, effects, refusal_of
from door_sync.core.guarding import Guarded, guard
from door_sync.core.guards import Scope, held_changes
from door_sync.core.people import ContactId
from door_sync.core.planner import plan
from door_sync.core.situation import Held, Site
from door_sync.core.steps import Change, ChangeClass
from tests.core.approving import KEY, grant, held, many, names, other_card, plan_of, revoke
from tests.core.builders import DEACTIVATED, card, deny, site, user
from tests.core.builders import grant as grant_of
from tests.core.builders import held as bound_to
from tests.core.guarding import ALL_IS_WELL, DEFAULTS


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
    refused = frozenset({(ContactId(5), ChangeClass.REVOKE), (ContactId(3), ChangeClass.GRANT)})
    objection = refusal_of(refused)
    assert (objection.guard, objection.scope) == (REFUSED, Scope.CLASS)
    assert objection.text.endswith("contacts 3, 5")
    assert objection.is_approvable
    waiting = plan_of(revoke(5), revoke(6), grant(3))
    assert held_changes(waiting, [objection]) == refused


def test_a_refusal_ends_when_nothing_asks_for_it_any_more() -> None:
    said = Approvals(KEY, refusals=[refusal(revoke(1), number=7), refusal(revoke(2), number=8)])
    assert said.used_up(plan_of(revoke(2)), []) == (7,)


# Between guards and approvals.


def look(
    club: Site,
    *refusals: Refusal,
    approvals: Collection[Approval] = (),
) -> Guarded:
    """What runs of a club's plan after a person said no to something."""
    said = Approvals(KEY, [*approvals], refusals)
    return guard(plan(club), club, ALL_IS_WELL, DEFAULTS, said, ())


def leavers(count: int) -> Site:
    people = range(1, count + 1)
    return site([deny(n) for n in people], [user(f"u{n}", n) for n in people])


def change_of(club: Site, contact: int, hold: Held = frozenset()) -> Change:
    """What happens to this contact while something is held."""
    [change] = [one for one in plan(club, hold).changes if one.contact_id == contact]
    return change


def test_what_was_refused_is_held_and_the_others_go_on() -> None:
    club = leavers(3)
    result = look(club, refusal(change_of(club, 2)))
    assert names(result.plan.changes) == {(1, ChangeClass.REVOKE), (3, ChangeClass.REVOKE)}
    assert result.held == {(ContactId(2), ChangeClass.REVOKE)}
    [objection] = result.standing
    assert (objection.guard, objection.changes) == (REFUSED, result.held)


def test_what_a_guard_holds_anyway_is_not_said_to_be_refused_besides() -> None:
    club = leavers(20)
    result = look(club, refusal(change_of(club, 2)))
    assert [one.guard for one in result.standing] == ["mass deactivation"]
    assert result.plan.changes == ()


def test_what_a_guard_leaves_of_the_refused_is_refused_beside_it() -> None:
    """The guard holds the new people, and the refusal a leaver."""
    club = site(
        [deny(1), *(grant_of(n) for n in range(2, 32))],
        [user("u1", 1)],
    )
    result = look(club, refusal(change_of(club, 1), change_of(club, 2)))
    assert [one.guard for one in result.standing] == ["mass addition", REFUSED]
    assert result.standing[1].changes == {(ContactId(1), ChangeClass.REVOKE)}
    assert result.plan.changes == ()


def test_what_a_refusal_makes_possible_can_be_refused_as_well() -> None:
    """Contact 9 waits for a card on a user who is to be restored (R3). That restore was refused, so
    the card could be reclaimed from him; and that contact 9 gets it was refused too."""
    club = site(
        [grant_of(9, 1009), grant_of(20, 1020)],
        [user("u20", 20, DEACTIVATED)],
        [card(1009, bound_to("u20"), ours=False)],
    )
    restored = (ContactId(20), ChangeClass.RESTORE)
    gets_card = {
        one.digest
        for one in effects(change_of(club, 9, frozenset({restored})), KEY)
        if one.kind == "get-card"
    }
    result = look(club, refusal(change_of(club, 20)), Refusal(frozenset(gets_card)))
    assert result.plan.changes == ()
    [objection] = result.standing
    assert objection.changes == {restored, (ContactId(9), ChangeClass.GRANT)}
    assert objection.changes == result.held


def test_what_no_approval_speaks_of_has_not_outgrown_one() -> None:
    """Contact 1 was approved as a leaver; that he gets another name now is nobody's growth."""
    before = site([deny(1)], [user("u1", 1)])
    hold = held(plan(before), many([ChangeClass.REVOKE]))
    club = site([grant_of(1, 1001, first="New"), deny(2)], [user("u1", 1), user("u2", 2)])
    assert look(club, approvals=[Approval(hold)]).grown == ()


def test_where_approvals_are_not_asked_nothing_is_refused() -> None:
    club = leavers(2)
    assert guard(plan(club), club, ALL_IS_WELL, DEFAULTS, None, ()) == Guarded(plan(club))


def test_the_people_of_a_refusal_are_named_in_order() -> None:
    some = frozenset((ContactId(n), ChangeClass.REVOKE) for n in (8, 16, 1, 3))
    assert refusal_of(some).text.endswith("contacts 1, 3, 8, 16")

"""A plan between guards and approvals (§6): what runs was approved, or no guard minds it."""

from dataclasses import replace

from door_sync.core.approvals import Approval, Approvals, hold_of
from door_sync.core.guarding import Guarded, guard
from door_sync.core.guards import Budgets, Evidence
from door_sync.core.people import ContactId
from door_sync.core.planner import plan
from door_sync.core.situation import Site
from door_sync.core.steps import ChangeClass, ReclaimCard
from tests.core.approving import KEY, names, told
from tests.core.builders import (
    DEACTIVATED,
    GOLD,
    card,
    grant,
    held,
    of_kind,
    site,
    user,
)
from tests.core.guarding import ALL_IS_WELL, CARD, GRANT

STRICT = Budgets(deactivate=0, add=0, policy=0, card=0, profile=0, few=0)
"""Every change is one too many."""


def look(
    club: Site,
    approvals: Approvals | None = None,
    budgets: Budgets = STRICT,
    cut_off: frozenset[ContactId] = frozenset(),
    evidence: Evidence = ALL_IS_WELL,
) -> Guarded:
    return guard(plan(club), club, evidence, budgets, approvals, cut_off)


def approve(
    club: Site,
    result: Guarded,
    classes: frozenset[ChangeClass] = frozenset(),
    contacts: frozenset[ContactId] = frozenset(),
) -> Approval:
    """A person's yes to what this look held."""
    full = plan(club)
    waits = full.only([c for c in full.changes if (c.contact_id, c.change_class) in result.held])
    hold = hold_of(waits, result.standing, KEY)
    assert hold is not None
    return Approval(hold, classes, contacts)


def waiting_for_a_card() -> Site:
    """Contact 9 waits for a card that is stuck on a user who is to be restored. While that restore
    is held, he counts as deactivated, and the card could be reclaimed from him (R3)."""
    return site(
        [grant(9, 1009), grant(20, 1020)],
        [user("u20", 20, DEACTIVATED)],
        [card(1009, held("u20"), ours=False)],
    )


def test_an_approved_change_does_no_more_than_what_was_approved_of_it() -> None:
    """The card was not in the plan that a person looked at, though the new user was."""
    club = waiting_for_a_card()
    first = look(club)
    assert (9, GRANT) in names(plan(club).changes)
    assert told(plan(club).changes) >= told(first.plan.changes)
    yes = approve(club, first, contacts=frozenset({ContactId(9)}))
    result = look(club, Approvals(KEY, [yes]))
    allowed = {effect.digest for effect in yes.allowed()}
    assert told(result.plan.changes) <= allowed
    assert of_kind(result.plan, ReclaimCard) == []


def reclaims_beside(others: int) -> Site:
    """Members who were given cards by hand that come to be reclaimable while a restore is held,
    and as many members whose new cards are simply there."""
    back = [user(f"u{n}", n, DEACTIVATED) for n in range(20, 20 + others)]
    stuck = [card(1000 + n, held(f"u{20 + n}"), ours=False) for n in range(others)]
    waiting = [user(f"u{n}", 1000 + n, policies=[GOLD]) for n in range(others)]
    members = [user(f"u{n}", n, policies=[GOLD]) for n in range(1, 1 + others)]
    return site(
        [
            *(grant(n, 2000 + n) for n in range(1, 1 + others)),
            *(grant(n, 3000 + n) for n in range(20, 20 + others)),
            *(grant(1000 + n, 1000 + n) for n in range(others)),
        ],
        [*back, *members, *(replace(one, id=type(one.id)(f"w{one.id}")) for one in waiting)],
        [*stuck, *(card(2000 + n) for n in range(1, 1 + others))],
    )


def test_what_a_hold_makes_possible_is_asked_about_though_that_guard_was_settled() -> None:
    club = reclaims_beside(4)
    first = look(club)
    assert {one.guard for one in first.standing} == {"mass addition", "mass card change"}
    yes = approve(club, first, classes=frozenset({CARD}))
    result = look(club, Approvals(KEY, [yes]))
    assert names(result.plan.changes) == {(n, CARD) for n in range(1, 5)}
    assert of_kind(result.plan, ReclaimCard) == []

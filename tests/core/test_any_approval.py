"""Whatever persons approved and whatever the guards find: what approvals never do (§6)."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.approvals import Approval, Approvals, Hold
from door_sync.core.guards import Objection, Scope, held_changes
from door_sync.core.people import ContactId
from door_sync.core.situation import Held
from door_sync.core.steps import Change, ChangeClass, Plan
from tests.core.approving import (
    KEY,
    doubt,
    grant,
    held,
    many,
    other_card,
    other_name,
    other_policy,
    restore,
    revoke,
    told,
)
from tests.core.builders import SILVER
from tests.core.guarding import CARD, GRANT, POLICY, PROFILE, RESTORE, REVOKE

PEOPLE = (1, 2, 3, 4)
POOL: list[Change] = [
    one
    for n in PEOPLE
    for one in (
        revoke(n),
        grant(n),
        grant(n, 999),
        restore(n),
        other_policy(n, SILVER),
        other_card(n, 5),
        other_card(n, 6),
        other_name(n),
    )
]
GUARDS = [
    many([REVOKE], Scope.CYCLE),
    many([REVOKE], Scope.CYCLE, "mass revoke in 24 hours"),
    many([GRANT, RESTORE]),
    many([CARD]),
    many([POLICY]),
    many([PROFILE], Scope.CYCLE),
    doubt(3),
    doubt(2, "bad card"),
    doubt(0, "people vanished"),
]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any changes, but one of a class for each contact."""
    some = draw(st.lists(st.sampled_from(POOL), max_size=8))
    return Plan(tuple({(one.contact_id, one.change_class): one for one in some}.values()))


@st.composite
def findings(draw: st.DrawFn, plan: Plan) -> Sequence[Objection]:
    """Objections to this plan: each counts something of it, or doubts a read more or less."""
    classes = {one.change_class for one in plan.changes}
    some = draw(st.lists(st.sampled_from(GUARDS), max_size=3, unique=True))
    return [
        one if one.classes else replace(one, extent=draw(st.integers(0, 4)))
        for one in some
        if not one.classes or classes.intersection(one.classes)
    ]


@st.composite
def words(draw: st.DrawFn) -> Approvals:
    """What persons said to up to three holds."""
    given_: list[Approval] = []
    for _ in range(draw(st.integers(1, 3))):
        plan = draw(plans())
        found = draw(findings(plan)) or [doubt(0)]
        classes = draw(
            st.just(frozenset[ChangeClass]()) | st.frozensets(st.sampled_from(ChangeClass))
        )
        contacts = draw(st.just(frozenset[int]()) | st.frozensets(st.sampled_from(PEOPLE)))
        given_.append(Approval(held(plan, *found), classes, frozenset(map(ContactId, contacts))))
    return Approvals(KEY, given_)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Plan, Sequence[Objection], Approvals]:
    """A plan, what is found about it, and approvals; often of that very plan, or of more."""
    plan = draw(plans())
    found = draw(findings(plan))
    approvals = draw(words())
    is_own: bool = draw(st.booleans())
    if found and is_own:
        more = draw(st.lists(st.sampled_from(POOL), max_size=2))
        hold = held(Plan((*plan.changes, *more)), *found)
        contacts = draw(st.sampled_from([(), (), (1, 2)]))
        own = Approval(hold, contacts=frozenset(map(ContactId, contacts)))
        approvals = Approvals(KEY, [*approvals.given, own])
    return plan, found, approvals


def runs(plan: Plan, found: Sequence[Objection], allowed: Held = frozenset()) -> Held:
    """What of the plan is not held."""
    stopped = held_changes(plan, found) - allowed
    return frozenset((c.contact_id, c.change_class) for c in plan.changes) - stopped


@given(cases())
def test_what_runs_without_approval_is_never_more_than_with_it(
    case: tuple[Plan, Sequence[Objection], Approvals],
) -> None:
    plan, found, approvals = case
    ruling = approvals.rule(plan, found)
    assert runs(plan, found) <= runs(plan, ruling.standing, ruling.allowed)
    assert sorted(o.guard for o in (*ruling.standing, *ruling.settled)) == sorted(
        o.guard for o in found
    )


@given(cases())
def test_whatever_is_allowed_was_in_one_approval(
    case: tuple[Plan, Sequence[Objection], Approvals],
) -> None:
    plan, found, approvals = case
    allowed = approvals.rule(plan, found).allowed
    may = [{effect.digest for effect in one.allowed()} for one in approvals.given]
    for change in plan.changes:
        if (change.contact_id, change.change_class) in allowed:
            assert any(told([change]) <= one for one in may)


@given(cases())
def test_nothing_is_allowed_while_an_objection_of_the_cycle_has_no_approval(
    case: tuple[Plan, Sequence[Objection], Approvals],
) -> None:
    plan, found, approvals = case
    ruling = approvals.rule(plan, found)
    for objection in found:
        if objection.scope is Scope.CYCLE and not any(
            covers(one.hold, objection, plan) for one in approvals.given
        ):
            assert ruling.is_in_doubt
            assert ruling.allowed == frozenset()
            assert ruling.standing == tuple(found)


def covers(hold: Hold, objection: Objection, plan: Plan) -> bool:
    """The rule in one line, for comparison."""
    counted = plan.of_class(*objection.classes) if objection.classes else plan.changes
    in_it = told(counted) <= {effect.digest for effect in hold.effects}
    as_bad = bool(objection.classes) or objection.extent <= hold.guards.get(objection.guard, -1)
    return in_it and as_bad and objection.guard != "people vanished"


@given(cases(), st.data())
def test_less_of_an_approved_plan_is_not_held_by_a_guard_that_let_the_whole_pass(
    case: tuple[Plan, Sequence[Objection], Approvals], data: st.DataObject
) -> None:
    plan, found, approvals = case
    before = approvals.rule(plan, found)
    less = Plan(tuple(data.draw(st.lists(st.sampled_from(plan.changes or POOL), unique=True))))
    if not plan.changes:
        less = plan
    classes = {one.change_class for one in less.changes}
    still = [o for o in found if not o.classes or classes.intersection(o.classes)]
    after = approvals.rule(less, still)
    held_before = {one.guard for one in before.standing}
    assert {one.guard for one in after.standing} <= held_before
    kept = {(c.contact_id, c.change_class) for c in less.changes}
    assert before.allowed & kept & held_changes(less, still) <= after.allowed


@given(cases())
def test_the_order_of_words_and_of_findings_does_not_matter(
    case: tuple[Plan, Sequence[Objection], Approvals],
) -> None:
    plan, found, approvals = case
    one = approvals.rule(plan, found)
    other = Approvals(KEY, approvals.given[::-1]).rule(plan, found[::-1])
    assert one.allowed == other.allowed
    assert {o.guard for o in one.settled} == {o.guard for o in other.settled}


@given(cases())
def test_one_word_more_never_makes_less_run(
    case: tuple[Plan, Sequence[Objection], Approvals],
) -> None:
    plan, found, approvals = case
    fewer = Approvals(KEY, approvals.given[:-1]).rule(plan, found)
    more = approvals.rule(plan, found)
    assert fewer.allowed <= more.allowed
    assert {o.guard for o in fewer.settled} <= {o.guard for o in more.settled}

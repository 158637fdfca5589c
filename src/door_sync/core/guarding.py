"""A plan between guards and approvals: what of it runs (§6).

The guards say what is too much, persons say what may pass all the same, and what is held changes
what else is possible. This is where the three meet.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

from door_sync.core.approvals import REFUSED, Approvals, Growth, Ruling, refusal_of
from door_sync.core.guards import Budgets, Evidence, Objection, held_changes, objections
from door_sync.core.people import ContactId
from door_sync.core.planner import plan
from door_sync.core.situation import Held, Site
from door_sync.core.steps import ChangeClass, Plan

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Guarded:
    """A plan after guards and approvals had their say.

    `plan` runs, `held` does not; `allowed` are the changes that run because a person said so.
    `standing` and `settled` are the objections without and with an approval.
    """

    plan: Plan
    held: Held = frozenset()
    allowed: Held = frozenset()
    standing: tuple[Objection, ...] = ()
    settled: tuple[Objection, ...] = ()
    grown: tuple[Growth, ...] = ()

    def uncounted(self, cut_off: Collection[ContactId], *, provisioning: bool) -> Held:
        """Return the changes that the budget of 24 hours leaves out (§6): what a person approved
        or asked for, and additions while the site is first filled."""
        return self.allowed | {
            (change.contact_id, change.change_class)
            for change in self.plan.changes
            if change.contact_id in cut_off
            or (provisioning and change.change_class in (ChangeClass.GRANT, ChangeClass.RESTORE))
        }


def guard(
    full: Plan,
    site: Site,
    evidence: Evidence,
    budgets: Budgets,
    approvals: Approvals | None,
    cut_off: Collection[ContactId],
) -> Guarded:
    """Given the full plan and what it is judged by, return what of it runs.

    Whoever is held counts as he stands, which can make other changes possible (R3): a card may be
    reclaimed from somebody whose restore is held. So the guards look again until they hold nothing
    more. They count neither what was approved nor people whom somebody cut off by hand, and never
    hold the revocation of those: a person asked for it, and no data that is in doubt says so.
    """
    result = Guarded(full)
    by_hand = {(contact_id, ChangeClass.REVOKE) for contact_id in cut_off}
    while True:
        if approvals is not None:
            result = _still_allowed(result, approvals)
        heard = {objection.guard for objection in result.standing}
        counted = _counted(result, cut_off)
        found = [o for o in objections(counted, evidence, budgets) if o.guard not in heard]
        if approvals is None:
            result = replace(result, standing=(*result.standing, *found))
        else:
            result = _after(result, approvals.rule(counted, found))
            result = _with_refusal(result, approvals, cut_off)
        more = held_changes(result.plan, result.standing) - result.allowed - result.held - by_hand
        if not more:
            return _with_all_approved(result, approvals)
        held = result.held | more
        result = replace(result, held=held, plan=plan(site, held))


def _with_refusal(result: Guarded, approvals: Approvals, cut_off: Collection[ContactId]) -> Guarded:
    """Add the objection to what a person said no to, where no guard holds that anyway.

    What has become possible since the last look is in it too.
    """
    others = tuple(one for one in result.standing if one.guard != REFUSED)
    names = approvals.refused(_counted(result, cut_off)) - held_changes(result.plan, others)
    if not names:
        return result
    before = frozenset(n for one in result.standing if one.guard == REFUSED for n in one.changes)
    return replace(result, standing=(*others, refusal_of(names | before)))


def _still_allowed(result: Guarded, approvals: Approvals) -> Guarded:
    """Leave to the guards what no approval lets pass as the plan is now: what else is held can make
    more of a change possible."""
    there = {(change.contact_id, change.change_class) for change in result.plan.changes}
    gone = (result.allowed & there) - approvals.passing(result.plan)
    grown = _each_once(result.grown, approvals.grown_by(gone))
    return replace(result, allowed=result.allowed - gone, grown=grown)


def _with_all_approved(result: Guarded, approvals: Approvals | None) -> Guarded:
    """Add what was approved although no guard minds it any more: the rest after a crash."""
    if approvals is None:
        return result
    return replace(result, allowed=result.allowed | approvals.passing(result.plan))


def _after(result: Guarded, ruling: Ruling) -> Guarded:
    settled = _each_once(result.settled, ruling.settled)
    grown = _each_once(result.grown, ruling.grown)
    if ruling.is_in_doubt:
        standing = _each_once(result.standing, settled, ruling.standing)
        return replace(result, allowed=frozenset(), standing=standing, settled=(), grown=grown)
    stands = {objection.guard for objection in ruling.standing}
    return replace(
        result,
        allowed=result.allowed | ruling.allowed,
        standing=(*result.standing, *ruling.standing),
        settled=tuple(one for one in settled if one.guard not in stands),
        grown=grown,
    )


def _each_once(*some: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(chain(*some)))


def _counted(result: Guarded, cut_off: Collection[ContactId]) -> Plan:
    return result.plan.only(
        [
            change
            for change in result.plan.changes
            if (change.contact_id, change.change_class) not in result.allowed
            and change.contact_id not in cut_off
        ]
    )

"""Held plans, and what a person's word lets through of them (§6).

This file owns what an approval covers. A hold is kept as effects: what each change would do to its
person, in keyed digests, whatever steps lead there. A crash between two steps, or a card that has
become free meanwhile, changes the steps but not the effects; so what is left of an approved plan
is still approved, and anything more is not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from door_sync.core.guards import Objection, Scope
from door_sync.core.people import ContactId
from door_sync.core.situation import Held
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    Change,
    ChangeClass,
    CreateUser,
    DeactivateUser,
    FreeCard,
    ImportCard,
    Plan,
    ReclaimCard,
    SetPolicies,
    Step,
    UpdateProfile,
)
from door_sync.core.tags import Part, digest

HOLD_DIGITS = 12
"""Hex digits of a hold's name: short enough to be typed."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a change does to its person; `digest` says what exactly, keyed."""

    contact_id: ContactId
    change_class: ChangeClass
    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A plan that waits for a person: what it would do, and which guards hold it.

    `guards` maps each guard to the extent of what it found; see `Objection`.
    """

    digest: str
    guards: Mapping[str, int]
    effects: frozenset[Effect]

    def covers(self, change: Change, key: bytes) -> bool:
        """Say whether this change does nothing to its person that was not in the held plan."""
        return _digests(effects(change, key)) <= _digests(self.effects)


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word: this hold may pass, or the part of it with these classes and contacts.

    Empty `classes` or `contacts` mean all. `number` is its number in the journal.
    """

    hold: Hold
    classes: frozenset[ChangeClass] = frozenset()
    contacts: frozenset[ContactId] = frozenset()
    number: int = 0

    def allowed(self) -> frozenset[Effect]:
        """Return what may be done."""
        return frozenset(
            effect
            for effect in self.hold.effects
            if (not self.classes or effect.change_class in self.classes)
            and (not self.contacts or effect.contact_id in self.contacts)
        )

    @property
    def is_whole(self) -> bool:
        """Say whether the whole hold may pass."""
        return not self.classes and not self.contacts


@dataclass(frozen=True, slots=True)
class Growth:
    """Why an approval does not cover what is held now: changes or guards that came in since."""

    digest: str
    changes: tuple[tuple[ContactId, ChangeClass], ...] = ()
    guards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the approvals say to some objections.

    `allowed` are the changes that may run, `settled` the objections that nothing is left of,
    `standing` the others; `grown` says why an approval does not serve.
    """

    allowed: Held = frozenset()
    settled: tuple[Objection, ...] = ()
    standing: tuple[Objection, ...] = ()
    grown: tuple[Growth, ...] = ()


@dataclass(frozen=True, slots=True)
class Approvals:
    """All approvals in force, with the key that their digests were made with."""

    key: bytes = field(repr=False)
    given: Sequence[Approval] = ()

    def rule(self, plan: Plan, found: Sequence[Objection]) -> Ruling:
        """Given a plan and the objections to it, return what may run all the same.

        An objection is covered by an approval if the hold that was approved had everything that
        the objection is about. As long as one that holds the cycle is not covered, nothing may
        run: the data itself is in doubt.
        """
        covering = {o.guard: [a for a in self.given if self._covers(a, o, plan)] for o in found}
        grown = tuple(
            dict.fromkeys(
                self._growth(a, o, plan) for o in found for a in self._related(o, plan, covering)
            )
        )
        if any(o.scope is Scope.CYCLE and not covering[o.guard] for o in found):
            return Ruling(standing=tuple(found), grown=grown)
        allowed: set[tuple[ContactId, ChangeClass]] = set()
        for one in found:
            for approval in covering[one.guard]:
                may = _digests(approval.allowed())
                allowed |= {
                    _name(change)
                    for change in self._about(one, plan)
                    if _digests(effects(change, self.key)) <= may
                }
        settled = tuple(
            one
            for one in found
            if any(one.classes or a.is_whole for a in covering[one.guard])
            and all(_name(change) in allowed for change in self._counted(one, plan))
        )
        standing = tuple(o for o in found if o not in settled)
        return Ruling(frozenset(allowed), settled, standing, grown)

    def used_up(self, full: Plan, found: Sequence[Objection]) -> tuple[int, ...]:
        """Given everything that is to be done and every objection to it, return the numbers of the
        approvals of which nothing is left: no effect, and no guard that they speak of."""
        ahead = _digests(effect for change in full.changes for effect in effects(change, self.key))
        guards = {objection.guard for objection in found}
        return tuple(
            approval.number
            for approval in self.given
            if ahead.isdisjoint(_digests(approval.allowed()))
            and guards.isdisjoint(approval.hold.guards)
        )

    def _covers(self, approval: Approval, objection: Objection, plan: Plan) -> bool:
        return objection.is_approvable and self._growth(approval, objection, plan) == Growth(
            approval.hold.digest
        )

    def _related(
        self, objection: Objection, plan: Plan, covering: Mapping[str, Sequence[Approval]]
    ) -> list[Approval]:
        """Return the approvals that were given for such an objection and do not cover it now.

        One of which all is done is no disappointment to anybody.
        """
        if covering[objection.guard]:
            return []
        ahead = _digests(effect for change in plan.changes for effect in effects(change, self.key))
        return [
            a
            for a in self.given
            if objection.guard in a.hold.guards
            and not (a.hold.effects and ahead.isdisjoint(_digests(a.allowed())))
        ]

    def _growth(self, approval: Approval, objection: Objection, plan: Plan) -> Growth:
        hold = approval.hold
        more = tuple(
            _name(change)
            for change in self._counted(objection, plan)
            if not hold.covers(change, self.key)
        )
        worse = not objection.classes and objection.extent > hold.guards.get(objection.guard, -1)
        return Growth(hold.digest, more, (objection.guard,) if worse else ())

    def _counted(self, objection: Objection, plan: Plan) -> Sequence[Change]:
        """Return the changes that the objection counts: all of them where a read is in doubt."""
        return plan.of_class(*objection.classes) if objection.classes else plan.changes

    def _about(self, objection: Objection, plan: Plan) -> Sequence[Change]:
        """Return the changes that the objection holds."""
        is_whole = objection.scope is Scope.CYCLE
        return plan.changes if is_whole else self._counted(objection, plan)


def hold_of(plan: Plan, found: Sequence[Objection], key: bytes) -> Hold | None:
    """Given what is held and why, return the hold as it is kept; None without an objection."""
    if not found:
        return None
    guards = {one.guard: one.extent for one in found}
    all_ = frozenset(effect for change in plan.changes for effect in effects(change, key))
    parts: list[Part] = []
    for guard, extent in sorted(guards.items()):
        parts += [guard, extent]
    parts.append("effects")
    parts += sorted(f"{effect.change_class.value} {effect.digest}" for effect in all_)
    return Hold(digest(key, "hold", *parts)[:HOLD_DIGITS], guards, all_)


def effects(change: Change, key: bytes) -> frozenset[Effect]:
    """Given a change and the site's key, return what it does to its person.

    A revocation is one effect, whichever cards are on the user by then; imports serve a bind.
    """
    told = {one for step in change.steps for one in _told(step, change.change_class)}
    return frozenset(
        Effect(
            change.contact_id,
            change.change_class,
            kind,
            digest(key, "effect", change.contact_id, kind, *parts),
        )
        for kind, parts in told
    )


def _told(step: Step, change_class: ChangeClass) -> Iterable[tuple[str, tuple[Part, ...]]]:
    match step:
        case DeactivateUser():
            yield "lose-access", ()
        case FreeCard():
            if change_class is not ChangeClass.REVOKE:
                yield "free-card", (step.token,)
        case BindCard() | ReclaimCard():
            yield "get-card", (step.number,)
        case CreateUser() | UpdateProfile():
            if step.first_name is not None:
                yield "name", (step.first_name, step.last_name or "")
            if step.email is not None:
                yield "address", (step.email,)
        case ActivateUser():
            yield "activate", ()
        case SetPolicies():
            yield "policy", (step.policy or "",)
        case ImportCard():
            return
        case _:
            assert_never(step)


def _digests(some: Iterable[Effect]) -> frozenset[str]:
    return frozenset(effect.digest for effect in some)


def _name(change: Change) -> tuple[ContactId, ChangeClass]:
    return change.contact_id, change.change_class

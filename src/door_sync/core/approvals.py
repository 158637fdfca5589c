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

Name = tuple[ContactId, ChangeClass]
"""What a change is called: whose it is, and its class."""

REFUSED = "refused by a person"
"""The guard that holds what a person said no to, however few they are by then."""

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
class Refusal:
    """A person's other word: these effects, by their digests, must not happen. It stands until a
    person approves them or nothing asks for them any more. `number` is its number in the journal.
    """

    effects: frozenset[str]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Growth:
    """Why an approval does not cover what is held now: changes or guards that came in since."""

    digest: str
    changes: tuple[Name, ...] = ()
    guards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the approvals say to some objections.

    `allowed` are the changes that may run, `settled` the objections that nothing is left of,
    `standing` the others; `grown` says why an approval does not serve. `is_in_doubt`: an objection
    that holds the cycle has no approval, so nothing at all may run.
    """

    allowed: Held = frozenset()
    settled: tuple[Objection, ...] = ()
    standing: tuple[Objection, ...] = ()
    grown: tuple[Growth, ...] = ()
    is_in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """A change by its name, with the digests of what it does."""

    name: Name
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Said:
    """An approval, with the digests of what was in its hold and of what it lets pass."""

    approval: Approval
    had: frozenset[str]
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class Approvals:
    """All approvals and refusals in force, with the key that their digests were made with."""

    key: bytes = field(repr=False)
    given: Sequence[Approval] = ()
    refusals: Sequence[Refusal] = ()

    def rule(self, plan: Plan, found: Sequence[Objection]) -> Ruling:
        """Given a plan and the objections to it, return what may run all the same.

        An objection is covered by an approval if the hold that was approved had everything that
        the objection is about and that no other approval lets pass already. As long as one that
        holds the cycle is not covered, nothing may run: the data itself is in doubt. Nor may what
        an objection of a class counts that is not covered.
        """
        said, all_ = self._said(), self._told(plan)
        counted = {o.guard: _counted(o, all_) for o in found}
        covering = {o.guard: _covering(o, counted[o.guard], said) for o in found}
        grown = tuple(
            _growth(one, o, counted[o.guard])
            for o in found
            if o.is_approvable and not covering[o.guard]
            for one in said
            if o.guard in one.approval.hold.guards
        )
        if any(o.scope is Scope.CYCLE and not covering[o.guard] for o in found):
            return Ruling(standing=tuple(found), grown=grown, is_in_doubt=True)
        waits = {one.name for o in found if not covering[o.guard] for one in counted[o.guard]}
        rest, allowed = [one for one in all_ if one.name not in waits], set[Name]()
        while True:
            more = {
                one.name
                for objection in found
                for each in covering[objection.guard]
                for one in _about(objection, rest)
                if one.digests <= each.may and not self._is_refused(one)
            }
            if not more:
                break
            allowed |= more
            rest = [one for one in rest if one.name not in more]
            for o in found:
                left = [one for one in counted[o.guard] if one.name not in allowed]
                covering[o.guard] = _covering(o, left, said)
        settled = tuple(
            one
            for one in found
            if any(one.classes or each.approval.is_whole for each in covering[one.guard])
            and all(each.name in allowed for each in counted[one.guard])
        )
        standing = tuple(o for o in found if o not in settled)
        return Ruling(frozenset(allowed), settled, standing, grown)

    def passing(self, plan: Plan) -> Held:
        """Return the changes of a plan that do nothing but what an approval lets pass."""
        said = self._said()
        return frozenset(
            one.name
            for one in self._told(plan)
            if any(one.digests <= each.may for each in said) and not self._is_refused(one)
        )

    def refused(self, plan: Plan) -> Held:
        """Return the changes of a plan that do something a person refused or left out."""
        return frozenset(one.name for one in self._told(plan) if self._is_refused(one))

    def grown_by(self, changes: Held) -> tuple[Growth, ...]:
        """Given changes that do more than was approved of them, return what to say about each
        approval that speaks of these contacts."""
        found = []
        for approval in self.given:
            people = {effect.contact_id for effect in approval.allowed()}
            more = tuple(sorted((n for n in changes if n[0] in people), key=_by_contact))
            if more:
                found.append(Growth(approval.hold.digest, more))
        return tuple(found)

    def used_up(self, full: Plan, found: Sequence[Objection]) -> tuple[int, ...]:
        """Given everything that is to be done and every objection to it, return the numbers of the
        approvals and refusals of which nothing is left: no effect; where an approval has none, no
        guard that it speaks of."""
        ahead = frozenset(digest for one in self._told(full) for digest in one.digests)
        guards = {objection.guard for objection in found}
        approved = tuple(
            one.approval.number
            for one in self._said()
            if ahead.isdisjoint(one.may)
            and (one.may or guards.isdisjoint(one.approval.hold.guards))
        )
        return approved + tuple(
            one.number for one in self.refusals if ahead.isdisjoint(one.effects)
        )

    def _is_refused(self, change: "_Told") -> bool:
        return any(not change.digests.isdisjoint(one.effects) for one in self.refusals)

    def _said(self) -> list[_Said]:
        return [_Said(a, _digests(a.hold.effects), _digests(a.allowed())) for a in self.given]

    def _told(self, plan: Plan) -> list[_Told]:
        return [_Told(_name(one), _digests(effects(one, self.key))) for one in plan.changes]


def _by_contact(name: Name) -> tuple[ContactId, str]:
    return name[0], name[1].value


def _counted(objection: Objection, some: Sequence[_Told]) -> Sequence[_Told]:
    """Return the changes that the objection counts: all of them where a read is in doubt."""
    return [one for one in some if not objection.classes or one.name[1] in objection.classes]


def _about(objection: Objection, some: Sequence[_Told]) -> Sequence[_Told]:
    """Return the changes that the objection holds."""
    return some if objection.scope is Scope.CYCLE else _counted(objection, some)


def _covering(
    objection: Objection, counted: Sequence[_Told], said: Sequence[_Said]
) -> Sequence[_Said]:
    if not objection.is_approvable:
        return []
    return [
        one for one in said if _growth(one, objection, counted) == Growth(one.approval.hold.digest)
    ]


def _growth(one: _Said, objection: Objection, counted: Sequence[_Told]) -> Growth:
    hold = one.approval.hold
    more = tuple(each.name for each in counted if not each.digests <= one.had)
    worse = not objection.classes and objection.extent > hold.guards.get(objection.guard, -1)
    return Growth(hold.digest, more, (objection.guard,) if worse else ())


def refusal_of(names: Held) -> Objection:
    """Return the objection to changes that a person refused or left out."""
    people = ", ".join(map(str, sorted({contact_id for contact_id, _ in names})))
    return Objection(
        REFUSED,
        Scope.CLASS,
        f"a person refused this, or left it out when approving the rest: contacts {people}",
        "approve the plan that waits if it is right by now; if not, mend the data in CiviCRM",
        changes=names,
    )


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


def _name(change: Change) -> Name:
    return change.contact_id, change.change_class

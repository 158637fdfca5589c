"""Plan × budgets → objections (§6).

This file owns what a plan may do without a person's word. A guard counts contacts, against the
managed users that are neither deactivated nor pending at the start of the cycle. Every guard is
asked; nobody stops at the first objection.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from door_sync.core.people import ContactId
from door_sync.core.situation import Held
from door_sync.core.steps import ChangeClass, Plan, contacts

UNAPPROVABLE = frozenset({"people vanished", "unknown policy"})
"""The guards whose finding no approval can settle: data or settings must be mended first."""


class Scope(Enum):
    """What an objection holds."""

    CYCLE = "cycle"
    """Nothing is written: the data itself is in doubt."""
    CLASS = "class"
    """The changes of some classes; the others go on."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """How much a cycle may do unasked (§6, §10). Shares are between 0 and 1.

    Below `floor` managed users the shares do not apply; up to `few` people never count as many.
    `min_read` is the smallest share of the last good read that is believed.
    """

    deactivate: float = 0.15
    add: float = 0.25
    policy: float = 0.20
    card: float = 0.20
    profile: float = 0.50
    floor: int = 10
    few: int = 3
    min_read: float = 0.80
    halt_on_bad_record: bool = False
    everything_holds_everything: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the guards look at besides the plan.

    `contacts` and `users` are the sizes of the two reads; `last_contacts` and `last_users` those
    of the last good ones, None before the first. `missing` counts contacts that CiviCRM did not
    return although asked; `too_many_missing` is R1's own judgement of that. `lately` are the
    contacts whose changes of each class were carried out in the last 24 hours, but for those that
    were free or approved.
    """

    active_managed: int
    grants: int
    contacts: int
    users: int
    last_contacts: int | None = None
    last_users: int | None = None
    missing: int = 0
    too_many_missing: bool = False
    unknown_policies: tuple[str, ...] = ()
    unmapped: tuple[ContactId, ...] = ()
    bad_cards: tuple[ContactId, ...] = ()
    duplicate_cards: tuple[ContactId, ...] = ()
    provisioning: bool = False
    lately: Mapping[ChangeClass, frozenset[ContactId]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Objection:
    """One guard's finding: its name, the numbers in words, and what settles it.

    `setting` is the key that governs it, empty where only the data can settle it. `classes` are
    the changes it counts, and holds unless its scope is the cycle; none where it doubts a read.
    `changes` are single ones that it holds, whatever their class. `extent` is how bad a doubt is,
    so that an approval covers less of the same and no more.
    """

    guard: str
    scope: Scope
    text: str
    remedy: str
    setting: str = ""
    classes: tuple[ChangeClass, ...] = ()
    extent: int = 0
    changes: Held = frozenset()

    @property
    def is_approvable(self) -> bool:
        """Say whether a person's approval could settle it."""
        return self.guard not in UNAPPROVABLE


def objections(plan: Plan, evidence: Evidence, budgets: Budgets) -> tuple[Objection, ...]:
    """Given the whole plan and the evidence, return every guard's objection (§6)."""
    found = [
        *_shares(plan, evidence, budgets),
        *_source(evidence, budgets),
        *_controller(evidence, budgets),
        *_unknown_policies(evidence),
        *(_bad_records(evidence) if budgets.halt_on_bad_record else ()),
    ]
    if budgets.everything_holds_everything:
        return tuple(replace(one, scope=Scope.CYCLE) for one in found)
    return tuple(found)


def held_changes(plan: Plan, found: Sequence[Objection]) -> Held:
    """Return which changes of the plan the objections hold."""
    classes = {one for objection in found for one in objection.classes}
    single = {name for objection in found for name in objection.changes}
    if any(objection.scope is Scope.CYCLE for objection in found):
        classes = set(ChangeClass)
    return frozenset(
        (change.contact_id, change.change_class)
        for change in plan.changes
        if change.change_class in classes or (change.contact_id, change.change_class) in single
    )


def holds_cycle(found: Sequence[Objection]) -> bool:
    """Say whether nothing at all may be written."""
    return any(objection.scope is Scope.CYCLE for objection in found)


@dataclass(frozen=True, slots=True)
class _Share:
    guard: str
    noun: str
    classes: tuple[ChangeClass, ...]
    limit: float
    setting: str
    scope: Scope


def _shares(plan: Plan, evidence: Evidence, budgets: Budgets) -> list[Objection]:
    table = (
        _Share(
            "mass deactivation",
            "lose their access",
            (ChangeClass.REVOKE,),
            budgets.deactivate,
            "safety.mass_deactivate_pct",
            Scope.CYCLE,
        ),
        _Share(
            "mass addition",
            "gain access",
            (ChangeClass.GRANT, ChangeClass.RESTORE),
            budgets.add,
            "safety.mass_add_pct",
            Scope.CLASS,
        ),
        _Share(
            "mass policy change",
            "get another policy",
            (ChangeClass.POLICY,),
            budgets.policy,
            "safety.mass_policy_pct",
            Scope.CLASS,
        ),
        _Share(
            "mass card change",
            "get another card",
            (ChangeClass.CARD,),
            budgets.card,
            "safety.mass_card_pct",
            Scope.CLASS,
        ),
        _Share(
            "mass profile change",
            "get another name or address",
            (ChangeClass.PROFILE,),
            budgets.profile,
            "safety.mass_profile_pct",
            Scope.CLASS,
        ),
    )
    return [objection for row in table for objection in _share(row, plan, evidence, budgets)]


@dataclass(frozen=True, slots=True)
class _Span:
    """A time over which people are counted; `factor` widens what is allowed in it."""

    factor: int
    suffix: str


_CYCLE = _Span(1, "")
_DAY = _Span(2, " in 24 hours")


def _share(row: _Share, plan: Plan, evidence: Evidence, budgets: Budgets) -> Iterable[Objection]:
    """Ask about this cycle, then about the 24 hours that it would be the last part of."""
    now = frozenset(contacts(plan.of_class(*row.classes)))
    if not now or (ChangeClass.GRANT in row.classes and evidence.provisioning):
        return
    yield from _too_many(row, len(now), _CYCLE, evidence, budgets)
    before = {one for each in row.classes for one in evidence.lately.get(each, ())}
    if before:
        yield from _too_many(row, len(now | before), _DAY, evidence, budgets)


def _too_many(
    row: _Share, people: int, span: _Span, evidence: Evidence, budgets: Budgets
) -> Iterable[Objection]:
    base, few, share = evidence.active_managed, span.factor * budgets.few, span.factor * row.limit
    if people <= few:
        return
    if base < budgets.floor:
        if row.classes != (ChangeClass.REVOKE,):
            return
        limit, setting = f"more than {few} at a small site", "safety.small_site_max"
    elif base and people / base <= share:  # not people <= share * base: 0.29 * 100 is below 29
        return
    else:
        limit, setting = f"more than {share * 100:g}%", row.setting
    yield Objection(
        row.guard + span.suffix,
        row.scope,
        f"{people} of {base} active people would {row.noun}{span.suffix}, which is {limit}",
        f"if that is right, approve the plan, or raise {setting} for one cycle; if not, mend the "
        "data in CiviCRM",
        setting,
        row.classes,
    )


def _source(evidence: Evidence, budgets: Budgets) -> list[Objection]:
    found = []
    if evidence.grants == 0 and evidence.active_managed > 0:
        text = (
            f"CiviCRM gives nobody access while {evidence.active_managed} people in the controller "
            "have it"
        )
        remedy = (
            "look whether members, their card numbers and their memberships are to be seen in "
            "CiviCRM, and whether civicrm.active_statuses and tier_mapping.rules fit"
        )
        found.append(
            Objection("empty source", Scope.CYCLE, text, remedy, extent=evidence.active_managed)
        )
    if evidence.too_many_missing:
        text = (
            f"CiviCRM did not return {evidence.missing} of the people that the controller knows; "
            "one in a hundred may be missing at once"
        )
        remedy = (
            "look whether the key may still view all contacts; if these people are really gone, "
            "cut them off with `door-sync revoke` and their contact ids: that asks CiviCRM nothing"
        )
        found.append(Objection("people vanished", Scope.CYCLE, text, remedy))
    # Cards are cleared in the normal run of a club, so a few of them at a small site are no alarm.
    before = evidence.last_contacts
    if before is not None and before - evidence.contacts > budgets.few:
        found += _shrunken("source", "CiviCRM", evidence.contacts, before, budgets)
    return found


def _controller(evidence: Evidence, budgets: Budgets) -> list[Objection]:
    if evidence.last_users is None:
        return []
    return _shrunken("controller", "the controller", evidence.users, evidence.last_users, budgets)


def _shrunken(name: str, side: str, now: int, before: int, budgets: Budgets) -> list[Objection]:
    if before == 0 or now / before >= budgets.min_read:
        return []
    what = "contacts with a card" if name == "source" else "users"
    text = f"{side} shows {now} {what}, the last good cycle saw {before}"
    remedy = (
        "look whether the key may still see everybody; if so many were really removed, approve the "
        "plan, or lower safety.min_read_pct for one cycle"
    )
    name = f"shrunken {name}"
    setting = "safety.min_read_pct"
    return [Objection(name, Scope.CYCLE, text, remedy, setting, extent=before - now)]


def _unknown_policies(evidence: Evidence) -> list[Objection]:
    return [
        Objection(
            "unknown policy",
            Scope.CYCLE,
            f"the controller has no single policy that is the target of the rule '{key}'",
            f"put the policy's id or its exact name into tier_mapping.rules.{key}.target_policy",
            f"tier_mapping.rules.{key}.target_policy",
        )
        for key in evidence.unknown_policies
    ]


def _bad_records(evidence: Evidence) -> list[Objection]:
    table = (
        (
            "unmapped type",
            "an active membership of a type that has no rule",
            evidence.unmapped,
            "say in tier_mapping.rules what that type is worth, or end the memberships in CiviCRM",
        ),
        (
            "bad card",
            "a card field that holds no card number",
            evidence.bad_cards,
            "mend them in CiviCRM",
        ),
        (
            "duplicate card",
            "a card number that somebody else has too",
            evidence.duplicate_cards,
            "mend them in CiviCRM",
        ),
    )
    return [
        Objection(
            guard,
            Scope.CYCLE,
            f"{_counted(people)} {what}: {', '.join(map(str, people))}",
            f"{mend}; approve the plan to set them aside this once, or set "
            'safety.on_bad_record = "quarantine" to do so always',
            "safety.on_bad_record",
            extent=len(people),
        )
        for guard, what, people, mend in table
        if people
    ]


def _counted(people: Sequence[ContactId]) -> str:
    return "1 contact has" if len(people) == 1 else f"{len(people)} contacts have"

"""Everything that was read → what will be written (design.md §4, "decide").

The one place where the rules meet: entitlements, plan, guards, and the plan without what they hold.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from door_sync.core.approvals import Approvals, Growth, Hold, hold_of
from door_sync.core.cards import BadCard
from door_sync.core.controller import Snapshot, UserId, UserStatus
from door_sync.core.guarding import guard
from door_sync.core.guards import Budgets, Evidence, Objection, holds_cycle
from door_sync.core.people import ContactId, Member, MembershipType
from door_sync.core.planner import plan
from door_sync.core.reports import cut_off_notices, source_notices
from door_sync.core.situation import Held, Site
from door_sync.core.steps import ChangeClass, Notice, NoticeKind, Plan
from door_sync.core.tiers import (
    CUT_OFF,
    UNMAPPED,
    CardUnknown,
    Deny,
    Grant,
    ResolvedPolicies,
    Rule,
    TierBook,
    Unknown,
    Verdict,
    entitlement,
    match_rules,
    resolve_policies,
    too_many_missing,
    verdicts,
    verdicts_on_missing,
)


@dataclass(frozen=True, slots=True)
class Habits:
    """The site's own choices, from its settings (§10)."""

    rules: tuple[Rule, ...]
    active_statuses: frozenset[str]
    stale_after: timedelta = timedelta(days=7)
    stale_denies: bool = False
    email_sync: bool = True
    budgets: Budgets = field(default_factory=Budgets)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What earlier cycles left to know, in terms of people (§7).

    `last_contacts` and `last_users` are the sizes of the last good reads; `provisioning` is None
    on a site that no cycle has seen before; `lately` are the contacts that were changed in the last
    24 hours, by class, but for changes that were free or approved (§6). `cut_off` are contacts that
    a person cut off at once; `approvals` what persons said to held plans.
    """

    missing: frozenset[ContactId] = frozenset()
    refused: frozenset[ContactId] = frozenset()
    failed_imports: frozenset[ContactId] = frozenset()
    failed_restores: frozenset[ContactId] = frozenset()
    settled: frozenset[UserId] = frozenset()
    last_contacts: int | None = None
    last_users: int | None = None
    provisioning: bool | None = None
    lately: Mapping[ChangeClass, frozenset[ContactId]] = field(default_factory=dict)
    cut_off: frozenset[ContactId] = frozenset()
    approvals: Approvals | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What both sides said in this cycle.

    `members` are all contacts with a card; `asked` those that were asked for by id, `answered`
    what CiviCRM returned of them (R1).
    """

    members: Mapping[ContactId, Member]
    membership_types: tuple[MembershipType, ...]
    snapshot: Snapshot
    today: date
    asked: frozenset[ContactId] = frozenset()
    answered: Mapping[ContactId, Member] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What a cycle will do, and all that was found on the way.

    `full` is the plan as if nothing were held; `plan` what runs; `held` what does not.
    `objections` are those that stand, `settled` those that a person's approval took away, and
    `grown` says why an approval does not serve any more. `uncounted` are changes that the 24 hours
    leave out: free, approved or asked for by hand (§6). `site` is what the plan was made from.
    """

    full: Plan
    plan: Plan
    held: Held
    objections: tuple[Objection, ...]
    verdicts: Mapping[ContactId, Verdict]
    policies: ResolvedPolicies
    notices: tuple[Notice, ...]
    missing: frozenset[ContactId]
    provisioning: bool
    uncounted: Held = frozenset()
    settled: tuple[Objection, ...] = ()
    grown: tuple[Growth, ...] = ()
    site: Site | None = field(default=None, repr=False)

    @property
    def is_in_doubt(self) -> bool:
        """Say whether a guard that holds the whole cycle stands: the read is not a good one."""
        return holds_cycle(self.objections)

    @property
    def held_plan(self) -> Plan:
        """The changes that wait for a person, as a plan with a digest of its own (§6)."""
        return self.full.only(
            [c for c in self.full.changes if (c.contact_id, c.change_class) in self.held]
        )

    def used_up(self, approvals: Approvals) -> tuple[int, ...]:
        """Return the numbers of the approvals and refusals of which nothing is left (§6).

        A read that is in doubt tells nothing about what is left.
        """
        if self.is_in_doubt:
            return ()
        return approvals.used_up(self.full, (*self.objections, *self.settled))

    def hold(self, key: bytes) -> Hold | None:
        """Return the hold that waits for a person, with its digest; None if nothing does (§6)."""
        return hold_of(self.held_plan, self.objections, key)


def to_ask(members: Collection[ContactId], snapshot: Snapshot) -> frozenset[ContactId]:
    """Return the contacts that CiviCRM must be asked for by id: those of managed, not deactivated
    users whose contact is not among the contacts with a card (R1)."""
    return frozenset(
        user.contact_id
        for user in snapshot.users
        if user.contact_id is not None
        and user.status is not UserStatus.DEACTIVATED
        and user.contact_id not in members
    )


def decide(world: World, habits: Habits, remembered: Remembered) -> Decision:
    """Given what was read, the site's habits and its memory, return what to do (R1–R4, §6)."""
    snapshot = world.snapshot
    rules = match_rules(world.membership_types, habits.rules)
    policies = resolve_policies(habits.rules, snapshot.policies)
    book = TierBook(
        rules,
        policies,
        habits.active_statuses,
        world.today,
        habits.stale_after,
        habits.stale_denies,
        remembered.cut_off,
    )
    members = [*world.members.values(), *world.answered.values()]
    missing = world.asked - world.answered.keys()
    alarming = _alarming(missing, remembered, snapshot)
    too_many = too_many_missing(len(alarming), len(snapshot.active_managed))
    decided = verdicts(members, book)
    decided |= verdicts_on_missing(missing, remembered.missing, too_many=too_many)
    for contact_id in missing & remembered.cut_off:
        decided[contact_id] = Verdict(contact_id, Deny(CUT_OFF))
    site = Site(
        snapshot=snapshot,
        verdicts=decided,
        managed=policies.managed,
        email_sync=habits.email_sync,
        refused=remembered.refused,
        failed_imports=remembered.failed_imports,
        failed_restores=remembered.failed_restores,
        settled=remembered.settled,
    )
    provisioning = remembered.provisioning
    if provisioning is None:
        provisioning = not snapshot.users_of
    full = plan(site)
    as_in_civicrm = replace(book, cut_off=frozenset())
    grants = sum(isinstance(verdict.entitlement, Grant) for verdict in decided.values()) + sum(
        isinstance(entitlement(member, as_in_civicrm), Grant)
        for member in members
        if member.contact_id in remembered.cut_off
    )
    evidence = Evidence(
        active_managed=len(snapshot.active_managed),
        grants=grants,
        contacts=len(world.members),
        users=len(snapshot.users),
        last_contacts=remembered.last_contacts,
        last_users=remembered.last_users,
        missing=len(alarming),
        too_many_missing=too_many,
        unknown_policies=policies.unknown,
        unmapped=unmapped(decided),
        bad_cards=_with_card(decided, malformed=True),
        duplicate_cards=_with_card(decided, malformed=False),
        provisioning=provisioning,
        lately=remembered.lately,
    )
    guarded = guard(full, site, evidence, habits.budgets, remembered.approvals, remembered.cut_off)
    return Decision(
        full=full,
        plan=guarded.plan,
        held=guarded.held,
        objections=guarded.standing,
        verdicts=decided,
        policies=policies,
        notices=(
            *guarded.plan.notices,
            *cut_off_notices(remembered.cut_off),
            *source_notices(decided.values(), rules, book),
            *_unseen(snapshot),
        ),
        missing=frozenset(missing),
        provisioning=provisioning,
        uncounted=guarded.uncounted(remembered.cut_off, provisioning=provisioning),
        settled=guarded.settled,
        grown=guarded.grown,
        site=site,
    )


def _alarming(
    missing: Collection[ContactId], remembered: Remembered, snapshot: Snapshot
) -> frozenset[ContactId]:
    """Return the missing contacts that speak against the read (R1).

    A user that is not known to be active although its revocation was accepted stays missing for
    good, as does somebody who was cut off by hand: neither says anything about this read.
    """
    return frozenset(
        contact_id
        for contact_id in missing
        if contact_id not in remembered.cut_off
        and any(
            user.status is not UserStatus.DEACTIVATED and user.id not in remembered.settled
            for user in snapshot.users_of.get(contact_id, ())
        )
    )


def _with_card(decided: Mapping[ContactId, Verdict], *, malformed: bool) -> tuple[ContactId, ...]:
    """Return the contacts whose card is unknown, because it is malformed or somebody else's too."""
    return tuple(
        sorted(
            contact_id
            for contact_id, verdict in decided.items()
            if isinstance(verdict.card, CardUnknown)
            and (verdict.member is not None and isinstance(verdict.member.card, BadCard))
            is malformed
        )
    )


def unmapped(decided: Mapping[ContactId, Verdict]) -> tuple[ContactId, ...]:
    """Return the contacts with an active membership of a type without a rule (R1)."""
    return tuple(
        sorted(
            contact_id
            for contact_id, verdict in decided.items()
            if isinstance(verdict.entitlement, Unknown) and verdict.entitlement.reason == UNMAPPED
        )
    )


def _unseen(snapshot: Snapshot) -> list[Notice]:
    found = []
    if snapshot.policies is None:
        text = (
            "the controller's key may not read access policies, so nobody checks that the rules' "
            "policies exist; give it the right 'Access Policy: View'"
        )
        found.append(Notice(NoticeKind.POLICIES_UNSEEN, text))
    if not snapshot.sees_visitors:
        text = (
            "the controller's key may not read visitors, so a card that no user holds and that is "
            "not free counts as held by somebody unknown; give it the right 'Visitor: View'"
        )
        found.append(Notice(NoticeKind.VISITORS_UNSEEN, text))
    return found

"""Everything that was read → what will be written (design.md §4, "decide").

The one place where the rules meet: entitlements, plan, guards, and the plan without what they hold.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from door_sync.core.cards import BadCard
from door_sync.core.controller import Snapshot, UserId, UserStatus
from door_sync.core.guards import Budgets, Evidence, Objection, held_changes, objections
from door_sync.core.people import ContactId, Member, MembershipType
from door_sync.core.planner import plan
from door_sync.core.reports import source_notices
from door_sync.core.situation import Held, Site
from door_sync.core.steps import ChangeClass, Notice, NoticeKind, Plan
from door_sync.core.tiers import (
    UNMAPPED,
    CardUnknown,
    Grant,
    ResolvedPolicies,
    Rule,
    TierBook,
    Unknown,
    Verdict,
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
    24 hours, by class, but for changes that were free or approved (§6).
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

    @property
    def held_plan(self) -> Plan:
        """The changes that wait for a person, as a plan with a digest of its own (§6)."""
        return self.full.only(
            [c for c in self.full.changes if (c.contact_id, c.change_class) in self.held]
        )


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
    )
    missing = world.asked - world.answered.keys()
    active_managed = len(snapshot.active_managed)
    decided = verdicts([*world.members.values(), *world.answered.values()], book)
    decided |= verdicts_on_missing(missing, remembered.missing, active_managed=active_managed)
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
    evidence = _evidence(world, decided, policies, remembered, missing, provisioning=provisioning)
    running, held, found = _without_what_is_held(full, site, evidence, habits.budgets)
    return Decision(
        full=full,
        plan=running,
        held=held,
        objections=found,
        verdicts=decided,
        policies=policies,
        notices=(
            *running.notices,
            *source_notices(decided.values(), rules, book),
            *_unseen(snapshot),
        ),
        missing=frozenset(missing),
        provisioning=provisioning,
    )


def _without_what_is_held(
    full: Plan, site: Site, evidence: Evidence, budgets: Budgets
) -> tuple[Plan, Held, tuple[Objection, ...]]:
    """Given the full plan, return what runs of it, what is held, and all objections (§6).

    Whoever is held counts as he stands, which can make other changes possible (R3): a card may be
    reclaimed from somebody whose restore is held. So the guards look again until they hold nothing
    more.
    """
    running, found, held = full, objections(full, evidence, budgets), Held()
    while more := held_changes(running, found):
        held |= more
        running = plan(site, held)
        known = {objection.guard for objection in found}
        again = objections(running, evidence, budgets)
        found += tuple(objection for objection in again if objection.guard not in known)
    return running, held, found


def _evidence(
    world: World,
    decided: Mapping[ContactId, Verdict],
    policies: ResolvedPolicies,
    remembered: Remembered,
    missing: Collection[ContactId],
    *,
    provisioning: bool,
) -> Evidence:
    active_managed = len(world.snapshot.active_managed)
    unsure = [v for v in decided.values() if isinstance(v.card, CardUnknown)]
    bad = {v.contact_id for v in unsure if v.member and isinstance(v.member.card, BadCard)}
    return Evidence(
        active_managed=active_managed,
        grants=sum(isinstance(verdict.entitlement, Grant) for verdict in decided.values()),
        contacts=len(world.members),
        users=len(world.snapshot.users),
        last_contacts=remembered.last_contacts,
        last_users=remembered.last_users,
        missing=len(missing),
        too_many_missing=too_many_missing(len(missing), active_managed),
        unknown_policies=policies.unknown,
        unmapped=unmapped(decided),
        bad_cards=tuple(sorted(bad)),
        duplicate_cards=tuple(sorted(v.contact_id for v in unsure if v.contact_id not in bad)),
        provisioning=provisioning,
        lately=remembered.lately,
    )


def unmapped(decided: Mapping[ContactId, Verdict]) -> tuple[ContactId, ...]:
    """Return the contacts with an active membership of a type without a rule (R1)."""
    return tuple(
        sorted(c for c, verdict in decided.items() if verdict.entitlement == Unknown(UNMAPPED))
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

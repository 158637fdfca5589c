"""Memberships × tier rules → entitlement (R1).

This file owns who is entitled to what. It knows nothing of users, cards in the controller, or
what happened before, except the contacts that the last good read already missed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from functools import cache

from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.controller import Policy, PolicyId
from door_sync.core.people import ContactId, Member, Membership, MembershipType

GRACE = "Grace"
"""The one active status whose end date lies in the past by design (CiviCRM sheet §7)."""


class Resolution(Enum):
    """What a tier rule makes of its membership type (§10)."""

    TIER = "tier"
    NONE = "none"
    DAY_PASS = "day-pass"  # noqa: S105 - a kind of membership, no password


@dataclass(frozen=True, slots=True)
class Rule:
    """One tier rule. `key` is the name or the label of a membership type; the highest rank wins.

    `target_policy` is the id or the exact name of a policy, and is given with TIER alone.
    """

    key: str
    resolution: Resolution
    rank: int = 0
    target_policy: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """The contact should have this policy. `tier` is the rule that says so."""

    policy: PolicyId
    tier: str


@dataclass(frozen=True, slots=True)
class Deny:
    """The contact should have no access."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A day pass: what the contact has stays, but for the policies of tiers."""

    tier: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows. Nothing is changed (P1)."""

    reason: str


Entitlement = Grant | Deny | Skip | Unknown


@dataclass(frozen=True, slots=True)
class CardUnknown:
    """Which card the contact should have is not known, so the card stays as it is (R1)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one contact should have. `card` is None for everything but a Grant."""

    contact_id: ContactId
    entitlement: Entitlement
    card: CardNumber | CardUnknown | None = None
    member: Member | None = None


UNMAPPED = "an active membership of a type that has no rule"
NOT_RETURNED = "CiviCRM did not return this contact"
NO_SUCH_CONTACT = "no such contact"
CUT_OFF = "cut off by hand"
DUPLICATE_CARD = "another member with a grant has the same card number"

_NO_MEMBERSHIP = Deny("no active membership")
"""One for all former members: there may be more of them than of all others."""


@dataclass(frozen=True, slots=True)
class MatchedRules:
    """Which rule speaks for which membership type, by the type's id."""

    by_type: Mapping[int, Rule]
    unused: tuple[str, ...]


def match_rules(types: Iterable[MembershipType], rules: Collection[Rule]) -> MatchedRules:
    """Given the membership types and the rules, return which rule speaks for which type (R0).

    A key is a type's name or its label. A key that is the name of one type and the label of
    another speaks for the first alone; a label that two types share speaks for neither, so that
    a look-alike title opens no door.
    """
    known = tuple(types)
    rule_of = {rule.key: rule for rule in rules}
    names = {one.name for one in known}
    labels: dict[str, int] = {}
    for one in known:
        labels[one.label] = labels.get(one.label, 0) + 1
    by_type: dict[int, Rule] = {}
    for one in known:
        if one.name in rule_of:
            by_type[one.id] = rule_of[one.name]
        elif one.label in rule_of and one.label not in names and labels[one.label] == 1:
            by_type[one.id] = rule_of[one.label]
    used = {rule.key for rule in by_type.values()}
    return MatchedRules(by_type, tuple(sorted(key for key in rule_of if key not in used)))


@dataclass(frozen=True, slots=True)
class ResolvedPolicies:
    """The policy id that each tier rule means, and the rules whose policy is not to be found."""

    by_rule: Mapping[str, PolicyId]
    unknown: tuple[str, ...]

    @property
    def managed(self) -> frozenset[PolicyId]:
        """The policies that door-sync gives and takes; no other is ever touched (P4, R2)."""
        return frozenset(self.by_rule.values())


def resolve_policies(
    rules: Iterable[Rule], policies: Collection[Policy] | None
) -> ResolvedPolicies:
    """Given the tier rules and the controller's policies, return the id that each rule means (R1).

    An id wins over a name; a name must be exact and unique. Without `view:policy` (None) a rule's
    target is taken as an id if it looks like one, and is unknown otherwise (R0).
    """
    by_rule: dict[str, PolicyId] = {}
    unknown: list[str] = []
    for rule in rules:
        if rule.resolution is not Resolution.TIER:
            continue
        found = _policy(rule.target_policy, policies)
        if found is None:
            unknown.append(rule.key)
        else:
            by_rule[rule.key] = found
    return ResolvedPolicies(by_rule, tuple(sorted(unknown)))


def _policy(target: str, policies: Collection[Policy] | None) -> PolicyId | None:
    if policies is None:
        return PolicyId(target) if _looks_like_an_id(target) else None
    by_id = [policy.id for policy in policies if policy.id == target]
    by_name = [policy.id for policy in policies if policy.name == target]
    match by_id or by_name:
        case [only]:
            return only
        case _:
            return None


def _looks_like_an_id(target: str) -> bool:
    parts = target.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(
        character in "0123456789abcdef" for part in parts for character in part
    )


@dataclass(frozen=True, slots=True)
class TierBook:
    """Everything that turns memberships into an entitlement (R1, §10).

    `stale_after` is how long past its end a membership may still say active; `stale_denies`
    makes such a one count as lapsed. `cut_off` are contacts that a person cut off at once, which
    outweighs every membership until it is lifted (§6).
    """

    rules: MatchedRules
    policies: ResolvedPolicies
    active_statuses: frozenset[str]
    today: date
    stale_after: timedelta = timedelta(days=7)
    stale_denies: bool = False
    cut_off: frozenset[ContactId] = frozenset()

    def is_stale(self, membership: Membership) -> bool:
        """Say whether the status still says active although the end date passed long ago (R1).

        CiviCRM's job leaves test memberships as they are (CiviCRM sheet §7): they prove nothing.
        """
        return (
            membership.status in self.active_statuses
            and membership.status != GRACE
            and not membership.is_test
            and not membership.is_override
            and membership.end_date is not None
            and self.today - membership.end_date > self.stale_after
        )

    def counts(self, membership: Membership) -> bool:
        """Say whether this membership is active for the purpose of access (R1)."""
        return (
            membership.status in self.active_statuses
            and not membership.is_test
            and not (self.stale_denies and self.is_stale(membership))
        )


def deciding(memberships: Iterable[Membership], book: TierBook) -> Membership | None:
    """Given a contact's memberships, return the one that outweighs all others (R1).

    The highest rank wins, ties by type name, then the first. None if none counts, or if one of
    those that do has no rule: then nobody knows.
    """
    return _outweighing([one for one in memberships if book.counts(one)], book)


def _outweighing(counting: Iterable[Membership], book: TierBook) -> Membership | None:
    ranked: list[tuple[int, str, Membership]] = []
    for one in counting:
        rule = book.rules.by_type.get(one.type.id)
        if rule is None:
            return None
        ranked.append((-rule.rank, one.type.name, one))
    return min(ranked, key=lambda row: row[:2])[2] if ranked else None


def entitlement(member: Member, book: TierBook) -> Entitlement:
    """Given a contact that CiviCRM returned, return what it should have (R1).

    The membership decides first; only for a Grant does it matter whether there is a card at all.
    """
    if member.contact_id in book.cut_off:
        return Deny(CUT_OFF)
    if member.is_deleted:
        return Deny("the contact is in CiviCRM's trash")
    if member.is_deceased:
        return Deny("deceased")
    counting = [one for one in member.memberships if book.counts(one)]
    if not counting:
        return _NO_MEMBERSHIP
    decider = _outweighing(counting, book)
    if decider is None:
        return Unknown(UNMAPPED)
    winner = book.rules.by_type[decider.type.id]
    if winner.resolution is Resolution.NONE:
        return Deny(f"the tier {winner.key} gives no access")
    if winner.resolution is Resolution.DAY_PASS:
        return Skip(winner.key)
    if member.card is None:
        return Deny("the card field is empty")
    # A rule whose policy is unknown holds the whole cycle (§6), so its target is never written.
    policy = book.policies.by_rule.get(winner.key, PolicyId(winner.target_policy))
    return _grant(policy, winner.key)


@cache
def _grant(policy: PolicyId, tier: str) -> Grant:
    """Return one Grant for all members of a tier: there may be very many of them."""
    return Grant(policy, tier)


def verdicts(members: Iterable[Member], book: TierBook) -> dict[ContactId, Verdict]:
    """Given everybody that CiviCRM returned, return one verdict each, duplicate cards found (R1).

    A number counts as a duplicate only among contacts with a Grant: a lapsed contact that still
    carries a recycled number takes nothing from its new owner. Whoever was cut off by hand may
    still have the card in his pocket, so for this he counts as CiviCRM has him (P1).
    """
    people = tuple(members)
    entitled = [entitlement(member, book) for member in people]
    as_in_civicrm = replace(book, cut_off=frozenset())
    wanted: dict[CardNumber, int] = {}
    for member, decided in zip(people, entitled, strict=True):
        is_cut_off = member.contact_id in book.cut_off
        by_civicrm = entitlement(member, as_in_civicrm) if is_cut_off else decided
        if isinstance(by_civicrm, Grant) and isinstance(member.card, CardNumber):
            wanted[member.card] = wanted.get(member.card, 0) + 1
    result: dict[ContactId, Verdict] = {}
    for member, decided in zip(people, entitled, strict=True):
        card = _card_part(member, wanted) if isinstance(decided, Grant) else None
        result[member.contact_id] = Verdict(member.contact_id, decided, card, member)
    return result


def _card_part(member: Member, wanted: Mapping[CardNumber, int]) -> CardNumber | CardUnknown | None:
    if isinstance(member.card, BadCard):
        return CardUnknown(member.card.value)
    if member.card is not None and wanted[member.card] > 1:
        return CardUnknown(DUPLICATE_CARD)
    return member.card


def verdicts_on_missing(
    not_returned: Collection[ContactId],
    missing_before: Collection[ContactId],
    *,
    too_many: bool,
) -> dict[ContactId, Verdict]:
    """Given the contacts that CiviCRM did not return although asked by id, return their verdicts.

    Unknown the first time; Deny when the last good read missed the contact too, and only while
    not `too_many` are missing at once (R1, P1).
    """
    return {
        contact_id: Verdict(
            contact_id,
            Deny(NO_SUCH_CONTACT)
            if not too_many and contact_id in missing_before
            else Unknown(NOT_RETURNED),
        )
        for contact_id in not_returned
    }


def too_many_missing(missing: int, active_managed: int) -> bool:
    """Say whether more than max(1, 1 %) of the active managed users are missing at once (R1)."""
    return missing > max(1, active_managed // 100)

"""One person's chain of reasons: memberships → rule → entitlement → controller → next cycle (§4).

Everything here is looked up in what one cycle read and decided, so that an explanation is of the
very plan that a live cycle would carry out. Nothing is decided anew.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from door_sync.core.cards import CardNumber
from door_sync.core.controller import Card, HeldByUser, PolicyId, User
from door_sync.core.decision import Decision, Habits, World
from door_sync.core.guards import Objection
from door_sync.core.people import ContactId, Member, Membership, PersonInFull
from door_sync.core.situation import Situation, serving_user, situation
from door_sync.core.steps import Blocked, Change, Notice, PlannedStep
from door_sync.core.tiers import (
    CUT_OFF,
    DUPLICATE_CARD,
    CardUnknown,
    Deny,
    Rule,
    TierBook,
    Verdict,
    deciding,
    entitlement,
    match_rules,
)


class Known(Enum):
    """Where CiviCRM has this contact."""

    LISTED = "among the contacts with a card"
    ASKED = "asked for by id"
    NOT_RETURNED = "not returned"


class Counts(Enum):
    """Whether a membership counts for access, and why not (R1)."""

    YES = "it counts"
    STALE = "it counts, though it ended long ago and only its status says otherwise"
    TEST = "a test membership never counts"
    NOT_ACTIVE = "its status is not among civicrm.active_statuses"
    STALE_DENIED = 'it ended long ago, and civicrm.stale = "deny" believes the date'

    @property
    def is_so(self) -> bool:
        """Say whether it counts."""
        return self in (Counts.YES, Counts.STALE)


@dataclass(frozen=True, slots=True)
class MembershipSeen:
    """One membership, what it counts for, and the rule for its type if there is one.

    `decides` is the one that outweighs all others.
    """

    membership: Membership
    counts: Counts
    rule: Rule | None
    decides: bool


@dataclass(frozen=True, slots=True)
class UserSeen:
    """One of the contact's users in the controller, with the cards that are surely bound to it.

    `serves` is the one that door-sync writes to (R2); `tiers` the policies that tiers give,
    `others` those that somebody gave by hand or the console gives to everyone.
    """

    user: User
    cards: tuple[Card, ...]
    tiers: tuple[PolicyId, ...]
    others: tuple[PolicyId, ...]
    serves: bool


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card in the controller that carries the number in CiviCRM, and who holds it by contact id;
    None for nobody's, an unmanaged user's, a visitor's, or a holder that nobody knows."""

    card: Card
    holder: User | None


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A change that does not run, and the guards that hold it."""

    change: Change
    guards: tuple[Objection, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that can be said of one contact now.

    `member` is None if CiviCRM did not return the contact; `verdict` too if the controller has no
    open user of it, so that no cycle asks what it should have.
    `shares_with` are contacts with the same card number. `running` are the steps of the next cycle
    for this contact, in order, and `approved` the guards that a person settled for them; `doubts`
    are guards that hold the whole cycle.
    """

    contact_id: ContactId
    known: Known
    member: Member | None
    memberships: tuple[MembershipSeen, ...]
    verdict: Verdict | None
    number: CardNumber | None
    shares_with: tuple[ContactId, ...]
    cards: tuple[CardSeen, ...]
    users: tuple[UserSeen, ...]
    situation: Situation | None
    running: tuple[PlannedStep, ...]
    held: tuple[HeldChange, ...]
    approved: tuple[str, ...]
    doubts: tuple[Objection, ...]
    blocked: tuple[Blocked, ...]
    notices: tuple[Notice, ...]
    is_cut_off: bool

    @property
    def is_known(self) -> bool:
        """Say whether either side knows this contact."""
        return self.verdict is not None or bool(self.users)

    @property
    def serving(self) -> UserSeen | None:
        """The user that door-sync writes to; None if there is none."""
        return next((one for one in self.users if one.serves), None)


def explain(
    contact_id: ContactId,
    world: World,
    habits: Habits,
    decision: Decision,
    cut_off: Collection[ContactId],
    in_full: PersonInFull | None,
) -> Explanation:
    """Given what a cycle read and decided, and all that CiviCRM says of one contact, return why.

    `in_full` is None if CiviCRM does not return the contact. A cycle asks for most contacts without
    a card by no id, because nothing hangs on them; what it would decide is said all the same.
    """
    book = tier_book(world, habits, decision, cut_off)
    listed = world.members.get(contact_id)
    member = listed or world.answered.get(contact_id) or (in_full.member if in_full else None)
    users = world.snapshot.users_of.get(contact_id, ())
    verdict = decision.verdicts.get(contact_id)
    if verdict is None and member is not None:
        verdict = Verdict(contact_id, entitlement(member, book), None, member)
    known = Known.NOT_RETURNED
    if member is not None:
        known = Known.LISTED if listed is not None else Known.ASKED
    served = serving_user(users, verdict, world.snapshot) if verdict is not None else None
    number = member.card if member is not None and isinstance(member.card, CardNumber) else None
    return Explanation(
        contact_id=contact_id,
        known=known,
        member=member,
        memberships=_memberships(member, in_full, book),
        verdict=verdict,
        number=number,
        shares_with=_sharing(verdict, number, decision),
        cards=_cards(number, world),
        users=tuple(_user_seen(one, world, decision, served) for one in users),
        situation=_situation(verdict, decision),
        running=tuple(one for one in decision.plan.steps() if one.change.contact_id == contact_id),
        held=_held(contact_id, decision),
        approved=_approved(contact_id, decision),
        doubts=decision.objections if decision.is_in_doubt else (),
        blocked=tuple(one for one in decision.plan.blocked if one.contact_id == contact_id),
        notices=tuple(one for one in decision.notices if one.contact_id == contact_id),
        is_cut_off=contact_id in cut_off,
    )


def tier_book(
    world: World, habits: Habits, decision: Decision, cut_off: Collection[ContactId]
) -> TierBook:
    """Return the rules as the decision had them (R1)."""
    return TierBook(
        match_rules(world.membership_types, habits.rules),
        decision.policies,
        habits.active_statuses,
        world.today,
        habits.stale_after,
        habits.stale_denies,
        frozenset(cut_off),
    )


def counts(membership: Membership, book: TierBook) -> Counts:
    """Return whether a membership counts for access, and why not (R1)."""
    if membership.is_test:
        return Counts.TEST
    if membership.status not in book.active_statuses:
        return Counts.NOT_ACTIVE
    if book.is_stale(membership):
        return Counts.STALE_DENIED if book.stale_denies else Counts.STALE
    return Counts.YES


def _memberships(
    member: Member | None, in_full: PersonInFull | None, book: TierBook
) -> tuple[MembershipSeen, ...]:
    if member is None:
        return ()
    decider = deciding(member.memberships, book)
    shown = in_full.memberships if in_full is not None else member.memberships
    return tuple(
        MembershipSeen(
            one,
            counts(one, book),
            book.rules.by_type.get(one.type.id),
            decider is not None and one.id == decider.id,
        )
        for one in shown
    )


def _sharing(
    verdict: Verdict | None, number: CardNumber | None, decision: Decision
) -> tuple[ContactId, ...]:
    if verdict is None or number is None or verdict.card != CardUnknown(DUPLICATE_CARD):
        return ()
    return tuple(
        sorted(
            other.contact_id
            for other in decision.verdicts.values()
            if other.contact_id != verdict.contact_id
            and other.member is not None
            and other.member.card == number
            and (other.card == CardUnknown(DUPLICATE_CARD) or _is_cut_off(other))
        )
    )


def _is_cut_off(verdict: Verdict) -> bool:
    """Say whether somebody without access all the same keeps a number a duplicate (R1)."""
    return verdict.entitlement == Deny(CUT_OFF)


def _cards(number: CardNumber | None, world: World) -> tuple[CardSeen, ...]:
    if number is None:
        return ()
    return tuple(
        CardSeen(card, _holder(card, world))
        for card in world.snapshot.cards_numbered.get(number, ())
    )


def _holder(card: Card, world: World) -> User | None:
    if isinstance(card.holder, HeldByUser):
        return world.snapshot.user.get(card.holder.user_id)
    return None


def _user_seen(user: User, world: World, decision: Decision, served: User | None) -> UserSeen:
    managed = decision.policies.managed
    return UserSeen(
        user,
        world.snapshot.cards_held_by.get(user.id, ()),
        tuple(one for one in user.policy_ids if one in managed),
        tuple(one for one in user.policy_ids if one not in managed),
        served is not None and user.id == served.id,
    )


def _situation(verdict: Verdict | None, decision: Decision) -> Situation | None:
    if verdict is None or decision.site is None:
        return None
    return situation(verdict, decision.site)


def _held(contact_id: ContactId, decision: Decision) -> tuple[HeldChange, ...]:
    return tuple(
        HeldChange(
            change,
            tuple(
                one
                for one in decision.objections
                if decision.is_in_doubt or change.change_class in one.classes
            ),
        )
        for change in decision.full.changes
        if change.contact_id == contact_id and (contact_id, change.change_class) in decision.held
    )


def _approved(contact_id: ContactId, decision: Decision) -> tuple[str, ...]:
    mine = {one.change_class for one in decision.plan.changes if one.contact_id == contact_id}
    return tuple(one.guard for one in decision.settled if mine.intersection(one.classes))

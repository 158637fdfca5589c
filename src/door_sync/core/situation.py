"""Who each contact is in the controller, and what that calls for (R2).

A situation is what the planner works from: the contact's verdict, the user that serves it, the
cards that are stale there, and the class of change it falls into. Nothing is written here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import (
    Card,
    PolicyId,
    Snapshot,
    User,
    UserId,
    UserStatus,
)
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.core.tiers import CardUnknown, Deny, Grant, Skip, Unknown, Verdict

Held = frozenset[tuple[ContactId, ChangeClass]]
"""Changes that must not run: held by a guard, set aside, or not approved (§6)."""


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that a plan is made from.

    `refused` are contacts whose present address the controller refused lately; `failed_imports`
    contacts whose number must not be imported again yet; `failed_restores` those whose restore
    was shut again less than a day ago; `settled` users without a status whose revocation was
    accepted for the row as it stands.
    """

    snapshot: Snapshot
    verdicts: Mapping[ContactId, Verdict]
    managed: frozenset[PolicyId]
    email_sync: bool = True
    refused: frozenset[ContactId] = frozenset()
    failed_imports: frozenset[ContactId] = frozenset()
    failed_restores: frozenset[ContactId] = frozenset()
    settled: frozenset[UserId] = frozenset()


@dataclass(frozen=True, slots=True)
class Create:
    """A Grant without a user."""

    verdict: Verdict
    grant: Grant


@dataclass(frozen=True, slots=True)
class Keep:
    """A Grant whose user is active, or of unknown status: whatever differs is written.

    `is_half_made`: the user has neither a card nor a managed policy, so completing it counts as
    an addition (§6). `doubtful`: a stale card may be bound, but the lists disagree about it.
    """

    verdict: Verdict
    grant: Grant
    user: User
    stale: tuple[CardToken, ...]
    doubtful: bool
    is_half_made: bool


@dataclass(frozen=True, slots=True)
class Restore:
    """A Grant whose user is deactivated."""

    verdict: Verdict
    grant: Grant
    user: User
    stale: tuple[CardToken, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """A Grant that cannot be served now, and why. Nothing is written."""

    verdict: Verdict
    user: User
    why: "WaitReason"


@dataclass(frozen=True, slots=True)
class WaitReason:
    """A reason to leave a user alone: `is_pending` tells the invited administrator apart."""

    text: str
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class Revoke:
    """A Deny with users that are not deactivated yet."""

    verdict: Verdict
    deny: Deny
    users: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """A Deny whose users show no status, though their revocation was accepted (R2)."""

    verdict: Verdict
    users: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class TakeTiersOff:
    """A Skip whose users show managed policies."""

    verdict: Verdict
    users: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class LeaveAlone:
    """An Unknown: reported, never changed (P1)."""

    verdict: Verdict
    unknown: Unknown


@dataclass(frozen=True, slots=True)
class Nothing:
    """What should be is what is."""


NOTHING = Nothing()

Situation = Create | Keep | Restore | Wait | Revoke | Settled | TakeTiersOff | LeaveAlone | Nothing

PENDING = WaitReason("the user is an invited administrator who has not accepted", is_pending=True)
RESTORE_FAILED = WaitReason("a stale card could not be freed; the restore is tried once a day")
CARD_NOT_KNOWN = WaitReason(
    "the user is deactivated with a card bound, and CiviCRM does not say which card is right"
)
LISTS_DISAGREE = WaitReason(
    "the user is deactivated, and the controller's lists disagree about one of its cards"
)

_PREFERENCE = {
    UserStatus.ACTIVE: 0,
    UserStatus.UNKNOWN: 1,
    UserStatus.DEACTIVATED: 2,
    UserStatus.PENDING: 3,
}


def situation(verdict: Verdict, site: Site) -> Situation:
    """Given one verdict, return what it meets in the controller (the rows of R2's table)."""
    users = site.snapshot.users_of.get(verdict.contact_id, ())
    match verdict.entitlement:
        case Grant() as grant:
            return _granted(verdict, grant, users, site)
        case Deny() as deny:
            return _denied(verdict, deny, users, site)
        case Skip():
            shown = tuple(user for user in users if managed_policies(user, site.managed))
            return TakeTiersOff(verdict, shown) if shown else NOTHING
        case Unknown() as unknown:
            return LeaveAlone(verdict, unknown)
        case _:
            assert_never(verdict.entitlement)


def _denied(verdict: Verdict, deny: Deny, users: Iterable[User], site: Site) -> Situation:
    not_shut = [user for user in users if user.status is not UserStatus.DEACTIVATED]
    if not not_shut:
        return NOTHING
    todo = [user for user in not_shut if user.id not in site.settled]
    return Revoke(verdict, deny, tuple(todo)) if todo else Settled(verdict, tuple(not_shut))


def _granted(verdict: Verdict, grant: Grant, users: Collection[User], site: Site) -> Situation:
    user = serving_user(users, verdict, site.snapshot)
    if user is None:
        return Create(verdict, grant)
    stale = _stale(site.snapshot.cards_held_by.get(user.id, ()), verdict)
    doubtful = _has_doubtful_card(user, verdict, site.snapshot)
    match user.status:
        case UserStatus.PENDING:
            return Wait(verdict, user, PENDING)
        case UserStatus.DEACTIVATED:
            why = _restore_must_wait(verdict, user, stale, site, doubtful=doubtful)
            return Wait(verdict, user, why) if why else Restore(verdict, grant, user, stale)
        case UserStatus.ACTIVE | UserStatus.UNKNOWN:
            half_made = not user.tokens and not managed_policies(user, site.managed)
            return Keep(verdict, grant, user, stale, doubtful, half_made)
        case _:
            assert_never(user.status)


def _restore_must_wait(
    verdict: Verdict, user: User, stale: tuple[CardToken, ...], site: Site, *, doubtful: bool
) -> WaitReason | None:
    if stale and verdict.contact_id in site.failed_restores:
        return RESTORE_FAILED
    if doubtful:
        return LISTS_DISAGREE
    # A card that is only perhaps this member's would open doors from the moment of activation.
    bound = site.snapshot.cards_held_by.get(user.id, ())
    if isinstance(verdict.card, CardUnknown) and any(card.is_ours for card in bound):
        return CARD_NOT_KNOWN
    return None


def serving_user(users: Collection[User], verdict: Verdict, snapshot: Snapshot) -> User | None:
    """Return which of a contact's users serves it (R2, two users with one contact id).

    Active, unknown, deactivated, PENDING, in that order; then the one that holds the wanted card;
    then the lowest id.
    """
    if len(users) == 1:
        return next(iter(users))  # as nearly everywhere: nobody to compare with

    def preference(user: User) -> tuple[int, bool, str]:
        held = snapshot.cards_held_by.get(user.id, ())
        holds_it = any(card.number is not None and card.number == verdict.card for card in held)
        return _PREFERENCE[user.status], not holds_it, user.id

    return min(users, key=preference, default=None)


def managed_policies(user: User, managed: frozenset[PolicyId]) -> frozenset[PolicyId]:
    """Return the managed policies that a user shows."""
    return managed.intersection(user.policy_ids)


def wanted_number(verdict: Verdict) -> CardNumber | None:
    """Return the number that a contact should have, or None where it is not known."""
    return verdict.card if isinstance(verdict.card, CardNumber) else None


def _stale(cards: Iterable[Card], verdict: Verdict) -> tuple[CardToken, ...]:
    wanted = wanted_number(verdict)
    if wanted is None:
        return ()
    return tuple(sorted([one.token for one in cards if one.is_ours and one.number != wanted]))


def _has_doubtful_card(user: User, verdict: Verdict, snapshot: Snapshot) -> bool:
    doubtful = snapshot.doubtful_cards
    if not doubtful:
        return False
    return bool(_stale([doubtful[one] for one in user.tokens if one in doubtful], verdict))


def freed_tokens(
    found: Mapping[ContactId, Situation], snapshot: Snapshot, held: Held
) -> frozenset[CardToken]:
    """Return the tokens that the changes which run will free, before any card is bound (R3)."""
    freed: set[CardToken] = set()
    for contact_id, what in found.items():
        match what:
            case Revoke(users=users) if (contact_id, ChangeClass.REVOKE) not in held:
                for user in users:
                    freed.update(card.token for card in snapshot.cards_held_by.get(user.id, ()))
            case Restore(stale=stale) if (contact_id, ChangeClass.RESTORE) not in held:
                freed.update(stale)
            case Keep(stale=stale) if (contact_id, ChangeClass.CARD) not in held:
                freed.update(stale)
            case _:
                pass
    return frozenset(freed)


def restored_users(found: Mapping[ContactId, Situation], held: Held) -> frozenset[UserId]:
    """Return the users that the changes which run activate."""
    return frozenset(
        what.user.id
        for contact_id, what in found.items()
        if isinstance(what, Restore) and (contact_id, ChangeClass.RESTORE) not in held
    )

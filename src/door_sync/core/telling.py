"""What a member could be told when they stand before a shut door: one or two friendly sentences.

This file owns the table. It names no other person, no number, no system. It never promises more
than the controller's own lists show: that a card opens is said only of a card that they show on an
active user with the policy of the tier, whatever is planned.
"""

from enum import Enum
from typing import assert_never

from door_sync.core.controller import PolicyId, UserStatus
from door_sync.core.explain import Explanation
from door_sync.core.situation import Create, Restore, Wait
from door_sync.core.steps import ChangeClass
from door_sync.core.tiers import (
    CUT_OFF,
    UNMAPPED,
    CardUnknown,
    Deny,
    Grant,
    Resolution,
    Skip,
    Unknown,
    Verdict,
)


class Told(Enum):
    """Each thing that a member may be told."""

    WORKS = (
        "Your membership is fine, and your card is set up for the doors and hours that go with it. "
        "If a door stays shut all the same, tell us which one and when."
    )
    SOON = (
        "Your membership is fine, and the door system gets to know about it with its next update. "
        "If your card does not work tomorrow, tell us."
    )
    WAITS = (
        "Your membership is fine. Your access waits for one of us to have a look at it, and we are "
        "on it."
    )
    CARD_TAKEN = (
        "Your membership is fine, but the card number that we have for you is still in use "
        "elsewhere. Please show us your card, so that we can sort it out."
    )
    CARD_UNREADABLE = (
        "Your membership is fine, but we do not have your card's number right. Please show us your "
        "card, so that we can read it."
    )
    NO_CARD = (
        "Your membership is fine, but no card is on file for you. Please come by for one, or show "
        "us the one you have."
    )
    INVITED = (
        "Your membership is fine. There is an invitation to the door system that you have not "
        "accepted yet; please look for it in your mail, or tell us if you cannot find it."
    )
    TRY_IT = (
        "Your membership is fine, but from here we cannot see whether your card works. Please try "
        "it, and tell us if it does not."
    )
    LAPSED = (
        "We have no running membership for you, so no door access goes with it just now. Once it "
        "is renewed, your access comes back by itself."
    )
    NOT_INCLUDED = "Your membership does not include access to the doors. We can tell you which do."
    BLOCKED = (
        "One of us has blocked your access. Please talk to us before you come; we would like to "
        "clear it up."
    )
    ASK_AT_DESK = (
        "You have a day pass. Your way in is arranged for the day at the desk, so please ask there."
    )
    UNCLEAR = (
        "Your membership is on file, but our system does not know yet what goes with it. That is "
        "ours to mend, and until then nothing changes for you."
    )
    NOT_FOUND = (
        "We cannot find you in our membership list just now. Please give us the name and address "
        "that you signed up with."
    )
    NOBODY = (
        "Nothing: the contact is marked as deceased. If that is wrong, mend it in CiviCRM first."
    )


def what_to_tell(found: Explanation) -> Told:
    """Given everything about one contact, return what the member could be told."""
    verdict = found.verdict
    if verdict is None:
        return Told.NOT_FOUND
    if found.is_cut_off:
        return Told.BLOCKED
    match verdict.entitlement:
        case Deny(reason):
            return _denied(reason, found)
        case Skip():
            return Told.ASK_AT_DESK
        case Unknown(reason):
            return Told.UNCLEAR if reason == UNMAPPED else Told.NOT_FOUND
        case Grant(policy):
            return _granted(verdict, policy, found)
        case _:
            assert_never(verdict.entitlement)


def _denied(reason: str, found: Explanation) -> Told:
    member = found.member
    if reason == CUT_OFF:  # and let in again since: the next cycle decides anew
        return Told.BLOCKED
    if member is None or member.is_deleted:
        return Told.NOT_FOUND
    if member.is_deceased:
        return Told.NOBODY
    decider = next((one for one in found.memberships if one.decides), None)
    if decider is None:
        return Told.LAPSED
    return Told.NO_CARD if member.card is None and _is_tier(found) else Told.NOT_INCLUDED


def _is_tier(found: Explanation) -> bool:
    decider = next(one for one in found.memberships if one.decides)
    return decider.rule is not None and decider.rule.resolution is Resolution.TIER


def _granted(verdict: Verdict, policy: PolicyId, found: Explanation) -> Told:
    what = found.situation
    if is_set_up(verdict, policy, found):
        return Told.WORKS
    if isinstance(verdict.card, CardUnknown):
        return Told.CARD_UNREADABLE
    if found.blocked:
        return Told.CARD_TAKEN
    match what:
        case Wait(why=why):
            return Told.INVITED if why.is_pending else Told.WAITS
        case Create() | Restore():
            return Told.SOON if _lets_in(found) else Told.WAITS
        case _:  # Keep: nothing else becomes of a Grant
            if _lets_in(found):
                return Told.SOON
            return Told.WAITS if found.held else Told.TRY_IT


def _lets_in(found: Explanation) -> bool:
    """Say whether the next cycle works at this person's access, unless it only writes a name."""
    return any(one.change.change_class is not ChangeClass.PROFILE for one in found.running)


def is_set_up(verdict: Verdict, policy: PolicyId, found: Explanation) -> bool:
    """Say whether the controller shows the right card on an active user with the tier's policy."""
    return any(
        one.user.status is UserStatus.ACTIVE
        and policy in one.user.policy_ids
        and any(card.number is not None and card.number == verdict.card for card in one.cards)
        for one in found.users
    )

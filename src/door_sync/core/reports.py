"""What a person should know although nothing is written for it (R1, R2).

Texts name contact ids, user ids and counts; never names, addresses or numbers (P12).
"""

from collections.abc import Iterable, Mapping
from typing import assert_never

from door_sync.core.cards import BadCard
from door_sync.core.controller import User
from door_sync.core.names import is_nameless
from door_sync.core.people import ContactId
from door_sync.core.situation import (
    Create,
    Keep,
    LeaveAlone,
    Nothing,
    Restore,
    Revoke,
    Settled,
    Site,
    Situation,
    TakeTiersOff,
    Wait,
    wanted_number,
)
from door_sync.core.steps import Notice, NoticeKind
from door_sync.core.tiers import UNMAPPED, CardUnknown, Grant, MatchedRules, TierBook, Verdict

IMPORT_SETTLED_BY = (
    "It is probably enrolled there already without our alias: find it under Credentials and delete "
    "it there, or give it the alias sync- and the five digits of its number"
)
"""What settles it that the controller refused to import a card (R3)."""

UNMAPPED_SETTLED_BY = (
    "Say in tier_mapping.rules what that type is worth, or end the membership in CiviCRM"
)
"""What settles it that nobody said what a type of membership gives (R1)."""


def notices(site: Site, found: Mapping[ContactId, Situation]) -> list[Notice]:
    """Given every situation, return what is worth a word about each contact."""
    result: list[Notice] = []
    for contact_id, what in found.items():
        verdict = site.verdicts[contact_id]
        result += _on_verdict(verdict)
        result += _on_situation(contact_id, what, site)
        result += _on_two_users(verdict, site)
    return result


def _on_verdict(verdict: Verdict) -> list[Notice]:
    contact_id = verdict.contact_id
    found: list[Notice] = []
    if isinstance(verdict.card, CardUnknown):
        member = verdict.member
        malformed = member is not None and isinstance(member.card, BadCard)
        kind = NoticeKind.BAD_CARD if malformed else NoticeKind.DUPLICATE_CARD
        found.append(Notice(kind, f"{verdict.card.reason}; the card stays as it is", contact_id))
    is_grant = isinstance(verdict.entitlement, Grant)
    if is_grant and verdict.member is not None and is_nameless(verdict.member):
        text = "CiviCRM has no name for this contact, so its id stands in for one"
        found.append(Notice(NoticeKind.NO_NAME, text, contact_id))
    return found


def _on_situation(contact_id: ContactId, what: Situation, site: Site) -> list[Notice]:
    match what:
        case Keep():
            return _on_hand_enrolled(what.verdict, what.user, site)
        case LeaveAlone(unknown=unknown):
            text = f"{unknown.reason}; nothing is changed"
            if unknown.reason == UNMAPPED:
                text += f". {UNMAPPED_SETTLED_BY}"
            return [Notice(NoticeKind.UNKNOWN, text, contact_id)]
        case Wait(user=user, why=why):
            kind = NoticeKind.PENDING_USER if why.is_pending else NoticeKind.RESTORE_WAITS
            return [Notice(kind, f"user {user.id}: {why.text}", contact_id)]
        case Settled(users=users):
            text = (
                "user {} shows no status; its deactivation was accepted and it holds no card. "
                "Look at it in the controller"
            )
            return [
                Notice(NoticeKind.NO_STATUS, text.format(user.id), contact_id) for user in users
            ]
        case Restore(verdict=verdict, user=user):
            found = _on_hand_enrolled(verdict, user, site)
            others = set(user.policy_ids) - site.managed - site.snapshot.everyones_policies
            if others:
                text = f"{len(others)} policies given by hand are not revived by the restore"
                found.append(Notice(NoticeKind.HAND_GIVEN_POLICIES, text, contact_id))
            return found
        case Create() | Revoke() | TakeTiersOff() | Nothing():
            return []
        case _:
            assert_never(what)


def _on_hand_enrolled(verdict: Verdict, user: User, site: Site) -> list[Notice]:
    held = site.snapshot.cards_held_by.get(user.id, ())
    wanted = wanted_number(verdict)
    by_hand = [c for c in held if not c.is_ours and (c.number is None or c.number != wanted)]
    if not by_hand:
        return []
    text = f"user {user.id} has {len(by_hand)} cards enrolled by hand, which stay"
    return [Notice(NoticeKind.HAND_ENROLLED_CARD, text, verdict.contact_id)]


def _on_two_users(verdict: Verdict, site: Site) -> list[Notice]:
    users = site.snapshot.users_of.get(verdict.contact_id, ())
    if len(users) < 2:
        return []
    ids = ", ".join(sorted(user.id for user in users))
    text = f"{len(users)} users in the controller carry this contact id: {ids}"
    return [Notice(NoticeKind.TWO_USERS, text, verdict.contact_id)]


def cut_off_notices(cut_off: Iterable[ContactId]) -> list[Notice]:
    """Return a notice for everybody whom a person cut off, until that is lifted (§6)."""
    return [
        Notice(
            NoticeKind.CUT_OFF,
            f"cut off by hand, whatever CiviCRM says; `door-sync restore {contact_id}` ends that",
            contact_id,
        )
        for contact_id in sorted(cut_off)
    ]


def source_notices(
    verdicts: Iterable[Verdict], rules: MatchedRules, book: TierBook
) -> list[Notice]:
    """Return what is worth a word about CiviCRM's own data (R0, R1)."""
    result = [
        Notice(
            NoticeKind.UNUSED_RULE, f"no membership type is called '{key}'; its rule does nothing"
        )
        for key in rules.unused
    ]
    stale = sorted(
        verdict.contact_id
        for verdict in verdicts
        if verdict.member is not None
        and any(book.is_stale(membership) for membership in verdict.member.memberships)
    )
    text = (
        f"a membership ended more than {book.stale_after.days} days ago but its status still says "
        "active; CiviCRM's scheduled job 'Update Membership Statuses' is probably not running"
    )
    result += [Notice(NoticeKind.STALE_MEMBERSHIP, text, contact_id) for contact_id in stale]
    return result

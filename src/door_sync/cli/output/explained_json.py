"""One person explained, as JSON for scripts: ids, tags and texts. Names stand in it (P12)."""

import json
from typing import assert_never

from door_sync.app.explaining import Explained
from door_sync.cli.output.explained import is_ready, name_shown
from door_sync.cli.output.past_json import happening_json, moment_json
from door_sync.cli.output.wording import Wording
from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.explain import Explanation, MembershipSeen, UserSeen
from door_sync.core.steps import kind_of
from door_sync.core.tiers import Deny, Grant, Skip, Unknown, Verdict


def explained_json(found: Explained) -> str:
    """Return everything that is known of one contact. Keys stay; new ones may be added."""
    words = Wording(found.report, shows_names=True)
    one = found.explanation
    error = found.error
    taps = found.taps
    content: dict[str, object] = {
        "contact": found.contact_id,
        "error": None
        if error is None
        else {"class": type(error).__name__, "message": error.message, "remedy": error.remedy},
        **({} if one is None else _explanation(one, words)),
        "cut_off": None
        if found.cut_off is None
        else {
            "at": found.cut_off.at,
            "asked_by": found.cut_off.asked_by,
            "reason": found.cut_off.reason,
        },
        "told": None
        if found.told is None
        else {"kind": found.told.name.lower(), "text": found.told.value},
        "events": None
        if found.story is None
        else [happening_json(event) for event in found.story.happenings],
        "taps": None
        if taps is None or taps.taps is None
        else {
            "since": taps.since,
            "complete": taps.taps.is_whole,
            "entries": [
                {"at": tap.at, "door": tap.door, "opened": tap.opened, "whose": tap.whose.value}
                for tap in taps.taps.taps
            ],
        },
        "taps_error": taps.error or None if taps is not None else None,
    }
    return json.dumps(content, indent=2, default=moment_json) + "\n"


def _explanation(one: Explanation, words: Wording) -> dict[str, object]:
    return {
        "name": name_shown(one, words),
        "known": one.known.name.lower(),
        "memberships": [_membership(each) for each in one.memberships],
        "entitlement": None if one.verdict is None else _entitlement(one.verdict),
        "ready": one.verdict is not None and is_ready(one.verdict, one),
        "card": _card(one, words),
        "users": [_user(each, words) for each in one.users],
        "next": [
            {
                "step": kind_of(planned.step),
                "class": planned.change.change_class.value,
                "reason": planned.change.reason,
                "text": words.step(planned.step),
            }
            for planned in one.running
        ],
        "held": [
            {
                "class": held.change.change_class.value,
                "reason": held.change.reason,
                "guards": [guard.guard for guard in held.guards],
                "plan": words.report.hold_digest,
            }
            for held in one.held
        ],
        "approved": [*one.approved],
        "doubts": [guard.guard for guard in one.doubts],
        "blocked": [words.blocked(each) for each in one.blocked],
        "notices": [{"kind": each.kind.value, "text": each.text} for each in one.notices],
    }


def _membership(one: MembershipSeen) -> dict[str, object]:
    membership = one.membership
    return {
        "id": membership.id,
        "type": membership.type.name,
        "status": membership.status,
        "start": membership.start_date and membership.start_date.isoformat(),
        "end": membership.end_date and membership.end_date.isoformat(),
        "test": membership.is_test,
        "overridden": membership.is_override,
        "counts": one.counts.is_so,
        "why": one.counts.value,
        "rule": None if one.rule is None else one.rule.key,
        "decides": one.decides,
    }


def _entitlement(verdict: Verdict) -> dict[str, object]:
    match verdict.entitlement:
        case Grant(policy=policy, tier=tier):
            return {"kind": "grant", "policy": policy, "tier": tier, "reason": None}
        case Skip(tier=tier):
            return {"kind": "skip", "policy": None, "tier": tier, "reason": None}
        case Deny(reason):
            return {"kind": "deny", "policy": None, "tier": None, "reason": reason}
        case Unknown(reason):
            return {"kind": "unknown", "policy": None, "tier": None, "reason": reason}
        case _:
            assert_never(verdict.entitlement)


def _card(one: Explanation, words: Wording) -> dict[str, object]:
    card = one.member.card if one.member is not None else None
    return {
        "tag": words.card(card) if isinstance(card, CardNumber) else None,
        "problem": card.value if isinstance(card, BadCard) else None,
        "shared_with": [*one.shares_with],
        "holders": [
            {
                "holder": type(each.card.holder).__name__,
                "contact": each.holder.contact_id if each.holder else None,
                "status": each.holder.status.value if each.holder else None,
            }
            for each in one.cards
        ],
    }


def _user(one: UserSeen, words: Wording) -> dict[str, object]:
    return {
        "user": one.user.id,
        "status": one.user.status.value,
        "tier_policies": [*one.tiers],
        "other_policies": [*one.others],
        "cards": [words.card(card.token) for card in one.cards],
        "serves": one.serves,
    }

"""One person explained, as plain text: what it comes to, then reason by reason (§8).

Names may stand in it, because a person asked; a card is its keyed tag (P12).
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, assert_never

from door_sync.app.explaining import TAPS_AGE, Explained
from door_sync.app.sentences import UNCHANGED, sentence
from door_sync.cli.output.past import story_lines
from door_sync.cli.output.times import local
from door_sync.cli.output.wording import Wording, counted, harmless
from door_sync.core.cards import BadCard
from door_sync.core.controller import (
    Free,
    HeldByUser,
    HeldByVisitor,
    HolderUnknown,
    User,
    UserStatus,
)
from door_sync.core.explain import CardSeen, Explanation, MembershipSeen, UserSeen
from door_sync.core.names import tidy
from door_sync.core.situation import Keep, LeaveAlone, Settled, Wait
from door_sync.core.telling import is_set_up
from door_sync.core.tiers import CardUnknown, Deny, Grant, Resolution, Skip, Unknown, Verdict
from door_sync.unifi.taps import Whose

LATEST: Final = 5
"""So many events of the story are shown; `history --contact` shows all."""

MOST_TAPS: Final = 10

_WHERE_THE_ID_IS: Final = (
    "Look in CiviCRM: the contact id stands in the address of the contact's page. A membership has "
    "an id of its own, which is another number."
)


def explained_text(found: Explained) -> str:
    """Return everything that is known of one contact, in sections."""
    words = Wording(found.report, shows_names=True)
    lines = _unread(found)
    if found.explanation is not None:
        one = found.explanation
        lines += _headline(one, words)
        if one.is_known:
            lines += _section("Memberships:", _memberships(one))
            lines += _section("What they give:", _entitlement(found, one, words))
            lines += _section("Card:", _card(one, words))
            lines += _section("In the controller:", _users(one, words))
            lines += _section("The next cycle:", _next(found, one, words))
    lines += _section("On record:", _story(found))
    lines += _section("At the doors:", _taps(found))
    if found.told is not None:
        lines += _section("What the member could be told:", [f"  {found.told.value}"])
    return "".join(f"{harmless(line)}\n" for line in lines)


def _section(title: str, lines: Iterable[str]) -> list[str]:
    inside = [*lines]
    return ["", title, *inside] if inside else []


def _unread(found: Explained) -> list[str]:
    if found.error is None:
        return []
    who = f"Contact {found.contact_id}"
    lines = [
        f"{who} cannot be explained now, because not everything could be read. {UNCHANGED}",
        f"Why: {sentence(found.error.message)}",
    ]
    return [*lines, f"What to do: {sentence(found.error.remedy)}"] if found.error.remedy else lines


def name_shown(found: Explanation, words: Wording) -> str:
    """Return `contact 42 (Ann Lee)`, by CiviCRM's name or else the controller's."""
    contact_id = found.contact_id
    name = words.name(contact_id)
    if not name and found.member is not None:
        member = found.member
        name = harmless(tidy(f"{member.first_name} {member.last_name}") or member.display_name)
    return f"contact {contact_id} ({name})" if name else f"contact {contact_id}"


def _headline(found: Explanation, words: Wording) -> list[str]:
    who = name_shown(found, words)
    who = who[0].upper() + who[1:]
    verdict = found.verdict
    if verdict is None:
        lines = [f"{who}: neither CiviCRM nor the controller knows this contact."]
        if found.users:
            lines = [f"{who}: CiviCRM does not return this contact; the controller has it still."]
        return [
            *lines,
            _WHERE_THE_ID_IS,
        ]
    match verdict.entitlement:
        case Grant(tier=tier):
            return [f"{who} should have access: tier {tier}.", _now(verdict, found)]
        case Deny(reason):
            return [f"{who} should have no access: {reason}.", _open_still(found)]
        case Skip(tier=tier):
            return [f"{who} has a day pass ({tier}): door-sync neither gives access nor takes it."]
        case Unknown(reason):
            return [f"{who}: nobody knows what they should have, so nothing is changed."]
        case _:
            assert_never(verdict.entitlement)


def _now(verdict: Verdict, found: Explanation) -> str:
    if is_ready(verdict, found):
        return "The controller has it so: the card is on an active user with the tier's policy."
    if found.running:
        return "The controller does not have it so yet; the next cycle works on it, see below."
    return "The controller does not have it so; why, see below."


def is_ready(verdict: Verdict, found: Explanation) -> bool:
    """Say whether the controller shows what a Grant asks for."""
    grant = verdict.entitlement
    return isinstance(grant, Grant) and is_set_up(verdict, grant.policy, found)


def _open_still(found: Explanation) -> str:
    still = [one for one in found.users if one.user.status is not UserStatus.DEACTIVATED]
    if not still:
        return "The controller has it so: there is no user that could open a door."
    if any(one.change.change_class.value == "revoke" for one in found.running):
        return "The controller still has an open user; the next cycle closes it."
    return "The controller still has an open user, and the next cycle does not close it: see below."


def _memberships(found: Explanation) -> Iterator[str]:
    if found.member is None:
        yield "  CiviCRM did not return this contact: deleted for good, or the key may not see it."
        return
    if found.member.is_deleted:
        yield "  The contact is in CiviCRM's trash."
    if found.member.is_deceased:
        yield "  The contact is marked as deceased."
    if not found.memberships:
        yield "  None."
    for one in found.memberships:
        yield f"  - {_membership(one)}"
    if any(one.counts.is_so and one.rule is None for one in found.memberships):
        yield "  One that counts and has no rule makes everything unknown."


def _membership(one: MembershipSeen) -> str:
    membership = one.membership
    override = ", status fixed by hand" if membership.is_override else ""
    text = f"{membership.type.name}: {membership.status}{override}, {_span(one)}. "
    text += f"{sentence(one.counts.value[0].upper() + one.counts.value[1:])}"
    if one.rule is None:
        return f"{text} No rule of tier_mapping.rules is about it."
    kind = one.rule.resolution
    gives = {
        Resolution.TIER: f"gives '{one.rule.target_policy}'",
        Resolution.NONE: "gives no access",
        Resolution.DAY_PASS: "is a day pass",
    }[kind]
    text += f" Rule '{one.rule.key}' {gives}, rank {one.rule.rank}."
    return f"{text} It decides: the highest rank of those that count." if one.decides else text


def _span(one: MembershipSeen) -> str:
    start, end = one.membership.start_date, one.membership.end_date
    since = f"from {_day(start)} " if start is not None else ""
    return f"{since}until {_day(end)}" if end is not None else f"{since}without an end"


def _day(day: date) -> str:
    return day.isoformat()


def _entitlement(found: Explained, one: Explanation, words: Wording) -> Iterator[str]:
    if found.cut_off is not None:
        why = f": {found.cut_off.reason}" if found.cut_off.reason else ""
        yield (
            f"  Cut off by hand, by {found.cut_off.asked_by} {local(found.cut_off.at)}{why}. That "
            f"outweighs every membership until `door-sync restore {one.contact_id}`."
        )
    if one.verdict is None:
        return
    match one.verdict.entitlement:
        case Grant(policy=policy, tier=tier):
            yield f"  The policy {words.policy(policy)}, by rule '{tier}'."
        case Deny(reason):
            yield f"  No access: {reason}."
        case Skip(tier=tier):
            yield f"  A day pass by rule '{tier}': cards, status and hand-given policies stay."
        case Unknown(reason):
            yield f"  Unknown: {reason}."
        case _:
            assert_never(one.verdict.entitlement)


def _card(found: Explanation, words: Wording) -> Iterator[str]:
    if found.member is None:
        return
    card = found.member.card
    if card is None:
        yield "  The card field in CiviCRM is empty."
        return
    if isinstance(card, BadCard):
        yield f"  {sentence(card.value[0].upper() + card.value[1:])} Mend it in CiviCRM."
        return
    yield f"  CiviCRM has {words.card(card)}."
    if found.shares_with:
        others = ", ".join(words.person(one) for one in found.shares_with)
        yield f"  The same number stands at {others}, so nobody's card is touched: mend one."
    if not found.cards:
        yield "  The controller does not have it yet."
    for one in found.cards:
        yield f"  In the controller: {_holder(one, found, words)}."
    for blocked in found.blocked:
        yield f"  {sentence(words.blocked(blocked))}"


def _holder(one: CardSeen, found: Explanation, words: Wording) -> str:
    match one.card.holder:
        case Free():
            return "there and free"
        case HeldByVisitor(visitor_id):
            return f"held by visitor {visitor_id}"
        case HolderUnknown(absent):
            if absent is None:
                return "nobody can say who holds it"
            return f"held by {words.user(absent)}, which is not listed"
        case HeldByUser(user_id):
            if one.holder is None:
                return f"held by {words.user(user_id)}, which is not listed"
            if one.holder.contact_id == found.contact_id:
                return f"bound to this contact's own {words.user(user_id)}"
            return f"held by {_other(one.holder, words)}"
        case _:
            assert_never(one.card.holder)


def _other(user: User, words: Wording) -> str:
    if user.contact_id is None:
        return f"{words.user(user.id)}, not managed by door-sync, {user.status.value}"
    return f"{words.person(user.contact_id)}, {user.status.value}"


def _users(found: Explanation, words: Wording) -> Iterator[str]:
    if not found.users:
        yield "  No user carries this contact id."
    for one in found.users:
        yield f"  - {_user(one, found, words)}"
    if len(found.users) > 1:
        yield "  Several users with one contact id: settle it in the controller's console."


def _user(one: UserSeen, found: Explanation, words: Wording) -> str:
    status = "no status shown" if one.user.status is UserStatus.UNKNOWN else one.user.status.value
    text = f"{words.user(one.user.id)}: {status}"
    if len(found.users) > 1 and one.serves:
        text += ", the one that door-sync writes to"
    tiers = ", ".join(words.policy(policy) for policy in one.tiers)
    text += f"; policy {tiers}" if tiers else "; no policy of a tier"
    if one.others:
        text += f" (and otherwise {', '.join(words.policy(policy) for policy in one.others)})"
    cards = ", ".join(words.card(card.token) for card in one.cards)
    return f"{text}; {cards}" if cards else f"{text}; no card"


def _next(found: Explained, one: Explanation, words: Wording) -> Iterator[str]:
    for number, planned in enumerate(one.running, start=1):
        why = f"{planned.change.change_class.value}: {planned.change.reason}"
        yield f"  {number}. {words.step(planned.step)}  [{why}]"
    if one.approved:
        yield f"  A person approved it, over guard {_listed(one.approved)}."
    for held in one.held:
        guards = _listed([guard.guard for guard in held.guards])
        yield (
            f"  Held by guard {guards}: {held.change.change_class.value}, {held.change.reason}. "
            f"It waits in plan {found.report.hold_digest}: `door-sync status` says what settles it."
        )
    if one.doubts and not one.held and not one.running:
        guards = _listed([guard.guard for guard in one.doubts])
        yield f"  Guard {guards} holds the whole cycle, so nothing is written for anybody."
    if not one.running and not one.held:
        yield f"  Nothing is written for this contact: {_why_nothing(one)}"
    for notice in one.notices:
        yield f"  Worth knowing: {sentence(notice.text)}"


def _why_nothing(found: Explanation) -> str:
    match found.situation:
        case Wait(why=why):
            return f"{why.text}."
        case LeaveAlone(unknown=unknown):
            return f"{unknown.reason}."
        case Settled():
            return "the deactivation was accepted, and the user shows no status."
        case Keep() if found.blocked:
            return "all is as it should be but the card, which is blocked."
        case Keep(verdict=verdict) if isinstance(verdict.card, CardUnknown):
            return "all is as it should be but the card, and nobody knows which is right."
        case Keep():
            return "all is as it should be."
        case _:
            return "there is nothing to give and nothing to take."


def _listed(guards: Iterable[str]) -> str:
    return ", ".join(f"'{guard}'" for guard in dict.fromkeys(guards))


def _story(found: Explained) -> Iterator[str]:
    if found.story is None:
        return
    events = found.story.happenings
    if not events:
        yield "  Nothing."
    if len(events) > LATEST:
        yield (
            f"  The last {LATEST} of {len(events)} events; "
            f"`door-sync history --contact {found.contact_id}` tells all."
        )
    yield from story_lines(events[-LATEST:])


def _taps(found: Explained) -> Iterator[str]:
    if found.taps is None:
        return
    if found.taps.error:
        yield f"  The controller's log could not be read: {sentence(found.taps.error)}"
        return
    seen = found.taps.taps
    if seen is None:
        yield (
            "  Not looked at: the API token lacks the right System Log: View, which nothing else "
            "needs."
        )
        return
    days = f"the last {TAPS_AGE.days} days"
    if not seen.taps:
        yield f"  Nothing in {days}."
    for tap in seen.taps[:MOST_TAPS]:
        came = "opened" if tap.opened else "stayed shut"
        own = "" if tap.whose is Whose.USER else ", for a card with this number that is nobody's"
        yield f"  {local(tap.at)}  {tap.door or 'a door'} {came}{own}"
    more = len(seen.taps) - MOST_TAPS
    if more > 0:
        yield f"  And {counted(more, 'older one', 'older ones')} in {days}."
    if not seen.is_whole:
        yield "  The log holds more than was read, so some may be missing."

"""Before users are taken over: who is who, and what the next cycle would do to them (P4).

Everything here reads and decides; nothing is written. The links are pretended in the snapshot, and
the program's own decision says what follows from them.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from door_sync.app.cycle import Parts, Progress, dry_run_on, read_both
from door_sync.app.report import CycleReport
from door_sync.core.controller import Snapshot, User, UserId, UserStatus
from door_sync.core.hand_cards import HandCard, hand_cards
from door_sync.core.matching import Caution, Matching, Pair, match, pair_of, strangers
from door_sync.core.people import ContactId, Member
from door_sync.core.steps import ChangeClass
from door_sync.core.tiers import Deny, Grant, Skip, Unknown
from door_sync.ports import SourceReading

Links = Mapping[UserId, ContactId]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the next cycle does to one contact, once it is linked.

    `loses_access` is the reason why access ends, None if it does not. `classes` are the changes
    that follow, `held` those of them that a guard would hold. `remark` says why nothing follows.
    """

    contact_id: ContactId
    loses_access: str | None = None
    classes: tuple[ChangeClass, ...] = ()
    held: tuple[ChangeClass, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Forecast:
    """The decision of the next cycle as if these links were made, and what it means for each."""

    report: CycleReport
    outlooks: Mapping[ContactId, Outlook]

    @property
    def losers(self) -> tuple[ContactId, ...]:
        """Who would lose access at once."""
        return tuple(
            one.contact_id for one in self.outlooks.values() if one.loses_access is not None
        )


@dataclass(frozen=True)
class Survey:
    """Both sides as they were read, who is who, and what would follow if all pairs were linked.

    `knows_administrators` is False where the controller cannot tell them. `strangers` are users who
    carry a contact's id already and are unlike that contact.
    """

    reading: SourceReading = field(repr=False)
    snapshot: Snapshot = field(repr=False)
    members: Mapping[ContactId, Member] = field(repr=False)
    matching: Matching
    forecast: Forecast
    cards: tuple[HandCard, ...]
    administrators: frozenset[UserId]
    knows_administrators: bool
    strangers: tuple[tuple[UserId, ContactId], ...] = ()

    def user(self, user_id: UserId) -> User:
        """Return a user that was read."""
        return self.snapshot.user[user_id]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A pair that a person said yes to. `seen` is the digest of what was shown, if anything was;
    `words` are the cautions that were shown with it."""

    user_id: UserId
    contact_id: ContactId
    seen: str = ""
    words: frozenset[Caution] = frozenset()


@dataclass(frozen=True, slots=True)
class NotLinked:
    """A confirmed pair that is refused, and why. Nothing was written."""

    confirmed: Confirmed
    reason: str
    cautions: tuple[Caution, ...] = ()


def survey(parts: Parts, progress: Progress | None = None) -> Survey:
    """Read both sides, and say who is who; raise DoorSyncError if that cannot be known."""
    progress = progress or Progress()
    reading, snapshot = read_both(parts, progress)
    progress.stage("Reading who has or had a membership, and who administers the console")
    members = parts.source.read_joined()
    administrators = parts.controller.administrators()
    matching = match(snapshot.users, members, snapshot.users_of, administrators or frozenset())
    links = {pair.user_id: pair.contact_id for pair in matching.pairs}
    ahead = forecast(parts, reading, snapshot, links)
    pairs = tuple(_with_outlook(pair, ahead) for pair in matching.pairs)
    recognised = ahead.report.world.snapshot if ahead.report.world is not None else snapshot
    return Survey(
        reading=reading,
        snapshot=snapshot,
        members=members,
        matching=replace(matching, pairs=pairs),
        forecast=ahead,
        cards=hand_cards(recognised, links, {**reading.members, **members}),
        administrators=administrators or frozenset(),
        knows_administrators=administrators is not None,
        strangers=strangers(snapshot.users, members),
    )


def forecast(parts: Parts, reading: SourceReading, snapshot: Snapshot, links: Links) -> Forecast:
    """Decide as if these links were made; raise DoorSyncError if CiviCRM cannot be asked."""
    users = tuple(
        replace(user, contact_id=links[user.id], other_number="") if user.id in links else user
        for user in snapshot.users
    )
    report = dry_run_on(parts, reading, replace(snapshot, users=users))
    if report.error is not None:
        raise report.error
    return Forecast(
        report,
        {
            contact_id: _outlook(report, contact_id, snapshot.user[user_id])
            for user_id, contact_id in links.items()
        },
    )


def examine(
    parts: Parts, found: Survey, wanted: Sequence[Confirmed], words: Collection[Caution]
) -> tuple[tuple[Pair, ...], tuple[NotLinked, ...], Forecast]:
    """Given what was read and what a person confirmed, return what may be linked, what may not and
    why, and what follows from the former.

    `words` are the cautions that the person named for all of them. Raise DoorSyncError.
    """
    refused, pairs = [], []
    named = Counter[str | int](key for one in wanted for key in (one.user_id, one.contact_id))
    for one in wanted:
        reason = _obstacle(found, one, named)
        if reason:
            refused.append(NotLinked(one, reason))
            continue
        user, member = found.user(one.user_id), found.members[one.contact_id]
        pairs.append((one, pair_of(user, member, found.administrators)))
    ahead = _forecast_of(parts, found, [pair for _, pair in pairs])
    good = []
    for one, pair in pairs:
        whole = _with_outlook(pair, ahead)
        said = one.words.union(words)
        unsaid = tuple(c for c in whole.cautions if c.needs_a_word and c not in said)
        if unsaid:
            refused.append(NotLinked(one, "it needs a word more", unsaid))
        else:
            good.append(whole)
    if len(good) < len(pairs):
        ahead = _forecast_of(parts, found, good)
    return tuple(good), tuple(refused), ahead


def seen_digest(user: User, member: Member) -> str:
    """Return 12 hex digits that change when anything changes by which the two were compared."""
    parts = [user.id, user.first_name, user.last_name, user.email, user.console_email]
    parts += [user.other_number, user.status.value, str(user.contact_id), str(member.contact_id)]
    parts += [member.first_name, member.last_name, member.display_name, member.email]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _obstacle(found: Survey, one: Confirmed, named: Mapping[str | int, int]) -> str:
    """Say what stands in the way of a link, whoever confirmed it; empty if nothing does."""
    user, member = found.snapshot.user.get(one.user_id), found.members.get(one.contact_id)
    if user is None:
        return "the controller has no user with this id"
    if user.contact_id is not None:
        return f"this user is linked to contact {user.contact_id} already"
    if member is None:
        return "CiviCRM returns no contact with this id that has or had a membership"
    for other in found.snapshot.users_of.get(one.contact_id, ()):
        return f"this contact is linked to user {other.id} already"
    if named[one.user_id] > 1:
        return "this user is named with more than one contact"
    if named[one.contact_id] > 1:
        return "this contact is named with more than one user"
    if one.seen and one.seen != seen_digest(user, member):
        return "it does not look as it did when it was confirmed; look at it again"
    return ""


def _forecast_of(parts: Parts, found: Survey, pairs: Sequence[Pair]) -> Forecast:
    links = {pair.user_id: pair.contact_id for pair in pairs}
    return forecast(parts, found.reading, found.snapshot, links)


def _with_outlook(pair: Pair, ahead: Forecast) -> Pair:
    if pair.contact_id not in ahead.losers:
        return pair
    return replace(pair, cautions=(*pair.cautions, Caution.LOSES_ACCESS))


def _outlook(report: CycleReport, contact_id: ContactId, user: User) -> Outlook:
    if report.decision is None:
        raise ValueError("a report without a decision tells nothing")
    decision = report.decision
    verdict = decision.verdicts.get(contact_id)
    entitlement = verdict.entitlement if verdict is not None else None
    classes = tuple(
        change.change_class for change in decision.full.changes if change.contact_id == contact_id
    )
    held = tuple(one for one in classes if (contact_id, one) in decision.held)
    is_in = user.status is not UserStatus.DEACTIVATED
    loses = entitlement.reason if isinstance(entitlement, Deny) and is_in else None
    remark = ""
    match entitlement:
        case Grant() if not classes:
            remark = "nothing changes"
        case Deny(reason) if not is_in:
            remark = f"stays deactivated: {reason}"
        case Skip(tier):
            remark = f"a day pass ({tier}): what the user has stays, but for the tiers' policies"
        case Unknown(reason):
            remark = f"nothing is changed: {reason}"
        case None:
            remark = "stays deactivated: CiviCRM gives no access"
        case _:
            pass
    return Outlook(contact_id, loses, classes, held, remark)

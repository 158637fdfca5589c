"""Which user that nobody manages is which contact: pairs for a person to confirm (P4).

Addresses are compared first, then names, both folded as in `addresses` and `names`. Whatever could
mean two people is a doubt with its reasons, never a pair. Nothing here decides that a user is taken
over; a person does.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from door_sync.core.addresses import normal
from door_sync.core.controller import User, UserId, UserStatus
from door_sync.core.names import NO_LAST_NAME, name_of, tidy
from door_sync.core.people import ContactId, Member


class Agreement(Enum):
    """What a user and a contact have in common."""

    ADDRESS = "e-mail address"
    NAME = "name"


class Caution(Enum):
    """Why a pair is asked about by itself; the word is what a script says to mean it."""

    NAMES_DIFFER = "names-differ"
    """One address, two names: a couple may share an address."""
    ADDRESSES_DIFFER = "addresses-differ"
    """One name, two addresses: two people may share a name."""
    ADMINISTRATOR = "administrator"
    """A lapsed membership would deactivate somebody who administers the console."""
    OTHER_NUMBER = "other-number"
    """The employee number holds something else, which the link replaces."""
    UNLIKE = "unlike"
    """Neither the address nor the name agrees."""
    LOSES_ACCESS = "loses-access"
    """The next cycle would cut this person off: CiviCRM does not say that they may come in."""

    @property
    def needs_a_word(self) -> bool:
        """Say whether naming the pair is not enough: the caution itself must be named too."""
        return self not in (Caution.NAMES_DIFFER, Caution.ADDRESSES_DIFFER)


@dataclass(frozen=True, slots=True)
class Pair:
    """A user and the one contact that it is, by all that can be seen. `cautions` are in order."""

    user_id: UserId
    contact_id: ContactId
    agreements: tuple[Agreement, ...]
    cautions: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A user that may be one of these contacts, and why nobody can say which, or whether."""

    user_id: UserId
    candidates: tuple[ContactId, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """Every unmanaged user once: in a pair, in doubt, or like nobody. Each is ordered by user id.

    A contact is in one pair at most, and in none if a user carries its id already.
    """

    pairs: tuple[Pair, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    alone: tuple[UserId, ...] = ()


def addresses_of(user: User) -> frozenset[str]:
    """Return the user's addresses as they are compared: ours and the console's own (§6.0)."""
    return frozenset({normal(user.email), normal(user.console_email)} - {""})


def name_key(first: str, last: str) -> str:
    """Return a name as it is compared: both parts as one, blanks and case folded.

    The console splits names as it likes, so where the first name ends does not matter.
    """
    whole = tidy(f"{first} {'' if tidy(last) == NO_LAST_NAME else last}")
    return tidy(whole.casefold())


def contact_name_key(member: Member) -> str:
    """Return a contact's name as it is compared; empty if CiviCRM knows none."""
    name = name_of(member)
    return "" if name.is_invented else name_key(name.first, name.last)


def agreements(user: User, member: Member) -> tuple[Agreement, ...]:
    """Return what this user and this contact have in common."""
    found = []
    if normal(member.email) in addresses_of(user):
        found.append(Agreement.ADDRESS)
    if name_key(user.first_name, user.last_name) == contact_name_key(member) != "":
        found.append(Agreement.NAME)
    return tuple(found)


def pair_of(user: User, member: Member, administrators: Collection[UserId]) -> Pair:
    """Given a user and the contact that a person names for it, return the pair with its cautions.

    `administrators` are the users that administer the console. An invited one (PENDING) counts.
    """
    common = agreements(user, member)
    cautions = []
    if not common:
        cautions.append(Caution.UNLIKE)
    elif Agreement.NAME not in common:
        cautions.append(Caution.NAMES_DIFFER)
    elif Agreement.ADDRESS not in common and addresses_of(user) and normal(member.email):
        cautions.append(Caution.ADDRESSES_DIFFER)
    if user.id in administrators or user.status is UserStatus.PENDING:
        cautions.append(Caution.ADMINISTRATOR)
    if user.other_number:
        cautions.append(Caution.OTHER_NUMBER)
    return Pair(user.id, member.contact_id, common, tuple(cautions))


def match(
    users: Iterable[User],
    members: Mapping[ContactId, Member],
    linked: Mapping[ContactId, tuple[User, ...]],
    administrators: Collection[UserId] = frozenset(),
) -> Matching:
    """Given all users, the contacts that may be theirs, and who is linked, return who is who.

    An address decides before a name. A key that two contacts or two users share, an address and a
    name that speak for two contacts, a contact that is linked already: each is a doubt.
    """
    unmanaged = sorted((u for u in users if u.contact_id is None), key=lambda user: user.id)
    index = _Index(members.values())
    claims = {user.id: index.claim(user) for user in unmanaged}
    claimants: defaultdict[ContactId, list[UserId]] = defaultdict(list)
    for user_id, claim in claims.items():
        for contact_id in claim.contacts:
            claimants[contact_id].append(user_id)
    pairs, doubts, alone = [], [], []
    for user in unmanaged:
        claim = claims[user.id]
        if not claim.contacts:
            alone.append(user.id)
            continue
        reasons = [
            *claim.reasons,
            *(
                f"contact {contact_id} is linked to user {other.id} already"
                for contact_id in claim.contacts
                for other in linked.get(contact_id, ())
            ),
        ]
        if len(claim.contacts) == 1:
            reasons += _rivals(user.id, claim.contacts[0], claims, claimants)
        if reasons:
            doubts.append(Doubt(user.id, claim.contacts, tuple(reasons)))
        else:
            pairs.append(pair_of(user, members[claim.contacts[0]], administrators))
    return Matching(tuple(pairs), tuple(doubts), tuple(alone))


def strangers(
    users: Iterable[User], members: Mapping[ContactId, Member]
) -> tuple[tuple[UserId, ContactId], ...]:
    """Return the managed users who are unlike the contact whose id they carry, by user id.

    A staff number in that field names somebody else's contact, or one that never had a membership.
    Who is deactivated and like nobody is left out: such users pile up when people leave.
    """
    found = []
    for user in users:
        if user.contact_id is None or user.status is UserStatus.DEACTIVATED:
            continue
        member = members.get(user.contact_id)
        if member is None or not agreements(user, member):
            found.append((user.id, user.contact_id))
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class _Claim:
    """The contacts that a user may be; none for nobody. Without reasons it is exactly one."""

    contacts: tuple[ContactId, ...] = ()
    by: Agreement = Agreement.NAME
    reasons: tuple[str, ...] = ()


class _Index:
    """The contacts by what they are recognised by."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._at: defaultdict[str, list[ContactId]] = defaultdict(list)
        self._named: defaultdict[str, list[ContactId]] = defaultdict(list)
        for member in sorted(members, key=lambda one: one.contact_id):
            if normal(member.email):
                self._at[normal(member.email)].append(member.contact_id)
            if contact_name_key(member):
                self._named[contact_name_key(member)].append(member.contact_id)

    def claim(self, user: User) -> _Claim:
        """Return which contacts this user may be."""
        at = sorted({one for address in addresses_of(user) for one in self._at.get(address, ())})
        named = self._named.get(name_key(user.first_name, user.last_name), [])
        if len(at) > 1:
            hint = [f"the name speaks for contact {one}" for one in at if [one] == named]
            reason = f"{_contacts(at)} have this user's e-mail address"
            return _Claim(tuple(at), Agreement.ADDRESS, (reason, *hint))
        if at:
            if len(named) == 1 and named != at:
                reason = (
                    f"the e-mail address speaks for contact {at[0]}, the name for contact "
                    f"{named[0]}"
                )
                return _Claim((at[0], named[0]), Agreement.ADDRESS, (reason,))
            return _Claim((at[0],), Agreement.ADDRESS)
        if len(named) > 1:
            return _Claim(tuple(named), reasons=(f"{_contacts(named)} have this user's name",))
        return _Claim(tuple(named))


def _rivals(
    user_id: UserId,
    contact_id: ContactId,
    claims: Mapping[UserId, _Claim],
    claimants: Mapping[ContactId, list[UserId]],
) -> list[str]:
    """Say which other users may be the same contact; who has the address outranks the name."""
    found = []
    for other in claimants[contact_id]:
        mine, theirs = claims[user_id].by, claims[other].by
        if other == user_id or (mine is Agreement.ADDRESS and theirs is Agreement.NAME):
            continue
        has = "e-mail address" if theirs is Agreement.ADDRESS else "name"
        found.append(f"user {other} has the {has} of contact {contact_id} too")
    return found


def _contacts(contact_ids: Iterable[ContactId]) -> str:
    return f"contacts {', '.join(map(str, contact_ids))}"

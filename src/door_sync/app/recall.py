"""From what the journal remembers to what it means for the people of this cycle (§7, R1–R3).

The journal holds keyed digests; here they meet the world they were made of.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from door_sync.core.approvals import Approvals
from door_sync.core.cards import LARGEST_NUMBER, CardNumber
from door_sync.core.controller import Card, Snapshot, User, UserStatus
from door_sync.core.decision import Remembered
from door_sync.core.people import ContactId, Member
from door_sync.core.steps import ChangeClass
from door_sync.core.tags import digest
from door_sync.ports import Memory
from door_sync.unifi.binding import import_digest, number_digest, token_digest
from door_sync.unifi.executor import address_digest

IMPORT_AGAIN_AFTER = timedelta(days=1)
"""A number whose import failed is tried at most once a day (R3)."""


def recall(
    memory: Memory,
    key: bytes,
    members: Mapping[ContactId, Member],
    snapshot: Snapshot,
    now: datetime,
) -> Remembered:
    """Given the journal's memory and what was read now, return what it says about these people."""
    counts = memory.last_good
    return Remembered(
        missing=memory.missing,
        refused=_refused(memory, key, members.values()),
        failed_imports=_failed_imports(memory, key, members.values(), snapshot, now),
        failed_restores=memory.failed_restores,
        settled=frozenset(
            user.id
            for user in snapshot.users
            if user.status is UserStatus.UNKNOWN
            and user.contact_id is not None
            and memory.statusless
            and row_digest(key, user) in memory.statusless
        ),
        last_contacts=counts.contacts if counts else None,
        last_users=counts.users if counts else None,
        provisioning=memory.provisioning,
        lately={one: memory.lately[one.value] for one in ChangeClass if one.value in memory.lately},
        cut_off=memory.cut_off,
        approvals=Approvals(key, memory.approvals, memory.refusals)
        if memory.approvals or memory.refusals
        else None,
    )


def _refused(memory: Memory, key: bytes, members: Iterable[Member]) -> frozenset[ContactId]:
    if not memory.refused_addresses:
        return frozenset()
    return frozenset(
        member.contact_id
        for member in members
        if address_digest(key, member.contact_id, member.email) in memory.refused_addresses
    )


def _failed_imports(
    memory: Memory, key: bytes, members: Iterable[Member], snapshot: Snapshot, now: datetime
) -> frozenset[ContactId]:
    if not memory.failed_imports:
        return frozenset()
    world = card_list_digest(key, snapshot)
    waiting: set[ContactId] = set()
    for member in members:
        if not isinstance(member.card, CardNumber):
            continue
        failed = memory.failed_imports.get(import_digest(key, member.contact_id, member.card))
        if failed and (failed.world == world or now - failed.at < IMPORT_AGAIN_AFTER):
            waiting.add(member.contact_id)
    return frozenset(waiting)


def card_list_digest(key: bytes, snapshot: Snapshot) -> str:
    """Return a digest that changes when the card list does: a card, its number or its mark."""
    rows = [
        f"{card.token.reveal()} {card.number.reveal() if card.number else ''} {card.is_ours}"
        for card in snapshot.cards
    ]
    return digest(key, "card list", *sorted(rows))


def row_digest(key: bytes, user: User) -> str:
    """Return a digest of a user's row, by which a revocation without proof is remembered (R2)."""
    tokens = sorted(token.reveal() for token in user.tokens)
    names = (user.first_name, user.last_name, user.email, user.console_email)
    parts = (user.id, user.contact_id or 0, user.status.value, *names)
    return digest(key, "row", *parts, *tokens, "policies", *sorted(user.policy_ids))


def with_remembered_aliases(
    snapshot: Snapshot, memory: Memory, key: bytes, wanted: Iterable[CardNumber]
) -> Snapshot:
    """Give cards the numbers that the journal remembers for them, and most of them our mark (R3).

    They are cards that were enrolled before door-sync met them, and could not be renamed, or must
    not be because they are somebody's own. Wanted numbers are tried first, then all the others.
    """
    if not memory.aliases:
        return snapshot
    tokens = {token_digest(key, card.token): card.token for card in snapshot.cards}
    remembered = {tokens[one]: name for one, name in memory.aliases.items() if one in tokens}
    if not remembered:
        return snapshot
    found = _identities(set(remembered.values()), key, wanted)

    def recognised(card: Card) -> Card:
        identity = found.get(remembered.get(card.token, ""))
        if identity is None or card.number not in (None, identity[0]):
            return card
        number, is_ours = identity
        return replace(card, number=number, is_ours=card.is_ours or is_ours)

    return replace(snapshot, cards=tuple(map(recognised, snapshot.cards)))


def _identities(
    digests: Collection[str], key: bytes, wanted: Iterable[CardNumber]
) -> dict[str, tuple[CardNumber, bool]]:
    """Return the number that each digest was made of, and whether such a card is ours."""
    found: dict[str, tuple[CardNumber, bool]] = {}
    for number in (*wanted, *map(CardNumber, range(LARGEST_NUMBER + 1))):
        if len(found) == len(digests):
            break
        for is_ours in (True, False):
            name = number_digest(key, number, is_ours=is_ours)
            if name in digests:
                found[name] = number, is_ours
    return found

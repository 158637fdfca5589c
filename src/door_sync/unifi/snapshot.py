"""From the controller's lists to one snapshot: who holds which card, if they all agree (R0).

A card's holder stands in up to three lists: on the card, on a user, on a visitor. This file owns
the rules by which they make one holder, or none that anybody may rely on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from door_sync.core.cards import CardNumber, CardToken, number_from_alias, number_from_nfc_id
from door_sync.core.controller import (
    Card,
    Free,
    HeldByUser,
    HeldByVisitor,
    Holder,
    HolderUnknown,
    Policy,
    Snapshot,
    User,
    UserId,
    VisitorId,
)
from door_sync.unifi.wire import CardRow, HolderKind, VisitorRow


@dataclass(frozen=True, slots=True)
class Lists:
    """What was read; None for a list that the key may not read."""

    users: tuple[User, ...]
    cards: tuple[CardRow, ...]
    visitors: tuple[VisitorRow, ...] | None
    policies: tuple[Policy, ...] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A snapshot, how many cards are held in it, and about how many of them the lists disagree."""

    snapshot: Snapshot
    held: int
    disagreements: int

    @property
    def is_trustworthy(self) -> bool:
        """Whether at most max(1, 1 %) of the held cards are in dispute (R0)."""
        return self.disagreements <= 1 or self.disagreements * 100 <= self.held


@dataclass(frozen=True, slots=True)
class _Verdict:
    holder: Holder
    disagrees: bool = False


_DISPUTED = _Verdict(HolderUnknown(), disagrees=True)
_UNTOLD = _Verdict(HolderUnknown())


def compare(lists: Lists, facility: int) -> Comparison:
    """Given the lists and the site's facility code, return the snapshot and how well they agree.

    Disputed is a card whose lists name different holders or a user who is not listed, and a token
    on a user that the card list lacks. An ended visit that still shows a card which the card list
    calls free is no dispute (UniFi sheet §8.5: nobody knows when the console frees it); the card
    counts as the visitor's.
    """
    judge = _HolderJudge(lists)
    cards: list[Card] = []
    held = disagreements = 0
    for row in lists.cards:
        held += judge.is_held(row)
        verdict = judge.verdict(row)
        disagreements += verdict.disagrees
        token = judge.as_the_holder_has_it(row.token, verdict.holder)
        cards.append(Card(token, *identity(row, facility), holder=verdict.holder))
    snapshot = Snapshot(
        users=lists.users,
        cards=tuple(cards),
        policies=lists.policies,
        sees_visitors=lists.visitors is not None,
        ended_visits=frozenset(one.id for one in lists.visitors or () if one.is_over),
    )
    # What is left in the judge's books are cards that the card list lacks.
    held += len(judge.on_users.keys() | judge.on_visitors.keys())
    return Comparison(snapshot, held, disagreements + len(judge.on_users))


def identity(row: CardRow, facility: int) -> tuple[CardNumber | None, bool]:
    """Return a card's number, None if nothing tells it, and whether it carries our alias.

    The raw id decides where it can be read; an alias that contradicts it is not ours (§18 C2).
    """
    from_alias = number_from_alias(row.alias)
    from_raw_id = number_from_nfc_id(row.nfc_id, facility)
    if from_raw_id is None:
        return from_alias, from_alias is not None
    if isinstance(from_raw_id, CardNumber):
        return from_raw_id, from_alias == from_raw_id
    return None, False


class _HolderJudge:
    """Knows what the users' and visitors' rows say of each card, and judges the card's own row.

    `on_users` and `on_visitors` hold the cards whose own row was not judged yet.
    """

    def __init__(self, lists: Lists) -> None:
        self._users = {user.id: user for user in lists.users}
        self._sees_visitors = lists.visitors is not None
        self.on_users = _by_token((user.id, user.tokens) for user in lists.users)
        self.on_visitors = _by_token(
            (visitor.id, visitor.tokens) for visitor in lists.visitors or ()
        )

    def is_held(self, row: CardRow) -> bool:
        """Return whether any of the lists says that somebody holds this card."""
        shown = bool(row.holder_id) or row.is_assigned
        return shown or row.token in self.on_users or row.token in self.on_visitors

    def verdict(self, row: CardRow) -> _Verdict:
        """Return who holds this card, and whether the lists contradict each other about it.

        Each card is judged once.
        """
        on_users = self.on_users.pop(row.token, [])
        on_visitors = self.on_visitors.pop(row.token, [])
        if not row.holder_id:
            return self._nameless(row, on_users, on_visitors)
        if row.holder_kind is HolderKind.VISITOR:
            return self._visitors_card(row.holder_id, on_users, on_visitors)
        user = self._users.get(UserId(row.holder_id))
        if user is not None:
            if on_users == [user.id] and not on_visitors:
                return _Verdict(HeldByUser(user.id))
            return _DISPUTED
        if row.holder_kind is HolderKind.USER and not (on_users or on_visitors):
            return _Verdict(HolderUnknown(UserId(row.holder_id)), disagrees=True)
        if row.holder_kind is HolderKind.USER or on_users:
            return _DISPUTED
        if on_visitors == [row.holder_id]:
            return _Verdict(HeldByVisitor(VisitorId(row.holder_id)))
        return _UNTOLD

    def as_the_holder_has_it(self, token: CardToken, holder: Holder) -> CardToken:
        """Return the equal token on a user who holds this card alone, so that one copy is kept."""
        if not isinstance(holder, HeldByUser):
            return token
        tokens = self._users[holder.user_id].tokens
        return tokens[0] if len(tokens) == 1 else token

    def _nameless(
        self, row: CardRow, on_users: Sequence[str], on_visitors: Sequence[str]
    ) -> _Verdict:
        if on_users or len(on_visitors) > 1:
            return _DISPUTED
        for visitor_id in on_visitors:
            return _Verdict(HeldByVisitor(VisitorId(visitor_id)))
        if row.is_assigned:
            return _DISPUTED if self._sees_visitors else _UNTOLD
        return _Verdict(Free())

    def _visitors_card(
        self, holder_id: str, on_users: Sequence[str], on_visitors: Sequence[str]
    ) -> _Verdict:
        if on_users or any(one != holder_id for one in on_visitors):
            return _DISPUTED
        if not self._sees_visitors:
            return _UNTOLD
        return _Verdict(HeldByVisitor(VisitorId(holder_id)))


def _by_token(
    holders: Iterable[tuple[str, tuple[CardToken, ...]]],
) -> dict[CardToken, list[str]]:
    """Given ids of holders with their tokens, return the ids by token; neither comes twice."""
    found: dict[CardToken, list[str]] = {}
    for holder_id, tokens in holders:
        for token in tokens:
            found.setdefault(token, []).append(holder_id)
    return found

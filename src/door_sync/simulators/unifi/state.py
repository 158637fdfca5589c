"""What the controller holds: tables, the indexes that follow them, the hubs that hear of it."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from threading import RLock

from door_sync.simulators.unifi.doors import Hub
from door_sync.simulators.unifi.minting import Mint
from door_sync.simulators.unifi.records import (
    ApiToken,
    Card,
    Door,
    DoorGroup,
    Group,
    Mail,
    Policy,
    Record,
    Schedule,
    Tap,
    User,
    Visitor,
)
from door_sync.simulators.unifi.store import Table

DEFAULT_HUB = "hub"


class State:
    """Tables of records, and what can be looked up in them. Hold ``lock`` while reading several.

    ``clock`` gives epoch seconds; ``seed`` decides every id that is not given.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, seed: int = 0) -> None:
        self.clock = clock
        self.seed = seed
        self.lock = RLock()
        self.mint = Mint(seed)
        self.door_delay_seconds = 0.0
        """How long a change takes to reach the doors (rule 55)."""
        self.users: Table[User] = Table(self._user_changed)
        self.cards: Table[Card] = Table(self._card_changed)
        self.visitors: Table[Visitor] = Table(self._visitor_changed)
        self.doors: Table[Door] = Table(self._door_changed)
        self.door_groups: Table[DoorGroup] = Table(self._tell_hubs)
        self.policies: Table[Policy] = Table(self._tell_hubs)
        self.schedules: Table[Schedule] = Table(self._tell_hubs)
        self.groups: Table[Group] = Table(self._tell_hubs)
        self.tokens: dict[str, ApiToken] = {}
        self.hidden_admins: set[str] = set()
        """Addresses of accounts that no list shows and that still are taken (rule 17)."""
        self.mails: list[Mail] = []
        self.taps: list[Tap] = []
        """The cards that were held to a door, in order (rule 53)."""
        self.hubs: dict[str, Hub] = {DEFAULT_HUB: Hub()}
        self._held: defaultdict[str, list[str]] = defaultdict(list)
        self._aliases: dict[str, str] = {}
        self._numbers: dict[int, str] = {}
        self._addresses: defaultdict[str, set[str]] = defaultdict(set)
        self._employees: defaultdict[str, set[str]] = defaultdict(set)
        self._ids: set[str] = set()
        self._visit_ends: list[tuple[int, str]] = []

    def reserve_ids(self, ids: Iterable[str]) -> None:
        """Keep these ids and tokens from being drawn: a seed gives them to somebody."""
        self._ids.update(ids)

    def new_id(self) -> str:
        """Draw the id of a new record; never one that was in use, as a seed's may be."""
        while (drawn := self.mint.uuid()) in self._ids:
            pass
        return drawn

    def new_token(self) -> str:
        """Draw the token of a new card; never one that was in use."""
        while (drawn := self.mint.token()) in self._ids:
            pass
        return drawn

    def cards_of(self, holder_id: str) -> list[Card]:
        """Return the cards of a user or visitor, in the order in which they were bound."""
        return [self.cards[token] for token in self._held.get(holder_id, ())]

    def card_with_number(self, number: int) -> Card | None:
        """Return the card with this raw number."""
        token = self._numbers.get(number)
        return None if token is None else self.cards[token]

    def card_with_alias(self, alias: str) -> Card | None:
        """Return the card with this alias."""
        token = self._aliases.get(alias)
        return None if token is None else self.cards[token]

    def users_with_address(self, address: str) -> list[User]:
        """Return the users that have this address in either field, whatever its letter case."""
        return [
            self.users[user_id] for user_id in sorted(self._addresses.get(address.casefold(), ()))
        ]

    def users_with_employee_number(self, employee_number: str) -> list[User]:
        """Return the users with exactly this text in ``employee_number``."""
        return [self.users[user_id] for user_id in sorted(self._employees.get(employee_number, ()))]

    def pop_ended_visits(self) -> list[Visitor]:
        """Return the visitors whose window ended since the last time this was asked."""
        ended = []
        while self._visit_ends and self._visit_ends[0][0] <= self.clock():
            _, visitor_id = heappop(self._visit_ends)
            visitor = self.visitors.get(visitor_id)
            if visitor is not None and visitor.end_time <= self.clock():
                ended.append(visitor)
        return ended

    def _tell_hubs(self, old: Record | None, new: Record | None) -> None:
        if new is not None:
            self._ids.add(new.token if isinstance(new, Card) else new.id)
        now = self.clock()
        for hub in self.hubs.values():
            hub.hear(now + self.door_delay_seconds, old, new)
            hub.copy_at(now)

    def _door_changed(self, old: Door | None, new: Door | None) -> None:
        self._know_hub(new.hub if new else DEFAULT_HUB)
        self._tell_hubs(old, new)

    def _visitor_changed(self, old: Visitor | None, new: Visitor | None) -> None:
        self._tell_hubs(old, new)
        if new is not None:
            heappush(self._visit_ends, (new.end_time, new.id))

    def _know_hub(self, name: str) -> None:
        if name in self.hubs:
            return
        hub = self.hubs[name] = Hub()
        tables = (
            *(self.users, self.cards, self.visitors, self.doors),
            *(self.door_groups, self.policies, self.schedules, self.groups),
        )
        for table in tables:
            for record in table:
                hub.hear(self.clock(), None, record)

    def _card_changed(self, old: Card | None, new: Card | None) -> None:
        self._tell_hubs(old, new)
        if old is not None:
            del self._numbers[old.number]
            self._aliases.pop(old.alias, None)
        if new is not None:
            self._numbers[new.number] = new.token
            if new.alias:
                self._aliases[new.alias] = new.token
        before, after = (card.holder if card else None for card in (old, new))
        if before != after:
            if before is not None and old is not None:
                self._held[before.id].remove(old.token)
            if after is not None and new is not None:
                self._held[after.id].append(new.token)

    def _user_changed(self, old: User | None, new: User | None) -> None:
        self._tell_hubs(old, new)
        if old is not None:
            for address in (old.user_email, old.email):
                self._addresses[address.casefold()].discard(old.id)
            self._employees[old.employee_number].discard(old.id)
        if new is not None:
            for address in filter(None, (new.user_email, new.email)):
                self._addresses[address.casefold()].add(new.id)
            self._employees[new.employee_number].add(new.id)

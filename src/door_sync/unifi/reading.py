"""Everything that is read from the controller: the lists as one snapshot, and single rows."""

from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import (
    Free,
    HeldByUser,
    HeldByVisitor,
    Holder,
    HolderUnknown,
    Policy,
    PolicyId,
    Snapshot,
    User,
    UserId,
    VisitorId,
)
from door_sync.core.people import ContactId
from door_sync.ports import ControllerDistrusted
from door_sync.unifi import wire
from door_sync.unifi.envelope import NoRoute, Refused, ScopeMissing
from door_sync.unifi.exchange import Exchange, demanded, path
from door_sync.unifi.paging import Listing, read_listings
from door_sync.unifi.snapshot import Lists, compare, identity
from door_sync.unifi.trouble import Right

WITH_POLICIES: Final = (("expand[]", "access_policy"),)
"""As v0 asked for users on hardware: nobody wrote down whether the policy ids come without it."""

# The sizes are those that are known to work on hardware (UniFi sheet §4).
USERS: Final = Listing(
    "users", "/users", "id", 100, Right.READ_PEOPLE, since="1.9.1", query=WITH_POLICIES
)
CARDS: Final = Listing(
    "cards", "/credentials/nfc_cards/tokens", "token", 200, Right.READ_CARDS, since="1.22.16"
)
VISITORS: Final = Listing(
    "visitors",
    "/visitors",
    "id",
    200,
    Right.READ_VISITORS,
    since="1.22.16",
    query=(("expand[]", "nfc_card"),),
    is_optional=True,
)

_USERS: Final = replace(USERS, made=lambda row: wire.user(row, _place(USERS)))
_CARDS: Final = replace(CARDS, made=lambda row: wire.card(row, _place(CARDS)))
_VISITORS: Final = replace(VISITORS, made=lambda row: wire.visitor(row, _place(VISITORS)))
"""The same lists, read for what a snapshot needs of them."""


class Reader:
    """Reads the controller, with at most `concurrency` requests at once."""

    def __init__(self, exchange: Exchange, *, facility_code: int, concurrency: int) -> None:
        self._exchange = exchange
        self._facility_code = facility_code
        self._concurrency = concurrency

    def snapshot(self) -> Snapshot:
        """Read all lists, and all of them again if they disagree about a card (R0).

        Raise ControllerError; ControllerDistrusted if too much still disagrees.
        """
        comparison = compare(self._lists(), self._facility_code)
        if comparison.disagreements:
            comparison = compare(self._lists(), self._facility_code)
        if not comparison.is_trustworthy:
            raise ControllerDistrusted(
                f"the controller's lists of users and cards disagree about "
                f"{comparison.disagreements} of {comparison.held} held cards",
                remedy="They were read twice. If somebody is assigning many cards in the console "
                "just now, wait; otherwise restart the Access application.",
            )
        return comparison.snapshot

    def user(self, user_id: UserId) -> User | None:
        """Read one user; None if the controller says that there is none. Raise ControllerError."""
        what = f"reading user {user_id}"
        answer = self._exchange.read(path("users", user_id), what=what, query=WITH_POLICIES)
        if isinstance(answer, Refused) and answer.is_not_there:
            return None
        success = demanded(answer, what, right=Right.READ_PEOPLE, since="1.9.1")
        user = wire.user(success.data, what)
        if user.id != user_id:
            raise ControllerDistrusted(f"{what}: the reply is about user {user.id}")
        return user

    def holder(self, token: CardToken) -> Holder:
        """Read what the card's own row says about its holder. Raise ControllerError.

        A row that names no kind of holder means a user if there is one with that id.
        """
        row = self._card_row(token, "reading who holds a card")
        if row is None:
            return HolderUnknown()
        if not row.holder_id:
            return HolderUnknown() if row.is_assigned else Free()
        match row.holder_kind:
            case wire.HolderKind.USER:
                return HeldByUser(UserId(row.holder_id))
            case wire.HolderKind.VISITOR:
                return HeldByVisitor(VisitorId(row.holder_id))
            case wire.HolderKind.UNSAID if self.user(UserId(row.holder_id)) is not None:
                return HeldByUser(UserId(row.holder_id))
            case _:
                return HolderUnknown()

    def carries_alias(self, token: CardToken, number: CardNumber) -> bool:
        """Read whether the card carries our alias for this number. Raise ControllerError."""
        row = self._card_row(token, "reading the alias of a card")
        return row is not None and row.alias == number.alias()

    def direct_policies(self, user_id: UserId) -> tuple[PolicyId, ...] | None:
        """Read the policies given to this user directly. Raise ControllerError.

        None where nothing can be learnt of them: no such route (before 2.2.6), no such user (the
        write that follows will say so), or no list in the reply.
        """
        what = f"reading the direct policies of user {user_id}"
        answer = self._exchange.read(
            path("users", user_id, "access_policies"),
            what=what,
            query=(("only_user_policies", "true"),),
        )
        if isinstance(answer, NoRoute) or (isinstance(answer, Refused) and answer.is_not_there):
            return None
        success = demanded(answer, what, right=Right.READ_PEOPLE, since="2.2.6")
        if success.data is None:
            return None
        rows = wire.whole_list(success.data, success.pagination, what, key="id")
        return tuple(wire.policy(row, what).id for row in rows)

    def users_of(self, contact_ids: Collection[ContactId]) -> tuple[User, ...]:
        """Read the list of users afresh and return those of these contacts, lowest id first.

        Raise ControllerError, also if nobody at all is listed (R0).
        """
        with self._exchange.reading(), self._pool() as pool:
            users = _somebody(read_listings([_USERS], self.page, pool)[USERS.name])
        found = [user for user in users if user.contact_id in contact_ids]
        return tuple(sorted(found, key=lambda user: user.id))

    def cards_by_number(self) -> dict[CardNumber, CardToken]:
        """Read the list of cards afresh; return the token of each number that one card carries."""
        with self._exchange.reading(), self._pool() as pool:
            rows = read_listings([_CARDS], self.page, pool)[CARDS.name]
        numbered = [
            (number, row.token)
            for row in rows
            if (number := identity(row, self._facility_code)[0]) is not None
        ]
        times = Counter(number for number, _ in numbered)
        return {number: token for number, token in numbered if times[number] == 1}

    def _lists(self) -> Lists:
        with self._exchange.reading(), self._pool() as pool:
            policies = pool.submit(self._policies)
            rows = read_listings([_USERS, _CARDS, _VISITORS], self.page, pool)
            return Lists(
                users=_somebody(rows[USERS.name]),
                cards=rows[CARDS.name],
                visitors=rows.get(VISITORS.name),
                policies=policies.result(),
            )

    def _policies(self) -> tuple[Policy, ...] | None:
        """Read the access policies, which come in one piece (§4); None without the right."""
        what = "the list of access policies"
        answer = self._exchange.read("/access_policies", what=what)
        if isinstance(answer, ScopeMissing):
            return None
        success = demanded(answer, what, right=Right.READ_POLICIES, since="1.9.1")
        rows = wire.whole_list(success.data, success.pagination, what, key="id")
        return tuple(wire.policy(row, what) for row in rows)

    def _card_row(self, token: CardToken, what: str) -> wire.CardRow | None:
        """Read one card's row; None if the controller says that there is no such card."""
        answer = self._exchange.read(f"{CARDS.path}{path(token.reveal())}", what=what)
        if isinstance(answer, Refused) and answer.is_not_there:
            return None
        success = demanded(answer, what, right=CARDS.right, since=CARDS.since)
        row = wire.card(success.data, what)
        if row.token != token:
            raise ControllerDistrusted(f"{what}: the reply is about another card")
        return row

    def page(self, listing: Listing, number: int, size: int) -> wire.Page | None:
        """Read one page of a list; None for an optional one without its right."""
        what = _place(listing)
        answer = self._exchange.read(
            listing.path,
            what=what,
            query=(*listing.query, ("page_num", str(number)), ("page_size", str(size))),
        )
        if isinstance(answer, ScopeMissing) and listing.is_optional:
            return None
        success = demanded(answer, what, right=listing.right, since=listing.since)
        return wire.page(success.data, success.pagination, what, key=listing.key)

    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._concurrency, thread_name_prefix="controller-read")


def _somebody(users: tuple[User, ...]) -> tuple[User, ...]:
    """Return the users; raise ControllerDistrusted if there are none."""
    if not users:
        raise ControllerDistrusted(
            "the controller lists no user at all, though it always has an owner"
        )
    return users


def _place(listing: Listing) -> str:
    return f"the list of {listing.name}"

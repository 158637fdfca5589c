"""What a controller has, for setting a site up: policies, and what its cards and users tell.

Reads alone. Nobody's name, card number or token leaves this module, only counts (P12).
"""

import re
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from door_sync.core.controller import Policy
from door_sync.http import HttpClient
from door_sync.unifi import wire
from door_sync.unifi.envelope import ScopeMissing
from door_sync.unifi.exchange import Exchange, demanded
from door_sync.unifi.paging import Listing, read_listings
from door_sync.unifi.reading import CARDS, USERS
from door_sync.unifi.trouble import Right

_WIEGAND_26: Final = re.compile(r"0*(?P<facility>[0-9A-Fa-f]{1,2})(?P<number>[0-9A-Fa-f]{4})")
_READERS: Final = 4


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found. `policies` is None if the token may not read them.

    `facilities` says how many cards carry each facility code, the most frequent first; empty where
    the firmware does not show the cards' raw ids (UniFi sheet §18 C2). `managed` counts the users
    whose employee number is a contact id, as door-sync would understand it.
    """

    policies: tuple[Policy, ...] | None
    facilities: tuple[tuple[int, int], ...]
    cards: int
    users: int
    managed: int


def survey(client: HttpClient) -> Survey:
    """Read policies, cards and users, each completely; raise ControllerError."""
    exchange = Exchange(client)

    def page(listing: Listing, number: int, size: int) -> wire.Page:
        what = f"the list of {listing.name}"
        query = (*listing.query, ("page_num", str(number)), ("page_size", str(size)))
        answer = exchange.read(listing.path, what=what, query=query)
        success = demanded(answer, what, right=listing.right, since=listing.since)
        return wire.page(success.data, success.pagination, what, key=listing.key)

    with (
        client.reading(),
        ThreadPoolExecutor(_READERS, thread_name_prefix="controller-survey") as pool,
    ):
        rows = read_listings([USERS, CARDS], page, pool)
    users = [wire.user(row, "the list of users") for row in rows[USERS.name]]
    cards = [wire.card(row, "the list of cards") for row in rows[CARDS.name]]
    return Survey(
        policies=_policies(exchange),
        facilities=facilities_of(card.nfc_id for card in cards),
        cards=len(cards),
        users=len(users),
        managed=sum(user.contact_id is not None for user in users),
    )


def facilities_of(raw_ids: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """Given raw card ids, return each Wiegand-26 facility code with how many cards carry it, the
    most frequent first (UniFi sheet §10.4). Longer ids are of other kinds of card."""
    found = (_WIEGAND_26.fullmatch(raw_id) for raw_id in raw_ids)
    counts = Counter(int(one["facility"], 16) for one in found if one)
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _policies(exchange: Exchange) -> tuple[Policy, ...] | None:
    what = "the list of access policies"
    answer = exchange.read("/access_policies", what=what)
    if isinstance(answer, ScopeMissing):
        return None
    success = demanded(answer, what, right=Right.READ_POLICIES, since="1.9.1")
    rows = wire.whole_list(success.data, success.pagination, what, key="id")
    return tuple(wire.policy(row, what) for row in rows)

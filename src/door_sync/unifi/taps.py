"""What the system log says of one person's taps and refusals (UniFi sheet §13, §10.5).

The log is asked for a short time, and so many pages of it. Order, counts and bounds of the reply
are not promised, so none of them is relied on: pages are read until one brings nothing new, and
entries are kept by what stands in them. Only entries of this person's users and cards leave this
module, as a moment, a door and a yes or no: no name, no number (P12).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import UserId
from door_sync.ports import ControllerDistrusted
from door_sync.unifi.envelope import Refused, ScopeMissing, Success
from door_sync.unifi.exchange import Exchange, demanded
from door_sync.unifi.schema import EntryShape, shaped
from door_sync.unifi.trouble import Right

PAGE_SIZE: Final = 100
MOST_PAGES: Final = 5
"""So many pages are read for each user, and as many for the cards."""

_WHAT: Final = "reading the system log"


class Whose(Enum):
    """What makes a tap this person's."""

    USER = "user"
    """The controller says that it was this person's user."""
    CARD = "card"
    """It was this person's card, which the controller did not take for this person's user."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A card or phone held to a door: when, where, and whether it opened."""

    at: datetime
    door: str
    opened: bool
    whose: Whose


@dataclass(frozen=True, slots=True)
class Bearer:
    """A person as the log may know them: users, the tokens of cards, and the number that CiviCRM
    gives, with the site's facility code."""

    users: frozenset[UserId]
    tokens: frozenset[CardToken] = field(repr=False, default=frozenset())
    number: CardNumber | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Taps:
    """The taps found, the newest first. `is_whole` is False if the log went on after the last page
    that was read, so that newer ones may be missing."""

    taps: tuple[Tap, ...]
    is_whole: bool = True


def read_taps(
    exchange: Exchange, bearer: Bearer, facility: int, since: datetime, until: datetime
) -> Taps | None:
    """Read what the log says of this person between two moments; None without `view:system_log`.

    Raise ControllerError.
    """
    found: dict[Tap, None] = {}
    is_whole = True
    actors: list[str] = sorted(bearer.users)
    if bearer.tokens or bearer.number is not None:
        actors.append("")  # a card that the controller knows as nobody's has no actor
    for actor in actors:
        entries = _entries(exchange, actor, since, until)
        if entries is None:
            return None
        is_whole = is_whole and entries.is_whole
        for raw in entries.rows:
            entry = shaped(EntryShape, raw, _WHAT)
            tap = _tap(entry, bearer, facility)
            if tap is not None and since <= tap.at <= until:
                found[tap] = None
    return Taps(tuple(sorted(found, key=lambda tap: tap.at, reverse=True)), is_whole)


@dataclass(frozen=True, slots=True)
class _Entries:
    rows: tuple[object, ...] = field(repr=False)
    is_whole: bool


def _entries(exchange: Exchange, actor: str, since: datetime, until: datetime) -> _Entries | None:
    body: dict[str, object] = {
        "topic": "door_openings",
        # One second more on both sides: whether the bounds belong to it is not known (§13).
        "since": int(since.timestamp()) - 1,
        "until": int(until.timestamp()) + 1,
    }
    if actor:
        body["actor_id"] = actor
    rows: list[object] = []
    seen: set[str] = set()
    for page in range(1, MOST_PAGES + 1):
        query = (("page_num", str(page)), ("page_size", str(PAGE_SIZE)))
        answer = exchange.ask("/system/logs", body, what=_WHAT, query=query)
        if isinstance(answer, ScopeMissing):
            return None
        if isinstance(answer, Refused) and page > 1:
            return _Entries(tuple(rows), is_whole=True)  # nothing lies beyond the last page
        success = demanded(answer, _WHAT, right=Right.READ_LOG, since="1.9.1")
        new = [one for one in _hits(success) if repr(one) not in seen]
        if not new:
            return _Entries(tuple(rows), is_whole=True)
        seen.update(map(repr, new))
        rows += new
    return _Entries(tuple(rows), is_whole=False)


def _hits(success: Success) -> list[object]:
    """Return the entries of a page: below `hits`, or the bare list of older firmware (§13)."""
    data = success.data
    hits = data.get("hits") if isinstance(data, Mapping) else data
    if hits is None:
        return []
    if not isinstance(hits, list):
        raise ControllerDistrusted(f"{_WHAT}: the reply holds no list")
    return hits


def _tap(entry: EntryShape, bearer: Bearer, facility: int) -> Tap | None:
    whose = _whose(entry, bearer, facility)
    if whose is None:
        return None
    doors = (one.display_name for one in entry.source.target if one.type == "door")
    return Tap(_moment(entry), next(doors, ""), entry.source.event.result == "ACCESS", whose)


def _whose(entry: EntryShape, bearer: Bearer, facility: int) -> Whose | None:
    actor = entry.source.actor
    if actor is not None and actor.id:
        # A card that went round was somebody else's then, and what they did is not told.
        return Whose.USER if actor.id in bearer.users else None
    tokens = {CardToken(one.id) for one in entry.source.target if one.type == "nfc_token"}
    if not bearer.tokens.isdisjoint(tokens):
        return Whose.CARD
    if bearer.number is not None:
        wanted = int(bearer.number.nfc_id(facility), 16)
        if wanted in set(_raw_numbers(entry)):
            return Whose.CARD
    return None


def _raw_numbers(entry: EntryShape) -> Iterator[int]:
    """Return the raw ids of cards in an entry, as numbers: zeros in front are not promised (C7)."""
    texts: Collection[str] = [one.id for one in entry.source.target if one.type == "nfc_id"]
    login = entry.source.authentication
    for text in (*texts, login.issuer if login is not None else ""):
        try:
            yield int(text, 16)
        except ValueError:
            continue


def _moment(entry: EntryShape) -> datetime:
    try:
        moment = datetime.fromisoformat(entry.timestamp)
    except ValueError:
        moment = None
    if moment is None:
        raise ControllerDistrusted(f"{_WHAT}: an entry has no time")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

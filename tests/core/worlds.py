"""Clubs of a few people in every state of disorder, for hypothesis to draw."""

from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st

from door_sync.core.cards import BadCard, CardToken
from door_sync.core.controller import (
    Card,
    Free,
    HeldByVisitor,
    Holder,
    HolderUnknown,
    User,
    UserId,
    UserStatus,
    VisitorId,
)
from door_sync.core.people import ContactId
from door_sync.core.situation import Held, Site
from door_sync.core.steps import ChangeClass
from door_sync.core.tiers import DUPLICATE_CARD, CardUnknown, Verdict
from tests.core.builders import (
    BY_HAND,
    EVERYONES,
    GOLD,
    MANAGED,
    SILVER,
    card,
    deny,
    grant,
    held,
    skip,
    unknown,
    user,
)
from tests.core.doors import Doors, doors

T = TypeVar("T")

CONTACTS = (1, 2, 3, 4, 5)
NUMBERS = (1001, 1002, 1003, 1004, 1005, 1006)
PRIMARY = ("a@x", "b@x", "c@x", "d@x", "e@x", "f@x")
SECOND = ("g@x", "h@x", "i@x", "j@x", "k@x", "l@x")


@dataclass
class Club:
    """What CiviCRM says about everybody, and a controller that may say anything else."""

    verdicts: tuple[Verdict, ...]
    doors: Doors
    refused: frozenset[ContactId]
    failed_imports: frozenset[ContactId]
    failed_restores: frozenset[ContactId]

    def site(self) -> Site:
        """What the planner knows of it now."""
        return Site(
            self.doors.snapshot(),
            {verdict.contact_id: verdict for verdict in self.verdicts},
            MANAGED,
            refused=self.refused,
            failed_imports=self.failed_imports,
            failed_restores=self.failed_restores,
            settled=frozenset(self.doors.accepted_without_proof),
        )


def _mostly(usual: T, *rare: T) -> st.SearchStrategy[T]:
    """Usually the first; each of the others now and then."""
    return st.sampled_from([usual] * (3 * len(rare)) + list(rare))


STATUSES = st.sampled_from([UserStatus.ACTIVE, *UserStatus, UserStatus.DEACTIVATED])
POLICIES = st.sampled_from([(GOLD,), (SILVER,), (GOLD, SILVER), (BY_HAND, GOLD), (BY_HAND,), ()])
SHOWN = _mostly("ours", "none", "console", "both", "two")


@st.composite
def _users(draw: st.DrawFn) -> list[User]:
    """One user for each contact, here and there none or two, and one that is unmanaged."""
    contacts = [draw(_mostly(contact, None, 1)) for contact in CONTACTS]
    found = []
    for number, contact in enumerate([*contacts, None]):
        shown = draw(SHOWN)
        console = {"console": PRIMARY, "both": PRIMARY, "two": SECOND}.get(shown)
        found.append(
            user(
                f"u{number}",
                contact,
                draw(STATUSES),
                policies=draw(POLICIES),
                first=draw(_mostly("Ann", "Old", "  Ann ")),
                email=PRIMARY[number].upper() if shown in ("ours", "both", "two") else "",
                console_email=console[number] if console else "",
            )
        )
    return found


@st.composite
def _cards(draw: st.DrawFn, users: list[User]) -> tuple[list[Card], dict[CardToken, UserId]]:
    """A card on each user, and a few more anywhere; now and then two with one number."""
    holders: list[Holder] = [held(one.id) for one in users]
    elsewhere = _mostly(
        Free(), HeldByVisitor(VisitorId("v")), HolderUnknown(), held("gone"), *holders
    )
    cards: list[Card] = []
    shown_on: dict[CardToken, UserId] = {}
    numbers: list[int | None] = list(draw(st.permutations(NUMBERS)))
    numbers += draw(st.lists(st.sampled_from([None, *NUMBERS]), max_size=2))
    for name, number in enumerate(numbers):
        usual = holders[name] if name < len(holders) else Free()
        holder = draw(elsewhere) if draw(_mostly(False, True)) else usual
        ours = number is not None and draw(_mostly(True, False))
        one = card(number, holder, ours=ours, name=name)
        cards.append(one)
        if isinstance(holder, HolderUnknown) and draw(st.booleans()):
            shown_on[one.token] = draw(st.sampled_from(users)).id
    return draw(_mostly(cards, cards[2:])), shown_on


_NOT_KNOWN: list[int | BadCard | CardUnknown] = [
    BadCard.NOT_DIGITS,
    CardUnknown(DUPLICATE_CARD),
]


@st.composite
def _verdicts(draw: st.DrawFn) -> tuple[Verdict, ...]:
    """Mostly grants, of numbers and addresses that are anybody's."""
    numbers, addresses = draw(st.permutations(NUMBERS)), draw(st.permutations(PRIMARY))
    found: list[Verdict] = []
    for contact, number, address in zip(CONTACTS, numbers, addresses, strict=False):
        kind = draw(_mostly("grant", "deny", "deny", "skip", "unknown", "absent"))
        if kind == "grant":
            part = draw(st.sampled_from([number] * 6 + _NOT_KNOWN))
            email = draw(_mostly(address, PRIMARY[contact], SECOND[0], "", "new@x"))
            found.append(grant(contact, part, draw(_mostly(GOLD, SILVER)), email=email))
        elif kind != "absent":
            found.append({"deny": deny, "skip": skip, "unknown": unknown}[kind](contact))
    return tuple(found)


some_contacts = _mostly(frozenset[ContactId](), frozenset({ContactId(1), ContactId(2)}))


@st.composite
def clubs(draw: st.DrawFn) -> Club:
    """A club in any state that a controller can be in."""
    users = draw(_users())
    cards, shown_on = draw(_cards(users))
    return Club(
        draw(_verdicts()),
        doors(
            users,
            cards,
            MANAGED,
            everyones=draw(st.sampled_from([(), (EVERYONES,)])),
            shown_on=shown_on,
            frees_on_deactivated=draw(st.booleans()),
        ),
        refused=draw(some_contacts),
        failed_imports=draw(some_contacts),
        failed_restores=draw(some_contacts),
    )


holds: st.SearchStrategy[Held] = st.sets(
    st.tuples(st.sampled_from(list(map(ContactId, CONTACTS))), st.sampled_from(ChangeClass))
).map(frozenset)

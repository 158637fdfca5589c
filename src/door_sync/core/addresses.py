"""Which e-mail address is written to whom, and in which order (R2).

The controller lets no two people have one address (UniFi sheet §6.10). An address that its holder
gives up in this plan may be written after that; in a circle one holder is blanked first. Anything
else that is taken is left out, decided afresh in each cycle.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from door_sync.core.controller import User, UserId
from door_sync.core.people import ContactId


def normal(address: str) -> str:
    """Return the form in which addresses are compared: trimmed, case ignored (R2)."""
    return address.strip().casefold()


@dataclass(frozen=True, slots=True)
class Claim:
    """A contact of this plan, its user if there is one, and the address it should have."""

    contact_id: ContactId
    user: User | None
    wanted: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Write:
    """Write this address (or "" to clear it) together with the rest of the person.

    With `after` it is a write of its own, once that contact has given the address up; `turn`
    orders such writes. `blank_first` clears what the user has, to open a circle.
    """

    address: str = field(repr=False)
    after: ContactId | None = None
    turn: int = 0
    blank_first: bool = False


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """The address is not written, for this reason; the user keeps what it has."""

    reason: str


AddressDecision = Write | LeaveOut

TAKEN = "somebody else in the controller has this e-mail address"
REFUSED = "the controller refused this e-mail address in the last days"


def has_address(user: User, wanted: str) -> bool:
    """Say whether the user shows this address already.

    The console fills its own read-only field for people made by hand; where ours is blank that
    one counts, so that nobody is mailed for an address that is there (UniFi sheet §6.0).
    """
    if user.email == wanted:
        return True  # as nearly everywhere: nothing to bring into one form
    shown = normal(user.email) or normal(user.console_email)
    return normal(wanted) == shown or (normal(wanted) == "" and normal(user.email) == "")


def decide_addresses(
    claims: Mapping[ContactId, Claim],
    users: Mapping[UserId, User],
    refused: frozenset[ContactId],
) -> dict[ContactId, AddressDecision]:
    """Given who should have which address and everybody who has one, return what to do.

    A contact that needs no write is absent from the answer. `refused` are the contacts whose
    present address the controller refused not long ago.
    """
    decisions: dict[ContactId, AddressDecision] = {}
    open_claims: dict[ContactId, Claim] = {}
    # What one contact was refused nobody else gets either: the controller has it somewhere that no
    # list shows, and asking for the next contact would only be one more write (P8).
    taken = {normal(claims[contact_id].wanted) for contact_id in refused & claims.keys()}
    for contact_id in sorted(claims):
        claim = claims[contact_id]
        if claim.user is not None and has_address(claim.user, claim.wanted):
            continue
        if claim.user is None and normal(claim.wanted) == "":
            continue
        if contact_id in refused:
            decisions[contact_id] = LeaveOut(REFUSED)
        else:
            open_claims[contact_id] = claim
    blocker = _blockers(open_claims, users, taken)
    waiting = _who_waits(blocker)
    hopeless = _turns([c for c, first in blocker.items() if isinstance(first, _Stuck)], waiting)
    turns = _turns([c for c, first in blocker.items() if isinstance(first, _Nobody)], waiting)
    for contact_id, claim in open_claims.items():
        if contact_id in hopeless:
            decisions[contact_id] = LeaveOut(TAKEN)
            continue
        is_opener = contact_id not in turns
        if is_opener:  # a circle: its lowest contact steps aside first and is served last
            turns |= _turns([contact_id], waiting)
            turns[contact_id] = _length_of_circle(contact_id, blocker)
        first = blocker[contact_id]
        after = first if isinstance(first, int) else None
        decisions[contact_id] = Write(claim.wanted.strip(), after, turns[contact_id], is_opener)
    return decisions


@dataclass(frozen=True, slots=True)
class _Nobody:
    """The address is free."""


@dataclass(frozen=True, slots=True)
class _Stuck:
    """The address cannot become free in this plan."""


def _blockers(
    open_claims: Mapping[ContactId, Claim], users: Mapping[UserId, User], taken: set[str]
) -> dict[ContactId, ContactId | _Nobody | _Stuck]:
    """Return, for each claim, whose write must come first: one contact, nobody, or no hope."""
    holders = _holders({normal(claim.wanted) for claim in open_claims.values()} - {""}, users)
    mover = {claim.user.id: c for c, claim in open_claims.items() if claim.user is not None}
    taken = set(taken)
    result: dict[ContactId, ContactId | _Nobody | _Stuck] = {}
    for contact_id, claim in open_claims.items():
        address = normal(claim.wanted)
        others = [
            u for u in holders.get(address, ()) if claim.user is None or u.id != claim.user.id
        ]
        if address == "":
            result[contact_id] = _Nobody()
        elif address in taken:
            result[contact_id] = _Stuck()
        elif not others:
            taken.add(address)
            result[contact_id] = _Nobody()
        elif len(others) == 1 and others[0].id in mover and _can_give_up(others[0], address):
            taken.add(address)
            result[contact_id] = mover[others[0].id]
        else:
            result[contact_id] = _Stuck()
    return result


def _holders(addresses: set[str], users: Mapping[UserId, User]) -> dict[str, list[User]]:
    """Return who has each of these addresses, in either field."""
    found: dict[str, list[User]] = {}
    if not addresses:
        return found
    for user in users.values():
        for address in addresses & {normal(user.email), normal(user.console_email)}:
            found.setdefault(address, []).append(user)
    return found


def _can_give_up(user: User, address: str) -> bool:
    """Say whether the address stands in the writable field alone; nobody changes the console's."""
    return normal(user.console_email) != address


def _who_waits(
    blocker: Mapping[ContactId, ContactId | _Nobody | _Stuck],
) -> dict[ContactId, ContactId]:
    """Return, for each contact that must give an address up, who waits for it.

    It is one at most: a user has one address of ours to give, and one claim gets it.
    """
    return {first: contact_id for contact_id, first in blocker.items() if isinstance(first, int)}


def _turns(
    starts: Iterable[ContactId], waiting: Mapping[ContactId, ContactId]
) -> dict[ContactId, int]:
    """Return everybody who waits for one of `starts`, and how many go before: 0 for a start."""
    turns: dict[ContactId, int] = {}
    for start in starts:
        here: ContactId | None = start
        turn = 0
        while here is not None and here not in turns:
            turns[here] = turn
            here, turn = waiting.get(here), turn + 1
    return turns


def _length_of_circle(
    opener: ContactId, blocker: Mapping[ContactId, ContactId | _Nobody | _Stuck]
) -> int:
    length, here = 1, blocker[opener]
    while isinstance(here, int) and here != opener:
        length, here = length + 1, blocker[here]
    return length

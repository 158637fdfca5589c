"""Which e-mail address is written to whom, and in which order (R2).

The controller lets no two people have one address (UniFi sheet §6.10). An address that its holder
gives up in this plan may be written after that; in a circle one holder is blanked first. Anything
else that is taken is left out, decided afresh in each cycle.
"""

from collections.abc import Mapping
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
    for contact_id, claim in sorted(claims.items()):
        if claim.user is not None and has_address(claim.user, claim.wanted):
            continue
        if claim.user is None and normal(claim.wanted) == "":
            continue
        if contact_id in refused:
            decisions[contact_id] = LeaveOut(REFUSED)
        else:
            open_claims[contact_id] = claim
    blocker = _blockers(open_claims, users, taken)
    for contact_id in _hopeless(open_claims, blocker):
        decisions[contact_id] = LeaveOut(TAKEN)
        del open_claims[contact_id]
    for contact_id, claim in open_claims.items():
        decisions[contact_id] = _write(contact_id, claim, blocker)
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
    holders: dict[str, list[User]] = {}
    for user in users.values():
        for address in {normal(user.email), normal(user.console_email)} - {""}:
            holders.setdefault(address, []).append(user)
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


def _can_give_up(user: User, address: str) -> bool:
    """Say whether the address stands in the writable field alone; nobody changes the console's."""
    return normal(user.console_email) != address


def _hopeless(
    open_claims: Mapping[ContactId, Claim],
    blocker: Mapping[ContactId, ContactId | _Nobody | _Stuck],
) -> set[ContactId]:
    """Return the claims that end at one which cannot be fulfilled."""
    hopeless: set[ContactId] = set()
    for contact_id in open_claims:
        chain: list[ContactId] = []
        here: ContactId | _Nobody | _Stuck = contact_id
        while isinstance(here, int) and here not in chain:
            chain.append(here)
            here = blocker[here]
        if isinstance(here, _Stuck):
            hopeless.update(chain)
    return hopeless


def _write(
    contact_id: ContactId,
    claim: Claim,
    blocker: Mapping[ContactId, ContactId | _Nobody | _Stuck],
) -> Write:
    address = claim.wanted.strip()
    first = blocker[contact_id]
    if not isinstance(first, int):
        return Write(address)
    chain = [contact_id]
    here: ContactId | _Nobody | _Stuck = first
    while isinstance(here, int) and here not in chain:
        chain.append(here)
        here = blocker[here]
    if here == contact_id:  # a circle: its lowest contact steps aside first and is served last
        opener = min(chain)
        turn = chain.index(opener) or len(chain)
        return Write(address, after=first, turn=turn, blank_first=contact_id == opener)
    # A chain that runs into a circle would have to want what the circle's member already got.
    return Write(address, after=first, turn=len(chain) - 1)

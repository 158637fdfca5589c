"""The plan as data: steps, changes, what is blocked and noticed, and the digest (design.md §2).

A step is one intended write. What does not exist yet is named by reference, so that a plan can
be printed, hashed and kept before anything exists (R4).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum, IntEnum

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import PolicyId, UserId, UserStatus, VisitorId
from door_sync.core.people import ContactId


@dataclass(frozen=True, slots=True)
class NewUser:
    """The user that this plan creates for a contact."""

    contact_id: ContactId


@dataclass(frozen=True, slots=True)
class NewCard:
    """The card that this plan imports; its token comes with the import's answer."""

    number: CardNumber


UserRef = UserId | NewUser
CardRef = CardToken | NewCard


class Phase(IntEnum):
    """The order of a plan (R4)."""

    REVOKE = 1
    IMPORT = 2
    FREE = 3
    KNOWN = 4
    """Policy and profile of users who have a managed policy already."""
    PEOPLE = 5
    """Create and activate."""
    ADDRESSES = 6
    """Addresses that somebody else has given up by now."""
    LATE_FREE = 7
    BIND = 8
    POLICY = 9
    """Policy of every user who had none: the last thing that somebody gets."""


class OnRefusal(Enum):
    """What follows when a card cannot be freed."""

    GO_ON = "go on"
    """The rest of the change goes on: cutting access never waits (P5)."""
    FAIL = "report it"
    """The change counts as failed."""
    SHUT = "deactivate again"
    """The user is deactivated again: a restore with a stale card stays shut (R2)."""


@dataclass(frozen=True, slots=True)
class FreeCard:
    """Take a card off a user. A card that an earlier step of this cycle freed is passed over."""

    user: UserId
    token: CardToken
    on_refusal: OnRefusal
    phase: Phase


@dataclass(frozen=True, slots=True)
class DeactivateUser:
    """Cut somebody's access. `had_status` is False if the row shows none, so none can prove it."""

    user: UserId
    had_status: bool = True
    phase: Phase = Phase.REVOKE


@dataclass(frozen=True, slots=True)
class ImportCard:
    """Import a card under our alias. All imports of a plan travel in one file."""

    number: CardNumber
    phase: Phase = Phase.IMPORT


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Create an active user without card or policy."""

    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str | None = field(repr=False, default=None)
    phase: Phase = Phase.PEOPLE


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    """Write names and address; None leaves a field as it is.

    `after` names a contact whose own address write must have succeeded, else nothing is written.
    """

    user: UserRef
    first_name: str | None = field(repr=False, default=None)
    last_name: str | None = field(repr=False, default=None)
    email: str | None = field(repr=False, default=None)
    after: ContactId | None = None
    turn: int = 0
    phase: Phase = Phase.KNOWN


@dataclass(frozen=True, slots=True)
class ActivateUser:
    """Let a deactivated user be active again."""

    user: UserId
    phase: Phase = Phase.PEOPLE


@dataclass(frozen=True, slots=True)
class BindCard:
    """Bind a free card, or one that this plan frees first. Never by force."""

    user: UserRef
    card: CardRef
    number: CardNumber
    phase: Phase = Phase.BIND


@dataclass(frozen=True, slots=True)
class ReclaimCard:
    """Bind a card that is stuck on a user confirmed DEACTIVATED, by force (R3, P3)."""

    user: UserRef
    card: CardToken
    number: CardNumber
    holder: UserId
    phase: Phase = Phase.BIND


@dataclass(frozen=True, slots=True)
class SetPolicies:
    """Give a user one managed policy, or none.

    `keeps_others`: the user's direct, unmanaged policies are read and written back. Otherwise the
    user has exactly what stands here. `only_without`: cards that must be off the user first (R2).
    """

    user: UserRef
    policy: PolicyId | None
    keeps_others: bool
    only_without: tuple[CardToken, ...] = ()
    phase: Phase = Phase.POLICY


Step = (
    FreeCard
    | DeactivateUser
    | ImportCard
    | CreateUser
    | UpdateProfile
    | ActivateUser
    | BindCard
    | ReclaimCard
    | SetPolicies
)


class ChangeClass(Enum):
    """What a change is to the person, and which guard counts it (§6)."""

    REVOKE = "revoke"
    GRANT = "grant"
    RESTORE = "restore"
    POLICY = "policy"
    CARD = "card"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class Change:
    """All steps of one class for one contact, in the order in which they run for that contact."""

    contact_id: ContactId
    change_class: ChangeClass
    reason: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with the change it belongs to."""

    step: Step
    change: Change


@dataclass(frozen=True, slots=True)
class HolderShown:
    """Who holds a card, as it may be said to people: ids and a status, never a name (R3)."""

    user_id: UserId | None = None
    visitor_id: VisitorId | None = None
    contact_id: ContactId | None = None
    status: UserStatus | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A card that a member should have and does not get, and who or what stands in the way."""

    contact_id: ContactId
    number: CardNumber
    reason: str
    holder: HolderShown | None = None
    waits_for_hold: bool = False
    leaves_no_card: bool = False


class NoticeKind(Enum):
    """What a notice is about; the word is what a script may look for."""

    UNKNOWN = "unknown"
    BAD_CARD = "bad-card"
    DUPLICATE_CARD = "duplicate-card"
    PENDING_USER = "pending-user"
    TWO_USERS = "two-users"
    NO_NAME = "no-name"
    ADDRESS_LEFT_OUT = "address-left-out"
    HAND_ENROLLED_CARD = "hand-enrolled-card"
    HAND_GIVEN_POLICIES = "hand-given-policies"
    NO_STATUS = "no-status"
    RESTORE_WAITS = "restore-waits"
    STALE_MEMBERSHIP = "stale-membership"
    UNUSED_RULE = "unused-rule"
    POLICIES_UNSEEN = "policies-unseen"
    VISITORS_UNSEEN = "visitors-unseen"
    RECLAIM = "reclaim"
    CUT_OFF = "cut-off"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know, without a name or number in it."""

    kind: NoticeKind
    text: str
    contact_id: ContactId | None = None


@dataclass(frozen=True)
class Plan:
    """All changes in order, with what is blocked and noticed (design.md §2)."""

    changes: tuple[Change, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    notices: tuple[Notice, ...] = ()

    def steps(self) -> tuple[PlannedStep, ...]:
        """Return all steps in the order of R4: by phase, turn and contact id."""
        numbered = [
            (step.phase, _turn(step), change.contact_id, number, index, change)
            for number, change in enumerate(self.changes)
            for index, step in enumerate(change.steps)
        ]
        numbered.sort()  # no two rows share number and index, so changes are never compared
        return tuple(PlannedStep(row[5].steps[row[4]], row[5]) for row in numbered)

    def of_class(self, *classes: ChangeClass) -> tuple[Change, ...]:
        """Return the changes of these classes."""
        return tuple(change for change in self.changes if change.change_class in classes)

    def only(self, changes: Sequence[Change]) -> "Plan":
        """Return a plan of these changes alone."""
        return replace(self, changes=tuple(changes), blocked=(), notices=())

    def digest(self, key: bytes) -> str:
        """Return the name of exactly these changes, 12 hex digits, keyed by the site's key (§6).

        The key keeps card numbers, which are few, from being guessed out of it (P12).
        """
        text = json.dumps([_plain(change) for change in self.changes], sort_keys=True)
        return hmac.new(key, b"plan\0" + text.encode(), hashlib.sha256).hexdigest()[:12]


def step_digest(step: Step, key: bytes) -> str:
    """Return a keyed digest of one step, for the journal (§7)."""
    text = json.dumps(_plain(step), sort_keys=True)
    return hmac.new(key, b"step\0" + text.encode(), hashlib.sha256).hexdigest()[:16]


def kind_of(step: Step) -> str:
    """Return the word for this kind of step in the journal and in JSON: `free-card`, …"""
    name = type(step).__name__
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def _turn(step: Step) -> int:
    return step.turn if isinstance(step, UpdateProfile) else 0


def _plain(value: object) -> object:
    """Return a value as JSON knows it, with everything that tells two plans apart."""
    match value:
        case CardNumber() | CardToken():
            return value.reveal()
        case Enum():
            return value.value
        case tuple():
            return [_plain(one) for one in value]
        case _ if is_dataclass(value):
            named = {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
            return {"": type(value).__name__, **named}
        case _:
            return value


def contacts(changes: Iterable[Change]) -> tuple[ContactId, ...]:
    """Return the contacts of these changes, each once, in order."""
    return tuple(sorted({change.contact_id for change in changes}))

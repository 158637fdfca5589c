"""What the program asks of the world outside: protocols, and the errors that cross them.

    DoorSyncError
    ├── SourceError            the membership list cannot be used; nothing is written (P2)
    │   ├── SourceUnreachable      no answer
    │   └── SourceDistrusted       an answer that must not be believed
    ├── ControllerError        ends the cycle: no further write is sent (R0)
    │   ├── ControllerUnreachable  no answer while reading
    │   ├── ControllerDistrusted   lists that disagree, malformed replies
    │   ├── ControllerForbids      401, a missing scope, or no such route
    │   └── WrongController        the certificate pin does not match (P11)
    ├── WriteFailed            one write failed; one person's failure (P6)
    │   ├── WriteRefused           the controller said no, with a code
    │   │   ├── CardHasHolder          the card is bound to somebody
    │   │   ├── AddressRefused         the e-mail address is taken or malformed
    │   │   └── CardChangeImpossible   no method frees a card on this user
    │   └── WriteUncertain         no answer: it may or may not have been carried out
    │       └── ImportUncertain        the same of some cards of an import; others arrived
    ├── JournalError           the record cannot be kept; no cycle runs (§7)
    │   └── LockHeld               another cycle of this site is running
    └── NotifyError            an alert could not be sent (P14): see notify/notifier.py

Messages carry ids and codes, never names, numbers, tokens, keys or reply bodies (P12).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from door_sync.core.access import AccessReading
from door_sync.core.approvals import Approval, Hold, Refusal
from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import Holder, PolicyId, Snapshot, User, UserId
from door_sync.core.leavers import Leavers
from door_sync.core.people import ContactId, Member, MembershipType


class Clock(Protocol):
    """Time, handed in, so that tests own it."""

    def now(self) -> datetime:
        """Return the time of day, with a time zone."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""


class DoorSyncError(Exception):
    """Root of everything that an operator may see; knows its exit code (design.md §8).

    `remedy` is a sentence that says what to do; empty where the message says it already.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class SourceError(DoorSyncError):
    """CiviCRM's answer cannot be used in this cycle."""


class SourceUnreachable(SourceError):
    """CiviCRM gave no answer."""


class SourceDistrusted(SourceError):
    """CiviCRM gave an answer that must not be believed (R0)."""


class ControllerError(DoorSyncError):
    """The controller ends the cycle: no further write is sent."""


class ControllerUnreachable(ControllerError):
    """The controller gave no answer while it was read."""


class ControllerDistrusted(ControllerError):
    """The controller gave an answer that must not be believed (R0)."""


class ControllerForbids(ControllerError):
    """The controller refuses the key, a right, or knows no such route (R0)."""


class WrongController(ControllerError):
    """Another certificate than the pinned one (P11)."""


class WriteFailed(DoorSyncError):
    """One write failed. The others go on (P6)."""

    exit_code = 3


class WriteRefused(WriteFailed):
    """The controller refused a write; `code` is the name it gave."""

    def __init__(self, message: str, *, code: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class CardHasHolder(WriteRefused):
    """`CODE_CREDS_NFC_HAS_BIND_USER`: the card is bound to somebody (UniFi sheet §6.6)."""


class AddressRefused(WriteRefused):
    """The e-mail address is taken or malformed; the whole write was refused (UniFi sheet §6.10)."""


class CardChangeImpossible(WriteRefused):
    """Neither method of freeing a card is a route for this user (UniFi sheet §18 C1)."""


class WriteUncertain(WriteFailed):
    """The request may have been carried out; only a read tells."""


class PlanDrifted(DoorSyncError):
    """A plan that a person looked at is not what would be written now; nothing was written (§6)."""

    exit_code = 1


class JournalError(DoorSyncError):
    """The journal cannot be read or written; without a record no cycle runs (§7)."""


class LockHeld(JournalError):
    """Another cycle of this site is running."""

    exit_code = 75


@dataclass(frozen=True, slots=True)
class SourceReading:
    """What CiviCRM said in one cycle: all contacts with a card, and the kinds of membership.

    `members` holds every living, not trashed contact whose card field is filled in, with the
    memberships whose status counts as active. Counts were checked before it was built.
    """

    members: Mapping[ContactId, Member]
    membership_types: tuple[MembershipType, ...]


class MemberSource(Protocol):
    """Where the members are kept: CiviCRM today."""

    def read(self) -> SourceReading:
        """Read everybody with a card, completely; raise SourceError otherwise."""

    def read_joined(self) -> Mapping[ContactId, Member]:
        """Read everybody who has or had a membership, with a card or without, completely.

        The deceased are among them, who is in the trash is not. Raise SourceError.
        """

    def read_contacts(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Member]:
        """Ask for these contacts by id, trashed and deceased ones included (R1).

        A contact that the source does not return is absent from the answer. Raise SourceError.
        """


@dataclass(frozen=True, slots=True)
class ImportedCard:
    """A card that an import answered for: its number and the token that it got."""

    number: CardNumber
    token: CardToken


class ImportUncertain(WriteUncertain):
    """Of some cards of an import nobody knows whether they came; `arrived` are those that did."""

    def __init__(self, message: str, *, arrived: Sequence[ImportedCard], remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.arrived = tuple(arrived)


@dataclass(frozen=True, slots=True)
class Profile:
    """What is written of a person; None leaves a field as it is, "" clears an address."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None

    def __repr__(self) -> str:
        return "Profile(…)"


class DoorController(Protocol):
    """The doors' controller: UniFi Access today.

    Reads raise ControllerError. Writes raise WriteFailed for this one write, or ControllerError
    where no further write may follow. Each write is one request, but for retries.
    """

    def read(self) -> Snapshot:
        """Read users, cards, visitors' cards and policies completely, and compare the lists."""

    def user(self, user_id: UserId) -> User | None:
        """Read one user now; None if the controller says that it does not exist."""

    def users_of(self, contact_ids: Collection[ContactId]) -> tuple[User, ...]:
        """Read the users that carry one of these contacts' ids now, by user id; often none."""

    def holder(self, token: CardToken) -> Holder:
        """Read who holds this card now."""

    def direct_policies(self, user_id: UserId) -> tuple[PolicyId, ...] | None:
        """Read the policies given to this user directly; None where that is no route (R2)."""

    def administrators(self) -> frozenset[UserId] | None:
        """Read who administers the controller; None where that cannot be learnt."""

    def read_access(self) -> AccessReading:
        """Read what the doors go by, as far as the key may: for a report of who can open what."""

    def link(self, user_id: UserId, contact_id: ContactId) -> None:
        """Let a user carry a contact's id: only where a person confirmed it (P4, `adopt`)."""

    def create_user(self, contact_id: ContactId, profile: Profile) -> UserId:
        """Create an active user; a timed-out try is looked up before it is repeated."""

    def update_profile(self, user_id: UserId, profile: Profile) -> None:
        """Write names and address."""

    def activate(self, user_id: UserId) -> None:
        """Set the status ACTIVE."""

    def deactivate(self, user_id: UserId) -> None:
        """Set the status DEACTIVATED."""

    def set_policies(self, user_id: UserId, policy_ids: Sequence[PolicyId]) -> None:
        """Replace the direct policies of this user."""

    def bind_card(self, user_id: UserId, token: CardToken, *, force: bool = False) -> None:
        """Bind a card; `force` takes it from whoever holds it (R3 alone decides that)."""

    def free_card(self, user_id: UserId, token: CardToken, *, once: bool = False) -> None:
        """Free a card from this user; `once` means a single try (R2, revoke)."""

    def import_cards(self, numbers: Sequence[CardNumber]) -> Sequence[ImportedCard]:
        """Import cards in one file; a number that the controller refused is absent from the answer.

        Raise ImportUncertain if some arrived and of others nobody knows (P6).
        """

    def set_alias(self, token: CardToken, number: CardNumber) -> bool:
        """Give a card our alias; False where the firmware has no such route (R3)."""


@dataclass(frozen=True, slots=True)
class GoodCounts:
    """How much the last good read of both sides found (§6, shrunken source and controller)."""

    contacts: int
    users: int


@dataclass(frozen=True, slots=True)
class FailedImport:
    """A number whose import failed: the state of both sides then (a keyed digest), and when."""

    world: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """What the journal remembers from one cycle to the next (§7). Digests are keyed: see tags.

    `missing`: contacts that the last good read did not return (R1).
    `refused_addresses`: digests of (contact, address) refused in the last 7 days (R2).
    `failed_imports`: by digest of (contact, number) (R3).
    `failed_restores`: contacts whose restore was shut again less than a day ago (R2).
    `statusless`: digests of rows without a status whose revocation was accepted (R2).
    `aliases`: digest of a token → digest of the number that it carries (R3).
    `provisioning`: True while the first provisioning lasts, None before the first cycle (§6).
    `lately`: whose changes were written in the last 24 hours, by the word for the change's class,
    without those that were free or approved (§6).
    `cut_off`: contacts that a person cut off at once, until a person lifts it (§6).
    `approvals`: what persons let through in the last 24 hours; `refusals`: their noes (§6).
    `leaving`: whose revocation is known, and not proven yet (P10).
    """

    missing: frozenset[ContactId] = frozenset()
    refused_addresses: frozenset[str] = frozenset()
    failed_imports: Mapping[str, FailedImport] = field(default_factory=dict)
    failed_restores: frozenset[ContactId] = frozenset()
    statusless: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    last_good: GoodCounts | None = None
    provisioning: bool | None = None
    lately: Mapping[str, frozenset[ContactId]] = field(default_factory=dict)
    cut_off: frozenset[ContactId] = frozenset()
    approvals: tuple[Approval, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    leaving: frozenset[ContactId] = frozenset()


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One intended write as the journal keeps it: no name, address, number or token (§7).

    `counts` is False for a change that was free or approved: the 24 hours leave it out (§6).
    """

    contact_id: ContactId
    kind: str
    change: str
    reason: str
    digest: str
    counts: bool = True


class CycleRecord(Protocol):
    """The record of one running cycle. Each call is on disk when it returns (P13)."""

    @property
    def cycle_id(self) -> str:
        """The name of this cycle, unique in the journal."""

    def intend(self, step: StepRecord) -> int:
        """Record that this write is about to be sent; return its number in the cycle."""

    def outcome(self, number: int, outcome: str, detail: str = "") -> None:
        """Record what became of it: done, refused, uncertain, …; `detail` is a code."""

    def cut_off(self) -> frozenset[ContactId]:
        """Return who is cut off by hand at this moment, also since this cycle began (§6)."""

    def remember_refused_address(self, digest: str) -> None: ...
    def remember_failed_import(self, digest: str, world: str) -> None: ...
    def remember_failed_restore(self, contact_id: ContactId) -> None: ...
    def remember_statusless(self, digest: str) -> None: ...
    def remember_alias(self, token_digest: str, number_digest: str) -> None: ...

    def good_read(self, counts: GoodCounts, missing: Collection[ContactId]) -> None:
        """Record that both sides were read well and no guard held the cycle."""

    def decided(
        self, hold: Hold | None, texts: Mapping[str, str], used_up: Collection[int]
    ) -> None:
        """Keep the hold that waits for a person, and close every other one (§6).

        `texts` are what the guards of the hold said, by guard; `used_up` the numbers of approvals
        and refusals of which nothing is left.
        """

    def learned(self, found: Leavers) -> None:
        """Keep who must lose access since this cycle, and of whom this read settles it (P10)."""

    def proven(self, people: Mapping[ContactId, datetime]) -> None:
        """Keep when each of these people was read back without access (P10)."""

    def provisioning(self, *, open_: bool) -> None:
        """Record whether the first provisioning lasts."""

    def end(self, event: str, digest: str, summary: Mapping[str, object], reason: str = "") -> None:
        """Record how the cycle ended: applied, partial, halted, failed or crashed, and why."""


class Journal(Protocol):
    """The history of one site."""

    def site_key(self) -> bytes:
        """Return the 32 bytes that key every tag and digest of this site."""

    def memory(self, now: datetime) -> Memory:
        """Return what was remembered, without what is too old."""

    def begin(self, now: datetime) -> CycleRecord:
        """Open the record of a cycle; raise JournalError if it cannot be kept."""

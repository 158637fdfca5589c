"""What the controller keeps: frozen records, replaced as a whole when they change.

Names, addresses, numbers and tokens stay out of every repr (P12).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

HolderKind = Literal["USER", "VISITOR"]
ResourceKind = Literal["door", "door_group"]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Status(StrEnum):
    """The user statuses that the API documents (§6.0); seeds may hold others."""

    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"
    PENDING = "PENDING"


@dataclass(frozen=True)
class User:
    """A user, also an administrator (§6.0). ``policy_ids`` are the direct ones only.

    ``user_email`` is what the API writes, ``email`` what the console keeps for people made in it.
    Rows of this user lack the keys in ``missing`` and show null for those in ``null`` (§5).
    """

    id: str
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    user_email: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    employee_number: str = ""
    onboard_time: int = 0
    status: str = Status.ACTIVE
    policy_ids: tuple[str, ...] = ()
    is_admin: bool = False
    pin_token: str = field(default="", repr=False)
    missing: frozenset[str] = frozenset()
    null: frozenset[str] = frozenset()

    @property
    def full_name(self) -> str:
        """Both names with a space between them."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Holder:
    """Who a card is bound to (rule 30)."""

    kind: HolderKind
    id: str


@dataclass(frozen=True)
class Card:
    """A card (§10.2). ``nfc_id`` is its raw number in hex, as it was imported.

    ``condition`` is set by hand in the console: ``""``, ``disable``, ``deleted`` or ``loss``.
    """

    token: str = field(repr=False)
    nfc_id: str = field(repr=False)
    display_id: str
    alias: str = field(default="", repr=False)
    card_type: str = "id_card"
    holder: Holder | None = None
    condition: str = ""

    @property
    def number(self) -> int:
        """The raw number as a reader compares it, without leading zeros or letter case (C7)."""
        return int(self.nfc_id, 16)

    @property
    def status(self) -> str:
        """``assigned`` or ``pending`` (free), unless the console says otherwise."""
        return self.condition or ("assigned" if self.holder else "pending")


@dataclass(frozen=True)
class Door:
    """A door and the hub that decides for it."""

    id: str
    name: str
    hub: str = "hub"


@dataclass(frozen=True)
class DoorGroup:
    """Doors under one name; the name is unique (rule 29)."""

    id: str
    name: str
    door_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hours:
    """A part of a day, ``HH:MM:SS`` to ``HH:MM:SS``, both included (§5)."""

    start: str
    end: str


@dataclass(frozen=True)
class Schedule:
    """When a policy applies: always (``weekly`` None), or in those hours of each day.

    On a date of ``holidays`` (``YYYY-MM-DD``) only ``holiday_hours`` count. The site's time is UTC.
    """

    id: str
    name: str
    weekly: Mapping[str, tuple[Hours, ...]] | None = None
    holidays: frozenset[str] = frozenset()
    holiday_hours: tuple[Hours, ...] = ()
    is_default: bool = False


@dataclass(frozen=True)
class Resource:
    """A door or a door group that a policy or a visit covers."""

    id: str
    type: ResourceKind


@dataclass(frozen=True)
class Policy:
    """An access policy (§9.1); the flag for everyone shows in no row of it."""

    id: str
    name: str
    resources: tuple[Resource, ...] = ()
    schedule_id: str = ""
    applies_to_everyone: bool = False


@dataclass(frozen=True)
class Group:
    """A user group with policies of its own; members of a subgroup are members too (§7)."""

    id: str
    name: str
    policy_ids: tuple[str, ...] = ()
    member_ids: frozenset[str] = frozenset()
    parent_id: str = ""


@dataclass(frozen=True)
class Visitor:
    """A visit from ``start_time`` to ``end_time``, epoch seconds (§8.0).

    ``weekly`` None is a one-time visit; else only those hours inside the window count.
    """

    id: str
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    start_time: int
    end_time: int
    email: str = field(default="", repr=False)
    visit_reason: str = "Others"
    remarks: str = field(default="", repr=False)
    resources: tuple[Resource, ...] = ()
    weekly: Mapping[str, tuple[Hours, ...]] | None = None
    arrived: bool = False
    cancelled: bool = False

    def status_at(self, now: float) -> str:
        """The status of rule 47 at `now`, epoch seconds."""
        if self.cancelled:
            return "CANCELLED"
        if now < self.start_time:
            return "UPCOMING"
        if now < self.end_time:
            return "VISITING" if self.arrived else "ACTIVE"
        return "VISITED" if self.arrived else "NO_VISIT"


@dataclass(frozen=True)
class ApiToken:
    """An API token: its scopes (§1.4), when it expires (epoch seconds), how many uses are left."""

    secret: str = field(repr=False)
    name: str = "token"
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = None
    uses_left: int | None = None


@dataclass(frozen=True)
class Mail:
    """A mail that the console would have sent to a person (rule 23)."""

    user_id: str
    address: str = field(repr=False)
    kind: Literal["welcome", "invitation"]


@dataclass(frozen=True)
class Tap:
    """A card held to a door (rule 53): when (epoch seconds), where, whose it was, what came of it.

    ``holder`` is None for a card that the door does not know, or that belongs to nobody.
    """

    at: float
    door: Door
    number: int = field(repr=False)
    token: str = field(default="", repr=False)
    holder: Holder | None = None
    holder_name: str = field(default="", repr=False)
    opened: bool = False
    message: str = ""


Record = User | Card | Door | DoorGroup | Schedule | Policy | Group | Visitor

"""The format of seed files: a world written down as JSON.

A seed is a JSON object; every key is optional, and so is every key of an entry but the names::

    {"seed": 7,                               decides every id that is not given
     "doors":       [{"name": "Front", "id": "…", "hub": "hub"}],
     "door_groups": [{"name": "Workshop", "id": "…", "doors": ["Front"]}],
     "schedules":   [{"name": "Evenings", "id": "…", "weekly": {"monday": [{"start": "18:00:00",
                      "end": "22:59:59"}]}, "holidays": ["2026-12-25"], "holiday_hours": []}],
     "policies":    [{"name": "Members", "id": "…", "doors": ["Front"], "door_groups": [],
                      "schedule": "Always Access", "everyone": false}],
     "users":       [{"first_name": "Ann", "last_name": "Lee", "id": "…", "employee_number": "42",
                      "user_email": "", "email": "", "status": "ACTIVE", "policies": ["Members"],
                      "onboard_time": 0, "is_admin": false, "pin_token": "", "missing": [],
                      "null": [], "cards": [CARD]}],
     "visitors":    [{"first_name": "Vic", "last_name": "Tor", "id": "…", "start_time": 1790000000,
                      "end_time": 1790003600, "doors": ["Front"], "door_groups": [],
                      "weekly": null, "cards": [CARD], "arrived": false, "cancelled": false,
                      "email": "", "visit_reason": "Others", "remarks": ""}],
     "groups":      [{"name": "Staff", "id": "…", "policies": ["Members"], "members": ["USER ID"],
                      "parent": "GROUP ID"}],
     "cards":       [CARD],                   free ones, or of a holder that is gone
     "hidden_admins": ["owner@example.org"],  addresses that are taken though no list shows them
     "tokens":      [{"secret": "…", "name": "sync", "scopes": ["edit:user"], "expires_at": null}],
     "door_delay_seconds": 0,
     "switches":    {"unbind": "both"}}       fields of Switches

A CARD is ``{"facility": 42, "number": 1234}`` or ``{"nfc_id": "2A04D2"}``, with ``alias``,
``token``, ``display_id``, ``card_type``, ``condition``, and ``holder`` for a holder that is gone.
Doors, door groups, schedules and policies are named by id or by name, a name only if it is unique.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from door_sync.simulators.unifi.site import SCOPES


class _Entry(BaseModel):
    # Seeds hold names and numbers; what is wrong with one is said without repeating it.
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class PlaceEntry(_Entry):
    """What has a name, and an id that may be left to the seed."""

    name: str
    id: str | None = None


class HoursEntry(_Entry):
    """A part of a day, ``HH:MM:SS``, both ends included."""

    start: str = Field(pattern=r"^\d\d:\d\d:\d\d$")
    end: str = Field(pattern=r"^\d\d:\d\d:\d\d$")


Weekly = dict[str, list[HoursEntry]]


class DoorEntry(PlaceEntry):
    """A door."""

    hub: str = "hub"


class DoorGroupEntry(PlaceEntry):
    """Doors under one name."""

    doors: list[str] = []


class ScheduleEntry(PlaceEntry):
    """Hours of the week; null is always."""

    weekly: Weekly | None = None
    holidays: list[str] = []
    holiday_hours: list[HoursEntry] = []
    is_default: bool = False


class PolicyEntry(PlaceEntry):
    """An access policy."""

    doors: list[str] = []
    door_groups: list[str] = []
    schedule: str | None = None
    everyone: bool = False


class HolderEntry(_Entry):
    """Whom a card is bound to, where that is nobody in the seed."""

    kind: Literal["USER", "VISITOR"]
    id: str


class CardEntry(_Entry):
    """A card, by facility and number or by its raw number."""

    facility: int | None = None
    number: int | None = None
    nfc_id: str | None = None
    alias: str = ""
    token: str | None = None
    display_id: str | None = None
    card_type: str = "id_card"
    condition: str = ""
    holder: HolderEntry | None = None


class PersonEntry(_Entry):
    """Somebody with cards."""

    first_name: str
    last_name: str
    id: str | None = None
    cards: list[CardEntry] = []


class UserEntry(PersonEntry):
    """A user with its cards."""

    user_email: str = ""
    email: str = ""
    employee_number: str = ""
    onboard_time: int = 0
    status: str = "ACTIVE"
    policies: list[str] = []
    is_admin: bool = False
    pin_token: str = ""
    missing: list[str] = []
    null: list[str] = []


class VisitorEntry(PersonEntry):
    """A visit with its cards."""

    start_time: int
    end_time: int
    doors: list[str] = []
    door_groups: list[str] = []
    weekly: Weekly | None = None
    email: str = ""
    visit_reason: str = "Others"
    remarks: str = ""
    arrived: bool = False
    cancelled: bool = False


class GroupEntry(PlaceEntry):
    """A user group; members and parent by id."""

    policies: list[str] = []
    members: list[str] = []
    parent: str = ""


class TokenEntry(_Entry):
    """An API token; without scopes named it has all of them."""

    secret: str
    name: str = "token"
    scopes: list[str] = Field(default_factory=lambda: sorted(SCOPES))
    expires_at: float | None = None
    uses_left: int | None = None


class SeedDocument(_Entry):
    """The whole seed."""

    seed: int = 0
    doors: list[DoorEntry] = []
    door_groups: list[DoorGroupEntry] = []
    schedules: list[ScheduleEntry] = []
    policies: list[PolicyEntry] = []
    users: list[UserEntry] = []
    visitors: list[VisitorEntry] = []
    groups: list[GroupEntry] = []
    cards: list[CardEntry] = []
    hidden_admins: list[str] = []
    tokens: list[TokenEntry] = []
    door_delay_seconds: float = 0.0
    switches: dict[str, Any] = {}

"""The rows of CiviCRM's tables, as far as a member sync can see them.

No record prints anything but its kind and its id: names, addresses and card numbers stay out of
every message (P12).
"""

import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Self

ContactType = Literal["Individual", "Organization", "Household"]
DataType = Literal["String", "Text", "Integer", "Float", "Boolean", "Date"]
DurationUnit = Literal["day", "month", "year", "lifetime"]
DateEvent = Literal["join_date", "start_date", "end_date"]

Custom = dict[int, object]
"""Custom values of one record, by the id of the custom field."""


@dataclass(repr=False, eq=False)
class Record:
    """A row with its number."""

    id: int

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id})"

    def clone(self) -> Self:
        """Return a copy that shares nothing which could change."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | set):
                setattr(twin, name, value.copy())
        return twin


@dataclass(repr=False, eq=False)
class Contact(Record):
    """A person, an organization or a household."""

    contact_type: ContactType = "Individual"
    first_name: str | None = None
    last_name: str | None = None
    organization_name: str | None = None
    household_name: str | None = None
    prefix_id: int | None = None
    suffix_id: int | None = None
    display_name: str = ""
    sort_name: str = ""
    hash: str | None = None
    api_key: str | None = None
    is_deceased: bool = False
    deceased_date: date | None = None
    is_deleted: bool = False
    created_date: datetime | None = None
    modified_date: datetime | None = None
    email_primary: int | None = None
    merged_into: int | None = None
    custom: Custom = field(default_factory=dict)


@dataclass(repr=False, eq=False)
class Email(Record):
    """An e-mail address of a contact."""

    contact_id: int
    email: str
    is_primary: bool = True
    location_type_id: int = 1
    on_hold: int = 0


@dataclass(repr=False, eq=False)
class MembershipType(Record):
    """What can be bought. `name` identifies it, `title` is what an administrator retitles."""

    name: str
    title: str
    duration_unit: DurationUnit = "year"
    duration_interval: int = 1
    weight: int = 1
    is_active: bool = True
    member_of_contact_id: int | None = None


@dataclass(repr=False, eq=False)
class MembershipStatus(Record):
    """A state of a membership, with the dates between which the status job gives it (§7)."""

    name: str
    label: str
    start_event: DateEvent | None = None
    start_event_adjust_unit: DurationUnit | None = None
    start_event_adjust_interval: int | None = None
    end_event: DateEvent | None = None
    end_event_adjust_unit: DurationUnit | None = None
    end_event_adjust_interval: int | None = None
    is_current_member: bool = False
    is_admin: bool = False
    weight: int = 1
    is_default: bool = False
    is_active: bool = True
    is_reserved: bool = False


@dataclass(repr=False, eq=False)
class Membership(Record):
    """A membership. Its status is stored, not computed; it carries no date of change (§7)."""

    contact_id: int
    membership_type_id: int
    status_id: int
    join_date: date | None = None
    start_date: date | None = None
    end_date: date | None = None
    source: str | None = None
    is_override: bool = False
    status_override_end_date: date | None = None
    owner_membership_id: int | None = None
    is_test: bool = False
    custom: Custom = field(default_factory=dict)


@dataclass(repr=False, eq=False)
class CustomGroup(Record):
    """A set of custom fields; `name` is the first half of their API names."""

    name: str
    title: str
    extends: Literal["Contact", "Individual", "Organization", "Membership"] = "Individual"
    is_multiple: bool = False
    is_active: bool = True

    @property
    def table_name(self) -> str:
        """The database table that holds the values."""
        return f"civicrm_value_{self.name.lower()}_{self.id}"


@dataclass(repr=False, eq=False)
class CustomField(Record):
    """A custom field; `options` maps stored values to labels, for a field with choices."""

    custom_group_id: int
    name: str
    label: str
    data_type: DataType = "String"
    is_list: bool = False
    is_active: bool = True
    options: dict[str, str] | None = None

    @property
    def column_name(self) -> str:
        """The database column that holds the values."""
        return f"{self.name.lower()}_{self.id}"

    @property
    def html_type(self) -> str:
        """The kind of input a person fills in."""
        if self.is_list:
            return "CheckBox"
        kinds = {"Text": "TextArea", "Boolean": "Radio", "Date": "Select Date"}
        return "Select" if self.options else kinds.get(self.data_type, "Text")


@dataclass(repr=False, eq=False)
class CustomRecord(Record):
    """One record of a group that allows several per contact."""

    custom_group_id: int
    entity_id: int
    values: Custom = field(default_factory=dict)


@dataclass(repr=False, eq=False)
class Group(Record):
    """A group of contacts; a contact ACL shows one group to a role (§7 of the versions sheet)."""

    name: str
    title: str
    members: set[int] = field(default_factory=set)


@dataclass(repr=False, eq=False)
class Job(Record):
    """A scheduled job. Only an administrator can see whether it runs (§7)."""

    name: str
    api_action: str
    run_frequency: str = "Daily"
    is_active: bool = False
    last_run: datetime | None = None
    last_run_end: datetime | None = None


@dataclass(repr=False, eq=False)
class JobLogEntry(Record):
    """One line of the scheduled jobs' log."""

    run_time: datetime
    description: str
    job_id: int | None = None
    name: str | None = None
    command: str | None = None


@dataclass(repr=False, eq=False)
class Key(Record):
    """What stands behind an API key: the contact it belongs to, and that contact's CMS user.

    `permissions` are those of the user's role; `acl_group` is the one group that a contact ACL
    shows to it. Without a CMS user a key gets no further than anonymous rights (§2.1).
    """

    role: str
    contact_id: int
    permissions: set[str] = field(default_factory=set)
    acl_group: str | None = None
    has_user: bool = True

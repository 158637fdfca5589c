"""Contacts of CiviCRM, and what decides about their access."""

from dataclasses import dataclass, field
from datetime import date
from typing import NewType

from door_sync.core.cards import BadCard, CardNumber

ContactId = NewType("ContactId", int)
"""A person in CiviCRM, positive; the only key between the two systems (design.md §2)."""


@dataclass(frozen=True, slots=True)
class MembershipType:
    """A kind of membership: its id, machine name and the label that people read."""

    id: int
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Membership:
    """One membership. Its status is what CiviCRM stored, whatever the dates say.

    `end_date` is None for a lifetime. `is_override` means that a person fixed the status by hand
    (CiviCRM sheet §7).
    """

    id: int
    type: MembershipType
    status: str
    end_date: date | None
    is_override: bool = False
    is_test: bool = False
    start_date: date | None = None
    """Not asked for in a cycle, where nothing depends on it."""


@dataclass(frozen=True, slots=True)
class Member:
    """A contact with what decides about access. Its `repr` shows the contact id alone (P12).

    `card` is None where the field is empty. The names are as CiviCRM holds them, blanks included.
    """

    contact_id: ContactId
    first_name: str = field(repr=False, default="")
    last_name: str = field(repr=False, default="")
    display_name: str = field(repr=False, default="")
    email: str = field(repr=False, default="")
    card: CardNumber | BadCard | None = field(repr=False, default=None)
    memberships: tuple[Membership, ...] = field(repr=False, default=())
    is_deceased: bool = field(repr=False, default=False)
    is_deleted: bool = field(repr=False, default=False)


@dataclass(frozen=True, slots=True)
class PersonInFull:
    """A contact with every membership it ever had: lapsed, pending, and test ones too.

    `member` holds only those whose status counts, as a cycle reads them.
    """

    member: Member
    memberships: tuple[Membership, ...]


def contact_of(employee_number: str) -> ContactId | None:
    """Return the contact that a user's `employee_number` names, or None for an unmanaged user.

    Managed is a canonical positive decimal alone (design.md §2): `042`, `4 2` and `n/a` are not.
    """
    digits = employee_number.isascii() and employee_number.isdigit()
    if not digits or employee_number.startswith("0") or len(employee_number) > 18:
        return None
    return ContactId(int(employee_number))

"""The names that are written to the controller (R2).

Comparison is made on what would be written, so that one-word names, doubled blanks and other
habits of either side cause no write in the second cycle (P8).
"""

import unicodedata
from dataclasses import dataclass, field

from door_sync.core.controller import User
from door_sync.core.people import Member

NO_LAST_NAME = "—"
"""What stands for a last name that nobody has; the controller refuses an empty one (§6.0)."""


@dataclass(frozen=True, slots=True)
class PersonName:
    """A first and a last name, neither empty. `is_invented` if CiviCRM knows no name at all."""

    first: str = field(repr=False)
    last: str = field(repr=False)
    is_invented: bool = False


def tidy(text: str) -> str:
    """Return the text in one Unicode form, without blanks at its ends and none doubled."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def name_of(member: Member) -> PersonName:
    """Given a contact, return the name to write: first and last, else from the display name (R2).

    CiviCRM shows the e-mail address as display name of somebody without a name (CiviCRM sheet
    §4.2); that is no name and is not written on a door's screen.
    """
    first, last = tidy(member.first_name), tidy(member.last_name)
    if first and last:
        return PersonName(first, last)
    shown = tidy(member.display_name)
    if shown and shown.casefold() != tidy(member.email).casefold():
        head, _, tail = shown.rpartition(" ")
        return PersonName(head, tail) if head else PersonName(tail, NO_LAST_NAME)
    if first or last:
        return PersonName(first or last, NO_LAST_NAME)
    return PersonName("Contact", str(member.contact_id), is_invented=True)


def is_nameless(member: Member) -> bool:
    """Say whether CiviCRM knows no name at all, so that one is invented."""
    if member.first_name.strip() or member.last_name.strip():
        return False
    return name_of(member).is_invented


def name_to_write(member: Member, user: User) -> PersonName | None:
    """Return the name to write to this user, or None where the controller shows it already."""
    first, last = member.first_name, member.last_name
    if first.strip() and last.strip() and (user.first_name, user.last_name) == (first, last):
        return None  # as nearly everywhere: nothing to bring into one form
    name = name_of(member)
    shown = (tidy(user.first_name), tidy(user.last_name))
    return None if shown == (name.first, name.last) else name

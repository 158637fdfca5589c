"""The membership secretary's hands on people: names, addresses, cards, trash, merges, deaths."""

from datetime import date
from typing import Any

from door_sync.simulators.civicrm.custom_values import store
from door_sync.simulators.civicrm.records import (
    Contact,
    ContactType,
    Custom,
    CustomRecord,
    Email,
)
from door_sync.simulators.civicrm.structure_desk import StructureDesk
from door_sync.simulators.civicrm.tables import RefusedChange, by_name

PREFIXES = {1: "Mrs.", 2: "Ms.", 3: "Mr.", 4: "Dr."}
SUFFIXES = {1: "Jr.", 2: "Sr.", 3: "II", 4: "III"}
LOCATIONS = {1: "Home", 2: "Work", 3: "Main", 4: "Other", 5: "Billing"}

_NAME_PARTS = frozenset(
    {"first_name", "last_name", "organization_name", "household_name", "prefix_id", "suffix_id"}
)


class ContactDesk(StructureDesk):
    """Work on contacts. Every method raises LookupError for an id that does not exist."""

    card_field = "Door_Access.card_id"
    """The custom field that `set_card` and `clear_card` write, by its API name."""

    def add_contact(
        self,
        first_name: str | None = None,
        last_name: str | None = None,
        *,
        email: str | None = None,
        card: object = None,
        contact_type: ContactType = "Individual",
        organization_name: str | None = None,
        prefix: str | None = None,
        suffix: str | None = None,
        contact_id: int | None = None,
    ) -> int:
        """Create a contact and return its id.

        Raises RefusedChange for a card that the field cannot hold; the contact exists then
        nevertheless, without a card (§5 of the versions sheet).
        """
        with self.lock:
            number = self._next_id("contacts", contact_id)
            now = self.now()
            self.contacts[number] = Contact(
                id=number,
                contact_type=contact_type,
                first_name=first_name,
                last_name=last_name,
                organization_name=organization_name if contact_type == "Organization" else None,
                household_name=organization_name if contact_type == "Household" else None,
                prefix_id=_key_of(PREFIXES, prefix),
                suffix_id=_key_of(SUFFIXES, suffix),
                hash=f"{number * 0x9E3779B97F4A7C15 % 2**128:032x}",
                created_date=now,
                modified_date=now,
            )
            self._rename(self.contacts[number])
            if email is not None:
                self.add_email(number, email, primary=True)
            self.acl_cache.clear()  # creating any contact refreshes the cached ACL views
            if card is not None:
                self.set_card(number, card)
            return number

    def set_name(self, contact_id: int, **parts: str | None) -> None:
        """Change parts of a name: `first_name`, `last_name`, `organization_name`, `prefix` …"""
        with self.lock:
            contact = self.contact(contact_id)
            for part, value in parts.items():
                if part == "prefix":
                    contact.prefix_id = _key_of(PREFIXES, value)
                elif part == "suffix":
                    contact.suffix_id = _key_of(SUFFIXES, value)
                elif part in _NAME_PARTS:
                    setattr(contact, part, value)
                else:
                    raise TypeError(f"{part} is no part of a name")
            self._rename(contact)
            self._touch(contact)

    def add_email(
        self, contact_id: int, address: str, *, primary: bool = False, location: str = "Home"
    ) -> int:
        """Add an address, stored in lower case as CiviCRM does (§4.2); return its id."""
        with self.lock:
            contact = self.contact(contact_id)
            number = self._next_id("emails")
            first = contact.email_primary is None
            self.emails[number] = Email(
                id=number,
                contact_id=contact_id,
                email=address.lower(),
                is_primary=primary or first,
                location_type_id=_key_of(LOCATIONS, location) or 1,
            )
            if primary or first:
                self._make_primary(contact, number)
            self._touch(contact)
            return number

    def set_email(self, contact_id: int, address: str | None) -> None:
        """Replace the primary address; None removes every address."""
        with self.lock:
            contact = self.contact(contact_id)
            if address is None:
                contact.email_primary = None
                self._forget(self.emails, contact_id)
            elif contact.email_primary is not None:
                self.emails[contact.email_primary].email = address.lower()
            else:
                self.add_email(contact_id, address, primary=True)
            self._rename(contact)
            self._touch(contact)

    def set_card(self, contact_id: int, card: object) -> None:
        """Write the card field; raise RefusedChange if its data type cannot hold `card`."""
        self.set_custom(contact_id, self.card_field, card)

    def clear_card(self, contact_id: int) -> None:
        """Empty the card field."""
        self.set_custom(contact_id, self.card_field, None)

    def set_custom(self, contact_id: int, name: str, value: object, *, raw: bool = False) -> None:
        """Write the custom field `name` (``Group.field``).

        With `raw` the value reaches the table unchanged, as by SQL: an empty string stays one.
        """
        with self.lock:
            contact = self.contact(contact_id)
            group, field = self.custom_field(name)
            if group.is_multiple:
                raise RefusedChange(f"{group.name} allows several records; use add_custom_record")
            store(contact.custom, field, value, raw=raw)
            self._touch(contact)

    def add_custom_record(self, contact_id: int, group_name: str, **values: object) -> int:
        """Add a record to a group that allows several per contact; return its id."""
        with self.lock:
            group = by_name(self.custom_groups.values(), group_name)
            if not group.is_multiple:
                raise RefusedChange(f"{group_name} allows one record only; use set_custom")
            stored: Custom = {}
            for name, value in values.items():
                store(stored, self.custom_field(f"{group_name}.{name}")[1], value)
            number = self._next_id("custom_records")
            contact = self.contact(contact_id)
            self.custom_records[number] = CustomRecord(number, group.id, contact_id, stored)
            self._touch(contact)
            return number

    def trash(self, contact_id: int) -> None:
        """Move a contact to the trash: custom values, addresses, memberships stay (§11)."""
        self._mark(contact_id, is_deleted=True)

    def restore_contact(self, contact_id: int) -> None:
        """Take a contact out of the trash."""
        self._mark(contact_id, is_deleted=False)

    def delete(self, contact_id: int) -> None:
        """Delete a contact for good, with everything that hangs on it (§11)."""
        with self.lock:
            del self.contacts[self.contact(contact_id).id]
            for table in (self.emails, self.memberships):
                self._forget(table, contact_id)
            for number in [n for n, r in self.custom_records.items() if r.entity_id == contact_id]:
                del self.custom_records[number]
            for group in self.groups.values():
                group.members.discard(contact_id)

    def merge(self, survivor_id: int, duplicate_id: int) -> None:
        """Merge a duplicate into the survivor (§11).

        Memberships move with their ids, what is empty on the survivor is filled, and the loser
        goes to the trash with its card and its addresses still on it.
        """
        with self.lock:
            survivor, duplicate = self.contact(survivor_id), self.contact(duplicate_id)
            if survivor is duplicate:
                raise RefusedChange("a contact cannot be merged into itself")
            for membership in self.memberships.values():
                if membership.contact_id == duplicate_id:
                    membership.contact_id = survivor_id
            for field_id, value in duplicate.custom.items():
                if survivor.custom.get(field_id) is None:
                    survivor.custom[field_id] = value
            for part in sorted(_NAME_PARTS):
                if getattr(survivor, part) is None:
                    setattr(survivor, part, getattr(duplicate, part))
            self._rename(survivor)
            self._touch(survivor)
            duplicate.is_deleted = True
            duplicate.merged_into = survivor_id
            self._touch(duplicate)

    def mark_deceased(
        self, contact_id: int, *, on: date | None = None, in_table_only: bool = False
    ) -> None:
        """Record a death: memberships become Deceased at once (§11 of the versions sheet).

        With `in_table_only` (an import, SQL) they keep their status until the job runs.
        """
        with self.lock:
            contact = self.contact(contact_id)
            contact.is_deceased = True
            contact.deceased_date = on
            self._touch(contact)
            if not in_table_only:
                status = by_name(self.membership_statuses.values(), "Deceased")
                for membership in self.memberships.values():
                    if membership.contact_id == contact_id:
                        membership.status_id = status.id

    def contact(self, contact_id: int) -> Contact:
        """Return a contact; raise LookupError if there is none."""
        if contact_id not in self.contacts:
            raise LookupError(f"no contact {contact_id}")
        return self.contacts[contact_id]

    def contact_ids(self) -> list[int]:
        """Return the ids of all contacts, trashed ones too, in order."""
        with self.lock:
            return sorted(self.contacts)

    def _mark(self, contact_id: int, *, is_deleted: bool) -> None:
        with self.lock:
            contact = self.contact(contact_id)
            contact.is_deleted = is_deleted
            self._touch(contact)

    def _touch(self, contact: Contact) -> None:
        contact.modified_date = self.now()

    def _make_primary(self, contact: Contact, email_id: int) -> None:
        if contact.email_primary is not None:
            self.emails[contact.email_primary].is_primary = False
        contact.email_primary = email_id
        self._rename(contact)

    def _rename(self, contact: Contact) -> None:
        """Compute display and sort name as §4.2 says."""
        if contact.contact_type != "Individual":
            name = (contact.organization_name or contact.household_name or "").strip()
            contact.display_name = contact.sort_name = name
            return
        first, last = contact.first_name or "", contact.last_name or ""
        suffix = SUFFIXES.get(contact.suffix_id or 0, "")
        if not first and not last:
            email = self.emails.get(contact.email_primary or 0)
            contact.display_name = contact.sort_name = email.email if email else ""
            return
        parts = (PREFIXES.get(contact.prefix_id or 0, ""), first, last, suffix)
        contact.display_name = " ".join(part for part in parts if part).strip()
        surname_first = ", ".join(part for part in (last, first) if part)
        contact.sort_name = f"{surname_first} {suffix}".strip()

    @staticmethod
    def _forget(table: dict[int, Any], contact_id: int) -> None:
        for number in [n for n, row in table.items() if row.contact_id == contact_id]:
            del table[number]


def _key_of(names: dict[int, str], name: str | None) -> int | None:
    if name is None:
        return None
    for number, known in names.items():
        if known == name:
            return number
    raise LookupError(f"no such choice: {name}")

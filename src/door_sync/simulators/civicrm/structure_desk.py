"""The administrator's hands on the site's structure: types, statuses, custom groups and fields."""

from typing import Literal

from door_sync.simulators.civicrm.records import (
    CustomField,
    CustomGroup,
    DataType,
    DurationUnit,
    MembershipStatus,
    MembershipType,
)
from door_sync.simulators.civicrm.tables import Tables, by_name


class StructureDesk(Tables):
    """Work on what memberships and custom values are made of (§6 of the versions sheet)."""

    def add_type(
        self,
        name: str,
        *,
        title: str | None = None,
        duration_unit: DurationUnit = "year",
        duration_interval: int = 1,
        is_active: bool = True,
        member_of_contact_id: int | None = None,
    ) -> int:
        """Create a membership type and return its id."""
        with self.lock:
            number = self._next_id("membership_types")
            self.membership_types[number] = MembershipType(
                id=number,
                name=name,
                title=title or name,
                duration_unit=duration_unit,
                duration_interval=duration_interval,
                weight=number,
                is_active=is_active,
                member_of_contact_id=member_of_contact_id,
            )
            return number

    def rename_type(self, name: str, new_name: str) -> None:
        """Change a type's name: ``:name`` and ``.name`` change at once, filters on the old fail."""
        with self.lock:
            by_name(self.membership_types.values(), name).name = new_name

    def retitle_type(self, name: str, title: str) -> None:
        """Change a type's title: only ``:label`` and ``.title`` change."""
        with self.lock:
            by_name(self.membership_types.values(), name).title = title

    def set_type_active(self, name: str, active: bool) -> None:
        """Switch a type on or off; existing memberships keep resolving and matching."""
        with self.lock:
            by_name(self.membership_types.values(), name).is_active = active

    def add_status(
        self, name: str, *, is_current_member: bool = False, label: str | None = None
    ) -> int:
        """Create a membership status that people set by hand; return its id."""
        with self.lock:
            number = self._next_id("membership_statuses")
            self.membership_statuses[number] = MembershipStatus(
                id=number,
                name=name,
                label=label or name,
                is_current_member=is_current_member,
                weight=number,
            )
            return number

    def rename_status(self, name: str, new_name: str) -> None:
        """Change a status's name."""
        with self.lock:
            by_name(self.membership_statuses.values(), name).name = new_name

    def relabel_status(self, name: str, label: str) -> None:
        """Change a status's label: ``:label`` changes, ``:name`` stays."""
        with self.lock:
            by_name(self.membership_statuses.values(), name).label = label

    def set_status_active(self, name: str, active: bool) -> None:
        """Switch a status on or off; existing memberships keep it."""
        with self.lock:
            by_name(self.membership_statuses.values(), name).is_active = active

    def add_custom_group(
        self,
        name: str,
        *,
        title: str | None = None,
        extends: Literal["Contact", "Individual", "Organization", "Membership"] = "Individual",
        is_multiple: bool = False,
    ) -> int:
        """Create a custom group; with `is_multiple` it takes several records per contact."""
        with self.lock:
            number = self._next_id("custom_groups")
            self.custom_groups[number] = CustomGroup(
                id=number,
                name=name,
                title=title or name.replace("_", " "),
                extends=extends,
                is_multiple=is_multiple,
            )
            return number

    def add_custom_field(
        self,
        group_name: str,
        name: str,
        *,
        label: str | None = None,
        data_type: DataType = "String",
        is_list: bool = False,
        options: dict[str, str] | None = None,
    ) -> int:
        """Create a custom field and return its id; `options` maps stored values to labels."""
        with self.lock:
            group = by_name(self.custom_groups.values(), group_name)
            number = self._next_id("custom_fields")
            self.custom_fields[number] = CustomField(
                id=number,
                custom_group_id=group.id,
                name=name,
                label=label or name.replace("_", " ").capitalize(),
                data_type=data_type,
                is_list=is_list,
                options=options,
            )
            return number

    def set_group_active(self, group_name: str, active: bool) -> None:
        """Switch a custom group on or off: its fields become unreadable without any error."""
        with self.lock:
            by_name(self.custom_groups.values(), group_name).is_active = active

    def retitle_group(self, group_name: str, title: str) -> None:
        """Change a custom group's title; API names stay."""
        with self.lock:
            by_name(self.custom_groups.values(), group_name).title = title

    def set_field_active(self, name: str, active: bool) -> None:
        """Switch the custom field ``Group.field`` on or off."""
        with self.lock:
            self.custom_field(name)[1].is_active = active

    def relabel_field(self, name: str, label: str) -> None:
        """Change the label of the custom field ``Group.field``; its API name stays."""
        with self.lock:
            self.custom_field(name)[1].label = label

    def drop_field(self, name: str) -> None:
        """Delete the custom field ``Group.field`` with its values."""
        with self.lock:
            field = self.custom_field(name)[1]
            del self.custom_fields[field.id]
            for contact in self.contacts.values():
                contact.custom.pop(field.id, None)
            for membership in self.memberships.values():
                membership.custom.pop(field.id, None)

    def custom_field(self, name: str) -> tuple[CustomGroup, CustomField]:
        """Return group and field for ``Group.field``; raise LookupError if there is none."""
        group_name, _, field_name = name.partition(".")
        group = by_name(self.custom_groups.values(), group_name)
        fields = (row for row in self.custom_fields.values() if row.custom_group_id == group.id)
        return group, by_name(fields, field_name)

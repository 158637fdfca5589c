"""Who asks, and what exists for them: entities, fields, contacts, choices (§8 of the sheet)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from door_sync.simulators.civicrm.columns import Field
from door_sync.simulators.civicrm.options import LISTS, Options, custom_options
from door_sync.simulators.civicrm.permissions import (
    ANONYMOUS,
    CUSTOM_DATA,
    DEBUG,
    DELETED,
    VIEW_ALL,
)
from door_sync.simulators.civicrm.records import CustomField, CustomGroup
from door_sync.simulators.civicrm.schema import (
    ADMINISTRATORS,
    ENTITIES,
    Entity,
    Table,
    record_entity,
)
from door_sync.simulators.civicrm.switches import Switches
from door_sync.simulators.civicrm.world import World


@dataclass(frozen=True)
class Session:
    """Whom a request was let in as; without a contact it is nobody (§2.3)."""

    role: str = "anonymous"
    permissions: frozenset[str] = ANONYMOUS
    contact_id: int | None = None
    acl_group: str | None = None

    @property
    def sees_debug(self) -> bool:
        """Whether errors are told openly."""
        return DEBUG in self.permissions

    @property
    def administers(self) -> bool:
        """Whether this is an administrator."""
        return any(right in self.permissions for right in ADMINISTRATORS)


@dataclass
class Scope:
    """One request's view of the site. Used while the world's lock is held."""

    world: World
    session: Session
    switches: Switches
    _fields: dict[str, dict[str, Field]] = field(default_factory=dict)
    _options: dict[str, Options] = field(default_factory=dict)
    _tables: dict[str, Table] = field(default_factory=dict)

    def entity(self, name: str) -> Entity | None:
        """Return the entity of that name, in any case of letters; None if there is none."""
        for known in (*ENTITIES.values(), *self._record_entities()):
            if known.name.lower() == name.lower():
                if known.component == "CiviMember" and not self.switches.civimember:
                    return None
                return known
        return None

    def may_read(self, entity: Entity) -> bool:
        """Whether the key may call `get` on this entity."""
        if entity.administrators_only:
            return self.session.administers
        if entity.name == "CustomField" and self.switches.is_old:  # §1 of the versions sheet
            return self.session.administers
        return entity.rights <= self.session.permissions

    def may_join(self, entity: Entity) -> bool:
        """Whether a join to this entity is carried out; if not, it is dropped silently."""
        if entity.administrators_only:
            return self.session.administers
        return entity.join_rights <= self.session.permissions

    def table(self, entity: Entity) -> Table:
        """Return the entity's rows by id, whoever may see them."""
        if entity.name not in self._tables:
            self._tables[entity.name] = entity.table(self.world)
        return self._tables[entity.name]

    def fields(self, entity: Entity) -> dict[str, Field]:
        """Return every field of an entity that the key may read: columns, then custom fields."""
        if entity.name not in self._fields:
            columns = (each for each in entity.columns.values() if self._exists(each))
            readable = [each for each in columns if not self.is_forbidden(each)]
            # Extra fields come last, after the custom ones, as getFields lists them.
            stored = [each for each in readable if not each.extra]
            extra = [each for each in readable if each.extra]
            custom = self._custom_fields(entity)
            self._fields[entity.name] = {each.name: each for each in (*stored, *custom, *extra)}
        return self._fields[entity.name]

    def is_forbidden(self, column: Field) -> bool:
        """Whether this is a core field the key may not read (§5.3)."""
        return column.permission is not None and column.permission not in self.session.permissions

    def options(self, column: Field) -> Options | None:
        """Return the choices behind a field; None if it has none."""
        if column.choices is None:
            return column.options
        if column.choices not in self._options:
            made = LISTS[column.choices](self.world, self.switches.is_old)
            self._options[column.choices] = made
        return self._options[column.choices]

    def visible(self, entity: Entity) -> Callable[[Any], bool] | None:
        """Return the test that a row must pass to be seen by the key; None if all are seen."""
        if entity.name == "CustomField" and CUSTOM_DATA not in self.session.permissions:
            return lambda _row: False
        seen = self._visible_contact()
        contact_of = entity.contact_of
        if seen is None or contact_of is None:
            return None
        return lambda row: seen(contact_of(row))

    def multiple_groups(self) -> dict[str, CustomGroup]:
        """Return the groups with several records per contact that the key may read, by name."""
        if CUSTOM_DATA not in self.session.permissions:
            return {}
        return {
            g.name: g for g in self.world.custom_groups.values() if g.is_multiple and g.is_active
        }

    def _visible_contact(self) -> Callable[[int], bool] | None:
        session, contacts = self.session, self.world.contacts
        tests: list[Callable[[int], bool]] = []
        if VIEW_ALL not in session.permissions:
            view = self.world.acl_view(session.acl_group, cached=self.switches.stale_acl)
            tests.append(view.__contains__)
        if self.switches.narrowed_to is not None and not session.administers:
            tests.append(self.switches.narrowed_to.__contains__)
        if DELETED not in session.permissions:
            tests.append(lambda number: number in contacts and not contacts[number].is_deleted)
        if not tests:
            return None
        return lambda number: all(test(number) for test in tests)

    def _exists(self, column: Field) -> bool:
        return not (column.since_6 and self.switches.is_old)

    def _record_entities(self) -> list[Entity]:
        groups = self.world.custom_groups.values()
        return [record_entity(group) for group in groups if group.is_multiple and group.is_active]

    def _custom_fields(self, entity: Entity) -> list[Field]:
        if entity.custom == "none" or CUSTOM_DATA not in self.session.permissions:
            return []
        made = []
        for row in self.world.custom_fields.values():
            group = self.world.custom_groups[row.custom_group_id]
            if row.is_active and group.is_active and _belongs(group, entity):
                made.append(_custom_field(row, group, entity))
        return made


def _belongs(group: CustomGroup, entity: Entity) -> bool:
    if group.is_multiple:
        return entity.name == f"Custom_{group.name}"
    if entity.name.startswith("Custom_"):
        return False
    side = "membership" if group.extends == "Membership" else "contact"
    return side == entity.custom


def _custom_field(row: CustomField, group: CustomGroup, entity: Entity) -> Field:
    number = row.id
    in_records = entity.name.startswith("Custom_")
    plain = Field(
        name=row.name if in_records else f"{group.name}.{row.name}",
        data_type=row.data_type,
        read=(
            (lambda record: record.values.get(number))
            if in_records
            else (lambda record: record.custom.get(number))
        ),
        title=row.label,
        options=custom_options(row.options) if row.options else None,
        is_list=row.is_list,
        group=group,
        custom=row,
    )
    if row.data_type == "Float":
        return replace(plain, read=_whole_as_integer(plain.read))
    return plain


def _whole_as_integer(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """PHP writes 12345.0 as ``12345``."""

    def whole(record: Any) -> Any:
        value = read(record)
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return whole

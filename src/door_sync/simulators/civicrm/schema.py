"""What a field and an entity of APIv4 are, and the entities a member sync meets.

The columns themselves stand in `columns`. Rights are those observed in §2.3 and §8 of the sheet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from door_sync.simulators.civicrm import columns as c
from door_sync.simulators.civicrm.columns import Field
from door_sync.simulators.civicrm.permissions import (
    ACCESS_CIVICRM,
    ADMINISTER,
    CUSTOM_DATA,
    MEMBERS,
    SYSTEM,
)
from door_sync.simulators.civicrm.records import CustomGroup, Record
from door_sync.simulators.civicrm.tables import Tables

Table = Mapping[int, Any]
Side = Literal["contact", "membership", "none"]

ANYONE: Final[frozenset[str]] = frozenset()
_CIVI: Final = frozenset({ACCESS_CIVICRM})
_MEMBERS: Final = frozenset({ACCESS_CIVICRM, MEMBERS})


@dataclass(frozen=True)
class Entity:
    """An entity: its table, its columns, and who may read it.

    `rights` are asked for by `get`, `join_rights` by an explicit or implicit join, `meta_rights`
    by `getFields` and `getActions`. `contact_of` names the contact whose visibility decides about
    a row. `hidden_flag` is the column of the default filter (§4.6).
    """

    name: str
    table: Callable[[Tables], Table]
    columns: Mapping[str, Field]
    rights: frozenset[str] = ANYONE
    join_rights: frozenset[str] = ANYONE
    meta_rights: frozenset[str] = _CIVI
    contact_of: Callable[[Any], int] | None = None
    hidden_flag: str | None = None
    custom: Side = "none"
    component: str | None = None
    administrators_only: bool = False


def _named(fields: list[Field]) -> dict[str, Field]:
    return {each.name: each for each in fields}


def _only(contact_type: str) -> Callable[[Tables], Table]:
    def table(world: Tables) -> Table:
        return {n: row for n, row in world.contacts.items() if row.contact_type == contact_type}

    return table


_CONTACT = Entity(
    "Contact",
    lambda world: world.contacts,
    _named(c.CONTACT),
    contact_of=lambda row: int(row.id),
    hidden_flag="is_deleted",
    custom="contact",
)


def _member_entity(name: str, table: Callable[[Tables], Table], fields: list[Field]) -> Entity:
    return Entity(
        name,
        table,
        _named(fields),
        rights=_MEMBERS,
        join_rights=_MEMBERS,
        component="CiviMember",
    )


def _closed(name: str, table: Callable[[Tables], Table], fields: list[Field]) -> Entity:
    return Entity(name, table, _named(fields), administrators_only=True)


_DOMAIN = Record(1)

_ENTITIES: Final = (
    _CONTACT,
    replace(_CONTACT, name="Individual", table=_only("Individual")),
    replace(_CONTACT, name="Organization", table=_only("Organization")),
    replace(_CONTACT, name="Household", table=_only("Household")),
    Entity(
        "Email",
        lambda world: world.emails,
        _named(c.EMAIL),
        join_rights=_CIVI,  # `Email.get` itself asks for less than a join to it (§8, key nocivi)
        contact_of=lambda row: int(row.contact_id),
    ),
    replace(
        _member_entity("Membership", lambda world: world.memberships, c.MEMBERSHIP),
        contact_of=lambda row: int(row.contact_id),
        hidden_flag="is_test",
        custom="membership",
    ),
    _member_entity("MembershipType", lambda world: world.membership_types, c.MEMBERSHIP_TYPE),
    _member_entity(
        "MembershipStatus", lambda world: world.membership_statuses, c.MEMBERSHIP_STATUS
    ),
    Entity("CustomGroup", lambda world: world.custom_groups, _named(c.CUSTOM_GROUP)),
    Entity("CustomField", lambda world: world.custom_fields, _named(c.CUSTOM_FIELD)),
    Entity(
        "Group",
        lambda world: world.groups,
        _named(c.GROUP),
        rights=_CIVI,
        join_rights=_CIVI,
    ),
    _closed("Job", lambda world: world.jobs, c.JOB),
    _closed("JobLog", lambda world: world.job_log, c.JOB_LOG),
    _closed("Domain", lambda _world: {1: _DOMAIN}, c.DOMAIN),
    _closed("UFMatch", lambda world: world.keys, c.UF_MATCH),
)

ENTITIES: Final[Mapping[str, Entity]] = {each.name: each for each in _ENTITIES}
"""Every entity that is a table, by name."""

ADMINISTRATORS: Final = (ADMINISTER, SYSTEM)
"""Either of these opens what a read-only key is refused (rule 13)."""


def record_entity(group: CustomGroup) -> Entity:
    """Return the entity of a group that allows several records, ``Custom_GroupName``."""

    def table(world: Tables) -> Table:
        return {n: r for n, r in world.custom_records.items() if r.custom_group_id == group.id}

    return Entity(
        f"Custom_{group.name}",
        table,
        _named(c.CUSTOM_RECORD),
        rights=frozenset({CUSTOM_DATA}),
        join_rights=frozenset({CUSTOM_DATA}),
        contact_of=lambda row: int(row.entity_id),
        custom="contact",
    )

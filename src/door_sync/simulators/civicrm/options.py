"""The choices behind fields with a `:name` and a `:label` (§4.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from door_sync.simulators.civicrm.contact_desk import LOCATIONS, PREFIXES, SUFFIXES
from door_sync.simulators.civicrm.tables import Tables


@dataclass(frozen=True)
class Option:
    """One choice: the stored value, its machine name, its label."""

    id: object
    name: str
    label: str


Options = Mapping[object, Option]
"""Choices by stored value."""


def _fixed(names: Mapping[int, str]) -> Callable[[Tables, bool], Options]:
    options: Options = {number: Option(number, name, name) for number, name in names.items()}
    return lambda _world, _is_old: options


def _types(world: Tables, is_old: bool) -> Options:
    # On 5.77 a type has no title: name and label are one thing (§6 of the versions sheet).
    return {
        row.id: Option(row.id, row.name, row.name if is_old else row.title)
        for row in world.membership_types.values()
    }


def _statuses(world: Tables, _is_old: bool) -> Options:
    return {
        row.id: Option(row.id, row.name, row.label) for row in world.membership_statuses.values()
    }


def _custom_groups(world: Tables, _is_old: bool) -> Options:
    return {row.id: Option(row.id, row.name, row.title) for row in world.custom_groups.values()}


def _contact_types(_world: Tables, _is_old: bool) -> Options:
    kinds = ("Individual", "Household", "Organization")
    return {kind: Option(kind, kind, kind) for kind in kinds}


LISTS: Final[Mapping[str, Callable[[Tables, bool], Options]]] = {
    "membership_type": _types,
    "membership_status": _statuses,
    "custom_group": _custom_groups,
    "contact_type": _contact_types,
    "location_type": _fixed(LOCATIONS),
    "prefix": _fixed(PREFIXES),
    "suffix": _fixed(SUFFIXES),
}
"""Every list of choices by the name that a column gives it."""


def custom_options(choices: Mapping[str, str]) -> Options:
    """Return the choices of a custom field; names are made of labels (§5 of the versions sheet)."""
    return {
        value: Option(value, label.replace(" ", "_"), label) for value, label in choices.items()
    }

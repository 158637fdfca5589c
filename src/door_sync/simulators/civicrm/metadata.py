"""What the API tells about itself: `getFields`, `getActions`, `Entity.get` (§4.7)."""

import re
from typing import Any, Final

from door_sync.simulators.civicrm.columns import Field
from door_sync.simulators.civicrm.params import Params, known
from door_sync.simulators.civicrm.schema import ENTITIES, Entity
from door_sync.simulators.civicrm.scope import Scope

_INPUTS: Final = {
    "Integer": "Number",
    "Float": "Number",
    "Money": "Number",
    "Boolean": "CheckBox",
    "Date": "Date",
    "Timestamp": "Date",
    "Text": "TextArea",
}

READ_ACTIONS: Final = frozenset({"checkAccess", "get", "getActions", "getFields"})
WRITE_ACTIONS: Final = frozenset({"create", "delete", "replace", "save", "update"})
MERGE_ACTIONS: Final = frozenset({"getMergedFrom", "getMergedTo", "mergeDuplicates"})


def actions_of(entity: Entity) -> list[str]:
    """Return the names of the actions an entity has, in order."""
    is_contact = entity.hidden_flag == "is_deleted"
    return sorted(READ_ACTIONS | WRITE_ACTIONS | (MERGE_ACTIONS if is_contact else frozenset()))


def action_rows(names: list[str]) -> list[dict[str, Any]]:
    """Return what `getActions` shows of these actions."""
    return [
        {
            "name": name,
            "description": f"{name} on this entity.",
            "comment": "",
            "see": [],
            "deprecated": False,
            "params": {parameter: {} for parameter in sorted(known(name))},
        }
        for name in names
    ]


def entity_rows(scope: Scope) -> list[dict[str, Any]]:
    """Return what `Entity.get` shows."""
    shown = (scope.entity(name) for name in sorted([*ENTITIES]))
    return [
        {
            "name": entity.name,
            "title": _spaced(entity.name),
            "title_plural": f"{_spaced(entity.name)}s",
            "type": ["DAOEntity"],
            "primary_key": ["id"],
            "searchable": "primary",
        }
        for entity in shown
        if entity is not None
    ]


def field_rows(scope: Scope, entity: Entity, params: Params) -> list[dict[str, Any]]:
    """Return what `getFields` shows: only fields that the key may read (§4.7)."""
    load = params.get("loadOptions", False)
    return [_field_row(scope, entity, field, load) for field in scope.fields(entity).values()]


def _field_row(scope: Scope, entity: Entity, field: Field, load: Any) -> dict[str, Any]:
    custom, group = field.custom, field.group
    has_options = scope.options(field) is not None
    table = f"civicrm_{re.sub('(?<!^)(?=[A-Z])', '_', entity.name).lower()}"
    row = {
        "default_value": None,
        "type": "Custom" if custom else "Extra" if field.extra else "Field",
        "entity": entity.name,
        "required": field.required,
        "nullable": not field.required,
        "required_if": None,
        "permission": None,
        "readonly": field.name == "id" or field.extra,
        "deprecated": False,
        "usage": ["import", "export", "duplicate_matching"],
        "name": field.name,
        "title": field.title,
        "description": None,
        "data_type": field.data_type,
        "serialize": 1 if field.is_list else None,
        "fk_entity": field.fk,
        "fk_column": "id" if field.fk else None,
        "dfk_entities": None,
        "options": _options(scope, field, load) if load and has_options else has_options,
        "suffixes": ["name", "label"] if has_options else None,
        "options_callback": None,
        "options_callback_params": [],
        "label": f"{group.title}: {field.title}" if group else field.title,
        "input_type": _input_type(field, has_options),
        "localizable": False,
        "input_attrs": {"label": field.title},
        "help_pre": None,
        "help_post": None,
        "table_name": group.table_name if group else table,
        "column_name": custom.column_name if custom else field.name,
        "operators": None,
        "custom_field_id": custom.id if custom else None,
    }
    return row | {"custom_group": group.name} if group else row


def _input_type(field: Field, has_options: bool) -> str:
    if field.custom is not None and field.is_list:
        return "CheckBox"
    if field.custom is not None and field.data_type == "Boolean":
        return "Radio"
    if has_options:
        return "Select"
    return "EntityRef" if field.fk else _INPUTS.get(field.data_type, "Text")


def _options(scope: Scope, field: Field, load: Any) -> Any:
    options = (scope.options(field) or {}).values()
    if not isinstance(load, list):
        return {str(option.id): option.label for option in options}
    return [{str(key): getattr(option, str(key), None) for key in load} for option in options]


def _spaced(name: str) -> str:
    return re.sub("(?<!^)(?=[A-Z])", " ", name)

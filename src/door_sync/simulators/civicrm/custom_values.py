"""What a custom field stores of a value typed into it, by the field's data type (§4.1)."""

import math
from datetime import date

from door_sync.simulators.civicrm.records import Custom, CustomField
from door_sync.simulators.civicrm.tables import RefusedChange

_LARGEST_INTEGER = 2**31 - 1  # a signed 32-bit column: 4294967295 is a database error


def store(custom: Custom, field: CustomField, value: object, *, raw: bool = False) -> None:
    """Write a typed value; with `raw` it reaches the table unchanged, as by SQL."""
    stored = value if raw else storable(field, value)
    if stored is None:
        custom.pop(field.id, None)
    else:
        custom[field.id] = stored


def storable(field: CustomField, value: object) -> object:
    """Given a typed value, return what the table then holds; None for an empty one.

    Text is kept as typed, with zeros and spaces; numbers lose leading zeros. Raises
    RefusedChange for a value that the column cannot hold; the message does not repeat it.
    """
    if value is None or value in ("", []):
        return None
    if field.is_list:
        return _choices(field, value)
    match field.data_type:
        case "String" | "Text":
            return str(value)
        case "Integer":
            number = _number(field, value)
            if not number.is_integer() or abs(number) > _LARGEST_INTEGER:
                raise RefusedChange(f"{field.name} holds whole numbers of 32 bits")
            return int(number)
        case "Float":
            return _number(field, value)
        case "Boolean":
            typed = str(int(value)) if isinstance(value, bool) else str(value)
            if typed not in ("0", "1"):
                raise RefusedChange(f"{field.name} holds yes or no")
            return typed == "1"
        case "Date":
            try:
                return date.fromisoformat(str(value)).isoformat()
            except ValueError:
                raise RefusedChange(f"{field.name} holds dates") from None


def _number(field: CustomField, value: object) -> float:
    try:
        number = float(str(value).strip())
    except ValueError:
        raise RefusedChange(f"{field.name} holds numbers") from None
    if not math.isfinite(number):
        raise RefusedChange(f"{field.name} holds numbers")
    return number


def _choices(field: CustomField, value: object) -> list[str]:
    chosen = [str(choice) for choice in value] if isinstance(value, list | tuple) else [str(value)]
    if any(choice not in (field.options or {}) for choice in chosen):
        raise RefusedChange(f"{field.name} has no such choice")
    return chosen

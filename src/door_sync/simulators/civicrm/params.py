"""The parameters of a call: which ones an action knows, and of what type they must be (§1.3)."""

from collections.abc import Mapping
from typing import Any, Final

from door_sync.simulators.civicrm.errors import ApiError, TypeCrash
from door_sync.simulators.civicrm.ordering import Page
from door_sync.simulators.civicrm.switches import Switches

Params = Mapping[str, Any]

_COMMON: Final = frozenset({"chain", "checkPermissions", "debug", "language"})
_LISTING: Final = _COMMON | {"limit", "offset", "orderBy", "select", "where"}
_ARRAYS: Final = frozenset(
    {"chain", "groupBy", "having", "join", "orderBy", "select", "values", "where"}
)
_INTEGERS: Final = frozenset({"limit", "offset", "contactId", "duplicateId"})

_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "get": _LISTING | {"groupBy", "having", "join"},
    "getFields": _LISTING | {"action", "includeCustom", "loadOptions", "type", "values"},
    "getActions": _LISTING,
    "checkAccess": _COMMON | {"action", "values"},
    "getMergedTo": _COMMON | {"contactId", "test"},
    "getMergedFrom": _COMMON | {"contactId", "test"},
    "mergeDuplicates": _COMMON | {"contactId", "duplicateId", "groupId", "mode"},
    "create": _COMMON | {"values"},
    "update": _LISTING | {"join", "reload", "values"},
    "save": _COMMON | {"defaults", "match", "records", "reload"},
    "delete": _LISTING | {"join", "useTrash"},
    "replace": _LISTING | {"defaults", "join", "match", "records", "reload"},
}

_BY_LOWER_CASE: Final = {action.lower(): names for action, names in _KNOWN.items()}


def known(action: str) -> frozenset[str]:
    """Return the parameters an action has, its name in any case of letters."""
    return _BY_LOWER_CASE.get(action.lower(), _COMMON)


def checked(params: Any, action: str, switches: Switches) -> dict[str, Any]:
    """Return the parameters of a call with their types put right.

    Raises ApiError for one that the action does not know or that has the wrong type, TypeCrash
    for something that is no set of parameters at all.
    """
    if isinstance(params, list):  # to PHP a list is an array with the keys 0, 1, 2 …
        params = {str(number): value for number, value in enumerate(params)}
    if not isinstance(params, dict):
        raise TypeCrash("array_diff_key(): Argument #2 must be of type array, null given")
    made = {}
    for name, value in params.items():
        if name not in known(action):
            told = f"set{name[:1].upper()}{name[1:]}" if switches.is_old else name
            raise ApiError(f"Unknown api parameter: {told}")
        if name != "checkPermissions":  # dropped in silence: rights are always checked over HTTP
            made[name] = _typed(name, value)
    return made


def page_of(params: Params) -> Page:
    """Return the page asked for; raise ApiError for a negative number, which is broken SQL."""
    page = Page(params.get("limit", 0), params.get("offset", 0))
    if page.limit < 0 or page.offset < 0:
        raise ApiError("DB Error: syntax error")
    return page


def _typed(name: str, value: Any) -> Any:
    if name in _ARRAYS and not isinstance(value, list | dict):
        raise ApiError(f'Parameter "{name}" is not of the correct type. Expecting array.')
    if name not in _INTEGERS:
        return value
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ApiError(f'Parameter "{name}" is not of the correct type. Expecting int.')
    try:
        return int(value)
    except ValueError:
        raise ApiError(f'Parameter "{name}" is not of the correct type. Expecting int.') from None

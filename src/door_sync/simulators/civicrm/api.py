"""One call of APIv4: from entity, action and parameters to the envelope (§3).

Reads are carried out. Of the writes only `Contact.mergeDuplicates` is, and only for an
administrator; every other write is refused for lack of rights, as a read-only key sees it, and
for an administrator fails with an error: the world has hands of its own for changes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from door_sync.simulators.civicrm.arrays import select_from
from door_sync.simulators.civicrm.errors import (
    ApiError,
    Problem,
    TypeCrash,
    Unauthorized,
    UnknownApi,
)
from door_sync.simulators.civicrm.metadata import (
    WRITE_ACTIONS,
    action_rows,
    actions_of,
    entity_rows,
    field_rows,
)
from door_sync.simulators.civicrm.params import Params, checked
from door_sync.simulators.civicrm.permissions import ACCESS_CIVICRM
from door_sync.simulators.civicrm.query import Query, Result
from door_sync.simulators.civicrm.schema import Entity
from door_sync.simulators.civicrm.scope import Scope, Session
from door_sync.simulators.civicrm.switches import Switches
from door_sync.simulators.civicrm.world import World

_SETTINGS: Final = {
    "dateInputFormat": "mm/dd/yy",
    "dateformatshortdate": "%m/%d/%Y",
    "monetaryDecimalPoint": ".",
}

_LISTS: Final = {
    "entity": ("Entity", frozenset({"get"})),
    "setting": ("Setting", frozenset({"get"})),
    "system": ("System", frozenset({"check"})),
}
"""Entities that are no tables, with their actions."""


class OutOfMemory(Problem):
    """PHP ran out of memory while it built the answer (§6.3)."""


@dataclass(frozen=True)
class Answer:
    """A good answer, and how much work it was."""

    envelope: dict[str, Any]
    rows: int
    named_columns: int = 0


class Api:
    """Answers calls. `run` holds the world's lock, so each call sees one state of the site."""

    def __init__(self, world: World, switches: Switches) -> None:
        self._world = world
        self._switches = switches

    def run(
        self, session: Session, entity_name: Any, action: Any, params: Any, index: Any = None
    ) -> Answer:
        """Carry out one call; raise a Problem if it fails."""
        if not isinstance(entity_name, str) or not isinstance(action, str):
            raise TypeCrash("civicrm_api4(): Argument #1 ($entity) must be of type string")
        with self._world.lock:
            scope = Scope(self._world, session, self._switches)
            if entity_name.lower() in _LISTS:
                return self._run_list(scope, *_LISTS[entity_name.lower()], action, params, index)
            entity = scope.entity(entity_name)
            if entity is None:
                raise UnknownApi(
                    f"API ({entity_name}, {action}) does not exist "
                    "(or the extension it belongs to is not enabled)."
                )
            known = _in_any_case(action, actions_of(entity))
            if known is None:
                raise UnknownApi(f"Api {entity.name} {action} version 4 does not exist.")
            given = checked(params, known, self._switches)
            result = _Call(scope, entity, known, given).result()
            for name, call in _chained(given).items():
                self._chain(session, result.values, name, call)
            return self._answer(entity.name, known, result, index)

    def _run_list(
        self, scope: Scope, name: str, actions: frozenset[str], action: str, params: Any, index: Any
    ) -> Answer:
        known = _in_any_case(action, sorted(actions))
        if known is None:
            raise UnknownApi(f"Api {name} {action} version 4 does not exist.")
        given = checked(params, "getActions" if known == "get" else known, self._switches)
        if name == "Entity":
            allowed = ACCESS_CIVICRM in scope.session.permissions
        else:
            allowed = scope.session.administers
        if not allowed:
            raise Unauthorized.to_call(name, known)
        if name == "Entity":
            result = select_from(entity_rows(scope), given)
        elif name == "Setting":
            result = _settings(given)
        else:
            result = Result([], 0)
        return self._answer(name, known, result, index)

    def _answer(self, entity: str, action: str, result: Result, index: Any) -> Answer:
        rows = result.values
        limit = self._switches.memory_cells
        if limit is not None and sum(map(len, rows)) > limit:
            raise OutOfMemory("Allowed memory size exhausted")
        envelope = {
            "values": _indexed(rows, index),
            "entity": entity,
            "action": action,
            "debug": None,
            "version": 4,
            "count": result.count,
            "countFetched": len(rows),
        }
        if result.matched is not None:
            envelope["countMatched"] = result.matched
        return Answer(envelope, len(rows), result.named_columns)

    def _chain(self, session: Session, rows: list[Any], name: str, call: Any) -> None:
        """Add to each row the answer to a call made with its values (``$id`` …)."""
        if not isinstance(call, list) or len(call) < 2:
            raise TypeCrash("runChain(): Argument must be of type array")
        entity, action, params, index = (*call, None, None)[:4]
        for row in rows:
            filled = _filled({} if params is None else params, row)
            row[name] = self.run(session, entity, action, filled, index).envelope["values"]


@dataclass(frozen=True)
class _Call:
    """One action on an entity that is a table."""

    scope: Scope
    entity: Entity
    action: str
    params: Params

    def result(self) -> Result:
        if self.action in WRITE_ACTIONS:
            raise self._refused_write()
        if not self._allowed(self.action):
            raise Unauthorized.to_call(self.entity.name, self.action)
        actions: dict[str, Callable[[], Result]] = {
            "get": lambda: Query(self.scope, self.entity, self.params).run(),
            "getFields": self._fields,
            "getActions": self._actions,
            "checkAccess": self._check_access,
            "getMergedTo": self._merged_to,
            "getMergedFrom": self._merged_from,
            "mergeDuplicates": self._merge,
        }
        return actions[self.action]()

    def _allowed(self, action: str) -> bool:
        if action in ("getFields", "getActions"):
            return self.entity.meta_rights <= self.scope.session.permissions
        if action in WRITE_ACTIONS or action == "mergeDuplicates":
            return self.scope.session.administers
        return action == "checkAccess" or self.scope.may_read(self.entity)

    def _refused_write(self) -> ApiError:
        if self.scope.session.administers:
            return ApiError("writing through the API is not simulated")
        if self.action == "update":
            return Unauthorized("ACL check failed")
        return Unauthorized.to_call(self.entity.name, self.action)

    def _fields(self) -> Result:
        return select_from(field_rows(self.scope, self.entity, self.params), self.params)

    def _actions(self) -> Result:
        allowed = [action for action in actions_of(self.entity) if self._allowed(action)]
        return select_from(action_rows(allowed), self.params)

    def _check_access(self) -> Result:
        values = self.params.get("values", {})
        number = values.get("id") if isinstance(values, dict) else None
        record = self.scope.table(self.entity).get(number) if isinstance(number, int) else None
        visible = self.scope.visible(self.entity)
        access = (
            record is not None
            and (visible is None or visible(record))
            and self._allowed(str(self.params.get("action", "get")))
        )
        return _one({"access": access, "id": number if access else None})

    def _merged_to(self) -> Result:
        merged = self.scope.world.contacts.get(self.params.get("contactId", 0))
        into = merged.merged_into if merged else None
        return _one({"id": into}) if into is not None else Result([], 0)

    def _merged_from(self) -> Result:
        wanted = self.params.get("contactId", 0)
        rows = self.scope.world.contacts.values()
        found = [{"id": row.id} for row in rows if row.merged_into == wanted]
        return Result(found, len(found))

    def _merge(self) -> Result:
        survivor, duplicate = (self.params.get(key, 0) for key in ("contactId", "duplicateId"))
        try:
            self.scope.world.merge(survivor, duplicate)
        except (LookupError, ValueError) as refused:
            raise ApiError("Contact not found") from refused
        return _one({"merged": [{"main_id": survivor, "other_id": duplicate}], "skipped": []})


def _one(row: dict[str, Any]) -> Result:
    return Result([row], 1)


def _settings(params: Params) -> Result:
    names = params.get("select") or sorted(_SETTINGS)
    unknown = [str(name) for name in names if name not in _SETTINGS]
    if unknown:
        raise ApiError(f"Unknown settings for domain 1: {', '.join(unknown)}")
    rows = [{"name": name, "value": _SETTINGS[name], "domain_id": 1} for name in names]
    return Result(rows, len(rows))


def _in_any_case(name: str, known: list[str]) -> str | None:
    return next((each for each in known if each.lower() == name.lower()), None)


def _chained(params: Params) -> dict[str, Any]:
    chain = params.get("chain") or {}
    if not isinstance(chain, dict):
        raise TypeCrash("runChain(): Argument must be of type array")
    return chain


def _filled(value: Any, row: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, row) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, row) for each in value]
    if isinstance(value, str) and value.startswith("$"):
        return row.get(value[1:])
    return value


def _indexed(rows: list[Any], index: Any) -> Any:
    """Return the rows as `index` asks: one row for a number, an object for a field's name."""
    if index is None or index == "":
        return rows
    if isinstance(index, int) or (isinstance(index, str) and index.lstrip("-").isdigit()):
        place = int(index)
        if not -len(rows) <= place < len(rows):
            raise ApiError(f"Index {place} not found in api results")
        return rows[place]
    if isinstance(index, dict):
        key, shown = next(iter(index.items()), ("", ""))
        return {str(row.get(key)): row.get(shown) for row in rows} or []
    if isinstance(index, list):
        return [row.get(index[0]) for row in rows] if index else rows
    if any(index not in row for row in rows):
        raise ApiError(f"Index {index} not found in api results")
    return {str(row[index]): row for row in rows} or []  # PHP writes an empty array as a list

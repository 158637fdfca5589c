"""Field names with dots and suffixes, turned into readers of a row (§4.3, §4.5, §5).

``contact_id.email_primary.email`` walks from record to record, ``m.end_date`` starts at a joined
one, ``Door_Access.card_id`` is one custom field, ``status_id:name`` reads the choice behind an id.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from door_sync.simulators.civicrm.columns import Field, Kind
from door_sync.simulators.civicrm.comparing import Comparison
from door_sync.simulators.civicrm.errors import ApiError
from door_sync.simulators.civicrm.options import Options
from door_sync.simulators.civicrm.schema import Entity
from door_sync.simulators.civicrm.scope import Scope

Row = tuple[Any, ...]
"""The record of the main entity, then one per explicit join: None where a LEFT join found none."""

Reader = Callable[[Row], Any]

_SUFFIXES = ("name", "label")
_CALLER = "user_contact_id"


class Forbidden:
    """Stands for a core field that exists but may not be read."""


FORBIDDEN: Final = Forbidden()


@dataclass(frozen=True)
class Resolved:
    """A field name that leads somewhere.

    `read` gives what `select` shows, `read_raw` what the database stores. `owner` is the path
    before the field (``contact_id.``, ``m.`` or nothing). `suffix` is None unless the name ends
    in one; `suffix_is_known` tells whether it leads to a choice.
    """

    name: str
    field: Field
    read: Reader
    read_raw: Reader
    owner: str = ""
    suffix: str | None = None
    suffix_is_known: bool = True
    is_contact_id: bool = False


class Resolver:
    """Finds fields for one query on `entity`."""

    def __init__(self, scope: Scope, entity: Entity) -> None:
        self.scope = scope
        self.entity = entity
        self.aliases: dict[str, Entity] = {}
        """The explicit joins that are carried out, in the order of their records in a row."""
        self._found: dict[str, Resolved | Forbidden | None] = {}
        self._comparisons: dict[Kind, Comparison] = {}
        self._now: datetime = scope.world.now()

    def add_join(self, alias: str, entity: Entity) -> None:
        """Let names that begin with `alias` read the next record of a row."""
        self.aliases[alias] = entity
        self._found.clear()

    def find(self, name: str) -> Resolved | Forbidden | None:
        """Return what `name` leads to; None if nothing readable is there.

        Raises ApiError for a suffix that 5.77 does not know (§1 of the versions sheet).
        """
        if name not in self._found:
            self._found[name] = self._resolve(name)
        return self._found[name]

    def comparison(self, kind: Kind) -> Comparison:
        """Return how values of this kind compare."""
        if kind not in self._comparisons:
            is_old = self.scope.switches.is_old
            self._comparisons[kind] = Comparison(kind, is_old=is_old, now=self._now)
        return self._comparisons[kind]

    def stored_values(self, found: Resolved, value: Any) -> Any:
        """Turn the names (or labels) of a clause into stored values.

        Without any error an unknown name matches nothing, and is left out of a list (§4.3).
        """
        if not found.suffix_is_known:
            raise ApiError("Illegal expression")
        options = self.scope.options(found.field) or {}
        ids = {getattr(option, found.suffix or ""): option.id for option in options.values()}
        if isinstance(value, list):
            return [ids[name] for name in value if isinstance(name, str) and name in ids]
        return ids.get(value) if isinstance(value, str) else None

    def contact_token(self, value: Any) -> Any:
        """Put the caller's own contact id in the place of ``user_contact_id`` (§2.3)."""
        if isinstance(value, list):
            return [self.contact_token(each) for each in value]
        return self.scope.session.contact_id if value == _CALLER else value

    def _resolve(self, name: str) -> Resolved | Forbidden | None:
        path, _, suffix = name.partition(":")
        segments = path.split(".")
        entity, get_record, owner = self.entity, _at(0), ""
        if len(segments) > 1 and segments[0] in self.aliases:
            alias = segments.pop(0)
            entity, owner = self.aliases[alias], f"{alias}."
            get_record = _at(list(self.aliases).index(alias) + 1)
        while True:
            fields = self.scope.fields(entity)
            field = fields.get(".".join(segments))
            if field is not None:
                return self._resolved(name, field, get_record, owner, entity, suffix or None)
            if not owner and segments[0] in entity.columns and segments[0] not in fields:
                exists = self.scope.is_forbidden(entity.columns[segments[0]])
                return FORBIDDEN if exists and len(segments) == 1 else None
            link = fields.get(segments.pop(0))
            target = self.scope.entity(link.fk) if link and link.fk else None
            if link is None or target is None or not segments or not self.scope.may_join(target):
                return None
            get_record = _hop(get_record, link, self.scope.table(target))
            entity, owner = target, f"{owner}{link.name}."

    def _resolved(
        self,
        name: str,
        field: Field,
        get_record: Reader,
        owner: str,
        entity: Entity,
        suffix: str | None,
    ) -> Resolved:
        raw = _reading(get_record, field)
        read = raw
        options = self.scope.options(field)
        known = suffix is None or (options is not None and suffix in _SUFFIXES)
        if suffix is not None and not known and self.scope.switches.is_old:
            raise ApiError(f"Invalid field '{name}'")
        if suffix is not None and options is not None and known:
            read = _choosing(raw, options, suffix)
        is_contact_id = field.fk == "Contact" or (
            field.name == "id" and entity.hidden_flag == "is_deleted"
        )
        return Resolved(name, field, read, raw, owner, suffix, known, is_contact_id)


def _at(index: int) -> Reader:
    return lambda row: row[index]


def _hop(get_record: Reader, link: Field, table: Any) -> Reader:
    read, get = link.read, table.get

    def hop(row: Row) -> Any:
        record = get_record(row)
        return None if record is None else get(read(record))

    return hop


def _reading(get_record: Reader, field: Field) -> Reader:
    read = field.read

    def reading(row: Row) -> Any:
        record = get_record(row)
        return None if record is None else read(record)

    return reading


def _choosing(raw: Reader, options: Options, suffix: str) -> Reader:
    names = {value: getattr(option, suffix) for value, option in options.items()}

    def choosing(row: Row) -> Any:
        value = raw(row)
        if isinstance(value, list):
            return [names.get(each) for each in value]
        return names.get(value)

    return choosing

"""What CiviCRM stores: its tables, the lock around them, and the copy a test can return to."""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from door_sync.simulators.civicrm.records import (
    Contact,
    CustomField,
    CustomGroup,
    CustomRecord,
    Email,
    Group,
    Job,
    JobLogEntry,
    Key,
    Membership,
    MembershipStatus,
    MembershipType,
    Record,
)

RecordT = TypeVar("RecordT", bound=Record)
Snapshot = Mapping[str, Mapping[int, Record]]


class RefusedChange(ValueError):
    """CiviCRM would not store this. The message names the kind of value, never the value."""


class Tables:
    """The tables, by id. Everything that reads or writes them holds `lock`."""

    def __init__(self, *, clock: Callable[[], datetime] | None = None) -> None:
        self.lock = threading.RLock()
        self.clock = clock or (lambda: datetime.now(UTC))
        self.contacts: dict[int, Contact] = {}
        self.emails: dict[int, Email] = {}
        self.memberships: dict[int, Membership] = {}
        self.membership_types: dict[int, MembershipType] = {}
        self.membership_statuses: dict[int, MembershipStatus] = {}
        self.custom_groups: dict[int, CustomGroup] = {}
        self.custom_fields: dict[int, CustomField] = {}
        self.custom_records: dict[int, CustomRecord] = {}
        self.groups: dict[int, Group] = {}
        self.keys: dict[int, Key] = {}
        self.jobs: dict[int, Job] = {}
        self.job_log: dict[int, JobLogEntry] = {}
        self.acl_cache: dict[str, frozenset[int]] = {}
        self._last_id: dict[str, int] = {}

    def snapshot(self) -> Snapshot:
        """Return a copy of every table."""
        with self.lock:
            return {
                name: {number: record.clone() for number, record in table.items()}
                for name, table in self._tables().items()
            }

    def restore(self, snapshot: Snapshot) -> None:
        """Put the tables back as they were when `snapshot` was taken."""
        with self.lock:
            for name, table in self._tables().items():
                table.clear()
                table.update((number, row.clone()) for number, row in snapshot[name].items())
            self.acl_cache.clear()
            self._last_id.clear()

    def now(self) -> datetime:
        """The site's time, to the second and without an offset, as CiviCRM stores it."""
        return self.clock().replace(microsecond=0, tzinfo=None)

    def today(self) -> date:
        """The site's date."""
        return self.now().date()

    def put(self, name: str, kind: type[RecordT], values: Mapping[str, Any]) -> RecordT:
        """Store a row as it is in the table `name`, under its ``id`` or the next one."""
        with self.lock:
            number = self._next_id(name, values.get("id"))
            record = kind(**{**values, "id": number})
            self._tables()[name][number] = record
            return record

    def _tables(self) -> dict[str, dict[int, Any]]:
        return {
            name: table
            for name, table in vars(self).items()
            if isinstance(table, dict) and not name.startswith("_") and name != "acl_cache"
        }

    def _next_id(self, name: str, wanted: int | None = None) -> int:
        """Return `wanted`, or the next number; numbers of deleted rows are not given out again."""
        table = self._tables()[name]
        last = self._last_id.get(name)
        if last is None:
            last = max(table, default=0)
        if wanted is not None and (wanted in table or wanted < 1):
            raise RefusedChange(f"the id {wanted} cannot be given in {name}")
        number = wanted or last + 1
        self._last_id[name] = max(last, number)
        return number


def by_name(table: Iterable[RecordT], name: str) -> RecordT:
    """Return the record of that name; raise LookupError if there is none."""
    for record in table:
        if getattr(record, "name", None) == name:
            return record
    raise LookupError(f"no such name: {name}")

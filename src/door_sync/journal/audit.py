"""The audit file: one JSON line per cycle, as earlier versions wrote it, with more keys (§7)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, assert_never

from door_sync.core.people import ContactId
from door_sync.files import OpsFileError, append_line
from door_sync.journal.moments import time_text
from door_sync.ports import DoorSyncError

__all__ = [
    "Applied",
    "AuditCounts",
    "AuditedChange",
    "AuditedCycle",
    "Crashed",
    "Halted",
    "OpsFileError",
    "append_cycle",
    "audit_line",
]

FILE_MODE: Final = 0o640


@dataclass(frozen=True, slots=True)
class Applied:
    """The cycle ran to its end.

    A cycle in which some people failed is `applied` as well, as it always was to readers of this
    file; the outcome of each change tells them apart (P6).
    """


@dataclass(frozen=True, slots=True)
class Halted:
    """A guard held the cycle, and why: numbers and settings, no person."""

    reason: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """The cycle was given up: a side unreachable or distrusted, or a fault of the program."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class AuditCounts:
    """How many people were added, changed and deactivated, and how many had an unmapped type."""

    added: int = 0
    updated_credential: int = 0
    updated_policy: int = 0
    deactivated: int = 0
    unmapped: int = 0


@dataclass(frozen=True, slots=True)
class AuditedChange:
    """One person's change: the class (revoke, grant, …) and what became of it."""

    contact_id: ContactId
    change: str
    outcome: str


@dataclass(frozen=True, slots=True)
class AuditedCycle:
    """What the audit file says about a cycle that ended at `at`; `digest` is the plan's."""

    at: datetime
    cycle_id: str
    ending: Applied | Halted | Crashed
    dry_run: bool = False
    digest: str = ""
    counts: AuditCounts = AuditCounts()
    changes: Sequence[AuditedChange] = ()


def append_cycle(path: Path, cycle: AuditedCycle) -> None:
    """Append this cycle's line to the audit file and put it on disk; raise OpsFileError.

    The caller decides what an unwritable audit file means; the journal has the record anyway.
    """
    append_line(path, audit_line(cycle), mode=FILE_MODE)


def audit_line(cycle: AuditedCycle) -> str:
    """Return the JSON line, in ASCII and without its line end.

    `reason` stands there when the cycle halted, `exception` when it crashed, never otherwise.
    Only an error of this program's own says its message: those hold no personal data (P12); any
    other is named by its class alone.
    """
    line: dict[str, object] = {
        "ts": time_text(cycle.at),
        "event": type(cycle.ending).__name__.lower(),
        "dry_run": cycle.dry_run,
        "summary": asdict(cycle.counts),
    }
    match cycle.ending:
        case Applied():
            pass
        case Halted(reason):
            line["reason"] = reason
        case Crashed(error):
            name = type(error).__name__
            message = error.message if isinstance(error, DoorSyncError) else name
            line["exception"] = {"class": name, "message": message}
        case _:
            assert_never(cycle.ending)
    line["cycle"] = cycle.cycle_id
    line["digest"] = cycle.digest
    line["changes"] = [
        {"contact": one.contact_id, "class": one.change, "outcome": one.outcome}
        for one in cycle.changes
    ]
    return json.dumps(line)

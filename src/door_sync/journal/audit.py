"""The audit file: one JSON line per cycle, as earlier versions wrote it, with more keys (§7)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import assert_never

from door_sync.core.people import ContactId
from door_sync.journal.chain import seal
from door_sync.journal.moments import time_text
from door_sync.ports import DoorSyncError


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
class Recalled:
    """The cycle broke off, and the journal alone remembers how: the class of what ended it, and a
    sentence without personal data. Its line says `crashed` as well."""

    name: str
    message: str


Outcome = Applied | Halted | Crashed | Recalled


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
    """What the audit file says about a cycle that ended at `at`; `digest` is the plan's.

    `command` is the word of a person's command that wrote on its own, "" for a cycle. `late` is
    when the line is written if a later cycle writes it.
    """

    at: datetime
    cycle_id: str
    ending: Outcome
    dry_run: bool = False
    digest: str = ""
    counts: AuditCounts = AuditCounts()
    changes: Sequence[AuditedChange] = ()
    command: str = ""
    late: datetime | None = None


def audit_line(cycle: AuditedCycle, prev: str = "") -> str:
    """Return the JSON line as it stands in the file, in ASCII and without its line end."""
    return seal(audit_content(cycle), prev).text


def audit_content(cycle: AuditedCycle) -> dict[str, object]:
    """Return what the line says, but for its place in the chain.

    `reason` stands there when the cycle halted, `exception` when it crashed, `command` and `late`
    where they say something, never otherwise. Only an error of this program's own says its
    message: those hold no personal data (P12); any other is named by its class alone.
    """
    line: dict[str, object] = {
        "ts": time_text(cycle.at),
        "event": _event(cycle.ending),
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
        case Recalled(name, message):
            line["exception"] = {"class": name, "message": message}
        case _:
            assert_never(cycle.ending)
    line["cycle"] = cycle.cycle_id
    line["digest"] = cycle.digest
    line["changes"] = [
        {"contact": one.contact_id, "class": one.change, "outcome": one.outcome}
        for one in cycle.changes
    ]
    if cycle.command:
        line["command"] = cycle.command
    if cycle.late is not None:
        line["late"] = time_text(cycle.late)
    return line


def _event(ending: Outcome) -> str:
    match ending:
        case Applied():
            return "applied"
        case Halted():
            return "halted"
        case Crashed() | Recalled():
            return "crashed"
        case _:
            assert_never(ending)

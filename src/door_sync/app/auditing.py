"""The audit line of a cycle, and the lines that earlier cycles still lack (§7, P13).

A line is written after the record in the journal, so a process may die, or the file refuse, in
between. The journal knows which lines are missing; the next live cycle writes them from what the
journal has, before its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from door_sync.app.report import CycleReport, Ending
from door_sync.core.steps import ChangeClass
from door_sync.journal.audit import (
    Applied,
    AuditCounts,
    AuditedChange,
    AuditedCycle,
    Crashed,
    Halted,
    Outcome,
    Recalled,
    audit_content,
)
from door_sync.journal.audited import (
    Unaudited,
    chain_end,
    mark_audited,
    read_unaudited,
    steps_by_change,
)
from door_sync.journal.chain import ChainedFile, chained_file
from door_sync.journal.history import PastStep
from door_sync.journal.store import Store
from door_sync.ports import DoorSyncError, JournalError

CAUGHT_UP: Final = 50
"""So many missing lines one cycle writes at most, besides its own."""

DONE, FAILED, UNKNOWN, BARRED = "done", "failed", "unknown", "cut off"
"""What an audit line says of a change: unknown is one whose process died in the middle, cut off one
that ended where a person cut this contact off (§6)."""


@dataclass(frozen=True, slots=True)
class AuditFiles:
    """Where the audit lines of a site are, and its journal; None for one that is kept in memory."""

    lines: Path
    journal: Path | None


def audit_report(report: CycleReport, files: AuditFiles, at: datetime) -> None:
    """Append this cycle's line at the time `at`, after those that earlier cycles lack.

    A dry run appends its own alone and leaves the journal as it is (P7). Raise OpsFileError if the
    file cannot be written, JournalError if the journal cannot keep the hash: the next live cycle
    makes up for both.
    """
    with (
        _store(files.journal, read_only=report.dry_run) as store,
        chained_file(files.lines) as file,
    ):
        trouble = None
        try:
            if store is not None and not report.dry_run:
                _catch_up(store, file, at, but=report.cycle_id)
        except JournalError as error:
            trouble = error  # this cycle's own line does not wait for that
        line_hash = file.append(audit_content(_reported(report, at)), _start(store, file))
        if trouble is not None:
            raise trouble
        if store is not None and report.cycle_id:
            mark_audited(store, report.cycle_id, line_hash)


def audit_fault(error: Exception, files: AuditFiles, at: datetime) -> None:
    """Append the line of a cycle that died of a fault of the program; raise as above."""
    with _store(files.journal, read_only=False) as store, chained_file(files.lines) as file:
        written = [] if store is None else _catch_up(store, file, at)
        if not any(one.event == "crashed" for one in written):
            # It died before its record began, or that could not be kept.
            line = AuditedCycle(at, "", Crashed(error))
            file.append(audit_content(line), _start(store, file))


def audit_command(line: AuditedCycle, files: AuditFiles) -> None:
    """Append the line of a person's command, whose record has ended; raise as above.

    It need not wait for the next cycle, which would write it from the journal, and has done so if
    it came in between.
    """
    with _store(files.journal, read_only=False) as store, chained_file(files.lines) as file:
        if line.cycle_id in file.written({line.cycle_id}):
            return
        line_hash = file.append(audit_content(line), _start(store, file))
        if store is not None and line.cycle_id:
            mark_audited(store, line.cycle_id, line_hash)


@contextmanager
def _store(path: Path | None, *, read_only: bool) -> Iterator[Store | None]:
    """Open the journal if there is one that can be: the line is written even where it cannot.

    A journal is never made here: one that was moved away must not come back empty.
    """
    store = None
    if path is not None:
        with suppress(JournalError, OSError):
            if path.exists():
                store = Store.open_read_only(path) if read_only else _opened(path)
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def _opened(path: Path) -> Store:
    try:
        return Store.open(path)
    except JournalError:
        # On a full or read-only disk it can still tell where the chain ended.
        return Store.open_read_only(path)


def _start(store: Store | None, file: ChainedFile) -> str:
    """Return what the chain goes on from where the file does not tell."""
    if store is None or file.last is not None:
        return ""
    with suppress(JournalError), store.reading() as connection:
        return chain_end(connection)
    return ""


def _catch_up(store: Store, file: ChainedFile, at: datetime, *, but: str = "") -> list[Unaudited]:
    """Append the oldest missing lines; return the records they are of."""
    if store.read_only:
        return []
    with store.reading() as connection:
        missing = read_unaudited(connection, CAUGHT_UP, but=but)
    # A process may have died, or the journal refused, just after a line was written.
    written = file.written({one.cycle_id for one in missing})
    for one in missing:
        line_hash = written.get(one.cycle_id)
        if line_hash is None:
            line_hash = file.append(audit_content(recalled(one, at)), _start(store, file))
        mark_audited(store, one.cycle_id, line_hash)
    return missing


def _reported(report: CycleReport, at: datetime) -> AuditedCycle:
    done = [AuditedChange(c.contact_id, c.change_class.value, DONE) for c in report.done]
    failed = [
        AuditedChange(r.change.contact_id, r.change.change_class.value, FAILED)
        for r in report.failed
    ]
    results = report.ledger.changes.values() if report.ledger is not None else ()
    barred = [
        AuditedChange(r.change.contact_id, r.change.change_class.value, BARRED)
        for r in results
        if r.is_barred
    ]
    ending: Outcome = Applied()
    if report.error is not None:
        ending = Crashed(report.error)
    elif report.ending is Ending.HELD:
        ending = Halted(report.reason())
    return AuditedCycle(
        at=at,
        cycle_id=report.cycle_id,
        ending=ending,
        dry_run=report.dry_run,
        digest=report.digest(),
        counts=AuditCounts(**report.summary()),
        changes=sorted((*done, *failed, *barred), key=lambda one: (one.contact_id, one.change)),
    )


def recalled(record: Unaudited, at: datetime) -> AuditedCycle:
    """Return what the line says that is written at the time `at`, from what the journal has."""
    changes = tuple(
        AuditedChange(contact_id, change, _became(change, steps))
        for (contact_id, change), steps in steps_by_change(record.steps).items()
    )
    return AuditedCycle(
        at=record.ended or record.started,
        cycle_id=record.cycle_id,
        ending=_ending(record),
        digest=record.digest,
        counts=_counted(changes) if record.was_interrupted else _counts(record),
        changes=changes,
        command=record.command,
        late=at,
    )


def _ending(record: Unaudited) -> Outcome:
    if record.was_interrupted:
        return Recalled("Interrupted", died_in(record.steps))
    match record.event:
        case "applied" | "partial":
            return Applied()
        case "halted":
            return Halted(record.reason)
        case "crashed":  # the reason is the class of what ended it, and nothing else is known
            return Recalled(record.reason or "Exception", record.reason or "Exception")
        case _:
            return Recalled(DoorSyncError.__name__, record.reason)


def died_in(steps: Sequence[PastStep]) -> str:
    """Return in which step a process died, as a sentence without its full stop."""
    if not steps:
        return "the process died before it wrote anything"
    last = steps[-1]
    if last.outcome is None:
        return (
            f"the process died in a write: {last.kind} of contact {last.contact_id} "
            f"({last.change}); it may have been carried out or not"
        )
    return (
        f"the process died after {last.kind} of contact {last.contact_id} ({last.change}), "
        "between two writes"
    )


def _became(change: str, steps: list[PastStep]) -> str:
    """Return what became of a change, as far as its steps tell.

    The last word on each kind of write counts: what was refused may have been sent again in
    another form. A leaver whose card could not be freed is cut off all the same (P5).
    """
    last = {step.kind: step.outcome for step in steps}
    words = {
        outcome
        for kind, outcome in last.items()
        if not (change == ChangeClass.REVOKE.value and kind == "free-card")
    }
    if None in words:
        return UNKNOWN
    return DONE if words <= {"done"} else FAILED


def _counts(record: Unaudited) -> AuditCounts:
    known = AuditCounts.__dataclass_fields__
    return AuditCounts(
        **{name: n for name, n in record.summary.items() if name in known and isinstance(n, int)}
    )


def _counted(changes: Iterable[AuditedChange]) -> AuditCounts:
    count = dict.fromkeys((one.value for one in ChangeClass), 0)
    for one in changes:
        count[one.change] = count.get(one.change, 0) + (one.outcome == DONE)
    return AuditCounts(
        added=count[ChangeClass.GRANT.value] + count[ChangeClass.RESTORE.value],
        updated_credential=count[ChangeClass.CARD.value],
        updated_policy=count[ChangeClass.POLICY.value],
        deactivated=count[ChangeClass.REVOKE.value],
    )

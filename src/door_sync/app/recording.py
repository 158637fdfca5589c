"""After a cycle: the audit line, the state file and the flag (§7).

The journal has the record already. A file beside it that cannot be written changes nothing at the
doors, so it stops nothing either; it is reported, and the cycle does not count as clean.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from door_sync.app.report import CycleReport, Ending
from door_sync.journal.audit import (
    Applied,
    AuditCounts,
    AuditedChange,
    AuditedCycle,
    Crashed,
    Halted,
    append_cycle,
)
from door_sync.journal.state import SiteState, update_state
from door_sync.notify.flag import Cause, flag_text, lower_flag, raise_flag, unwritable_journal
from door_sync.ports import Clock, DoorSyncError, JournalError


@dataclass(frozen=True, slots=True)
class OpsFiles:
    """Where the audit lines, the state and the flag of a site are (`[ops]` of §10)."""

    audit: Path
    state: Path
    flag: Path


def record_outside(report: CycleReport, files: OpsFiles, clock: Clock) -> CycleReport:
    """Write what others read about this cycle; return the report with what went wrong at that.

    A dry run writes an audit line, as it always did, and touches neither state nor flag.
    """
    troubles = list(report.troubles)
    for write in (_audit, _state, _flag):
        if report.dry_run and write is not _audit:
            continue
        try:
            write(replace(report, troubles=tuple(troubles)), files, clock)
        except DoorSyncError as error:
            troubles.append(f"{error.message}. {error.remedy}".strip())
    return replace(report, troubles=tuple(troubles))


def record_fault(error: Exception, files: OpsFiles, clock: Clock) -> None:
    """Leave the traces of a cycle that died of a fault of the program: audit, state, flag."""
    now = clock.now()
    cause = Cause(
        happened=f"The last cycle broke off with a fault of the program ({type(error).__name__}).",
        doors="What was written before that stays; everybody else keeps the access they have.",
        settles="Run `door-sync -v run --once` and report what it prints.",
    )
    append_cycle(files.audit, AuditedCycle(now, "", Crashed(error)))
    update_state(files.state, SiteState.failed)
    raise_flag(files.flag, flag_text([cause]))


def _audit(report: CycleReport, files: OpsFiles, clock: Clock) -> None:
    done = [AuditedChange(c.contact_id, c.change_class.value, "done") for c in report.done]
    failed = [
        AuditedChange(r.change.contact_id, r.change.change_class.value, "failed")
        for r in report.failed
    ]
    ending: Applied | Halted | Crashed = Applied()
    if report.error is not None:
        ending = Crashed(report.error)
    elif report.ending is Ending.HELD:
        ending = Halted(report.reason())
    cycle = AuditedCycle(
        at=clock.now(),
        cycle_id=report.cycle_id,
        ending=ending,
        dry_run=report.dry_run,
        digest=report.digest(),
        counts=AuditCounts(**report.summary()),
        changes=sorted((*done, *failed), key=lambda one: (one.contact_id, one.change)),
    )
    append_cycle(files.audit, cycle)


def _state(report: CycleReport, files: OpsFiles, clock: Clock) -> None:
    now = clock.now()

    def change(state: SiteState) -> SiteState:
        match report.ending:
            case Ending.CLEAN:
                return state.succeeded(now)
            case Ending.HELD:
                return state.halted(now, report.reason())
            case Ending.FAILED | Ending.PARTIAL:
                return state.failed()

    update_state(files.state, change)


def _flag(report: CycleReport, files: OpsFiles, _clock: Clock) -> None:
    found = causes(report)
    if found:
        raise_flag(files.flag, flag_text(found))
    else:
        lower_flag(files.flag)


def causes(report: CycleReport) -> list[Cause]:
    """Return why a person is needed after this cycle; nothing after a clean one (§7)."""
    found = []
    unchanged = "Everybody keeps the access they have; people who left can still open doors."
    if isinstance(report.error, JournalError):
        found.append(unwritable_journal(report.error))
    elif report.error is not None:
        halfway = report.ledger is not None and report.ledger.writes > 0
        part = "What was written before stays; the rest waits for the next cycle."
        found.append(
            Cause(
                f"The cycle stopped: {report.error.message}.",
                part if halfway else unchanged,
                report.error.remedy or "The next cycle tries again.",
            )
        )
    for one in report.decision.objections if report.decision else ():
        held = "These changes wait; all others go on." if one.classes else unchanged
        if one.scope.value == "cycle":
            held = unchanged
        found.append(Cause(f"Guard '{one.guard}': {one.text}.", held, f"{one.remedy}."))
    if report.failed:
        people = ", ".join(str(result.change.contact_id) for result in report.failed)
        found.append(
            Cause(
                f"The changes for contacts {people} failed.",
                "These people may still have access that they should not have, or lack theirs.",
                "The next cycle tries again; `door-sync run --once` says what went wrong.",
            )
        )
    found += [
        Cause(text, "The doors are not affected.", "Mend the file named above.")
        for text in report.troubles
    ]
    return found

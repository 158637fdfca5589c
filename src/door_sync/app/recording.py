"""After a cycle: the audit line, the state file and the flag (§7).

The journal has the record already. A file beside it that cannot be written changes nothing at the
doors, so it stops nothing either; it is reported, and the cycle does not count as clean.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from door_sync.app.auditing import AuditFiles, audit_fault, audit_report
from door_sync.app.causes import causes, fault_of_the_program
from door_sync.app.report import CycleReport, Ending
from door_sync.journal.state import SiteState, update_state
from door_sync.notify.flag import flag_text, lower_flag, raise_flag
from door_sync.ports import Clock, DoorSyncError


@dataclass(frozen=True, slots=True)
class OpsFiles:
    """Where the audit lines, the state and the flag of a site are (`[ops]` of §10), and the
    journal that the audit lines are held against; None for one that is kept in memory."""

    audit: Path
    state: Path
    flag: Path
    journal: Path | None = None


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
    """Leave the traces of a cycle that died of a fault of the program: audit, state, flag.

    What cannot be written is passed over: the fault itself is what must come out.
    """
    with suppress(DoorSyncError):
        raise_flag(files.flag, flag_text([fault_of_the_program(error)]))
    with suppress(DoorSyncError):
        audit_fault(error, _audit_files(files), clock.now())
    with suppress(DoorSyncError):
        update_state(files.state, SiteState.failed)


def _audit(report: CycleReport, files: OpsFiles, clock: Clock) -> None:
    audit_report(report, _audit_files(files), clock.now())


def _audit_files(files: OpsFiles) -> AuditFiles:
    return AuditFiles(files.audit, files.journal)


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
            case _:
                assert_never(report.ending)

    update_state(files.state, change)


def _flag(report: CycleReport, files: OpsFiles, _clock: Clock) -> None:
    found = causes(report)
    if found:
        raise_flag(files.flag, flag_text(found))
    else:
        lower_flag(files.flag)

"""After a cycle: the audit line, the state file, the flag and the alerts (§7, P14).

The journal has the record already. A file beside it that cannot be written changes nothing at the
doors, so it stops nothing either; it is reported, and the cycle does not count as clean.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from door_sync.app.alerting import Found, Ways, call_for_a_person
from door_sync.app.auditing import AuditFiles, audit_fault, audit_report
from door_sync.app.causes import causes, fault_of_the_program, sights, unwritable_file
from door_sync.app.remembering import AlertFiles
from door_sync.app.report import CycleReport, Ending
from door_sync.journal.state import SiteState, update_state
from door_sync.ports import Clock, DoorSyncError


@dataclass(frozen=True, slots=True)
class OpsFiles:
    """Where the audit lines, the state and the flag of a site are (`[ops]` of §10), and the
    journal that the audit lines are held against; None for one that is kept in memory."""

    audit: Path
    state: Path
    flag: Path
    journal: Path | None = None


def record_outside(
    report: CycleReport,
    files: OpsFiles,
    clock: Clock,
    ways: Ways | None = None,
    *,
    is_early_retry: bool = False,
) -> CycleReport:
    """Write what others read about this cycle, and call for a person where one is needed.

    Return the report with what went wrong at that. A dry run writes an audit line, as it always
    did, and touches neither state nor flag. Without `ways` the flag alone calls.
    """
    troubles = list(report.troubles)
    for write in (_audit,) if report.dry_run else (_audit, _state):
        try:
            write(replace(report, troubles=tuple(troubles)), files, clock)
        except DoorSyncError as error:
            troubles.append(_trouble(error))
    report = replace(report, troubles=tuple(troubles))
    if report.dry_run:
        return report
    failed = frozenset(result.change.contact_id for result in report.failed)
    found = Found(tuple(causes(report)), sights(report), failed, is_early_retry)
    called = call_for_a_person(found, _alert_files(files), ways or Ways(), clock)
    troubles += filter(None, [called.trouble])
    return replace(report, troubles=tuple(troubles), unsent=called.unsent)


def record_fault(error: Exception, files: OpsFiles, clock: Clock, ways: Ways | None = None) -> None:
    """Leave the traces of a cycle that died of a fault of the program: audit, state, flag, alert.

    What cannot be written is passed over: the fault itself is what must come out.
    """
    found = [fault_of_the_program(error)]
    try:
        audit_fault(error, _audit_files(files), clock.now())
    except DoorSyncError as trouble:
        found.append(unwritable_file(_trouble(trouble)))
    try:
        update_state(files.state, SiteState.failed)
    except DoorSyncError as trouble:
        found.append(unwritable_file(_trouble(trouble)))
    call_for_a_person(Found(tuple(found)), _alert_files(files), ways or Ways(), clock)


def _trouble(error: DoorSyncError) -> str:
    return f"{error.message}. {error.remedy}".strip()


def _alert_files(files: OpsFiles) -> AlertFiles:
    return AlertFiles(files.flag, files.journal)


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

"""After a cycle: the audit line, the state file and the flag (§7).

The journal has the record already. A file beside it that cannot be written changes nothing at the
doors, so it stops nothing either; it is reported, and the cycle does not count as clean.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from door_sync.app.report import CycleReport, Ending
from door_sync.app.sentences import UNCHANGED, named, sentence
from door_sync.core.decision import Decision
from door_sync.core.guards import Objection, holds_cycle
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
    """Leave the traces of a cycle that died of a fault of the program: audit, state, flag.

    What cannot be written is passed over: the fault itself is what must come out.
    """
    cause = Cause(
        happened=f"The last cycle broke off with a fault of the program ({type(error).__name__}).",
        doors="What was written before that stays; everybody else keeps the access they have, also "
        "people who left.",
        settles="The next cycle tries again. If it breaks off too, run `door-sync -v run --once` "
        "and report what it prints.",
    )
    line = AuditedCycle(clock.now(), "", Crashed(error))
    with suppress(DoorSyncError):
        raise_flag(files.flag, flag_text([cause]))
    with suppress(DoorSyncError):
        append_cycle(files.audit, line)
    with suppress(DoorSyncError):
        update_state(files.state, SiteState.failed)


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
            case _:
                assert_never(report.ending)

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
    if isinstance(report.error, JournalError):
        found.append(unwritable_journal(report.error))
    elif report.error is not None:
        written = report.ledger is not None and report.ledger.writes > 0
        found.append(_stopped(report.error, is_halfway=written))
    if report.decision is not None:
        found += [_objected(one, report.decision) for one in report.decision.objections]
    if report.failed:
        people = named(result.change.contact_id for result in report.failed)
        found.append(
            Cause(
                f"The changes for {people} failed.",
                "These people may still have access that they should not have, or lack theirs.",
                "The next cycle tries again; `door-sync run --once` says what goes wrong.",
            )
        )
    found += [
        Cause(
            sentence(text),
            "Nothing: the cycle itself is not affected, only what tells people about it.",
            "Mend the file named above; the next cycle writes it.",
        )
        for text in report.troubles
    ]
    return found


def _stopped(error: DoorSyncError, *, is_halfway: bool) -> Cause:
    halfway = "What was written before stays; all others keep the access they have, also people "
    return Cause(
        f"The cycle stopped: {error.message.removesuffix('.')}.",
        halfway + "who left." if is_halfway else UNCHANGED,
        sentence(error.remedy) or "The next cycle tries again.",
    )


def _objected(objection: Objection, decision: Decision) -> Cause:
    waits = "What this guard counts waits for a person; everything else goes on."
    return Cause(
        f"Guard '{objection.guard}': {sentence(objection.text)}",
        UNCHANGED if holds_cycle(decision.objections) else waits,
        sentence(objection.remedy),
    )

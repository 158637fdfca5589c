"""One cycle: gather · decide · act · verify · record (design.md §2, §4)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from door_sync.app.canaries import Canaries, believe
from door_sync.app.collector import collector_paused
from door_sync.app.recall import (
    card_list_digest,
    recall,
    row_digest,
    with_remembered_aliases,
)
from door_sync.app.report import CycleReport, Ending
from door_sync.app.sentences import each_once
from door_sync.core.cards import CardNumber
from door_sync.core.controller import Snapshot, UserId, UserStatus
from door_sync.core.decision import Decision, Habits, Remembered, World, decide, to_ask
from door_sync.core.leavers import leavers
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass, DeactivateUser, ImportCard
from door_sync.ports import (
    Clock,
    ControllerError,
    CycleRecord,
    DoorController,
    DoorSyncError,
    GoodCounts,
    Journal,
    JournalError,
    MemberSource,
    PlanDrifted,
    SourceError,
    SourceReading,
)
from door_sync.unifi.executor import SILENT_LIMIT, Executor
from door_sync.unifi.ledger import Ledger, Outcome


class Progress:
    """Told how a cycle goes on; this one says nothing."""

    def stage(self, text: str) -> None:
        """Take note that something new begins."""

    def steps(self, done: int, all_: int) -> None:
        """Take note that so many of all steps are behind."""

    def goes_on(self) -> None:
        """Take note that something moves, though there is nothing to show. Any thread may call."""


@dataclass(frozen=True)
class Parts:
    """What a cycle of one site works with. Nothing here is global: many sites run side by side.

    `is_lasting` is False for a journal that is forgotten with the process, and its key with it.
    """

    source: MemberSource
    controller: DoorController
    journal: Journal
    habits: Habits
    clock: Clock
    canaries: Canaries = field(default_factory=Canaries)
    is_lasting: bool = True


@dataclass(frozen=True)
class _Gathered:
    world: World
    remembered: Remembered
    leaving: frozenset[ContactId]


def dry_run(parts: Parts, progress: Progress | None = None) -> CycleReport:
    """Read both sides and decide; write nothing anywhere (P7). Errors are in the report."""
    progress = progress or Progress()
    return _decided(parts, lambda: _gather(parts, progress))


def dry_run_on(parts: Parts, reading: SourceReading, snapshot: Snapshot) -> CycleReport:
    """Decide as a dry run would that had read this; who only the controller knows is asked for."""
    return _decided(parts, lambda: _recalled(parts, reading, snapshot))


def _decided(parts: Parts, gather: Callable[[], _Gathered]) -> CycleReport:
    report = CycleReport(
        parts.clock.now(),
        dry_run=True,
        key=parts.journal.site_key(),
        is_lasting=parts.is_lasting,
    )
    try:
        with collector_paused():
            gathered = gather()
            decision = decide(gathered.world, parts.habits, gathered.remembered)
    except DoorSyncError as error:
        return replace(report, error=error)
    return replace(report, decision=decision, world=gathered.world)


def live_run(
    parts: Parts,
    progress: Progress | None = None,
    check: Callable[[Decision], None] = lambda _: None,
) -> CycleReport:
    """Run one cycle for real. What an operator can do something about is in the report.

    `check` sees what was decided before anything is written; if it raises PlanDrifted, nothing is.
    Any other exception is a fault of the program: the journal says `crashed` and it goes on up.
    The caller holds the site's lock.
    """
    progress = progress or Progress()
    started = parts.clock.now()
    record = parts.journal.begin(started)
    report = CycleReport(
        started, dry_run=False, key=parts.journal.site_key(), cycle_id=record.cycle_id
    )
    try:
        try:
            with collector_paused():
                gathered = _gather(parts, progress)
                decision = decide(gathered.world, parts.habits, gathered.remembered)
            check(decision)
            report = replace(report, decision=decision, world=gathered.world)
            # Before any write: once somebody is in, nothing else tells that the site was new (§6).
            record.provisioning(open_=decision.provisioning)
            _remember_hold(record, gathered.remembered, decision, report.key)
            record.learned(leavers(decision, gathered.world.snapshot, gathered.leaving))
            if decision.plan.changes or not decision.is_in_doubt:
                report = _act(parts, record, gathered.world, report, decision, progress)
        except (SourceError, ControllerError, PlanDrifted) as error:
            report = replace(report, error=error)
        _end(record, report)
    except JournalError as error:
        report = replace(report, error=error)
        with suppress(JournalError):  # whatever locked the journal may have let it go by now
            _end(record, report)
    except Exception as error:
        with suppress(JournalError):  # the fault itself is what must come out
            record.end("crashed", "", {}, type(error).__name__)
        raise
    return report


def _end(record: CycleRecord, report: CycleReport) -> None:
    record.end(EVENT[report.ending], report.digest(), report.summary(), report.reason())


EVENT = {
    Ending.CLEAN: "applied",
    Ending.PARTIAL: "partial",
    Ending.HELD: "halted",
    Ending.FAILED: "failed",
}
"""The word with which the journal says how a cycle ended."""


def _gather(parts: Parts, progress: Progress) -> _Gathered:
    """Read both sides at once, then ask for the people whom only the controller knows (R1)."""
    return _recalled(parts, *read_both(parts, progress))


def read_both(parts: Parts, progress: Progress) -> tuple[SourceReading, Snapshot]:
    """Read both sides at once, and see that each shows its canary; raise DoorSyncError."""
    progress.stage("Reading CiviCRM and the controller")
    with ThreadPoolExecutor(1) as beside:
        snapshot_to_come = beside.submit(parts.controller.read)
        try:
            reading = parts.source.read()
        except SourceError as error:
            raise _with_the_other_side(error, snapshot_to_come.exception()) from error
        snapshot = snapshot_to_come.result()
    believe(parts.canaries, reading, snapshot)
    return reading, snapshot


def _recalled(parts: Parts, reading: SourceReading, snapshot: Snapshot) -> _Gathered:
    now = parts.clock.now()
    memory, key = parts.journal.memory(now), parts.journal.site_key()
    asked = to_ask(reading.members.keys(), snapshot)
    answered = parts.source.read_contacts(asked) if asked else {}
    members = {**reading.members, **answered}
    wanted = (m.card for m in members.values() if isinstance(m.card, CardNumber))
    snapshot = with_remembered_aliases(snapshot, memory, key, wanted)
    world = World(
        members=reading.members,
        membership_types=reading.membership_types,
        snapshot=snapshot,
        today=now.date(),
        asked=asked,
        answered=answered,
    )
    return _Gathered(world, recall(memory, key, members, snapshot, now), memory.leaving)


def _with_the_other_side(error: SourceError, other: BaseException | None) -> SourceError:
    """Return the error, saying too if the controller could not be read: both need mending."""
    if not isinstance(other, DoorSyncError):
        return error
    message = f"{error.message}. Nor could the controller be read: {other.message}"
    return type(error)(message, remedy=each_once((error.remedy, other.remedy)))


def _remember_hold(
    record: CycleRecord, remembered: Remembered, decision: Decision, key: bytes
) -> None:
    """Keep what waits for a person, and end the approvals that have done their work (§6)."""
    texts: dict[str, str] = {}
    for one in decision.objections:
        texts[one.guard] = f"{texts[one.guard]}; {one.text}" if one.guard in texts else one.text
    approvals = remembered.approvals
    used_up = decision.used_up(approvals) if approvals is not None else ()
    record.decided(decision.hold(key), texts, used_up)


def _act(
    parts: Parts,
    record: CycleRecord,
    world: World,
    report: CycleReport,
    decision: Decision,
    progress: Progress,
) -> CycleReport:
    if decision.plan.changes:
        progress.stage("Writing to the controller")
    executor = Executor(
        controller=parts.controller,
        record=record,
        key=report.key,
        known=world.snapshot,
        managed=decision.policies.managed,
        world=_world_of_imports(report.key, world, decision),
        progress=progress.steps,
        uncounted=decision.uncounted,
    )
    ledger = executor.ledger
    try:
        executor.run(decision.plan)
    except JournalError as error:
        # Nothing more is written (P13). What was sent is read back all the same, to be told.
        _break_off(decision, ledger)
        _verify(parts, ledger, decision, report.key, progress)
        return replace(report, ledger=ledger, error=error)
    proofs = _verify(parts, ledger, decision, report.key, progress)
    try:
        if not decision.is_in_doubt:  # a part of a plan may run although the rest is held (§6)
            # Whom the controller only says to have made would make its next list a short one.
            users = len(world.snapshot.users) + len(proofs.there & {*ledger.users.values()})
            record.good_read(GoodCounts(len(world.members), users), decision.missing)
        for digest in proofs.statusless:
            record.remember_statusless(digest)
        executor.at.record_proofs()
        record.proven(_shut(ledger, proofs))
        if ledger.fatal is None and not decision.is_in_doubt:
            record.provisioning(open_=decision.provisioning and _grants_left(decision, ledger))
    except JournalError as error:
        return replace(report, ledger=ledger, error=error)
    return replace(report, ledger=ledger, error=ledger.fatal)


def _world_of_imports(key: bytes, world: World, decision: Decision) -> str:
    """Return what a failed import is remembered with (R3); without an import nobody asks for it,
    and it would be made of every card."""
    steps = (step for change in decision.plan.changes for step in change.steps)
    if any(isinstance(step, ImportCard) for step in steps):
        return card_list_digest(key, world.snapshot)
    return ""


def _break_off(decision: Decision, ledger: Ledger) -> None:
    """Count as failed what was not reached, or not known to be done, when the record broke off."""
    reached = {id(result.planned.step) for result in ledger.results}
    for planned in decision.plan.steps():
        if id(planned.step) not in reached:
            ledger.note(planned, Outcome.FAILED, "the record of the cycle broke off before this")


@dataclass
class _Proofs:
    """What the read-back showed: the digests of rows without a status whose revocation it proves
    (R2), which users are there, and when each was read."""

    statusless: list[str] = field(default_factory=list)
    there: set[UserId] = field(default_factory=set)
    read_at: dict[UserId, datetime] = field(default_factory=dict)


def _verify(
    parts: Parts,
    ledger: Ledger,
    decision: Decision,
    key: bytes,
    progress: Progress,
) -> _Proofs:
    """Read everybody back who was written to, and compare (P10).

    After SILENT_LIMIT reads in a row that failed nobody else is asked for, and nobody else proven.
    """
    if ledger.proofs:
        progress.stage("Reading back what was written")
    in_vain = 0
    proofs = _Proofs()
    for number, user_id in enumerate(sorted(ledger.proofs), start=1):
        if in_vain >= SILENT_LIMIT:
            ledger.cannot_prove(user_id, "the controller did not answer for others either")
            continue
        try:
            user = parts.controller.user(user_id)
        except ControllerError as error:
            in_vain += 1
            ledger.cannot_prove(user_id, error.message)
            continue
        in_vain = 0
        proven = ledger.prove(user_id, user, decision.policies.managed)
        proofs.read_at[user_id] = parts.clock.now()
        if user is not None:
            proofs.there.add(user_id)
        is_mute = user is not None and user.status is UserStatus.UNKNOWN
        was_revoked = ledger.proofs[user_id].status_was_unknown
        if proven and user is not None and is_mute and was_revoked:
            proofs.statusless.append(row_digest(key, user))
        progress.steps(number, len(ledger.proofs))
    return proofs


def _shut(ledger: Ledger, proofs: _Proofs) -> dict[ContactId, datetime]:
    """Return who surely has no access any more, and when the last of their users was read back."""
    found = {}
    for (contact_id, change_class), result in ledger.changes.items():
        if change_class is ChangeClass.REVOKE and result.is_done:
            users = (one.user for one in result.change.steps if isinstance(one, DeactivateUser))
            found[contact_id] = max(proofs.read_at[user_id] for user_id in users)
    return found


def _grants_left(decision: Decision, ledger: Ledger) -> bool:
    """Say whether somebody still waits for a first grant, so that provisioning goes on (§6)."""
    held = any(change_class is ChangeClass.GRANT for _, change_class in decision.held)
    failed = any(one.change.change_class is ChangeClass.GRANT for one in ledger.failed)
    return held or failed

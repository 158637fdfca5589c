"""From what a cycle found to why a person is needed (P14), with contact ids alone (P12)."""

from collections.abc import Collection, Iterable

from door_sync.app.report import CycleReport
from door_sync.app.sentences import UNCHANGED, each_once, named, sentence
from door_sync.core.causes import Cause, Identity
from door_sync.core.custody import RESTORED
from door_sync.core.decision import Decision
from door_sync.core.guards import holds_cycle
from door_sync.core.people import ContactId
from door_sync.core.steps import Blocked, Notice, NoticeKind
from door_sync.notify.alerts import Sight
from door_sync.notify.flag import BY_HAND
from door_sync.notify.notifier import NotifyError
from door_sync.ports import (
    ControllerError,
    ControllerUnreachable,
    DoorSyncError,
    JournalError,
    SourceError,
    SourceUnreachable,
)
from door_sync.unifi.binding import JUST_NOW

_PASSING = (RESTORED, JUST_NOW)

NOTHING_FOR_THE_DOORS = (
    "Nothing: the cycle itself is not affected, only what tells people about it."
)


def causes(report: CycleReport) -> list[Cause]:
    """Return why a person is needed after this cycle; nothing after a clean one (§7)."""
    found = []
    if isinstance(report.error, JournalError):
        found.append(unusable_journal(report.error))
    elif report.error is not None:
        written = report.ledger is not None and report.ledger.writes > 0
        found.append(_stopped(report.error, is_halfway=written))
    if report.decision is not None and report.decision.objections:
        found.append(_held(report.decision, report.hold_digest))
    if report.failed:
        found.append(_failed(result.change.contact_id for result in report.failed))
    found += _blocked(report.blocked)
    found += _stale(report.notices)
    found += map(unwritable_file, report.troubles)
    return found


def sights(report: CycleReport) -> frozenset[Sight]:
    """Return what this cycle got to see; a cause that it could not see is not resolved by it."""
    has_journal = bool(report.cycle_id) and not isinstance(report.error, JournalError)
    has_written = report.ledger is not None and report.error is None
    seen = {
        Sight.JOURNAL: has_journal,
        Sight.DECISION: report.decision is not None,
        Sight.WRITES: has_written,
        Sight.END: report.error is None,
    }
    return frozenset(sight for sight, is_seen in seen.items() if is_seen)


def unusable_journal(error: JournalError) -> Cause:
    """Return the cause that stands while the journal cannot be written: no cycle runs (§7)."""
    return Cause(
        Identity.JOURNAL,
        happened=f"No cycle runs, because its record cannot be kept: {error.message}.",
        doors="Revocations are not happening: people who left can still open doors. What was "
        "written before stays, and everybody else keeps the access they have.",
        settles=f"{error.remedy} {BY_HAND}".lstrip(),
    )


def fault_of_the_program(error: Exception) -> Cause:
    """Return the cause for a cycle that died of a fault of the program; its class alone is told."""
    return Cause(
        Identity.FAULT,
        happened=f"The last cycle broke off with a fault of the program ({type(error).__name__}).",
        doors="What was written before that stays; everybody else keeps the access they have, also "
        "people who left.",
        settles="The next cycle tries again. If it breaks off too, run `door-sync -v run --once` "
        "and report what it prints.",
    )


def unwritable_file(trouble: str) -> Cause:
    """Return the cause for a file beside the journal that could not be written (§7)."""
    return Cause(
        Identity.FILES,
        sentence(trouble),
        NOTHING_FOR_THE_DOORS,
        "Mend the file named above; the next cycle writes it.",
    )


def broken_channel(error: NotifyError) -> Cause:
    """Return the cause for alerts that could not be sent; the flag alone can tell of it."""
    return Cause(
        Identity.CHANNEL,
        f"An alert could not be sent: {sentence(error.message)}",
        NOTHING_FOR_THE_DOORS,
        f"{sentence(error.remedy)} `door-sync notify-test` tries it; what was not sent is sent "
        "with the next cycle.".lstrip(),
    )


def undone(changes: Collection[tuple[ContactId, str]]) -> Cause:
    """Return the cause for changes that were written in one cycle after the other."""
    people = named(contact_id for contact_id, _ in changes)
    kinds = ", ".join(sorted({kind for _, kind in changes}))
    return Cause(
        Identity.NOT_CONVERGING,
        f"The same changes ({kinds}) for {people} were written and read back in each of the last "
        "cycles, and were gone again by the next one.",
        "These people have what CiviCRM gives them only until something changes it back.",
        "Look for what else writes to the controller: another program, a second door-sync with "
        "other settings, an administrator, an identity provider. `door-sync plan` shows what is "
        "written next.",
    )


def _stopped(error: DoorSyncError, *, is_halfway: bool) -> Cause:
    halfway = "What was written before stays; all others keep the access they have, also people "
    identity = Identity.STOPPED
    if isinstance(error, SourceError):
        identity = Identity.SOURCE
    elif isinstance(error, ControllerError):
        identity = Identity.TARGET
    return Cause(
        identity,
        f"The cycle stopped: {error.message.removesuffix('.')}.",
        halfway + "who left." if is_halfway else UNCHANGED,
        sentence(error.remedy) or "The next cycle tries again.",
        may_pass=isinstance(error, SourceUnreachable | ControllerUnreachable),
    )


def _held(decision: Decision, digest: str) -> Cause:
    found = decision.objections
    waits = "What this guard counts waits for a person; everything else goes on."
    settles = [sentence(one.remedy) for one in found]
    if digest and any(one.is_approvable for one in found):
        settles.append(
            f"`door-sync approve {digest}` lets it through as it is; `door-sync reject {digest}` "
            "says that it is wrong."
        )
    return Cause(
        Identity.HELD,
        each_once(f"Guard '{one.guard}': {sentence(one.text)}" for one in found),
        UNCHANGED if holds_cycle(found) else waits,
        each_once(settles),
    )


def _failed(people: Iterable[ContactId]) -> Cause:
    return Cause(
        Identity.PEOPLE_FAILED,
        f"The changes for {named(people)} failed.",
        "These people may still have access that they should not have, or lack theirs.",
        "The next cycle tries again; `door-sync run --once` says what goes wrong.",
    )


def _blocked(blocked: Iterable[Blocked]) -> list[Cause]:
    """Return the cause for cards that only a person can free.

    Those of a hold wait for it; others come to their member in the next cycle by themselves.
    """
    waiting = [one for one in blocked if not one.waits_for_hold and one.reason not in _PASSING]
    if not waiting:
        return []
    people = named(one.contact_id for one in waiting)
    without = [one.contact_id for one in waiting if one.leaves_no_card]
    doors = "They cannot open doors with the card that CiviCRM gives them."
    if without:
        doors += f" No working card at all: {named(without)}."
    return [
        Cause(
            Identity.BLOCKED,
            f"The cards of {people} are blocked: somebody else holds them, or the controller "
            "refused them.",
            doors,
            "`door-sync plan` shows who holds each card. Ask them to return it and take it off "
            "them in the controller, or correct the number in CiviCRM.",
        )
    ]


def _stale(notices: Iterable[Notice]) -> list[Cause]:
    people = [
        one.contact_id
        for one in notices
        if one.kind is NoticeKind.STALE_MEMBERSHIP and one.contact_id is not None
    ]
    if not people:
        return []
    return [
        Cause(
            Identity.STALE,
            f"Memberships of {named(people)} ended long ago by their date, but CiviCRM still calls "
            "them active.",
            'With civicrm.stale = "warn" these people keep their access, with "deny" they lose it. '
            "Others whose membership ends keep theirs as long as CiviCRM does not notice.",
            "Run CiviCRM's scheduled job 'Update Membership Statuses' and see that it runs daily; "
            "or correct these memberships.",
        )
    ]

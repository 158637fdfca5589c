"""Cutting somebody off at once, and lifting that again: no CiviCRM, no lock, no guard (§6).

The cut-off is on record before anything else happens: whatever becomes of the rest, no cycle gives
access any more, and the next one finishes what was begun. Then the controller is told.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from door_sync.app.auditing import DONE, FAILED, AuditFiles, audit_command
from door_sync.app.sentences import named, sentence
from door_sync.app.shutting import Fate, Person, Shut, shut_out
from door_sync.core.leavers import Leavers
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.journal.audit import Applied, AuditCounts, AuditedChange, AuditedCycle, Crashed
from door_sync.journal.cutoffs import CutOff, Reason
from door_sync.journal.memory import InMemoryJournal
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import (
    Clock,
    ControllerError,
    CycleRecord,
    DoorController,
    DoorSyncError,
    JournalError,
)

COMMAND: Final = "revoke"
"""The word of this command in the journal and the audit file."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A cut-off that stands; `is_new` if this call recorded it."""

    cut_off: CutOff
    is_new: bool


@dataclass(frozen=True)
class Revoked:
    """What `revoke` did. `standing` is empty without a record: then it does not stick.

    `error` is why the controller was not, or not wholly, told; `troubles` are files that could not
    be written.
    """

    shut: Shut
    reason: Reason
    standing: tuple[Standing, ...] = ()
    cycle_id: str = ""
    troubles: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody who was to be cut off, in the order in which they were named."""
        return self.shut.people

    @property
    def error(self) -> ControllerError | None:
        """What ended it early."""
        return self.shut.error

    @property
    def is_on_record(self) -> bool:
        """Say whether it sticks."""
        return bool(self.standing)

    @property
    def exit_code(self) -> int:
        """Return 0 if surely nobody of them opens a door, 2 without the controller, else 3 (§8)."""
        if self.shut.is_good:
            return 0
        return 3 if self.error is None else self.error.exit_code


def revoke(
    contact_ids: Sequence[ContactId],
    controller: DoorController,
    journal_path: Path,
    audit_path: Path,
    clock: Clock,
    asked_by: str,
    reason: Reason,
) -> Revoked:
    """Cut these people off: on record first, then in the controller.

    Raise JournalError if that cannot be recorded; it says what was done, and its remedy names the
    way without a record. An audit line that cannot be written is left to the next cycle.
    """
    recorded: list[ContactId] = []
    with (
        _telling_what_was_done(contact_ids, recorded),
        SqliteJournal.open(journal_path, clock) as journal,
    ):
        cut_offs = journal.cut_offs()
        new = set[ContactId]()
        for contact_id in contact_ids:
            if cut_offs.cut(contact_id, asked_by, reason):
                new.add(contact_id)
            recorded.append(contact_id)
        standing = tuple(
            Standing(one, is_new=one.contact_id in new)
            for one in cut_offs.standing()
            if one.contact_id in contact_ids
        )
        record = journal.begin_command(clock.now(), COMMAND, asked_by)
        shut = shut_out(contact_ids, controller, record, journal.site_key())
        _end(record, shut, clock)
    done = Revoked(shut, reason, standing, record.cycle_id)
    try:
        audit_command(_audited(done, clock), AuditFiles(audit_path, journal_path))
    except DoorSyncError as error:
        return replace(done, troubles=(f"{error.message}. {error.remedy}".strip(),))
    return done


def revoke_without_record(
    contact_ids: Sequence[ContactId], controller: DoorController, clock: Clock, reason: Reason
) -> Revoked:
    """Do the controller's part alone: nothing is written down, and so it does not stick (§7)."""
    with InMemoryJournal(clock) as journal:
        record = journal.begin(clock.now())
        return Revoked(shut_out(contact_ids, controller, record, journal.site_key()), reason)


@dataclass(frozen=True, slots=True)
class Restored:
    """One contact whose cut-off was to be lifted; `lifted` is None if none was standing."""

    contact_id: ContactId
    lifted: CutOff | None


def restore(
    contact_ids: Sequence[ContactId], journal_path: Path, clock: Clock, asked_by: str
) -> tuple[Restored, ...]:
    """Lift the cut-offs of these people; nothing is written to the controller.

    Raise JournalError.
    """
    with SqliteJournal.open(journal_path, clock) as journal:
        cut_offs = journal.cut_offs()
        return tuple(Restored(one, cut_offs.lift(one, asked_by)) for one in contact_ids)


@contextmanager
def _telling_what_was_done(
    contact_ids: Sequence[ContactId], recorded: Sequence[ContactId]
) -> Iterator[None]:
    """Let a JournalError say how far it came, and name the way that needs no journal (§7)."""
    try:
        yield
    except JournalError as error:
        people = " ".join(map(str, contact_ids))
        done = "Nothing was done"
        if len(recorded) == len(contact_ids):
            done = "The cut-off is on record, but the controller may not be told yet"
        elif recorded:
            done = f"Nothing was done but to put {named(recorded)} on record"
        remedy = f"`door-sync revoke {people} --without-record` cuts them off without it. "
        raise JournalError(
            f"{done}: {error.message}", remedy=f"{remedy}{sentence(error.remedy)}".strip()
        ) from error


def _end(record: CycleRecord, shut: Shut, clock: Clock) -> None:
    fates = {person.contact_id: person.fate for person in shut.people}
    now = clock.now()
    record.proven({one: now for one, fate in fates.items() if fate is Fate.CUT})
    record.learned(Leavers(shut=frozenset(c for c, f in fates.items() if f is Fate.NOTHING)))
    event, message = "applied", ""
    if not shut.is_good:
        event = "partial" if shut.error is None else "failed"
        message = "" if shut.error is None else shut.error.message
    record.end(event, "", asdict(_counts(shut)), message)


def _counts(shut: Shut) -> AuditCounts:
    return AuditCounts(deactivated=sum(person.fate is Fate.CUT for person in shut.people))


def _audited(done: Revoked, clock: Clock) -> AuditedCycle:
    """Return what the audit line says; whoever had no access to lose is not in it."""
    shut = done.shut
    return AuditedCycle(
        at=clock.now(),
        cycle_id=done.cycle_id,
        ending=Applied() if shut.error is None or shut.is_good else Crashed(shut.error),
        counts=_counts(shut),
        changes=[
            AuditedChange(
                person.contact_id,
                ChangeClass.REVOKE.value,
                DONE if person.fate is Fate.CUT else FAILED,
            )
            for person in sorted(shut.people, key=lambda one: one.contact_id)
            if person.fate is not Fate.NOTHING
        ],
        command=COMMAND,
    )

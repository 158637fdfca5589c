"""What a person says to a held plan: let it pass, a part of it, or not at all (§6)."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from door_sync.core.guards import UNAPPROVABLE
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from door_sync.journal.errors import journal_errors
from door_sync.journal.holds import APPROVAL_AGE, HoldBook, KeptHold
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import Clock, DoorSyncError, JournalError


class NotApproved(DoorSyncError):
    """What was asked for does not fit what waits; nothing was recorded."""

    exit_code: ClassVar[int] = 64


class CannotPass(DoorSyncError):
    """An approval could not settle what holds this plan; nothing was recorded."""

    exit_code: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Approved:
    """What a person let through: these changes of this hold, until then."""

    hold: KeptHold
    changes: tuple[tuple[ContactId, ChangeClass], ...]
    rest: tuple[tuple[ContactId, ChangeClass], ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Rejected:
    """What a person refused, and how many approvals that took back."""

    hold: KeptHold
    withdrawn: int


def approve(
    journal_path: Path,
    clock: Clock,
    digest: str,
    asked_by: str,
    *,
    classes: Collection[ChangeClass] = (),
    contacts: Collection[ContactId] = (),
) -> Approved:
    """Let the waiting plan of this digest pass for 24 hours, or the part with these classes and
    contacts; return what that is. Raise NotApproved, CannotPass, JournalError."""
    with _book(journal_path, clock) as book:
        kept = _waiting(book, digest)
        hopeless = sorted(UNAPPROVABLE & kept.hold.guards.keys())
        if hopeless:
            raise CannotPass(
                f"the plan {kept.hold.digest} cannot be approved: the guard '{hopeless[0]}' is "
                f"settled by mending the data or the settings only. {kept.texts[hopeless[0]]}",
                remedy="`door-sync plan` says what settles it. Nobody's access was changed.",
            )
        chosen = tuple(
            (contact_id, change_class)
            for contact_id, change_class in changes_of(kept)
            if (not classes or change_class in classes) and (not contacts or contact_id in contacts)
        )
        if not chosen and (classes or contacts):
            raise NotApproved(
                f"nothing in the plan {kept.hold.digest} is of that class or contact",
                remedy="`door-sync status` lists what waits. Nothing was approved.",
            )
        until = clock.now() + APPROVAL_AGE
        book.approve(kept.hold.digest, asked_by, classes, contacts)
    rest = tuple(one for one in changes_of(kept) if one not in chosen)
    return Approved(kept, chosen, rest, until)


def reject(journal_path: Path, clock: Clock, digest: str, asked_by: str) -> Rejected:
    """Refuse the waiting plan of this digest, and take back what was approved of it.

    Raise NotApproved, JournalError.
    """
    with _book(journal_path, clock) as book:
        kept = book.find(_tidy(digest))
        if kept is None or (kept.closed_at is not None and not _is_approved(book, kept)):
            kept = _waiting(book, digest)
        return Rejected(kept, book.reject(kept.hold.digest, asked_by))


def changes_of(kept: KeptHold) -> tuple[tuple[ContactId, ChangeClass], ...]:
    """Return the changes of a hold: contact and class, leavers first."""
    order = list(ChangeClass)
    found = {(one.contact_id, one.change_class) for one in kept.hold.effects}
    return tuple(sorted(found, key=lambda one: (order.index(one[1]), one[0])))


def _waiting(book: HoldBook, digest: str) -> KeptHold:
    kept = book.find(_tidy(digest))
    if kept is not None and kept.closed_at is None:
        return kept
    what = "is on record" if kept is None else "waits any more: what it held has changed since"
    raise NotApproved(
        f"no plan {_tidy(digest)} {what}",
        remedy=_instead(one.hold.digest for one in book.waiting()),
    )


def _instead(digests: Iterable[str]) -> str:
    waiting = ", ".join(digests)
    if waiting:
        return f"What waits now is {waiting}; `door-sync status` says what is in it."
    return "Nothing waits. A live cycle (`door-sync run --once`) puts what it holds on record."


def _is_approved(book: HoldBook, kept: KeptHold) -> bool:
    return any(hold.hold.digest == kept.hold.digest for hold, _ in book.in_force())


def _tidy(digest: str) -> str:
    return "".join(one for one in digest.strip().lower() if one.isprintable())[:40]


@contextmanager
def _book(path: Path, clock: Clock) -> Iterator[HoldBook]:
    """Open the site's journal for a person's word; raise JournalError if there is none."""
    with journal_errors(path):
        is_there = path.exists()
    if not is_there:
        raise JournalError(
            f"there is no journal at {path}, so nothing waits",
            remedy="The first live cycle makes it; ops.history_db says where it is.",
        )
    with SqliteJournal.open(path, clock) as journal:
        yield journal.holds()

"""Why somebody may or may not open doors: gathered as a dry run does, and explained (P7).

Nothing is written anywhere. Each side that fails to answer costs its own part of the explanation:
what is on record is told even if neither can be read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from door_sync.app.cycle import Parts, Progress, dry_run
from door_sync.app.past import Story
from door_sync.app.report import CycleReport
from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import UserId
from door_sync.core.explain import Explanation, explain
from door_sync.core.people import ContactId, PersonInFull
from door_sync.core.telling import Told, what_to_tell
from door_sync.journal.cutoffs import CutOff
from door_sync.ports import ControllerError, DoorSyncError, SourceError
from door_sync.unifi.taps import Bearer, Taps

TAPS_AGE: Final = timedelta(days=7)
"""How far back the controller's log is asked."""


class Registry(Protocol):
    """Where one contact can be asked for in full."""

    def read_in_full(self, contact_id: ContactId) -> PersonInFull | None:
        """Return one contact with every membership; None if it is not returned."""
        ...


class TapLog(Protocol):
    """Where the taps of one person can be read."""

    def taps(self, bearer: Bearer, since: datetime, until: datetime) -> Taps | None:
        """Return a person's taps between two moments; None without the right."""
        ...


@dataclass(frozen=True)
class TapsSeen:
    """What the controller's log says. `taps` is None without the right to read it, or if `error`
    says why it could not be read."""

    since: datetime
    taps: Taps | None = None
    error: str = ""


@dataclass(frozen=True)
class Explained:
    """One person, explained. `report` is that of a dry run; `explanation` is None if a side could
    not be read or believed, and then `error` says why.

    `cut_off` is who cut them off by hand, and why, while that stands. `story` is None if there is
    no journal yet.
    """

    contact_id: ContactId
    report: CycleReport
    explanation: Explanation | None = None
    told: Told | None = None
    taps: TapsSeen | None = None
    cut_off: CutOff | None = None
    story: Story | None = None
    error: DoorSyncError | None = None

    @property
    def exit_code(self) -> int:
        """Return 0 if it could be explained, else the code of the error (§8)."""
        return 0 if self.error is None else self.error.exit_code


def explain_contact(
    contact_id: ContactId,
    parts: Parts,
    registry: Registry,
    log: TapLog,
    progress: Progress,
) -> Explained:
    """Read both sides, ask for this contact besides, and return the reasons; write nothing.

    Raise JournalError.
    """
    report = dry_run(parts, progress)
    found = Explained(contact_id, report, error=report.error)
    if report.decision is None or report.world is None:
        return found
    progress.stage(f"Asking for contact {contact_id}")
    now = parts.clock.now()
    cut_off = parts.journal.memory(now).cut_off
    try:
        in_full = registry.read_in_full(contact_id)
    except SourceError as error:
        return Explained(contact_id, report, error=error)
    explanation = explain(contact_id, report.world, parts.habits, report.decision, cut_off, in_full)
    return Explained(
        contact_id,
        report,
        explanation,
        what_to_tell(explanation),
        _taps(explanation, log, now),
    )


def _taps(found: Explanation, log: TapLog, now: datetime) -> TapsSeen | None:
    """Read the taps of the person's users and cards; None for somebody without either."""
    bearer = bearer_of(found)
    if not bearer.users and bearer.number is None:
        return None
    since = now - TAPS_AGE
    try:
        return TapsSeen(since, log.taps(bearer, since, now))
    except ControllerError as error:
        return TapsSeen(since, error=error.message)


def bearer_of(found: Explanation) -> Bearer:
    """Return a person as the controller's log may know them."""
    users: set[UserId] = {one.user.id for one in found.users}
    tokens: set[CardToken] = {card.token for one in found.users for card in one.cards}
    number: CardNumber | None = None if found.shares_with else found.number
    return Bearer(frozenset(users), frozenset(tokens), number)

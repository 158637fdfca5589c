"""Nobody who was cut off by hand gets access, in whatever order things happen (§6).

The list of cut-offs is looked at twice. Before a write that gives access: whoever is on the list
gets no such write. And once more after it: `door-sync revoke` may have recorded the cut-off and
gone through the controller just before this write arrived there, and then only this process is left
to undo it. Whoever is not on the list after the write is put there later, so that `revoke` itself
finds what was written. Either way the user ends up deactivated, or does not exist.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from door_sync.core.controller import Snapshot, UserId, UserStatus
from door_sync.core.people import ContactId
from door_sync.core.steps import Change, ChangeClass, DeactivateUser, PlannedStep
from door_sync.core.tiers import CUT_OFF
from door_sync.ports import ControllerError, WriteFailed, WriteUncertain
from door_sync.unifi.ledger import Ledger, Outcome
from door_sync.unifi.recorded import Recorded

T = TypeVar("T")


class BarredByHand(Exception):
    """The write that was due would give access to somebody who is cut off by hand: not sent."""


@dataclass
class Barrier:
    """Lets writes pass that give access, unless the person is cut off by hand."""

    at: Recorded
    ledger: Ledger
    known: Snapshot

    def give(
        self,
        planned: PlannedStep,
        send: Callable[[], T],
        user_id: UserId | None = None,
        kind: str = "",
    ) -> T:
        """Send one write that gives access; raise BarredByHand instead, or what `send` raises.

        `user_id` is None for a user who is being created. Somebody who was cut off while the write
        was under way is deactivated before this returns.
        """
        contact_id = planned.change.contact_id
        if self._bars(contact_id):
            raise BarredByHand
        try:
            result = self.at.write(planned, send, kind)
        except WriteFailed:
            self._look_again(contact_id, user_id)
            raise
        self._look_again(contact_id, user_id)
        return result

    def _bars(self, contact_id: ContactId) -> bool:
        if contact_id not in self.at.record.cut_off():
            return False
        self.ledger.bar(contact_id)
        return True

    def _look_again(self, contact_id: ContactId, user_id: UserId | None) -> None:
        if not self._bars(contact_id):
            return
        written_to = user_id or self.ledger.users.get(contact_id)
        if written_to is not None:
            self._deactivate(contact_id, written_to)
            return
        # A create without a good answer: only a look tells whether there is a user now.
        try:
            found = self.at.look_at_users_of(contact_id)
        except WriteFailed as error:
            change = self._revocation(contact_id)
            text = f"nobody can tell whether the user exists: {error.message}"
            self.ledger.of(change).problems.append(text)
            return
        for user in found:
            if user.status is not UserStatus.DEACTIVATED:
                self._deactivate(contact_id, user.id)

    def _deactivate(self, contact_id: ContactId, user_id: UserId) -> None:
        known = self.known.user.get(user_id)
        had_status = known is None or known.status is not UserStatus.UNKNOWN
        step = DeactivateUser(user_id, had_status=had_status)
        planned = PlannedStep(step, self._revocation(contact_id, step))
        expected = self.ledger.expect(user_id, planned.change)
        expected.status = UserStatus.DEACTIVATED
        expected.status_was_unknown = not had_status
        try:
            self.at.write(planned, lambda: self.at.controller.deactivate(user_id))
        except (WriteFailed, ControllerError) as error:
            is_silence = isinstance(error, WriteUncertain)
            outcome = Outcome.UNCERTAIN if is_silence else Outcome.FAILED
            self.ledger.note(planned, outcome, error.message)
            if isinstance(error, ControllerError):
                raise
            return
        self.ledger.shut.add(user_id)
        self.ledger.note(planned, Outcome.DONE)

    def _revocation(self, contact_id: ContactId, *steps: DeactivateUser) -> Change:
        """Return a change for what follows now: no plan has it, but the report shall."""
        change = Change(contact_id, ChangeClass.REVOKE, CUT_OFF, steps)
        name = (contact_id, ChangeClass.REVOKE)
        if name not in self.ledger.changes:
            self.ledger.open([change])
        self.at.uncounted |= {name}
        return change

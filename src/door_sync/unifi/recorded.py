"""Writes with a record before and after, and looks that go wrong for one person only (P6, P13)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from door_sync.core.cards import CardToken
from door_sync.core.controller import Holder, PolicyId, User, UserId
from door_sync.core.steps import PlannedStep, kind_of, step_digest
from door_sync.ports import (
    ControllerDistrusted,
    ControllerError,
    ControllerUnreachable,
    CycleRecord,
    DoorController,
    StepRecord,
    WriteFailed,
    WriteRefused,
    WriteUncertain,
)
from door_sync.unifi.ledger import Ledger

T = TypeVar("T")


class LookFailed(WriteFailed):
    """A look before a write got no usable answer; nothing was written."""


@dataclass
class Recorded:
    """The controller, behind a record of everything that is sent to it."""

    controller: DoorController
    record: CycleRecord
    key: bytes
    ledger: Ledger

    def intend(self, planned: PlannedStep, kind: str = "") -> int:
        """Record that this step's write comes next; raise JournalError if that cannot be kept."""
        change = planned.change
        return self.record.intend(
            StepRecord(
                change.contact_id,
                kind or kind_of(planned.step),
                change.change_class.value,
                change.reason,
                step_digest(planned.step, self.key),
            )
        )

    def write(self, planned: PlannedStep, send: Callable[[], T], kind: str = "") -> T:
        """Send one write; raise what `send` raises, once the outcome is on record."""
        number = self.intend(planned, kind)
        self.ledger.writes += 1
        try:
            result = send()
        except WriteRefused as error:
            self.record.outcome(number, "refused", error.code)
            raise
        except WriteUncertain:
            self.record.outcome(number, "uncertain")
            raise
        except (WriteFailed, ControllerError) as error:
            self.record.outcome(number, "failed", type(error).__name__)
            raise
        self.record.outcome(number, "done")
        return result

    def look_at_user(self, user_id: UserId) -> User | None:
        """Read a user now; raise LookFailed where only this person is concerned."""
        return self._look(lambda: self.controller.user(user_id))

    def look_at_holder(self, token: CardToken) -> Holder:
        """Read who holds a card now; raise LookFailed likewise."""
        return self._look(lambda: self.controller.holder(token))

    def _look(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except (ControllerUnreachable, ControllerDistrusted) as error:
            raise LookFailed(error.message, remedy=error.remedy) from error

    def look_at_policies(self, user_id: UserId) -> tuple[PolicyId, ...]:
        """Read the direct policies of a user now, or those its row shows where that is no route."""
        direct = self._look(lambda: self.controller.direct_policies(user_id))
        if direct is not None:
            return direct
        user = self.look_at_user(user_id)
        return user.policy_ids if user is not None else ()

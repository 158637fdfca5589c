"""Writes with a record before and after, and looks that go wrong for one person only (P6, P13)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from door_sync.core.cards import CardToken
from door_sync.core.controller import Holder, PolicyId, User, UserId
from door_sync.core.people import ContactId
from door_sync.core.situation import Held
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
    """The controller, behind a record of everything that is sent to it.

    `unanswered` counts the requests since the controller last answered one; `uncounted` are the
    changes that the budget of 24 hours leaves out (§6).
    """

    controller: DoorController
    record: CycleRecord
    key: bytes
    ledger: Ledger
    uncounted: Held = frozenset()
    unanswered: int = 0

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
                counts=(change.contact_id, change.change_class) not in self.uncounted,
            )
        )

    def write(
        self,
        planned: PlannedStep,
        send: Callable[[], T],
        kind: str = "",
        *,
        settles: bool = True,
    ) -> T:
        """Send one write; raise what `send` raises, once the outcome is on record.

        `settles` is False for a write of which no read-back tells whether it was carried out.
        """
        number = self.intend(planned, kind)
        self.ledger.writes += 1
        sent = self.ledger.of(planned.change).sent
        try:
            result = send()
        except (WriteFailed, ControllerError) as error:
            self.hear(error)
            word = self.not_done(number, error)
            if settles:
                sent[number] = word
            raise
        self.hear()
        self.record.outcome(number, "done")
        sent[number] = "done"
        return result

    def hear(self, error: WriteFailed | ControllerError | None = None) -> None:
        """Count on if this was no answer, start anew if it was one."""
        is_silence = isinstance(error, WriteUncertain | ControllerUnreachable)
        self.unanswered = self.unanswered + 1 if is_silence else 0

    def not_done(self, number: int, error: WriteFailed | ControllerError) -> str:
        """Record how a write went wrong; return the word for it."""
        match error:
            case WriteRefused():
                word, detail = "refused", error.code
            case WriteUncertain():
                word, detail = "uncertain", ""
            case _:
                word, detail = "failed", type(error).__name__
        self.record.outcome(number, word, detail)
        return word

    def record_proofs(self) -> None:
        """After the read-back, give the record its second word on writes that it decided (P10).

        A write without an answer that was carried out is done; an accepted one is unproven if its
        user does not look as it was written. Somebody who was cut off by hand after the last write
        does not look like that either, and no wonder: `door-sync revoke` has proofs of its own.
        """
        if self.ledger.fatal is None:
            for contact_id in self.record.cut_off():
                self.ledger.bar(contact_id)
        for result in self.ledger.changes.values():
            if result.is_barred:
                continue
            for number, word in result.sent.items():
                if word == "uncertain" and result.is_done:
                    self.record.outcome(number, "done", "read back")
                if word == "done" and result.is_unproven:
                    self.record.outcome(number, "unproven")

    def look_at_user(self, user_id: UserId) -> User | None:
        """Read a user now; raise LookFailed where only this person is concerned."""
        return self._look(lambda: self.controller.user(user_id))

    def look_at_users_of(self, contact_id: ContactId) -> tuple[User, ...]:
        """Read which users carry a contact's id now; raise LookFailed likewise."""
        return self._look(lambda: self.controller.users_of((contact_id,)))

    def look_at_holder(self, token: CardToken) -> Holder:
        """Read who holds a card now; raise LookFailed likewise."""
        return self._look(lambda: self.controller.holder(token))

    def _look(self, read: Callable[[], T]) -> T:
        try:
            found = read()
        except (ControllerUnreachable, ControllerDistrusted) as error:
            self.hear(error)
            raise LookFailed(error.message, remedy=error.remedy) from error
        self.hear()
        return found

    def look_at_policies(self, user_id: UserId) -> tuple[PolicyId, ...]:
        """Read the direct policies of a user now, or those its row shows where that is no route."""
        direct = self._look(lambda: self.controller.direct_policies(user_id))
        if direct is not None:
            return direct
        user = self.look_at_user(user_id)
        return user.policy_ids if user is not None else ()

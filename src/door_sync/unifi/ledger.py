"""What became of a plan: one result per step, what must be proven, and whose change failed.

The executor writes here while it works; the cycle reads it afterwards. Ids and codes only (P12).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from door_sync.core.cards import CardToken
from door_sync.core.controller import PolicyId, User, UserId
from door_sync.core.people import ContactId
from door_sync.core.proof import Expectation, mismatches
from door_sync.core.steps import (
    Blocked,
    Change,
    ChangeClass,
    Notice,
    NoticeKind,
    PlannedStep,
)
from door_sync.ports import ControllerError


class Outcome(Enum):
    """What became of one step."""

    DONE = "done"
    NOT_NEEDED = "not needed"
    LEFT_OUT = "left out"
    BLOCKED = "blocked"
    PASSED_OVER = "passed over"
    BARRED = "cut off by hand"
    TOLERATED = "failed, which nothing waits for"
    UNCERTAIN = "no answer"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step with its outcome; `detail` is a code or a short sentence."""

    planned: PlannedStep
    outcome: Outcome
    detail: str = ""


@dataclass
class ChangeResult:
    """One change as it went. `doubts` are writes without an answer: a read-back settles them.

    `is_stopped`: a step failed that the rest needs. `has_effect`: something of it came true, which
    is not so if all there was to do met a blocked card or a refused address. `is_unproven`: what a
    read-back showed is not what was written, or nobody could read it. `is_barred`: the person was
    cut off by hand meanwhile, so nothing of it is expected any more, and nothing of it can fail.
    `sent` are its writes by their number in the record, with the word that stands there.
    """

    change: Change
    problems: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    is_stopped: bool = False
    has_effect: bool = False
    is_unproven: bool = False
    is_barred: bool = False
    sent: dict[int, str] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Say whether everything went well and was proven."""
        return not self.problems and not self.doubts


@dataclass
class Ledger:
    """The state of a running plan, and its result.

    `users` are those created in this cycle; `freed` the cards that are off their holder, `shut`
    the users it deactivated. `addresses` are contacts whose address was written. `fatal` is the
    error that ended the cycle early.
    """

    results: list[StepResult] = field(default_factory=list)
    changes: dict[tuple[ContactId, ChangeClass], ChangeResult] = field(default_factory=dict)
    proofs: dict[UserId, Expectation] = field(default_factory=dict)
    users: dict[ContactId, UserId] = field(default_factory=dict)
    freed: set[CardToken] = field(default_factory=set)
    shut: set[UserId] = field(default_factory=set)
    addresses: set[ContactId] = field(default_factory=set)
    blocked: list[Blocked] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)
    writes: int = 0
    fatal: ControllerError | None = None
    _depends: dict[UserId, set[tuple[ContactId, ChangeClass]]] = field(default_factory=dict)

    def open(self, changes: Iterable[Change]) -> None:
        """Take up the changes that will run."""
        for change in changes:
            self.changes[change.contact_id, change.change_class] = ChangeResult(change)

    def of(self, change: Change) -> ChangeResult:
        """Return the running result of a change."""
        return self.changes[change.contact_id, change.change_class]

    def note(self, planned: PlannedStep, outcome: Outcome, detail: str = "") -> None:
        """Record what became of a step; a failure is also its change's problem."""
        self.results.append(StepResult(planned, outcome, detail))
        change = self.of(planned.change)
        if change.is_barred:
            return
        if outcome is Outcome.FAILED:
            change.problems.append(detail)
        if outcome is Outcome.UNCERTAIN:
            change.doubts.append(detail)
        if outcome not in (Outcome.LEFT_OUT, Outcome.BLOCKED, Outcome.PASSED_OVER):
            change.has_effect = True

    def expect(self, user_id: UserId, change: Change) -> Expectation:
        """Return the expectation of a user, which this change depends on from now.

        Nothing is expected of a change whose person was cut off by hand: what is returned for it
        belongs to nobody.
        """
        if self.of(change).is_barred:
            return Expectation()
        self._depends.setdefault(user_id, set()).add((change.contact_id, change.change_class))
        return self.proofs.setdefault(user_id, Expectation(change.contact_id))

    def gave_way(self, user_id: UserId, change: Change) -> None:
        """Expect a user whose card this change took by force to be disabled still (P3).

        Nobody can exclude that somebody enables it between the last look and the write. Whom this
        plan deactivates is looked at for that anyway.
        """
        if self.of(change).is_barred or user_id in self.shut:
            return
        self.proofs.setdefault(user_id, Expectation()).gave_way = True
        self._depends.setdefault(user_id, set()).add((change.contact_id, change.change_class))

    def bar(self, contact_id: ContactId) -> None:
        """Stop every change of somebody who was cut off by hand, but for their revocation (§6).

        What it wrote is not expected to stay: another hand undoes it. That is no failure.
        """
        barred = [
            result
            for (contact, change_class), result in self.changes.items()
            if contact == contact_id and change_class is not ChangeClass.REVOKE
        ]
        if any(not result.is_barred for result in barred):
            text = (
                "was cut off by hand while this cycle was running: it gives no access; "
                f"`door-sync restore {contact_id}` ends that"
            )
            self.warnings.append(Notice(NoticeKind.CUT_OFF, text, contact_id))
        for result in barred:
            result.is_barred = result.is_stopped = True
            result.has_effect = result.is_unproven = False
            result.problems.clear()
            result.doubts.clear()
        for user_id, names in self._depends.items():
            if all(self.changes[name].is_barred for name in names):
                self.proofs.pop(user_id, None)

    def prove(self, user_id: UserId, user: User | None, managed: frozenset[PolicyId]) -> bool:
        """Compare a user as read back with what was written; return whether it is proven (P10).

        What does not match is a problem of every change that depends on the user; what matches
        settles the doubts about them, unless for such a doubt the rest was not even tried.
        """
        wrong = mismatches(self.proofs[user_id], user, managed)
        for name in self._depends[user_id]:
            change = self.changes[name]
            if wrong:
                change.problems += [f"user {user_id}: {text}" for text in wrong]
                change.is_unproven = True
            elif not change.is_stopped:
                change.doubts.clear()
        return not wrong

    def cannot_prove(self, user_id: UserId, why: str) -> None:
        """Record that a user could not be read back, which proves nothing (P10)."""
        for name in self._depends[user_id]:
            self.changes[name].problems.append(f"user {user_id} could not be read back: {why}")
            self.changes[name].is_unproven = True

    @property
    def failed(self) -> tuple[ChangeResult, ...]:
        """The changes that did not come true, by contact id."""
        wrong = [result for result in self.changes.values() if not result.is_done]
        return tuple(sorted(wrong, key=lambda result: result.change.contact_id))

"""What one cycle did and found, for the record and for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from door_sync.app.sentences import named
from door_sync.core.decision import Decision, World, unmapped
from door_sync.core.steps import Blocked, Change, ChangeClass, Notice, Plan
from door_sync.ports import DoorSyncError, PlanDrifted
from door_sync.unifi.ledger import ChangeResult, Ledger


class Ending(Enum):
    """How a cycle ended, with its exit code (§8). A hold outranks the failure of some people."""

    CLEAN = 0
    HELD = 1
    FAILED = 2
    PARTIAL = 3


@dataclass(frozen=True)
class CycleReport:
    """One cycle, live or dry. `decision` is None if a side could not be read or believed.

    `is_lasting` is False where the key was made for this report alone, before the first live
    cycle. `error` ended the cycle, `troubles` are files beside the journal that could not be
    written. `unsent` says why an alert could not be sent, which changes no ending (P14).
    """

    started: datetime
    dry_run: bool
    key: bytes = field(repr=False)
    is_lasting: bool = True
    cycle_id: str = ""
    world: World | None = field(default=None, repr=False)
    decision: Decision | None = field(default=None, repr=False)
    ledger: Ledger | None = None
    error: DoorSyncError | None = None
    troubles: tuple[str, ...] = ()
    unsent: str = ""

    @property
    def ending(self) -> Ending:
        """How the cycle ended."""
        if isinstance(self.error, PlanDrifted):
            return Ending.HELD
        if self.error is not None or self.troubles:
            return Ending.FAILED
        if self.decision is not None and self.decision.objections:
            return Ending.HELD
        if self.failed:
            return Ending.PARTIAL
        return Ending.CLEAN

    @property
    def plan(self) -> Plan:
        """What the cycle did, or a live one would do: nothing if there was no decision."""
        return self.decision.plan if self.decision else Plan()

    @property
    def done(self) -> tuple[Change, ...]:
        """The changes that came true and were proven."""
        results = self.ledger.changes.values() if self.ledger else ()
        return tuple(r.change for r in results if r.is_done and r.has_effect)

    @property
    def failed(self) -> tuple[ChangeResult, ...]:
        """The changes that did not."""
        return self.ledger.failed if self.ledger else ()

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        """Cards that should be somewhere and cannot."""
        late = tuple(self.ledger.blocked) if self.ledger else ()
        return (*self.plan.blocked, *late)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Everything a person should know, of the plan and of what happened."""
        found = self.decision.notices if self.decision else ()
        return (*found, *(self.ledger.warnings if self.ledger else ()))

    def digest(self) -> str:
        """The name of what ran; of what is held, if nothing ran."""
        if self.decision is None:
            return ""
        if self.plan.changes or not self.decision.objections:
            return self.plan.digest(self.key)
        return self.hold_digest

    @property
    def hold_digest(self) -> str:
        """The name of the hold that waits for a person (§6); empty if none does."""
        hold = self.decision.hold(self.key) if self.decision is not None else None
        return hold.digest if hold is not None else ""

    def summary(self) -> Mapping[str, int]:
        """The counts that v0's readers look for in an audit line (§7)."""
        changes = self.plan.changes if self.dry_run else self.done
        count = dict.fromkeys(ChangeClass, 0)
        for change in changes:
            count[change.change_class] += 1
        return {
            "added": count[ChangeClass.GRANT] + count[ChangeClass.RESTORE],
            "updated_credential": count[ChangeClass.CARD],
            "updated_policy": count[ChangeClass.POLICY],
            "deactivated": count[ChangeClass.REVOKE],
            "unmapped": len(unmapped(self.decision.verdicts)) if self.decision else 0,
        }

    def reason(self) -> str:
        """Why the cycle needs a person, in one line; empty if it does not."""
        if self.error is not None:
            return self.error.message
        if self.decision is not None and self.decision.objections:
            return "; ".join(f"{o.guard}: {o.text}" for o in self.decision.objections)
        if self.failed:
            return f"changes failed for {named(one.change.contact_id for one in self.failed)}"
        return "; ".join(self.troubles)

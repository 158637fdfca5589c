"""Runs a plan's steps in order (P5, P6, R4).

The executor decides nothing but what R3's table says of live answers. A step that fails costs its
own change, and stops what must not follow it there. An answer after which no write may follow
(401, no such route, another certificate) ends the run.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import assert_never

from door_sync.core.cards import CardToken
from door_sync.core.controller import PolicyId, Snapshot, UserId, UserStatus
from door_sync.core.people import ContactId
from door_sync.core.situation import Held
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    Change,
    ChangeClass,
    CreateUser,
    DeactivateUser,
    FreeCard,
    ImportCard,
    NewUser,
    Notice,
    NoticeKind,
    OnRefusal,
    Phase,
    Plan,
    PlannedStep,
    ReclaimCard,
    SetPolicies,
    Step,
    UpdateProfile,
    UserRef,
)
from door_sync.core.tags import digest
from door_sync.ports import (
    AddressRefused,
    ControllerError,
    ControllerUnreachable,
    CycleRecord,
    DoorController,
    Profile,
    WriteFailed,
    WriteUncertain,
)
from door_sync.unifi.barring import BarredByHand, Barrier
from door_sync.unifi.binding import Binder
from door_sync.unifi.ledger import Ledger, Outcome
from door_sync.unifi.recorded import Recorded

StepOfOne = (
    FreeCard
    | DeactivateUser
    | CreateUser
    | UpdateProfile
    | ActivateUser
    | BindCard
    | ReclaimCard
    | SetPolicies
)
"""Every step but an import: those travel together, in one file."""

SILENT_LIMIT = 5
"""So many requests in a row without an answer, after the revocations, end the cycle: the controller
is gone, and each further one would only sit out its time-outs."""


def _quiet(_done: int, _all: int) -> None:
    """Show no progress."""


@dataclass
class Executor:
    """Runs one plan against one controller.

    `known` is what this cycle read; `managed` the policies that tiers give; `world` the keyed
    digest of the card list that a failed import is remembered with; `progress` is told how many
    steps are behind and how many there are. `uncounted` are the changes that the budget of 24 hours
    leaves out (§6).
    """

    controller: DoorController
    record: CycleRecord
    key: bytes
    known: Snapshot
    managed: frozenset[PolicyId]
    world: str
    progress: Callable[[int, int], None] = _quiet
    uncounted: Held = frozenset()
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.at = Recorded(self.controller, self.record, self.key, self.ledger, self.uncounted)
        self.barrier = Barrier(self.at, self.ledger, self.known)
        self.cards = Binder(self.at, self.barrier, self.ledger, self.known, self.world)

    def run(self, plan: Plan) -> Ledger:
        """Run every step of the plan; return the ledger, with `fatal` set if it ended early.

        Raise JournalError if the record cannot be kept; the write in question was not sent.
        """
        steps = plan.steps()
        self.ledger.open(plan.changes)
        imports = [one for one in steps if isinstance(one.step, ImportCard)]
        try:
            for number, planned in enumerate(steps, start=1):
                if not isinstance(planned.step, ImportCard):
                    self._run(planned, planned.step)
                elif planned is imports[0]:
                    self.cards.import_all(imports)
                self._end_if_gone(planned.step)
                self.progress(number, len(steps))
        except ControllerError as error:
            self.ledger.fatal = error
            # After anything worse no further write may follow.
            if isinstance(error, ControllerUnreachable):
                self._shut_the_half_restored(steps)
            self._fail_the_rest(steps)
        return self.ledger

    def _end_if_gone(self, step: Step) -> None:
        """Raise ControllerUnreachable at the limit of silence, but try every leaver first (P5)."""
        if self.at.unanswered >= SILENT_LIMIT and step.phase is not Phase.REVOKE:
            raise ControllerUnreachable(
                f"the controller did not answer {self.at.unanswered} requests in a row",
                remedy="the next cycle goes on where this one ended",
            )

    def _fail_the_rest(self, steps: Sequence[PlannedStep]) -> None:
        reached = {id(result.planned.step) for result in self.ledger.results}
        for planned in steps:
            if id(planned.step) not in reached:
                self.ledger.note(planned, Outcome.FAILED, "the cycle ended before this was written")

    def _run(self, planned: PlannedStep, step: StepOfOne) -> None:
        if self.ledger.of(planned.change).is_stopped:
            self.ledger.note(planned, Outcome.PASSED_OVER)
            return
        try:
            self._dispatch(planned, step)
        except BarredByHand:
            self.ledger.note(planned, Outcome.BARRED)
        except WriteFailed as error:
            no_answer = isinstance(error, WriteUncertain)
            outcome = Outcome.UNCERTAIN if no_answer else Outcome.FAILED
            self.ledger.note(planned, outcome, error.message)
            if _is_needed_by_the_rest(step):
                self.ledger.of(planned.change).is_stopped = True

    def _dispatch(self, planned: PlannedStep, step: StepOfOne) -> None:
        match step:
            case FreeCard():
                self._free(planned, step)
            case DeactivateUser():
                self._deactivate(planned, step.user, had_status=step.had_status)
                self.ledger.note(planned, Outcome.DONE)
            case CreateUser():
                self._create(planned, step)
            case ActivateUser():
                self._activate(planned, step.user)
                self.ledger.note(planned, Outcome.DONE)
            case UpdateProfile():
                self._profile(planned, step, self._user(step.user))
            case BindCard():
                self.cards.bind(planned, step, self._user(step.user))
            case ReclaimCard():
                self.cards.reclaim(planned, step, self._user(step.user))
            case SetPolicies():
                self._policies(planned, step, self._user(step.user))
            case _:
                assert_never(step)

    def _user(self, ref: UserRef) -> UserId:
        """Return whom a step is about. Where the create failed, no step gets as far as this."""
        return self.ledger.users[ref.contact_id] if isinstance(ref, NewUser) else ref

    def _free(self, planned: PlannedStep, step: FreeCard) -> None:
        if step.token in self.ledger.freed:
            self.ledger.note(planned, Outcome.NOT_NEEDED, "freed before")
            return
        once = step.on_refusal is OnRefusal.GO_ON

        def free() -> None:
            self.controller.free_card(step.user, step.token, once=once)

        try:
            self.at.write(planned, free, settles=not once)
        except WriteFailed as error:
            if once:
                self.ledger.note(planned, Outcome.TOLERATED, error.message)
                return
            if step.on_refusal is OnRefusal.SHUT:
                self._shut(planned, step.user)
            elif isinstance(error, WriteUncertain):
                self.ledger.expect(step.user, planned.change).lost(step.token)
            raise
        self.ledger.freed.add(step.token)
        self.ledger.expect(step.user, planned.change).lost(step.token)
        self.ledger.note(planned, Outcome.DONE)

    def _activate(self, planned: PlannedStep, user_id: UserId) -> None:
        """Activate; without a good answer, look whether it was done all the same (§3.6): what
        follows frees stale cards."""
        self.ledger.expect(user_id, planned.change).status = UserStatus.ACTIVE
        try:
            self.barrier.give(planned, lambda: self.controller.activate(user_id), user_id)
        except WriteFailed:
            user = self.at.look_at_user(user_id)
            if user is None or user.status is not UserStatus.ACTIVE:
                raise

    def _shut_the_half_restored(self, steps: Sequence[PlannedStep]) -> None:
        """At an early end deactivate, with one try each, who was activated in this cycle and still
        has a card that had to come off first (R2)."""
        for planned in steps:
            step = planned.step
            if not isinstance(step, FreeCard) or step.on_refusal is not OnRefusal.SHUT:
                continue
            expected = self.ledger.proofs.get(step.user)
            was_activated = expected is not None and expected.status is UserStatus.ACTIVE
            if was_activated and step.token not in self.ledger.freed:
                with suppress(WriteFailed, ControllerError):
                    kind = "deactivate-user"
                    self._deactivate(planned, step.user, had_status=True, kind=kind)

    def _shut(self, planned: PlannedStep, user_id: UserId) -> None:
        """Deactivate again: nobody becomes active with a card that is not theirs (R2)."""
        self.ledger.of(planned.change).is_stopped = True
        self.record.remember_failed_restore(planned.change.contact_id)
        self._deactivate(planned, user_id, had_status=True, kind="deactivate-user")

    def _deactivate(
        self, planned: PlannedStep, user_id: UserId, *, had_status: bool, kind: str = ""
    ) -> None:
        expected = self.ledger.expect(user_id, planned.change)
        expected.status = UserStatus.DEACTIVATED
        self.at.write(planned, lambda: self.controller.deactivate(user_id), kind)
        # A row without a status proves nothing by itself, only together with this answer (R2).
        expected.status_was_unknown = not had_status
        self.ledger.shut.add(user_id)

    def _create(self, planned: PlannedStep, step: CreateUser) -> None:
        contact_id, email = planned.change.contact_id, step.email

        def create() -> UserId:
            profile = Profile(step.first_name, step.last_name, email)
            self.ledger.users[contact_id] = self.controller.create_user(contact_id, profile)
            return self.ledger.users[contact_id]

        try:
            user_id = self.barrier.give(planned, create)
        except AddressRefused:
            self._remember_address(planned.change, email)
            email = None
            user_id = self.barrier.give(planned, create)
        expected = self.ledger.expect(user_id, planned.change)
        expected.status = UserStatus.ACTIVE
        expected.first_name, expected.last_name = step.first_name, step.last_name
        expected.email = email
        self.ledger.note(planned, Outcome.DONE)

    def _profile(self, planned: PlannedStep, step: UpdateProfile, user_id: UserId) -> None:
        if step.after is not None and step.after not in self.ledger.addresses:
            self.ledger.note(planned, Outcome.LEFT_OUT, "the address did not become free")
            return
        wanted = Profile(step.first_name, step.last_name, step.email)
        try:
            self._write_profile(planned, user_id, wanted)
        except AddressRefused:
            # Whoever gives it up may have been called done without being so: the next cycle sees.
            if step.after is None:
                self._remember_address(planned.change, step.email)
            if step.first_name is None:
                self.ledger.note(planned, Outcome.LEFT_OUT, "the address was refused")
                return
            self._write_profile(planned, user_id, replace(wanted, email=None))
        else:
            if step.email is not None:
                self.ledger.addresses.add(planned.change.contact_id)
        self.ledger.note(planned, Outcome.DONE)

    def _write_profile(self, planned: PlannedStep, user_id: UserId, profile: Profile) -> None:
        """Write a profile, and expect it unless it was refused: no answer may mean that it is."""
        try:
            self.at.write(planned, lambda: self.controller.update_profile(user_id, profile))
        except WriteUncertain:
            self._expect_profile(planned, user_id, profile)
            raise
        self._expect_profile(planned, user_id, profile)

    def _expect_profile(self, planned: PlannedStep, user_id: UserId, profile: Profile) -> None:
        expected = self.ledger.expect(user_id, planned.change)
        if profile.first_name is not None:
            expected.first_name, expected.last_name = profile.first_name, profile.last_name
        if profile.email is not None:
            expected.email = profile.email

    def _remember_address(self, change: Change, address: str | None) -> None:
        self.record.remember_refused_address(
            address_digest(self.key, change.contact_id, address or "")
        )
        text = "the controller refused the e-mail address; the rest is written without it"
        self.ledger.warnings.append(Notice(NoticeKind.ADDRESS_LEFT_OUT, text, change.contact_id))

    def _policies(self, planned: PlannedStep, step: SetPolicies, user_id: UserId) -> None:
        if step.only_without and self._shows(user_id, step.only_without):
            if planned.change.change_class is ChangeClass.RESTORE:
                # Also without a policy the card would open what is open to everyone.
                self._deactivate(planned, user_id, had_status=True, kind="deactivate-user")
            text = "a card that is not this member's any more is still on the user: no policy"
            self.ledger.note(planned, Outcome.FAILED, text)
            return
        kept = self._kept_policies(user_id) if step.keeps_others else ()
        wanted = () if step.policy is None else (step.policy,)
        expected = self.ledger.expect(user_id, planned.change)
        expected.managed_policies, expected.kept_policies = frozenset(wanted), frozenset(kept)

        def write() -> None:
            self.controller.set_policies(user_id, (*wanted, *kept))

        if wanted:
            self.barrier.give(planned, write, user_id)
        else:
            self.at.write(planned, write)
        self.ledger.note(planned, Outcome.DONE)

    def _shows(self, user_id: UserId, cards: Collection[CardToken]) -> bool:
        """Look whether any of the cards is on the user now, whatever was answered before (R2)."""
        user = self.at.look_at_user(user_id)
        return user is not None and not set(cards).isdisjoint(user.tokens)

    def _kept_policies(self, user_id: UserId) -> tuple[PolicyId, ...]:
        """Return the policies that a person gave this user by hand, as they are now (R2).

        An answer that lacks the tier's policy although the user's row shows it cannot be told from
        a success that looked at nothing: the row serves then, so that nobody loses what they have.
        """
        direct = self.at.look_at_policies(user_id)
        known = self.known.user.get(user_id)
        shown = self.managed.intersection(known.policy_ids if known is not None else ())
        if shown and shown.isdisjoint(direct):
            user = self.at.look_at_user(user_id)
            direct = user.policy_ids if user is not None else ()
        leave_out = self.managed | self.known.everyones_policies
        return tuple(p for p in direct if p not in leave_out)


def _is_needed_by_the_rest(step: StepOfOne) -> bool:
    """Say whether nothing of the same change may follow when this step failed (R2).

    Without a user there is nothing to write to; a user that is not surely active, or not surely
    without its old policies, gets nothing more.
    """
    match step:
        case CreateUser() | ActivateUser():
            return True
        case SetPolicies():
            return step.phase is Phase.PEOPLE
        case _:
            return False


def address_digest(key: bytes, contact_id: ContactId, address: str) -> str:
    """Return what a refused address is remembered by (R2)."""
    return digest(key, "address", contact_id, address.strip().casefold())

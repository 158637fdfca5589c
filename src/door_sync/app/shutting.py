"""The controller's part of cutting somebody off at once: deactivate, free cards, read back (§6).

Nothing but the controller is asked. Other than for a leaver of a cycle, the deactivation comes
before the cards: it must work at once, and a card that stays on a deactivated user opens nothing.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from door_sync.core.controller import Snapshot, User, UserId, UserStatus
from door_sync.core.people import ContactId
from door_sync.core.steps import (
    Change,
    ChangeClass,
    DeactivateUser,
    FreeCard,
    OnRefusal,
    Phase,
    Plan,
    Step,
)
from door_sync.core.tiers import CUT_OFF
from door_sync.ports import ControllerError, CycleRecord, DoorController
from door_sync.unifi.executor import Executor
from door_sync.unifi.ledger import Ledger

NO_STATUS: Final = (
    "the controller took the deactivation, but shows no status for the user, so that nobody can "
    "prove it"
)


class Fate(Enum):
    """What became of one person."""

    CUT = "cut off"
    """Every user of this contact is deactivated and was read back so."""
    NOTHING = "nothing to cut"
    """There is no user of this contact, or all were deactivated already."""
    UNPROVEN = "unproven"
    """The controller took the write, but nobody can read whether it holds (P10)."""
    FAILED = "failed"
    """At least one user of this contact may still open doors."""

    @property
    def is_good(self) -> bool:
        """Say whether this person surely opens no door."""
        return self in (Fate.CUT, Fate.NOTHING)


_WORSE: Final = (Fate.CUT, Fate.UNPROVEN, Fate.FAILED)
"""What counts for somebody with several users: the worst."""


@dataclass(frozen=True, slots=True)
class Person:
    """One contact as the controller was left.

    `users` are those that this call was to deactivate, `before` those that were deactivated
    already. `cards_left` says how many cards could not be taken off.
    """

    contact_id: ContactId
    fate: Fate
    users: tuple[UserId, ...] = ()
    before: tuple[UserId, ...] = ()
    cards_left: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shut:
    """What became of everybody; `error` is why the controller was not, or not wholly, told."""

    people: tuple[Person, ...]
    error: ControllerError | None = None

    @property
    def is_good(self) -> bool:
        """Say whether surely nobody of them opens a door."""
        return all(person.fate.is_good for person in self.people)


@dataclass
class _Attempt:
    """What is known of everybody's users, over all rounds: each as it was read last.

    `before` were deactivated when this began; `accepted` are users whose deactivation the
    controller took; `unread` could not be read back; `gone` are not there any more.
    """

    controller: DoorController
    record: CycleRecord
    key: bytes
    latest: dict[UserId, User] = field(default_factory=dict)
    before: set[UserId] = field(default_factory=set)
    accepted: set[UserId] = field(default_factory=set)
    unread: set[UserId] = field(default_factory=set)
    gone: set[UserId] = field(default_factory=set)
    problems: dict[ContactId, tuple[str, ...]] = field(default_factory=dict)

    def run(self, users: Sequence[User]) -> ControllerError | None:
        """Do everything once for those of the users who do not read as deactivated.

        Return what ended it early, if anything did.
        """
        self.latest |= {user.id: user for user in users}
        todo = [user for user in users if user.status is not UserStatus.DEACTIVATED]
        executor = Executor(
            controller=self.controller,
            record=self.record,
            key=self.key,
            known=Snapshot(users=tuple(todo), cards=()),
            managed=frozenset(),
            world="",
            uncounted=frozenset((_contact(user), ChangeClass.REVOKE) for user in todo),
        )
        ledger = executor.run(Plan(tuple(_revocations(todo))))
        self.accepted |= ledger.shut
        self._read_back(ledger)
        executor.at.record_proofs()
        for result in ledger.changes.values():
            said = dict.fromkeys((*result.problems, *result.doubts))
            self.problems[result.change.contact_id] = tuple(said)
        return ledger.fatal

    def to_try_again(self, contact_ids: Sequence[ContactId]) -> list[ContactId]:
        """Return whose users may still open doors, or could not be read back.

        A cycle that runs at the same time may have come in between; it gives up on this person as
        soon as it sees the cut-off.
        """
        unread = {self.latest[user_id].contact_id for user_id in self.unread}
        return [one for one in contact_ids if one in unread or self.person(one).fate is Fate.FAILED]

    def run_again(
        self, users: Sequence[User], contact_ids: Sequence[ContactId]
    ) -> ControllerError | None:
        """Do it once more, with these contacts' users as they were just listed."""
        listed = {user.id for user in users}
        known = {user.id for user in self.latest.values() if user.contact_id in contact_ids}
        self.gone |= known - listed
        self.unread -= known
        return self.run(users)

    def _read_back(self, ledger: Ledger) -> None:
        """Compare everybody with what was written (P10)."""
        for user_id in sorted(ledger.proofs):
            self.unread.discard(user_id)
            try:
                user = self.controller.user(user_id)
            except ControllerError as error:
                ledger.cannot_prove(user_id, error.message)
                self.unread.add(user_id)
                continue
            ledger.prove(user_id, user, frozenset())
            if user is None:
                self.gone.add(user_id)
            else:
                self.latest[user_id] = user

    def person(self, contact_id: ContactId) -> Person:
        """Return what became of one contact so far."""
        mine = [user for user in self.latest.values() if user.contact_id == contact_id]
        tried = [user for user in mine if user.id not in self.before]
        fates = [self._fate(user) for user in tried]
        fate = max(fates, key=_WORSE.index) if fates else Fate.NOTHING
        problems = self.problems.get(contact_id, ())
        if fate is Fate.UNPROVEN and any(user.status is UserStatus.UNKNOWN for user in tried):
            problems = (*problems, NO_STATUS)
        return Person(
            contact_id,
            fate,
            users=tuple(sorted(user.id for user in tried)),
            before=tuple(sorted(user.id for user in mine if user.id in self.before)),
            cards_left=sum(len(user.tokens) for user in tried if user.id not in self.gone),
            problems=() if fate.is_good else problems,
        )

    def _fate(self, user: User) -> Fate:
        is_shut = user.status is UserStatus.DEACTIVATED and user.id not in self.unread
        if is_shut or user.id in self.gone:
            return Fate.CUT
        is_mute = user.status is UserStatus.UNKNOWN or user.id in self.unread
        return Fate.UNPROVEN if is_mute and user.id in self.accepted else Fate.FAILED


def shut_out(
    contact_ids: Sequence[ContactId], controller: DoorController, record: CycleRecord, key: bytes
) -> Shut:
    """Deactivate every user of these contacts, free their cards, and read everybody back.

    Raise JournalError if the record cannot be kept; the write in question was not sent.
    """
    try:
        users = controller.users_of(contact_ids)
    except ControllerError as error:
        return Shut(tuple(Person(one, Fate.FAILED) for one in contact_ids), error)
    attempt = _Attempt(controller, record, key)
    attempt.before |= {user.id for user in users if user.status is UserStatus.DEACTIVATED}
    fatal = attempt.run(users)
    again = attempt.to_try_again(contact_ids)
    if fatal is None and again:
        with suppress(ControllerError):  # the read-back said already what is wrong with them
            fatal = attempt.run_again(controller.users_of(again), again)
    return Shut(tuple(attempt.person(contact_id) for contact_id in contact_ids), fatal)


def _revocations(users: Iterable[User]) -> Iterable[Change]:
    steps: dict[ContactId, list[Step]] = {}
    for user in users:
        mine = steps.setdefault(_contact(user), [])
        mine.append(DeactivateUser(user.id, had_status=user.status is not UserStatus.UNKNOWN))
        mine += [FreeCard(user.id, t, OnRefusal.GO_ON, Phase.LATE_FREE) for t in user.tokens]
    for contact_id, wanted in steps.items():
        yield Change(contact_id, ChangeClass.REVOKE, CUT_OFF, tuple(wanted))


def _contact(user: User) -> ContactId:
    """Return whose user this is; `users_of` returns no other."""
    if user.contact_id is None:
        raise ValueError(f"user {user.id} is not managed")
    return user.contact_id

"""Cards on their way to a member: import, bind, reclaim (R3).

The table of custody is asked again here, with live answers, wherever somebody else may hold the
card. Force is used in one line of this file, after that table said so (P3).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import assert_never

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import (
    Card,
    HeldByUser,
    HolderUnknown,
    Snapshot,
    User,
    UserId,
    UserStatus,
)
from door_sync.core.custody import (
    IMPORT_FAILED,
    Bind,
    OutOfReach,
    Reclaim,
    judge,
)
from door_sync.core.people import ContactId
from door_sync.core.reports import IMPORT_SETTLED_BY
from door_sync.core.steps import (
    BindCard,
    Blocked,
    ImportCard,
    NewCard,
    Notice,
    NoticeKind,
    PlannedStep,
    ReclaimCard,
)
from door_sync.core.tags import card_tag, digest
from door_sync.ports import (
    CardHasHolder,
    ControllerError,
    ImportUncertain,
    WriteFailed,
    WriteRefused,
    WriteUncertain,
)
from door_sync.unifi.barring import Barrier
from door_sync.unifi.ledger import Ledger, Outcome
from door_sync.unifi.recorded import Recorded

NOT_IMPORTED = f"{IMPORT_FAILED}. {IMPORT_SETTLED_BY}"
JUST_NOW = "its holder was deactivated only just now; the next cycle looks again"


@dataclass
class Binder:
    """Brings cards to users. `world` is what a failed import is remembered with (R3)."""

    at: Recorded
    barrier: Barrier
    ledger: Ledger
    known: Snapshot
    world: str
    _tokens: dict[CardNumber, CardToken] = field(default_factory=dict)

    def import_all(self, imports: Sequence[PlannedStep]) -> None:
        """Import every card of the plan in one go; each failure costs its own member (P6)."""
        wanted = {one.step.number: one for one in imports if isinstance(one.step, ImportCard)}
        records = {number: self.at.intend(one) for number, one in wanted.items()}
        self.ledger.writes += 1
        silence: ImportUncertain | None = None
        try:
            cards = self.at.controller.import_cards(list(wanted))
        except ImportUncertain as error:
            cards, silence = error.arrived, error
        except (WriteFailed, ControllerError) as error:
            self.at.hear(error)
            for record in records.values():
                self.at.not_done(record, error)
            if isinstance(error, ControllerError):
                raise
            for one in wanted.values():
                self.ledger.note(one, Outcome.FAILED, error.message)
            return
        self.at.hear(silence)
        arrived = {card.number: card.token for card in cards}
        for number, one in wanted.items():
            token = arrived.get(number)
            if token is None and silence is not None:
                self.at.not_done(records[number], silence)
                self.ledger.note(one, Outcome.FAILED, silence.message)
                continue
            self.at.record.outcome(records[number], "done" if token else "refused")
            if token is None:
                name = import_digest(self.at.key, one.change.contact_id, number)
                self.at.record.remember_failed_import(name, self.world)
                self.ledger.note(one, Outcome.FAILED, NOT_IMPORTED)
                continue
            self._tokens[number] = token
            self.ledger.note(one, Outcome.DONE)

    def bind(self, planned: PlannedStep, step: BindCard, user_id: UserId) -> None:
        """Bind a card that should be free; if it is not, ask the table (R3)."""
        token = self._tokens.get(step.number) if isinstance(step.card, NewCard) else step.card
        if token is None:
            self.ledger.note(planned, Outcome.PASSED_OVER, "there is no card to bind")
            return
        try:
            if isinstance(step.card, NewCard) and token in self.known.card:
                has_it = self._by_table(planned, user_id, token, step.number)
            else:
                has_it = self._plainly_or_by_table(planned, user_id, token, step.number)
        except WriteFailed:
            self._mark_if_bound(planned, token, step.number, user_id)
            raise
        self._mark(planned, token, step.number, has_it=has_it)

    def reclaim(self, planned: PlannedStep, step: ReclaimCard, user_id: UserId) -> None:
        """Bind a card that is stuck on a disabled user, if it still is (R3, P3)."""
        has_it = self._by_table(planned, user_id, step.card, step.number)
        self._mark(planned, step.card, step.number, has_it=has_it)

    def _plainly_or_by_table(
        self, planned: PlannedStep, user_id: UserId, token: CardToken, number: CardNumber
    ) -> bool:
        try:
            self._plainly(planned, user_id, token)
        except CardHasHolder:
            return self._by_table(planned, user_id, token, number)
        return True

    def _mark(
        self, planned: PlannedStep, token: CardToken, number: CardNumber, *, has_it: bool
    ) -> None:
        """Give a card that was there all along our alias, or remember it (R3).

        One of ours may carry that of another number, if somebody edited it: the import that named
        this card knows better. A card that stays with somebody else gets none: with our alias it
        would be ours to free in the next cycle, whoever holds it (P3). Only its number is
        remembered then.
        """
        card = self.known.card.get(token)
        if card is None or _is_marked(card, number):
            return
        if has_it and self._renamed(planned, token, number):
            return
        key = self.at.key
        name = number_digest(key, number, is_ours=has_it)
        self.at.record.remember_alias(token_digest(key, token), name)

    def _mark_if_bound(
        self, planned: PlannedStep, token: CardToken, number: CardNumber, user_id: UserId
    ) -> None:
        """After a bind without a good answer mark the card if it is bound all the same: a bound
        one is nothing to do for the next cycle, which would leave it without our alias."""
        card = self.known.card.get(token)
        if card is None or _is_marked(card, number):
            return
        with suppress(WriteFailed):  # then nobody knows, and the bind's own failure is told
            if self.at.look_at_holder(token) == HeldByUser(user_id):
                self._mark(planned, token, number, has_it=True)

    def _renamed(self, planned: PlannedStep, token: CardToken, number: CardNumber) -> bool:
        def rename() -> None:
            if not self.at.controller.set_alias(token, number):
                raise WriteRefused("this firmware cannot rename a card", code="no route")

        try:
            self.at.write(planned, rename, "set-alias", settles=False)
        except WriteFailed:
            return False
        return True

    def _by_table(
        self, planned: PlannedStep, user_id: UserId, token: CardToken, number: CardNumber
    ) -> bool:
        """Bind the card as the table says; return whether the user has it now."""
        held = self.at.look_at_holder(token)
        if held == HeldByUser(user_id):
            self.ledger.expect(user_id, planned.change).gained(token)
            self.ledger.note(planned, Outcome.NOT_NEEDED, "bound already")
            return True
        holder = self.at.look_at_user(held.user_id) if isinstance(held, HeldByUser) else None
        if holder is not None and token not in holder.tokens:
            held = HolderUnknown()  # it changed hands between the two looks
        verdict = self._confirmed(judge(token, held, holder))
        match verdict:
            case Bind():
                self._plainly(planned, user_id, token)
            case Reclaim(holder=former):
                warning = self._warning(planned, number, former, holder)
                self._forced(planned, user_id, token, former, warning)
            case OutOfReach():
                blocked = Blocked(planned.change.contact_id, number, verdict.reason, verdict.holder)
                self.ledger.blocked.append(blocked)
                self.ledger.note(planned, Outcome.BLOCKED, verdict.reason)
                return False
            case _:
                assert_never(verdict)
        return True

    def _confirmed(self, verdict: Bind | Reclaim | OutOfReach) -> Bind | Reclaim | OutOfReach:
        """Let a reclaim pass only if the snapshot, or this cycle's own write, says so too (P3)."""
        if not isinstance(verdict, Reclaim) or verdict.holder in self.ledger.shut:
            return verdict
        known = self.known.user.get(verdict.holder)
        if known is not None and known.status is UserStatus.DEACTIVATED:
            return verdict
        return OutOfReach(JUST_NOW)

    def _plainly(self, planned: PlannedStep, user_id: UserId, token: CardToken) -> None:
        self._bind(planned, user_id, token, force=False)

    def _forced(
        self,
        planned: PlannedStep,
        user_id: UserId,
        token: CardToken,
        former: UserId,
        warning: Notice,
    ) -> None:
        """Bind by force, and warn of it unless it was refused."""
        try:
            self._bind(planned, user_id, token, force=True)
        except WriteUncertain:
            self._took(planned, former, warning)
            raise
        self._took(planned, former, warning)

    def _took(self, planned: PlannedStep, former: UserId, warning: Notice) -> None:
        self.ledger.gave_way(former, planned.change)
        self.ledger.warnings.append(warning)

    def _bind(
        self, planned: PlannedStep, user_id: UserId, token: CardToken, *, force: bool
    ) -> None:
        kind = "reclaim-card" if force else "bind-card"

        def bind() -> None:
            self.at.controller.bind_card(user_id, token, force=force)

        try:
            self.barrier.give(planned, bind, user_id, kind)
        except WriteUncertain:
            self.ledger.expect(user_id, planned.change).gained(token)
            raise
        self.ledger.expect(user_id, planned.change).gained(token)
        self.ledger.note(planned, Outcome.DONE)

    def _warning(
        self, planned: PlannedStep, number: CardNumber, former: UserId, holder: User | None
    ) -> Notice:
        contact_id = holder.contact_id if holder is not None else None
        whose = f"user {former}" if contact_id is None else f"contact {contact_id} (user {former})"
        tag = card_tag(self.at.key, number)
        text = f"its card #{tag} was taken back from {whose}, who is deactivated"
        return Notice(NoticeKind.RECLAIM, text, planned.change.contact_id)


def _is_marked(card: Card, number: CardNumber) -> bool:
    return card.is_ours and card.number == number


def import_digest(key: bytes, contact_id: ContactId, number: CardNumber) -> str:
    """Return what a failed import is remembered by (R3)."""
    return digest(key, "import", contact_id, number)


def token_digest(key: bytes, token: CardToken) -> str:
    """Return what a card is remembered by where it cannot be given our alias (R3)."""
    return digest(key, "token", token)


def number_digest(key: bytes, number: CardNumber, *, is_ours: bool) -> str:
    """Return what the number of such a card is remembered by, and whether it is ours (R3)."""
    return digest(key, "number" if is_ours else "number of somebody's own card", number)

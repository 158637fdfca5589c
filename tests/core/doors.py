"""A controller in memory that carries out the steps of a plan and refuses what a real one refuses.

It knows nothing of how plans are made. Whatever it refuses, a plan that was made from an exact
snapshot must never ask for; so a refusal is an assertion, and fails the test.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from door_sync.core.addresses import normal
from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import (
    Card,
    Free,
    HeldByUser,
    PolicyId,
    Snapshot,
    User,
    UserId,
    UserStatus,
)
from door_sync.core.people import ContactId
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    Change,
    CreateUser,
    DeactivateUser,
    FreeCard,
    ImportCard,
    NewCard,
    NewUser,
    OnRefusal,
    Plan,
    ReclaimCard,
    SetPolicies,
    Step,
    UpdateProfile,
    UserRef,
)


@dataclass
class Doors:
    """Users whose rows hold their direct policies, cards with their holders, and one policy list
    that the console applies to everyone.

    `shown_on` are cards that a user's row shows while the card list says something else.
    `frees_on_deactivated` is False for a controller that refuses card changes on deactivated
    users (design.md §9). A user without a status never shows one, whatever is written.
    """

    users: dict[UserId, User]
    cards: dict[CardToken, Card]
    managed: frozenset[PolicyId]
    everyones: tuple[PolicyId, ...] = ()
    shown_on: dict[CardToken, UserId] = field(default_factory=dict)
    frees_on_deactivated: bool = True
    accepted_without_proof: set[UserId] = field(default_factory=set)
    _made_whole: set[UserId] = field(default_factory=set)
    _new: dict[ContactId, UserId] = field(default_factory=dict)
    _imported: dict[CardNumber, CardToken] = field(default_factory=dict)
    _freed: set[CardToken] = field(default_factory=set)
    _addresses: set[ContactId] = field(default_factory=set)

    def snapshot(self) -> Snapshot:
        """What one complete read of this controller shows."""
        return Snapshot(
            tuple(self._row(user) for user in self.users.values()), tuple(self.cards.values())
        )

    def _row(self, user: User) -> User:
        bound = [c.token for c in self.cards.values() if c.holder == HeldByUser(user.id)]
        disputed = [token for token, shown in self.shown_on.items() if shown == user.id]
        policies = (*self.everyones, *(p for p in user.policy_ids if p not in self.everyones))
        return replace(user, tokens=(*bound, *disputed), policy_ids=policies)

    def carry_out(self, plan: Plan) -> None:
        """Carry out one cycle's plan, step by step."""
        for memory in (self._made_whole, self._freed, self._addresses):
            memory.clear()
        self._new.clear()
        self._imported.clear()
        for planned in plan.steps():
            self._step(planned.step, planned.change)

    def _step(self, step: Step, change: Change) -> None:
        match step:
            case FreeCard():
                self._free(step)
            case DeactivateUser(user=user_id, had_status=had_status):
                self._deactivate(user_id, had_status=had_status)
            case ImportCard(number=number):
                self._import(number)
            case CreateUser():
                self._create(step, change.contact_id)
            case UpdateProfile():
                self._update(step, change.contact_id)
            case ActivateUser(user=user_id):
                assert self.users[user_id].status is UserStatus.DEACTIVATED
                assert not self.users[user_id].policy_ids, "it would open doors at once"
                self._write(user_id, status=UserStatus.ACTIVE)
            case BindCard():
                token = (
                    self._imported[step.card.number]
                    if isinstance(step.card, NewCard)
                    else step.card
                )
                assert self.cards[token].holder == Free(), "CODE_CREDS_NFC_HAS_BIND_USER"
                self._bind(token, step.user, step.number)
            case ReclaimCard():
                assert self.cards[step.card].holder == HeldByUser(step.holder)
                assert self.users[step.holder].status is UserStatus.DEACTIVATED, "P3"
                self._bind(step.card, step.user, step.number)
            case SetPolicies():
                self._set_policies(step)

    def _write(self, user_id: UserId, **written: object) -> None:
        user = self.users[user_id]
        assert user.contact_id is not None, "an unmanaged user is never written to (P4)"
        self.users[user_id] = replace(user, **written)  # type: ignore[arg-type]  # each a field

    def _who(self, ref: UserRef) -> UserId:
        return self._new[ref.contact_id] if isinstance(ref, NewUser) else ref

    def _free(self, step: FreeCard) -> None:
        if step.token in self._freed:
            return
        assert self.cards[step.token].holder == HeldByUser(step.user), "it is not that user's"
        is_shut = self.users[step.user].status is UserStatus.DEACTIVATED
        if is_shut and not self.frees_on_deactivated:
            assert step.on_refusal is OnRefusal.GO_ON, "the no-route answer"
            return
        self._write(step.user)
        self.cards[step.token] = replace(self.cards[step.token], holder=Free())
        self._freed.add(step.token)

    def _deactivate(self, user_id: UserId, *, had_status: bool) -> None:
        is_mute = self.users[user_id].status is UserStatus.UNKNOWN
        assert had_status is not is_mute
        if is_mute:
            self._write(user_id)
            self.accepted_without_proof.add(user_id)
        else:
            self._write(user_id, status=UserStatus.DEACTIVATED)

    def _import(self, number: CardNumber) -> None:
        assert all(card.number != number for card in self.cards.values()), "it is known already"
        token = CardToken(f"imported {number.reveal()}")
        self.cards[token] = Card(token, number, is_ours=True)
        self._imported[number] = token

    def _create(self, step: CreateUser, contact_id: ContactId) -> None:
        assert all(user.contact_id != contact_id for user in self.users.values()), "a duplicate"
        assert step.first_name, "CODE_USER_CSV_IMPORT_INCOMPLETE_PROP"
        assert step.last_name, "CODE_USER_CSV_IMPORT_INCOMPLETE_PROP"
        self._must_be_nobodys(step.email or "", None)
        user_id = UserId(f"new {contact_id}")
        self.users[user_id] = User(
            user_id,
            step.first_name,
            step.last_name,
            step.email or "",
            contact_id=contact_id,
            status=UserStatus.ACTIVE,
        )
        self._new[contact_id] = user_id
        self._made_whole.add(user_id)

    def _update(self, step: UpdateProfile, contact_id: ContactId) -> None:
        user_id = self._who(step.user)
        assert step.after is None or step.after in self._addresses, "it was not given up yet"
        if step.first_name is not None:
            self._write(user_id, first_name=step.first_name, last_name=step.last_name)
        if step.email is not None:
            self._must_be_nobodys(step.email, user_id)
            self._write(user_id, email=step.email)
            self._addresses.add(contact_id)

    def _must_be_nobodys(self, address: str, but_for: UserId | None) -> None:
        for user in self.users.values():
            shown = {normal(user.email), normal(user.console_email)} - {""}
            assert user.id == but_for or normal(address) not in shown, "CODE_ADMIN_EMAIL_EXIST"

    def _bind(self, token: CardToken, ref: UserRef, number: CardNumber) -> None:
        user_id = self._who(ref)
        assert self.users[user_id].status in (UserStatus.ACTIVE, UserStatus.UNKNOWN)
        assert self.cards[token].number == number
        self._write(user_id)
        self.cards[token] = replace(self.cards[token], holder=HeldByUser(user_id))

    def _set_policies(self, step: SetPolicies) -> None:
        user_id = self._who(step.user)
        for token in step.only_without:
            assert self.cards[token].holder != HeldByUser(user_id), "a stale card would open doors"
        by_hand = [p for p in self.users[user_id].policy_ids if p not in self.managed]
        if self.users[user_id].status is UserStatus.DEACTIVATED and not step.keeps_others:
            self._made_whole.add(user_id)
        if not step.keeps_others:
            assert not by_hand or user_id in self._made_whole, "a policy given by hand got lost"
        given = [step.policy] if step.policy is not None else []
        kept = by_hand if step.keeps_others else []
        self._write(user_id, policy_ids=(*given, *kept))


def doors(
    users: Iterable[User],
    cards: Iterable[Card],
    managed: frozenset[PolicyId],
    *,
    everyones: tuple[PolicyId, ...] = (),
    shown_on: dict[CardToken, UserId] | None = None,
    frees_on_deactivated: bool = True,
) -> Doors:
    """A controller with these users and cards; users' rows get their tokens from the cards."""
    return Doors(
        {user.id: user for user in users},
        {card.token: card for card in cards},
        managed,
        everyones,
        shown_on or {},
        frees_on_deactivated,
    )

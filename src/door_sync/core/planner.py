"""Entitlements × snapshot → plan (R2, R3, R4).

Each situation becomes changes, each change a few steps. Which phase a step runs in is all the
order there is: R4 stands in `steps.Phase`, and steps of one contact keep the order written here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import assert_never

from door_sync.core.addresses import AddressDecision, Claim, LeaveOut, Write, decide_addresses
from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import User, UserId, UserStatus
from door_sync.core.custody import Bind, Import, Moves, OutOfReach, Own, Reach, Reclaim, reach
from door_sync.core.names import name_of, name_to_write
from door_sync.core.people import ContactId, Member
from door_sync.core.reports import notices
from door_sync.core.situation import (
    Create,
    Held,
    Keep,
    LeaveAlone,
    Nothing,
    Restore,
    Revoke,
    Settled,
    Site,
    Situation,
    TakeTiersOff,
    Wait,
    freed_tokens,
    managed_policies,
    restored_users,
    wanted_number,
)
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    Blocked,
    Change,
    ChangeClass,
    CreateUser,
    DeactivateUser,
    FreeCard,
    ImportCard,
    NewCard,
    NewUser,
    Notice,
    NoticeKind,
    OnRefusal,
    Phase,
    Plan,
    ReclaimCard,
    SetPolicies,
    Step,
    UpdateProfile,
    UserRef,
)
from door_sync.core.still import situations
from door_sync.core.tiers import Verdict


def plan(site: Site, held: Held = frozenset()) -> Plan:
    """Given the site, return everything that has to be written, without the changes in `held`.

    Custody and addresses are worked out over the changes that run: whoever is held counts as he
    stands in the controller (R3).
    """
    found = situations(site)
    planner = _Planner(site, held, found)
    changes = tuple(
        change for contact_id, what in found.items() for change in planner.of(contact_id, what)
    )
    return Plan(
        changes=changes,
        blocked=tuple(planner.blocked),
        notices=(*notices(site, found), *planner.notices),
    )


@dataclass
class _Planner:
    site: Site
    held: Held
    found: Mapping[ContactId, Situation]
    blocked: list[Blocked] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        snapshot = self.site.snapshot
        self.freed = freed_tokens(self.found, snapshot, self.held)
        self.restored = restored_users(self.found, self.held)
        self.addresses = self._decide_addresses()

    @cached_property
    def waiting(self) -> frozenset[CardToken]:
        """The cards that only changes which are held would free."""
        return freed_tokens(self.found, self.site.snapshot, frozenset()) - self.freed

    def runs(self, contact_id: ContactId, change_class: ChangeClass) -> bool:
        return not self.held or (contact_id, change_class) not in self.held

    def of(self, contact_id: ContactId, what: Situation) -> Iterable[Change]:
        """Return the changes of one contact that run."""
        match what:
            case Nothing() | Wait() | Settled() | LeaveAlone():
                return ()
            case Keep():
                changes = self._keep(what)
            case Revoke():
                changes = [self._revoke(what)]
            case Create():
                changes = [self._create(what)] if self.runs(contact_id, ChangeClass.GRANT) else []
            case Restore():
                runs = self.runs(contact_id, ChangeClass.RESTORE)
                changes = [self._restore(what)] if runs else []
            case TakeTiersOff():
                changes = [self._take_tiers_off(what)]
            case _:
                assert_never(what)
        return [
            _in_order(one)
            for one in changes
            if self.runs(contact_id, one.change_class) and one.steps
        ]

    def _revoke(self, what: Revoke) -> Change:
        steps: list[Step] = []
        for user in what.users:
            held_cards = self.site.snapshot.cards_held_by.get(user.id, ())
            steps += [
                FreeCard(user.id, token, OnRefusal.GO_ON, Phase.REVOKE)
                for token in sorted(card.token for card in held_cards)
            ]
            has_status = user.status is not UserStatus.UNKNOWN
            steps.append(DeactivateUser(user.id, had_status=has_status))
        return Change(what.verdict.contact_id, ChangeClass.REVOKE, what.deny.reason, tuple(steps))

    def _take_tiers_off(self, what: TakeTiersOff) -> Change:
        steps = [
            SetPolicies(user.id, None, self._has_other_policies(user), phase=Phase.KNOWN)
            for user in what.users
        ]
        reason = "a day pass does not prolong a lapsed tier"
        return Change(what.verdict.contact_id, ChangeClass.POLICY, reason, tuple(steps))

    def _create(self, what: Create) -> Change:
        contact_id = what.verdict.contact_id
        user = NewUser(contact_id)
        name = name_of(_member(what.verdict))
        decision = self.addresses.get(contact_id)
        email = decision.address if isinstance(decision, Write) and decision.after is None else None
        steps: list[Step] = [
            *self._card_steps(what.verdict, user, None),
            CreateUser(name.first, name.last, email),
            *self._late_address(user, decision),
            SetPolicies(user, what.grant.policy, keeps_others=False),
        ]
        return Change(contact_id, ChangeClass.GRANT, f"joined tier {what.grant.tier}", tuple(steps))

    def _keep(self, what: Keep) -> list[Change]:
        contact_id, user = what.verdict.contact_id, what.user
        card_class = ChangeClass.GRANT if what.is_half_made else ChangeClass.CARD
        card: list[Step] = []
        if self.runs(contact_id, card_class):
            card += [FreeCard(user.id, t, OnRefusal.FAIL, Phase.FREE) for t in what.stale]
            card += self._card_steps(what.verdict, user.id, user)
        policy = self._policy_step(what)
        profile = self._profile_steps(what.verdict, user, Phase.KNOWN)
        if what.is_half_made:
            found = [(ChangeClass.GRANT, "the user is not complete yet", card + policy)]
        else:
            found = [
                (ChangeClass.CARD, "another card number", card),
                (ChangeClass.POLICY, f"tier {what.grant.tier}", policy),
            ]
        found.append((ChangeClass.PROFILE, "name or address differs", profile))
        return [Change(contact_id, kind, reason, tuple(s)) for kind, reason, s in found if s]

    def _policy_step(self, what: Keep) -> list[Step]:
        user, policy = what.user, what.grant.policy
        shown = managed_policies(user, self.site.managed)
        # The policy of a rule may be unknown. That holds the cycle (§6), and is no change of tier.
        if shown == {policy} or policy not in self.site.managed:
            return []
        others = self._has_other_policies(user)
        if shown:
            return [SetPolicies(user.id, policy, others, phase=Phase.KNOWN)]
        # Nobody gets a first policy while a card that may be lost or recycled opens with it (R2).
        if what.doubtful or not self.freed.issuperset(what.stale):
            text = "its policy waits until a stale card is off the user"
            self._notice(NoticeKind.RESTORE_WAITS, what.verdict.contact_id, text)
            return []
        return [SetPolicies(user.id, policy, others, only_without=what.stale)]

    def _restore(self, what: Restore) -> Change:
        contact_id, user = what.verdict.contact_id, what.user
        steps: list[Step] = [
            FreeCard(user.id, token, OnRefusal.GO_ON, Phase.FREE) for token in what.stale
        ]
        # Also where the row shows none: a row may leave its policies out, and what it does not show
        # would open doors from the moment of activation, with a card that may be stale (R2).
        steps.append(SetPolicies(user.id, None, keeps_others=False, phase=Phase.PEOPLE))
        steps += self._profile_steps(what.verdict, user, Phase.PEOPLE)
        steps.append(ActivateUser(user.id))
        steps += [FreeCard(user.id, t, OnRefusal.SHUT, Phase.LATE_FREE) for t in what.stale]
        steps += self._card_steps(what.verdict, user.id, user)
        steps.append(SetPolicies(user.id, what.grant.policy, False, only_without=what.stale))
        reason = f"rejoined tier {what.grant.tier}"
        return Change(contact_id, ChangeClass.RESTORE, reason, tuple(steps))

    def _card_steps(self, verdict: Verdict, ref: UserRef, user: User | None) -> list[Step]:
        number = wanted_number(verdict)
        if number is None:
            return []
        found = self._reach(verdict.contact_id, number, user.id if user else None)
        match found:
            case Own():
                return []
            case Import():
                return [ImportCard(number), BindCard(ref, NewCard(number), number)]
            case Bind(token) | Moves(token):
                return [BindCard(ref, token, number)]
            case Reclaim(token, holder):
                return [ReclaimCard(ref, token, number, holder)]
            case OutOfReach():
                self._block(verdict.contact_id, number, found, user)
                return []
            case _:
                assert_never(found)

    def _reach(self, contact_id: ContactId, number: CardNumber, own: UserId | None) -> Reach:
        return reach(
            number,
            own,
            self.site.snapshot,
            freed=self.freed,
            restored=self.restored,
            import_failed=contact_id in self.site.failed_imports,
        )

    def _block(
        self, contact_id: ContactId, number: CardNumber, why: OutOfReach, user: User | None
    ) -> None:
        tokens = {card.token for card in self.site.snapshot.cards_numbered.get(number, ())}
        keeps_one = user is not None and not self.freed.issuperset(user.tokens)
        self.blocked.append(
            Blocked(
                contact_id,
                number,
                why.reason,
                why.holder,
                waits_for_hold=bool(tokens & self.waiting),
                leaves_no_card=not keeps_one,
            )
        )

    def _profile_steps(self, verdict: Verdict, user: User, phase: Phase) -> list[Step]:
        name = name_to_write(_member(verdict), user)
        decision = self.addresses.get(verdict.contact_id)
        email: str | None = None
        if isinstance(decision, Write):
            if decision.after is None:
                email = decision.address
            elif decision.blank_first:
                email = ""
        steps: list[Step] = []
        if name is not None or email is not None:
            first, last = (name.first, name.last) if name is not None else (None, None)
            steps.append(UpdateProfile(user.id, first, last, email, phase=phase))
        return steps + self._late_address(user.id, decision)

    def _late_address(self, ref: UserRef, decision: AddressDecision | None) -> list[Step]:
        if not isinstance(decision, Write) or decision.after is None:
            return []
        return [
            UpdateProfile(
                ref,
                email=decision.address,
                after=decision.after,
                turn=decision.turn,
                phase=Phase.ADDRESSES,
            )
        ]

    def _has_other_policies(self, user: User) -> bool:
        return not self.site.managed.issuperset(user.policy_ids)

    def _decide_addresses(self) -> dict[ContactId, AddressDecision]:
        if not self.site.email_sync:
            return {}
        claims: dict[ContactId, Claim] = {}
        for contact_id, what in self.found.items():
            match what:
                case Keep() if self.runs(contact_id, ChangeClass.PROFILE):
                    claims[contact_id] = _claim(what.verdict, what.user)
                case Create() if self.runs(contact_id, ChangeClass.GRANT):
                    claims[contact_id] = _claim(what.verdict, None)
                case Restore() if self.runs(contact_id, ChangeClass.RESTORE):
                    claims[contact_id] = _claim(what.verdict, what.user)
                case _:
                    pass
        decided = decide_addresses(claims, self.site.snapshot.user, self.site.refused)
        for contact_id, decision in decided.items():
            if isinstance(decision, LeaveOut):
                self._notice(NoticeKind.ADDRESS_LEFT_OUT, contact_id, decision.reason)
        return decided

    def _notice(self, kind: NoticeKind, contact_id: ContactId, text: str) -> None:
        self.notices.append(Notice(kind, text, contact_id))


def _in_order(change: Change) -> Change:
    """Return the change with its steps as they run (R4), whatever order they were thought of in."""
    return replace(change, steps=tuple(sorted(change.steps, key=lambda step: step.phase)))


def _claim(verdict: Verdict, user: User | None) -> Claim:
    return Claim(verdict.contact_id, user, _member(verdict).email)


def _member(verdict: Verdict) -> Member:
    assert verdict.member is not None, "a Grant comes from a contact that CiviCRM returned"
    return verdict.member

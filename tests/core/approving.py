"""Held plans whose changes are told apart by their effects, and what persons say to them."""

from collections.abc import Iterable
from typing import Any

from door_sync.core.approvals import Approval, Approvals, Hold, effects, hold_of
from door_sync.core.cards import CardNumber
from door_sync.core.controller import PolicyId, UserId
from door_sync.core.guards import Objection, Scope
from door_sync.core.people import ContactId
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    Change,
    ChangeClass,
    CreateUser,
    DeactivateUser,
    FreeCard,
    ImportCard,
    NewCard,
    NewUser,
    OnRefusal,
    Phase,
    Plan,
    SetPolicies,
    Step,
    UpdateProfile,
)
from tests.core.builders import GOLD, token

KEY = b"k" * 32
OTHER_KEY = b"o" * 32


def change(contact: int, change_class: ChangeClass, *steps: Step) -> Change:
    """What happens to one contact."""
    return Change(ContactId(contact), change_class, "told apart", steps)


def revoke(contact: int, *cards: int) -> Change:
    """The contact loses these cards, and access."""
    who = UserId(f"u{contact}")
    freed = [FreeCard(who, token(one), OnRefusal.GO_ON, Phase.REVOKE) for one in cards]
    return change(contact, ChangeClass.REVOKE, *freed, DeactivateUser(who))


def grant(contact: int, number: int | None = None, policy: PolicyId = GOLD) -> Change:
    """A new user with a new card and a policy."""
    who = NewUser(ContactId(contact))
    wanted = CardNumber(1000 + contact if number is None else number)
    return change(
        contact,
        ChangeClass.GRANT,
        ImportCard(wanted),
        CreateUser(f"First {contact}", "Last"),
        BindCard(who, NewCard(wanted), wanted),
        SetPolicies(who, policy, keeps_others=False),
    )


def restore(contact: int, policy: PolicyId = GOLD) -> Change:
    """A user that is active again, with a policy."""
    who = UserId(f"u{contact}")
    return change(
        contact,
        ChangeClass.RESTORE,
        SetPolicies(who, None, keeps_others=False),
        ActivateUser(who),
        SetPolicies(who, policy, keeps_others=False),
    )


def other_policy(contact: int, policy: PolicyId | None = GOLD) -> Change:
    """Another tier."""
    step = SetPolicies(UserId(f"u{contact}"), policy, keeps_others=True, phase=Phase.KNOWN)
    return change(contact, ChangeClass.POLICY, step)


def other_card(contact: int, number: int) -> Change:
    """Another card, which is known and free."""
    who = UserId(f"u{contact}")
    step = BindCard(who, token(number), CardNumber(number))
    return change(contact, ChangeClass.CARD, step)


def other_name(contact: int, first: str = "New", email: str | None = None) -> Change:
    """Another name, and another address if one is given."""
    step = UpdateProfile(UserId(f"u{contact}"), first, "Name", email)
    return change(contact, ChangeClass.PROFILE, step)


def plan_of(*changes: Change) -> Plan:
    """A plan of these changes."""
    return Plan(changes)


def many(classes: Iterable[ChangeClass], scope: Scope = Scope.CLASS, guard: str = "") -> Objection:
    """A guard that counted too many changes of these classes."""
    counted = tuple(classes)
    name = guard or f"mass {counted[0].value}"
    return Objection(name, scope, "too many", "approve it", "safety.x", counted)


def doubt(extent: int = 0, guard: str = "shrunken source") -> Objection:
    """A guard that doubts a whole read."""
    return Objection(guard, Scope.CYCLE, "too few", "look", extent=extent)


def held(plan: Plan, *found: Objection) -> Hold:
    """The hold that this plan is kept as, all of it held."""
    hold = hold_of(plan, found, KEY)
    assert hold is not None
    return hold


def approved(*holds: Hold | Approval) -> Approvals:
    """Persons said yes to these."""
    given = [one if isinstance(one, Approval) else Approval(one) for one in holds]
    return Approvals(KEY, given)


def part(
    hold: Hold, classes: Iterable[ChangeClass] = (), contacts: Iterable[int] = (), number: int = 0
) -> Approval:
    """A yes to a part of a hold."""
    return Approval(hold, frozenset(classes), frozenset(map(ContactId, contacts)), number)


def names(changes: Iterable[Change]) -> set[tuple[int, ChangeClass]]:
    """Who changes in which way."""
    return {(one.contact_id, one.change_class) for one in changes}


def told(changes: Iterable[Change]) -> set[Any]:
    """The digests of everything that these changes do."""
    return {one.digest for each in changes for one in effects(each, KEY)}

"""Small worlds in few words: contacts, users and cards that differ only where a test says so."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import TypeVar

from door_sync.core.cards import BadCard, CardNumber, CardToken
from door_sync.core.controller import (
    Card,
    Free,
    HeldByUser,
    Holder,
    Policy,
    PolicyId,
    Snapshot,
    User,
    UserId,
    UserStatus,
)
from door_sync.core.people import ContactId, Member, Membership, MembershipType
from door_sync.core.situation import Site
from door_sync.core.steps import Change, ChangeClass, Plan, Step
from door_sync.core.tiers import (
    UNMAPPED,
    CardUnknown,
    Deny,
    Grant,
    MatchedRules,
    Resolution,
    ResolvedPolicies,
    Rule,
    Skip,
    TierBook,
    Unknown,
    Verdict,
    match_rules,
    resolve_policies,
)

TODAY = date(2026, 11, 22)

GOLD = PolicyId("policy-gold")
SILVER = PolicyId("policy-silver")
MANAGED = frozenset({GOLD, SILVER})
BY_HAND = PolicyId("policy-by-hand")
EVERYONES = PolicyId("policy-of-everyone")

ACTIVE, DEACTIVATED = UserStatus.ACTIVE, UserStatus.DEACTIVATED
PENDING, NO_STATUS = UserStatus.PENDING, UserStatus.UNKNOWN

AnyStep = TypeVar("AnyStep", bound=Step)


def token(name: int | str) -> CardToken:
    """A token that says which card it belongs to."""
    return CardToken(f"token-{name}")


def held(user_id: str) -> HeldByUser:
    """Bound to this user."""
    return HeldByUser(UserId(user_id))


def card(
    number: int | None,
    holder: Holder | None = None,
    *,
    ours: bool = True,
    name: int | str | None = None,
) -> Card:
    """A card that carries our alias, free unless somebody holds it; its token is of its number."""
    return Card(
        token(name if name is not None else number or "without-number"),
        CardNumber(number) if number is not None else None,
        ours,
        holder or Free(),
    )


def user(
    user_id: str,
    contact: int | None = None,
    status: UserStatus = ACTIVE,
    *,
    policies: Iterable[PolicyId] = (),
    tokens: Iterable[CardToken] = (),
    first: str = "Ann",
    last: str = "Lee",
    email: str = "",
    console_email: str = "",
) -> User:
    """A user with the same name as every member here; unmanaged without a contact."""
    return User(
        UserId(user_id),
        first,
        last,
        email,
        console_email,
        ContactId(contact) if contact is not None else None,
        status,
        tuple(tokens),
        tuple(policies),
    )


def snapshot(
    users: Iterable[User] = (),
    cards: Iterable[Card] = (),
    *,
    policies: tuple[Policy, ...] | None = (),
    sees_visitors: bool = True,
) -> Snapshot:
    """A snapshot whose users show the cards that are bound to them."""
    listed = tuple(cards)
    shown = tuple(
        replace(
            one,
            tokens=(*one.tokens, *(c.token for c in listed if c.holder == HeldByUser(one.id))),
        )
        for one in users
    )
    return Snapshot(shown, listed, policies, sees_visitors)


def membership(
    name: str = "Gold",
    status: str = "Current",
    *,
    end: date | None = date(2027, 6, 30),
    is_override: bool = False,
    is_test: bool = False,
) -> Membership:
    """A membership of one of `TYPES`, running until next summer."""
    return Membership(1, TYPES[name], status, end, is_override, is_test)


def member(
    contact: int = 1,
    *memberships: Membership,
    card: int | BadCard | None = 1001,
    first: str = "Ann",
    last: str = "Lee",
    display: str = "Ann Lee",
    email: str = "",
    is_deceased: bool = False,
    is_deleted: bool = False,
) -> Member:
    """A living contact with a card."""
    return Member(
        ContactId(contact),
        first,
        last,
        display,
        email,
        CardNumber(card) if isinstance(card, int) else card,
        memberships,
        is_deceased,
        is_deleted,
    )


TYPES = {
    name: MembershipType(number, name, f"{name} membership")
    for number, name in enumerate(
        ("Gold", "Silver", "Bronze", "Volunteer", "Day", "Newsletter", "Unruled"), start=1
    )
}

RULES = (
    Rule("Gold", Resolution.TIER, 100, "Gold doors"),
    Rule("Silver", Resolution.TIER, 50, "Silver doors"),
    Rule("Bronze", Resolution.TIER, 50, "Gold doors"),
    Rule("Volunteer", Resolution.TIER, 10, "Silver doors"),
    Rule("Newsletter", Resolution.NONE, 5),
    Rule("Day", Resolution.DAY_PASS, 1),
)

POLICIES = (Policy(GOLD, "Gold doors"), Policy(SILVER, "Silver doors"))


def tier_book(
    *,
    rules: MatchedRules | None = None,
    policies: ResolvedPolicies | None = None,
    stale_denies: bool = False,
) -> TierBook:
    """The site's rules, with the statuses that count when nobody sets others."""
    return TierBook(
        rules or match_rules(TYPES.values(), RULES),
        policies or resolve_policies(RULES, POLICIES),
        frozenset({"Current", "Grace", "New"}),
        TODAY,
        stale_denies=stale_denies,
    )


def grant(
    contact: int = 1,
    card: int | BadCard | CardUnknown | None = 1001,
    policy: PolicyId = GOLD,
    *,
    first: str = "Ann",
    last: str = "Lee",
    display: str = "Ann Lee",
    email: str = "",
) -> Verdict:
    """A contact that should have a policy, and a card if its number is known."""
    held_in_civicrm = None if isinstance(card, CardUnknown) else card
    part = CardUnknown(card.value) if isinstance(card, BadCard) else card
    return Verdict(
        ContactId(contact),
        Grant(policy, "Gold" if policy == GOLD else "Silver"),
        CardNumber(part) if isinstance(part, int) else part,
        member(contact, card=held_in_civicrm, first=first, last=last, display=display, email=email),
    )


def deny(contact: int = 1, reason: str = "no active membership") -> Verdict:
    """A contact that should have no access."""
    return Verdict(ContactId(contact), Deny(reason), None, member(contact))


def skip(contact: int = 1) -> Verdict:
    """A contact with a day pass."""
    return Verdict(ContactId(contact), Skip("Day"), None, member(contact))


def unknown(contact: int = 1, reason: str = UNMAPPED) -> Verdict:
    """A contact that nobody knows about."""
    return Verdict(ContactId(contact), Unknown(reason), None, None)


def site(
    verdicts: Iterable[Verdict],
    users: Iterable[User] = (),
    cards: Iterable[Card] = (),
    *,
    seen: Snapshot | None = None,
    email_sync: bool = True,
    refused: Iterable[int] = (),
    failed_imports: Iterable[int] = (),
    failed_restores: Iterable[int] = (),
    settled: Iterable[str] = (),
) -> Site:
    """Verdicts meet the controller; `seen` instead of users and cards where a test has it whole."""
    return Site(
        seen or snapshot(users, cards),
        {verdict.contact_id: verdict for verdict in verdicts},
        MANAGED,
        email_sync,
        frozenset(map(ContactId, refused)),
        frozenset(map(ContactId, failed_imports)),
        frozenset(map(ContactId, failed_restores)),
        frozenset(map(UserId, settled)),
    )


def hold(*changes: tuple[int, ChangeClass]) -> frozenset[tuple[ContactId, ChangeClass]]:
    """Changes that must not run."""
    return frozenset((ContactId(contact), change_class) for contact, change_class in changes)


def steps_in_order(plan: Plan) -> list[Step]:
    """Every step of a plan as the executor meets it."""
    return [planned.step for planned in plan.steps()]


def of_kind(plan: Plan, kind: type[AnyStep]) -> list[AnyStep]:
    """The steps of one kind, in order."""
    return [step for step in steps_in_order(plan) if isinstance(step, kind)]


def classes(plan: Plan) -> list[tuple[int, ChangeClass]]:
    """Who changes in which way."""
    return [(change.contact_id, change.change_class) for change in plan.changes]


def changes_of(contacts: Iterable[int], change_class: ChangeClass) -> tuple[Change, ...]:
    """One change of a class for each contact, for whoever only counts them."""
    return tuple(Change(ContactId(one), change_class, "counted", ()) for one in contacts)

"""P12: no repr, text or message of the core tells a name, an address, a number or a token."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime

import door_sync.core
from door_sync.core.access import (
    AccessPolicy,
    AccessReading,
    DoorGroup,
    Place,
    UserGroup,
    Visit,
    Ways,
    openings,
)
from door_sync.core.addresses import Claim, LeaveOut, Write, decide_addresses
from door_sync.core.approvals import Approval, Approvals, Refusal, hold_of
from door_sync.core.card_list import card_list
from door_sync.core.cards import BadCard, CardNumber, CardToken, ForeignCard, number_from_nfc_id
from door_sync.core.causes import Cause, Identity, Standing
from door_sync.core.controller import (
    Card,
    Free,
    HeldByUser,
    HeldByVisitor,
    HolderUnknown,
    Policy,
    PolicyId,
    Snapshot,
    User,
    UserId,
    UserStatus,
    VisitorId,
)
from door_sync.core.custody import reach
from door_sync.core.decision import Habits, Remembered, World, decide
from door_sync.core.drift import drift, seen
from door_sync.core.explain import explain
from door_sync.core.guarding import guard
from door_sync.core.guards import Budgets, Evidence, objections
from door_sync.core.hand_cards import hand_cards
from door_sync.core.leavers import leavers
from door_sync.core.matching import match
from door_sync.core.names import name_of
from door_sync.core.people import ContactId, Member, PersonInFull
from door_sync.core.planner import plan
from door_sync.core.proof import Expectation
from door_sync.core.reports import source_notices
from door_sync.core.situation import Site
from door_sync.core.steps import Plan
from door_sync.core.still import situations
from door_sync.core.telling import what_to_tell
from door_sync.core.tiers import Verdict, verdicts, verdicts_on_missing
from tests.core.builders import (
    ACTIVE,
    BY_HAND,
    DEACTIVATED,
    GOLD,
    MANAGED,
    NO_STATUS,
    PENDING,
    POLICIES,
    RULES,
    SILVER,
    TODAY,
    TYPES,
    held,
    membership,
    tier_book,
)

FIRST, LAST, MAILBOX, NUMBER, TOKEN = "Xaverine", "Quillfeather", "xq.mailbox", 54300, "deadbeef"
KEY = b"k" * 32
SECRETS = (FIRST, LAST, MAILBOX, TOKEN, *map(str, range(NUMBER, NUMBER + 20)), "D41C", "d41c")


def person(contact: int, name: str = "Gold", *, card: int | BadCard | None = 0) -> Member:
    number = CardNumber(NUMBER + (card or contact)) if not isinstance(card, BadCard) else card
    kinds = () if name == "none" else (membership(name),)
    return Member(
        ContactId(contact),
        FIRST,
        LAST,
        f"{FIRST} {LAST}",
        f"{MAILBOX}{contact}@example.org",
        number,
        kinds,
    )


def their_user(
    contact: int | None,
    status: UserStatus = ACTIVE,
    *,
    first: str = f"{FIRST} Old",
    email: str = "",
    policies: tuple[PolicyId, ...] = (),
    tokens: tuple[CardToken, ...] = (),
    name: str = "u",
) -> User:
    return User(
        UserId(f"{name}{contact}"),
        first,
        LAST,
        email or f"{MAILBOX}.old{contact}@example.org",
        f"{MAILBOX}.console{contact}@example.org",
        ContactId(contact) if contact is not None else None,
        status,
        tokens,
        policies,
    )


def the_card(number: int, holder: HeldByUser | HeldByVisitor | HolderUnknown | Free) -> Card:
    return Card(CardToken(f"{TOKEN}{number}"), CardNumber(NUMBER + number), True, holder)


def adopted(people: list[Member], shown: Snapshot) -> Iterator[object]:
    """Everybody matched anew: alone with one contact, and lost among all of them."""
    users = [replace(user, contact_id=None, other_number=LAST) for user in shown.users]
    members = {one.contact_id: one for one in people}
    yield match(users, members, {})
    yield match(users[:1], {ContactId(1): people[0]}, {})
    first, last = users[0].first_name, users[0].last_name
    namesakes = [replace(one, first_name=first, last_name=last, email="") for one in people[:2]]
    yield match(users[:1], {one.contact_id: one for one in namesakes}, {})
    by_hand = replace(shown, cards=tuple(replace(one, is_ours=False) for one in shown.cards))
    yield hand_cards(by_hand, {UserId("u2"): ContactId(2)}, members)


def opening(shown: Snapshot) -> Iterator[object]:
    """A user and a visitor who can open doors."""
    front, group = Place("d1", is_group=False), Place("g1", is_group=True)
    ways = Ways(cards=1, has_pin=True)
    reading = AccessReading(
        users=tuple((user, ways) for user in shown.users),
        visits=(Visit(VisitorId("v1"), FIRST, LAST, "ACTIVE", ways, (front, group)),),
        policies={GOLD: AccessPolicy(GOLD, "Gold hours", (front, group))},
        doors={"d1": "Front"},
        door_groups={"g1": DoorGroup("All", ("d1",))},
        user_groups=(UserGroup((GOLD,), frozenset({UserId("u2")})),),
    )
    yield reading
    yield openings(reading)


def everything() -> Iterator[object]:
    """A club in which everything happens at once, and all that the core makes of it."""
    book = tier_book()
    people = [
        *(person(contact) for contact in (1, 2, 3, 6, 7, 10, 11, 12, 13)),
        person(4, "none"),
        person(5, "none"),
        person(8, "Day"),
        person(9, "Unruled"),
        person(14, card=BadCard.NOT_DIGITS),
        person(15, card=1),
        person(16, "none"),
        person(18, "none"),
    ]
    people[5] = person(10, card=13)  # shares a number with 13
    found = {
        **verdicts(people, book),
        **verdicts_on_missing([ContactId(17)], [], too_many=False),
        ContactId(1): verdicts(people[:1], book)[ContactId(1)],
    }
    users = (
        their_user(2, policies=(SILVER, BY_HAND), email=f"{MAILBOX}3@example.org"),
        their_user(3, DEACTIVATED, policies=(BY_HAND,), email=f"{MAILBOX}2@example.org"),
        their_user(4),
        their_user(5, NO_STATUS),
        their_user(6, PENDING),
        their_user(7, policies=(GOLD,)),
        their_user(8, policies=(GOLD,)),
        their_user(10),
        their_user(11),
        their_user(12),
        their_user(12, name="twin"),
        their_user(None, DEACTIVATED),
        their_user(16),
    )
    cards = (
        the_card(18, held("u2")),
        the_card(19, held("u3")),
        the_card(4, held("u4")),
        the_card(2, Free()),
        the_card(7, held("uNone")),
        the_card(11, HeldByVisitor(VisitorId("v1"))),
        the_card(12, HolderUnknown()),
        the_card(3, held("u16")),
    )
    shown = Snapshot(users, cards, POLICIES)
    world = Site(shown, found, MANAGED, settled=frozenset({UserId("u5")}))
    made = plan(world)
    yield from (world, situations(world), made, made.steps(), shown.cards_numbered, shown.card)
    for number in range(20):
        for own in (None, UserId("u2")):
            for freed in ((), [card.token for card in cards]):
                yield reach(
                    CardNumber(NUMBER + number),
                    own,
                    shown,
                    freed=freed,
                    restored=(),
                    import_failed=False,
                )
    yield reach(
        CardNumber(NUMBER + 18), UserId("u2"), shown, freed=(), restored=(), import_failed=False
    )
    claims = {
        v.contact_id: Claim(v.contact_id, None, v.member.email)
        for v in found.values()
        if v.member is not None
    }
    yield claims
    yield decide_addresses(claims, shown.user, frozenset({ContactId(1)}))
    yield [name_of(one) for one in people]
    yield number_from_nfc_id(CardNumber(NUMBER).nfc_id(9), 8)
    yield (book, people, source_notices(found.values(), book.rules, book))
    yield card_list(shown, found, made.blocked)
    yield from adopted(people, shown)
    yield from opening(shown)
    doubts = Evidence(
        9, 0, 1, 1, 9, 9, 9, True, ("Gold",), (ContactId(9),), (ContactId(14),), (ContactId(15),)
    )
    yield (doubts, Budgets(), objections(made, doubts, Budgets(halt_on_bad_record=True)))
    expected = Expectation(
        status=ACTIVE,
        holds={cards[0].token},
        lacks={cards[1].token},
        managed_policies=MANAGED,
        kept_policies=MANAGED,
        first_name=FIRST,
        last_name=LAST,
        email=MAILBOX,
    )
    yield expected
    read = World({one.contact_id: one for one in people}, tuple(TYPES.values()), shown, TODAY)
    habits, remembered = Habits(RULES, book.active_statuses), Remembered()
    decision = decide(read, habits, remembered)
    yield (read, habits, remembered, decision, leavers(decision, shown, found))
    for one in people:
        in_full = PersonInFull(one, one.memberships)
        explained = explain(one.contact_id, read, habits, decision, frozenset(), in_full)
        yield (in_full, explained, what_to_tell(explained))
    strict = replace(habits, budgets=Budgets(0, 0, 0, 0, 0, 0, 0))
    all_held = decide(read, strict, remembered)
    for one in people:
        yield explain(one.contact_id, read, strict, all_held, frozenset(), None)
    yield from said_about(world, made)


def said_about(world: Site, made: Plan) -> Iterator[object]:
    """What is kept of a held plan, and what follows from a person's word and from what changed."""
    strict = Budgets(0, 0, 0, 0, 0, 0, 0)
    evidence = Evidence(100, 100, 100, 100)
    found = objections(made, evidence, strict)
    whole = hold_of(made, found, KEY)
    half = hold_of(made.only(made.changes[::2]), found, KEY)
    assert whole is not None
    assert half is not None
    for hold in (whole, half):
        refusal = Refusal(frozenset(effect.digest for effect in hold.effects))
        given = Approvals(KEY, [Approval(hold)], [refusal])
        yield given
        yield guard(made, world, evidence, strict, given, frozenset({ContactId(4)}))
        ruling = given.rule(made, found)
        assert bool(ruling.grown) is (hold is half)
        yield ruling
    yield drift(seen(made, KEY), seen(made.only(made.changes[:3]), KEY))
    cause = Cause(Identity.HELD, found[0].text, "", found[0].remedy)
    yield Standing(cause, datetime(2026, 11, 22, tzinfo=UTC))


def parts(value: object, met: set[int]) -> Iterator[object]:
    """The value and everything that can be reached from it."""
    if id(value) in met:
        return
    met.add(id(value))
    yield value
    inside: list[object] = []
    if is_dataclass(value) and not isinstance(value, type):
        inside += [getattr(value, one.name) for one in fields(value)]
    elif isinstance(value, Mapping):
        inside += [*value.keys(), *value.values()]
    elif isinstance(value, tuple | list | set | frozenset):
        inside += list(value)
    for one in inside:
        yield from parts(one, met)


def spoken_types() -> set[type]:
    """Every public dataclass of the core that a log line could be handed."""
    found: set[type] = set()
    for module in pkgutil.iter_modules(door_sync.core.__path__):
        names = vars(importlib.import_module(f"door_sync.core.{module.name}"))
        found |= {
            one
            for name, one in names.items()
            if isinstance(one, type) and is_dataclass(one) and not name.startswith("_")
        }
    return found


def test_no_type_of_the_core_shows_what_is_personal() -> None:
    whole = list(everything())  # kept, so that no id is used twice
    met: set[int] = set()
    checked: set[type] = set()
    for value in whole:
        for part in parts(value, met):
            if is_dataclass(part) or isinstance(part, CardNumber | CardToken):
                checked.add(type(part))
                for text in (repr(part), str(part)):
                    told = [secret for secret in SECRETS if secret in text]
                    assert not told, f"{type(part).__name__} tells {told}"
    missed = {one.__name__ for one in spoken_types() - checked}
    assert not missed, "add one of each to everything(), filled with what must not be told"


def test_a_member_and_a_user_show_their_ids_and_what_is_not_personal() -> None:
    assert repr(person(1)) == "Member(contact_id=1)"
    shown = repr(their_user(1, tokens=(CardToken(TOKEN),), policies=(GOLD,)))
    assert shown == (
        "User(id='u1', contact_id=1, status=<UserStatus.ACTIVE: 'ACTIVE'>, "
        "policy_ids=('policy-gold',))"
    )


def test_no_text_for_people_shows_what_is_personal() -> None:
    """Reasons, notices and objections are read by whoever reads the log."""
    whole = list(everything())
    met: set[int] = set()
    made = [part for value in whole for part in parts(value, met)]
    texts = [
        getattr(part, name)
        for part in made
        for name in ("text", "reason", "remedy", "guard")
        if is_dataclass(part) and hasattr(part, name)
    ]
    assert len(texts) > 40
    assert not [text for text in texts for secret in SECRETS if secret in text]


def test_the_same_check_notices_what_does_tell() -> None:
    """A check that finds nothing must be able to find something."""
    assert any(secret in repr(PolicyId(FIRST)) for secret in SECRETS)
    assert any(secret in repr(Policy(PolicyId("x"), LAST)) for secret in SECRETS)
    assert repr(ForeignCard()) == "ForeignCard()"
    assert Verdict in spoken_types()
    assert LeaveOut in spoken_types()
    assert Write in spoken_types()

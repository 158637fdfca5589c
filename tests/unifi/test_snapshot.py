"""Who holds a card, judged over three lists (R0)."""

import pytest

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import (
    Free,
    HeldByUser,
    HeldByVisitor,
    Holder,
    HolderUnknown,
    Policy,
    PolicyId,
    User,
    UserId,
    VisitorId,
)
from door_sync.unifi.snapshot import Comparison, Lists, compare, identity
from door_sync.unifi.wire import CardRow, HolderKind, VisitorRow

FACILITY = 42
CARD = CardToken("c1")
ANN, BOB = UserId("ann"), UserId("bob")
VIC, WIM = VisitorId("vic"), VisitorId("wim")


def judged(
    row: CardRow,
    *,
    ann: tuple[CardToken, ...] = (),
    bob: tuple[CardToken, ...] = (),
    vic: tuple[CardToken, ...] = (),
    wim: tuple[CardToken, ...] = (),
    sees_visitors: bool = True,
) -> tuple[Holder, int]:
    """Return the holder of the one card, and the number of disagreements."""
    visitors = (VisitorRow(VIC, vic), VisitorRow(WIM, wim)) if sees_visitors else None
    lists = Lists((User(ANN, tokens=ann), User(BOB, tokens=bob)), (row,), visitors, ())
    comparison = compare(lists, FACILITY)
    return comparison.snapshot.card[CARD].holder, comparison.disagreements


def held_by(holder_id: str, kind: HolderKind = HolderKind.USER) -> CardRow:
    return CardRow(CARD, holder_id=holder_id, holder_kind=kind, is_assigned=True)


HAS = (CARD,)


def test_a_card_is_held_by_a_user_if_both_lists_say_so() -> None:
    assert judged(held_by(ANN), ann=HAS) == (HeldByUser(ANN), 0)


@pytest.mark.parametrize("kind", [HolderKind.UNSAID, HolderKind.STRANGE])
def test_a_row_without_a_known_kind_of_holder_means_the_listed_user(kind: HolderKind) -> None:
    assert judged(held_by(ANN, kind), ann=HAS) == (HeldByUser(ANN), 0)


@pytest.mark.parametrize("kind", [HolderKind.UNSAID, HolderKind.STRANGE])
def test_a_row_without_a_known_kind_of_holder_means_the_visitor_that_shows_the_card(
    kind: HolderKind,
) -> None:
    assert judged(held_by(VIC, kind), vic=HAS) == (HeldByVisitor(VIC), 0)


@pytest.mark.parametrize("kind", [HolderKind.UNSAID, HolderKind.STRANGE])
def test_a_row_that_names_nobody_known_has_an_unknown_holder(kind: HolderKind) -> None:
    """Not counted as a disagreement: no list contradicts it."""
    assert judged(held_by("zed", kind)) == (HolderUnknown(), 0)


def test_a_card_that_nobody_shows_is_free() -> None:
    assert judged(CardRow(CARD)) == (Free(), 0)
    assert judged(CardRow(CARD), sees_visitors=False) == (Free(), 0)


def test_the_holder_is_disputed_if_the_user_does_not_show_the_card() -> None:
    assert judged(held_by(ANN)) == (HolderUnknown(), 1)


def test_the_holder_is_disputed_if_another_user_shows_the_card() -> None:
    assert judged(held_by(ANN), bob=HAS) == (HolderUnknown(), 1)
    assert judged(held_by(ANN), ann=HAS, bob=HAS) == (HolderUnknown(), 1)


def test_the_holder_is_disputed_if_the_named_user_is_not_listed() -> None:
    holder, disagreements = judged(held_by("zed"))
    assert isinstance(holder, HolderUnknown)
    assert (holder.absent, disagreements) == ("zed", 1)
    assert judged(held_by("zed", HolderKind.UNSAID), ann=HAS) == (HolderUnknown(), 1)


def test_the_holder_is_disputed_if_a_user_shows_a_card_that_calls_itself_free() -> None:
    assert judged(CardRow(CARD), ann=HAS) == (HolderUnknown(), 1)


def test_the_holder_is_disputed_if_a_user_and_a_visitor_show_the_card() -> None:
    assert judged(held_by(ANN), ann=HAS, vic=HAS) == (HolderUnknown(), 1)
    assert judged(CardRow(CARD), ann=HAS, vic=HAS) == (HolderUnknown(), 1)
    assert judged(held_by(VIC, HolderKind.VISITOR), ann=HAS, vic=HAS) == (HolderUnknown(), 1)


def test_an_assigned_card_that_names_nobody_is_disputed() -> None:
    """P3: it must not pass for free."""
    assert judged(CardRow(CARD, is_assigned=True)) == (HolderUnknown(), 1)


def test_a_visitor_s_card_is_the_visitor_s() -> None:
    assert judged(held_by(VIC, HolderKind.VISITOR), vic=HAS) == (HeldByVisitor(VIC), 0)
    assert judged(held_by(VIC, HolderKind.VISITOR)) == (HeldByVisitor(VIC), 0)


def test_a_visitor_who_shows_a_card_holds_it_although_the_card_calls_itself_free() -> None:
    """An ended visit may look like that for ever (§8.5), so it is no disagreement either."""
    assert judged(CardRow(CARD), vic=HAS) == (HeldByVisitor(VIC), 0)
    assert judged(CardRow(CARD, is_assigned=True), vic=HAS) == (HeldByVisitor(VIC), 0)


def test_two_visitors_cannot_hold_one_card() -> None:
    assert judged(held_by(VIC, HolderKind.VISITOR), wim=HAS) == (HolderUnknown(), 1)
    assert judged(CardRow(CARD), vic=HAS, wim=HAS) == (HolderUnknown(), 1)


@pytest.mark.parametrize("kind", [HolderKind.VISITOR, HolderKind.UNSAID, HolderKind.STRANGE])
def test_without_the_right_to_see_visitors_their_cards_have_unknown_holders(
    kind: HolderKind,
) -> None:
    """R0: and this is no distrusted read."""
    assert judged(held_by(VIC, kind), sees_visitors=False) == (HolderUnknown(), 0)
    nameless = CardRow(CARD, holder_kind=kind, is_assigned=True)
    assert judged(nameless, sees_visitors=False) == (HolderUnknown(), 0)


def test_without_the_right_to_see_visitors_users_cards_are_judged_as_usual() -> None:
    assert judged(held_by(ANN), ann=HAS, sees_visitors=False) == (HeldByUser(ANN), 0)
    assert judged(held_by(ANN), sees_visitors=False) == (HolderUnknown(), 1)
    contradicted = judged(held_by(VIC, HolderKind.VISITOR), ann=HAS, sees_visitors=False)
    assert contradicted == (HolderUnknown(), 1)


def test_a_token_on_a_user_that_the_card_list_lacks_is_one_disagreement_and_stays() -> None:
    stray = CardToken("stray")
    comparison = compare(Lists((User(ANN, tokens=(stray,)),), (), (), ()), FACILITY)
    assert comparison.disagreements == 1
    assert comparison.snapshot.user[ANN].tokens == (stray,)
    assert comparison.snapshot.cards == ()


def test_a_token_on_a_visitor_that_the_card_list_lacks_is_no_disagreement() -> None:
    """Visits that are over stay listed (§8.2), their cards may be gone."""
    lists = Lists((User(ANN),), (), (VisitorRow(VIC, (CardToken("gone"),)),), ())
    assert compare(lists, FACILITY).disagreements == 0


def test_held_cards_are_counted_over_all_lists() -> None:
    cards = (
        CardRow(CardToken("1"), holder_id=ANN, holder_kind=HolderKind.USER),
        CardRow(CardToken("2"), is_assigned=True),
        CardRow(CardToken("3")),
        CardRow(CardToken("4")),
    )
    users = (User(ANN, tokens=(CardToken("1"), CardToken("5"))),)
    visitors = (VisitorRow(VIC, (CardToken("3"),)),)
    assert compare(Lists(users, cards, visitors, ()), FACILITY).held == 4


@pytest.mark.parametrize(
    ("held", "disagreements", "trustworthy"),
    [
        (0, 0, True),
        (1, 1, True),
        (2, 2, False),
        (199, 2, False),
        (200, 2, True),
        (200, 3, False),
        (100_000, 1000, True),
        (100_000, 1001, False),
    ],
)
def test_the_lists_are_trusted_up_to_one_card_or_one_percent(
    held: int, disagreements: int, trustworthy: bool
) -> None:
    """R0: more than max(1, 1 %) is distrusted."""
    snapshot = compare(Lists((), (), (), ()), FACILITY).snapshot
    assert Comparison(snapshot, held, disagreements).is_trustworthy is trustworthy


@pytest.mark.parametrize(
    ("alias", "nfc_id", "number", "is_ours"),
    [
        ("sync-01234", "", 1234, True),
        ("sync-01234", "2A04D2", 1234, True),
        ("sync-01234", "002a04d2", 1234, True),
        ("Ann's key", "2A04D2", 1234, False),
        ("", "2A04D2", 1234, False),
        ("sync-00007", "2A04D2", 1234, False),
        ("sync-01234", "6FC02554", None, False),
        ("sync-01234", "not hex", 1234, True),
        ("Ann's key", "", None, False),
        ("sync-99999", "", None, False),
        ("", "", None, False),
    ],
)
def test_a_card_s_number_comes_from_its_raw_id_else_from_its_alias(
    alias: str, nfc_id: str, number: int | None, is_ours: bool
) -> None:
    """C2: used if present, never required; an alias that contradicts it is not ours."""
    expected = None if number is None else CardNumber(number)
    assert identity(CardRow(CARD, alias, nfc_id), FACILITY) == (expected, is_ours)


def test_the_snapshot_carries_what_was_read() -> None:
    policies = (Policy(PolicyId("p"), "Members"),)
    snapshot = compare(
        Lists((User(ANN),), (CardRow(CARD, "sync-00007"),), (), policies), FACILITY
    ).snapshot
    assert snapshot.policies == policies
    assert snapshot.sees_visitors
    (card,) = snapshot.cards
    assert (card.number, card.is_ours) == (CardNumber(7), True)


def test_lists_that_may_not_be_read_are_marked_in_the_snapshot() -> None:
    snapshot = compare(Lists((User(ANN),), (), None, None), FACILITY).snapshot
    assert snapshot.policies is None
    assert not snapshot.sees_visitors


def test_a_card_and_its_user_share_one_token() -> None:
    """Of 100,000 tokens a second copy each would be 15 MB."""
    on_user, in_list = CardToken("c1"), CardToken("c1")
    row = CardRow(in_list, holder_id=ANN, holder_kind=HolderKind.USER)
    snapshot = compare(Lists((User(ANN, tokens=(on_user,)),), (row,), (), ()), FACILITY).snapshot
    assert snapshot.cards[0].token is on_user


def test_each_card_of_a_user_with_several_keeps_its_token() -> None:
    tokens = (CardToken("c1"), CardToken("c2"))
    rows = tuple(CardRow(token, holder_id=ANN, holder_kind=HolderKind.USER) for token in tokens)
    snapshot = compare(Lists((User(ANN, tokens=tokens),), rows, (), ()), FACILITY).snapshot
    assert tuple(card.token for card in snapshot.cards) == tokens


def test_a_stray_token_of_a_visitor_is_held_but_in_no_dispute() -> None:
    visitors = (VisitorRow(VIC, (CARD,)), VisitorRow(WIM, (CARD,)))
    comparison = compare(Lists((User(ANN),), (), visitors, ()), FACILITY)
    assert (comparison.held, comparison.disagreements) == (1, 0)


def test_a_card_that_several_lists_tell_of_is_held_once() -> None:
    visitors = (VisitorRow(VIC, (CARD, CardToken("stray"))),)
    users = (User(ANN, tokens=(CARD, CardToken("stray"))),)
    assert compare(Lists(users, (held_by(ANN),), visitors, ()), FACILITY).held == 2

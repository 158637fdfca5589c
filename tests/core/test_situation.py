"""R2: who each contact is in the controller, and what that calls for, row by row."""

import pytest

from door_sync.core.cards import BadCard
from door_sync.core.controller import HolderUnknown, Snapshot, User, UserId, UserStatus
from door_sync.core.people import ContactId
from door_sync.core.situation import (
    CARD_NOT_KNOWN,
    LISTS_DISAGREE,
    RESTORE_FAILED,
    Create,
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
    restored_users,
    serving_user,
    situation,
)
from door_sync.core.situation import PENDING as WAITS_FOR_ACCEPTANCE
from door_sync.core.steps import ChangeClass
from door_sync.core.still import situations
from door_sync.core.tiers import Deny, Unknown, Verdict
from tests.core.builders import (
    ACTIVE,
    BY_HAND,
    DEACTIVATED,
    GOLD,
    NO_STATUS,
    PENDING,
    SILVER,
    card,
    deny,
    grant,
    held,
    hold,
    site,
    skip,
    snapshot,
    token,
    unknown,
    user,
)

BAD = BadCard.NOT_DIGITS


def of(world: Site, contact: int = 1) -> Situation:
    return situation(world.verdicts[ContactId(contact)], world)


def test_a_grant_without_a_user_is_created() -> None:
    verdict = grant(1)
    found = of(site([verdict], [user("hand"), user("u2", 2)]))
    assert isinstance(found, Create)
    assert found.verdict is verdict
    assert found.grant == verdict.entitlement


@pytest.mark.parametrize("status", [ACTIVE, NO_STATUS])
def test_a_grant_with_an_active_user_or_one_without_a_status_is_kept_up(
    status: UserStatus,
) -> None:
    found = of(site([grant(1)], [user("u1", 1, status)]))
    assert isinstance(found, Keep)
    assert found.user.id == "u1"


def test_a_grant_with_a_deactivated_user_is_restored() -> None:
    found = of(site([grant(1)], [user("u1", 1, DEACTIVATED)]))
    assert isinstance(found, Restore)
    assert found.user.id == "u1"


def test_a_grant_with_an_invited_administrator_waits() -> None:
    found = of(site([grant(1)], [user("u1", 1, PENDING)]))
    assert isinstance(found, Wait)
    assert found.why is WAITS_FOR_ACCEPTANCE
    assert found.why.is_pending


@pytest.mark.parametrize("status", [ACTIVE, PENDING, NO_STATUS])
def test_a_denied_contact_is_revoked_unless_its_user_is_deactivated(status: UserStatus) -> None:
    found = of(site([deny(1, "why")], [user("u1", 1, status)]))
    assert isinstance(found, Revoke)
    assert [one.id for one in found.users] == ["u1"]
    assert found.deny == Deny("why")


@pytest.mark.parametrize("users", [[], [user("u1", 1, DEACTIVATED)], [user("hand")]])
def test_a_denied_contact_without_a_user_or_with_a_deactivated_one_needs_nothing(
    users: list[User],
) -> None:
    assert of(site([deny(1)], users)) == Nothing()


@pytest.mark.parametrize("status", list(UserStatus))
def test_a_day_pass_takes_managed_policies_off_whatever_the_status(status: UserStatus) -> None:
    found = of(site([skip(1)], [user("u1", 1, status, policies=[GOLD, BY_HAND])]))
    assert isinstance(found, TakeTiersOff)
    assert [one.id for one in found.users] == ["u1"]


def test_a_day_pass_leaves_users_without_a_managed_policy_alone() -> None:
    assert of(site([skip(1)], [user("u1", 1, policies=[BY_HAND])])) == Nothing()
    assert of(site([skip(1)])) == Nothing()
    two = [user("u1", 1, policies=[BY_HAND]), user("u2", 1, policies=[SILVER])]
    found = of(site([skip(1)], two))
    assert isinstance(found, TakeTiersOff)
    assert [one.id for one in found.users] == ["u2"]


@pytest.mark.parametrize("status", list(UserStatus))
def test_an_unknown_contact_is_left_alone_whatever_its_user(status: UserStatus) -> None:
    found = of(site([unknown(1, "why")], [user("u1", 1, status, policies=[GOLD])]))
    assert isinstance(found, LeaveAlone)
    assert found.unknown == Unknown("why")


def test_situations_come_in_the_order_of_contact_ids() -> None:
    found = situations(site([grant(10), deny(2), unknown(1)]))
    assert list(found) == [1, 2, 10]


@pytest.mark.parametrize(
    ("better", "worse"),
    [(ACTIVE, NO_STATUS), (NO_STATUS, DEACTIVATED), (DEACTIVATED, PENDING)],
)
def test_a_grant_prefers_active_then_unknown_then_deactivated_then_pending(
    better: UserStatus, worse: UserStatus
) -> None:
    """Even if the other one has the lower id and holds the card."""
    world = site([grant(1)], [user("a", 1, worse), user("b", 1, better)], [card(1001, held("a"))])
    found = of(world)
    assert isinstance(found, Keep | Restore)
    assert found.user.id == "b"


def test_among_equals_a_grant_prefers_the_user_that_holds_the_wanted_card() -> None:
    cards = [card(1001, held("b")), card(1003, held("b")), card(None, held("a"), ours=False)]
    for others in ([], [card(1002, held("a"))]):
        users = [user("0", 1), user("a", 1), user("b", 1)]
        found = of(site([grant(1)], users, [*cards, *others]))
        assert isinstance(found, Keep)
        assert found.user.id == "b"


def test_among_equals_without_the_card_a_grant_prefers_the_lowest_id() -> None:
    users = [user("b", 1), user("a", 1)]
    for verdict in (grant(1), grant(1, card=BAD)):
        served = serving_user(users, verdict, snapshot(users, [card(1002, held("b"))]))
        assert served is not None
        assert served.id == "a"


def test_a_card_of_which_nobody_knows_the_number_is_not_taken_for_the_wanted_one() -> None:
    users = [user("a", 1), user("b", 1)]
    unnumbered = snapshot(users, [card(None, held("b"))])
    served = serving_user(users, Verdict(ContactId(1), Unknown("x")), unnumbered)
    assert served is not None
    assert served.id == "a"


def test_nobody_is_served_by_no_users() -> None:
    assert serving_user([], grant(1), snapshot()) is None


def test_a_denied_contact_loses_all_users_that_are_not_deactivated() -> None:
    users = [user("c", 1, PENDING), user("a", 1), user("b", 1, DEACTIVATED)]
    found = of(site([deny(1)], users))
    assert isinstance(found, Revoke)
    assert [one.id for one in found.users] == ["a", "c"]


def test_a_revocation_that_was_accepted_is_not_written_again_where_no_status_can_prove_it() -> None:
    found = of(site([deny(1)], [user("u1", 1, NO_STATUS)], settled=["u1"]))
    assert isinstance(found, Settled)
    assert [one.id for one in found.users] == ["u1"]


def test_a_user_beside_a_settled_one_is_revoked_alone() -> None:
    users = [user("u1", 1, NO_STATUS), user("u2", 1), user("u3", 1, DEACTIVATED)]
    found = of(site([deny(1)], users, settled=["u1"]))
    assert isinstance(found, Revoke)
    assert [one.id for one in found.users] == ["u2"]


def test_what_was_settled_says_nothing_once_the_contact_has_a_grant_again() -> None:
    assert isinstance(of(site([grant(1)], [user("u1", 1, NO_STATUS)], settled=["u1"])), Keep)


def test_stale_is_every_card_with_our_alias_but_the_wanted_one() -> None:
    cards = [
        card(1001, held("u1")),
        card(1003, held("u1")),
        card(1002, held("u1")),
        card(1004, held("u1"), ours=False),
        card(None, held("u1"), ours=False),
        card(1005, held("u2")),
        card(1006),
    ]
    users = [user("u1", 1), user("u2", 2)]
    kept = of(site([grant(1)], users, cards))
    assert isinstance(kept, Keep)
    assert kept.stale == (token(1002), token(1003))
    restored = of(site([grant(1)], [user("u1", 1, DEACTIVATED)], cards[:-2]))
    assert isinstance(restored, Restore)
    assert restored.stale == (token(1002), token(1003))


def test_no_card_is_stale_while_the_wanted_number_is_malformed_or_a_duplicate() -> None:
    found = of(site([grant(1, card=BAD)], [user("u1", 1)], [card(1002, held("u1"))]))
    assert isinstance(found, Keep)
    assert found.stale == ()


def disputed(number: int, *, ours: bool = True, status: UserStatus = ACTIVE) -> Snapshot:
    """A user whose row shows a card that the card list says something else about."""
    one = card(number, HolderUnknown(), ours=ours)
    return snapshot([user("u1", 1, status, tokens=[one.token])], [one])


def test_a_card_that_the_lists_disagree_about_is_doubtful_only_if_it_would_be_stale() -> None:
    for seen, doubtful in (
        (disputed(1002), True),
        (disputed(1001), False),
        (disputed(1002, ours=False), False),
    ):
        found = of(site([grant(1)], seen=seen))
        assert isinstance(found, Keep)
        assert found.doubtful is doubtful
        assert found.stale == (), "neither bound nor freed (R0)"


def test_a_token_that_the_card_list_does_not_know_is_neither_stale_nor_doubtful() -> None:
    stray = snapshot([user("u1", 1, tokens=[token("stray")])])
    found = of(site([grant(1)], seen=stray))
    assert isinstance(found, Keep)
    assert (found.stale, found.doubtful) == ((), False)


@pytest.mark.parametrize(
    ("made", "half_made"),
    [
        (user("u1", 1), True),
        (user("u1", 1, policies=[BY_HAND]), True),
        (user("u1", 1, policies=[SILVER]), False),
        (user("u1", 1, tokens=[token("any")]), False),
    ],
    ids=["neither", "by hand", "policy", "card"],
)
def test_a_user_with_neither_card_nor_managed_policy_is_half_made(
    made: User, half_made: bool
) -> None:
    found = of(site([grant(1)], [made]))
    assert isinstance(found, Keep)
    assert found.is_half_made is half_made


def waits(world: Site) -> object:
    found = of(world)
    return found.why if isinstance(found, Wait) else type(found)


def test_a_restore_that_was_shut_again_waits_while_the_stale_card_is_there() -> None:
    users = [user("u1", 1, DEACTIVATED)]
    stale = [card(1002, held("u1"))]
    assert waits(site([grant(1)], users, stale, failed_restores=[1])) is RESTORE_FAILED
    assert waits(site([grant(1)], users, stale, failed_restores=[2])) is Restore
    assert waits(site([grant(1)], users, [], failed_restores=[1])) is Restore


def test_a_restore_waits_while_the_lists_disagree_about_a_card_that_would_be_stale() -> None:
    assert waits(site([grant(1)], seen=disputed(1002, status=DEACTIVATED))) is LISTS_DISAGREE
    assert waits(site([grant(1)], seen=disputed(1001, status=DEACTIVATED))) is Restore


def test_a_restore_waits_while_nobody_knows_whether_our_card_on_it_is_the_right_one() -> None:
    users = [user("u1", 1, DEACTIVATED)]
    ours, by_hand = [card(1002, held("u1"))], [card(1002, held("u1"), ours=False)]
    assert waits(site([grant(1, card=BAD)], users, ours)) is CARD_NOT_KNOWN
    assert waits(site([grant(1, card=BAD)], users, by_hand)) is Restore
    assert waits(site([grant(1, card=BAD)], users)) is Restore
    assert waits(site([grant(1)], users, ours)) is Restore


def test_none_of_the_reasons_to_wait_with_a_restore_is_an_invitation() -> None:
    assert not any(why.is_pending for why in (RESTORE_FAILED, LISTS_DISAGREE, CARD_NOT_KNOWN))


def test_cards_of_leavers_and_stale_cards_are_freed_by_this_plan() -> None:
    users = [user("u1", 1), user("u2", 2), user("u3", 3, DEACTIVATED), user("u4", 4)]
    cards = [
        card(11, held("u1")),
        card(12, held("u1"), ours=False),
        card(21, held("u2")),
        card(20, held("u2")),
        card(31, held("u3")),
        card(41, held("u4")),
    ]
    world = site([deny(1), grant(2, 20), grant(3, 30), unknown(4)], users, cards)
    freed = freed_tokens(situations(world), world.snapshot, frozenset())
    assert freed == {token(11), token(12), token(21), token(31)}


@pytest.mark.parametrize(
    ("contact", "change_class", "number"),
    [(1, ChangeClass.REVOKE, 11), (2, ChangeClass.CARD, 21), (3, ChangeClass.RESTORE, 31)],
)
def test_what_a_held_change_would_free_counts_as_bound(
    contact: int, change_class: ChangeClass, number: int
) -> None:
    users = [user("u1", 1), user("u2", 2), user("u3", 3, DEACTIVATED)]
    cards = [card(11, held("u1")), card(21, held("u2")), card(31, held("u3"))]
    world = site([deny(1), grant(2, 20), grant(3, 30)], users, cards)
    found = situations(world)
    everything = freed_tokens(found, world.snapshot, frozenset())
    held_back = freed_tokens(found, world.snapshot, hold((contact, change_class)))
    assert everything - held_back == {token(number)}


def test_a_change_of_another_class_that_is_held_frees_as_if_nothing_were() -> None:
    world = site([deny(1)], [user("u1", 1)], [card(11, held("u1"))])
    found = situations(world)
    assert freed_tokens(found, world.snapshot, hold((1, ChangeClass.CARD))) == {token(11)}


def test_the_users_that_become_active_again_are_those_whose_restore_runs() -> None:
    users = [user("u1", 1, DEACTIVATED), user("u2", 2, DEACTIVATED), user("u3", 3)]
    found = situations(site([grant(1), grant(2, 1002), grant(3, 1003)], users))
    assert restored_users(found, frozenset()) == {UserId("u1"), UserId("u2")}
    assert restored_users(found, hold((1, ChangeClass.RESTORE))) == {UserId("u2")}
    assert restored_users(found, hold((1, ChangeClass.GRANT))) == {UserId("u1"), UserId("u2")}

"""R3 over a whole plan: how cards pass from one person to another, and what a hold does to that."""

from collections.abc import Sequence

import pytest

from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.controller import UserId, UserStatus
from door_sync.core.custody import HELD, NOT_LISTED, RESTORED, TWO_CARDS
from door_sync.core.people import ContactId
from door_sync.core.planner import plan
from door_sync.core.situation import Site
from door_sync.core.steps import (
    BindCard,
    Change,
    ChangeClass,
    DeactivateUser,
    FreeCard,
    HolderShown,
    ImportCard,
    NewUser,
    Plan,
    ReclaimCard,
    Step,
)
from door_sync.core.tiers import Verdict
from tests.core.builders import (
    ACTIVE,
    DEACTIVATED,
    GOLD,
    NO_STATUS,
    PENDING,
    card,
    classes,
    deny,
    grant,
    held,
    hold,
    of_kind,
    site,
    steps_in_order,
    token,
    unknown,
    user,
)

BAD = BadCard.NOT_DIGITS


def frees_and_binds(made: Plan) -> list[str]:
    """What happens to which card, in order, in words."""
    said = []
    for step in steps_in_order(made):
        match step:
            case FreeCard(user=user_id, token=freed):
                said.append(f"free {freed.reveal()} from {user_id}")
            case BindCard(user=user_id, number=number):
                said.append(f"bind {number.reveal()} to {user_id}")
            case _:
                said.append(type(step).__name__)
    return said


def all_frees_before_all_binds(steps: Sequence[Step]) -> bool:
    last_free = max(n for n, step in enumerate(steps) if isinstance(step, FreeCard))
    first_bind = min(n for n, step in enumerate(steps) if isinstance(step, BindCard))
    return last_free < first_bind


def test_two_members_swap_cards_in_one_cycle_without_force() -> None:
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2, policies=[GOLD])]
    cards = [card(1001, held("u1")), card(1002, held("u2"))]
    made = plan(site([grant(1, 1002), grant(2, 1001)], users, cards))
    assert frees_and_binds(made) == [
        "free token-1001 from u1",
        "free token-1002 from u2",
        "bind 1002 to u1",
        "bind 1001 to u2",
    ]


@pytest.mark.parametrize("size", [3, 7])
def test_cards_rotate_among_any_number_of_members_in_one_cycle(size: int) -> None:
    users = [user(f"u{n}", n, policies=[GOLD]) for n in range(1, size + 1)]
    cards = [card(1000 + n, held(f"u{n}")) for n in range(1, size + 1)]
    made = plan(site([grant(n, 1000 + n % size + 1) for n in range(1, size + 1)], users, cards))
    assert all_frees_before_all_binds(steps_in_order(made))
    assert len(of_kind(made, FreeCard)) == len(of_kind(made, BindCard)) == size
    assert made.blocked == ()


def test_a_leavers_card_goes_to_its_next_owner_in_the_same_cycle() -> None:
    cards = [card(1001, held("u2"))]
    made = plan(site([grant(1), deny(2)], [user("u2", 2, policies=[GOLD])], cards))
    steps = steps_in_order(made)
    assert isinstance(steps[0], FreeCard)
    assert isinstance(steps[1], DeactivateUser)
    assert BindCard(NewUser(ContactId(1)), token(1001), CardNumber(1001)) in steps


def test_a_leavers_card_that_was_enrolled_by_hand_moves_as_well() -> None:
    """A leaver's cards are all freed (P4)."""
    cards = [card(1001, held("u2"), ours=False)]
    made = plan(site([grant(1), deny(2)], [user("u2", 2)], cards))
    assert len(of_kind(made, BindCard)) == 1
    assert made.blocked == ()


def test_a_stale_card_of_somebody_who_is_restored_moves_without_force() -> None:
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2, DEACTIVATED)]
    made = plan(site([grant(1), grant(2, 1002)], users, [card(1001, held("u2"))]))
    assert of_kind(made, BindCard)[0].card == token(1001)
    assert of_kind(made, ReclaimCard) == []
    assert all_frees_before_all_binds(steps_in_order(made))


def test_a_card_that_stays_on_somebody_who_is_restored_is_not_taken_by_force() -> None:
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2, DEACTIVATED)]
    by_hand = card(1001, held("u2"), ours=False)
    world = site([grant(1), grant(2, BAD)], users, [by_hand])
    made = plan(world)
    assert of_kind(made, ReclaimCard) == []
    [blocked] = made.blocked
    assert (blocked.contact_id, blocked.reason) == (1, RESTORED)
    assert blocked.holder == HolderShown(UserId("u2"), None, ContactId(2), DEACTIVATED)


@pytest.mark.parametrize("contact", [9, None], ids=["managed", "unmanaged"])
def test_a_card_stuck_on_a_deactivated_user_is_reclaimed(contact: int | None) -> None:
    users = [user("u1", 1, policies=[GOLD]), user("old", contact, DEACTIVATED)]
    made = plan(site([grant(1)], users, [card(1001, held("old"))]))
    assert steps_in_order(made) == [
        ReclaimCard(UserId("u1"), token(1001), CardNumber(1001), UserId("old"))
    ]
    assert classes(made) == [(1, ChangeClass.CARD)]


@pytest.mark.parametrize("verdict", [deny(9), unknown(9)])
def test_a_deactivated_holder_keeps_its_other_cards(verdict: Verdict) -> None:
    users = [user("u1", 1, policies=[GOLD]), user("old", 9, DEACTIVATED)]
    cards = [card(1001, held("old")), card(1002, held("old"))]
    made = plan(site([grant(1), verdict], users, cards))
    assert [type(step) for step in steps_in_order(made)] == [ReclaimCard]


@pytest.mark.parametrize("status", [ACTIVE, PENDING, NO_STATUS])
def test_no_active_holder_is_displaced(status: UserStatus) -> None:
    """P3, for a holder of whom nobody said that anything changes."""
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2, status)]
    made = plan(site([grant(1), unknown(2)], users, [card(1001, held("u2"))]))
    assert made.changes == ()
    [blocked] = made.blocked
    assert blocked.reason == HELD[status]
    assert blocked.holder == HolderShown(UserId("u2"), None, ContactId(2), status)
    assert not blocked.waits_for_hold


def test_a_holder_that_is_not_listed_is_never_displaced() -> None:
    made = plan(site([grant(1)], [user("u1", 1, policies=[GOLD])], [card(1001, held("gone"))]))
    assert made.changes == ()
    assert [one.reason for one in made.blocked] == [NOT_LISTED]


def test_the_member_with_two_users_is_not_served_the_card_of_the_other_one() -> None:
    users = [user("u1", 1), user("u2", 1, PENDING)]
    made = plan(site([grant(1)], users, [card(1001, held("u2"))]))
    assert of_kind(made, BindCard) == []
    assert [one.reason for one in made.blocked] == [HELD[PENDING]]


def test_cards_are_imported_for_each_member_that_lacks_one() -> None:
    made = plan(site([grant(n, 1000 + n) for n in (3, 1, 2)]))
    assert of_kind(made, ImportCard) == [ImportCard(CardNumber(1000 + n)) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("holder", "held_class"),
    [(deny(2), ChangeClass.REVOKE), (grant(2, 1002), ChangeClass.CARD)],
    ids=["a leaver", "a member who gets another card"],
)
def test_a_card_whose_free_is_held_is_blocked_and_waits_for_the_hold(
    holder: Verdict, held_class: ChangeClass
) -> None:
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2, policies=[GOLD])]
    world = site([grant(1), holder], users, [card(1001, held("u2")), card(1002)])
    assert plan(world).blocked == ()
    assert of_kind(plan(world), BindCard)[0].user == "u1"
    made = plan(world, hold((2, held_class)))
    assert made.changes == ()
    [blocked] = made.blocked
    assert blocked.contact_id == 1
    assert blocked.waits_for_hold
    assert blocked.holder == HolderShown(UserId("u2"), None, ContactId(2), ACTIVE)


def test_a_holder_whose_restore_is_held_counts_as_he_stands_deactivated() -> None:
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2, DEACTIVATED)]
    world = site([grant(1), grant(2, 1002)], users, [card(1001, held("u2"))])
    made = plan(world, hold((2, ChangeClass.RESTORE)))
    assert steps_in_order(made) == [
        ReclaimCard(UserId("u1"), token(1001), CardNumber(1001), UserId("u2"))
    ]


def test_a_blocked_card_of_somebody_else_does_not_wait_for_a_hold() -> None:
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2), user("hand")]
    cards = [card(1001, held("hand")), card(1002, held("u2"))]
    made = plan(site([grant(1), deny(2)], users, cards), hold((2, ChangeClass.REVOKE)))
    assert [one.waits_for_hold for one in made.blocked] == [False]


def test_a_card_that_is_blocked_although_it_is_freed_waits_for_no_hold() -> None:
    """Two cards with one number: whether one of them becomes free settles nothing."""
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2)]
    twins = [card(1001, held("u2")), card(1001, name="twin")]
    world = site([grant(1), deny(2)], users, twins)
    made = plan(world, hold((7, ChangeClass.REVOKE)))
    assert of_kind(made, FreeCard) != []
    assert [(one.reason, one.waits_for_hold) for one in made.blocked] == [(TWO_CARDS, False)]


def test_a_held_change_of_the_waiting_member_is_neither_written_nor_reported_as_blocked() -> None:
    users = [user("u1", 1, policies=[GOLD])]
    world = site([grant(1)], users, [card(1001, held("gone")), card(7, held("u1"))])
    made = plan(world, hold((1, ChangeClass.CARD)))
    assert made.changes == ()
    assert made.blocked == ()


def test_the_whole_of_a_change_is_held_and_the_contacts_other_changes_go_on() -> None:
    users = [user("u1", 1, first="Old")]
    cards = [card(1001), card(7, held("u1"))]
    world = site([grant(1)], users, cards)
    everything = [
        (1, ChangeClass.CARD),
        (1, ChangeClass.POLICY),
        (1, ChangeClass.PROFILE),
    ]
    assert classes(plan(world)) == everything
    made = plan(world, hold((1, ChangeClass.PROFILE)))
    assert classes(made) == everything[:2]


@pytest.mark.parametrize(
    ("world", "change_class"),
    [
        (site([deny(1)], [user("u1", 1)]), ChangeClass.REVOKE),
        (site([grant(1)]), ChangeClass.GRANT),
        (site([grant(1)], [user("u1", 1, DEACTIVATED)]), ChangeClass.RESTORE),
    ],
)
def test_a_held_change_does_not_run_at_all(world: Site, change_class: ChangeClass) -> None:
    assert [one.change_class for one in plan(world).changes] == [change_class]
    assert plan(world, hold((1, change_class))).changes == ()
    assert plan(world, hold((2, change_class))).changes == plan(world).changes


def test_a_free_belongs_to_the_change_of_the_person_who_holds_the_card() -> None:
    users = [user("u1", 1, policies=[GOLD]), user("u2", 2)]
    made = plan(site([grant(1), deny(2)], users, [card(1001, held("u2"))]))

    def owner(change: Change) -> set[UserId]:
        return {step.user for step in change.steps if isinstance(step, FreeCard)}

    assert {change.contact_id: owner(change) for change in made.changes} == {
        1: set(),
        2: {UserId("u2")},
    }

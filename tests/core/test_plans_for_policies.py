"""R2: which policy is written, when, and what has to be done before."""

import pytest

from door_sync.core.cards import CardNumber
from door_sync.core.controller import HolderUnknown, PolicyId, User
from door_sync.core.planner import plan
from door_sync.core.steps import (
    BindCard,
    ChangeClass,
    ImportCard,
    NewCard,
    NoticeKind,
    Phase,
    SetPolicies,
    UpdateProfile,
)
from tests.core.builders import (
    BY_HAND,
    DEACTIVATED,
    EVERYONES,
    GOLD,
    SILVER,
    card,
    classes,
    grant,
    held,
    hold,
    site,
    snapshot,
    steps_in_order,
    token,
    user,
)
from tests.core.planning import OWN_CARD, U1, texts


def test_another_tier_is_another_policy_and_the_users_own_are_kept() -> None:
    for others, keeps in ([], False), ([BY_HAND], True), ([EVERYONES], True):
        users = [user("u1", 1, policies=[GOLD, *others])]
        made = plan(site([grant(1, 1001, SILVER)], users, [OWN_CARD]))
        assert classes(made) == [(1, ChangeClass.POLICY)]
        assert steps_in_order(made) == [SetPolicies(U1, SILVER, keeps, phase=Phase.KNOWN)]


def test_a_second_managed_policy_is_drift_and_is_removed() -> None:
    made = plan(site([grant(1)], [user("u1", 1, policies=[GOLD, SILVER])], [OWN_CARD]))
    assert steps_in_order(made) == [SetPolicies(U1, GOLD, False, phase=Phase.KNOWN)]


def test_a_policy_that_the_controller_does_not_have_is_no_change_of_tier() -> None:
    """An unknown policy holds the cycle by itself; a second objection would mislead (§6)."""
    made = plan(
        site([grant(1, 1001, PolicyId("no such"))], [user("u1", 1, policies=[GOLD])], [OWN_CARD])
    )
    assert made.changes == ()


def test_policies_that_no_rule_names_are_nobodys_business() -> None:
    made = plan(site([grant(1)], [user("u1", 1, policies=[BY_HAND, GOLD, EVERYONES])], [OWN_CARD]))
    assert made.changes == ()


def test_a_user_without_a_managed_policy_gets_it_last() -> None:
    made = plan(site([grant(1)], [user("u1", 1, policies=[BY_HAND])], [OWN_CARD]))
    assert classes(made) == [(1, ChangeClass.POLICY)]
    assert steps_in_order(made) == [SetPolicies(U1, GOLD, keeps_others=True, phase=Phase.POLICY)]


def test_a_first_policy_depends_on_each_stale_card_being_off() -> None:
    stale = [card(1002, held("u1")), card(1003, held("u1"))]
    made = plan(site([grant(1)], [user("u1", 1)], [OWN_CARD, *stale]))
    assert steps_in_order(made)[-1] == SetPolicies(
        U1, GOLD, False, only_without=(token(1002), token(1003)), phase=Phase.POLICY
    )


def test_a_first_policy_waits_while_the_change_that_frees_a_stale_card_is_held() -> None:
    """An interrupted restore stays shut (R2)."""
    world = site([grant(1)], [user("u1", 1)], [OWN_CARD, card(1002, held("u1"))])
    made = plan(world, hold((1, ChangeClass.CARD)))
    assert made.changes == ()
    assert texts(made, NoticeKind.RESTORE_WAITS) == [
        (1, "its policy waits until a stale card is off the user")
    ]


def test_a_first_policy_waits_while_the_lists_disagree_about_a_stale_card() -> None:
    disputed = card(1002, HolderUnknown())
    seen = snapshot([user("u1", 1, tokens=[disputed.token])], [OWN_CARD, disputed])
    made = plan(site([grant(1)], seen=seen))
    assert made.changes == ()
    assert len(texts(made, NoticeKind.RESTORE_WAITS)) == 1


def test_a_change_of_policy_does_not_wait_for_a_stale_card() -> None:
    """Only a user without any managed policy is kept shut; others would lose nothing by it."""
    disputed = card(1002, HolderUnknown())
    seen = snapshot([user("u1", 1, tokens=[disputed.token], policies=[SILVER])], [OWN_CARD])
    assert steps_in_order(plan(site([grant(1)], seen=seen))) == [
        SetPolicies(U1, GOLD, False, phase=Phase.KNOWN)
    ]


def test_completing_a_half_made_user_is_an_addition_and_its_name_is_not() -> None:
    made = plan(site([grant(1, first="Anna")], [user("u1", 1)]))
    assert classes(made) == [(1, ChangeClass.GRANT), (1, ChangeClass.PROFILE)]
    assert steps_in_order(made) == [
        ImportCard(CardNumber(1001)),
        UpdateProfile(U1, "Anna", "Lee", None),
        BindCard(U1, NewCard(CardNumber(1001)), CardNumber(1001)),
        SetPolicies(U1, GOLD, keeps_others=False),
    ]


def test_a_half_made_user_is_held_as_an_addition() -> None:
    world = site([grant(1)], [user("u1", 1)], [card(1001)])
    assert plan(world, hold((1, ChangeClass.GRANT))).changes == ()
    others = hold((1, ChangeClass.CARD), (1, ChangeClass.POLICY), (1, ChangeClass.RESTORE))
    assert plan(world, others) == plan(world)
    assert classes(plan(world)) == [(1, ChangeClass.GRANT)]


@pytest.mark.parametrize(
    ("users", "change_class"),
    [
        ([], ChangeClass.GRANT),
        ([user("u1", 1)], ChangeClass.GRANT),
        ([user("u1", 1, DEACTIVATED)], ChangeClass.RESTORE),
        ([user("u1", 1, policies=[GOLD])], ChangeClass.CARD),
    ],
    ids=["new", "half-made", "restored", "settled"],
)
def test_somebody_who_is_held_is_not_reported_as_blocked(
    users: list[User], change_class: ChangeClass
) -> None:
    world = site([grant(1)], users, [card(1001, HolderUnknown())])
    assert len(plan(world).blocked) == 1
    assert plan(world, hold((1, change_class))).blocked == ()

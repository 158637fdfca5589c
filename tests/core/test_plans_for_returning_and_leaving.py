"""R2: the steps for whoever comes back, leaves, or has a day pass."""

import pytest

from door_sync.core.cards import CardNumber
from door_sync.core.controller import HolderUnknown, UserStatus
from door_sync.core.planner import plan
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    ChangeClass,
    DeactivateUser,
    FreeCard,
    NoticeKind,
    OnRefusal,
    Phase,
    SetPolicies,
    UpdateProfile,
)
from tests.core.builders import (
    ACTIVE,
    BY_HAND,
    DEACTIVATED,
    EVERYONES,
    GOLD,
    NO_STATUS,
    PENDING,
    SILVER,
    card,
    classes,
    deny,
    grant,
    held,
    of_kind,
    site,
    skip,
    snapshot,
    steps_in_order,
    token,
    user,
)
from tests.core.planning import OWN_CARD, U1, U2, texts


def test_a_restore_opens_nothing_before_its_last_step() -> None:
    """Free where allowed; clear policies, profile; activate; free the rest; bind; policy."""
    users = [user("u1", 1, DEACTIVATED, policies=[SILVER, BY_HAND], first="Old")]
    cards = [card(1002, held("u1")), card(1001)]
    made = plan(site([grant(1, email="ann@x")], users, cards))
    assert classes(made) == [(1, ChangeClass.RESTORE)]
    assert steps_in_order(made) == [
        FreeCard(U1, token(1002), OnRefusal.GO_ON, Phase.FREE),
        SetPolicies(U1, None, keeps_others=False, phase=Phase.PEOPLE),
        UpdateProfile(U1, "Ann", "Lee", "ann@x", phase=Phase.PEOPLE),
        ActivateUser(U1),
        FreeCard(U1, token(1002), OnRefusal.SHUT, Phase.LATE_FREE),
        BindCard(U1, token(1001), CardNumber(1001)),
        SetPolicies(U1, GOLD, keeps_others=False, only_without=(token(1002),)),
    ]


def test_a_restore_of_a_user_who_is_otherwise_right_still_clears_policies_before_it() -> None:
    """A row may leave them out; unseen, they would open doors from the moment of activation."""
    made = plan(site([grant(1)], [user("u1", 1, DEACTIVATED)], [OWN_CARD]))
    assert steps_in_order(made) == [
        SetPolicies(U1, None, keeps_others=False, phase=Phase.PEOPLE),
        ActivateUser(U1),
        SetPolicies(U1, GOLD, keeps_others=False),
    ]


def test_policies_given_by_hand_are_not_revived_and_the_report_says_so() -> None:
    users = [
        user("u1", 1, DEACTIVATED, policies=[BY_HAND, SILVER, EVERYONES]),
        user("u2", 2, policies=[EVERYONES]),
    ]
    made = plan(site([grant(1)], users, [OWN_CARD]))
    assert of_kind(made, SetPolicies) == [
        SetPolicies(U1, None, keeps_others=False, phase=Phase.PEOPLE),
        SetPolicies(U1, GOLD, keeps_others=False),
    ]
    [(contact_id, text)] = texts(made, NoticeKind.HAND_GIVEN_POLICIES)
    assert contact_id == 1
    assert text.startswith("1 "), "what everybody has and what tiers give is not counted"


def test_nothing_is_said_of_a_restore_whose_policies_were_all_of_tiers_or_everyones() -> None:
    users = [
        user("u1", 1, DEACTIVATED, policies=[GOLD, EVERYONES]),
        user("u2", policies=[EVERYONES]),
    ]
    made = plan(site([grant(1)], users, [OWN_CARD]))
    assert made.notices == ()


def test_cards_enrolled_by_hand_on_a_restored_member_stay_and_are_reported() -> None:
    cards = [OWN_CARD, card(1002, held("u1"), ours=False)]
    made = plan(site([grant(1)], [user("u1", 1, DEACTIVATED)], cards))
    assert of_kind(made, FreeCard) == []
    assert len(texts(made, NoticeKind.HAND_ENROLLED_CARD)) == 1


def test_a_restore_whose_wanted_card_is_blocked_goes_on_without_it() -> None:
    cards = [card(1002, held("u1")), card(1001, HolderUnknown())]
    made = plan(site([grant(1)], [user("u1", 1, DEACTIVATED)], cards))
    assert of_kind(made, ActivateUser) == [ActivateUser(U1)]
    assert of_kind(made, BindCard) == []
    assert [one.leaves_no_card for one in made.blocked] == [True]


def test_a_restore_that_waits_is_reported_and_writes_nothing() -> None:
    users = [user("u1", 1, DEACTIVATED)]
    made = plan(site([grant(1)], users, [card(1002, held("u1"))], failed_restores=[1]))
    assert made.changes == ()
    assert [one.kind for one in made.notices] == [NoticeKind.RESTORE_WAITS]


def test_a_leaver_loses_every_card_and_is_then_deactivated() -> None:
    cards = [card(1002, held("u1")), OWN_CARD, card(7, held("u1"), ours=False)]
    made = plan(site([deny(1, "why")], [user("u1", 1, policies=[GOLD])], cards))
    assert [(one.contact_id, one.change_class, one.reason) for one in made.changes] == [
        (1, ChangeClass.REVOKE, "why")
    ]
    assert steps_in_order(made) == [
        *(FreeCard(U1, token(n), OnRefusal.GO_ON, Phase.REVOKE) for n in (1001, 1002, 7)),
        DeactivateUser(U1, had_status=True),
    ]


def test_a_card_that_the_lists_disagree_about_is_not_freed_even_from_a_leaver() -> None:
    disputed = card(1001, HolderUnknown())
    seen = snapshot([user("u1", 1, tokens=[disputed.token])], [disputed])
    assert steps_in_order(plan(site([deny(1)], seen=seen))) == [DeactivateUser(U1)]


@pytest.mark.parametrize("status", [ACTIVE, PENDING])
def test_the_status_of_a_leaver_can_prove_the_deactivation(status: UserStatus) -> None:
    made = plan(site([deny(1)], [user("u1", 1, status)]))
    assert steps_in_order(made) == [DeactivateUser(U1, had_status=True)]


def test_a_row_without_a_status_cannot_prove_the_deactivation() -> None:
    made = plan(site([deny(1)], [user("u1", 1, NO_STATUS)]))
    assert steps_in_order(made) == [DeactivateUser(U1, had_status=False)]


def test_a_settled_revocation_is_reported_and_not_written_again() -> None:
    made = plan(site([deny(1)], [user("u1", 1, NO_STATUS)], settled=["u1"]))
    assert made.changes == ()
    assert [one.kind for one in made.notices] == [NoticeKind.NO_STATUS]


def test_a_leaver_with_two_users_loses_both_and_the_pair_is_reported() -> None:
    users = [user("u2", 1), user("u1", 1)]
    made = plan(site([deny(1)], users, [card(7, held("u2"))]))
    assert steps_in_order(made) == [
        DeactivateUser(U1),
        FreeCard(U2, token(7), OnRefusal.GO_ON, Phase.REVOKE),
        DeactivateUser(U2),
    ]
    assert texts(made, NoticeKind.TWO_USERS) == [
        (1, "2 users in the controller carry this contact id: u1, u2")
    ]


def test_a_member_with_two_users_is_served_by_one_and_the_pair_is_reported() -> None:
    users = [user("u1", 1, DEACTIVATED), user("u2", 1, policies=[SILVER])]
    made = plan(site([grant(1)], users, [card(1001, held("u2"))]))
    assert steps_in_order(made) == [SetPolicies(U2, GOLD, False, phase=Phase.KNOWN)]
    assert len(texts(made, NoticeKind.TWO_USERS)) == 1


@pytest.mark.parametrize("status", list(UserStatus))
def test_a_day_pass_takes_off_managed_policies_alone(status: UserStatus) -> None:
    """Cards, status, name and hand-given policies stay."""
    for others, keeps in ([], False), ([BY_HAND], True):
        users = [user("u1", 1, status, policies=[GOLD, SILVER, *others], first="Other")]
        made = plan(site([skip(1)], users, [card(1002, held("u1"))]))
        assert classes(made) == [(1, ChangeClass.POLICY)]
        assert steps_in_order(made) == [SetPolicies(U1, None, keeps, phase=Phase.KNOWN)]

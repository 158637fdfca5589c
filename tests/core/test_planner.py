"""R2 and R3: the steps that each situation becomes."""

import pytest

from door_sync.core.addresses import REFUSED, TAKEN
from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.controller import (
    HeldByVisitor,
    HolderUnknown,
    User,
    UserId,
    UserStatus,
    VisitorId,
)
from door_sync.core.custody import HELD, IMPORT_FAILED, VISITOR
from door_sync.core.people import ContactId
from door_sync.core.planner import plan
from door_sync.core.situation import Site
from door_sync.core.steps import (
    ActivateUser,
    BindCard,
    Blocked,
    ChangeClass,
    CreateUser,
    DeactivateUser,
    FreeCard,
    HolderShown,
    ImportCard,
    NewCard,
    NewUser,
    NoticeKind,
    OnRefusal,
    Phase,
    Plan,
    SetPolicies,
    UpdateProfile,
)
from tests.core.builders import (
    ACTIVE,
    BY_HAND,
    DEACTIVATED,
    EVERYONES,
    GOLD,
    MANAGED,
    NO_STATUS,
    PENDING,
    SILVER,
    card,
    classes,
    deny,
    grant,
    held,
    hold,
    of_kind,
    site,
    skip,
    snapshot,
    steps_in_order,
    token,
    unknown,
    user,
)

U1, U2 = UserId("u1"), UserId("u2")
NEW = NewUser(ContactId(1))
BAD = BadCard.NOT_DIGITS
SETTLED_USER = user("u1", 1, policies=[GOLD])
OWN_CARD = card(1001, held("u1"))


def texts(made: Plan, kind: NoticeKind) -> list[tuple[int | None, str]]:
    return [(one.contact_id, one.text) for one in made.notices if one.kind is kind]


# Nothing to do


def test_a_user_that_is_as_it_should_be_is_not_written_to() -> None:
    made = plan(site([grant(1)], [SETTLED_USER], [OWN_CARD]))
    assert made == Plan()


@pytest.mark.parametrize("status", list(UserStatus))
def test_unknown_writes_nothing_and_is_reported(status: UserStatus) -> None:
    """P1, with everything about the user that would otherwise be changed."""
    wrong = user("u1", 1, status, policies=[SILVER, GOLD], first="Wrong", email="x@x")
    made = plan(site([unknown(1, "why")], [wrong], [card(1002, held("u1"))]))
    assert made.changes == ()
    assert texts(made, NoticeKind.UNKNOWN) == [(1, "why; nothing is changed")]


def test_an_invited_administrator_is_not_written_to_and_reported() -> None:
    made = plan(site([grant(1)], [user("u1", 1, PENDING, first="Wrong")]))
    assert made.changes == ()
    assert [one.kind for one in made.notices] == [NoticeKind.PENDING_USER]


# Grant without a user


def test_a_new_member_is_created_gets_the_card_and_its_policy_last() -> None:
    made = plan(site([grant(1, 1001, email="ann@x")]))
    assert classes(made) == [(1, ChangeClass.GRANT)]
    assert steps_in_order(made) == [
        ImportCard(CardNumber(1001)),
        CreateUser("Ann", "Lee", "ann@x"),
        BindCard(NEW, NewCard(CardNumber(1001)), CardNumber(1001)),
        SetPolicies(NEW, GOLD, keeps_others=False),
    ]


def test_a_new_member_gets_a_free_card_without_an_import() -> None:
    made = plan(site([grant(1, 1001)], [], [card(1001)]))
    assert steps_in_order(made) == [
        CreateUser("Ann", "Lee", None),
        BindCard(NEW, token(1001), CardNumber(1001)),
        SetPolicies(NEW, GOLD, keeps_others=False),
    ]


def test_a_new_member_whose_number_is_malformed_gets_everything_but_a_card() -> None:
    made = plan(site([grant(1, BAD)]))
    assert steps_in_order(made) == [
        CreateUser("Ann", "Lee", None),
        SetPolicies(NEW, GOLD, keeps_others=False),
    ]
    assert made.blocked == ()


def test_a_new_member_whose_card_is_blocked_gets_everything_else() -> None:
    seen = [user("u2", 2, policies=[GOLD])], [card(1001, held("u2"), ours=False)]
    made = plan(site([grant(1), grant(2, BAD)], *seen))
    assert steps_in_order(made) == [
        CreateUser("Ann", "Lee", None),
        SetPolicies(NEW, GOLD, keeps_others=False),
    ]
    assert made.blocked == (
        Blocked(
            ContactId(1),
            CardNumber(1001),
            HELD[ACTIVE],
            HolderShown(U2, None, ContactId(2), ACTIVE),
            waits_for_hold=False,
            leaves_no_card=True,
        ),
    )


def test_a_name_comes_from_the_display_name_where_there_is_no_other() -> None:
    made = plan(site([grant(1, BAD, first="", last="", display="Fátima")]))
    assert of_kind(made, CreateUser) == [CreateUser("Fátima", "—", None)]


# Grant with an active user


def test_another_name_is_written_and_the_address_left_as_it_is() -> None:
    made = plan(site([grant(1, first="Anna")], [SETTLED_USER], [OWN_CARD]))
    assert classes(made) == [(1, ChangeClass.PROFILE)]
    assert steps_in_order(made) == [UpdateProfile(U1, "Anna", "Lee", None)]


def test_another_address_is_written_and_the_name_left_as_it_is() -> None:
    made = plan(site([grant(1, email="ann@x")], [SETTLED_USER], [OWN_CARD]))
    assert classes(made) == [(1, ChangeClass.PROFILE)]
    assert steps_in_order(made) == [UpdateProfile(U1, None, None, "ann@x")]


def test_another_name_and_address_are_one_write() -> None:
    made = plan(site([grant(1, last="Li", email="ann@x")], [SETTLED_USER], [OWN_CARD]))
    assert steps_in_order(made) == [UpdateProfile(U1, "Ann", "Li", "ann@x")]


def test_no_address_is_written_where_the_site_does_not_want_it() -> None:
    users = [user("u1", 1, policies=[GOLD], email="old@x")]
    world = site([grant(1, email="ann@x"), grant(2, BAD, email="b@x")], users, [OWN_CARD])
    without = site(world.verdicts.values(), seen=world.snapshot, email_sync=False)
    assert of_kind(plan(without), UpdateProfile) == []
    assert of_kind(plan(without), CreateUser) == [CreateUser("Ann", "Lee", None)]
    assert len(of_kind(plan(world), UpdateProfile)) == 1
    assert Site(world.snapshot, {}, MANAGED).email_sync, "a site that says nothing wants it"


def test_another_number_frees_the_old_card_and_binds_the_new_one() -> None:
    users = [user("u1", 1, policies=[GOLD])]
    made = plan(site([grant(1, 1002)], users, [OWN_CARD, card(1002)]))
    assert classes(made) == [(1, ChangeClass.CARD)]
    assert steps_in_order(made) == [
        FreeCard(U1, token(1001), OnRefusal.FAIL, Phase.FREE),
        BindCard(U1, token(1002), CardNumber(1002)),
    ]


def test_a_member_without_a_card_gets_one() -> None:
    made = plan(site([grant(1)], [SETTLED_USER]))
    assert classes(made) == [(1, ChangeClass.CARD)]
    assert steps_in_order(made) == [
        ImportCard(CardNumber(1001)),
        BindCard(U1, NewCard(CardNumber(1001)), CardNumber(1001)),
    ]


def test_a_replaced_card_is_freed_although_the_new_one_is_blocked() -> None:
    """It may be lost, and CiviCRM no longer gives it to this member."""
    visitors = card(1002, HeldByVisitor(VisitorId("v1")))
    made = plan(site([grant(1, 1002)], [SETTLED_USER], [OWN_CARD, visitors]))
    assert steps_in_order(made) == [FreeCard(U1, token(1001), OnRefusal.FAIL, Phase.FREE)]
    [blocked] = made.blocked
    assert blocked.leaves_no_card, "contact 1 has no working card"
    assert (blocked.reason, blocked.holder) == (
        VISITOR,
        HolderShown(visitor_id=VisitorId("v1")),
    )


def test_only_a_malformed_or_duplicate_new_number_leaves_the_old_card() -> None:
    made = plan(site([grant(1, BAD)], [SETTLED_USER], [card(1002, held("u1"))]))
    assert made.changes == ()


def test_a_malformed_number_leaves_name_and_policy_going_on() -> None:
    made = plan(site([grant(1, BAD, SILVER, first="Anna")], [SETTLED_USER], [OWN_CARD]))
    assert classes(made) == [(1, ChangeClass.POLICY), (1, ChangeClass.PROFILE)]


def test_cards_enrolled_by_hand_stay_and_are_reported() -> None:
    cards = [OWN_CARD, card(1002, held("u1"), ours=False), card(None, held("u1"), ours=False)]
    made = plan(site([grant(1)], [SETTLED_USER], cards))
    assert made.changes == ()
    assert texts(made, NoticeKind.HAND_ENROLLED_CARD) == [
        (1, "user u1 has 2 cards enrolled by hand, which stay")
    ]


def test_a_blocked_member_with_another_card_still_has_one_that_works() -> None:
    by_hand = card(7, held("u1"), ours=False)
    made = plan(site([grant(1)], [SETTLED_USER], [by_hand, card(1001, HolderUnknown())]))
    assert [one.leaves_no_card for one in made.blocked] == [False]


def test_a_number_whose_import_failed_is_reported_and_not_tried_again() -> None:
    made = plan(site([grant(1)], [SETTLED_USER], failed_imports=[1]))
    assert made.changes == ()
    assert [one.reason for one in made.blocked] == [IMPORT_FAILED]
    assert plan(site([grant(1)], [SETTLED_USER], failed_imports=[2])).changes != ()


# Policies


def test_another_tier_is_another_policy_and_the_users_own_are_kept() -> None:
    for others, keeps in ([], False), ([BY_HAND], True), ([EVERYONES], True):
        users = [user("u1", 1, policies=[GOLD, *others])]
        made = plan(site([grant(1, 1001, SILVER)], users, [OWN_CARD]))
        assert classes(made) == [(1, ChangeClass.POLICY)]
        assert steps_in_order(made) == [SetPolicies(U1, SILVER, keeps, phase=Phase.KNOWN)]


def test_a_second_managed_policy_is_drift_and_is_removed() -> None:
    made = plan(site([grant(1)], [user("u1", 1, policies=[GOLD, SILVER])], [OWN_CARD]))
    assert steps_in_order(made) == [SetPolicies(U1, GOLD, False, phase=Phase.KNOWN)]


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


# Half-made users


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


# Restore


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


def test_a_restore_of_a_user_who_is_otherwise_right_is_two_steps() -> None:
    made = plan(site([grant(1)], [user("u1", 1, DEACTIVATED)], [OWN_CARD]))
    assert steps_in_order(made) == [ActivateUser(U1), SetPolicies(U1, GOLD, keeps_others=False)]


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


# Deny


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


# Skip


@pytest.mark.parametrize("status", list(UserStatus))
def test_a_day_pass_takes_off_managed_policies_alone(status: UserStatus) -> None:
    """Cards, status, name and hand-given policies stay."""
    for others, keeps in ([], False), ([BY_HAND], True):
        users = [user("u1", 1, status, policies=[GOLD, SILVER, *others], first="Other")]
        made = plan(site([skip(1)], users, [card(1002, held("u1"))]))
        assert classes(made) == [(1, ChangeClass.POLICY)]
        assert steps_in_order(made) == [SetPolicies(U1, None, keeps, phase=Phase.KNOWN)]


# Addresses


def test_people_who_swap_addresses_are_written_after_one_of_them_is_blanked() -> None:
    users = [
        user("u1", 1, policies=[GOLD], email="a@x"),
        user("u2", 2, policies=[GOLD], email="b@x", first="Other"),
    ]
    verdicts = [grant(1, BAD, email="b@x"), grant(2, BAD, email="a@x")]
    made = plan(site(verdicts, users))
    assert steps_in_order(made) == [
        UpdateProfile(U1, None, None, ""),
        UpdateProfile(U2, "Ann", "Lee", None),
        UpdateProfile(U2, None, None, "a@x", after=ContactId(1), turn=1, phase=Phase.ADDRESSES),
        UpdateProfile(U1, None, None, "b@x", after=ContactId(2), turn=2, phase=Phase.ADDRESSES),
    ]


def test_a_new_member_gets_an_address_once_its_holder_gave_it_up() -> None:
    users = [user("u2", 2, policies=[GOLD], email="a@x")]
    made = plan(site([grant(1, BAD, email="a@x"), grant(2, BAD, email="b@x")], users))
    assert steps_in_order(made) == [
        UpdateProfile(U2, None, None, "b@x"),
        CreateUser("Ann", "Lee", None),
        UpdateProfile(NEW, None, None, "a@x", ContactId(2), 1, Phase.ADDRESSES),
        SetPolicies(NEW, GOLD, keeps_others=False),
    ]


def test_a_restored_member_opens_a_circle_before_it_is_activated() -> None:
    users = [
        user("u1", 1, DEACTIVATED, email="a@x"),
        user("u2", 2, policies=[GOLD], email="b@x"),
    ]
    made = plan(site([grant(1, BAD, email="b@x"), grant(2, BAD, email="a@x")], users))
    assert steps_in_order(made)[:4] == [
        UpdateProfile(U1, None, None, "", phase=Phase.PEOPLE),
        ActivateUser(U1),
        UpdateProfile(U2, None, None, "a@x", ContactId(1), 1, Phase.ADDRESSES),
        UpdateProfile(U1, None, None, "b@x", ContactId(2), 2, Phase.ADDRESSES),
    ]


def test_an_address_that_is_taken_or_was_refused_is_left_out_and_the_rest_goes_on() -> None:
    taken = site([grant(1, first="Anna", email="a@x")], [SETTLED_USER, user("hand", email="a@x")])
    refused = site([grant(1, first="Anna", email="a@x")], [SETTLED_USER], refused=[1])
    for world, why in ((taken, TAKEN), (refused, REFUSED)):
        made = plan(world)
        assert UpdateProfile(U1, "Anna", "Lee", None) in steps_in_order(made)
        assert texts(made, NoticeKind.ADDRESS_LEFT_OUT) == [(1, why)]


def test_a_new_member_whose_address_is_taken_is_created_without_it() -> None:
    made = plan(site([grant(1, BAD, email="a@x")], [user("hand", email="a@x")]))
    assert of_kind(made, CreateUser) == [CreateUser("Ann", "Lee", None)]


@pytest.mark.parametrize(
    ("holder", "change_class"),
    [
        (user("u2", 2, policies=[GOLD], email="a@x"), ChangeClass.PROFILE),
        (user("u2", 2, DEACTIVATED, email="a@x"), ChangeClass.RESTORE),
    ],
)
def test_an_address_whose_holder_is_held_counts_as_taken(
    holder: User, change_class: ChangeClass
) -> None:
    world = site([grant(1, BAD, email="a@x"), grant(2, BAD, email="b@x")], [holder])
    assert texts(plan(world), NoticeKind.ADDRESS_LEFT_OUT) == []
    held_back = plan(world, hold((2, change_class)))
    assert texts(held_back, NoticeKind.ADDRESS_LEFT_OUT) == [(1, TAKEN)]


def test_a_contact_whose_own_creation_is_held_claims_no_address() -> None:
    world = site([grant(1, BAD, email="a@x"), grant(2, BAD, email="a@x")])
    assert of_kind(plan(world), CreateUser)[0].email == "a@x"
    without = plan(world, hold((1, ChangeClass.GRANT)))
    assert of_kind(without, CreateUser) == [CreateUser("Ann", "Lee", "a@x")]
    assert [change.contact_id for change in without.changes] == [2]


# Notices


def test_a_contact_without_any_name_is_named_by_its_id_and_reported() -> None:
    made = plan(site([grant(1, BAD, first="", last="", display="")]))
    assert of_kind(made, CreateUser) == [CreateUser("Contact", "1", None)]
    assert len(texts(made, NoticeKind.NO_NAME)) == 1


def test_each_step_of_a_change_stands_where_it_runs_for_that_contact() -> None:
    users = [
        user("u1", 1, DEACTIVATED, policies=[SILVER], email="a@x", first="Old"),
        user("u2", 2, policies=[GOLD], email="b@x"),
    ]
    cards = [card(1002, held("u1")), card(2002, held("u2"))]
    verdicts = [grant(1, email="b@x"), grant(2, 2001, email="a@x"), grant(3, 3001)]
    made = plan(site(verdicts, users, cards))
    for change in made.changes:
        as_run = [planned.step for planned in made.steps() if planned.change is change]
        assert list(change.steps) == as_run

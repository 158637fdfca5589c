"""R2 and R3: the steps for whoever should have access: new people, and those who have a user."""

import pytest

from door_sync.core.cards import CardNumber
from door_sync.core.controller import HeldByVisitor, HolderUnknown, UserStatus, VisitorId
from door_sync.core.custody import HELD, IMPORT_FAILED, VISITOR
from door_sync.core.people import ContactId
from door_sync.core.planner import plan
from door_sync.core.situation import Site
from door_sync.core.steps import (
    BindCard,
    Blocked,
    ChangeClass,
    CreateUser,
    FreeCard,
    HolderShown,
    ImportCard,
    NewCard,
    NoticeKind,
    OnRefusal,
    Phase,
    Plan,
    SetPolicies,
    UpdateProfile,
)
from tests.core.builders import (
    ACTIVE,
    GOLD,
    MANAGED,
    PENDING,
    SILVER,
    card,
    classes,
    grant,
    held,
    of_kind,
    site,
    steps_in_order,
    token,
    unknown,
    user,
)
from tests.core.planning import BAD, NEW, OWN_CARD, SETTLED_USER, U1, U2, texts


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

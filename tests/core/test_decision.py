"""Where the rules meet: what was read and remembered becomes one decision (R1, §6)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from door_sync.core.cards import BadCard
from door_sync.core.controller import User, UserId
from door_sync.core.decision import Habits, Remembered, World, decide, to_ask
from door_sync.core.guards import Budgets, Scope
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass, NoticeKind, ReclaimCard
from door_sync.core.tiers import (
    CUT_OFF,
    NO_SUCH_CONTACT,
    NOT_RETURNED,
    UNMAPPED,
    Deny,
    Resolution,
    Rule,
    Skip,
    Unknown,
)
from tests.core.builders import (
    ACTIVE,
    DEACTIVATED,
    GOLD,
    NO_STATUS,
    PENDING,
    RULES,
    TODAY,
    card,
    classes,
    held,
    member,
    membership,
    of_kind,
    snapshot,
    user,
)
from tests.core.deciding import HABITS, NOTHING, gold, guards, settled, world

TWO_USERS = (("a", NO_STATUS), ("b", ACTIVE))


def test_contacts_of_users_that_are_not_deactivated_and_not_among_the_members_are_asked_for() -> (
    None
):
    users = [
        user("u1", 1, ACTIVE),
        user("u2", 2, PENDING),
        user("u3", 3, NO_STATUS),
        user("u4", 4, DEACTIVATED),
        user("u5", 5),
        user("hand"),
    ]
    assert to_ask([ContactId(5), ContactId(6)], snapshot(users)) == {1, 2, 3}


def test_a_contact_that_is_returned_without_a_card_is_denied_with_that_reason() -> None:
    users = [user("u1", 1), user("u2", 2, policies=[GOLD]), user("u3", 3), settled(4)[0]]
    answers = [
        gold(1, None),
        member(2, membership("Day"), card=None),
        member(3, membership("Gold"), card=None, is_deleted=True),
    ]
    decision = decide(world([gold(4)], users, answered=answers), HABITS, NOTHING)
    assert decision.verdicts[ContactId(1)].entitlement == Deny("the card field is empty")
    assert decision.verdicts[ContactId(2)].entitlement == Skip("Day")
    assert decision.verdicts[ContactId(3)].entitlement == Deny("the contact is in CiviCRM's trash")
    assert decision.missing == frozenset()


def test_a_contact_that_is_not_returned_is_unknown_at_first_and_then_denied() -> None:
    two = world([gold(2)], [user("u1", 1), settled(2)[0]], [settled(2)[1]])
    first = decide(two, HABITS, NOTHING)
    assert first.verdicts[ContactId(1)].entitlement == Unknown(NOT_RETURNED)
    assert first.missing == {1}
    assert first.plan.changes == ()
    then = decide(two, HABITS, replace(NOTHING, missing=first.missing))
    assert then.verdicts[ContactId(1)].entitlement == Deny(NO_SUCH_CONTACT)
    assert classes(then.plan) == [(1, ChangeClass.REVOKE)]


def test_people_who_vanish_together_hold_the_cycle_and_nobody_is_denied() -> None:
    users = [user("u1", 1), user("u2", 2), settled(3)[0]]
    remembered = replace(NOTHING, missing=frozenset({ContactId(1), ContactId(2)}))
    decision = decide(world([gold(3)], users, [settled(3)[1]]), HABITS, remembered)
    assert guards(decision) == ["people vanished"]
    assert decision.full.changes == ()


def test_the_sites_rules_statuses_and_habits_are_obeyed() -> None:
    stale = member(1, replace(membership("Gold"), end_date=TODAY.replace(year=2026, month=1)))
    one = world([stale, gold(2)])
    assert classes(decide(one, HABITS, NOTHING).plan) == [
        (1, ChangeClass.GRANT),
        (2, ChangeClass.GRANT),
    ]
    strict = decide(one, replace(HABITS, stale_denies=True), NOTHING)
    assert classes(strict.plan) == [(2, ChangeClass.GRANT)]
    patient = replace(HABITS, stale_denies=True, stale_after=TODAY - TODAY.replace(year=2025))
    assert len(decide(one, patient, NOTHING).plan.changes) == 2
    nobody = decide(one, replace(HABITS, active_statuses=frozenset({"Paid"})), NOTHING)
    assert nobody.plan.changes == ()
    tiers = decide(one, replace(HABITS, rules=RULES[1:]), NOTHING)
    assert {v.entitlement for v in tiers.verdicts.values()} == {Unknown(UNMAPPED)}


def test_what_is_remembered_reaches_the_plan() -> None:
    users = [
        user("u1", 1, policies=[GOLD]),
        user("u2", 2, DEACTIVATED),
        user("u3", 3, NO_STATUS),
        *(settled(n)[0] for n in (7, 8)),
    ]
    cards = [card(1001, held("u1")), card(2, held("u2")), *(settled(n)[1] for n in (7, 8))]
    mail = replace(gold(1), email="ann@x")
    members = [mail, gold(2), member(3), gold(4), gold(7), gold(8)]
    one = world(members, users, cards)
    assert classes(decide(one, HABITS, NOTHING).plan) == [
        (1, ChangeClass.PROFILE),
        (2, ChangeClass.RESTORE),
        (3, ChangeClass.REVOKE),
        (4, ChangeClass.GRANT),
    ]
    remembered = replace(
        NOTHING,
        refused=frozenset({ContactId(1)}),
        failed_restores=frozenset({ContactId(2)}),
        settled=frozenset({UserId("u3")}),
        failed_imports=frozenset({ContactId(4)}),
    )
    decision = decide(one, HABITS, remembered)
    assert classes(decision.plan) == [(4, ChangeClass.GRANT)]
    assert [blocked.contact_id for blocked in decision.plan.blocked] == [4]
    without_mail = decide(one, replace(HABITS, email_sync=False), NOTHING)
    assert (1, ChangeClass.PROFILE) not in classes(without_mail.plan)


@pytest.mark.parametrize(
    ("before", "users", "lasts"),
    [
        (None, [], True),
        (None, [user("hand")], True),
        (None, [settled(1)[0]], False),
        (True, [settled(1)[0]], True),
        (False, [], False),
    ],
)
def test_a_site_first_seen_without_managed_users_is_in_its_first_provisioning(
    before: bool | None, users: list[User], lasts: bool
) -> None:
    decision = decide(world([gold(1)], users), HABITS, Remembered(provisioning=before))
    assert decision.provisioning is lasts


def test_additions_are_free_in_the_first_provisioning_alone() -> None:
    everybody = [settled(n) for n in range(1, 11)]
    users, cards = [one for one, _ in everybody], [one for _, one in everybody]
    one = world([gold(n) for n in range(1, 21)], users, cards)
    assert guards(decide(one, HABITS, NOTHING)) == ["mass addition"]
    assert guards(decide(one, HABITS, replace(NOTHING, provisioning=True))) == []


def test_the_guards_count_what_was_read() -> None:
    users = [settled(1)[0]]
    one = world([gold(1), gold(2)], users, [settled(1)[1]])
    remembered = replace(NOTHING, last_contacts=10, last_users=10)
    decision = decide(one, HABITS, remembered)
    assert [(o.guard, o.text) for o in decision.objections] == [
        ("shrunken source", "CiviCRM shows 2 contacts with a card, the last good cycle saw 10"),
        ("shrunken controller", "the controller shows 1 users, the last good cycle saw 10"),
    ]


def test_a_club_without_a_grant_while_users_are_active_holds_the_cycle() -> None:
    decision = decide(world([member(1)], [user("u1", 1)]), HABITS, NOTHING)
    assert guards(decision) == ["empty source"]
    assert decision.plan.changes == ()
    assert classes(decision.held_plan) == [(1, ChangeClass.REVOKE)]


def test_a_rule_whose_policy_is_unknown_holds_the_cycle() -> None:
    decision = decide(world([gold(1)], policies=()), HABITS, NOTHING)
    assert set(guards(decision)) == {"unknown policy"}
    assert decision.policies.unknown == ("Bronze", "Gold", "Silver", "Volunteer")
    assert decision.plan.changes == ()
    assert decision.held_plan.changes == decision.full.changes != ()


def test_bad_records_are_counted_by_what_is_wrong_with_them() -> None:
    people = [
        gold(1),
        gold(2000, BadCard.NOT_DIGITS),
        gold(2, BadCard.OUT_OF_RANGE),
        gold(3000, 77),
        gold(3, 77),
        member(5000, membership("Unruled")),
        member(5, membership("Unruled")),
    ]
    halt = replace(HABITS, budgets=Budgets(halt_on_bad_record=True))
    decision = decide(world(people), halt, NOTHING)
    assert [(one.guard, one.text.rsplit(": ", 1)[1]) for one in decision.objections] == [
        ("unmapped type", "5, 5000"),
        ("bad card", "2, 2000"),
        ("duplicate card", "3, 3000"),
    ]
    assert guards(decide(world(people), HABITS, NOTHING)) == []


def test_what_was_done_lately_counts() -> None:
    everybody = [settled(n) for n in range(1, 20)]
    users, cards = [one for one, _ in everybody], [one for _, one in everybody]
    one = world([gold(n) for n in range(1, 18)], users, cards, answered=[member(18), member(19)])
    assert guards(decide(one, HABITS, NOTHING)) == []
    lately = {ChangeClass.REVOKE: frozenset(map(ContactId, range(30, 35)))}
    decision = decide(one, HABITS, replace(NOTHING, lately=lately))
    assert guards(decision) == ["mass deactivation in 24 hours"]


def many_joined_and_one_left() -> World:
    everybody = [settled(n) for n in range(1, 13)]
    users, cards = [one for one, _ in everybody], [one for _, one in everybody]
    members = [gold(n) for n in (*range(1, 12), *range(20, 25))]
    return world(members, users, cards, answered=[member(12)])


def test_a_hold_of_a_class_leaves_the_others_going() -> None:
    decision = decide(many_joined_and_one_left(), HABITS, NOTHING)
    assert guards(decision) == ["mass addition"]
    assert classes(decision.plan) == [(12, ChangeClass.REVOKE)]
    assert classes(decision.held_plan) == [(n, ChangeClass.GRANT) for n in range(20, 25)]
    assert decision.full.changes == (*decision.plan.changes, *decision.held_plan.changes)
    assert decision.held == {(n, ChangeClass.GRANT) for n in range(20, 25)}


def test_a_plan_that_nobody_objects_to_runs_whole() -> None:
    decision = decide(world([gold(1)]), HABITS, NOTHING)
    assert decision.plan == decision.full
    assert decision.held == frozenset()
    assert decision.held_plan.changes == ()


def test_a_class_that_is_held_stays_held_when_a_hold_makes_more_of_it_possible() -> None:
    """Contact 9 wants a card that a member to be restored keeps; while that restore is held, he
    counts as deactivated, and the card could be reclaimed: one more change of card, which nobody
    looked at while changes of card are held too."""
    everybody = [settled(n) for n in range(1, 13)]
    users = [one for one, _ in everybody]
    cards = [replace(one, number=None, is_ours=False) for _, one in everybody[:4]]
    cards += [one for _, one in everybody[4:8]] + [one for _, one in everybody[9:]]
    back = [user(f"u{n}", n, DEACTIVATED) for n in range(20, 24)]
    by_hand = card(1009, held("u20"), ours=False)
    one = world(
        [gold(n) for n in (*range(1, 13), *range(20, 24))], [*users, *back], [*cards, by_hand]
    )
    decision = decide(one, HABITS, NOTHING)
    assert guards(decision) == ["mass addition", "mass card change"]
    assert (9, ChangeClass.CARD) not in classes(decision.full)
    assert decision.plan.changes == ()
    assert of_kind(decision.plan, ReclaimCard) == []


def test_a_hold_that_makes_too_much_possible_is_objected_to_as_well() -> None:
    """The same for people of whose changes there were few enough before."""
    everybody = [settled(n) for n in range(1, 13)]
    users = [one for one, _ in everybody]
    back = [user(f"u{n}", n, DEACTIVATED) for n in range(20, 24)]
    by_hand = [card(1000 + n, held(f"u{19 + n}"), ours=False) for n in range(1, 5)]
    cards = [*(one for _, one in everybody[4:]), *by_hand]
    one = world([gold(n) for n in (*range(1, 13), *range(20, 24))], [*users, *back], cards)
    decision = decide(one, HABITS, NOTHING)
    assert guards(decision) == ["mass addition", "mass card change"]
    assert decision.plan.changes == ()
    alone = decide(one, replace(HABITS, budgets=Budgets(card=0.5)), NOTHING)
    assert guards(alone) == ["mass addition"]
    assert len(of_kind(alone.plan, ReclaimCard)) == 4


def test_notices_come_from_the_plan_that_runs_from_the_source_and_from_missing_rights() -> None:
    rules = (*RULES, Rule("Glod", Resolution.NONE))
    one = world([member(1, membership("Unruled"))], policies=None, sees_visitors=False)
    decision = decide(one, replace(HABITS, rules=rules), NOTHING)
    assert [notice.kind for notice in decision.notices] == [
        NoticeKind.UNKNOWN,
        NoticeKind.UNUSED_RULE,
        NoticeKind.POLICIES_UNSEEN,
        NoticeKind.VISITORS_UNSEEN,
    ]
    assert decision.plan.notices[0] == decision.notices[0]


def test_nothing_is_said_about_rights_that_are_there() -> None:
    assert decide(world([gold(1)]), HABITS, NOTHING).notices == ()


def test_the_scope_of_a_hold_is_the_budgets_own() -> None:
    whole = replace(HABITS, budgets=Budgets(everything_holds_everything=True))
    decision = decide(many_joined_and_one_left(), whole, NOTHING)
    assert [one.scope for one in decision.objections] == [Scope.CYCLE]
    assert decision.plan.changes == ()
    assert decision.held_plan.changes == decision.full.changes


def test_the_people_who_vanished_are_counted_in_the_objection() -> None:
    users = [user(f"u{number}", number) for number in range(1, 6)]
    decision = decide(world([gold(9)], [*users, settled(9)[0]]), HABITS, NOTHING)
    [text] = [one.text for one in decision.objections if one.guard == "people vanished"]
    assert "did not return 5 of the people" in text


def test_somebody_cut_off_whom_civicrm_does_not_return_is_denied_for_that_reason() -> None:
    remembered = replace(NOTHING, cut_off=frozenset({ContactId(1)}))
    decision = decide(world([gold(9)], [user("u1", 1)]), HABITS, remembered)
    assert decision.verdicts[ContactId(1)].entitlement == Deny(CUT_OFF)


def test_a_right_that_is_missing_is_named() -> None:
    decision = decide(world([gold(1)], policies=None, sees_visitors=False), HABITS, NOTHING)
    policies, visitors = (one.text for one in decision.notices[-2:])
    assert "give it the right 'Access Policy: View'" in policies
    assert "give it the right 'Visitor: View'" in visitors


def test_a_missing_contact_with_one_open_user_alarms_though_another_is_settled() -> None:
    """R2: the revocation of `a…` was accepted and shows no status; `b…` is plainly active."""
    users = [user(f"{name}{n}", n, status) for n in (1, 2) for name, status in TWO_USERS]
    remembered = replace(NOTHING, settled=frozenset({UserId("a1"), UserId("a2")}))
    decision = decide(world([gold(9)], [*users, settled(9)[0]]), HABITS, remembered)
    assert "people vanished" in guards(decision)
    alone = decide(world([gold(9)], [*users[::2], settled(9)[0]]), HABITS, remembered)
    assert "people vanished" not in guards(alone)


def test_a_membership_may_say_active_for_seven_days_after_its_end() -> None:
    """R1, where the settings say nothing else."""
    assert Habits(RULES, frozenset()).stale_after == timedelta(days=7)

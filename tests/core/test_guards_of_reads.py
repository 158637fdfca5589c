"""§6: the guards of what was read, all guards at once, and what an objection holds."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from door_sync.core.guards import Budgets, Scope, held_changes, holds_cycle, objections
from door_sync.core.people import ContactId
from door_sync.core.steps import Change, ChangeClass, Plan
from tests.core.guarding import (
    ALL_IS_WELL,
    CARD,
    DEFAULTS,
    GRANT,
    POLICY,
    PROFILE,
    RESTORE,
    REVOKE,
    evidence,
    names,
    object_to,
    people,
)


def test_no_member_with_a_grant_while_managed_users_are_active_holds_the_cycle() -> None:
    [found] = object_to((), evidence(1, grants=0))
    assert (found.guard, found.scope) == ("empty source", Scope.CYCLE)
    assert found.setting == ""
    assert " 1 people" in found.text
    assert object_to((), evidence(1, grants=1)) == ()
    assert object_to((), evidence(0, grants=0)) == ()


def test_people_who_vanished_hold_the_cycle() -> None:
    [found] = object_to((), evidence(100, missing=7, too_many_missing=True))
    assert (found.guard, found.scope) == ("people vanished", Scope.CYCLE)
    assert " 7 of the people" in found.text
    assert object_to((), evidence(100, missing=7)) == ()


def test_a_source_that_shrank_below_four_fifths_holds_the_cycle() -> None:
    assert object_to((), evidence(100, contacts=80, last_contacts=100)) == ()
    [found] = object_to((), evidence(100, contacts=79, last_contacts=100))
    assert (found.guard, found.scope) == ("shrunken source", Scope.CYCLE)
    assert (found.setting, "79" in found.text, "100" in found.text) == (
        "safety.min_read_pct",
        True,
        True,
    )


def test_a_few_cards_less_at_a_small_site_are_no_alarm() -> None:
    assert object_to((), evidence(5, contacts=2, last_contacts=5)) == ()
    assert names(object_to((), evidence(5, contacts=1, last_contacts=5))) == ["shrunken source"]


def test_a_controller_that_shrank_below_four_fifths_holds_the_cycle() -> None:
    assert object_to((), evidence(100, users=80, last_users=100)) == ()
    [found] = object_to((), evidence(100, users=79, last_users=100))
    assert (found.guard, found.scope) == ("shrunken controller", Scope.CYCLE)
    assert (found.setting, "79 users" in found.text, "100" in found.text) == (
        "safety.min_read_pct",
        True,
        True,
    )
    assert names(object_to((), evidence(3, users=3, last_users=4))) == ["shrunken controller"]


def test_sides_that_grew_or_were_never_read_before_are_no_alarm() -> None:
    assert object_to((), evidence(9, last_users=1, last_contacts=1)) == ()
    assert object_to((), evidence(9, last_users=0, last_contacts=0)) == ()
    assert object_to((), evidence(9, users=0, contacts=0)) == ()


def test_how_much_a_side_may_shrink_is_a_setting() -> None:
    half = Budgets(min_read=0.5)
    shrunken = evidence(100, users=50, last_users=100, contacts=50, last_contacts=100)
    assert object_to((), shrunken, half) == ()
    further = replace(shrunken, users=49, contacts=49)
    assert names(object_to((), further, half)) == ["shrunken source", "shrunken controller"]


@given(st.integers(1, 400), st.integers(0, 400), st.integers(0, 100))
@example(before=100, now=7, percent=7)
def test_what_may_be_read_is_never_off_by_a_rounding(before: int, now: int, percent: int) -> None:
    budgets = Budgets(min_read=percent / 100)
    found = object_to((), evidence(9, users=now, last_users=before), budgets)
    assert bool(found) == (now * 100 < percent * before)


def test_each_unknown_policy_holds_the_cycle_and_names_its_rule() -> None:
    found = object_to((), evidence(9, unknown_policies=("Gold", "Silver")))
    assert names(found) == ["unknown policy", "unknown policy"]
    assert {one.scope for one in found} == {Scope.CYCLE}
    assert [one.setting for one in found] == [
        "tier_mapping.rules.Gold.target_policy",
        "tier_mapping.rules.Silver.target_policy",
    ]
    assert "'Gold'" in found[0].text
    assert found[0].setting in found[0].remedy


BAD_RECORDS = [
    ("unmapped", "unmapped type"),
    ("bad_cards", "bad card"),
    ("duplicate_cards", "duplicate card"),
]


@pytest.mark.parametrize(("field", "guard"), BAD_RECORDS)
def test_a_bad_record_costs_its_own_person_unless_the_settings_say_halt(
    field: str, guard: str
) -> None:
    bad = evidence(9, **{field: (ContactId(5), ContactId(7))})
    assert object_to((), bad) == ()
    [found] = object_to((), bad, Budgets(halt_on_bad_record=True))
    assert (found.guard, found.scope) == (guard, Scope.CYCLE)
    assert found.setting == "safety.on_bad_record"
    assert "5, 7" in found.text
    assert '"quarantine"' in found.remedy


def test_a_type_without_a_rule_is_mended_in_the_rules_and_a_card_in_civicrm() -> None:
    bad = evidence(9, **{field: (ContactId(5),) for field, _ in BAD_RECORDS})
    found = object_to((), bad, Budgets(halt_on_bad_record=True))
    assert {one.guard: one.remedy.partition(";")[0] for one in found} == {
        "unmapped type": "say in tier_mapping.rules what that type is worth, or end the "
        "memberships in CiviCRM",
        "bad card": "mend them in CiviCRM",
        "duplicate card": "mend them in CiviCRM",
    }


def test_no_bad_record_is_no_reason_to_halt() -> None:
    assert object_to((), evidence(9), Budgets(halt_on_bad_record=True)) == ()


def test_every_objection_is_reported_and_not_only_the_first() -> None:
    everybody = [change for each in ChangeClass for change in people(60, each)]
    everything = evidence(
        100,
        grants=0,
        missing=9,
        too_many_missing=True,
        contacts=1,
        last_contacts=100,
        users=1,
        last_users=100,
        unknown_policies=("Gold",),
        unmapped=(ContactId(1),),
        bad_cards=(ContactId(2),),
        duplicate_cards=(ContactId(3),),
    )
    found = object_to(everybody, everything, Budgets(halt_on_bad_record=True))
    assert names(found) == [
        "mass deactivation",
        "mass addition",
        "mass policy change",
        "mass card change",
        "mass profile change",
        "empty source",
        "people vanished",
        "shrunken source",
        "shrunken controller",
        "unknown policy",
        "unmapped type",
        "bad card",
        "duplicate card",
    ]
    assert all(one.text and one.remedy for one in found)


def keys(changes: Iterable[Change]) -> set[tuple[ContactId, ChangeClass]]:
    return {(change.contact_id, change.change_class) for change in changes}


def test_a_hold_of_a_class_leaves_the_others_going() -> None:
    """A leaver does not keep access because many joined."""
    leavers, joiners = people(2, REVOKE), (*people(30, GRANT, 10), *people(2, RESTORE, 50))
    plan = Plan((*leavers, *joiners, *people(3, CARD, 60)))
    found = objections(plan, ALL_IS_WELL, DEFAULTS)
    assert not holds_cycle(found)
    assert held_changes(plan, found) == keys(joiners)


@pytest.mark.parametrize("change_class", [POLICY, CARD, PROFILE])
def test_each_class_holds_itself_alone(change_class: ChangeClass) -> None:
    many = people(60, change_class)
    few = [change for each in ChangeClass if each is not change_class for change in people(3, each)]
    plan = Plan((*many, *few))
    assert held_changes(plan, objections(plan, ALL_IS_WELL, DEFAULTS)) == keys(many)


def test_a_hold_of_the_cycle_holds_everything() -> None:
    plan = Plan((*people(16, REVOKE), *(c for each in ChangeClass for c in people(1, each, 50))))
    found = objections(plan, ALL_IS_WELL, DEFAULTS)
    assert holds_cycle(found)
    assert held_changes(plan, found) == keys(plan.changes)


def test_a_hold_of_the_cycle_beside_one_of_a_class_holds_everything() -> None:
    plan = Plan((*people(60, CARD), *people(1, REVOKE, 100)))
    found = objections(plan, evidence(100, unknown_policies=("Gold",)), DEFAULTS)
    assert holds_cycle(found)
    assert held_changes(plan, found) == keys(plan.changes)


def test_nothing_is_held_where_nobody_objects() -> None:
    plan = Plan(people(3, REVOKE))
    assert held_changes(plan, ()) == frozenset()
    assert not holds_cycle(())


def test_the_scope_cycle_makes_every_hold_hold_everything() -> None:
    """As an earlier door-sync did."""
    plan = Plan((*people(60, CARD), *people(1, REVOKE, 100)))
    found = objections(plan, ALL_IS_WELL, Budgets(everything_holds_everything=True))
    plain = objections(plan, ALL_IS_WELL, DEFAULTS)
    assert holds_cycle(found)
    assert not holds_cycle(plain)
    assert held_changes(plan, found) == keys(plan.changes)
    told = [(one.guard, one.text, one.remedy, one.setting) for one in plain]
    assert [(one.guard, one.text, one.remedy, one.setting) for one in found] == told


def test_a_doubt_tells_how_bad_it_is_so_that_an_approval_covers_no_more() -> None:
    """What was approved of forty people missing says nothing about fifty (§6)."""
    empty = object_to([], replace(evidence(30), grants=0))
    source = object_to([], evidence(100, contacts=60, last_contacts=100))
    controller = object_to([], evidence(100, users=50, last_users=100))
    assert [one.extent for one in (*empty, *source, *controller)] == [30, 40, 50]
    bad = evidence(100, bad_cards=(ContactId(1), ContactId(2)), unmapped=(ContactId(3),))
    found = object_to([], bad, Budgets(halt_on_bad_record=True))
    assert [(one.guard, one.extent) for one in found] == [("unmapped type", 1), ("bad card", 2)]


def test_one_contact_and_several_are_told_in_their_own_words() -> None:
    bad = evidence(100, bad_cards=(ContactId(1), ContactId(2)), unmapped=(ContactId(3),))
    one, two = object_to([], bad, Budgets(halt_on_bad_record=True))
    assert one.text == "1 contact has an active membership of a type that has no rule: 3"
    assert two.text == "2 contacts have a card field that holds no card number: 1, 2"


def test_what_an_objection_holds_is_a_word_for_scripts() -> None:
    assert [one.value for one in Scope] == ["cycle", "class"]

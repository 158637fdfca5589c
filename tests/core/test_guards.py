"""§6: what a plan may do without a person's word. Each guard, each of its edges, all at once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from door_sync.core.guards import Budgets, Scope
from door_sync.core.people import ContactId
from door_sync.core.steps import ChangeClass
from tests.core.guarding import (
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


def test_the_defaults_are_those_of_the_design() -> None:
    shares = (DEFAULTS.deactivate, DEFAULTS.add, DEFAULTS.policy, DEFAULTS.card, DEFAULTS.profile)
    assert shares == (0.15, 0.25, 0.20, 0.20, 0.50)
    assert (DEFAULTS.floor, DEFAULTS.few, DEFAULTS.min_read) == (10, 3, 0.80)
    assert not DEFAULTS.halt_on_bad_record, "bad records are set aside"
    assert not DEFAULTS.everything_holds_everything, "a class holds itself alone"


def test_nobody_objects_to_an_empty_plan_of_a_healthy_site() -> None:
    assert object_to(()) == ()


SHARES = [
    (REVOKE, "mass deactivation", 15, Scope.CYCLE, (REVOKE,), "safety.mass_deactivate_pct"),
    (GRANT, "mass addition", 25, Scope.CLASS, (GRANT, RESTORE), "safety.mass_add_pct"),
    (RESTORE, "mass addition", 25, Scope.CLASS, (GRANT, RESTORE), "safety.mass_add_pct"),
    (POLICY, "mass policy change", 20, Scope.CLASS, (POLICY,), "safety.mass_policy_pct"),
    (CARD, "mass card change", 20, Scope.CLASS, (CARD,), "safety.mass_card_pct"),
    (PROFILE, "mass profile change", 50, Scope.CLASS, (PROFILE,), "safety.mass_profile_pct"),
]
EACH_SHARE = pytest.mark.parametrize(
    ("change_class", "guard", "limit", "scope", "classes", "setting"),
    SHARES,
    ids=[row[0].value for row in SHARES],
)


@EACH_SHARE
def test_a_share_that_is_exactly_the_limit_passes_and_one_person_more_is_held(
    change_class: ChangeClass,
    guard: str,
    limit: int,
    scope: Scope,
    classes: tuple[ChangeClass, ...],
    setting: str,
) -> None:
    assert object_to(people(limit, change_class)) == ()
    [found] = object_to(people(limit + 1, change_class))
    assert (found.guard, found.scope, found.classes) == (guard, scope, classes)
    assert found.setting == setting
    assert setting in found.remedy
    for figure in (f"{limit + 1} of 100", f"{limit}%"):
        assert figure in found.text


@EACH_SHARE
def test_three_people_never_count_as_many_and_four_do(
    change_class: ChangeClass,
    guard: str,
    limit: int,
    scope: Scope,
    classes: tuple[ChangeClass, ...],
    setting: str,
) -> None:
    tight = Budgets(deactivate=0, add=0, policy=0, card=0, profile=0)
    assert object_to(people(3, change_class), budgets=tight) == ()
    assert names(object_to(people(4, change_class), budgets=tight)) == [guard]


@EACH_SHARE
def test_how_few_never_count_as_many_is_a_setting(
    change_class: ChangeClass,
    guard: str,
    limit: int,
    scope: Scope,
    classes: tuple[ChangeClass, ...],
    setting: str,
) -> None:
    patient = Budgets(few=limit + 1)
    assert object_to(people(limit + 1, change_class), budgets=patient) == ()
    assert names(object_to(people(limit + 2, change_class), budgets=patient)) == [guard]


@EACH_SHARE
def test_each_share_has_its_own_setting(
    change_class: ChangeClass,
    guard: str,
    limit: int,
    scope: Scope,
    classes: tuple[ChangeClass, ...],
    setting: str,
) -> None:
    generous = Budgets(deactivate=1, add=1, policy=1, card=1, profile=1)
    assert object_to(people(100, change_class), budgets=generous) == ()
    tight = {
        "mass deactivation": replace(generous, deactivate=0.05),
        "mass addition": replace(generous, add=0.05),
        "mass policy change": replace(generous, policy=0.05),
        "mass card change": replace(generous, card=0.05),
        "mass profile change": replace(generous, profile=0.05),
    }
    for name, budgets in tight.items():
        expected = [guard] if name == guard else []
        assert names(object_to(people(6, change_class), budgets=budgets)) == expected


@given(st.integers(10, 400), st.integers(4, 400), st.integers(0, 100))
@example(active=100, count=29, percent=29)
def test_a_share_written_as_percent_is_never_off_by_a_rounding(
    active: int, count: int, percent: int
) -> None:
    """0.29 × 100 is a little less than 29 in binary fractions; 29 of 100 are not more than 29 %."""
    budgets = Budgets(deactivate=percent / 100)
    found = object_to(people(count, REVOKE), evidence(active), budgets)
    assert bool(found) == (count * 100 > percent * active)


def test_grants_and_restores_are_counted_together() -> None:
    found = object_to((*people(13, GRANT), *people(13, RESTORE, first=50)))
    assert names(found) == ["mass addition"]
    assert object_to((*people(13, GRANT), *people(12, RESTORE, first=50))) == ()


def test_contacts_are_counted_and_not_their_changes() -> None:
    twice = (*people(20, GRANT), *people(20, RESTORE))
    assert object_to(twice) == ()
    assert object_to((*people(15, REVOKE), *people(15, REVOKE))) == ()


def test_one_persons_changes_of_different_classes_are_not_added_up() -> None:
    assert object_to((*people(20, POLICY), *people(20, CARD), *people(15, REVOKE))) == ()


def test_below_the_floor_more_than_three_deactivations_hold_the_cycle() -> None:
    assert object_to(people(3, REVOKE), evidence(9)) == ()
    [found] = object_to(people(4, REVOKE), evidence(9))
    assert (found.guard, found.scope) == ("mass deactivation", Scope.CYCLE)
    assert found.setting == "safety.small_site_max"
    assert "4 of 9" in found.text


def test_below_the_floor_four_deactivations_are_many_whatever_the_share() -> None:
    generous = Budgets(deactivate=1)
    assert names(object_to(people(4, REVOKE), evidence(9), generous)) == ["mass deactivation"]
    assert object_to(people(4, REVOKE), evidence(10), generous) == ()


@pytest.mark.parametrize("change_class", [GRANT, RESTORE, POLICY, CARD, PROFILE])
def test_below_the_floor_no_other_share_applies(change_class: ChangeClass) -> None:
    assert object_to(people(9, change_class), evidence(9)) == ()
    assert len(object_to(people(10, change_class), evidence(10))) == 1


def test_the_floor_is_a_setting() -> None:
    assert object_to(people(9, CARD), evidence(10), Budgets(floor=11)) == ()
    assert len(object_to(people(9, CARD), evidence(9), Budgets(floor=9))) == 1


def test_a_site_without_anybody_active_has_no_shares_but_counts_as_small_or_full() -> None:
    assert object_to(people(9, GRANT), evidence(0)) == ()
    assert len(object_to(people(9, GRANT), evidence(0), Budgets(floor=0))) == 1


@pytest.mark.parametrize("change_class", [GRANT, RESTORE])
def test_additions_are_free_while_the_first_provisioning_lasts(change_class: ChangeClass) -> None:
    assert object_to(people(90, change_class), evidence(100, provisioning=True)) == ()
    assert len(object_to(people(90, change_class), evidence(100))) == 1


@pytest.mark.parametrize("change_class", [REVOKE, POLICY, CARD, PROFILE])
def test_nothing_else_is_free_in_the_first_provisioning(change_class: ChangeClass) -> None:
    assert len(object_to(people(90, change_class), evidence(100, provisioning=True))) == 1


def lately(
    change_class: ChangeClass, contacts: Iterable[int]
) -> Mapping[ChangeClass, frozenset[ContactId]]:
    return {change_class: frozenset(map(ContactId, contacts))}


@EACH_SHARE
def test_over_24_hours_twice_the_share_is_held_in_the_same_way(
    change_class: ChangeClass,
    guard: str,
    limit: int,
    scope: Scope,
    classes: tuple[ChangeClass, ...],
    setting: str,
) -> None:
    budgets = Budgets(profile=0.25)
    limit = min(limit, 25)
    before = evidence(100, lately=lately(change_class, range(1000, 1000 + limit)))
    assert object_to(people(limit, change_class), before, budgets) == ()
    before = evidence(100, lately=lately(change_class, range(1000, 1001 + limit)))
    [found] = object_to(people(limit, change_class), before, budgets)
    assert (found.guard, found.scope) == (f"{guard} in 24 hours", scope)
    assert (found.classes, found.setting) == (classes, setting)
    for figure in (f"{2 * limit + 1} of 100", f"{2 * limit}%", "24 hours"):
        assert figure in found.text


@pytest.mark.parametrize("change_class", list(ChangeClass))
def test_over_24_hours_six_people_never_count_as_many_and_seven_do(
    change_class: ChangeClass,
) -> None:
    tight = Budgets(deactivate=0, add=0, policy=0, card=0, profile=0)
    before = evidence(100, lately=lately(change_class, range(1000, 1003)))
    assert object_to(people(3, change_class), before, tight) == ()
    before = evidence(100, lately=lately(change_class, range(1000, 1004)))
    assert len(object_to(people(3, change_class), before, tight)) == 1


def test_a_site_is_not_emptied_three_people_at_a_time() -> None:
    """Below the floor as well: six deactivations a day, then a person is asked."""
    assert object_to(people(3, REVOKE), evidence(6, lately=lately(REVOKE, [7, 8, 9]))) == ()
    [found] = object_to(people(3, REVOKE), evidence(5, lately=lately(REVOKE, [7, 8, 9, 10])))
    assert (found.scope, found.setting) == (Scope.CYCLE, "safety.small_site_max")
    assert "more than 6" in found.text


def test_over_24_hours_contacts_are_counted_once() -> None:
    before = evidence(100, lately=lately(REVOKE, range(1, 31)))
    assert object_to(people(3, REVOKE), before) == ()
    assert len(object_to(people(3, REVOKE, first=30), before)) == 1


def test_over_24_hours_grants_and_restores_are_counted_together() -> None:
    before = evidence(100, lately=lately(RESTORE, range(1000, 1050)))
    assert names(object_to(people(1, GRANT), before)) == ["mass addition in 24 hours"]


def test_what_was_done_lately_holds_nothing_while_nothing_more_is_to_be_done() -> None:
    before = evidence(100, lately=lately(REVOKE, range(1000, 1090)))
    assert object_to(people(3, CARD), before) == ()


def test_additions_of_the_first_provisioning_are_free_over_24_hours_too() -> None:
    before = evidence(100, provisioning=True, lately=lately(GRANT, range(1000, 1090)))
    assert object_to(people(3, GRANT), before) == ()


def test_a_share_that_is_too_large_now_and_over_24_hours_is_objected_to_twice() -> None:
    before = evidence(100, lately=lately(REVOKE, range(1000, 1030)))
    found = object_to(people(16, REVOKE), before)
    assert names(found) == ["mass deactivation", "mass deactivation in 24 hours"]

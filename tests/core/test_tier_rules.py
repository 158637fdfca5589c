"""R0 and R1: which rule speaks for which membership type, and which policy it means."""

import pytest

from door_sync.core.controller import Policy, PolicyId
from door_sync.core.people import MembershipType
from door_sync.core.tiers import Grant, Resolution, Rule, entitlement, match_rules, resolve_policies
from tests.core.builders import GOLD, POLICIES, RULES, SILVER, TYPES, member, membership, tier_book

UUID = PolicyId("0616ef06-aaaa-4bbb-8ccc-123456789abc")


def test_a_rule_is_found_by_the_name_of_a_type_or_by_its_label() -> None:
    types = [MembershipType(1, "gold", "Gold member"), MembershipType(2, "silver", "Silver one")]
    by_name = Rule("gold", Resolution.NONE)
    by_label = Rule("Silver one", Resolution.DAY_PASS)
    matched = match_rules(types, [by_name, by_label])
    assert matched.by_type == {1: by_name, 2: by_label}
    assert matched.unused == ()


def test_the_name_of_a_type_goes_before_its_label() -> None:
    types = [MembershipType(1, "gold", "Gold member")]
    by_label, by_name = Rule("Gold member", Resolution.NONE), Rule("gold", Resolution.DAY_PASS)
    matched = match_rules(types, [by_label, by_name])
    assert matched.by_type == {1: by_name}
    assert matched.unused == ("Gold member",)


def test_a_key_that_names_one_type_and_labels_another_speaks_for_the_first_alone() -> None:
    types = [MembershipType(1, "Gold", "Old gold"), MembershipType(2, "gold_2", "Gold")]
    for order in (types, types[::-1]):
        assert set(match_rules(order, [Rule("Gold", Resolution.NONE)]).by_type) == {1}


def test_a_label_that_two_types_share_speaks_for_neither() -> None:
    types = [MembershipType(1, "gold_1", "Gold"), MembershipType(2, "gold_2", "Gold")]
    matched = match_rules(types, [Rule("Gold", Resolution.NONE)])
    assert matched.by_type == {}
    assert matched.unused == ("Gold",)


def test_rules_for_types_that_do_not_exist_are_named_in_order() -> None:
    rules = [Rule("b", Resolution.NONE), Rule("Gold", Resolution.NONE), Rule("a", Resolution.NONE)]
    assert match_rules(TYPES.values(), rules).unused == ("a", "b")


def tier(target: str, key: str = "Gold") -> Rule:
    return Rule(key, Resolution.TIER, 1, target)


def test_a_target_is_the_id_of_a_policy_or_its_exact_name() -> None:
    resolved = resolve_policies([tier(GOLD), tier("Silver doors", "Silver")], POLICIES)
    assert resolved.by_rule == {"Gold": GOLD, "Silver": SILVER}
    assert resolved.unknown == ()
    assert resolved.managed == {GOLD, SILVER}


def test_an_id_wins_over_the_name_of_another_policy() -> None:
    policies = [Policy(PolicyId("p1"), "p2"), Policy(PolicyId("p2"), "other")]
    assert resolve_policies([tier("p2")], policies).by_rule == {"Gold": "p2"}


@pytest.mark.parametrize("target", ["gold doors", "Gold doors ", "Gold", "", "policy"])
def test_a_policy_that_the_controller_does_not_have_is_unknown(target: str) -> None:
    resolved = resolve_policies([tier(target)], POLICIES)
    assert resolved.unknown == ("Gold",)
    assert resolved.managed == frozenset()


def test_a_name_that_two_policies_share_is_unknown() -> None:
    policies = [Policy(PolicyId("p1"), "Doors"), Policy(PolicyId("p2"), "Doors")]
    assert resolve_policies([tier("Doors")], policies).unknown == ("Gold",)


def test_unknown_policies_are_named_by_their_rules_in_order() -> None:
    rules = [tier("x", "b"), tier(GOLD, "c"), tier("y", "a")]
    assert resolve_policies(rules, POLICIES).unknown == ("a", "b")


def test_only_tier_rules_have_a_policy() -> None:
    resolved = resolve_policies(
        [Rule("Day", Resolution.DAY_PASS), Rule("None", Resolution.NONE)], ()
    )
    assert resolved.by_rule == {}
    assert resolved.unknown == ()


def test_without_the_right_to_read_policies_an_id_is_taken_as_it_is() -> None:
    assert resolve_policies([tier(UUID)], None).by_rule == {"Gold": UUID}
    assert resolve_policies([tier(UUID)], ()).unknown == ("Gold",), "an empty list is no such right"


@pytest.mark.parametrize(
    "target",
    [
        *("Gold doors", "", "----"),
        *(UUID.upper(), UUID.replace("a", "X"), UUID[:-1], f"{UUID}0", UUID.replace("-", "")),
    ],
)
def test_without_the_right_to_read_policies_a_name_is_unknown(target: str) -> None:
    assert resolve_policies([tier(target)], None).unknown == ("Gold",)


def test_a_grant_whose_policy_is_unknown_says_what_its_rule_says() -> None:
    """It is never written: an unknown policy holds the whole cycle (§6)."""
    book = tier_book(policies=resolve_policies(RULES, ()))
    granted = entitlement(member(1, membership("Gold")), book)
    assert granted == Grant(PolicyId("Gold doors"), "Gold")


def test_a_rule_without_access_hides_no_policy_of_a_rule_after_it() -> None:
    rules = (Rule("Newsletter", Resolution.NONE), Rule("Gold", Resolution.TIER, 1, "Gold doors"))
    assert resolve_policies(rules, POLICIES).by_rule == {"Gold": GOLD}


def test_what_a_rule_may_say_are_the_words_of_the_settings() -> None:
    """§10; a rule says nothing of rank and policy unless it is told."""
    assert [one.value for one in Resolution] == ["tier", "none", "day-pass"]
    assert Rule("Day", Resolution.DAY_PASS) == Rule("Day", Resolution.DAY_PASS, 0, "")

"""What is proposed, and when nothing is: no guess opens a door."""

import pytest

from door_sync.app.setting_up import proposals
from door_sync.app.setting_up.proposals import Proposal
from door_sync.app.setting_up.question import UNMAPPED
from door_sync.civicrm.survey import FieldFound, StatusFound, TypeFound
from door_sync.core.controller import Policy, PolicyId


def kind(
    name: str, *, fee: float = 0, weight: int = 0, members: int = 3, on: bool = True
) -> TypeFound:
    return TypeFound(name, f"{name} membership", on, members, fee, weight)


def policies(*names: str) -> list[Policy]:
    return [Policy(PolicyId(f"id-{number}"), name) for number, name in enumerate(names)]


def proposed(*types: TypeFound, given: tuple[str, ...] = ()) -> dict[str, Proposal]:
    return {one.type_name: one for one in proposals.proposed_rules(types, policies(*given))}


def policy_for(name: str, *given: str) -> str | None:
    policy = proposed(kind(name), given=given)[name].policy
    return None if policy is None else policy.name


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("Gold", "Gold hours"),
        ("gold member", "Gold hours"),
        ("Büro", "Buero / Büro 24 h"),
        ("Silver plus", "Silver+ plus access"),
        ("Weekend", "Weekends"),
    ],
)
def test_the_policy_whose_name_is_alike_is_proposed(name: str, policy: str) -> None:
    assert policy_for(name, "Everything else", policy, "Nobody") == policy


@pytest.mark.parametrize("name", ["Maker", "Access", "Member", "日本", "G"])
def test_a_name_that_is_like_none_gets_no_proposal(name: str) -> None:
    """Words that stand in every name say nothing."""
    rule = proposed(kind(name), given=("Members access hours", "Front door only", ""))[name]
    assert (rule.resolution, rule.policy, rule.is_decided) == ("", None, False)


def test_a_name_that_is_like_two_gets_no_proposal() -> None:
    assert policy_for("Gold", "Gold day", "Gold night") is None


@pytest.mark.parametrize("name", ["Day pass", "Guest", "Drop-in", "DAY-PASS", "Trial week"])
def test_a_name_that_speaks_of_days_is_a_day_pass_whatever_policies_there_are(name: str) -> None:
    rule = proposed(kind(name), given=(name,))[name]
    assert (rule.resolution, rule.policy) == ("day-pass", None)


@pytest.mark.parametrize("name", ["Supporter", "Passive member", "Newsletter"])
def test_a_name_that_speaks_of_support_gives_no_access(name: str) -> None:
    assert proposed(kind(name))[name].resolution == "none"


def test_a_type_that_nobody_has_and_nobody_can_buy_needs_no_rule() -> None:
    found = proposed(
        kind("Old", on=False, members=0), kind("Older", on=False), given=("Old", "Older")
    )
    assert found["Old"].resolution == UNMAPPED
    assert found["Older"].resolution == "tier"


def ranked(*types: TypeFound) -> list[str]:
    found = proposed(*types)
    return sorted(found, key=lambda name: found[name].rank, reverse=True)


def test_the_dearest_ranks_highest_then_what_the_site_lists_first() -> None:
    types = (kind("A", fee=5, weight=1), kind("B", fee=20, weight=9), kind("C", fee=5, weight=2))
    assert ranked(*types) == ["B", "A", "C"]
    assert ranked(kind("A"), kind("B"), kind("C")) == ["A", "B", "C"]


def test_a_day_pass_takes_nothing_away_from_a_member() -> None:
    assert ranked(kind("Day pass", fee=99), kind("Gold", fee=1)) == ["Gold", "Day pass"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("Gold", "Silver"), "Gold"),
        (("Gold", "Gold"), "id-0"),
        ((" Gold ",), "id-0"),
        (("",), "id-0"),
        (("Go\nld",), "id-0"),
        (("id-1", "x"), "id-0"),
    ],
)
def test_a_policy_is_named_by_its_id_where_its_name_would_not_find_it(
    names: tuple[str, ...], told: str
) -> None:
    given = policies(*names)
    assert proposals.reference(given[0], given) == told


def field(name: str, numbers: int, seen: int) -> FieldFound:
    return FieldFound(name, name, seen, seen, numbers)


def likely(*fields: FieldFound) -> str | None:
    found = proposals.likely_card_field(proposals.card_fields(fields))
    return None if found is None else found.name


def test_a_field_with_numbers_in_it_and_a_name_that_says_so_comes_first() -> None:
    fields = (field("More.size", 90, 100), field("Door.badge", 80, 100), field("Door.nfc", 0, 0))
    assert proposals.card_fields(fields)[0].name == "Door.badge"
    assert likely(*fields) == "Door.badge"


def test_numbers_alone_are_enough_if_all_are_card_numbers() -> None:
    assert likely(field("More.access", 100, 100), field("More.size", 30, 100)) == "More.access"


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (field("More.size", 90, 100),),
        (field("Door.card", 10, 100),),
        (field("Door.card", 0, 0), field("Door.badge", 0, 0)),
    ],
)
def test_no_field_is_proposed_where_none_or_several_may_be_meant(
    fields: tuple[FieldFound, ...],
) -> None:
    assert likely(*fields) is None


def test_an_empty_field_that_is_called_like_a_card_is_proposed_where_it_is_alone() -> None:
    """As at a site that begins today."""
    assert likely(field("Door.card_id", 0, 0)) == "Door.card_id"


def test_the_facility_code_is_that_of_most_cards() -> None:
    assert proposals.facility([(42, 10), (7, 1)]) == 42
    assert proposals.facility([(42, 10), (7, 10)]) is None
    assert proposals.facility([]) is None


def test_statuses_are_those_that_the_site_itself_calls_current() -> None:
    found = [StatusFound("New", True), StatusFound("Expired", False), StatusFound("Life", True)]
    assert proposals.active_statuses(found) == ("New", "Life")

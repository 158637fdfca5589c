"""The fragments of config.toml that the simulators print: whole, true, and fitting each other."""

import re
import tomllib

from door_sync.cli.simulate.fragments import civicrm_fragment, unifi_fragment
from door_sync.simulators.civicrm import fresh_world
from door_sync.simulators.demo_club import unifi_seed
from door_sync.simulators.unifi import UnifiSimulator, World


def test_the_two_halves_of_the_club_fit_each_other() -> None:
    controller = UnifiSimulator.from_seed(unifi_seed()).world
    config = tomllib.loads(unifi_fragment("https://127.0.0.1:1", "AB", controller))
    assert config["unifi"]["facility_code"] == 42
    types = ["Maker", "Friend", "Supporter", "Day pass"]
    rules = tomllib.loads(civicrm_fragment("http://127.0.0.1:1", fresh_world(types=types)))
    targets = {
        rule["target_policy"]
        for rule in rules["tier_mapping"]["rules"].values()
        if rule["resolution"] == "tier"
    }
    assert targets == {policy.name for policy in controller.policies}


def test_types_that_are_not_the_clubs_get_a_rule_to_fill_in() -> None:
    fragment = civicrm_fragment("http://127.0.0.1:1", fresh_world(types=["Maker", 'The "big" one']))
    assert list(tomllib.loads(fragment)["tier_mapping"]["rules"]) == ["Maker"]
    filled_in = re.sub(r"^#", "", fragment, flags=re.MULTILINE)
    assert tomllib.loads(filled_in)["tier_mapping"]["rules"]['The "big" one'] == {
        "resolution": "tier",
        "target_policy": "…",
        "rank": 0,
    }


def test_the_facility_code_is_the_one_that_most_cards_have() -> None:
    world = World()
    for facility, number in ((7, 1), (7, 2), (9, 3)):
        world.add_card(facility, number)
    fragment = unifi_fragment("https://127.0.0.1:1", "AB", world)
    assert tomllib.loads(fragment)["unifi"]["facility_code"] == 7


def test_a_pause_between_writes_is_named_only_where_one_is_asked_for() -> None:
    url, world = "https://127.0.0.1:1", World()
    assert "write_interval_ms" not in unifi_fragment(url, "AB", world)
    quick = tomllib.loads(unifi_fragment(url, "AB", world, write_interval_ms=0))
    assert quick["unifi"]["write_interval_ms"] == 0

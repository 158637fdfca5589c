import json
from pathlib import Path
from typing import Any

import pytest

from door_sync.simulators.unifi import Switches, UnifiSimulator, World
from door_sync.simulators.unifi.records import Hours
from door_sync.simulators.unifi.seed import add_odd_people, dump, load

SEED: dict[str, Any] = {
    "seed": 7,
    "doors": [{"name": "Front", "id": "d1"}, {"name": "Back", "hub": "second"}],
    "door_groups": [{"name": "Workshop", "doors": ["Front", "Back"]}],
    "schedules": [
        {
            "name": "Evenings",
            "weekly": {"monday": [{"start": "18:00:00", "end": "22:59:59"}]},
            "holidays": ["2026-12-25"],
            "holiday_hours": [{"start": "10:00:00", "end": "11:00:00"}],
        }
    ],
    "policies": [
        {"name": "Gold", "doors": ["d1"]},
        {"name": "Silver", "door_groups": ["Workshop"], "schedule": "Evenings"},
        {"name": "Lobby", "doors": ["Back"], "everyone": True},
    ],
    "users": [
        {
            "first_name": "Ann",
            "last_name": "Lee",
            "id": "u1",
            "employee_number": "42",
            "policies": ["Gold"],
            "cards": [
                {"facility": 42, "number": 1234, "alias": "sync-01234"},
                {"nfc_id": "04A1B2C3", "card_type": "ua_card", "condition": "loss"},
            ],
        },
        {"first_name": "Bob", "last_name": "Ray", "status": "DEACTIVATED", "missing": ["status"]},
    ],
    "visitors": [
        {
            "first_name": "Vic",
            "last_name": "Tor",
            "start_time": 1_700_000_000,
            "end_time": 1_700_003_600,
            "doors": ["Front"],
            "weekly": {"friday": []},
            "cards": [{"facility": 42, "number": 7}],
            "cancelled": True,
        }
    ],
    "groups": [{"name": "Staff", "policies": ["Silver"], "members": ["u1"]}],
    "cards": [
        {"facility": 42, "number": 9, "display_id": "100500"},
        {"facility": 42, "number": 10, "holder": {"kind": "USER", "id": "gone"}},
    ],
    "hidden_admins": ["boss@example.org"],
    "tokens": [
        {"secret": "all", "name": "sync"},
        {"secret": "some", "scopes": ["view:user"], "expires_at": 2e9, "uses_left": 3},
    ],
    "door_delay_seconds": 1.5,
    "switches": {"unbind": "both", "null_for_empty": ["phone"]},
}


def test_a_seed_makes_its_world() -> None:
    world, switches = load(SEED)
    assert world.opens(42, 1234, "d1")  # the delay is for what changes from now on
    assert world.door_delay_seconds == 1.5
    assert switches == Switches(unbind="both", null_for_empty=frozenset({"phone"}))
    ann = world.users["u1"]
    assert [world.policies[policy_id].name for policy_id in ann.policy_ids] == ["Gold"]
    assert [card.alias for card in world.cards_of("u1")] == ["sync-01234", ""]
    assert [card.condition for card in world.cards_of("u1")] == ["", "loss"]
    [silver] = [policy for policy in world.policies if policy.name == "Silver"]
    assert world.schedules[silver.schedule_id].weekly == {
        "monday": (Hours("18:00:00", "22:59:59"),)
    }
    [visitor] = world.visitors
    assert visitor.weekly == {"friday": ()}
    assert [card.number for card in world.cards_of(visitor.id)] == [(42 << 16) | 7]
    orphan = world.card_with_number((42 << 16) | 10)
    assert orphan is not None
    assert orphan.status == "assigned"
    assert world.add_card(42, 11).display_id == "100502"
    assert world.hidden_admins == {"boss@example.org"}


def test_a_dump_gives_the_same_world_again() -> None:
    world, switches = load(SEED)
    add_odd_people(world)
    written = json.loads(json.dumps(dump(world, switches)))
    again, switches_again = load(written)
    assert dump(again, switches_again) == written
    assert list(again.users) == list(world.users)
    assert list(again.cards) == list(world.cards)
    assert list(again.policies) == list(world.policies)
    assert again.tokens == world.tokens


def test_a_dump_of_a_simulator_is_a_seed_for_another() -> None:
    first = UnifiSimulator.from_seed(SEED)
    assert UnifiSimulator.from_seed(first.dump()).dump() == first.dump()


def test_ids_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    ids = [user.id for user in load(SEED)[0].users]
    assert ids == [user.id for user in load(SEED)[0].users]
    assert ids != [user.id for user in load({**SEED, "seed": 8})[0].users]


def test_new_ids_never_meet_those_of_a_dump() -> None:
    """The same seed draws the same ids again; they are taken by then."""
    people, cards = World(), World()
    for number in range(3):
        people.add_user("User", str(number))
        cards.add_card(42, number)
    again, _ = load(dump(people, Switches()))
    for number in range(3):
        again.add_user("More", str(number))
    ids = [user.id for user in again.users] + [schedule.id for schedule in again.schedules]
    assert len(set(ids)) == 7
    seed = dump(cards, Switches()) | {
        "schedules": [{"name": "Always", "is_default": True, "id": "a"}]
    }
    again, _ = load(seed)
    for number in range(3):
        again.add_card(43, number)
    assert len(again.cards) == len({card.display_id for card in again.cards}) == 6


def test_a_display_id_that_is_no_number_does_not_move_the_counter() -> None:
    world, _ = load({"cards": [{"facility": 42, "number": 1, "display_id": "old-7"}]})
    assert world.add_card(42, 2).display_id == "100001"


def test_a_seed_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text(json.dumps(SEED), encoding="utf-8")
    assert dump(*load(path)) == dump(*load(SEED))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"people": []}, "people"),
        ({"users": [{"first_name": "Ann"}]}, "last_name"),
        ({"users": [{"first_name": "Ann", "last_name": "Lee", "employee_number": 42}]}, "string"),
        ({"policies": [{"name": "Gold", "doors": ["Nowhere"]}]}, "0 entries.*Nowhere"),
        (
            {
                "doors": [{"name": "Front"}, {"name": "Front"}],
                "policies": [{"name": "Gold", "doors": ["Front"]}],
            },
            "2 entries.*Front",
        ),
        ({"cards": [{"facility": 42}]}, "a facility and a number"),
        ({"switches": {"unbind": "never"}}, "unbind"),
        (
            {"schedules": [{"name": "X", "weekly": {"monday": [{"start": "9", "end": "10"}]}}]},
            "start",
        ),
    ],
)
def test_a_wrong_seed_is_an_error_that_names_the_place(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load(wrong)


def test_an_error_does_not_repeat_what_the_seed_says_of_people() -> None:
    """P12."""
    seed = {"users": [{"first_name": "Annabel", "last_name": 5, "user_email": ["a@secret.org"]}]}
    with pytest.raises(ValueError, match="last_name") as caught:
        load(seed)
    assert "Annabel" not in str(caught.value)
    assert "secret" not in str(caught.value)

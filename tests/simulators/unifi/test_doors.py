"""The judge at the doors: rules 34 and 55 of §19 of the UniFi sheet."""

import datetime

import pytest

from door_sync.simulators.unifi import ManualClock, World
from door_sync.simulators.unifi.doors import Verdict
from door_sync.simulators.unifi.records import Card, Door, Hours, User


def epoch(text: str) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(epoch("2026-11-02T12:00:00"))  # a Monday


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(clock=clock)


@pytest.fixture
def door(world: World) -> Door:
    return world.add_door("Front")


@pytest.fixture
def member(world: World, door: Door) -> User:
    """Somebody whose card 42/1234 opens the door."""
    policy = world.add_policy("Members", [door.id], policy_id="members")
    return world.add_user("Ann", "Lee", policy_ids=[policy.id])


@pytest.fixture
def card(world: World, member: User) -> Card:
    return world.add_card(42, 1234, holder_id=member.id)


def verdict(world: World, door: Door, at: float | None = None) -> Verdict:
    found = world.verdict(42, 1234, door.id, at)
    assert world.opens(42, 1234, door.id, at) is (found is Verdict.OPENS)
    return found


def test_an_active_member_with_the_policy_opens_the_door(
    world: World, door: Door, card: Card
) -> None:
    assert verdict(world, door) is Verdict.OPENS
    assert world.opens_token(card.token, door.id)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("DEACTIVATED", Verdict.DEACTIVATED),
        ("PENDING", Verdict.PENDING),
        ("ACTIVE", Verdict.OPENS),
        ("SOMETHING NEW", Verdict.OPENS),
    ],
)
def test_the_door_refuses_the_deactivated_and_the_pending(
    world: World, door: Door, member: User, card: Card, status: str, expected: Verdict
) -> None:
    """Rule 34; a status that nobody knows is no reason to stay shut."""
    world.set_status(member.id, status)
    assert verdict(world, door) is expected


def test_a_free_card_opens_nothing(world: World, door: Door, card: Card) -> None:
    world.free(card.token)
    assert verdict(world, door) is Verdict.FREE_CARD
    assert not world.opens_token(card.token, door.id)


def test_an_unknown_card_opens_nothing(world: World, door: Door, card: Card) -> None:
    assert world.verdict(42, 1235, door.id) is Verdict.UNKNOWN_CARD
    assert world.verdict(41, 1234, door.id) is Verdict.UNKNOWN_CARD
    world.delete_card(card.token)
    assert verdict(world, door) is Verdict.UNKNOWN_CARD
    assert not world.opens_token(card.token, door.id)


def test_a_door_that_is_not_there_is_an_error(world: World, card: Card) -> None:
    with pytest.raises(KeyError):
        world.opens(42, 1234, "nowhere")


def test_without_a_policy_for_this_door_it_stays_shut(
    world: World, door: Door, member: User, card: Card
) -> None:
    """Rule 34."""
    back = world.add_door("Back")
    assert verdict(world, back) is Verdict.NO_POLICY
    world.set_policies(member.id, [])
    assert verdict(world, door) is Verdict.NO_POLICY


def test_policies_for_everyone_of_groups_and_over_door_groups_count(
    world: World, door: Door, member: User, card: Card
) -> None:
    """Rule 26."""
    world.set_policies(member.id, [])
    lobby = world.add_policy("Lobby", [door.id], everyone=True)
    assert verdict(world, door) is Verdict.OPENS
    world.delete_policy(lobby.id)
    assert verdict(world, door) is Verdict.NO_POLICY
    workshop = world.add_door_group("Workshop", [door.id])
    staff = world.add_policy("Staff", door_group_ids=[workshop.id, "gone"])
    group = world.add_group("Staff", policy_ids=[staff.id], member_ids=[member.id])
    assert verdict(world, door) is Verdict.OPENS
    elsewhere = world.add_door("Back")
    assert verdict(world, elsewhere) is Verdict.NO_POLICY
    world.edit_group(group.id, member_ids=frozenset())
    assert verdict(world, door) is Verdict.NO_POLICY


def test_a_schedule_and_its_holidays_bound_a_policy(
    world: World, door: Door, member: User, card: Card, clock: ManualClock
) -> None:
    """Rule 34: both ends of the hours count; a holiday has hours of its own."""
    hours = world.add_schedule(
        "Evenings",
        {"monday": [Hours("18:00:00", "22:59:59")], "tuesday": []},
        holidays=["2026-12-07"],
        holiday_hours=[Hours("10:00:00", "10:59:59")],
    )
    world.edit_policy("members", schedule_id=hours.id)
    expected = {
        "2026-11-02T17:59:59": Verdict.OUTSIDE_HOURS,
        "2026-11-02T18:00:00": Verdict.OPENS,
        "2026-11-02T22:59:59": Verdict.OPENS,
        "2026-11-02T23:00:00": Verdict.OUTSIDE_HOURS,
        "2026-11-03T19:00:00": Verdict.OUTSIDE_HOURS,
        "2026-11-04T19:00:00": Verdict.OUTSIDE_HOURS,
        "2026-12-07T19:00:00": Verdict.OUTSIDE_HOURS,
        "2026-12-07T10:30:00": Verdict.OPENS,
    }
    assert {text: verdict(world, door, epoch(text)) for text in expected} == expected
    clock.now = epoch("2026-11-09T20:00:00")
    assert verdict(world, door) is Verdict.OPENS


def test_a_policy_whose_schedule_is_gone_opens_nothing(
    world: World, door: Door, card: Card
) -> None:
    world.edit_policy("members", schedule_id="gone")
    assert verdict(world, door) is Verdict.OUTSIDE_HOURS


@pytest.mark.parametrize("condition", ["disable", "loss", "deleted"])
def test_a_card_out_of_use_opens_nothing(
    world: World, door: Door, card: Card, condition: str
) -> None:
    world.edit_card(card.token, condition=condition)
    assert verdict(world, door) is Verdict.CARD_NOT_IN_USE


def test_a_card_of_a_deleted_user_opens_nothing(
    world: World, door: Door, member: User, card: Card
) -> None:
    world.delete_user(member.id, free_cards=False)
    assert verdict(world, door) is Verdict.HOLDER_GONE


def test_a_moved_card_opens_for_its_new_holder(
    world: World, door: Door, member: User, card: Card
) -> None:
    other = world.add_user("Bob", "Ray")
    world.bind(card.token, other.id)
    assert verdict(world, door) is Verdict.NO_POLICY
    world.set_policies(other.id, ["members"])
    assert verdict(world, door) is Verdict.OPENS


def test_a_visitors_card_opens_inside_the_window_and_its_hours(
    world: World, door: Door, clock: ManualClock
) -> None:
    """Rule 47."""
    start = int(clock())
    card = world.add_card(42, 1234)
    hours = {"monday": [Hours("12:00:00", "12:00:29")]}
    visitor = world.add_visitor(
        "Vic", "Tor", start, start + 60, door_ids=[door.id], card_token=card.token
    )
    assert verdict(world, door, start - 1) is Verdict.NOT_VISITING
    assert verdict(world, door) is Verdict.OPENS
    assert verdict(world, door, start + 60) is Verdict.NOT_VISITING
    world.edit_visitor(visitor.id, weekly={day: tuple(span) for day, span in hours.items()})
    assert verdict(world, door, start + 29) is Verdict.OPENS
    assert verdict(world, door, start + 30) is Verdict.OUTSIDE_HOURS
    world.edit_visitor(visitor.id, weekly={"tuesday": ()})
    assert verdict(world, door) is Verdict.OUTSIDE_HOURS
    world.edit_visitor(visitor.id, weekly=None, resources=())
    assert verdict(world, door) is Verdict.NO_RIGHT_TO_DOOR
    world.edit_visitor(visitor.id, cancelled=True)
    assert verdict(world, door) is Verdict.NOT_VISITING


def test_a_write_reaches_the_doors_after_the_delay(
    world: World, door: Door, member: User, card: Card, clock: ManualClock
) -> None:
    """Rule 55: the API says so at once, the door only later."""
    world.door_delay_seconds = 5
    world.set_status(member.id, "DEACTIVATED")
    assert world.users[member.id].status == "DEACTIVATED"
    assert verdict(world, door) is Verdict.OPENS
    clock.advance(4.9)
    assert verdict(world, door) is Verdict.OPENS
    clock.advance(0.1)
    assert verdict(world, door) is Verdict.DEACTIVATED


def test_without_a_delay_a_write_reaches_the_doors_at_once(
    world: World, door: Door, member: User, card: Card
) -> None:
    """Rule 55: the default."""
    world.set_status(member.id, "DEACTIVATED")
    assert verdict(world, door) is Verdict.DEACTIVATED


def test_a_hub_off_line_keeps_its_old_copy_until_it_is_back(
    world: World, door: Door, member: User, card: Card
) -> None:
    """Rule 55: other hubs are not concerned."""
    back = world.add_door("Back", hub="second")
    world.add_policy("Back", [back.id], everyone=True)
    assert verdict(world, back) is Verdict.OPENS
    world.take_hub_offline()
    world.set_status(member.id, "DEACTIVATED")
    assert verdict(world, door) is Verdict.OPENS
    assert verdict(world, back) is Verdict.DEACTIVATED
    world.bring_hub_online()
    assert verdict(world, door) is Verdict.DEACTIVATED

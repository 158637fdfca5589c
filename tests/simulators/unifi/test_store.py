import random

from door_sync.simulators.unifi.records import Door
from door_sync.simulators.unifi.store import Table


def table() -> tuple[Table[Door], list[tuple[Door | None, Door | None]]]:
    changes: list[tuple[Door | None, Door | None]] = []
    return Table(lambda old, new: changes.append((old, new))), changes


def test_every_change_is_told_with_what_was_before_it() -> None:
    doors, changes = table()
    first, second = Door("d", "Front"), Door("d", "Main")
    doors.put("d", first)
    doors.put("d", second)
    assert doors.remove("d") == second
    assert changes == [(None, first), (first, second), (second, None)]
    assert "d" not in doors
    assert doors.get("d") is None


def test_the_order_depends_on_the_ids_alone() -> None:
    """Rule 14 of the UniFi sheet: not on when each was made, changed, or who went meanwhile."""
    names = [f"door-{number:02}" for number in range(40)]
    orders = []
    for seed in range(3):
        doors, _ = table()
        shuffled = random.Random(seed).sample(names, len(names))
        for name in [*shuffled, "gone"]:
            doors.put(name, Door(name, name))
        doors.remove("gone")
        doors.put(names[0], Door(names[0], "changed"))
        orders.append([door.id for door in doors])
    assert orders[0] == orders[1] == orders[2]
    assert sorted(orders[0]) == names
    assert orders[0] != names


def test_the_order_of_a_list_is_made_once_until_a_record_comes_or_goes() -> None:
    """A page of a large list costs a page, not the list; a change of a record costs nothing."""
    doors, _ = table()
    for number in range(100):
        doors.put(str(number), Door(str(number), ""))
    ids = doors.ids()
    doors.put("7", Door("7", "changed"))
    assert doors.ids() is ids
    assert [door.id for door in doors.page(10, 13)] == list(ids[10:13])
    doors.remove("7")
    assert doors.ids() is not ids
    assert len(doors.ids()) == 99

"""Sites written down, read and written again."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from door_sync.simulators.civicrm import World, dump_world, fresh_world, load_file, load_world


def test_a_fresh_site_has_what_an_installer_leaves_and_the_door_field() -> None:
    world = fresh_world(keys=["full", "admin"])
    assert [world.contact(n).display_name for n in world.contact_ids()] == [
        "Default Organization",
        "admin@example.org",
        "Api Full",
        "Api Admin",
    ]
    statuses = {row.name: row.is_current_member for row in world.membership_statuses.values()}
    assert statuses == {
        "New": True,
        "Current": True,
        "Grace": True,
        "Expired": False,
        "Pending": False,
        "Cancelled": False,
        "Deceased": False,
    }
    assert [job.is_active for job in world.jobs.values()] == [False]
    assert world.custom_field("Door_Access.card_id")[1].data_type == "String"
    assert world.secret_of("admin") == "key-admin-0123456789abcdef"


def test_a_short_document_makes_people_with_cards_and_memberships(tmp_path: Path) -> None:
    document = {
        "membership_types": [{"name": "Gold"}, {"name": "Ever", "duration_unit": "lifetime"}],
        "contacts": [
            {
                "first_name": "Wei",
                "last_name": "Lee",
                "prefix": "Dr.",
                "email": "Wei@example.org",
                "card": "00012",
                "memberships": [
                    {"type": "Gold", "end_date": "2020-05-06", "start_date": "2019-05-07"},
                    {"type": "Gold", "status": "Current", "end_date": None, "is_test": True},
                    {"type": "Ever"},
                ],
            },
            {"email": "nameless@example.org", "is_deleted": True},
            {"contact_type": "Organization", "organization_name": "Co", "id": 9},
        ],
        "keys": [{"key": "k"}],
    }
    path = tmp_path / "site.json"
    path.write_text(json.dumps(document), "utf-8")
    world = load_file(path, clock=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    wei, nameless = (world.contact(n) for n in (3, 4))
    assert wei.display_name == "Dr. Wei Lee"
    assert list(wei.custom.values()) == ["00012"]
    assert (nameless.display_name, nameless.is_deleted) == ("nameless@example.org", True)
    rows = [
        (world.membership_statuses[row.status_id].name, row.end_date, row.is_test)
        for row in world.memberships.values()
    ]
    assert rows == [
        ("Expired", date(2020, 5, 6), False),
        ("Current", None, True),
        ("New", None, False),
    ]
    assert world.contact(2).display_name == "admin@example.org"
    assert world.secret_of("full") == "k"


def test_a_site_written_down_and_read_again_is_the_same(site_of_everything: World) -> None:
    document = dump_world(site_of_everything)
    text = json.dumps(document)
    again = load_world(json.loads(text))
    assert dump_world(again) == document
    assert again.secret_of("acl") == site_of_everything.secret_of("acl")
    assert again.permissions("odd") == {"access CiviCRM"}


@pytest.fixture
def site_of_everything() -> World:
    world = fresh_world(clock=lambda: datetime(2026, 11, 22, 18, 20, tzinfo=UTC))
    person = world.add_contact("A", "B", prefix="Ms.", suffix="II", email="a@example.org", card="1")
    world.add_email(person, "second@example.org", location="Work")
    home = world.add_contact(contact_type="Household", organization_name="Home")
    world.add_contact(contact_type="Organization", organization_name="Co")
    world.add_custom_group("Cards", is_multiple=True)
    world.add_custom_field("Cards", "number")
    world.add_custom_record(person, "Cards", number="1")
    world.add_custom_record(person, "Cards", number="2")
    world.add_custom_group("Extra", extends="Membership")
    world.add_custom_field("Extra", "badge")
    world.add_custom_field("Door_Access", "zone", is_list=True, options={"a": "A"})
    world.set_custom(person, "Door_Access.zone", ["a"])
    membership = world.add_membership(person, "Gold", source="seed")
    world.set_membership_custom(membership, "Extra.badge", "B1")
    world.add_membership(home, "Silver", owner_membership_id=membership, is_override=True)
    world.set_end_date(world.add_membership(home, "Silver"), None)
    world.mark_deceased(home, on=date(2026, 1, 2))
    duplicate = world.add_contact("A", "B")
    world.merge(person, duplicate)
    world.add_group("Doors", [person, home])
    world.add_key("acl", "acl", contact_id=home, acl_group="Doors")
    world.add_key("odd", "odd", permissions=["access CiviCRM"], has_user=False)
    gone = world.add_contact("Gone", "Key")
    world.add_key("gone", "gone", permissions=[], contact_id=gone)
    world.delete(gone)
    world.add_job("Send mail", "process_mailing")
    world.run_status_job()
    return world


def test_a_key_that_no_row_has_is_refused() -> None:
    for document in (
        {"contacts": [{"nick": "x"}]},
        {"membership_types": [{"name": "Gold", "colour": "gold"}]},
    ):
        with pytest.raises(ValueError, match="has no"):
            load_world(document)


def test_the_key_taken_away_is_written_as_empty() -> None:
    world = fresh_world()
    world.take_key_away("full")
    with pytest.raises(LookupError):
        world.secret_of("full")
    assert dump_world(world)["keys"][0]["key"] == ""

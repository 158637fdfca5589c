"""The hands on people: names, addresses, cards, trash, merges, deaths (§4.2, §5, §11)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from door_sync.simulators.civicrm import CivicrmSimulator, RefusedChange, fresh_world

Rows = Callable[..., list[dict[str, Any]]]

CARD = "Door_Access.card_id"
TODAY = date(2026, 11, 22)


@pytest.fixture
def person(rows: Rows) -> Callable[..., dict[str, Any]]:
    """Return one contact as the full key reads it, in the trash or not."""

    def reading(number: int, *select: str) -> dict[str, Any]:
        fields = select or ("display_name", "sort_name", CARD, "email_primary.email")
        [row] = rows("Contact/get", {"select": list(fields), "where": [["id", "=", number]]})
        return row

    return reading


Person = Callable[..., dict[str, Any]]
Status = Callable[[int], str]


class TestNames:
    """§4.2"""

    def test_display_and_sort_name_are_made_of_the_parts(
        self, site: CivicrmSimulator, person: Person
    ) -> None:
        world = site.world
        number = world.add_contact(
            "Wei", "Žižek", prefix="Dr.", suffix="Jr.", email="W@Example.org"
        )
        assert person(number) == {
            "id": number,
            "display_name": "Dr. Wei Žižek Jr.",
            "sort_name": "Žižek, Wei Jr.",
            CARD: None,
            "email_primary.email": "w@example.org",
        }
        world.set_name(number, last_name=None, prefix=None, suffix=None)
        assert person(number)["display_name"] == person(number)["sort_name"] == "Wei"
        world.set_name(number, first_name="  Space  ", last_name=None)
        assert person(number, "first_name")["first_name"] == "  Space  "
        assert person(number)["display_name"] == "Space"
        world.set_name(number, first_name=None, suffix="Sr.")
        assert person(number)["display_name"] == "w@example.org"
        world.set_email(number, "other@example.org")
        assert person(number)["display_name"] == "other@example.org"
        world.set_email(number, None)
        assert person(number)["display_name"] == ""

    def test_organizations_and_households_have_one_name(
        self, site: CivicrmSimulator, person: Person, rows: Rows
    ) -> None:
        company = site.world.add_contact(contact_type="Organization", organization_name="Co & Sons")
        home = site.world.add_contact(contact_type="Household", organization_name="The Lees")
        assert person(company)["sort_name"] == "Co & Sons"
        assert person(home, "household_name")["household_name"] == "The Lees"
        for kind, number in (("Organization", company), ("Household", home)):
            assert number in [row["id"] for row in rows(f"{kind}/get", {"select": ["id"]})]
            assert number not in [row["id"] for row in rows("Individual/get")]

    def test_a_new_primary_address_takes_the_place_of_the_old(
        self, site: CivicrmSimulator, person: Person, rows: Rows
    ) -> None:
        site.world.add_email(4, "Second@example.org", location="Work")
        assert person(4)["email_primary.email"] == "member1@example.org"
        site.world.add_email(4, "third@example.org", primary=True)
        assert person(4)["email_primary.email"] == "third@example.org"
        where = {"select": ["email", "is_primary"], "where": [["contact_id", "=", 4]]}
        assert [row["is_primary"] for row in rows("Email/get", where)] == [False, False, True]
        site.world.set_email(127, "first@example.org")
        assert person(127)["email_primary.email"] == "first@example.org"

    def test_a_change_of_card_or_address_moves_the_date_and_a_membership_does_not(self) -> None:
        """§4.7"""
        moments = iter(TODAY + timedelta(days=n) for n in range(1000))
        world = fresh_world(clock=lambda: _at(next(moments)), keys=())
        number = world.add_contact("A", "B")
        before = world.contact(number).modified_date
        world.add_membership(number, "Gold")
        world.add_contact("C", "D")
        assert world.contact(number).modified_date == before
        changes: list[Callable[[], object]] = [
            lambda: world.set_card(number, "1"),
            lambda: world.set_email(number, "a@example.org"),
        ]
        for change in changes:
            last = world.contact(number).modified_date
            change()
            assert world.contact(number).modified_date != last

    def test_what_does_not_exist_cannot_be_named(self, site: CivicrmSimulator) -> None:
        world = site.world
        with pytest.raises(TypeError):
            world.set_name(4, nickname="x")
        for attempt in (
            lambda: world.set_name(99999, first_name="x"),
            lambda: world.set_name(4, prefix="Sir"),
            lambda: world.add_email(4, "a@example.org", location="Moon"),
            lambda: world.add_membership(99999, "Gold"),
            lambda: world.add_membership(4, "Platinum"),
            lambda: world.set_status(99999, "Current"),
            lambda: world.set_custom(4, "Door_Access.nope", "x"),
            lambda: world.permissions("nobody"),
            lambda: world.add_key("key", "no such role"),
            lambda: world.set_job_active("nope", True),
        ):
            with pytest.raises(LookupError):
                attempt()
        with pytest.raises(RefusedChange):
            world.add_contact("A", "B", contact_id=4)


class TestCards:
    def test_text_is_kept_as_typed_and_nothing_becomes_null(
        self, site: CivicrmSimulator, person: Person
    ) -> None:
        for card in ("00012345", " 1 ", '<b>7</b> & "q"'):
            site.world.set_card(4, card)
            assert person(4)[CARD] == card
        for nothing in ("", None):
            site.world.set_card(4, nothing)
            assert person(4)[CARD] is None
        site.world.set_card(4, "1")
        site.world.clear_card(4)
        assert person(4)[CARD] is None

    def test_an_integer_field_loses_zeros_and_refuses_what_it_cannot_hold(self) -> None:
        world = fresh_world(card_type="Integer")
        number = world.add_contact("A", "B", card="00012345")
        field = world.custom_field(CARD)[1]
        assert world.contact(number).custom == {field.id: 12345}
        for card in ("abc", 4294967295, "1.5", float("inf"), "nan"):
            with pytest.raises(RefusedChange) as refused:
                world.set_card(number, card)
            assert str(card) not in str(refused.value)
        assert world.contact(number).custom == {field.id: 12345}

    def test_a_refused_card_leaves_the_contact_without_one(self) -> None:
        """§5 of the versions sheet."""
        world = fresh_world(card_type="Integer")
        with pytest.raises(RefusedChange):
            world.add_contact("A", "B", card=4294967295)
        made = world.contact(max(world.contact_ids()))
        assert (made.first_name, made.custom) == ("A", {})

    def test_other_kinds_of_field_refuse_what_is_not_theirs(self, site: CivicrmSimulator) -> None:
        for name, value in (
            ("Door_Access.door_optin", "maybe"),
            ("Door_Access.fob_issued", "soon"),
            ("Door_Access.door_zone", ["cellar"]),
            ("Multi_Cards.card", "1"),
        ):
            with pytest.raises(RefusedChange):
                site.world.set_custom(4, name, value)
        with pytest.raises(RefusedChange):
            site.world.add_custom_record(4, "Door_Access", card_id="1")

    def test_one_choice_is_a_list_of_one(self, site: CivicrmSimulator, person: Person) -> None:
        site.world.set_custom(4, "Door_Access.door_zone", "roof")
        site.world.set_custom(4, "Door_Access.door_optin", False)
        read = person(4, "Door_Access.door_zone", "Door_Access.door_optin")
        assert list(read.values()) == [4, ["roof"], False]


class TestTrashMergeAndDeath:
    """Rule 15 (§11)."""

    def test_the_trash_keeps_card_address_and_memberships(
        self, site: CivicrmSimulator, rows: Rows, person: Person
    ) -> None:
        before = person(4)
        site.world.trash(4)
        assert person(4) == before
        assert rows("Membership/get", {"where": [["contact_id", "=", 4]]})
        assert rows("Contact/get", {"where": [["id", ">", 3], ["id", "<", 5]]}) == []
        site.world.restore_contact(4)
        assert rows("Contact/get", {"where": [["id", ">", 3], ["id", "<", 5]]})

    def test_a_merge_moves_memberships_and_leaves_the_card_on_both(
        self, site: CivicrmSimulator, rows: Rows, person: Person
    ) -> None:
        card = person(94)[CARD]
        assert person(93)[CARD] is None
        site.world.merge(93, 94)
        assert person(93)[CARD] == person(94)[CARD] == card
        assert person(94, "is_deleted")["is_deleted"] is True
        assert person(94)["email_primary.email"] == "member91@example.org"
        moved = {"select": ["id"], "where": [["contact_id", "=", 93]], "orderBy": {"id": "ASC"}}
        assert [row["id"] for row in rows("Membership/get", moved)] == [90, 91, 92]
        assert rows("Contact/getMergedTo", {"contactId": 94}) == [{"id": 93}]
        assert rows("Contact/getMergedFrom", {"contactId": 93}) == [{"id": 94}]
        assert rows("Contact/getMergedTo", {"contactId": 93}) == []

    def test_a_merge_fills_only_what_is_empty(self, site: CivicrmSimulator, person: Person) -> None:
        site.world.merge(64, 4)
        assert person(64, "first_name", "last_name") == {
            "id": 64,
            "first_name": "First64",
            "last_name": "Last4",
        }
        assert person(64)[CARD] == f"{10000 + 13 * 64:08d}"

    def test_only_an_administrator_merges_over_the_api(
        self, site: CivicrmSimulator, rows: Rows, ask: Callable[..., Any]
    ) -> None:
        params = {"contactId": 93, "duplicateId": 94, "mode": "aggressive"}
        assert ask("Contact/mergeDuplicates", params).status_code == 403
        assert site.world.contact(94).is_deleted is False
        done = rows("Contact/mergeDuplicates", params, role="admin")
        assert done == [{"merged": [{"main_id": 93, "other_id": 94}], "skipped": []}]
        assert site.world.contact(94).merged_into == 93
        for wrong in ({"contactId": 93, "duplicateId": 93}, {"contactId": 93, "duplicateId": 9999}):
            assert ask("Contact/mergeDuplicates", wrong, role="admin").status_code == 500

    def test_deletion_for_good_leaves_nothing(self, site: CivicrmSimulator, rows: Rows) -> None:
        site.world.add_custom_record(4, "Multi_Cards", card="1")
        site.world.delete(4)
        for entity, key in (
            ("Contact", "id"),
            ("Membership", "contact_id"),
            ("Email", "contact_id"),
        ):
            assert rows(f"{entity}/get", {"where": [[key, "=", 4]]}) == []
        assert rows("Custom_Multi_Cards/get") == []
        assert 4 not in site.world.group("Door_Admins").members
        assert site.world.add_contact("A", "B") != 4

    def test_a_death_changes_memberships_at_once_or_with_the_job(
        self, site: CivicrmSimulator, status: Status
    ) -> None:
        """§11 of the versions sheet."""
        site.world.mark_deceased(4, on=TODAY)
        assert status(1) == "Deceased"
        site.world.mark_deceased(5, in_table_only=True)
        assert status(2) == "Current"
        site.world.run_status_job()
        assert status(2) == "Deceased"
        site.world.run_status_job()
        assert status(2) == "Deceased"


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)

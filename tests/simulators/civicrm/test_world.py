"""The hands on the site, and what they change for a reader (§4.2, §5, §7, §11)."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from door_sync.simulators.civicrm import CivicrmSimulator, RefusedChange, World, fresh_world

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


@pytest.fixture
def status(rows: Rows) -> Callable[[int], str]:
    """Return the name of a membership's status as the full key reads it."""

    def reading(number: int) -> str:
        params = {"select": ["status_id:name"], "where": [["id", "=", number]]}
        name: str = rows("Membership/get", params)[0]["status_id:name"]
        return name

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


class TestMemberships:
    """Rule 12 (§7)."""

    def test_the_end_date_alone_changes_nothing_until_the_job_runs(
        self, site: CivicrmSimulator, status: Status
    ) -> None:
        site.world.set_end_date(1, TODAY - timedelta(days=90))
        assert status(1) == "Current"
        result = site.world.run_status_job()
        assert status(1) == "Expired"
        assert 0 < result.updated < result.processed

    @pytest.mark.parametrize(
        ("days", "expected"), [(0, "Current"), (-1, "Grace"), (-29, "Grace"), (-90, "Expired")]
    )
    def test_the_job_goes_by_the_dates(
        self, days: int, expected: str, site: CivicrmSimulator, status: Status
    ) -> None:
        site.world.set_end_date(1, TODAY + timedelta(days=days))
        site.world.run_status_job(TODAY)
        assert status(1) == expected

    def test_the_job_passes_over_what_it_does_not_touch(
        self, site: CivicrmSimulator, status: Status
    ) -> None:
        world = site.world
        long_ago = TODAY - timedelta(days=400)
        skipped: dict[int, str] = {}
        for name in ("Pending", "Cancelled", "Deceased"):
            number = world.add_membership(4, "Gold", status=name, start_date=long_ago)
            skipped[number] = name
        future = TODAY + timedelta(days=400)
        expired = world.add_membership(4, "Gold", status="Expired", end_date=future)
        skipped[expired] = "Expired"
        for options in (
            {"is_test": True},
            {"is_override": True},
            {"owner_membership_id": 1},
        ):
            number = world.add_membership(
                4, "Gold", status="Current", start_date=long_ago, end_date=long_ago, **options
            )
            skipped[number] = "Current"
        inactive = world.add_membership(4, "Old Bronze", status="Current", end_date=long_ago)
        skipped[inactive] = "Current"
        world.run_status_job()
        assert {number: status(number) for number in skipped} == skipped

    def test_a_read_during_the_job_sees_a_mix(self, site: CivicrmSimulator, status: Status) -> None:
        for number in (1, 2, 3):
            site.world.set_end_date(number, TODAY - timedelta(days=90))
        job = site.world.status_job()
        assert [next(job), next(job)] == [True, True]
        assert [status(number) for number in (1, 2, 3)] == ["Expired", "Expired", "Current"]
        site.world.delete_membership(3)
        assert sum(job) > 0

    def test_only_cron_is_written_down(self, site: CivicrmSimulator, rows: Rows) -> None:
        def job() -> dict[str, Any]:
            return rows("Job/get", {"select": ["is_active", "last_run"]}, role="admin")[0]

        site.world.run_status_job(by_cron=False)
        assert job() == {"id": 13, "is_active": False, "last_run": None}
        site.world.set_job_active("process_membership", True)
        result = site.world.run_status_job()
        assert job() == {"id": 13, "is_active": True, "last_run": "2026-11-22 18:20:00"}
        lines = rows("JobLog/get", {"select": ["description"]}, role="admin")
        told = f"Processed {result.processed} membership records. Updated {result.updated} records."
        assert told in lines[2]["description"]

    def test_lapse_and_renew_are_the_secretarys_ways(
        self, site: CivicrmSimulator, status: Status
    ) -> None:
        world = site.world
        world.lapse(1)
        world.run_status_job()
        assert status(1) == "Expired"
        world.renew(1)
        assert (status(1), world.membership(1).end_date) == ("Current", date(2027, 11, 22))
        world.renew(1, date(2030, 1, 1))
        world.run_status_job()
        assert status(1) == "Current"
        world.renew(71)
        assert world.membership(71).end_date is None

    def test_a_new_membership_gets_its_dates_from_its_type(self, site: CivicrmSimulator) -> None:
        world = site.world
        for name, unit, interval, start, end in (
            ("Day", "day", 1, TODAY, TODAY),
            ("Month", "month", 1, date(2026, 1, 31), date(2026, 2, 27)),
            ("Year", "year", 2, date(2024, 2, 29), date(2026, 2, 27)),
            ("Ever", "lifetime", 1, TODAY, None),
        ):
            world.add_type(name, duration_unit=unit, duration_interval=interval)  # type: ignore[arg-type]  # from a table
            made = world.membership(world.add_membership(4, name, start_date=start))
            assert (made.join_date, made.start_date, made.end_date) == (start, start, end)

    def test_a_new_membership_gets_its_status_from_its_dates(
        self, site: CivicrmSimulator, status: Status
    ) -> None:
        world = site.world
        assert status(world.add_membership(4, "Gold")) == "New"
        old = TODAY - timedelta(days=200)
        assert status(world.add_membership(4, "Gold", start_date=old)) == "Current"
        assert status(world.add_membership(4, "Gold", start_date=old, end_date=old)) == "Expired"
        later = TODAY + timedelta(days=5)
        assert status(world.add_membership(4, "Gold", start_date=later)) == "Current"

    def test_status_type_and_test_flag_are_set_by_hand(
        self, site: CivicrmSimulator, status: Status, rows: Rows
    ) -> None:
        world = site.world
        world.set_status(1, "Cancelled")
        assert status(1) == "Cancelled"
        world.set_end_date(2, TODAY - timedelta(days=400))
        world.set_status(2, "Current", override=True)
        world.run_status_job()
        assert status(2) == "Current"
        world.set_type(1, "Gold")
        world.set_membership_custom(1, "Member_Extra.badge", "B1")
        select = ["membership_type_id.name", "Member_Extra.badge", "is_primary_member"]
        read = rows("Membership/get", {"select": select, "where": [["id", "=", 1]]})
        assert list(read[0].values()) == [1, "Gold", "B1", True]
        world.set_test(1, True)
        assert rows("Membership/get", {"where": [["contact_id", "=", 4]]}) == []


class TestStructure:
    """§6 of the versions sheet."""

    def test_a_renamed_type_leaves_filters_on_the_old_name_empty(
        self, site: CivicrmSimulator, rows: Rows
    ) -> None:
        def gold(where: list[Any]) -> list[dict[str, Any]]:
            select = ["membership_type_id:name", "membership_type_id:label"]
            return rows("Membership/get", {"select": select, "where": [where], "limit": 1})

        site.world.retitle_type("Gold", "Golden")
        [row] = gold(["membership_type_id:name", "=", "Gold"])
        assert list(row.values())[1:] == ["Gold", "Golden"]
        site.world.rename_type("Gold", "Aurum")
        assert gold(["membership_type_id:name", "=", "Gold"]) == []
        assert gold(["membership_type_id.name", "=", "Gold"]) == []
        assert gold(["membership_type_id:name", "=", "Aurum"])

    def test_what_is_switched_off_keeps_resolving(self, site: CivicrmSimulator, rows: Rows) -> None:
        site.world.set_type_active("Gold", False)
        site.world.set_status_active("Grace", False)
        where = [["membership_type_id:name", "=", "Gold"], ["status_id:name", "=", "Grace"]]
        site.world.add_membership(4, "Gold", status="Grace")
        assert rows("Membership/get", {"where": where})
        names = rows("MembershipType/get", {"where": [["is_active", "=", False]]})
        assert {row["name"] for row in names} == {"Gold", "Old Bronze"}

    def test_statuses_can_be_added_renamed_and_relabelled(
        self, site: CivicrmSimulator, rows: Rows
    ) -> None:
        world = site.world
        world.add_status("Honorary", is_current_member=True)
        world.set_status(1, "Honorary")
        world.relabel_status("Honorary", "Of honour")
        select = ["status_id:name", "status_id:label", "status_id.is_current_member"]
        read = {"select": select, "where": [["id", "=", 1]]}
        assert list(rows("Membership/get", read)[0].values())[1:] == ["Honorary", "Of honour", True]
        world.rename_status("Honorary", "Friend")
        assert rows("Membership/get", read)[0]["status_id:name"] == "Friend"

    def test_labels_and_titles_change_no_api_name(self, site: CivicrmSimulator, rows: Rows) -> None:
        site.world.relabel_field(CARD, "Fob")
        site.world.retitle_group("Door_Access", "Doors")
        [row] = rows("Contact/getFields", {"where": [["name", "=", CARD]]})
        assert row["label"] == "Doors: Fob"

    def test_fields_of_groups_can_be_listed(self, rows: Rows) -> None:
        select = ["name", "data_type", "html_type", "custom_group_id:name", "serialize"]
        where = [["custom_group_id.is_multiple", "=", False]]
        found = rows(
            "CustomField/get", {"select": select, "where": where, "orderBy": {"id": "ASC"}}
        )
        kinds = {row["name"]: (row["data_type"], row["html_type"]) for row in found}
        assert kinds == {
            "card_id": ("String", "Text"),
            "card_num": ("Int", "Text"),
            "door_note": ("Memo", "TextArea"),
            "fob_issued": ("Date", "Select Date"),
            "door_optin": ("Boolean", "Radio"),
            "door_zone": ("String", "CheckBox"),
            "old_card": ("String", "Text"),
            "badge": ("String", "Text"),
        }

    def test_a_field_with_choices_of_which_one_is_chosen(
        self, site: CivicrmSimulator, rows: Rows
    ) -> None:
        """§5 of the versions sheet."""
        hours = {"std": "Standard hours"}
        site.world.add_custom_field("Door_Access", "hours", options=hours)
        site.world.set_custom(4, "Door_Access.hours", "std")
        name = "Door_Access.hours"
        select = [name, f"{name}:name", f"{name}:label"]
        read = rows("Contact/get", {"select": select, "where": [["id", "=", 4]]})
        assert list(read[0].values()) == [4, "std", "Standard_hours", "Standard hours"]
        where = [["name", "=", "hours"]]
        [row] = rows(
            "CustomField/get", {"select": ["html_type", "option_group_id"], "where": where}
        )
        assert row["html_type"] == "Select"


def test_a_group_has_a_name_and_members(site: CivicrmSimulator, rows: Rows) -> None:
    [row] = rows("Group/get", {"select": ["name", "title"]})
    assert row == {"id": 1, "name": "Door_Admins", "title": "Door Admins"}


def test_records_print_no_names(site: CivicrmSimulator) -> None:
    """P12"""
    assert repr(site.world.contact(4)) == "Contact(4)"
    key = site.world.key_of("full")
    assert repr(key) == f"Key({key.id})"
    assert "member" not in repr(list(site.world.emails.values())[:3])


def test_many_hands_may_work_at_once() -> None:
    world = World()
    threads = [
        threading.Thread(target=lambda: [world.add_contact("A", "B") for _ in range(200)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.contact_ids() == list(range(1, 801))


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)

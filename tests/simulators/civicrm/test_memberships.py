"""The hands on memberships and on the site's structure, and the job (§7)."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from door_sync.simulators.civicrm import CivicrmSimulator, World

Rows = Callable[..., list[dict[str, Any]]]

CARD = "Door_Access.card_id"
TODAY = date(2026, 11, 22)


Person = Callable[..., dict[str, Any]]
Status = Callable[[int], str]


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

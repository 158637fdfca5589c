"""Rules 7 and 8: in which order rows come, and which are hidden (§4.4, §4.6)."""

from collections.abc import Callable
from typing import Any

import httpx2

from door_sync.simulators.civicrm import CivicrmSimulator

Ask = Callable[..., httpx2.Response]
Rows = Callable[..., list[dict[str, Any]]]
Matching = Callable[..., list[int]]

CARD = "Door_Access.card_id"
BY_ID = {"orderBy": {"id": "ASC"}}


class TestDefaultFilters:
    """Rule 8 (§4.6)."""

    def test_the_trash_is_hidden_unless_it_is_mentioned_or_ids_are_asked_for(
        self, matching: Matching
    ) -> None:
        trash = [83, 84, 85, 163]
        assert not set(trash) & set(matching())
        assert not set(trash) & set(matching(["id", ">", 0]))
        assert not set(trash) & set(matching(["OR", [["id", ">", 100], ["id", "<", 101]]]))
        assert matching(["is_deleted", "=", True]) == trash
        assert set(trash) < set(matching(["is_deleted", "IN", [True, False]]))
        assert set(trash) < set(matching(["OR", [["is_deleted", "=", 1], ["is_deleted", "=", 0]]]))
        assert matching(["id", "=", 83]) == [83]
        assert matching(["id", "IN", [83, 84, 86]]) == [83, 84, 86]

    def test_test_memberships_are_hidden_alike(self, matching: Matching) -> None:
        assert 69 not in matching(entity="Membership")
        assert matching(["is_test", "=", True], entity="Membership") == [69]
        assert matching(["id", "IN", [68, 69]], entity="Membership") == [68, 69]

    def test_a_join_lets_test_memberships_in(self, rows: Rows) -> None:
        join = {"select": ["m.id"], "join": [["Membership AS m", "INNER"]]}
        found = rows("Contact/get", {**join, "where": [["m.is_test", "=", True]]})
        assert found == [{"id": 73, "m.id": 69}]

    def test_memberships_of_people_in_the_trash_come_back(self, matching: Matching) -> None:
        assert 81 in matching(entity="Membership")
        assert 81 not in matching(["contact_id.is_deleted", "=", False], entity="Membership")
        assert matching(["contact_id.is_deleted", "=", True], entity="Membership") == [81, 82, 161]


class TestOrder:
    """Rule 7 (§4.4)."""

    @staticmethod
    def walk(rows: Rows, size: int, **params: Any) -> list[int]:
        found: list[int] = []
        offset = 0
        while True:
            page = rows("Contact/get", {**params, "limit": size, "offset": offset})
            found += [row["id"] for row in page]
            if len(page) < size:
                return found
            offset += size

    def test_the_order_depends_on_what_is_selected(self, rows: Rows) -> None:
        ids = [row["id"] for row in rows("Contact/get", {"select": ["id"]})]
        named = [row["id"] for row in rows("Contact/get", {"select": ["id", "display_name"]})]
        assert named == sorted(named)
        assert ids != named
        assert sorted(ids) == named

    def test_a_walk_by_offset_loses_people_and_repeats_others(self, rows: Rows) -> None:
        everybody = self.walk(rows, 100, **BY_ID)
        found = self.walk(rows, 100, select=["display_name"])
        assert len(found) == len(everybody)
        assert len(set(found)) < len(everybody)

    def test_a_walk_over_ids_alone_happens_to_be_complete(self, rows: Rows) -> None:
        found = self.walk(rows, 100, select=["id"])
        assert len(set(found)) == len(found)

    def test_a_walk_by_a_column_with_equal_values_loses_people(self, rows: Rows) -> None:
        order = {"select": ["contact_type"], "orderBy": {"contact_type": "ASC"}}
        found = self.walk(rows, 50, **order)
        assert len(set(found)) < len(found)

    def test_a_walk_by_id_and_one_in_order_of_unique_values_are_complete(self, rows: Rows) -> None:
        by_id = self.walk(rows, 100, select=["display_name"], **BY_ID)
        assert by_id == sorted(set(by_id))
        order = {"contact_type": "DESC", "id": "DESC"}
        down = self.walk(rows, 100, select=["display_name"], orderBy=order)
        assert len(set(down)) == len(by_id)

    def test_the_switch_gives_a_database_that_keeps_its_order(
        self, site: CivicrmSimulator, rows: Rows
    ) -> None:
        site.switches.unordered = False
        found = self.walk(rows, 100, select=["display_name"])
        assert found == sorted(set(found))

    def test_text_sorts_by_the_collation_and_null_comes_first(
        self, site: CivicrmSimulator, rows: Rows
    ) -> None:
        for number, card in ((4, "b"), (5, "Á"), (6, "A1"), (7, "B2")):
            site.world.set_card(number, card)
        site.world.clear_card(8)
        params = {"select": ["id"], "where": [["id", "BETWEEN", [4, 8]]]}
        up = rows("Contact/get", {**params, "orderBy": {CARD: "ASC"}})
        assert [row["id"] for row in up] == [8, 5, 6, 4, 7]
        down = rows("Contact/get", {**params, "orderBy": {CARD: "DESC"}})
        assert [row["id"] for row in down] == [7, 4, 6, 5, 8]

    def test_lists_of_choices_can_be_sorted_by(self, site: CivicrmSimulator, rows: Rows) -> None:
        zone = "Door_Access.door_zone"
        site.world.set_custom(4, zone, ["roof"])
        site.world.set_custom(5, zone, ["front"])
        params = {"select": ["id"], "where": [["id", "IN", [4, 5, 6]]], "orderBy": {zone: "DESC"}}
        assert [row["id"] for row in rows("Contact/get", params)] == [4, 5, 6]

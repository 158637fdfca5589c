"""Rules 2, 7, 8, 10 and 11: what is selected, what matches, in which order (§4, §5)."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator

Ask = Callable[..., httpx2.Response]
Rows = Callable[..., list[dict[str, Any]]]

CARD = "Door_Access.card_id"
BY_ID = {"orderBy": {"id": "ASC"}}


@pytest.fixture
def matching(rows: Rows) -> Callable[..., list[int]]:
    """Return the ids of the contacts (or of another entity's rows) that clauses let through."""

    def ids(*where: Any, entity: str = "Contact") -> list[int]:
        found = rows(f"{entity}/get", {"select": ["id"], "where": list(where), **BY_ID})
        return [row["id"] for row in found]

    return ids


Matching = Callable[..., list[int]]


class TestSelect:
    def test_unknown_fields_are_left_out_without_a_word(self, rows: Rows) -> None:
        select = ["nope", "Door_Access.nope", "Nope.card", "contact_id.id", "ID", "Display_Name"]
        assert rows("Contact/get", {"select": select, "limit": 1, **BY_ID}) == [{"id": 1}]

    @pytest.mark.parametrize("name", ["nope", "Door_Access.nope", "Nope.card", "contact_id.id"])
    def test_the_same_fields_fail_loudly_where_they_decide(self, name: str, ask: Ask) -> None:
        assert ask("Contact/get", {"where": [[name, "IS NOT EMPTY"]]}).status_code == 500
        assert ask("Contact/get", {"orderBy": {name: "ASC"}}).status_code == 500

    def test_the_id_comes_first_and_always(self, rows: Rows) -> None:
        row = rows("Contact/get", {"select": ["display_name"], "where": [["id", "=", 4]]})[0]
        assert list(row) == ["id", "display_name"]

    def test_a_misspelt_suffix_shows_the_raw_id(self, rows: Rows) -> None:
        select = ["status_id:nope", "status_id:name", "membership_type_id:label", "source:name"]
        row = rows("Membership/get", {"select": select, "where": [["id", "=", 1]]})[0]
        assert row == {
            "id": 1,
            "status_id:nope": 2,
            "status_id:name": "Current",
            "membership_type_id:label": "Silver member",
            "source:name": None,
        }

    def test_stars_stand_for_the_fields_of_an_entity_a_group_or_a_link(self, rows: Rows) -> None:
        def keys(select: list[str], entity: str = "Contact") -> list[str]:
            params = {"select": select, "where": [["id", "=", 4]], "join": [["Email AS e"]]}
            if entity != "Contact":
                del params["join"]
            return list(rows(f"{entity}/get", params)[0])

        assert keys(["Door_Access.*"])[:2] == ["id", CARD]
        assert "Door_Access.old_card" in keys(["custom.*"])
        assert CARD not in keys(["*"])
        assert "email_primary" not in keys(["*"])
        assert keys(["e.em*"]) == ["id", "e.email"]
        assert keys(["do_not_s*"]) == ["id", "do_not_sms"]
        assert "contact_id.display_name" in keys(["contact_id.*"], "Membership")
        assert "contact_id.api_key" not in keys(["contact_id.*"], "Membership")
        assert keys(["end_date.*"], "Membership") == ["id"]

    def test_names_vanish_from_organizations_only_beside_the_contact_type(self, rows: Rows) -> None:
        """§5 of the versions sheet; an absent name is no broken read, an absent card is."""
        where = [["id", "IN", [3, 4]]]
        alone = rows("Contact/get", {"select": ["first_name", CARD], "where": where, **BY_ID})
        assert [row["first_name"] for row in alone] == [None, "First4"]
        names = ["contact_type", "first_name", "prefix_id:label", "organization_name", CARD]
        beside = rows("Contact/get", {"select": names, "where": where, **BY_ID})
        assert list(beside[0]) == ["id", "contact_type", "organization_name", CARD]
        assert list(beside[1]) == ["id", "contact_type", "first_name", "prefix_id:label", CARD]

    def test_the_same_holds_through_a_membership(self, rows: Rows) -> None:
        """Rule 10."""
        select = [
            "contact_id.contact_type",
            "contact_id.first_name",
            "contact_id.Door_Access.card_id",
        ]
        where = [["membership_type_id:name", "=", "Corporate"]]
        company, person = rows("Membership/get", {"select": select, "where": where, **BY_ID})
        assert list(company) == ["id", select[0], select[2]]
        assert list(person) == ["id", *select]
        without = rows("Membership/get", {"select": select[1:], "where": where, **BY_ID})
        assert without[0]["contact_id.first_name"] is None

    def test_values_keep_their_types(self, site: CivicrmSimulator, rows: Rows) -> None:
        """Rule 11."""
        world = site.world
        world.add_custom_field("Door_Access", "card_float", data_type="Float")
        world.set_card(4, " 00012345 ")
        world.set_custom(4, "Door_Access.card_num", "00012345")
        world.set_custom(4, "Door_Access.card_float", "12345.0")
        world.set_custom(5, "Door_Access.card_float", 12345.5)
        world.set_custom(4, "Door_Access.door_zone", ["front", "roof"])
        world.set_custom(4, "Door_Access.door_optin", "1")
        world.set_custom(4, "Door_Access.fob_issued", "2026-01-31")
        fields = ["card_id", "card_num", "card_float", "door_zone", "door_zone:label"]
        fields += ["door_optin", "fob_issued"]
        select = [f"Door_Access.{field}" for field in fields]
        select += ["is_deleted", "created_date", "email_primary.on_hold"]
        found = rows("Contact/get", {"select": select, "where": [["id", "IN", [4, 5]]], **BY_ID})
        assert list(found[0].values()) == [
            4,
            " 00012345 ",
            12345,
            12345,
            ["front", "roof"],
            ["Front", "Roof"],
            True,
            "2026-01-31",
            False,
            "2026-11-22 18:20:00",
            0,
        ]
        assert type(found[0]["Door_Access.card_float"]) is int
        assert found[1]["Door_Access.card_float"] == 12345.5
        assert found[1]["Door_Access.door_zone:label"] is None

    def test_a_group_with_several_records_repeats_the_row_and_shows_nothing(
        self, site: CivicrmSimulator, rows: Rows
    ) -> None:
        """§5 of the versions sheet: the records are an entity of their own."""
        for card in ("111", "222"):
            site.world.add_custom_record(4, "Multi_Cards", card=card)
        params = {"select": ["Multi_Cards.card"], "where": [["id", "IN", [4, 5]]], **BY_ID}
        assert rows("Contact/get", params) == [{"id": 4}, {"id": 4}, {"id": 5}]
        assert rows("Contact/get", {**params, "limit": 2}) == [{"id": 4}, {"id": 4}]
        records = rows("Custom_Multi_Cards/get", {"select": ["*", "card", "entity_id.first_name"]})
        assert records[0] == {
            "id": 1,
            "entity_id": 4,
            "card": "111",
            "entity_id.first_name": "First4",
        }
        joined = {"select": ["c.card"], "join": [["Custom_Multi_Cards AS c", "INNER"]]}
        assert [row["c.card"] for row in rows("Contact/get", joined)] == ["111", "222"]

    def test_aggregates_group_rows(self, rows: Rows) -> None:
        by_contact = {
            "select": [
                "contact_id",
                "contact_id.last_name",
                "GROUP_CONCAT(DISTINCT status_id:name) AS st",
                "COUNT(id) AS n",
                "MIN(end_date) AS first",
                "MAX(id)",
                "SUM(id) AS sum",
                "GROUP_CONCAT(nope) AS nope",
                "GROUP_CONCAT(source) AS src",
            ],
            "groupBy": ["contact_id"],
            "where": [["contact_id", "IN", [18, 78]]],
        }
        first, second = rows("Membership/get", by_contact)
        assert first == {
            "contact_id": 18,
            "contact_id.last_name": "Last18",
            "st": ["Grace", "New"],
            "n": 2,
            "first": "2026-11-01",
            "MAX:id": 15,
            "sum": 29,
            "src": None,
        }
        assert (second["st"], second["n"]) == (["Grace", "New"], 3)
        down = rows("Membership/get", {**by_contact, "orderBy": {"contact_id": "DESC"}})
        assert [row["contact_id"] for row in down] == [78, 18]
        assert rows("Membership/get", {**by_contact, "limit": 1}) == [first]

    def test_a_count_without_groups_is_one_row(self, rows: Rows) -> None:
        where = [["contact_id", "=", 18]]
        counted = {"select": ["COUNT(*) AS n", "SUM(id) AS s"], "where": where}
        assert rows("Membership/get", counted) == [{"n": 2, "s": 29}]
        nothing = {"select": ["COUNT(*) AS n", "SUM(id) AS s", "source"], "where": [["id", "=", 0]]}
        assert rows("Membership/get", nothing) == [{"source": None, "n": 0, "s": None}]

    def test_a_chain_calls_once_per_row(self, ask: Ask, rows: Rows) -> None:
        chain = {
            "m": ["Membership", "get", {"select": ["id"], "where": [["contact_id", "=", "$id"]]}],
            "first": ["Membership", "get", {"where": [["contact_id", "IN", ["$id"]]]}, 0],
            "types": ["MembershipType", "getActions"],
        }
        params = {"select": ["id"], "where": [["id", "=", 18]], "chain": chain}
        row = rows("Contact/get", params)[0]
        assert row["m"] == [{"id": 14}, {"id": 15}]
        assert row["first"]["id"] == 14
        assert ask("Contact/get", params, role="nomember").status_code == 403


class TestWhere:
    def test_text_compares_without_case_accents_and_trailing_spaces(
        self, site: CivicrmSimulator, matching: Matching
    ) -> None:
        site.world.set_card(5, "AbC ")
        for text in ("abc", "ABC", "ÁBC", "abc  "):
            assert matching([CARD, "=", text]) == [5]
        assert matching([CARD, "=", " abc"]) == []
        assert matching([CARD, "IN", ["ÁBC", "zzz"]]) == [5]

    def test_a_number_finds_the_text_written_like_it(
        self, site: CivicrmSimulator, matching: Matching
    ) -> None:
        site.world.set_card(4, "10013")
        site.world.set_card(5, "00010013")
        assert matching([CARD, "=", 10013]) == [4]
        assert matching([CARD, "=", 10013.0]) == [4]
        assert matching([CARD, "=", "00010013"]) == [5]
        assert matching([CARD, "=", True]) == []

    def test_text_meets_a_number_as_mysql_lets_it(self, matching: Matching) -> None:
        assert matching(["id", "=", "20"]) == [20]
        assert matching(["id", "=", "20abc"]) == [20]
        assert matching(["id", "=", "abc"]) == []
        assert matching(["Door_Access.card_num", "=", 10052.0]) == [4]

    def test_comparisons_order_numbers_and_texts(self, matching: Matching) -> None:
        assert matching(["id", ">", 5], ["id", "<=", 7]) == [6, 7]
        assert matching(["id", ">=", 5], ["id", "<", 7]) == [5, 6]
        assert matching(["id", "BETWEEN", [5, 7]], ["id", "!=", 6]) == [5, 7]
        assert matching(["id", "<>", 4], ["id", "NOT BETWEEN", [6, 9999999]]) == [1, 2, 3, 5]
        assert matching(["id", "IN", [4, 5]], ["id", "IN", [5, 6]]) == [5]
        assert matching(["id", "NOT IN", [5]], ["id", "<", 7], ["id", ">", 3]) == [4, 6]
        above = [n for n in range(4, 304) if 10000 + 13 * n > 12000 and n != 163]
        assert matching(["Door_Access.card_num", ">", "12000"]) == above

    def test_null_is_unknown_to_every_comparison(
        self, site: CivicrmSimulator, matching: Matching
    ) -> None:
        """§5 of the versions sheet: `!= false` and NOT IN lose the nulls."""
        site.world.set_custom(4, "Door_Access.door_optin", True)
        site.world.set_custom(5, "Door_Access.door_optin", False)
        optin = "Door_Access.door_optin"
        some = ["id", "IN", [4, 5, 6]]
        assert matching(some, [optin, "!=", False]) == [4]
        assert matching(some, [optin, "NOT IN", [False]]) == [4]
        assert matching(some, ["NOT", [[optin, "=", False]]]) == [4]
        assert matching(some, [optin, "IS NULL"]) == [6]
        assert matching(some, [optin, "IS EMPTY"]) == [5, 6]
        assert matching(some, [optin, "=", None]) == []
        assert matching(["Door_Access.fob_issued", "BETWEEN", [None, "2026-01-01"]]) == []
        assert matching(["OR", [[optin, "=", False], some]]) == [4, 5, 6]
        assert matching(["OR", [[optin, "=", True], [optin, "=", False]]]) == [4, 5]

    def test_empty_is_null_nothing_or_zero(
        self, site: CivicrmSimulator, matching: Matching
    ) -> None:
        site.world.set_custom(4, CARD, "", raw=True)
        site.world.set_custom(5, CARD, "   ", raw=True)
        site.world.set_custom(6, CARD, "  00123 ", raw=True)
        site.world.clear_card(7)
        site.world.set_custom(4, "Door_Access.card_num", 0)
        some = ["id", "IN", [4, 5, 6, 7]]
        assert matching(some, [CARD, "IS NOT NULL"]) == [4, 5, 6]
        assert matching(some, [CARD, "IS NOT EMPTY"]) == [6]
        assert matching(some, [CARD, "IS EMPTY"]) == [4, 5, 7]
        assert matching(some, ["Door_Access.card_num", "IS NOT EMPTY"]) == [5, 6, 7]

    def test_a_list_of_choices_is_searched_by_choice(
        self, site: CivicrmSimulator, matching: Matching
    ) -> None:
        zone = "Door_Access.door_zone"
        site.world.set_custom(4, zone, ["front", "roof"])
        site.world.set_custom(5, zone, ["roof"])
        assert matching([zone, "CONTAINS", "roof"]) == [4, 5]
        assert matching([zone, "CONTAINS", ["roof", "front"]]) == [4]
        assert matching([zone, "NOT CONTAINS", "front"]) == [5]
        assert matching([zone, "=", "roof"]) == [5]
        assert matching([zone, "IS NOT EMPTY"]) == [4, 5]

    def test_like_and_contains_look_into_text(self, matching: Matching) -> None:
        assert matching(["first_name", "LIKE", "FIRST4"]) == [4]
        assert matching(["first_name", "LIKE", "first4_"]) == list(range(40, 50))
        assert matching(["first_name", "LIKE", "%t10"]) == [10]
        assert matching(["display_name", "CONTAINS", "søns"]) == [33084]
        assert matching(["id", "LIKE", 33084]) == [33084]
        unlike = matching(["display_name", "NOT LIKE", "first%"], ["id", "<", 300])
        assert unlike == [1, 2, 3, 53, 63, 103]

    def test_in_with_nothing_matches_nobody_and_not_in_everybody(self, matching: Matching) -> None:
        assert matching(["id", "IN", []]) == []
        assert matching(["id", "NOT IN", []]) == matching()

    def test_a_clause_without_a_value_matches_nobody(self, matching: Matching) -> None:
        assert matching(["id", "="]) == []

    def test_dates_compare_as_dates_and_understand_words(
        self, site: CivicrmSimulator, matching: Matching
    ) -> None:
        def ended(*clause: Any) -> list[int]:
            return matching(["end_date", *clause], ["id", "<", 80], entity="Membership")

        assert ended("=", "2026-11-01") == [5, 10, 14, 30, 74, 76]
        assert ended("<", "2026-01-02") == [70, 72]
        assert ended("=", "20260501") == [11]
        assert ended("=", "no date") == []
        site.world.set_end_date(1, site.world.today())
        assert ended("=", "today") == [1]
        assert 1 in ended("<", "tomorrow")
        assert 1 not in ended("<", "yesterday")
        assert ended("<", "-300 days") == [70, 72]
        assert ended("BETWEEN", ["2026-04-01", "-1 month"]) == [11]
        assert matching(["created_date", "=", "now"], ["id", "=", 4]) == [4]
        assert matching(["created_date", ">", "2026-11-22"], ["id", "=", 4]) == [4]
        assert matching(["created_date", "<", "2026-11-22 18:19:59"]) == []

    def test_unknown_names_match_nothing_and_are_ignored_in_a_list(
        self, matching: Matching
    ) -> None:
        def named(*clause: Any) -> int:
            return len(matching(list(clause), entity="Membership"))

        grace = named("status_id:name", "=", "Grace")
        assert grace > 0
        assert named("status_id:name", "=", "Bogus") == 0
        assert named("status_id:name", "=", "grace") == 0
        assert named("status_id:name", "=", 3) == 0
        assert named("status_id:name", "IN", ["Grace", "Bogus", 3]) == grace
        assert named("status_id:name", "IN", ["Bogus"]) == 0
        assert named("status_id:name", "!=", "Bogus") == 0
        assert named("status_id:name", "LIKE", "gr%") == grace
        assert named("status_id:name", "IS NOT NULL") == named("id", ">", 0)
        assert named("membership_type_id:label", "=", "Gold") == 0
        assert named("membership_type_id:label", "=", "Gold member") == named(
            "membership_type_id.name", "=", "gold"
        )

    def test_a_core_field_that_may_not_be_read_is_dropped_from_and_only(
        self, ask: Ask, matching: Matching
    ) -> None:
        """§5.3: all rows come back."""
        everybody = matching()
        assert matching(["api_key", "=", "zzz"]) == everybody
        assert matching(["AND", [["api_key", "=", "zzz"], ["id", "=", 4]]]) == [4]
        for group in ("OR", "NOT"):
            where = [[group, [["api_key", "=", "zzz"], ["id", "=", 4]]]]
            assert ask("Contact/get", {"where": where}).status_code == 500
        assert ask("Contact/get", {"orderBy": {"api_key": "ASC"}}).status_code == 500
        through = {"where": [["contact_id.api_key", "=", "zzz"]]}
        assert ask("Membership/get", through).status_code == 500

    def test_an_administrator_may_search_by_it(self, rows: Rows) -> None:
        where = [["api_key", "=", "key-full-0123456789abcdef"]]
        found = rows("Contact/get", {"select": ["api_key"], "where": where}, role="admin")
        assert [row["id"] for row in found] == [304]

    def test_a_clause_may_compare_two_fields(self, matching: Matching) -> None:
        assert matching(["sort_name", "=", "display_name", True], ["id", "<", 5]) == [1, 2, 3]
        assert matching(["id", "=", "display_name", True]) == []
        assert matching(["first_name", "=", "First4", True]) == [4]
        older = ["start_date", ">", "end_date", True]
        assert matching(older, entity="Membership") == []
        assert matching(["owner_membership_id", "<", "id", True], entity="Membership") == [35119]


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

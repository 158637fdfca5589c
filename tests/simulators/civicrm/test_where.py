"""What matches a clause, and what fails or is dropped (§4.1, §4.3, §4.4, §5.3)."""

from collections.abc import Callable
from typing import Any

import httpx2

from door_sync.simulators.civicrm import CivicrmSimulator

Ask = Callable[..., httpx2.Response]
Rows = Callable[..., list[dict[str, Any]]]
Matching = Callable[..., list[int]]

CARD = "Door_Access.card_id"
BY_ID = {"orderBy": {"id": "ASC"}}


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

"""Rules 2, 10 and 11: what a row shows (§4.1, §4.3, §4.5, §5)."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator

Ask = Callable[..., httpx2.Response]
Rows = Callable[..., list[dict[str, Any]]]
Matching = Callable[..., list[int]]

CARD = "Door_Access.card_id"
BY_ID = {"orderBy": {"id": "ASC"}}


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

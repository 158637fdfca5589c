"""Rules 9 and 13: what a limited key gets, and what it loses in silence (§8)."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator

Ask = Callable[..., httpx2.Response]
Rows = Callable[..., list[dict[str, Any]]]

CARD = "Door_Access.card_id"
BY_ID = {"orderBy": {"id": "ASC"}}
ACTIVE = ["New", "Current", "Grace"]
IN_JOIN = {
    "select": ["row_count", "id", "m.id", "m.status_id:name"],
    "join": [["Membership AS m", "INNER", ["m.status_id:name", "IN", ACTIVE]]],
    **BY_ID,
}
IN_WHERE = {
    "select": ["id", "m.id", "m.status_id:name"],
    "join": [["Membership AS m", "INNER"]],
    "where": [["m.status_id:name", "IN", ACTIVE]],
    **BY_ID,
}


def _live(site: CivicrmSimulator) -> list[int]:
    return [n for n, contact in site.world.contacts.items() if not contact.is_deleted]


def test_a_key_without_view_gets_an_empty_success(ask: Ask) -> None:
    for endpoint in ("Contact/get", "Membership/get", "Email/get"):
        answer = ask(endpoint, {"select": ["row_count", "id"]}, role="noview")
        assert answer.status_code == 200
        assert (answer.json()["values"], answer.json()["countMatched"]) == ([], 0)
    assert ask("MembershipType/get", role="noview").json()["values"]


def test_an_acl_shows_one_group_and_counts_only_it(ask: Ask) -> None:
    answer = ask("Contact/get", {"select": ["row_count", "id"], **BY_ID}, role="acl").json()
    seen = [row["id"] for row in answer["values"]]
    assert seen == [n for n in range(4, 104) if n not in (83, 84, 85)]
    assert answer["countMatched"] == len(seen)
    members = ask("Membership/get", {"select": ["contact_id"]}, role="acl").json()["values"]
    assert {row["contact_id"] for row in members} <= set(range(4, 104))


@pytest.mark.parametrize("role", ["full", "acl"])
def test_a_view_narrowed_in_silence_is_consistent_in_itself(
    role: str, site: CivicrmSimulator, ask: Ask
) -> None:
    site.switches.narrowed_to = frozenset(range(50, 60))
    answer = ask("Contact/get", {"select": ["row_count", "id"], **BY_ID}, role=role).json()
    assert [row["id"] for row in answer["values"]] == list(range(50, 60))
    assert answer["countMatched"] == 10
    assert len(ask("Contact/get", {"select": ["id"]}, role="admin").json()["values"]) > 100


def test_a_stale_acl_view_changes_only_with_the_cache(site: CivicrmSimulator, rows: Rows) -> None:
    """§7 of the versions sheet."""
    site.switches.stale_acl = True

    def seen() -> set[int]:
        return {row["id"] for row in rows("Contact/get", {"select": ["id"]}, role="acl")}

    before = seen()
    site.world.add_to_group("Door_Admins", 200)
    site.world.remove_from_group("Door_Admins", 10)
    assert seen() == before
    site.world.flush_caches()
    assert seen() == before - {10} | {200}
    site.world.add_to_group("Door_Admins", 10)
    assert 10 not in seen()
    site.world.add_contact("Somebody", "New")
    assert 10 in seen()


def test_without_the_right_to_custom_data_the_card_key_is_absent(ask: Ask, rows: Rows) -> None:
    where = [["id", "IN", [4, 5]]]
    select = {"select": ["display_name", CARD], "where": where, **BY_ID}
    assert all(
        list(row) == ["id", "display_name"] for row in rows("Contact/get", select, role="nocustom")
    )
    failing = {"where": [[CARD, "IS NOT EMPTY"]]}
    assert ask("Contact/get", failing, role="nocustom").status_code == 500
    through = f"contact_id.{CARD}"
    assert list(rows("Membership/get", {"select": [through], "limit": 1}, role="nocustom")[0]) == [
        "id"
    ]
    assert ask("Membership/get", {"orderBy": {through: "ASC"}}, role="nocustom").status_code == 500
    assert rows("Contact/getFields", {"where": [["name", "=", CARD]]}, role="nocustom") == []
    assert rows("CustomField/get", role="nocustom") == []
    assert ask("Custom_Multi_Cards/get", role="nocustom").status_code == 403
    repeating = {"select": ["Multi_Cards.card"], "where": where}
    assert len(rows("Contact/get", repeating, role="nocustom")) == 2


@pytest.mark.parametrize("role", ["nomember", "nocivi"])
def test_without_the_right_to_members_an_inner_join_returns_everybody(
    role: str, site: CivicrmSimulator, ask: Ask, rows: Rows
) -> None:
    """Fact 5: the join and its conditions are dropped, HTTP 200."""
    members = ask("Contact/get", IN_JOIN).json()
    assert 0 < members["countMatched"] < len(_live(site))
    everybody = ask("Contact/get", IN_JOIN, role=role)
    assert everybody.status_code == 200
    assert everybody.json()["countMatched"] == len(_live(site))
    assert all(list(row) == ["id"] for row in everybody.json()["values"])
    assert ask("Contact/get", IN_WHERE, role=role).status_code == 500
    by_member = {"join": [["Membership AS m", "INNER"]], "orderBy": {"m.id": "ASC"}}
    assert ask("Contact/get", by_member, role=role).status_code == 500
    excluded = {"select": ["id"], "join": [["Membership AS m", "EXCLUDE"]]}
    assert len(rows("Contact/get", excluded, role=role)) == len(_live(site))
    assert ask("Membership/get", role=role).status_code == 403
    assert ask("MembershipStatus/get", role=role).status_code == 403


def test_the_wanted_statuses_in_where_match_the_ones_in_the_join(rows: Rows) -> None:
    assert rows("Contact/get", IN_WHERE) == rows("Contact/get", IN_JOIN)


def test_get_actions_shows_whether_memberships_may_be_read(ask: Ask, rows: Rows) -> None:
    def actions(role: str) -> list[str]:
        found = rows("Membership/getActions", {"select": ["name"]}, role=role)
        return [row["name"] for row in found]

    assert actions("full") == ["checkAccess", "get", "getActions", "getFields"]
    assert actions("nomember") == ["checkAccess", "getActions", "getFields"]
    assert ask("Membership/getActions", role="nocivi").status_code == 403
    assert "mergeDuplicates" in [r["name"] for r in rows("Contact/getActions", role="admin")]


def test_without_access_to_civicrm_the_address_vanishes_but_emails_can_be_listed(
    ask: Ask, rows: Rows
) -> None:
    select = {"select": ["email_primary", "email_primary.email"], "where": [["id", "=", 4]]}
    assert list(rows("Contact/get", select, role="nocivi")[0]) == ["id", "email_primary"]
    failing = {"where": [["email_primary.email", "IS NOT EMPTY"]]}
    assert ask("Contact/get", failing, role="nocivi").status_code == 500
    joined = {"select": ["e.email"], "join": [["Email AS e", "INNER"]], "where": [["id", "=", 4]]}
    assert rows("Contact/get", joined, role="nocivi") == [{"id": 4}]
    assert rows("Contact/get", joined) == [{"id": 4, "e.email": "member1@example.org"}]
    assert rows("Email/get", {"select": ["id"]}, role="nocivi")
    assert ask("Contact/getFields", role="nocivi").status_code == 403


def test_without_access_to_the_trash_it_does_not_exist(rows: Rows) -> None:
    role = {"role": "nodeleted"}
    assert rows("Contact/get", {"where": [["is_deleted", "=", True]]}, **role) == []
    assert rows("Contact/get", {"where": [["id", "IN", [83]]]}, **role) == []
    assert rows("Membership/get", {"where": [["contact_id", "=", 83]]}, **role) == []
    assert rows("Membership/get", {"where": [["contact_id", "=", 83]]})
    joined = {"select": ["c.id"], "join": [["Contact AS c", "LEFT"]], "where": [["id", "=", 1]]}
    assert rows("Membership/get", joined, **role) == [{"id": 1, "c.id": 4}]


@pytest.mark.parametrize(
    "endpoint",
    ["Job/get", "JobLog/get", "Domain/get", "Setting/get", "System/check", "UFMatch/get"],
)
def test_only_an_administrator_reads_what_runs_the_site(endpoint: str, ask: Ask) -> None:
    """Rule 13: a read-only key cannot tell whether the job runs."""
    refused = ask(endpoint, role="full")
    assert (refused.status_code, refused.json()["status"]) == (403, 403)
    assert ask(endpoint, role="admin").status_code == 200
    assert ask(endpoint, role="syscheck").status_code == 200
    entity = endpoint.split("/", maxsplit=1)[0]
    joined = {"select": ["x.id"], "join": [[f"{entity} AS x", "INNER"]], "where": [["id", "=", 4]]}
    assert ask("Contact/get", joined).json()["values"] == [{"id": 4}]


def test_settings_are_told_by_name(ask: Ask, rows: Rows) -> None:
    found = rows("Setting/get", {"select": ["monetaryDecimalPoint"]}, role="admin")
    assert found == [{"name": "monetaryDecimalPoint", "value": ".", "domain_id": 1}]


@pytest.mark.parametrize("action", ["create", "delete", "save", "replace", "update"])
def test_writing_is_refused_and_an_administrators_write_is_not_simulated(
    action: str, site: CivicrmSimulator, ask: Ask
) -> None:
    before = len(site.world.contacts)
    assert ask(f"Contact/{action}").status_code == 403
    assert ask(f"Contact/{action}", role="admin").status_code == 500
    assert len(site.world.contacts) == before


def test_access_to_one_contact_can_be_asked_for(rows: Rows) -> None:
    def access(number: Any, role: str, action: str = "get") -> dict[str, Any]:
        params = {"action": action, "values": {"id": number}}
        return rows("Contact/checkAccess", params, role=role)[0]

    assert access(10, "acl") == {"access": True, "id": 10}
    assert access(250, "acl") == {"access": False, "id": None}
    assert access(9999999, "full") == {"access": False, "id": None}
    assert access(10, "full", "update") == {"access": False, "id": None}
    assert access("10", "full") == {"access": False, "id": None}
    assert rows("Contact/checkAccess", {"values": []})[0]["access"] is False


class TestJoins:
    """Explicit joins of a key that may make them (§4.5)."""

    def test_left_keeps_and_inner_and_exclude_do_not(self, rows: Rows) -> None:
        where = [["id", "IN", [4, 12, 18]]]

        def joined(*join: Any) -> list[tuple[int, int | None]]:
            params = {"select": ["m.id"], "join": [["Membership AS m", *join]], "where": where}
            found = rows("Contact/get", {**params, **BY_ID})
            return [(row["id"], row["m.id"]) for row in found]

        inner = [(4, 1), (18, 14), (18, 15)]
        left = [(4, 1), (12, None), (18, 14), (18, 15)]
        assert joined("LEFT") == joined(False) == joined() == left
        assert joined("INNER") == joined(True) == inner
        assert joined("EXCLUDE") == [(12, None)]
        own = ["m.contact_id", "=", "id"]
        assert joined("INNER", own) == joined("INNER", ["id", "=", "m.contact_id"]) == inner
        assert joined("INNER", own, ["m.status_id:name", "=", "Grace"]) == [(18, 14)]
        assert joined("LEFT", ["m.status_id:name", "=", "Grace"]) == [
            (4, None),
            (12, None),
            (18, 14),
        ]
        assert joined("INNER", ["m.id", ">", "contact_type"]) == []

    def test_quoted_text_in_a_condition_matches_nothing(self, rows: Rows) -> None:
        join = [["Membership AS m", "INNER", ["m.status_id:name", "IN", ['"New"']]]]
        assert rows("Contact/get", {"join": join}) == []

    def test_a_join_without_an_alias_goes_by_its_entity(self, rows: Rows) -> None:
        params = {"select": ["Membership.id"], "join": [["Membership", "INNER"]]}
        found = rows("Contact/get", {**params, "where": [["id", "=", 4]]})
        assert found == [{"id": 4, "Membership.id": 1}]

    def test_joins_work_from_the_other_side_and_one_upon_the_other(self, rows: Rows) -> None:
        joins = [["Contact AS c", "INNER"], ["Email AS e", "LEFT", ["e.contact_id", "=", "c.id"]]]
        select = ["c.first_name", "e.email", "c.email_primary.email"]
        found = rows("Membership/get", {"select": select, "join": joins, "where": [["id", "=", 1]]})
        assert found == [
            {
                "id": 1,
                "c.first_name": "First4",
                "e.email": "member1@example.org",
                "c.email_primary.email": "member1@example.org",
            }
        ]

    def test_a_row_without_a_joined_record_joins_nothing_further(self, rows: Rows) -> None:
        joins = [
            ["Membership AS m", "LEFT"],
            ["MembershipType AS t", "LEFT", ["t.id", "=", "m.membership_type_id"]],
        ]
        params = {"select": ["m.id", "t.name"], "join": joins, "where": [["id", "IN", [4, 12]]]}
        names = [row["t.name"] for row in rows("Contact/get", {**params, **BY_ID})]
        assert names == ["Silver", None]

    def test_a_join_to_what_does_not_exist_is_dropped_too(self, rows: Rows) -> None:
        """§4 of the versions sheet."""
        params = {"select": ["n.id"], "join": [["Nope AS n", "INNER"]], "where": [["id", "=", 4]]}
        assert rows("Contact/get", params) == [{"id": 4}]

    @pytest.mark.parametrize(
        "join",
        [
            ["Membership AS m", "OUTER"],
            ["Membership AS m", 1],
            ["Membership AS m", ["LEFT"]],
            ["Membership AS m", "LEFT", "Bridge"],
            ["MembershipStatus AS s", "LEFT"],
        ],
    )
    def test_a_join_that_cannot_be_made_is_an_error(self, join: list[Any], ask: Ask) -> None:
        assert ask("Contact/get", {"join": [join]}).status_code == 500


def test_with_the_component_off_memberships_do_not_exist(
    site: CivicrmSimulator, ask: Ask, rows: Rows
) -> None:
    site.switches.civimember = False
    assert ask("Membership/get").headers["content-type"].startswith("text/html")
    assert len(rows("Contact/get", IN_JOIN)) == len(_live(site))
    names = [row["name"] for row in rows("Entity/get", {"select": ["name"]})]
    assert "Contact" in names
    assert "Membership" not in names


class TestMetadata:
    """`getFields` as a self-check (§4.7)."""

    def test_the_card_field_has_one_row_with_its_type(self, rows: Rows) -> None:
        [row] = rows("Contact/getFields", {"where": [["name", "=", CARD]]})
        shown = ("name", "type", "data_type", "input_type", "custom_group", "options", "label")
        assert [row[key] for key in shown] == [
            CARD,
            "Custom",
            "String",
            "Text",
            "Door_Access",
            False,
            "Door Access: Card number",
        ]

    @pytest.mark.parametrize("name", ["Door_Access.nope", "door_access.CARD_ID", "api_key"])
    def test_a_name_that_leads_nowhere_has_none(self, name: str, rows: Rows) -> None:
        """Names are compared by PHP here, so with regard to case."""
        assert rows("Contact/getFields", {"where": [["name", "=", name]]}) == []

    def test_a_field_that_is_off_has_none(self, site: CivicrmSimulator, rows: Rows) -> None:
        params = {"where": [["name", "=", CARD]]}
        site.world.set_field_active(CARD, False)
        assert rows("Contact/getFields", params) == []
        site.world.set_field_active(CARD, True)
        site.world.set_group_active("Door_Access", False)
        assert rows("Contact/getFields", params) == []
        site.world.set_group_active("Door_Access", True)
        site.world.drop_field(CARD)
        assert rows("Contact/getFields", params) == []

    def test_fields_can_be_searched_sorted_and_shown_in_part(self, rows: Rows) -> None:
        def names(*where: Any, **more: Any) -> list[str]:
            found = rows("Contact/getFields", {"select": ["name"], "where": list(where), **more})
            return [row["name"] for row in found]

        doors = ["name", "LIKE", "door_ACCESS.%"]
        assert len(names(doors)) == 7
        assert names(doors, ["options", "IS NOT EMPTY"]) == ["Door_Access.door_zone"]
        assert names(doors, ["serialize", "IS NOT NULL"]) == ["Door_Access.door_zone"]
        assert names(doors, ["data_type", "IN", ["Date"]]) == ["Door_Access.fob_issued"]
        assert len(names(doors, ["data_type", "NOT IN", ["Date"]])) == 6
        assert names(doors, ["data_type", "!=", "String"], ["input_type", "=", "Number"]) == [
            "Door_Access.card_num"
        ]
        either = ["OR", [["name", "=", "id"], ["name", "=", CARD]]]
        assert names(either) == ["id", CARD]
        assert names(["NOT", [["type", "=", "Field"]]], ["name", "NOT LIKE", "%.%"]) == [
            "email_primary"
        ]
        assert names(["usage", "CONTAINS", "import"], ["title", "CONTAINS", "Card number"]) == [
            CARD
        ]
        assert names(doors, orderBy={"name": "DESC"}, limit=1) == ["Door_Access.old_card"]
        only = rows("Contact/getFields", {"select": ["na*", "title"], "limit": 1})
        assert only == [{"name": "id", "title": "Id"}]

    def test_choices_are_loaded_when_asked_for(self, rows: Rows) -> None:
        where = [["name", "=", "status_id"]]
        [row] = rows("Membership/getFields", {"where": where, "loadOptions": True})
        assert row["options"]["3"] == "Grace"
        keys = ["id", "name", "nope"]
        [row] = rows("Membership/getFields", {"where": where, "loadOptions": keys})
        assert {"id": 3, "name": "Grace", "nope": None} in row["options"]
        assert (row["input_type"], row["suffixes"]) == ("Select", ["name", "label"])

    def test_inputs_differ_by_kind_of_field(self, rows: Rows) -> None:
        found = rows("Contact/getFields", {"select": ["name", "input_type", "type"]})
        kinds = {row["name"]: (row["input_type"], row["type"]) for row in found}
        assert kinds["Door_Access.door_zone"] == ("CheckBox", "Custom")
        assert kinds["Door_Access.door_optin"] == ("Radio", "Custom")
        assert kinds["Door_Access.door_note"] == ("TextArea", "Custom")
        assert kinds["employer_id"] == ("EntityRef", "Field")
        assert kinds["is_deleted"] == ("CheckBox", "Field")
        assert kinds["email_primary"] == ("EntityRef", "Extra")

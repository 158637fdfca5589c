"""What is asked: each trap of the sheets that begins with a wrong question."""

import json
from urllib.parse import parse_qs

import pytest

from door_sync.civicrm import auth_headers, wire
from door_sync.civicrm.wire import Call
from door_sync.http import Form, Request, RetryClass

FIELD = "Door_Access.card_id"
ACTIVE = ["Current", "Grace"]

CALLS = {
    **wire.ground(FIELD, ACTIVE),
    "contacts page": wire.contacts_page(FIELD, 7, 50),
    "contacts count": wire.contacts_count(FIELD),
    "memberships page": wire.memberships_page(FIELD, {3, 2}, 7, 50),
    "memberships count": wire.memberships_count(FIELD, {3, 2}),
    "contacts by id": wire.contacts_by_id(FIELD, [4, 5]),
    "memberships by contact": wire.memberships_by_contact({3, 2}, [4, 5]),
}
LISTS = [name for name, call in CALLS.items() if call.action == "get" and "own" not in name]
OF_PEOPLE = [name for name in LISTS if CALLS[name].entity in ("Contact", "Membership")]
COUNTS = ["contacts", "memberships", "contacts count", "memberships count"]


def clauses(call: Call) -> list[list[object]]:
    where = call.params.get("where", [])
    assert isinstance(where, list)
    return where


def selected(call: Call) -> list[object]:
    select = call.params["select"]
    assert isinstance(select, list)
    return select


def form_of(request: Request) -> dict[str, list[str]]:
    assert isinstance(request.body, Form)
    content_type, body = request.body.encoded()
    assert content_type == "application/x-www-form-urlencoded"
    return parse_qs(body.decode(), strict_parsing=True)


def test_the_calls_travel_as_json_in_one_form_field_because_a_json_body_is_ignored() -> None:
    request = wire.request("/civicrm/ajax/api4", {"a": Call("Contact", "get", {"limit": 1})})
    assert (request.method, request.path, request.query) == ("POST", "/civicrm/ajax/api4", ())
    form = form_of(request)
    assert list(form) == ["calls"]
    assert json.loads(form["calls"][0]) == {"a": ["Contact", "get", {"limit": 1}]}


def test_a_request_reads_so_it_is_neither_paced_nor_sent_only_once() -> None:
    request = wire.request("/x", CALLS)
    assert request.retry is RetryClass.READ
    assert not request.is_write


def test_a_path_with_a_query_is_kept_for_sites_without_permalinks() -> None:
    path = "/?civiwp=CiviCRM&q=civicrm/ajax/api4"
    assert wire.request(path, CALLS).target == path


def test_the_key_travels_as_x_civi_auth_without_x_requested_with() -> None:
    """§13.10: the one form that never turned into an empty success."""
    assert auth_headers("KEY", "x-civi-auth") == {"X-Civi-Auth": "Bearer KEY"}


def test_authorization_is_sent_with_the_x_requested_with_that_it_needs() -> None:
    assert auth_headers("KEY", "authorization") == {
        "Authorization": "Bearer KEY",
        "X-Requested-With": "XMLHttpRequest",
    }


@pytest.mark.parametrize("name", sorted(CALLS))
def test_no_call_asks_for_more_than_the_keys_it_needs(name: str) -> None:
    """A missing `select` means every column of the table, names and keys included (§1.3)."""
    assert selected(CALLS[name])
    assert "*" not in selected(CALLS[name])


@pytest.mark.parametrize("name", sorted(CALLS))
def test_contact_type_and_name_suffixes_are_never_selected(name: str) -> None:
    """Versions sheet §12.2 (keys come and go by type) and §12.3 (half a minute on 5.x)."""
    assert not [key for key in selected(CALLS[name]) if "contact_type" in str(key)]
    assert not [key for key in selected(CALLS[name]) if ":" in str(key)]


@pytest.mark.parametrize("name", sorted(CALLS))
def test_nothing_depends_on_a_date_of_change_nor_on_a_join(name: str) -> None:
    """§13.12: such dates miss renewals. §13.5: joins vanish together with their conditions."""
    assert "modified_date" not in json.dumps(CALLS[name].params)
    assert "join" not in CALLS[name].params


@pytest.mark.parametrize("name", sorted(CALLS))
def test_memberships_are_filtered_by_id_or_name_never_by_label(name: str) -> None:
    assert ":label" not in json.dumps(CALLS[name].params)


@pytest.mark.parametrize("name", sorted(set(LISTS) - set(COUNTS)))
def test_every_list_is_ordered_by_id(name: str) -> None:
    """§13.7: without an order whole pages of people get lost."""
    assert CALLS[name].params["orderBy"] == {"id": "ASC"}


@pytest.mark.parametrize("name", ["contacts page", "memberships page"])
def test_a_page_begins_after_an_id_and_never_at_an_offset(name: str) -> None:
    assert ["id", ">", 7] in clauses(CALLS[name])
    assert CALLS[name].params["limit"] == 50
    assert "offset" not in CALLS[name].params


@pytest.mark.parametrize("kind", ["contacts", "memberships"])
def test_a_page_and_its_count_ask_by_the_same_conditions(kind: str) -> None:
    page, count = CALLS[f"{kind} page"], CALLS[f"{kind} count"]
    assert [clause for clause in clauses(page) if clause[0] != "id"] == clauses(count)
    assert selected(count) == ["row_count"]


@pytest.mark.parametrize("name", ["contacts", "contacts page", "contacts count"])
def test_contacts_are_asked_for_by_the_card_field_and_outside_the_trash(name: str) -> None:
    """§13.4: in `where` a card field that cannot be read fails loudly. A number 0 counts, which
    IS NOT EMPTY would lose."""
    assert [FIELD, "IS NOT NULL"] in clauses(CALLS[name])
    assert ["is_deleted", "=", False] in clauses(CALLS[name])


@pytest.mark.parametrize("name", ["memberships", "memberships page", "memberships count"])
def test_memberships_are_those_of_living_contacts_with_a_card(name: str) -> None:
    """§13.6: without these clauses those of people in the trash come too."""
    assert CALLS[name].entity == "Membership"
    assert [f"contact_id.{FIELD}", "IS NOT NULL"] in clauses(CALLS[name])
    assert ["contact_id.is_deleted", "=", False] in clauses(CALLS[name])
    assert ["is_test", "=", False] in clauses(CALLS[name])


def test_the_pages_ask_for_statuses_by_id_and_the_first_count_by_name() -> None:
    assert ["status_id", "IN", [2, 3]] in clauses(CALLS["memberships page"])
    assert ["status_id:name", "IN", ACTIVE] in clauses(CALLS["memberships"])


def test_every_condition_of_a_row_is_selected_too_so_that_the_row_can_prove_it() -> None:
    """§5.3 and §13.5: a condition may be dropped in silence."""
    contact = {"id", "is_deleted", FIELD, "is_deceased", "email_primary.email"}
    assert contact <= set(selected(CALLS["contacts page"]))
    membership = {"id", "contact_id.is_deleted", "is_test", "status_id", "contact_id"}
    assert membership <= set(selected(CALLS["memberships page"]))


def test_a_question_by_id_finds_also_the_trash_and_people_without_a_card() -> None:
    call = CALLS["contacts by id"]
    assert clauses(call) == [["id", "IN", [4, 5]], ["is_deleted", "IN", [True, False]]]
    assert "row_count" in selected(call)


def test_a_question_by_id_asks_for_the_active_memberships_of_these_contacts() -> None:
    call = CALLS["memberships by contact"]
    assert ["contact_id", "IN", [4, 5]] in clauses(call)
    assert ["status_id", "IN", [2, 3]] in clauses(call)
    assert ["is_test", "=", False] in clauses(call)
    assert not [clause for clause in clauses(call) if FIELD in str(clause[0])]
    assert "row_count" in selected(call)


def test_the_ground_is_one_request_that_looks_the_card_field_up_by_its_exact_name() -> None:
    ground = wire.ground(FIELD, ACTIVE)
    titles = [call.title for call in ground.values()]
    assert titles.count("Contact.getFields") == titles.count("Membership.getActions") == 1
    assert clauses(ground["card_field"]) == [["name", "=", FIELD]]
    assert clauses(ground["own"]) == [["id", "=", "user_contact_id"]]

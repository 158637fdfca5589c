"""People: rules 9 and 15 to 24 of §19 of the UniFi sheet."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from door_sync.simulators.unifi import UnifiSimulator, World

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api

ANN = {"first_name": "Ann", "last_name": "Lee"}


def create(api: "Api", **fields: Any) -> dict[str, Any]:
    data = api.done(api.post("/users", {**ANN, **fields}))
    assert isinstance(data, dict)
    return data


def test_a_new_user_is_active_and_has_no_policy_and_no_card(api: "Api", world: World) -> None:
    """Rule 15."""
    made = create(api, employee_number="42", onboard_time=1_700_000_000)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["id"])
    row = api.row(f"/users/{made['id']}")
    assert (row["first_name"], row["last_name"], row["employee_number"]) == ("Ann", "Lee", "42")
    assert (row["status"], row["onboard_time"]) == ("ACTIVE", 1_700_000_000)
    assert (row["access_policy_ids"], row["nfc_cards"]) == ([], [])
    assert world.users[made["id"]].policy_ids == ()


def test_creating_answers_id_names_and_the_address_if_one_was_sent(api: "Api") -> None:
    """Rule 15, §6.1."""
    assert create(api).keys() == {"id", "first_name", "last_name"}
    made = create(api, user_email="ann@example.org")
    assert made.keys() == {"id", "first_name", "last_name", "user_email"}
    assert made["user_email"] == "ann@example.org"


@pytest.mark.parametrize("key", ["first_name", "last_name"])
@pytest.mark.parametrize("code", ["CODE_PARAMS_INVALID", "CODE_USER_CSV_IMPORT_INCOMPLETE_PROP"])
def test_both_names_must_not_be_empty(
    api: "Api", world: World, simulator: UnifiSimulator, key: str, code: str
) -> None:
    """Rule 15; what that is called is a switch."""
    simulator.switch(empty_name_code=code)
    assert api.refused(api.post("/users", {**ANN, key: ""})) == code
    assert len(world.users) == 0


def test_the_key_email_is_refused_on_create(api: "Api", world: World) -> None:
    """Rule 9."""
    body = {**ANN, "email": "ann@example.org"}
    assert api.refused(api.post("/users", body)) == "CODE_PARAMS_INVALID"
    assert len(world.users) == 0


def test_a_nested_profile_is_a_system_error(api: "Api", world: World) -> None:
    """Rule 9."""
    assert api.refused(api.post("/users", {"profile": ANN})) == "CODE_SYSTEM_ERROR"
    assert len(world.users) == 0


def test_an_update_changes_what_it_names_and_nothing_else(api: "Api", world: World) -> None:
    """Rule 16."""
    user = world.add_user("Ann", "Lee", user_email="ann@example.org", employee_number="42")
    assert api.done(api.put(f"/users/{user.id}", {"status": "DEACTIVATED"})) is None
    assert api.done(api.put(f"/users/{user.id}", {"last_name": "Low"})) is None
    changed = world.users[user.id]
    assert (changed.status, changed.first_name, changed.last_name) == ("DEACTIVATED", "Ann", "Low")
    assert (changed.user_email, changed.employee_number) == ("ann@example.org", "42")
    assert api.done(api.put(f"/users/{user.id}", {"status": "ACTIVE"})) is None
    assert api.row(f"/users/{user.id}")["status"] == "ACTIVE"


def test_an_empty_address_clears_it(api: "Api", world: World) -> None:
    """Rule 16."""
    user = world.add_user("Ann", "Lee", user_email="ann@example.org")
    api.done(api.put(f"/users/{user.id}", {"user_email": ""}))
    assert world.users[user.id].user_email == ""
    create(api, user_email="ann@example.org")


@pytest.mark.parametrize("status", ["PENDING", "active", "", "GONE"])
def test_only_two_statuses_can_be_written(api: "Api", world: World, status: str) -> None:
    """Rule 16, and the rest of that write is not done either."""
    user = world.add_user("Ann", "Lee")
    body = {"first_name": "Eve", "status": status}
    assert api.refused(api.put(f"/users/{user.id}", body)) == "CODE_PARAMS_INVALID"
    assert world.users[user.id] == user


@pytest.mark.parametrize("status", ["ACTIVE", "DEACTIVATED", "PENDING"])
def test_an_address_is_taken_by_users_of_any_status(api: "Api", world: World, status: str) -> None:
    """Rule 17: and the whole write is refused, whatever the letter case."""
    world.add_user("Bob", "Ray", user_email="Bob@Example.org", status=status)
    ann = world.add_user("Ann", "Lee")
    body = {"first_name": "Anna", "user_email": "bob@example.ORG"}
    assert api.refused(api.put(f"/users/{ann.id}", body)) == "CODE_ADMIN_EMAIL_EXIST"
    assert api.refused(api.post("/users", {**ANN, **body})) == "CODE_ADMIN_EMAIL_EXIST"
    assert world.users[ann.id] == ann
    assert len(world.users) == 2


def test_an_address_is_taken_by_accounts_that_no_list_shows(api: "Api", world: World) -> None:
    """Rule 17."""
    world.add_hidden_admin("Boss@example.org")
    assert api.rows("/users") == []
    body = {**ANN, "user_email": "boss@example.org"}
    assert api.refused(api.post("/users", body)) == "CODE_ADMIN_EMAIL_EXIST"


def test_an_address_kept_by_the_console_is_taken_or_not(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 17: the read-only ``email`` of somebody made in the console."""
    world.add_user("Ivo", "Console", email="ivo@example.org")
    body = {**ANN, "user_email": "ivo@example.org"}
    assert api.refused(api.post("/users", body)) == "CODE_ADMIN_EMAIL_EXIST"
    simulator.switch(console_email_counts=False)
    create(api, user_email="ivo@example.org")


def test_keeping_ones_own_address_is_no_conflict_by_default(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 17."""
    ann = world.add_user("Ann", "Lee", user_email="ann@example.org")
    body = {"user_email": "ANN@example.org"}
    assert api.done(api.put(f"/users/{ann.id}", body)) is None
    assert world.users[ann.id].user_email == "ANN@example.org"
    simulator.switch(own_email_conflicts=True)
    assert api.refused(api.put(f"/users/{ann.id}", body)) == "CODE_ADMIN_EMAIL_EXIST"


def test_letter_case_may_tell_addresses_apart(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 17."""
    world.add_user("Bob", "Ray", user_email="Bob@example.org")
    world.add_hidden_admin("Boss@example.org")
    simulator.switch(email_case_matters=True)
    create(api, user_email="bob@example.org")
    create(api, user_email="boss@example.org")
    body = {**ANN, "user_email": "Bob@example.org"}
    assert api.refused(api.post("/users", body)) == "CODE_ADMIN_EMAIL_EXIST"


def test_a_taken_address_may_have_the_other_name(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """§3.5: matched by its suffix."""
    world.add_user("Bob", "Ray", user_email="bob@example.org")
    simulator.switch(email_taken_code="CODE_USER_EMAIL_EXIST")
    body = {**ANN, "user_email": "bob@example.org"}
    assert api.refused(api.post("/users", body)) == "CODE_USER_EMAIL_EXIST"


def test_an_address_that_was_changed_is_free(api: "Api", world: World) -> None:
    """Rule 17."""
    bob = world.add_user("Bob", "Ray", user_email="bob@example.org")
    api.done(api.put(f"/users/{bob.id}", {"user_email": "ray@example.org"}))
    create(api, user_email="bob@example.org")


@pytest.mark.parametrize("address", ["ann", "ann@", "@example.org", "ann@example", "a nn@x.org"])
def test_what_is_no_address_is_refused(api: "Api", world: World, address: str) -> None:
    """Rule 18."""
    ann = world.add_user("Ann", "Lee")
    body = {**ANN, "user_email": address}
    assert api.refused(api.post("/users", body)) == "CODE_USER_EMAIL_ERROR"
    assert api.refused(api.put(f"/users/{ann.id}", body)) == "CODE_USER_EMAIL_ERROR"
    assert list(world.users) == [ann]


def test_an_address_may_be_stored_in_lower_case(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """§6.10: letter case is unknown."""
    assert create(api, user_email="Ann@Example.org")["user_email"] == "Ann@Example.org"
    simulator.switch(emails_stored="lower case")
    assert create(api, user_email="Bob@Example.org")["user_email"] == "bob@example.org"


def test_employee_numbers_are_free_text_and_may_repeat(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 19; uniqueness is a switch."""
    for text in ("42", "42", "", "not a number", "042"):
        row = api.row(f"/users/{create(api, employee_number=text)['id']}")
        assert row["employee_number"] == text
    simulator.switch(employee_number_unique=True)
    body = {**ANN, "employee_number": "042"}
    assert api.refused(api.post("/users", body)) == "CODE_PARAMS_INVALID"
    [owner] = world.users_with_employee_number("042")
    assert api.done(api.put(f"/users/{owner.id}", {"employee_number": "042"})) is None
    create(api, employee_number="43")


def test_the_list_has_every_status_and_administrators_but_no_visitors(
    api: "Api", world: World
) -> None:
    """Rule 21, §6.4."""
    statuses = {"ACTIVE", "DEACTIVATED", "PENDING"}
    for status in statuses:
        world.add_user("User", status, status=status, is_admin=status == "PENDING")
    world.add_visitor("Vic", "Tor", 0, 1)
    assert {row["status"] for row in api.rows("/users")} == statuses
    assert len(api.rows("/users")) == 3


def test_user_rows_tell_neither_the_number_nor_the_alias_of_a_card(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 21: whatever the card list tells."""
    simulator.switch(nfc_id_in_card_list=True)
    user = world.add_user("Ann", "Lee")
    card = world.add_card(42, 1234, alias="sync-01234", holder_id=user.id)
    expected = [{"id": card.display_id, "token": card.token, "type": "id_card"}]
    assert api.row(f"/users/{user.id}")["nfc_cards"] == expected
    assert api.rows("/users")[0]["nfc_cards"] == expected
    assert api.rows("/users/search")[0]["nfc_cards"] == expected
    for path in ("/users", f"/users/{user.id}", "/users/search"):
        assert not re.search("2A04D2|sync-01234", api.get(path).text, re.IGNORECASE)


@pytest.mark.parametrize("status", ["ACTIVE", "PENDING"])
def test_only_a_deactivated_user_can_be_deleted(api: "Api", world: World, status: str) -> None:
    """Rule 22."""
    user = world.add_user("Ann", "Lee", status=status)
    assert api.refused(api.call("DELETE", f"/users/{user.id}")) == "CODE_SYSTEM_ERROR"
    assert user.id in world.users


def test_deleting_a_user_frees_its_cards_and_its_address(api: "Api", world: World) -> None:
    """Rule 22."""
    user = world.add_user("Ann", "Lee", status="DEACTIVATED", user_email="ann@example.org")
    group = world.add_group("Staff", member_ids=[user.id])
    card = world.add_card(42, 1, holder_id=user.id)
    assert api.done(api.call("DELETE", f"/users/{user.id}")) is api.ABSENT
    assert user.id not in world.users
    assert world.cards[card.token].status == "pending"
    assert world.groups[group.id].member_ids == frozenset()
    create(api, user_email="ann@example.org")


def test_deleting_a_user_may_leave_its_cards_and_its_address_taken(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 22: both effects are switches. The card then names a holder that nobody knows."""
    simulator.switch(delete_frees_cards=False, delete_frees_email=False)
    user = world.add_user("Ann", "Lee", status="DEACTIVATED", user_email="ann@example.org")
    card = world.add_card(42, 1, holder_id=user.id)
    api.done(api.call("DELETE", f"/users/{user.id}"))
    row = api.row(f"/credentials/nfc_cards/tokens/{card.token}")
    assert (row["status"], row["user_id"], row["user_type"]) == ("assigned", user.id, "USER")
    body = {**ANN, "user_email": "ann@example.org"}
    assert api.refused(api.post("/users", body)) == "CODE_ADMIN_EMAIL_EXIST"


def test_a_new_address_sends_a_mail_while_the_console_sends_automatically(
    api: "Api", world: World
) -> None:
    """Rule 23."""
    made = create(api, user_email="ann@example.org")
    other = create(api)
    assert [(mail.user_id, mail.kind) for mail in world.mails] == [(made["id"], "welcome")]
    api.put(f"/users/{other['id']}", {"user_email": "bob@example.org"})
    assert [mail.address for mail in world.mails] == ["ann@example.org", "bob@example.org"]


def test_the_same_address_again_or_none_sends_no_mail(api: "Api", world: World) -> None:
    """Rule 23."""
    user = world.add_user("Ann", "Lee", user_email="ann@example.org")
    api.put(f"/users/{user.id}", {"user_email": "ann@example.org"})
    api.put(f"/users/{user.id}", {"first_name": "Anna"})
    api.put(f"/users/{user.id}", {"user_email": ""})
    create(api, user_email="")
    assert world.mails == []


def test_no_mail_is_sent_when_the_console_does_not_send_automatically(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 23."""
    simulator.switch(send_invitations=False)
    create(api, user_email="ann@example.org")
    assert world.mails == []


def test_identity_invitations_always_mail_and_overwrite_the_address(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 23, §14."""
    simulator.switch(send_invitations=False)
    ann = world.add_user("Ann", "Lee", user_email="ann@example.org")
    bob = world.add_user("Bob", "Ray", user_email="bob@example.org")
    body = [{"user_id": ann.id}, {"user_id": bob.id, "email": "new@example.org"}]
    assert api.done(api.post("/users/identity/invitations", body)) == []
    assert [mail.address for mail in world.mails] == ["ann@example.org", "new@example.org"]
    assert world.users[bob.id].user_email == "new@example.org"
    [failure] = api.done(api.post("/users/identity/invitations", [{"user_id": "nobody"}]))
    assert (failure["user_id"], failure["error_code"]) == ("nobody", "CODE_USER_WORKER_NOT_EXISTS")
    assert len(world.mails) == 2


@pytest.mark.parametrize(
    "code", ["CODE_USER_WORKER_NOT_EXISTS", "CODE_USER_ACCOUNT_NOT_EXIST", "CODE_NOT_EXISTS"]
)
def test_an_unknown_user_has_a_code(api: "Api", simulator: UnifiSimulator, code: str) -> None:
    """Rule 24: on every endpoint of one user; which code is a switch."""
    simulator.switch(unknown_user_code=code)
    card = simulator.world.add_card(42, 1)
    token = {"token": card.token}
    calls: list[tuple[str, str, Any]] = [
        ("GET", "/users/nobody", None),
        ("PUT", "/users/nobody", {}),
        ("DELETE", "/users/nobody", None),
        ("GET", "/users/nobody/access_policies", None),
        ("PUT", "/users/nobody/access_policies", {"access_policy_ids": []}),
        ("PUT", "/users/nobody/nfc_cards", token),
        ("PUT", "/users/nobody/nfc_cards/delete", token),
    ]
    for method, path, body in calls:
        assert api.refused(api.call(method, path, json=body)) == code


def test_the_default_code_for_an_unknown_user(api: "Api") -> None:
    """Rule 24."""
    assert api.refused(api.get("/users/nobody")) == "CODE_USER_WORKER_NOT_EXISTS"


def test_the_search_filters_by_name_address_id_status_and_rank(api: "Api", world: World) -> None:
    """§6.11: rows of another shape, without policies; an ``employee_number`` is not looked at."""
    ann = world.add_user("Ann", "Lee", user_email="ann@example.org", employee_number="4711")
    bob = world.add_user("Bob", "Ray", status="DEACTIVATED")
    eve = world.add_user("Eve", "Annis", is_admin=True, status="PENDING")

    def found(**params: Any) -> set[str]:
        return {row["id"] for row in api.rows("/users/search", **params)}

    assert found() == {ann.id, bob.id, eve.id}
    assert found(keyword="ann") == {ann.id, eve.id}
    assert found(keyword="EXAMPLE.org") == {ann.id}
    assert found(keyword="4711") == set()
    assert found(user_id=[ann.id, bob.id]) == {ann.id, bob.id}
    assert found(status=["DEACTIVATED", "PENDING"]) == {bob.id, eve.id}
    assert found(only_admin="true") == {eve.id}
    assert len(found(page_num=1, page_size=2)) == 2
    [row] = api.rows("/users/search", user_id=ann.id)
    assert row.keys() == {
        *("alias", "avatar_relative_path", "email", "email_status", "employee_number"),
        *("first_name", "full_name", "id", "last_name", "nfc_cards", "onboard_time", "phone"),
        *("pin_code", "status", "user_email", "username"),
    }
    assert row["full_name"] == "Ann Lee"

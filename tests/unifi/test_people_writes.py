"""Creating and changing users: what is sent, and what each refusal becomes."""

from collections.abc import Callable

import pytest

from door_sync.core.controller import PolicyId, UserId
from door_sync.core.people import ContactId
from door_sync.ports import (
    AddressRefused,
    ControllerForbids,
    Profile,
    WriteRefused,
    WriteUncertain,
)
from door_sync.simulators.faults import Reset, html_error
from door_sync.simulators.unifi.simulator import UnifiSimulator
from door_sync.simulators.unifi.trouble import business_error, success_without_effect
from door_sync.unifi.client import UnifiController

NOBODY = UserId("00000000-0000-4000-8000-000000000000")
CONTACT = ContactId(1042)
ANN_LEE = Profile("Ann", "Lee", "ann@example.org")


@pytest.fixture
def ann(simulator: UnifiSimulator) -> UserId:
    user = simulator.world.add_user(
        "Ann", "Lee", user_email="ann@example.org", employee_number="1042"
    )
    return UserId(user.id)


def sent(simulator: UnifiSimulator) -> list[tuple[str, str, object]]:
    return [(entry.method, entry.path, entry.body) for entry in simulator.journal.writes()]


def test_a_user_is_created_with_its_contact_and_its_id_comes_back(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """§6.1; trap 10."""
    user_id = controller.create_user(CONTACT, ANN_LEE)
    (user,) = simulator.world.users
    assert (user.id, user.employee_number, user.status) == (user_id, "1042", "ACTIVE")
    body = {
        "first_name": "Ann",
        "last_name": "Lee",
        "user_email": "ann@example.org",
        "employee_number": "1042",
    }
    assert sent(simulator) == [("POST", "/users", body)]


@pytest.mark.parametrize("email", [None, ""])
def test_a_user_without_an_address_is_created_without_one_and_nobody_is_mailed(
    email: str | None, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """Trap 11."""
    controller.create_user(CONTACT, Profile("Ann", "Lee", email))
    (user,) = simulator.world.users
    assert user.user_email == ""
    assert simulator.world.mails == []


@pytest.mark.parametrize(
    "profile", [Profile(), Profile("Ann"), Profile("Ann", ""), Profile("", "")]
)
def test_a_user_without_both_names_is_a_mistake_of_the_caller(
    profile: Profile, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    with pytest.raises(ValueError, match="both names"):
        controller.create_user(CONTACT, profile)
    assert simulator.journal.requests() == ()


@pytest.mark.parametrize("code", ["CODE_ADMIN_EMAIL_EXIST", "CODE_USER_EMAIL_EXIST"])
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("dialect", ["string", "numeric"])
def test_a_taken_address_is_told_apart_from_other_refusals(
    code: str,
    status: int,
    dialect: str,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
) -> None:
    """§6.10: business errors in HTTP 200 or 400, in both dialects."""
    simulator.switch(email_taken_code=code, business_error_status=status, dialect=dialect)
    bob = UserId(simulator.world.add_user("Bob", "Ray").id)
    writes: list[Callable[[], object]] = [
        lambda: controller.create_user(ContactId(7), Profile("A", "B", "ANN@example.org")),
        lambda: controller.update_profile(bob, Profile(email="ann@example.org")),
    ]
    for write in writes:
        with pytest.raises(AddressRefused) as caught:
            write()
        assert caught.value.code == code
        assert "ann" not in caught.value.message.casefold()
    assert len(simulator.world.users) == 2
    assert len(simulator.journal.writes()) == 2, "what was refused is not repeated"


def test_a_malformed_address_is_refused_as_an_address(
    controller: UnifiController, ann: UserId
) -> None:
    with pytest.raises(AddressRefused) as caught:
        controller.update_profile(ann, Profile("Ann", "Ray", "nonsense"))
    assert caught.value.code == "CODE_USER_EMAIL_ERROR"


def test_a_write_without_an_address_is_not_refused_for_one(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    """Leaving the address out would change nothing."""
    simulator.faults.add(business_error("CODE_ADMIN_EMAIL_EXIST"), path="/users/:id")
    with pytest.raises(WriteRefused) as caught:
        controller.update_profile(ann, Profile("Ann", "Ray"))
    assert type(caught.value) is WriteRefused


def test_a_refused_creation_names_the_contact_and_the_code(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.faults.add(business_error("CODE_USER_NAME_DUPLICATED"), method="POST")
    with pytest.raises(WriteRefused) as caught:
        controller.create_user(CONTACT, ANN_LEE)
    assert caught.value.code == "CODE_USER_NAME_DUPLICATED"
    assert caught.value.message == (
        "creating the user of contact 1042: refused (CODE_USER_NAME_DUPLICATED)"
    )


@pytest.mark.parametrize(
    "fault", [Reset(after=True), html_error(504, after=True), business_error(after=True)], ids=repr
)
def test_a_creation_whose_answer_was_lost_is_found_and_not_repeated(
    fault: Reset, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """P9; trap 23: no duplicate user."""
    simulator.faults.add(fault, method="POST", path="/users", times=None)
    user_id = controller.create_user(CONTACT, ANN_LEE)
    (user,) = simulator.world.users
    assert user.id == user_id
    assert len(simulator.journal.writes()) == 1


@pytest.mark.parametrize("fault", [Reset(), html_error(500), business_error()], ids=repr)
def test_a_creation_that_did_not_happen_is_looked_for_and_then_repeated_once(
    fault: Reset, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    owner = simulator.world.add_user("Olga", "Owner", is_admin=True)
    simulator.faults.add(fault, method="POST", path="/users")
    user_id = controller.create_user(CONTACT, ANN_LEE)
    assert [user.id for user in simulator.world.users] == [owner.id, user_id]
    methods = [entry.method for entry in simulator.journal.requests()]
    assert methods == ["POST", "GET", "POST"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Reset(), WriteUncertain),
        (html_error(500), WriteUncertain),
        (business_error(), WriteRefused),
        (success_without_effect(None), WriteUncertain),
        (success_without_effect({}), WriteUncertain),
    ],
    ids=repr,
)
def test_a_creation_that_fails_twice_is_given_up(
    fault: Reset,
    kind: type[Exception],
    simulator: UnifiSimulator,
    controller: UnifiController,
) -> None:
    """§3.6: once at most. A success that did nothing is none (P10)."""
    owner = simulator.world.add_user("Olga", "Owner", is_admin=True)
    simulator.faults.add(fault, method="POST", path="/users", times=None)
    with pytest.raises(kind):
        controller.create_user(CONTACT, ANN_LEE)
    assert len(simulator.journal.writes()) == 2
    assert simulator.world.users.ids() == [owner.id]


def test_a_success_that_did_nothing_once_is_made_good(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    owner = simulator.world.add_user("Olga", "Owner", is_admin=True)
    simulator.faults.add(success_without_effect(None), method="POST", path="/users")
    made = controller.create_user(CONTACT, ANN_LEE)
    assert simulator.world.users.ids() == [owner.id, made]


def test_a_success_that_does_not_name_the_new_user_is_settled_by_a_look(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """Trap 6: `data` may be null."""
    simulator.faults.add(success_without_effect(None), method="POST", path="/users")
    simulator.world.add_user("Ann", "Lee", employee_number="1042", user_id=NOBODY)
    assert controller.create_user(CONTACT, ANN_LEE) == NOBODY


def test_a_list_without_anybody_is_no_proof_that_a_user_was_not_created(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """R0: the owner is always listed, so an empty list tells nothing."""
    simulator.faults.add(Reset(), method="POST", path="/users")
    with pytest.raises(WriteUncertain):
        controller.create_user(CONTACT, ANN_LEE)
    assert len(simulator.journal.writes()) == 1, "nor was it repeated"


def test_of_several_users_found_the_lowest_id_is_taken(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """R2: the next cycle reports the other."""
    high = simulator.world.add_user("Ann", "Lee", employee_number="1042", user_id="f" + NOBODY[1:])
    low = simulator.world.add_user("Ann", "Lee", employee_number="1042", user_id=NOBODY)
    simulator.world.add_user("Not", "Her", employee_number="104")
    simulator.faults.add(Reset(), method="POST")
    assert high.id > low.id
    assert controller.create_user(CONTACT, ANN_LEE) == low.id


def test_a_creation_is_not_repeated_if_the_users_cannot_be_read(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.faults.add(Reset(after=True), method="POST")
    simulator.faults.add(html_error(500), method="GET", times=None)
    with pytest.raises(WriteUncertain, match="creating the user of contact 1042: what became"):
        controller.create_user(CONTACT, ANN_LEE)
    assert len(simulator.journal.writes()) == 1


def test_a_profile_is_written_in_part(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    """§6.2: what is left out stays; trap 10."""
    controller.update_profile(ann, Profile(last_name="Ray"))
    controller.update_profile(ann, Profile(email="new@example.org"))
    assert sent(simulator) == [
        ("PUT", f"/users/{ann}", {"last_name": "Ray"}),
        ("PUT", f"/users/{ann}", {"user_email": "new@example.org"}),
    ]
    user = simulator.world.users[ann]
    assert (user.first_name, user.last_name, user.user_email) == ("Ann", "Ray", "new@example.org")


def test_an_address_is_cleared_with_an_empty_text(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    controller.update_profile(ann, Profile(email=""))
    assert simulator.world.users[ann].user_email == ""


def test_an_empty_profile_sends_nothing(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    controller.update_profile(ann, Profile())
    assert simulator.journal.requests() == ()


def test_only_the_status_is_sent_with_a_status(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    controller.deactivate(ann)
    assert simulator.world.users[ann].status == "DEACTIVATED"
    controller.activate(ann)
    assert simulator.world.users[ann].status == "ACTIVE"
    assert sent(simulator) == [
        ("PUT", f"/users/{ann}", {"status": "DEACTIVATED"}),
        ("PUT", f"/users/{ann}", {"status": "ACTIVE"}),
    ]


def test_policies_are_replaced_as_a_whole(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    """Trap 13."""
    old, new = (PolicyId(simulator.world.add_policy(name).id) for name in ("Old", "New"))
    simulator.world.set_policies(ann, [old])
    controller.set_policies(ann, [new])
    assert simulator.world.users[ann].policy_ids == (new,)
    controller.set_policies(ann, [])
    assert simulator.world.users[ann].policy_ids == ()
    assert sent(simulator)[-1] == (
        "PUT",
        f"/users/{ann}/access_policies",
        {"access_policy_ids": []},
    )


@pytest.mark.parametrize("code", ["CODE_NOT_EXISTS", "CODE_PARAMS_INVALID"])
def test_an_unknown_policy_is_refused_with_the_controller_s_code(
    code: str, simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    simulator.switch(unknown_policy=code)
    with pytest.raises(WriteRefused) as caught:
        controller.set_policies(ann, [PolicyId("nowhere")])
    assert caught.value.code == code


def test_a_write_to_a_user_that_is_gone_is_refused_and_ends_nothing(
    controller: UnifiController,
) -> None:
    """P6; trap 4: no missing route."""
    writes: list[Callable[[], object]] = [
        lambda: controller.deactivate(NOBODY),
        lambda: controller.update_profile(NOBODY, ANN_LEE),
        lambda: controller.set_policies(NOBODY, []),
    ]
    for write in writes:
        with pytest.raises(WriteRefused, match=f"user {NOBODY}: refused") as caught:
            write()
        assert caught.value.code == "CODE_USER_WORKER_NOT_EXISTS"


@pytest.mark.parametrize("status", [404, 200])
def test_a_missing_route_ends_the_cycle(
    status: int, simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    """R0."""
    simulator.switch(firmware="1.9.0", no_route_status=status)
    writes: list[Callable[[], object]] = [
        lambda: controller.create_user(CONTACT, ANN_LEE),
        lambda: controller.activate(ann),
        lambda: controller.update_profile(ann, ANN_LEE),
        lambda: controller.set_policies(ann, []),
    ]
    for write in writes:
        with pytest.raises(ControllerForbids, match="knows no such call"):
            write()
    assert len(simulator.journal.requests()) == len(writes)


@pytest.mark.parametrize("status", [200, 403])
def test_a_key_that_may_only_view_ends_the_cycle_and_says_what_to_tick(
    status: int, simulator: UnifiSimulator, connect: Callable[..., UnifiController], ann: UserId
) -> None:
    simulator.switch(scope_error_status=status)
    simulator.world.add_token("viewer", scopes={"view:user", "view:credential"})
    controller = connect(token="viewer")
    writes: list[Callable[[], object]] = [
        lambda: controller.create_user(CONTACT, ANN_LEE),
        lambda: controller.deactivate(ann),
    ]
    for write in writes:
        with pytest.raises(ControllerForbids, match="People & Groups: Edit"):
            write()

"""Reads of one user, one card and one user's policies, just before a write depends on them."""

from typing import Any

import pytest

from door_sync.core.cards import CardToken
from door_sync.core.controller import (
    Free,
    HeldByUser,
    HeldByVisitor,
    Holder,
    HolderUnknown,
    PolicyId,
    UserId,
    UserStatus,
    VisitorId,
)
from door_sync.core.people import ContactId
from door_sync.ports import ControllerDistrusted, ControllerForbids, ControllerUnreachable
from door_sync.simulators.faults import Rewrite, html_error
from door_sync.simulators.unifi.simulator import UnifiSimulator
from door_sync.simulators.unifi.trouble import business_error, null_data
from door_sync.unifi.client import UnifiController

FACILITY = 42
NOBODY = UserId("00000000-0000-4000-8000-000000000000")


def in_data(**changes: object) -> Rewrite:
    """The real answer with these keys of its data changed; None takes a key away."""

    def change(document: Any) -> Any:
        for key, value in changes.items():
            if value is None:
                document["data"].pop(key, None)
            else:
                document["data"][key] = value
        return document

    return Rewrite(change)


def test_a_user_is_read_as_it_is_now(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    user = simulator.world.add_user("Ann", "Lee", employee_number="7")
    user_id = UserId(user.id)
    assert controller.read().user[user_id] == controller.user(user_id)
    simulator.world.set_status(user_id, "DEACTIVATED")
    now = controller.user(user_id)
    assert now is not None
    assert now.status is UserStatus.DEACTIVATED


@pytest.mark.parametrize(
    "code",
    [
        "CODE_USER_WORKER_NOT_EXISTS",
        "CODE_USER_ACCOUNT_NOT_EXIST",
        "CODE_NOT_EXISTS",
        "CODE_RESOURCE_NOT_FOUND",
    ],
)
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("dialect", ["string", "numeric"])
def test_a_user_that_does_not_exist_is_none(
    code: str, status: int, dialect: str, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.switch(business_error_status=status, dialect=dialect)
    if code == "CODE_RESOURCE_NOT_FOUND":
        simulator.faults.add(business_error(code), path="/users/:id")
    else:
        simulator.switch(unknown_user_code=code)
    assert controller.user(NOBODY) is None


@pytest.mark.parametrize("status", [404, 200])
def test_no_route_does_not_mean_that_the_user_is_gone(
    status: int, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """Trap 4."""
    simulator.switch(firmware="1.9.0", no_route_status=status)
    with pytest.raises(ControllerForbids, match=f"reading user {NOBODY}"):
        controller.user(NOBODY)


def test_an_answer_about_another_user_is_distrusted(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    user = simulator.world.add_user("Ann", "Lee")
    simulator.faults.add(in_data(id=NOBODY), path="/users/:id")
    with pytest.raises(ControllerDistrusted, match=f"the reply is about user {NOBODY}"):
        controller.user(UserId(user.id))


def test_an_answer_without_a_user_is_distrusted(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """P1: null is not "no such user"."""
    user = simulator.world.add_user("Ann", "Lee")
    simulator.faults.add(null_data(), path="/users/:id")
    with pytest.raises(ControllerDistrusted):
        controller.user(UserId(user.id))


def test_another_refusal_is_not_taken_for_a_missing_user(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.faults.add(business_error("CODE_PARAMS_INVALID"), path="/users/:id")
    with pytest.raises(ControllerDistrusted, match="CODE_PARAMS_INVALID"):
        controller.user(NOBODY)


def test_an_overloaded_controller_is_not_taken_for_a_missing_user(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.faults.add(html_error(502), path="/users/:id", times=None)
    with pytest.raises(ControllerUnreachable, match="HTTP 502"):
        controller.user(NOBODY)


@pytest.fixture
def card(simulator: UnifiSimulator) -> CardToken:
    return CardToken(simulator.world.add_card(FACILITY, 7, alias="sync-00007").token)


@pytest.fixture
def ann(simulator: UnifiSimulator) -> UserId:
    return UserId(simulator.world.add_user("Ann", "Lee", employee_number="7").id)


@pytest.fixture
def guest(simulator: UnifiSimulator) -> VisitorId:
    return VisitorId(simulator.world.add_visitor("V", "Isitor", 0, 2**31).id)


def test_a_card_s_holder_is_read_as_it_is_now(
    simulator: UnifiSimulator,
    controller: UnifiController,
    card: CardToken,
    ann: UserId,
    guest: VisitorId,
) -> None:
    holders: list[Holder] = [controller.holder(card)]
    for holder_id in (ann, guest):
        simulator.world.bind(card.reveal(), holder_id)
        holders.append(controller.holder(card))
    assert holders == [Free(), HeldByUser(ann), HeldByVisitor(guest)]


@pytest.mark.parametrize("code", ["CODE_NOT_EXISTS", "CODE_RESOURCE_NOT_FOUND"])
def test_the_holder_of_a_card_that_does_not_exist_is_unknown(
    code: str, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    simulator.switch(unknown_card_code=code)
    assert controller.holder(CardToken("f" * 64)) == HolderUnknown()


def test_a_row_without_a_kind_of_holder_means_a_user_if_there_is_one_with_that_id(
    simulator: UnifiSimulator,
    controller: UnifiController,
    card: CardToken,
    ann: UserId,
    guest: VisitorId,
) -> None:
    one_card = "/credentials/nfc_cards/tokens/:token"
    simulator.faults.add(in_data(user_type=None), path=one_card, times=None)
    simulator.world.bind(card.reveal(), ann)
    assert controller.holder(card) == HeldByUser(ann)
    simulator.world.bind(card.reveal(), guest)
    assert controller.holder(card) == HolderUnknown()


def test_a_kind_of_holder_that_nobody_knows_is_an_unknown_holder(
    simulator: UnifiSimulator, controller: UnifiController, card: CardToken, ann: UserId
) -> None:
    simulator.world.bind(card.reveal(), ann)
    simulator.faults.add(in_data(user_type="ROBOT"), path="/credentials/nfc_cards/tokens/:token")
    assert controller.holder(card) == HolderUnknown()


def test_an_assigned_card_that_names_nobody_is_not_free(
    simulator: UnifiSimulator, controller: UnifiController, card: CardToken
) -> None:
    """P3."""
    simulator.faults.add(in_data(status="assigned"), path="/credentials/nfc_cards/tokens/:token")
    assert controller.holder(card) == HolderUnknown()


def test_an_answer_about_another_card_is_distrusted(
    simulator: UnifiSimulator, controller: UnifiController, card: CardToken
) -> None:
    simulator.faults.add(in_data(token="e" * 64), path="/credentials/nfc_cards/tokens/:token")
    with pytest.raises(ControllerDistrusted, match="about another card") as caught:
        controller.holder(card)
    assert "e" * 64 not in caught.value.message


def test_direct_policies_are_told_apart_from_those_of_everyone_and_of_groups(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    """§6.5, rule 26."""
    world = simulator.world
    direct = world.add_policy("Members").id
    world.add_policy("Front door", everyone=True)
    world.add_group("Staff", policy_ids=[world.add_policy("Office").id], member_ids=[ann])
    world.set_policies(ann, [direct])
    assert controller.direct_policies(ann) == (PolicyId(direct),)


def test_no_direct_policies_are_an_empty_answer(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    simulator.world.add_policy("Front door", everyone=True)
    assert controller.direct_policies(ann) == ()


@pytest.mark.parametrize("status", [404, 200])
def test_an_older_firmware_cannot_tell_direct_policies(
    status: int, simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    """§17: 2.2.6; R2 has a second test for that."""
    simulator.switch(firmware="2.2.0", no_route_status=status)
    assert controller.direct_policies(ann) is None


def test_nothing_is_learnt_about_the_policies_of_a_user_that_is_gone(
    controller: UnifiController,
) -> None:
    assert controller.direct_policies(NOBODY) is None


def test_null_does_not_mean_that_there_are_no_direct_policies(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    """Trap 13: what was given by hand would vanish with the next write."""
    simulator.faults.add(null_data(), path="/users/:id/access_policies")
    assert controller.direct_policies(ann) is None


def test_malformed_policies_are_distrusted(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    simulator.world.set_policies(ann, [simulator.world.add_policy("Members").id])

    def spoil(document: Any) -> Any:
        document["data"] = [{"name": "Members"}]
        return document

    simulator.faults.add(Rewrite(spoil), path="/users/:id/access_policies")
    with pytest.raises(ControllerDistrusted, match="a row has no id"):
        controller.direct_policies(ann)


def test_the_users_of_some_contacts_are_found_by_contact_id_alone(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    add = simulator.world.add_user
    high = add("Ann", "Lee", employee_number="7", user_id="f" + NOBODY[1:], status="DEACTIVATED")
    low = add("Ann", "Lee", employee_number="7", user_id=NOBODY)
    other = add("Bob", "Ray", employee_number="70")
    add("Unmanaged", "Person", employee_number="07")
    seven, seventy = ContactId(7), ContactId(70)
    assert high.id > low.id
    found = controller.users_of((seven,))
    assert [(user.id, user.status.value) for user in found] == [
        (low.id, "ACTIVE"),
        (high.id, "DEACTIVATED"),
    ]
    both = controller.users_of((seven, seventy, ContactId(8)))
    assert {user.id for user in both} == {high.id, low.id, other.id}
    assert controller.users_of((ContactId(8),)) == ()


def test_a_list_without_anybody_does_not_say_that_a_contact_has_no_user(
    controller: UnifiController,
) -> None:
    """R0: the owner is always listed."""
    with pytest.raises(ControllerDistrusted, match="no user at all"):
        controller.users_of((ContactId(7),))

"""The whole snapshot, read from the simulator over TLS."""

from collections.abc import Callable
from threading import Lock

import pytest

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import (
    Free,
    HeldByUser,
    HeldByVisitor,
    HolderUnknown,
    UserId,
    UserStatus,
    VisitorId,
)
from door_sync.core.people import ContactId
from door_sync.http import HttpClient, Reply, Request
from door_sync.ports import ControllerDistrusted, ControllerForbids, DoorController
from door_sync.simulators.unifi.simulator import UnifiSimulator
from door_sync.unifi.client import UnifiController

FACILITY = 42
SCOPES = {
    "edit:user",
    "view:user",
    "edit:credential",
    "view:credential",
    "view:policy",
    "view:visitor",
}

Connect = Callable[..., UnifiController]
Populate = Callable[..., None]

CARD_LIST = "/credentials/nfc_cards/tokens"


def test_users_cards_visitors_and_policies_become_one_snapshot(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    populate()
    world = simulator.world
    snapshot = controller.read()

    assert {user.contact_id for user in snapshot.users} == {1, 2, 3}
    (ann,) = snapshot.users_of[ContactId(1)]
    assert (ann.first_name, ann.last_name, ann.email) == ("First1", "Last1", "m1@example.org")
    assert ann.status is UserStatus.ACTIVE
    (card,) = snapshot.cards_numbered[CardNumber(1)]
    assert card.holder == HeldByUser(ann.id)
    assert ann.tokens == (card.token,)
    assert card.is_ours
    assert snapshot.cards_numbered[CardNumber(60000)][0].holder == Free()
    (visitor,) = world.visitors
    (visits,) = [one for one in snapshot.cards if one.number is None]
    assert visits.holder == HeldByVisitor(VisitorId(visitor.id))
    assert snapshot.policies is not None
    assert [policy.name for policy in snapshot.policies] == ["Members"]
    assert ann.policy_ids == (snapshot.policies[0].id,)
    assert snapshot.sees_visitors


def test_the_client_fills_the_port(controller: UnifiController, populate: Populate) -> None:
    """Its signatures are compared by the type checker."""
    populate()
    port: DoorController = controller
    assert port.read() == controller.read()


def test_reading_sends_no_write(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """P7; trap 38: nothing that costs money or mails anybody."""
    populate()
    controller.read()
    assert simulator.journal.writes() == ()
    assert {entry.path for entry in simulator.journal.requests()} == {
        "/users",
        CARD_LIST,
        "/visitors",
        "/access_policies",
    }


def test_every_list_that_is_paged_is_asked_for_by_page(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """C6: without both parameters an unknown number of rows comes back."""
    populate()
    controller.read()
    queries = {entry.path: entry.query for entry in simulator.journal.requests()}
    assert "page_num=1&page_size=100" in queries["/users"]
    assert "page_num=1&page_size=200" in queries[CARD_LIST]
    assert "page_num=1&page_size=200" in queries["/visitors"]


@pytest.mark.parametrize("cap", [None, 7, 1])
def test_a_long_list_is_read_whole_whatever_page_size_is_granted(
    cap: int | None, simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """design.md §9: the page size asked for is honoured, or capped lower; trap 7."""
    populate(103 if cap is None else 23)
    simulator.switch(page_size_cap=cap, past_the_end="refused")
    snapshot = controller.read()
    assert {user.id for user in snapshot.users} == set(simulator.world.users.ids())
    assert {card.token.reveal() for card in snapshot.cards} == set(simulator.world.cards.ids())


EMPTY_KEYS = frozenset(
    {
        "alias",
        "user_email",
        "email",
        "employee_number",
        "nfc_cards",
        "access_policy_ids",
        "status",
        "user_id",
        "user_type",
        "user",
        "touch_pass",
        "license_plates",
    }
)


@pytest.mark.parametrize("optional_keys", ["varied", "all", "bare"])
@pytest.mark.parametrize("null_for_empty", [frozenset(), EMPTY_KEYS])
@pytest.mark.parametrize("free_card_user", ["missing", "null", "empty"])
def test_optional_keys_may_come_go_or_be_null(
    optional_keys: str,
    null_for_empty: frozenset[str],
    free_card_user: str,
    simulator: UnifiSimulator,
    populate: Populate,
    controller: UnifiController,
) -> None:
    """§5, rule 54: the same snapshot whatever the rows look like."""
    populate()
    simulator.world.add_user("Made", "By Hand")
    before = controller.read()
    simulator.switch(
        optional_keys=optional_keys, null_for_empty=null_for_empty, free_card_user=free_card_user
    )
    after = controller.read()
    assert (after.users, after.cards, after.policies) == (
        before.users,
        before.cards,
        before.policies,
    )


def test_people_that_are_no_members_are_read_too(
    simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """Rule 20; traps 9 and 37."""
    world = simulator.world
    owner = world.add_user("The", "Owner", email="owner@example.org", is_admin=True)
    invited = world.add_user("In", "Vited", status="PENDING", is_admin=True)
    odd = world.add_user("No", "Status", employee_number="7", missing=["status"])
    gone = world.add_user("Has", "Left", employee_number="8", status="DEACTIVATED")
    users = controller.read().user
    statuses = {user_id: user.status for user_id, user in users.items()}
    assert statuses == {
        owner.id: UserStatus.ACTIVE,
        invited.id: UserStatus.PENDING,
        odd.id: UserStatus.UNKNOWN,
        gone.id: UserStatus.DEACTIVATED,
    }
    assert users[UserId(owner.id)].console_email == "owner@example.org"
    assert [user.id for user in users.values() if user.contact_id is None] == [owner.id, invited.id]


@pytest.mark.parametrize("shown", [True, False])
def test_a_card_s_number_is_known_with_and_without_its_raw_id(
    shown: bool, simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """design.md §9, C2: `nfc_id` absent or present; trap 18."""
    populate()
    simulator.switch(nfc_id_in_card_list=shown)
    snapshot = controller.read()
    assert snapshot.cards_numbered.keys() >= {CardNumber(1), CardNumber(60000)}
    assert (CardNumber(60001) in snapshot.cards_numbered) is shown
    assert sum(card.is_ours for card in snapshot.cards) == 4


def test_an_alias_edited_by_hand_makes_an_unknown_card_that_stays_bound(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """Trap 19."""
    populate(1)
    (user,) = simulator.world.users
    (token,) = [card.token for card in simulator.world.cards_of(user.id)]
    simulator.world.edit_card(token, alias="Ann's blue one")
    card = controller.read().card[CardToken(token)]
    assert (card.number, card.is_ours, card.holder) == (None, False, HeldByUser(UserId(user.id)))


def test_policies_for_everyone_are_recognised(
    simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """Rule 26; trap 12."""
    populate()
    everyone = simulator.world.add_policy("Front door", everyone=True)
    assert controller.read().everyones_policies >= {everyone.id}


@pytest.mark.parametrize("status", [200, 403])
def test_without_the_right_to_see_visitors_the_rest_is_read(
    status: int, simulator: UnifiSimulator, populate: Populate, connect: Connect
) -> None:
    """R0, C4: their cards have unknown holders; this is no distrusted read."""
    populate()
    simulator.switch(scope_error_status=status)
    simulator.world.add_token("narrow", scopes=SCOPES - {"view:visitor"})
    snapshot = connect(token="narrow").read()
    assert not snapshot.sees_visitors
    assert [card.holder for card in snapshot.cards if card.number is None] == [HolderUnknown()]
    assert len(snapshot.cards_held_by) == 3


@pytest.mark.parametrize("status", [200, 403])
def test_without_the_right_to_see_policies_the_rest_is_read(
    status: int, simulator: UnifiSimulator, populate: Populate, connect: Connect
) -> None:
    populate()
    simulator.switch(scope_error_status=status)
    simulator.world.add_token("narrow", scopes=SCOPES - {"view:policy"})
    snapshot = connect(token="narrow").read()
    assert snapshot.policies is None
    assert len(snapshot.users) == 3


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("dialect", ["string", "numeric"])
@pytest.mark.parametrize(
    ("family", "category"), [("user", "People & Groups"), ("credential", "Credentials")]
)
def test_without_a_right_that_is_needed_the_message_says_what_to_tick(
    status: int,
    dialect: str,
    family: str,
    category: str,
    simulator: UnifiSimulator,
    populate: Populate,
    connect: Connect,
) -> None:
    """Trap 29."""
    populate()
    simulator.switch(scope_error_status=status, dialect=dialect)
    scopes = SCOPES - {f"view:{family}", f"edit:{family}"}
    simulator.world.add_token("narrow", scopes=scopes)
    with pytest.raises(ControllerForbids, match=f"{category}: View") as caught:
        connect(token="narrow").read()
    assert "make a new token" in caught.value.remedy


@pytest.mark.parametrize("code", ["CODE_ACCESS_TOKEN_INVALID", "CODE_AUTH_FAILED"])
def test_a_refused_key_ends_the_reading(
    code: str, simulator: UnifiSimulator, populate: Populate, connect: Connect
) -> None:
    """Traps 27 and 28."""
    populate()
    simulator.switch(bad_token_code=code)
    with pytest.raises(ControllerForbids, match=code):
        connect(token="another console's").read()


def test_a_key_that_expires_while_reading_ends_the_reading(
    simulator: UnifiSimulator, populate: Populate, connect: Connect
) -> None:
    populate(150)
    simulator.world.expire_token_after(3)
    with pytest.raises(ControllerForbids, match="refuses the API token"):
        connect(read_concurrency=1).read()


@pytest.mark.parametrize("status", [404, 200])
def test_a_firmware_without_a_card_list_is_too_old(
    status: int, simulator: UnifiSimulator, populate: Populate, controller: UnifiController
) -> None:
    """§17; R0: no-route where a route must be. Trap 4: it is not an empty list."""
    populate()
    simulator.switch(firmware="1.20.11", no_route_status=status)
    with pytest.raises(ControllerForbids, match="the list of cards") as caught:
        controller.read()
    assert "1.22.16" in caught.value.remedy


def test_a_controller_without_any_user_is_distrusted(controller: UnifiController) -> None:
    """R0: it always has an owner."""
    with pytest.raises(ControllerDistrusted, match="no user at all"):
        controller.read()


class Counting(HttpClient):
    """Knows the largest number of requests that were under way at once."""

    lock = Lock()
    running = 0
    most = 0

    def send(self, request: Request) -> Reply:
        with self.lock:
            Counting.running += 1
            Counting.most = max(Counting.most, Counting.running)
        try:
            return super().send(request)
        finally:
            with self.lock:
                Counting.running -= 1


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_requests_run_side_by_side_than_were_asked_for(
    concurrency: int, simulator: UnifiSimulator, populate: Populate, connect: Connect
) -> None:
    populate(20)
    simulator.switch(page_size_cap=2)
    Counting.most = 0
    connect(read_concurrency=concurrency, client_class=Counting).read()
    assert 1 <= Counting.most <= concurrency

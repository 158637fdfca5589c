"""Writes in trouble: repeated where twice is once, uncertain where nobody knows (P6; rule 54)."""

from collections.abc import Callable

import pytest

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import PolicyId, UserId
from door_sync.core.people import ContactId
from door_sync.ports import (
    ControllerForbids,
    DoorSyncError,
    Profile,
    WriteRefused,
    WriteUncertain,
    WrongController,
)
from door_sync.simulators.faults import (
    Answer,
    Fault,
    Reset,
    Truncate,
    html_error,
    json_answer,
    rate_limit,
)
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN, UnifiSimulator
from door_sync.simulators.unifi.trouble import business_error
from door_sync.unifi.client import UnifiController

ANN = UserId("83569f9b-0096-48ab-b2e4-5c9a598568a8")
CARD = CardToken("9e24" * 16)
POLICY = PolicyId("c1682fb8-ef6e-4fe2-aa8a-b6f29df753ff")

Write = Callable[[UnifiController], object]

IDEMPOTENT: dict[str, Write] = {
    "update_profile": lambda c: c.update_profile(ANN, Profile("Ann", "Ray")),
    "activate": lambda c: c.activate(ANN),
    "deactivate": lambda c: c.deactivate(ANN),
    "set_policies": lambda c: c.set_policies(ANN, [POLICY]),
    "bind_card": lambda c: c.bind_card(ANN, CARD),
    "free_card": lambda c: c.free_card(ANN, CARD),
    "set_alias": lambda c: c.set_alias(CARD, CardNumber(7)),
}
EVERY: dict[str, Write] = {
    **IDEMPOTENT,
    "create_user": lambda c: c.create_user(ContactId(2), Profile("Bob", "Ray")),
    "import_cards": lambda c: c.import_cards([CardNumber(8)]),
}

idempotent = pytest.mark.parametrize("write", IDEMPOTENT.values(), ids=IDEMPOTENT)
every = pytest.mark.parametrize("write", EVERY.values(), ids=EVERY)


@pytest.fixture(autouse=True)
def _one_member(simulator: UnifiSimulator) -> None:
    world = simulator.world
    world.add_policy("Members", policy_id=POLICY)
    world.add_user("Ann", "Lee", user_id=ANN, employee_number="1")
    world.add_card(42, 7, token=CARD.reveal(), holder_id=ANN)


def arm(simulator: UnifiSimulator, fault: Fault, times: int | None) -> None:
    """Let the fault strike writes only."""
    for method in ("PUT", "POST", "DELETE"):
        simulator.faults.add(fault, method=method, times=times)


PASSING: list[Fault] = [
    rate_limit(),
    rate_limit(3),
    html_error(500),
    html_error(502, after=True),
    Reset(),
    Reset(after=True),
    Truncate(cut=True),
    business_error("CODE_SYSTEM_ERROR"),
    business_error("CODE_SYSTEM_ERROR", after=True),
]


@every
@pytest.mark.parametrize("fault", PASSING, ids=repr)
def test_passing_trouble_is_borne(
    write: Write, fault: Fault, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """§3.6: whether the first try had its effect or not, the write succeeds."""
    arm(simulator, fault, times=1)
    write(controller)
    assert len(simulator.world.users_with_employee_number("2")) <= 1


@idempotent
@pytest.mark.parametrize(
    "fault",
    [
        html_error(500),
        html_error(504),
        Reset(),
        Reset(after=True),
        Truncate(),
        Truncate(cut=True),
        Answer(200, b"<html>Log in</html>", "text/html"),
        Answer(302, b""),
        json_answer({"data": None}),
    ],
    ids=repr,
)
def test_a_write_that_stays_without_an_answer_is_uncertain(
    write: Write, fault: Fault, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """P10: nobody knows, until somebody looks."""
    arm(simulator, fault, times=None)
    with pytest.raises(WriteUncertain):
        write(controller)


@every
def test_too_many_requests_is_a_refusal_that_did_nothing(
    write: Write, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    arm(simulator, rate_limit(1), times=None)
    with pytest.raises(WriteRefused) as caught:
        write(controller)
    assert caught.value.code == "HTTP 429"
    assert not [entry for entry in simulator.journal.writes() if entry.carried_out]


@idempotent
def test_a_system_error_is_repeated_once_and_then_a_refusal(
    write: Write, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """§3.6."""
    arm(simulator, business_error("CODE_SYSTEM_ERROR"), times=None)
    with pytest.raises(WriteRefused) as caught:
        write(controller)
    assert caught.value.code == "CODE_SYSTEM_ERROR"
    assert len(simulator.journal.writes()) == 2


@idempotent
@pytest.mark.parametrize("code", ["CODE_OPERATION_FORBIDDEN", "CODE_DEVICE_DEVICE_BUSY"])
def test_any_other_refusal_is_not_repeated(
    write: Write, code: str, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    arm(simulator, business_error(code), times=None)
    with pytest.raises(WriteRefused) as caught:
        write(controller)
    assert caught.value.code == code
    assert len(simulator.journal.writes()) == 1


@every
@pytest.mark.parametrize(
    "fault",
    [
        json_answer({"code": "CODE_ACCESS_TOKEN_INVALID", "msg": ""}, status=401),
        json_answer({"code": 0, "codeS": "CODE_AUTH_FAILED", "msg": ""}),
        json_answer({"error": {"code": 401, "message": "Unauthorized"}}, status=401),
        json_answer({"code": "CODE_UNAUTHORIZED", "msg": ""}),
        json_answer({"code": "CODE_UNAUTHORIZED", "msg": ""}, status=403),
        json_answer({"code": "CODE_OTHERS_UID_ADOPTED_NOT_SUPPORTED", "msg": ""}),
        html_error(401),
        html_error(403),
    ],
    ids=repr,
)
def test_a_refused_key_or_right_ends_the_cycle_at_the_first_write(
    write: Write, fault: Fault, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """R0: no further write is sent."""
    arm(simulator, fault, times=None)
    with pytest.raises(ControllerForbids):
        write(controller)
    assert len(simulator.journal.requests()) == 1


@every
def test_a_key_that_expires_between_two_writes_ends_the_cycle(
    write: Write, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """Trap 28."""
    simulator.world.expire_token_after(1)
    controller.deactivate(ANN)
    with pytest.raises(ControllerForbids, match="CODE_ACCESS_TOKEN_INVALID"):
        write(controller)


@every
def test_a_stranger_at_the_controller_s_address_hears_nothing(
    write: Write, simulator: UnifiSimulator, deceived: UnifiController
) -> None:
    """P11."""
    with pytest.raises(WrongController):
        write(deceived)
    assert simulator.journal.requests() == ()


@every
@pytest.mark.parametrize(
    "fault",
    [business_error("CODE_OPERATION_FORBIDDEN"), html_error(500), html_error(401)],
    ids=repr,
)
def test_messages_hold_nothing_personal(
    write: Write, fault: Fault, simulator: UnifiSimulator, controller: UnifiController
) -> None:
    """P12, in the message, the remedy, and the exceptions behind them."""
    arm(simulator, fault, times=None)
    texts: list[str] = []
    try:
        write(controller)
    except DoorSyncError as failure:
        error: BaseException | None = failure
        texts.append(failure.remedy)
        while error is not None:
            texts += [str(error), repr(error)]
            error = error.__cause__ or error.__context__
    secrets = ("Ann", "Bob", "Ray", "sync-", "2A0007", "2A0008", CARD.reveal(), DEFAULT_TOKEN)
    assert not [text for text in texts for secret in secrets if secret in text]

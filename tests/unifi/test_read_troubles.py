"""Reads in trouble: what passes is borne, what stays writes nothing (P2; rule 54)."""

import socket
from collections.abc import Callable

import pytest

from door_sync.core.cards import CardToken
from door_sync.core.controller import UserId
from door_sync.ports import (
    ControllerDistrusted,
    ControllerError,
    ControllerUnreachable,
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
from door_sync.simulators.unifi.trouble import business_error, null_data, success_without_effect
from door_sync.unifi.client import UnifiController

PASSING: list[Fault] = [
    rate_limit(),
    rate_limit(7),
    html_error(500),
    html_error(502),
    html_error(503, headers={"retry-after": "5"}),
    html_error(504),
    Reset(),
    Reset(after=True),
    Truncate(cut=True),
    business_error("CODE_SYSTEM_ERROR"),
]

LOGIN_PAGE = Answer(200, b"<html><title>UniFi OS</title></html>", "text/html")

LASTING: list[tuple[Fault, type[ControllerError]]] = [
    (rate_limit(), ControllerUnreachable),
    (html_error(500), ControllerUnreachable),
    (html_error(503), ControllerUnreachable),
    (Reset(), ControllerUnreachable),
    (Reset(after=True), ControllerUnreachable),
    (Truncate(cut=True), ControllerUnreachable),
    (Truncate(), ControllerDistrusted),
    (business_error("CODE_SYSTEM_ERROR"), ControllerDistrusted),
    (business_error("CODE_PARAMS_INVALID"), ControllerDistrusted),
    (null_data(), ControllerDistrusted),
    (success_without_effect([]), ControllerDistrusted),
    (success_without_effect({}), ControllerDistrusted),
    (LOGIN_PAGE, ControllerDistrusted),
    (Answer(200, b""), ControllerDistrusted),
    (Answer(404, b"Not Found", "text/plain"), ControllerDistrusted),
    (Answer(302, b"", headers={"location": "https://elsewhere.example"}), ControllerDistrusted),
    (json_answer([]), ControllerDistrusted),
    (json_answer({"code": "SUCCESS", "data": []}, status=400), ControllerDistrusted),
]


def named(value: Fault | type[ControllerError]) -> str:
    """Return what a case is called, the same in each process: without the place of a function."""
    return value.__name__ if isinstance(value, type) else repr(value).partition("(change")[0]


LISTS = ["/users", "/credentials/nfc_cards/tokens", "/visitors"]


@pytest.fixture
def ann(simulator: UnifiSimulator) -> UserId:
    world = simulator.world
    user = world.add_user("Ann", "Lee", employee_number="7")
    world.add_card(42, 7, alias="sync-00007", holder_id=user.id)
    world.add_visitor("V", "Isitor", 0, 1)
    world.add_policy("Members")
    return UserId(user.id)


@pytest.mark.parametrize("fault", PASSING, ids=repr)
@pytest.mark.parametrize("path", [*LISTS, "/access_policies"])
def test_passing_trouble_is_borne(
    fault: Fault, path: str, simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    whole = controller.read()
    armed = simulator.faults.add(fault, path=path)
    assert controller.read() == whole
    assert armed.struck == 1


@pytest.mark.parametrize(("fault", "kind"), LASTING, ids=named)
@pytest.mark.parametrize("path", LISTS)
def test_lasting_trouble_ends_the_reading(
    fault: Fault,
    kind: type[ControllerError],
    path: str,
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
) -> None:
    simulator.faults.add(fault, path=path, times=None)
    with pytest.raises(ControllerError) as caught:
        controller.read()
    assert type(caught.value) is kind


@pytest.mark.parametrize(("fault", "kind"), LASTING, ids=named)
def test_lasting_trouble_with_one_user_is_no_missing_user(
    fault: Fault,
    kind: type[ControllerError],
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
) -> None:
    simulator.faults.add(fault, path="/users/:id", times=None)
    with pytest.raises(ControllerError) as caught:
        controller.user(ann)
    assert type(caught.value) is kind


def test_a_list_in_one_piece_that_is_no_list_is_distrusted(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    simulator.faults.add(null_data(), path="/access_policies")
    with pytest.raises(ControllerDistrusted, match="the list of access policies"):
        controller.read()


def test_a_system_error_is_repeated_once_and_no_more(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    """§3.6."""
    armed = simulator.faults.add(business_error(), path="/users/:id", times=None)
    with pytest.raises(ControllerDistrusted, match="CODE_SYSTEM_ERROR"):
        controller.user(ann)
    assert armed.struck == 2


def test_another_refusal_is_not_repeated(
    simulator: UnifiSimulator, controller: UnifiController, ann: UserId
) -> None:
    armed = simulator.faults.add(
        business_error("CODE_OPERATION_FORBIDDEN"), path="/users/:id", times=None
    )
    with pytest.raises(ControllerDistrusted):
        controller.user(ann)
    assert armed.struck == 1


def test_a_stranger_at_the_controller_s_address_hears_nothing(
    simulator: UnifiSimulator, deceived: UnifiController
) -> None:
    """P11; trap 26."""
    for read in (deceived.read, lambda: deceived.user(UserId("x"))):
        with pytest.raises(WrongController, match="not the pinned one"):
            read()
    assert simulator.journal.requests() == ()


def test_a_controller_that_is_switched_off_is_unreachable(
    connect: Callable[..., UnifiController],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ControllerUnreachable, match="cannot be reached") as caught:
        connect(url=f"https://127.0.0.1:{port}").read()
    assert DEFAULT_TOKEN not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize(("fault", "kind"), LASTING, ids=named)
def test_messages_hold_nothing_personal(
    fault: Fault,
    kind: type[ControllerError],
    simulator: UnifiSimulator,
    controller: UnifiController,
    ann: UserId,
) -> None:
    """P12, in the message, the remedy, and the exceptions behind them."""
    (card,) = simulator.world.cards
    simulator.faults.add(fault, times=None)
    with pytest.raises(ControllerError) as caught:
        controller.holder(CardToken(card.token))
    error: BaseException | None = caught.value
    texts = [caught.value.remedy]
    while error is not None:
        texts += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    for secret in ("Ann", "Lee", "sync-", "00007", card.token, DEFAULT_TOKEN):
        assert not [text for text in texts if secret in text]

"""The record of what was asked: rule 56 of §19 of the UniFi sheet."""

import socket
import ssl
from typing import TYPE_CHECKING

import httpx2
import pytest

from door_sync.simulators.faults import Hang, Hook, Reset, Truncate, html_error
from door_sync.simulators.serving import Server
from door_sync.simulators.unifi import Journal, UnifiSimulator
from door_sync.simulators.unifi.trouble import success_without_effect

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api

ANN = {"first_name": "Ann", "last_name": "Lee"}


def test_every_request_is_on_record_in_order(api: "Api", simulator: UnifiSimulator) -> None:
    """Rule 56: reads and writes, refused and unknown ones too."""
    api.get("/users", page_num=1)
    api.post("/users", ANN)
    api.call("PATCH", "/users", content=b"no json")
    api.put("/users/nobody", {})
    api.headers = {}
    api.get("/doors")
    asked = [
        (one.method, one.path, one.query, one.body, one.carried_out, one.status)
        for one in simulator.journal.requests()
    ]
    assert asked == [
        ("GET", "/users", "page_num=1", None, True, 200),
        ("POST", "/users", "", ANN, True, 200),
        ("PATCH", "/users", "", None, False, 404),
        ("PUT", "/users/nobody", "", {}, False, 200),
        ("GET", "/doors", "", None, False, 401),
    ]


def test_writes_can_be_told_from_reads(api: "Api", simulator: UnifiSimulator) -> None:
    """Rule 56: whether or not they were carried out."""
    api.get("/users")
    api.call("DELETE", "/users/nobody")
    api.post("/users", ANN)
    api.put("/users/nobody", {})
    assert [one.method for one in simulator.journal.writes()] == ["DELETE", "POST", "PUT"]
    assert [one.number for one in simulator.journal.writes()] == sorted(
        one.number for one in simulator.journal.writes()
    )


def test_a_cleared_journal_is_empty_and_counts_on(api: "Api", simulator: UnifiSimulator) -> None:
    api.get("/users")
    [before] = simulator.journal.requests()
    simulator.journal.clear()
    assert simulator.journal.requests() == ()
    api.get("/users")
    [after] = simulator.journal.requests()
    assert after.number == before.number + 1


def test_a_limited_journal_keeps_the_latest() -> None:
    journal = Journal(limit=2)
    numbers = [journal.arrived("GET", f"/{n}", "", None) for n in range(4)]
    journal.answered(numbers[0], 200)
    assert [one.path for one in journal.requests()] == ["/2", "/3"]


def test_a_journal_cleared_under_a_request_forgets_it(
    api: "Api", simulator: UnifiSimulator
) -> None:
    simulator.faults.add(Hook(lambda _: simulator.journal.clear(), after=True))
    api.get("/users")
    assert simulator.journal.requests() == ()


def test_a_client_that_leaves_in_the_middle_of_a_request_asked_nothing(
    api: "Api", simulator: UnifiSimulator, server: Server, trusting: ssl.SSLContext
) -> None:
    with (
        socket.create_connection((server.host, server.port)) as raw,
        trusting.wrap_socket(raw) as secure,
    ):
        secure.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
    api.get("/users")
    assert [one.path for one in simulator.journal.requests()] == ["/users"]


def test_an_import_is_on_record_with_its_rows(api: "Api", simulator: UnifiSimulator) -> None:
    api.import_cards("2A04D2,sync-01234\n")
    [asked] = simulator.journal.writes()
    assert asked.body == {"file": "2A04D2,sync-01234\n"}


def test_what_a_fault_keeps_from_the_controller_was_not_carried_out(
    api: "Api", simulator: UnifiSimulator
) -> None:
    """Rule 56: and is on record all the same."""
    simulator.faults.add(html_error(503))
    simulator.faults.add(success_without_effect(), first=2)
    simulator.faults.add(Reset(), first=3)
    api.post("/users", ANN)
    assert api.post("/users", ANN).json()["code"] == "SUCCESS"
    with pytest.raises(httpx2.RemoteProtocolError):
        api.post("/users", ANN)
    outcomes = [(one.carried_out, one.status) for one in simulator.journal.writes()]
    assert outcomes == [(False, 503), (False, 200), (False, None)]
    assert len(simulator.world.users) == 0


def test_what_a_fault_keeps_from_the_client_was_carried_out(
    api: "Api", simulator: UnifiSimulator
) -> None:
    """Rule 56: on record before the client can know."""
    simulator.faults.add(Reset(after=True))
    simulator.faults.add(Hang(after=True), first=2)
    simulator.faults.add(html_error(504, after=True), first=3)
    simulator.faults.add(Truncate(), first=4)
    with pytest.raises(httpx2.RemoteProtocolError):
        api.post("/users", ANN)
    with pytest.raises(httpx2.ReadTimeout):
        api.call("POST", "/users", json=ANN, timeout=0.05)
    api.post("/users", ANN)
    api.post("/users", ANN)
    outcomes = [(one.carried_out, one.status) for one in simulator.journal.writes()]
    assert outcomes == [(True, None), (True, None), (True, 504), (True, 200)]
    assert len(simulator.world.users) == 4

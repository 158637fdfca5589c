import httpx2
import pytest

from door_sync.simulators.faults import html_error
from door_sync.simulators.tls import self_signed
from door_sync.simulators.unifi import (
    DEFAULT_TOKEN,
    ManualClock,
    Switches,
    UnifiSimulator,
    World,
)
from door_sync.simulators.unifi.app import BASE_PATH

HEADERS = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}


def test_it_serves_on_the_port_and_with_the_certificate_it_is_given(
    client: httpx2.Client,
) -> None:
    simulator = UnifiSimulator()
    certificate = self_signed("unifi.local")
    with simulator.serve(certificate=certificate) as server:
        port = server.port
        assert server.fingerprint == certificate.fingerprint
        assert client.get(f"{server.url}{BASE_PATH}/users", headers=HEADERS).status_code == 200
    with simulator.serve(port=port) as server:
        assert server.port == port
        assert server.fingerprint != certificate.fingerprint


def test_every_request_takes_the_latency(client: httpx2.Client) -> None:
    simulator = UnifiSimulator(latency=0.03)
    with simulator.serve() as server:
        answer = client.get(f"{server.url}{BASE_PATH}/users", headers=HEADERS)
        assert answer.elapsed.total_seconds() >= 0.03
        simulator.latency = 30
        with pytest.raises(httpx2.ReadTimeout):
            client.get(f"{server.url}{BASE_PATH}/users", headers=HEADERS, timeout=0.05)


def test_a_reset_brings_back_the_settings_and_an_empty_world() -> None:
    clock = ManualClock()
    simulator = UnifiSimulator(World(clock=clock, seed=3), Switches(unbind="both"))
    first = simulator.world.add_user("Ann", "Lee")
    simulator.switch(unbind="delete", page_size_cap=2)
    simulator.latency = 1.0
    simulator.faults.add(html_error(500))
    simulator.journal.arrived("GET", "/users", "", None)
    world = simulator.reset()
    assert world is simulator.world
    assert (len(world.users), world.clock, list(world.tokens)) == (0, clock, [DEFAULT_TOKEN])
    assert (simulator.switches, simulator.latency) == (Switches(unbind="both"), 0.0)
    assert simulator.journal.requests() == ()
    assert world.add_user("Ann", "Lee").id == first.id  # the same seed draws the same ids


def test_a_reset_of_a_seeded_one_brings_back_its_seed() -> None:
    seed = {"users": [{"first_name": "Ann", "last_name": "Lee", "id": "u1"}]}
    simulator = UnifiSimulator.from_seed(seed, clock=ManualClock(7.0), latency=0.5)
    assert (simulator.world.clock(), simulator.latency) == (7.0, 0.5)
    simulator.world.delete_user("u1")
    assert "u1" in simulator.reset().users
    other = World()
    assert simulator.reset(other) is other
    assert list(other.tokens) == [DEFAULT_TOKEN]


def test_a_world_with_tokens_of_its_own_gets_no_other() -> None:
    world = World()
    world.add_token("mine")
    assert list(UnifiSimulator(world).world.tokens) == ["mine"]


def test_a_switch_that_is_none_is_refused() -> None:
    simulator = UnifiSimulator()
    with pytest.raises(ValueError, match="unbind"):
        simulator.switch(unbind="sometimes")
    with pytest.raises(ValueError, match="firmware"):
        simulator.switch(firmware="new")
    with pytest.raises(ValueError, match="colour"):
        simulator.switch(colour="blue")
    assert simulator.switches == Switches()

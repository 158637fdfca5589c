"""A simulated controller on real sockets with real TLS, and the client under test before it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import stamina

from door_sync.http import HttpClient, PinnedTls
from door_sync.simulators.serving import Server
from door_sync.simulators.tls import Certificate, self_signed
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN, UnifiSimulator
from door_sync.unifi.client import UnifiController, token_headers
from tests.app.conftest import club, running_club  # noqa: F401 - the same club as its cycles have

FACILITY = 42

Connect = Callable[..., UnifiController]
"""Makes a controller: `url`, `token`, `facility_code`, `read_concurrency`, `client_class` may
be given."""

Populate = Callable[..., None]
"""Fills the controller with so many members, 3 unless told otherwise."""


@dataclass
class FakeClock:
    """Time that passes only when somebody waits."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=3):
        yield


@pytest.fixture(scope="session")
def certificates() -> tuple[Certificate, Certificate]:
    """The controller's certificate, and a stranger's."""
    return self_signed("unifi.local"), self_signed("unifi.local")


@pytest.fixture(scope="session")
def _served(
    certificates: tuple[Certificate, Certificate],
) -> Iterator[tuple[UnifiSimulator, Server]]:
    simulator = UnifiSimulator()
    with simulator.serve(certificate=certificates[0]) as server:
        yield simulator, server


@pytest.fixture
def simulator(_served: tuple[UnifiSimulator, Server]) -> UnifiSimulator:
    """An empty controller with default switches."""
    simulator, _ = _served
    simulator.reset()
    return simulator


@pytest.fixture
def connect(simulator: UnifiSimulator, _served: tuple[UnifiSimulator, Server]) -> Iterator[Connect]:
    """Make clients of the simulator; all are closed when the test ends."""
    _, server = _served
    clients: list[HttpClient] = []

    def make(
        *,
        url: str | None = None,
        token: str = DEFAULT_TOKEN,
        facility_code: int = FACILITY,
        read_concurrency: int = 4,
        client_class: type[HttpClient] = HttpClient,
    ) -> UnifiController:
        assert server.fingerprint is not None
        clients.append(
            client_class(
                url or server.url,
                headers=token_headers(token),
                tls=PinnedTls((server.fingerprint,)),
                timeout_seconds=20,
                clock=FakeClock(),
                trust_environment_proxies=False,
            )
        )
        return UnifiController(
            clients[-1], facility_code=facility_code, read_concurrency=read_concurrency
        )

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def controller(connect: Connect) -> UnifiController:
    """The client under test, with the whole key."""
    return connect()


@pytest.fixture
def deceived(
    controller: UnifiController,
    _served: tuple[UnifiSimulator, Server],
    certificates: tuple[Certificate, Certificate],
) -> Iterator[UnifiController]:
    """A client whose controller's address is answered by a stranger: another certificate."""
    _, server = _served
    server.swap_certificate(certificates[1])
    yield controller
    server.swap_certificate(certificates[0])


@pytest.fixture
def populate(simulator: UnifiSimulator) -> Populate:
    """Some members with a card each, a free card, and a visitor with one."""

    def fill(members: int = 3) -> None:
        world = simulator.world
        members_policy = world.add_policy("Members").id
        for number in range(1, members + 1):
            user = world.add_user(
                f"First{number}",
                f"Last{number}",
                user_email=f"m{number}@example.org",
                employee_number=str(number),
                policy_ids=[members_policy],
            )
            world.add_card(FACILITY, number, alias=f"sync-{number:05d}", holder_id=user.id)
        world.add_card(FACILITY, 60000, alias="sync-60000")
        visits_card = world.add_card(FACILITY, 60001, alias="visits").token
        world.add_visitor("V", "Isitor", 0, 2**31, card_token=visits_card)

    return fill

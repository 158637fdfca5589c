"""One simulated controller per module, a fresh world per test, and a client that talks to it."""

import ssl
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from door_sync.simulators.serving import Server
from door_sync.simulators.unifi import DEFAULT_TOKEN, ManualClock, UnifiSimulator, World
from door_sync.simulators.unifi.app import BASE_PATH


class Api:
    """The API as a client sees it; paths are relative to the base path."""

    ABSENT = object()

    def __init__(self, client: httpx2.Client, server: Server) -> None:
        self._client = client
        self._base = server.url + BASE_PATH
        self.headers = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}

    def call(self, method: str, path: str, **request: Any) -> httpx2.Response:
        headers = {**self.headers, **request.pop("headers", {})}
        return self._client.request(method, self._base + path, headers=headers, **request)

    def get(self, path: str, **params: Any) -> httpx2.Response:
        return self.call("GET", path, params=params)

    def put(self, path: str, body: Any) -> httpx2.Response:
        return self.call("PUT", path, json=body)

    def post(self, path: str, body: Any) -> httpx2.Response:
        return self.call("POST", path, json=body)

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        document = self.get(path, **params).json()
        assert document["code"] == "SUCCESS"
        rows: list[dict[str, Any]] = document["data"]
        return rows

    def row(self, path: str, **params: Any) -> dict[str, Any]:
        document = self.get(path, **params).json()
        assert document["code"] == "SUCCESS"
        row: dict[str, Any] = document["data"]
        return row

    def refused(self, response: httpx2.Response, status: int = 200) -> str:
        """Return the code of a refusal, after a look at its envelope."""
        document = response.json()
        assert response.status_code == status
        assert document.keys() == {"code", "msg", "data"}
        assert document["data"] is None
        code = document["code"]
        assert isinstance(code, str)
        assert code != "SUCCESS"
        return code

    def done(self, response: httpx2.Response) -> Any:
        """Return the data of a success, :data:`ABSENT` if it has none."""
        document = response.json()
        assert response.status_code == 200
        assert document["code"] == "SUCCESS"
        return document.get("data", self.ABSENT)

    def is_no_route(self, response: httpx2.Response, status: int = 404) -> bool:
        """Whether this is the answer of §3.4, word for word."""
        return response.status_code == status and response.json() == {
            "code": 404,
            "codeS": "CODE_NOT_FOUND",
            "msg": "The API was not found.",
            "error": "you entered no-man zone",
        }

    def import_cards(self, text: str, part: str = "file") -> httpx2.Response:
        files = {part: ("cards.csv", text.encode(), "text/csv")}
        return self.call("POST", "/credentials/nfc_cards/import", files=files)


@pytest.fixture(scope="module")
def _simulator() -> UnifiSimulator:
    return UnifiSimulator()


@pytest.fixture(scope="module")
def server(_simulator: UnifiSimulator) -> Iterator[Server]:
    with _simulator.serve() as server:
        yield server


@pytest.fixture(scope="module")
def _client(trusting: ssl.SSLContext) -> Iterator[httpx2.Client]:
    with httpx2.Client(verify=trusting, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def simulator(_simulator: UnifiSimulator, clock: ManualClock) -> UnifiSimulator:
    _simulator.reset(World(clock=clock))
    return _simulator


@pytest.fixture
def world(simulator: UnifiSimulator) -> World:
    return simulator.world


@pytest.fixture
def api(simulator: UnifiSimulator, server: Server, _client: httpx2.Client) -> Api:
    return Api(_client, server)

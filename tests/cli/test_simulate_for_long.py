"""A rehearsal that runs for weeks does not fill the memory of the machine."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.serving import Server
from door_sync.simulators.unifi import UnifiSimulator

LIMIT = 3


@pytest.mark.parametrize("seeded", [False, True], ids=["the demo's club", "a seed of one's own"])
@pytest.mark.parametrize("name", ["civicrm", "unifi"])
def test_a_simulator_remembers_the_latest_requests_alone(
    name: str, seeded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = import_module(f"door_sync.cli.simulate.{name}")
    seed = tmp_path / "seed.json"
    seed.write_text("{}")
    played: list[Any] = []

    def noting(kind: type) -> Callable[..., Any]:
        def made(self: Any, *parts: Any, **more: Any) -> None:
            before(self, *parts, **more)
            played.append(self)

        before = kind.__init__  # type: ignore[misc]  # to see the one that is made
        return made

    def serve(start: Callable[[], Server], *_: object) -> None:
        with start() as server, httpx2.Client(verify=False) as client:
            for number in range(LIMIT + 4):
                client.get(f"{server.url}/somewhere/{number}")

    for kind in (CivicrmSimulator, UnifiSimulator):
        monkeypatch.setattr(kind, "__init__", noting(kind))
    monkeypatch.setattr(side, "REQUESTS_KEPT", LIMIT)
    monkeypatch.setattr(side, "serve_until_told", serve)
    side.play(port=0, seed=seed if seeded else None, switches=[], latency_ms=0, dump=None)
    [simulator] = played
    assert remembered(simulator) == [f"/somewhere/{number}" for number in range(4, LIMIT + 4)]


def remembered(simulator: CivicrmSimulator | UnifiSimulator) -> list[str]:
    if isinstance(simulator, CivicrmSimulator):
        return [entry.url for entry in simulator.journal.entries()]
    return [entry.path for entry in simulator.journal.requests()]

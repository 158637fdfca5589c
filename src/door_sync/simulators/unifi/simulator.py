"""World, switches, faults, journal and application, tied together."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import time
from typing import Any

from door_sync.simulators.faults import FaultPlan
from door_sync.simulators.serving import Server
from door_sync.simulators.serving import serve as serve_app
from door_sync.simulators.tls import Certificate, self_signed
from door_sync.simulators.unifi import seed
from door_sync.simulators.unifi.app import BASE_PATH, Controller
from door_sync.simulators.unifi.journal import Journal
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.world import World

DEFAULT_TOKEN = "simulated-access-token"
"""The secret of the token that a world without any is given; it has every scope."""


class UnifiSimulator:
    """A controller to talk to, to look into and to disturb.

    ``world`` is its state and the hands in its console, ``switches`` what is disputed about it,
    ``faults`` what goes wrong, ``journal`` what was asked of it, ``latency`` the seconds that each
    request takes. All of them may change while it serves.
    """

    def __init__(
        self,
        world: World | None = None,
        switches: Switches | None = None,
        *,
        latency: float = 0.0,
        journal_limit: int | None = None,
    ) -> None:
        self.world = _with_token(world or World())
        self.switches = switches or Switches()
        self.latency = latency
        self.faults = FaultPlan(base=BASE_PATH)
        self.journal = Journal(limit=journal_limit)
        self.app = Controller(self, self.faults, self.journal)
        self._first_switches = self.switches
        self._first_latency = latency
        self._first_world: Callable[[], World] = lambda: World(
            clock=self.world.clock, seed=self.world.seed
        )

    @classmethod
    def from_seed(
        cls,
        document: Mapping[str, Any] | Path,
        *,
        clock: Callable[[], float] = time,
        latency: float = 0.0,
        journal_limit: int | None = None,
    ) -> "UnifiSimulator":
        """Make one from a seed, a document or a JSON file; the format is in :mod:`.seed_format`.

        Raise ValueError if the seed is wrong.
        """
        world, switches = seed.load(document, clock=clock)
        made = cls(world, switches, latency=latency, journal_limit=journal_limit)
        made._first_world = lambda: seed.load(document, clock=clock)[0]
        return made

    def switch(self, **changes: Any) -> Switches:
        """Change some of the switches; raise ValueError on a value that is none."""
        self.switches = Switches.of({**self.switches.as_json(), **changes})
        return self.switches

    def reset(self, world: World | None = None) -> World:
        """Start afresh: first switches and latency, no faults, empty journal, another world.

        Without `world` that is the seed's as it was, or an empty one with the same clock and seed.
        """
        self.faults.clear()
        self.journal.clear()
        self.switches = self._first_switches
        self.latency = self._first_latency
        self.world = _with_token(world or self._first_world())
        return self.world

    def serve(self, *, port: int = 0, certificate: Certificate | None = None) -> Server:
        """Serve it over HTTPS on loopback, with a certificate like the console's own (rule 1)."""
        return serve_app(self.app, certificate=certificate or self_signed("unifi.local"), port=port)

    def dump(self) -> dict[str, Any]:
        """Return the present state as a seed."""
        return seed.dump(self.world, self.switches)


def _with_token(world: World) -> World:
    if not world.tokens:
        world.add_token(DEFAULT_TOKEN)
    return world

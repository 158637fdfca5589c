"""The simulated site as one object: world, switches, faults, request journal, server."""

import asyncio
from dataclasses import replace

from starlette.types import ASGIApp

from door_sync.simulators.civicrm.app import Site, Sleep
from door_sync.simulators.civicrm.requests_seen import RequestJournal
from door_sync.simulators.civicrm.seed import fresh_world
from door_sync.simulators.civicrm.switches import Switches
from door_sync.simulators.civicrm.world import World
from door_sync.simulators.faults import FaultPlan
from door_sync.simulators.serving import Server, serve
from door_sync.simulators.tls import Certificate

API_BASE = "/civicrm/ajax/api4"
"""The path that patterns of the fault plan leave out: ``/Membership/get``; ``""`` is a
multi-call."""


class CivicrmSimulator:
    """CiviCRM, as far as a member sync meets it.

    `app` is the ASGI application; `world` and `switches` may be changed while it serves.
    """

    def __init__(
        self,
        world: World | None = None,
        switches: Switches | None = None,
        *,
        sleep: Sleep = asyncio.sleep,
        seed: int = 20261122,
        journal_limit: int | None = None,
    ) -> None:
        self.world = world or fresh_world()
        self.switches = switches or Switches()
        self.faults = FaultPlan(base=API_BASE)
        self.journal = RequestJournal(limit=journal_limit)
        self._first_world = self.world.snapshot()
        self._first_switches = _copy(self.switches)
        site = Site(self.world, lambda: self.switches, sleep=sleep, seed=seed)
        self.app: ASGIApp = self.journal.around(self.faults.around(site), lambda: self.switches)

    def reset(self) -> None:
        """Go back to the world and the switches of the beginning; forget faults and requests."""
        self.faults.clear()
        self.journal.clear()
        self.world.restore(self._first_world)
        for name, value in vars(_copy(self._first_switches)).items():
            setattr(self.switches, name, value)

    def serve(
        self,
        *,
        certificate: Certificate | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> Server:
        """Serve the site until the returned server is stopped; without a certificate over HTTP."""
        return serve(self.app, certificate=certificate, host=host, port=port)


def _copy(switches: Switches) -> Switches:
    return replace(switches, latency=replace(switches.latency))

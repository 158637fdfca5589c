"""`simulate unifi`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from door_sync.cli.output.wording import counted
from door_sync.cli.simulate.fragments import unifi_fragment
from door_sync.cli.simulate.seeds import unifi_controller
from door_sync.cli.simulate.serving import REQUESTS_KEPT, Announcement, serve_until_told
from door_sync.cli.simulate.switches import SwitchBoard
from door_sync.simulators.demo_club import unifi_seed
from door_sync.simulators.serving import Server
from door_sync.simulators.unifi import Switches, UnifiSimulator

SWITCHES: Final = SwitchBoard(Switches)


def play(
    *,
    port: int,
    seed: Path | None,
    switches: Sequence[str],
    latency_ms: float,
    dump: Path | None,
) -> None:
    """Serve a controller until it is told to end; `port` 0 is a free one."""
    turned = SWITCHES.parse(switches)
    if seed is None:
        simulator = UnifiSimulator.from_seed(unifi_seed(), journal_limit=REQUESTS_KEPT)
    else:
        simulator = unifi_controller(seed, journal_limit=REQUESTS_KEPT)
    simulator.switch(**turned)
    simulator.latency = latency_ms / 1000
    world = simulator.world

    def announcement(server: Server) -> Announcement:
        contents = ", ".join(
            (
                counted(len(list(world.users)), "user", "users"),
                counted(len(list(world.cards)), "card", "cards"),
                counted(len(list(world.doors)), "door", "doors"),
            )
        )
        policies = ", ".join(f"'{policy.name}'" for policy in world.policies)
        return Announcement(
            name="A simulated UniFi Access controller",
            contents=f"{contents}, and the access policies {policies or '(none)'}",
            other_side="civicrm",
            config=unifi_fragment(server.url, server.fingerprint or "", world),
            env={"UNIFI_API_KEY": next(iter(world.tokens))},
            keys=tuple(f"{token.secret}  ({token.name})" for token in world.tokens.values()),
        )

    serve_until_told(lambda: simulator.serve(port=port), announcement, simulator.dump, dump)

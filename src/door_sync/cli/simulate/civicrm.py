"""`simulate civicrm`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from door_sync.cli.output.wording import counted
from door_sync.cli.simulate.fragments import civicrm_fragment
from door_sync.cli.simulate.seeds import civicrm_site
from door_sync.cli.simulate.serving import REQUESTS_KEPT, Announcement, serve_until_told
from door_sync.cli.simulate.switches import SwitchBoard
from door_sync.simulators.civicrm import CivicrmSimulator, Switches, World, dump_world, load_world
from door_sync.simulators.civicrm.switches import Latency
from door_sync.simulators.demo_club import CIVICRM_KEY, civicrm_seed
from door_sync.simulators.serving import Server

SWITCHES: Final = SwitchBoard(Switches, without=frozenset({"latency"}))


def play(
    *,
    port: int,
    seed: Path | None,
    switches: Sequence[str],
    latency_ms: float,
    dump: Path | None,
) -> None:
    """Serve CiviCRM until it is told to end; `port` 0 is a free one."""
    chosen = replace(
        Switches(), latency=Latency(per_request=latency_ms / 1000), **SWITCHES.parse(switches)
    )
    if seed is None:
        site = load_world(civicrm_seed(datetime.now(UTC).date()))
    else:
        site = civicrm_site(seed)
    keys = _keys(site)
    simulator = CivicrmSimulator(site, chosen, journal_limit=REQUESTS_KEPT)

    def announcement(server: Server) -> Announcement:
        contents = ", ".join(
            (
                counted(len(site.contacts), "contact", "contacts"),
                counted(len(site.memberships), "membership", "memberships"),
                counted(len(site.membership_types), "membership type", "membership types"),
            )
        )
        return Announcement(
            name="A simulated CiviCRM",
            contents=contents,
            other_side="unifi",
            config=civicrm_fragment(server.url, site),
            env={"CIVICRM_API_KEY": keys[0][0]},
            keys=tuple(f"{secret}  ({role})" for secret, role in keys),
        )

    serve_until_told(
        lambda: simulator.serve(port=port), announcement, lambda: dump_world(site), dump
    )


def _keys(site: World) -> list[tuple[str, str]]:
    """Return each key with its role, the one with full rights first; make one if there is none."""
    if not site.keys:
        site.add_key(CIVICRM_KEY)
    found = sorted(site.keys.values(), key=lambda key: (key.role != "full", key.id))
    return [(site.secret_of(key.role), key.role) for key in found]

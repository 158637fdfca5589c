"""Serve one simulated side of a club of any size: `python benchmarks/serve.py civicrm 10000 0.15`.

Prints one line of JSON when it is ready, then serves until its standard input is closed. Both
sides of the same size fit each other: a cycle over them finds nothing to do.
"""

import json
import sys
from datetime import date, timedelta

from door_sync.simulators.civicrm.seed import fresh_world
from door_sync.simulators.civicrm.simulator import CivicrmSimulator
from door_sync.simulators.serving import Server
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN, UnifiSimulator

FACILITY = 42
FIRST_CONTACT = 1000
CARDS = 65_536


def civicrm(members: int, latency: float) -> tuple[Server, dict[str, str]]:
    """Start a CiviCRM with so many members, each with a card and a Gold membership."""
    world = fresh_world(types=("Gold",))
    today = date.today()  # noqa: DTZ011 - the simulated site has no zone either
    for number in range(members):
        contact = world.add_contact(
            "Member",
            f"Number{number}",
            email=f"member{number}@example.org",
            card=f"{number % CARDS:05d}",
            contact_id=FIRST_CONTACT + number,
        )
        world.add_membership(
            contact, "Gold", status="Current", start_date=today, end_date=today + timedelta(365)
        )
    simulator = CivicrmSimulator(world)
    simulator.switches.latency.per_request = latency
    return simulator.serve(), {"key": world.secret_of("full")}


def unifi(members: int, latency: float) -> tuple[Server, dict[str, str]]:
    """Start a controller on which every one of these members has user, card and policy."""
    simulator = UnifiSimulator(latency=latency)
    world = simulator.world
    policy = world.add_policy("Gold hours", [world.add_door("Front").id]).id
    for number in range(members):
        user = world.add_user(
            "Member",
            f"Number{number}",
            user_email=f"member{number}@example.org",
            employee_number=str(FIRST_CONTACT + number),
            policy_ids=[policy],
        )
        alias = f"sync-{number:05d}"
        world.add_card(FACILITY, number % CARDS, alias=alias, holder_id=user.id)
    return simulator.serve(), {"key": DEFAULT_TOKEN}


def main() -> None:
    """Start the side that the arguments name."""
    side, members, latency = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    server, facts = {"civicrm": civicrm, "unifi": unifi}[side](members, latency)
    facts |= {"url": server.url, "fingerprint": server.fingerprint or ""}
    print(json.dumps(facts), flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()

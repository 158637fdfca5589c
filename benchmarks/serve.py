"""One simulated side of a club of any size, in a process of its own.

`python -m benchmarks.serve civicrm 10000 0.15` prints one line of JSON when it is ready. After that
each line on its standard input is a command as a JSON array, answered by one line:

* `["record"]`: the requests since the last time this was asked, oldest first;
* `["cpu"]`: CPU seconds of this process so far;
* `["events", [[kind, person, card], …]]` (CiviCRM): let these happen;
* `["opens", number]` (controller): would the card with this number open the door now?

It ends when its standard input is closed. A cycle over both sides as they begin finds nothing to
do.
"""

import json
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from benchmarks.club import CARD_FIELD, FACILITY, FIRST_CONTACT, TIERS, Person, people
from benchmarks.punctual import Punctual
from door_sync.simulators.civicrm.seed import fresh_world
from door_sync.simulators.civicrm.simulator import CivicrmSimulator
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.serving import Server, serve
from door_sync.simulators.tls import self_signed
from door_sync.simulators.unifi.records import Status
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN, UnifiSimulator


class Side(ABC):
    """A side that is served; `facts` is what a client has to know."""

    def __init__(self, punctual: Punctual, server: Server, headers: dict[str, str]) -> None:
        self._punctual = punctual
        self.server = server
        self.facts = {
            "url": server.url,
            "fingerprint": server.fingerprint or "",
            "headers": headers,
        }

    def obey(self, command: str, arguments: list[Any]) -> Any:
        """Carry out one command; raise LookupError for one that is none."""
        match command:
            case "record":
                found, self._punctual.record = self._punctual.record, []
                return [asdict(entry) for entry in found]
            case "cpu":
                return time.process_time()
            case _:
                return self.obey_own(command, arguments)

    @abstractmethod
    def obey_own(self, command: str, arguments: list[Any]) -> Any:
        """Carry out a command that only this side knows."""


class Civicrm(Side):
    """CiviCRM: everybody has a card, the entitled a current Gold membership, others an old one."""

    def __init__(self, members: int, latency: float) -> None:
        self._world = world = fresh_world(types=TIERS)
        self._memberships: dict[int, int] = {}
        for person in people(members):
            self._add(person, "Gold")
        simulator = CivicrmSimulator(world, journal_limit=1)
        # All that is asked of this side in a cycle are reads, though CiviCRM takes them as POST.
        punctual = Punctual(simulator.app, latency=latency, is_read=lambda _: True)
        key = world.secret_of("full")
        headers = {
            "X-Civi-Auth": f"Bearer {key}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        super().__init__(punctual, serve(punctual, certificate=None), headers)
        self.facts["key"] = key

    def obey_own(self, command: str, arguments: list[Any]) -> Any:
        """Let events happen."""
        if command != "events":
            raise LookupError(command)
        with self._world.lock:
            for kind, person, card in arguments[0]:
                self._let_happen(kind, person, card)
        self._punctual.forget_answers()
        return len(arguments[0])

    def _let_happen(self, kind: str, number: int, card: int | None) -> None:
        contact = FIRST_CONTACT + number
        match kind:
            case "joined":
                self._add(Person(number, number + 1), "Gold", card=card)
            case "left":
                self._world.lapse(self._memberships[contact])
            case "other card":
                self._world.set_custom(contact, CARD_FIELD, f"{card:05d}")
            case "other tier":
                self._world.set_type(self._memberships[contact], "Silver")
            case "other name":
                self._world.set_name(contact, last_name=f"Renamed{number}")
            case _:
                raise LookupError(kind)

    def _add(self, person: Person, tier: str, *, card: int | None = None) -> None:
        today = date.today()  # noqa: DTZ011 - the simulated site has no zone either
        number = person.card if card is None else card
        contact = self._world.add_contact(
            person.first_name,
            person.last_name,
            email=person.email,
            card=f"{number:05d}",
            contact_id=person.contact,
        )
        until = today + timedelta(365 if person.is_member else -365)
        self._memberships[contact] = self._world.add_membership(
            contact,
            tier,
            status="Current" if person.is_member else "Expired",
            start_date=until - timedelta(365),
            end_date=until,
        )


class Unifi(Side):
    """The controller: members have user, card and policy, former ones a deactivated user."""

    def __init__(self, members: int, latency: float) -> None:
        simulator = UnifiSimulator(journal_limit=1)
        self._world = world = simulator.world
        self._door = world.add_door("Front").id
        gold, _silver = (world.add_policy(f"{tier} hours", [self._door]).id for tier in TIERS)
        world.add_user("Olga", "Owner", is_admin=True)
        for person in people(members):
            user = world.add_user(
                person.first_name,
                person.last_name,
                user_email=person.email,
                employee_number=str(person.contact),
                policy_ids=[gold],
                status=Status.ACTIVE if person.is_member else Status.DEACTIVATED,
            )
            if person.is_member:
                alias = f"sync-{person.card:05d}"
                world.add_card(FACILITY, person.card, alias=alias, holder_id=user.id)
        punctual = Punctual(simulator.app, latency=latency, is_read=_is_get)
        server = serve(punctual, certificate=self_signed("unifi.local"))
        super().__init__(punctual, server, {"Authorization": f"Bearer {DEFAULT_TOKEN}"})
        self.facts["key"] = DEFAULT_TOKEN

    def obey_own(self, command: str, arguments: list[Any]) -> Any:
        """Ask the door."""
        if command != "opens":
            raise LookupError(command)
        return self._world.opens(FACILITY, arguments[0], self._door)


def _is_get(request: SeenRequest) -> bool:
    return request.method == "GET"


def main() -> None:
    """Start the side that the arguments name, then do what is asked line by line."""
    name, members, latency = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    side = {"civicrm": Civicrm, "unifi": Unifi}[name](members, latency)
    print(json.dumps(side.facts), flush=True)
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        print(json.dumps(side.obey(command, arguments)), flush=True)
    side.server.stop()


if __name__ == "__main__":
    main()

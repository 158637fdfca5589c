"""The demo's site: both simulators, the two files that name them, and hands on either side."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from itertools import pairwise
from pathlib import Path

from door_sync.app.bootstrap import plan_site, run_site
from door_sync.app.report import CycleReport
from door_sync.cli.entry import root
from door_sync.cli.simulate.fragments import civicrm_fragment, unifi_fragment
from door_sync.files import replace_file
from door_sync.ports import DoorSyncError
from door_sync.settings import Settings, load_settings
from door_sync.simulators.civicrm import CivicrmSimulator, load_world
from door_sync.simulators.demo_club import (
    CIVICRM_KEY,
    FACILITY,
    FIRST_CONTACT,
    FRONT_DOOR,
    PEOPLE,
    UNIFI_TOKEN,
    WORKSHOP,
    Person,
    civicrm_seed,
    unifi_seed,
)
from door_sync.simulators.unifi import UnifiSimulator
from door_sync.simulators.unifi.doors import Verdict
from door_sync.simulators.unifi.records import User

DOORS = (FRONT_DOOR, WORKSHOP)


@dataclass
class Site:
    """One site that can be synced, disturbed and looked at."""

    civicrm: CivicrmSimulator
    unifi: UnifiSimulator
    settings: Settings
    directory: Path
    contacts: dict[Person, int] = field(default_factory=dict)

    # door-sync itself, by the same functions that `plan` and `run --once` call.

    def plan(self) -> CycleReport:
        """Run a dry cycle; see `writes` for what it sent."""
        self.unifi.journal.clear()
        return plan_site(self.settings)

    def run(self) -> CycleReport:
        """Run a live cycle; see `writes` for what it sent."""
        self.unifi.journal.clear()
        return run_site(self.settings)

    def command(self, *words: str) -> tuple[int, str]:
        """Run any other command as a person would; return its exit code and what it printed."""
        files = ("--config", "config.toml"), ("--env-file", ".env")
        where = [part for option, name in files for part in (option, str(self.directory / name))]
        self.unifi.journal.clear()
        printed = StringIO()
        try:
            with redirect_stdout(printed):
                code = root.main([*where, *words], prog_name="door-sync", standalone_mode=False)
        except DoorSyncError as error:
            return error.exit_code, f"{printed.getvalue()}door-sync: {error.message}\n"
        return int(code), printed.getvalue()

    def writes(self) -> list[str]:
        """Return the path of every write that reached the controller in the last cycle."""
        return [entry.path for entry in self.unifi.journal.writes()]

    def looked_before_binding(self, person: Person) -> bool:
        """Say whether the last cycle read this person's user right before its first bind."""
        user, requests = self.user_of(person), self.unifi.journal.requests()
        for before, request in pairwise(requests):
            if request.is_write and request.path.endswith("/nfc_cards"):
                return user is not None and before.path.endswith(f"/users/{user.id}")
        return False

    # The membership secretary's hands.

    def join(self, person: Person) -> None:
        """Add a member with a card."""
        world = self.civicrm.world
        number = world.add_contact(
            person.first, person.last, email=person.address, card=person.card
        )
        world.add_membership(number, person.tier, status="Current")
        self.contacts[person] = number

    def lapse(self, person: Person) -> None:
        """Let every membership of a person run out."""
        world, contact = self.civicrm.world, self.contacts[person]
        for membership in list(world.memberships.values()):
            if membership.contact_id == contact:
                world.lapse(membership.id)

    def write_card(self, person: Person, card: int | None) -> None:
        """Write a person's card number into CiviCRM, or take it out."""
        self.civicrm.world.set_card(self.contacts[person], card)

    def trash(self, people: Collection[Person]) -> None:
        """Move people to CiviCRM's trash."""
        for person in people:
            self.civicrm.world.trash(self.contacts[person])

    def restore(self, people: Collection[Person]) -> None:
        """Take people out of the trash."""
        for person in people:
            self.civicrm.world.restore_contact(self.contacts[person])

    # What is to be seen at the controller and at the doors.

    def user_of(self, person: Person) -> User | None:
        """Return the user of that name, if the controller has one."""
        for user in self.unifi.world.users:
            if (user.first_name, user.last_name) == (person.first, person.last):
                return user
        return None

    def holder_of(self, card: int) -> str | None:
        """Return the id of the user that a card is bound to, if there is one."""
        for one in self.unifi.world.cards:
            if one.number == (FACILITY << 16) | card and one.holder is not None:
                return one.holder.id
        return None

    def verdict(self, card: int, door: str) -> Verdict:
        """Ask the door itself, not the API: what would it do if this card were held to it now?"""
        world = self.unifi.world
        [door_id] = [one.id for one in world.doors if one.name == door]
        return world.verdict(FACILITY, card, door_id)

    def opened_by(self, card: int) -> tuple[bool, ...]:
        """Return which of DOORS a card opens."""
        return tuple(self.verdict(card, door) is Verdict.OPENS for door in DOORS)

    def all_doors(self) -> dict[int, tuple[bool, ...]]:
        """Return the same for every card that the controller knows."""
        return {
            card.number: self.opened_by(card.number & 0xFFFF) for card in self.unifi.world.cards
        }


@contextmanager
def open_site(directory: Path) -> Iterator[Site]:
    """Start both simulators, write config.toml and .env into a directory, and load them.

    Raise BadSettings if the two files are not what `load_settings` wants.
    """
    civicrm = CivicrmSimulator(load_world(civicrm_seed(datetime.now(UTC).date())))
    unifi = UnifiSimulator.from_seed(unifi_seed())
    with civicrm.serve() as civicrm_server, unifi.serve() as unifi_server:
        config = "\n".join(
            [
                civicrm_fragment(civicrm_server.url, civicrm.world),
                # A real controller wants a pause between two writes; this one does not.
                unifi_fragment(
                    unifi_server.url,
                    unifi_server.fingerprint or "",
                    unifi.world,
                    write_interval_ms=0,
                ),
            ]
        )
        secrets = f"CIVICRM_API_KEY={CIVICRM_KEY}\nUNIFI_API_KEY={UNIFI_TOKEN}\n"
        replace_file(directory / "config.toml", config, mode=0o640)
        replace_file(directory / ".env", secrets, mode=0o600)
        settings = load_settings(directory / "config.toml", directory / ".env", {}).settings
        contacts = {person: at for at, person in enumerate(PEOPLE, start=FIRST_CONTACT)}
        yield Site(civicrm, unifi, settings, directory, contacts)

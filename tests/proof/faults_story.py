"""The eve of a cycle that needs everything door-sync can write, and what it comes to untroubled.

The eve is made once for each reading of the controller's interface; every case begins with a copy
of it: the controller's world, CiviCRM's tables, and the files of the site.
"""

import copy
import shutil
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from door_sync.app.bootstrap import run_site
from door_sync.app.report import CycleReport, Ending
from door_sync.settings import Settings, load_settings
from door_sync.simulators.unifi.records import Status
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.world import World
from tests.club import Club, ImpatientClock

READINGS: Final[Mapping[str, Switches]] = {
    "as the simulator is": Switches(),
    "delete, refusals 400, numbers, pages of 4": Switches(
        unbind="delete",
        business_error_status=400,
        dialect="numeric",
        page_size_cap=4,
        known_card="same token",
        nfc_id_in_card_list=True,
        deactivated_refuses_cards=True,
    ),
    "both, a bad row fails the file, odd rows, pages of 7": Switches(
        unbind="both",
        bad_row="file fails",
        page_size_cap=7,
        optional_keys="bare",
        known_card="same token",
        free_card_user="null",
        emails_stored="lower case",
        own_email_conflicts=True,
    ),
}
"""Three controllers: each dispute of design.md §9 is answered both ways."""

MORE_READINGS: Final[Mapping[str, Switches]] = {
    "put, refuses cards of the deactivated": Switches(deactivated_refuses_cards=True),
    "delete, allows cards of the deactivated": Switches(
        unbind="delete", nfc_id_in_card_list=True, employee_number_unique=True
    ),
    "numbers and refusals 400, the same token": Switches(
        dialect="numeric",
        business_error_status=400,
        known_card="same token",
        import_answer_order="reversed",
        reorder_between_pages=True,
    ),
}
"""Three more, for the thorough run."""


LEAVERS: Final = ("leaver", "quitter")

BY_HAND: Final = 1014
"""The card that an administrator enrolled, and a member is to have."""


_MAIL: Final = """
[alert]
transport = "smtp"
[alert.smtp]
host = "127.0.0.1"
port = {port}
starttls = false
from = "door-sync@example.org"
to = "board@example.org"
"""


class LateClock(ImpatientClock):
    """Never sleeps; `late` is how much of every try's time a fault has used up."""

    late: float = 0.0

    def monotonic(self) -> float:
        """Return seconds, those included that a fault took."""
        return super().monotonic() + self.late


class Site:
    """One site with its files; its club can be put back to the eve."""

    def __init__(self, club: Club, directory: Path) -> None:
        self.club = club
        self.clock = LateClock()
        club.clock = self.clock
        self.directory = directory
        self._eve_of_files = directory.with_name(f"{directory.name} on the eve")
        self._shelf: World | None = None
        self.roles: dict[str, int] = {}

    def picture(self) -> "Picture":
        """Look at the controller as it is now."""
        leavers = frozenset(str(self.roles[one]) for one in LEAVERS)
        return picture(self.club, leavers, remembers=self._remembers_a_card())

    def _remembers_a_card(self) -> bool:
        """Say whether the journal knows the number of a card that could not be renamed (R3)."""
        with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM aliases").fetchone() is not None

    def has_alias(self, number: int) -> bool:
        """Say whether the controller shows a name for a card."""
        world = self.club.unifi.world
        return any(one.number & 0xFFFF == number and one.alias for one in world.cards)

    @property
    def journal(self) -> Path:
        """Where the journal is."""
        return self.directory / "history.db"

    def cycle(self) -> CycleReport:
        """Run one live cycle in this process."""
        return run_site(self.settings, clock=self.clock)

    def begin(self, switches: Switches, mail_to: int = 0) -> None:
        """Bring the club to the eve, and keep a copy of everything.

        `mail_to` is the port of a mail server on loopback that alerts are to go to, if any.
        """
        for path in (self.directory, self._eve_of_files):
            shutil.rmtree(path, ignore_errors=True)
        self.directory.mkdir()
        self.club.reset(switches)
        config = self.club.write_files(self.directory)
        if mail_to:
            with config.open("a") as file:
                file.write(_MAIL.format(port=mail_to))
        self.settings: Settings = load_settings(config, self.directory / ".env", {}).settings
        self.roles = tell_the_story(self.club, self.cycle)
        shutil.copytree(self.directory, self._eve_of_files)
        self._shelf = copied(self.club.unifi.world)
        self.club.forget()

    def rewind(self) -> None:
        """Put everything back to the eve; nothing is armed, and no time has passed."""
        assert self._shelf is not None
        self.club.unifi.faults.clear()
        self.club.civicrm.faults.clear()
        self.club.unifi.world = copied(self._shelf)
        self.clock.ahead *= 0
        self.clock.late = 0.0
        for path in self.directory.iterdir():
            path.unlink()
        for path in self._eve_of_files.iterdir():
            shutil.copy(path, self.directory)
        self.club.forget()


def copied(world: World) -> World:
    """Return a copy of a world with a lock of its own."""
    return copy.deepcopy(world, {id(world.lock): threading.RLock()})


def tell_the_story(club: Club, cycle: Callable[[], CycleReport]) -> dict[str, int]:
    """Let a club live up to the eve; return the contacts by the part that they play."""
    crm, world = club.civicrm.world, club.unifi.world
    hall = world.add_policy("By hand", [club.front]).id
    world.add_policy("For everyone", [world.add_door("Hall").id], everyone=True)
    part: dict[str, int] = {}

    def joins(name: str, card: object, tier: str = "Gold", email: str | None = None) -> None:
        part[name] = club.join(card, tier, first=name.title(), email=email)

    joins("leaver", 1001)
    joins("stays", 1002, email="stays@example.org")
    joins("ann", 1003)
    joins("bob", 1004, "Silver")
    joins("down", 1005)
    joins("renamed", 1006, email="old@example.org")
    joins("heir", 1007, email="heir@example.org")
    joins("passing", 1008)
    joins("quitter", 1009)
    joins("circle one", 1015, email="one@example.org")
    joins("circle two", 1016, email="two@example.org")
    joins("replaces", 1017)
    joins("back", 1012, email="back@example.org")
    joins("again", 1020)
    crm.trash(part["back"])
    club.lapse(part["again"])
    report = cycle()
    assert report.ending is Ending.CLEAN, report.reason()

    crm.restore_contact(part["back"])
    club.add_user(str(part["back"]), cards=[1011], policies=[club.gold], status="DEACTIVATED")
    club.add_user(str(part["again"]), policies=[club.silver], status="DEACTIVATED")
    club.rejoin(part["again"])
    stuck = club.add_user("", cards=[1013], status="DEACTIVATED")
    world.edit_user(stuck, first_name="Left", last_name="Longago")
    guest = club.add_user("", cards=[1021], policies=[club.gold])
    world.edit_user(guest, first_name="Kept", last_name="Byhand")
    club.add_user("007", cards=[1022], alias=False, policies=[hall])
    club.add_card(BY_HAND, alias=False)
    club.add_card(1018, alias=False, holder=club.user_of(part["leaver"]))
    world.edit_user(club.user_of(part["down"]), policy_ids=(club.gold, hall))
    club.lapse(part["leaver"])
    club.lapse(part["quitter"])
    crm.clear_card(part["quitter"])  # so that this contact is asked for by id (R1)
    crm.set_card(part["ann"], "1004")
    crm.set_card(part["bob"], "1003")
    crm.set_card(part["replaces"], "1019")
    club.retier(part["down"], "Silver")
    crm.set_name(part["renamed"], first_name="Newname")
    crm.set_email(part["renamed"], "new@example.org")
    crm.set_email(part["heir"], "old@example.org")
    crm.set_email(part["circle one"], "two@example.org")
    crm.set_email(part["circle two"], "one@example.org")
    club.retier(part["passing"], "Day pass")
    joins("recycler", 1001, "Silver")
    joins("newcard", 1010, email="heir@example.org")
    joins("other card", 1023)
    joins("reclaims", 1013)
    switches = club.unifi.switches
    if switches.known_card == "same token" or switches.nfc_id_in_card_list:
        joins("by hand", BY_HAND)  # else nobody can learn that the card is there (R3)
    club.forget()
    return part


def is_shut_leaver(club: Club, holder_id: str, leavers: frozenset[str]) -> bool:
    """Say whether a holder is a leaver who is cut off: what is left on it waits for nobody (P5)."""
    user = club.unifi.world.users.get(holder_id)
    return (
        user is not None and user.employee_number in leavers and user.status == Status.DEACTIVATED
    )


@dataclass(frozen=True)
class Picture:
    """The controller at one moment, as far as a promise speaks of it, without ids that a create
    gives out: who there is, what they hold, and who opens what."""

    people: Mapping[str, tuple[Any, ...]]
    cards: Mapping[int, tuple[str, str]]
    opens: frozenset[tuple[int, str, str]]
    strangers: tuple[object, ...]
    rest: tuple[object, ...]

    def of(self, contact: int) -> tuple[Any, ...]:
        """Return everything about one contact's user."""
        return self.people.get(str(contact), ())


def picture(club: Club, leavers: frozenset[str], *, remembers: bool) -> Picture:
    """Look at the controller as it is now.

    Cards on a leaver who is cut off count as free, and the one card that is to be renamed counts
    as that if the journal `remembers` it instead.
    """
    world = club.unifi.world
    users = [*world.users]
    name = {one.id: one.employee_number or one.id for one in users}
    name |= {one.id: one.id for one in world.visitors}
    held: dict[str, list[int]] = {}
    cards, opened = {}, set()
    for card in world.cards:
        number = card.number & 0xFFFF
        holder = "" if card.holder is None else name.get(card.holder.id, "nobody there")
        if card.holder is not None and is_shut_leaver(club, card.holder.id, leavers):
            holder = ""
        is_known = card.alias or (number == BY_HAND and remembers)
        cards[number] = (f"sync-{number:05d}" if is_known else "", holder)
        assert card.alias in ("", f"sync-{number:05d}")
        held.setdefault(holder, []).append(number)
        for door in world.doors:
            if club.opens(number, door.id):
                opened.add((number, door.name, holder))
    managed = [one for one in users if one.employee_number[:1] in set("123456789")]
    assert len({one.employee_number for one in managed}) == len(managed), "a user is there twice"
    policy = {one.id: one.name for one in world.policies}
    return Picture(
        people={
            one.employee_number: (
                one.status,
                tuple(sorted(policy[each] for each in one.policy_ids)),
                tuple(sorted(held.get(one.employee_number, ()))),
                (one.first_name, one.last_name),
                one.user_email.lower(),
            )
            for one in managed
        },
        cards=cards,
        opens=frozenset(opened),
        strangers=tuple(one for one in users if one not in managed),
        rest=(
            tuple(world.policies),
            tuple(world.doors),
            tuple(world.visitors),
            tuple(world.schedules),
            tuple(world.groups),
        ),
    )

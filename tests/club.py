"""A club for tests: both simulators over real sockets, with hands on either side.

The people are made up. Doors: `front` opens with every tier, `workshop` with Gold alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from door_sync.app.clock import SystemClock
from door_sync.app.cycle import Parts, dry_run, live_run
from door_sync.app.report import CycleReport
from door_sync.civicrm.client import CivicrmSource, auth_headers
from door_sync.core.decision import Habits
from door_sync.core.tiers import Resolution, Rule
from door_sync.http import HttpClient, PinnedTls, PlainHttp
from door_sync.journal.memory import InMemoryJournal
from door_sync.ports import Journal
from door_sync.simulators.civicrm.seed import fresh_world
from door_sync.simulators.civicrm.simulator import CivicrmSimulator
from door_sync.simulators.serving import Server
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN, UnifiSimulator
from door_sync.simulators.unifi.switches import Switches
from door_sync.unifi.client import UnifiController, token_headers

FACILITY = 42
CARD_FIELD = "Door_Access.card_id"
RULES = (
    Rule("Gold", Resolution.TIER, 100, "Gold hours"),
    Rule("Silver", Resolution.TIER, 50, "Silver hours"),
    Rule("Supporter", Resolution.NONE, 10),
    Rule("Day pass", Resolution.DAY_PASS, 20),
)
HABITS = Habits(RULES, frozenset({"Current", "Grace", "New"}))


class ImpatientClock(SystemClock):
    """The machine's clock, but for waiting: tests never sleep, and days pass when they say so."""

    ahead = timedelta()

    def now(self) -> datetime:
        """Return the time of day, as far ahead as somebody put it."""
        return super().now() + self.ahead

    def sleep(self, seconds: float) -> None:
        """Do not wait."""


@dataclass
class Club:
    """Two simulated systems, the servers they answer on, and what a cycle works with."""

    civicrm: CivicrmSimulator
    unifi: UnifiSimulator
    civicrm_server: Server
    unifi_server: Server
    habits: Habits = HABITS
    clock: ImpatientClock = field(default_factory=ImpatientClock)
    memberships: dict[int, list[int]] = field(default_factory=dict)

    def reset(self, switches: Switches | None = None) -> None:
        """Empty both systems: doors and policies stay, nobody is in."""
        self.civicrm.reset()
        world = self.unifi.reset()
        self.unifi.switches = switches or Switches()
        self.habits = HABITS
        self.memberships.clear()
        self.clock.ahead = timedelta()
        self.front = world.add_door("Front").id
        self.workshop = world.add_door("Workshop").id
        self.gold = world.add_policy("Gold hours", [self.front, self.workshop]).id
        self.silver = world.add_policy("Silver hours", [self.front]).id
        self.owner = world.add_user("Olga", "Owner", status="ACTIVE", is_admin=True).id

    # The membership secretary's hands.

    def join(
        self,
        card: object,
        tier: str = "Gold",
        *,
        status: str = "Current",
        first: str = "",
        email: str | None = None,
    ) -> int:
        """Add a contact with a card and a membership; return the contact id."""
        crm = self.civicrm.world
        contact = crm.add_contact(first or "Mem", "Ber", card=card, email=email)
        self.memberships[contact] = []
        self._sell(contact, tier, status)
        return contact

    def lapse(self, contact: int) -> None:
        """Let every membership of a contact be expired."""
        for membership in self.memberships[contact]:
            self.civicrm.world.set_status(membership, "Expired")

    def rejoin(self, contact: int, tier: str = "Gold") -> None:
        """Sell a contact one more membership."""
        self._sell(contact, tier, "Current")

    def _sell(self, contact: int, tier: str, status: str) -> None:
        today = date.today()  # noqa: DTZ011 - the simulated site has no zone either
        sold = self.civicrm.world.add_membership(
            contact,
            tier,
            status=status,
            start_date=today - timedelta(days=30),
            end_date=today + timedelta(days=335),
        )
        self.memberships[contact].append(sold)

    def retier(self, contact: int, tier: str) -> None:
        """Change the type of a contact's memberships."""
        for membership in self.memberships[contact]:
            self.civicrm.world.set_type(membership, tier)

    def card_text(self, contact: int) -> str:
        """Return what the card field of a contact holds."""
        crm = self.civicrm.world
        _group, one = crm.custom_field(CARD_FIELD)
        return str(crm.contacts[contact].custom.get(one.id, ""))

    # The administrator's hands.

    def add_user(
        self,
        employee_number: str,
        *,
        cards: Sequence[int] = (),
        policies: Sequence[str] = (),
        alias: bool = True,
        status: str = "ACTIVE",
        user_email: str = "",
        missing: Sequence[str] = (),
    ) -> str:
        """Add a user with cards, under our alias or by hand; return its id."""
        user = self.unifi.world.add_user(
            "Made",
            "Byhand",
            employee_number=employee_number,
            policy_ids=policies,
            status=status,
            user_email=user_email,
            missing=missing,
        )
        for number in cards:
            self.add_card(number, holder=user.id, alias=alias)
        return user.id

    def add_card(self, number: int, *, holder: str | None = None, alias: bool = True) -> str:
        """Register a card; return its token."""
        name = f"sync-{number:05d}" if alias else ""
        card = self.unifi.world.add_card(FACILITY, number, alias=name, holder_id=holder)
        return card.token

    # What is to be seen.

    def opens(self, number: int, door: str | None = None) -> bool:
        """Ask the door oracle: would this card open this door (the front one) now?"""
        return self.unifi.world.opens(FACILITY, number, door or self.front)

    def user_of(self, contact: int) -> str:
        """Return the id of the one user that carries a contact's id."""
        [user] = [u for u in self.unifi.world.users if u.employee_number == str(contact)]
        return user.id

    def status_of(self, contact: int) -> str:
        """Return the status of that user."""
        return self.unifi.world.users[self.user_of(contact)].status

    def end_state(self) -> dict[str, object]:
        """Return everything about people and cards that door-sync answers for, without ids."""
        world = self.unifi.world
        return {
            "users": sorted(
                (
                    user.employee_number,
                    user.first_name,
                    user.last_name,
                    user.user_email,
                    user.status,
                    tuple(sorted(user.policy_ids)) if user.status == "ACTIVE" else (),
                )
                for user in world.users
            ),
            "cards": sorted(
                (card.number, card.alias, world.users[card.holder.id].employee_number)
                if card.holder is not None and card.holder.id in world.users
                else (card.number, card.alias, "")
                for card in world.cards
            ),
        }

    # Running door-sync.

    @contextmanager
    def parts(self, journal: Journal | None = None) -> Iterator[Parts]:
        """Yield what a cycle works with, over real connections."""
        with (
            HttpClient(
                self.civicrm_server.url,
                headers=auth_headers(self.civicrm.world.secret_of("full"), "x-civi-auth"),
                tls=PlainHttp(),
                timeout_seconds=10,
                clock=self.clock,
                trust_environment_proxies=False,
            ) as civicrm_client,
            HttpClient(
                self.unifi_server.url,
                headers=token_headers(DEFAULT_TOKEN),
                tls=PinnedTls((self.unifi_server.fingerprint or "",)),
                timeout_seconds=10,
                clock=self.clock,
                trust_environment_proxies=False,
            ) as unifi_client,
        ):
            yield Parts(
                source=CivicrmSource(
                    civicrm_client,
                    auth="x-civi-auth",
                    path="/civicrm/ajax/api4",
                    card_id_field=CARD_FIELD,
                    active_statuses=sorted(self.habits.active_statuses),
                    page_size=500,
                ),
                controller=UnifiController(
                    unifi_client, facility_code=FACILITY, read_concurrency=2
                ),
                journal=journal or self.journal,
                habits=self.habits,
                clock=self.clock,
            )

    def write_files(self, directory: Path) -> Path:
        """Write config.toml and .env for this club, with guards that let everything pass.

        Return the config's path; the journal and all other files will be in the same directory.
        """
        rules = "\n".join(
            f'[tier_mapping.rules."{rule.key}"]\nresolution = "{rule.resolution.value}"\n'
            f"rank = {rule.rank}\n"
            + (f'target_policy = "{rule.target_policy}"\n' if rule.target_policy else "")
            for rule in RULES
        )
        config = directory / "config.toml"
        config.write_text(
            f"""
[civicrm]
host = "{self.civicrm_server.url}"
card_id_field = "{CARD_FIELD}"
[unifi]
host = "{self.unifi_server.url}"
tls_fingerprint = "{self.unifi_server.fingerprint}"
facility_code = {FACILITY}
write_interval_ms = 0
[safety]
mass_deactivate_pct = 1.0
mass_add_pct = 1.0
mass_policy_pct = 1.0
mass_card_pct = 1.0
mass_profile_pct = 1.0
small_site_max = 1000
[ops]
audit_jsonl = "{directory}/audit.jsonl"
state_json = "{directory}/state.json"
alert_flag = "{directory}/alert.flag"
{rules}
"""
        )
        env = directory / ".env"
        env.write_text(
            f"CIVICRM_API_KEY={self.civicrm.world.secret_of('full')}\n"
            f"UNIFI_API_KEY={DEFAULT_TOKEN}\n"
        )
        env.chmod(0o600)
        return config

    def start_journal(self) -> None:
        """Begin with an empty journal, as on a new machine."""
        self.journal = InMemoryJournal(self.clock)

    def cycle(self) -> CycleReport:
        """Run one live cycle."""
        with self.parts() as parts:
            return live_run(parts)

    def plan(self) -> CycleReport:
        """Run one dry cycle."""
        with self.parts() as parts:
            return dry_run(parts)

    def writes(self) -> int:
        """Return how many writes the controller has seen since `forget`."""
        return len(self.unifi.journal.writes())

    def forget(self) -> None:
        """Forget the requests seen so far."""
        self.unifi.journal.clear()
        self.civicrm.journal.clear()

    def relax(self) -> None:
        """Raise every budget of the guards, for stories that are not about them."""
        lax = replace(
            self.habits.budgets, deactivate=1, add=1, policy=1, card=1, profile=1, floor=0, few=1000
        )
        self.habits = replace(self.habits, budgets=lax)


@contextmanager
def open_club() -> Iterator[Club]:
    """Start both simulators; yield the club, empty."""
    types = ("Gold", "Silver", "Supporter", "Day pass", "Mystery")
    civicrm, unifi = CivicrmSimulator(fresh_world(types=types)), UnifiSimulator()
    with civicrm.serve() as civicrm_server, unifi.serve() as unifi_server:
        club = Club(civicrm, unifi, civicrm_server, unifi_server)
        club.reset()
        club.start_journal()
        yield club

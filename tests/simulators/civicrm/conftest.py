"""A site that resembles the recorded one, served over TLS, and short ways to ask it."""

import json
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator, World, fresh_world
from door_sync.simulators.serving import Server
from door_sync.simulators.tls import Certificate, self_signed

Ask = Callable[..., httpx2.Response]

NOW = datetime(2026, 11, 22, 18, 20, tzinfo=UTC)

ROLES = [
    "full",
    "debug",
    "acl",
    "noview",
    "nocustom",
    "nomember",
    "nodeleted",
    "nocivi",
    "noajax",
    "nouserperm",
    "nowpuser",
    "syscheck",
    "admin",
]
"""Their contacts are 304 and up, in this order."""

TYPES = ["Gold", "Silver", "Comp", "Day Pass", "Lifetime", "Old Bronze", "Corporate"]

MEMBERSHIPS = {
    1: (4, "Silver", "Current", date(2027, 5, 6)),
    2: (5, "Comp", "Current", date(2027, 5, 6)),
    3: (6, "Day Pass", "Current", date(2027, 5, 6)),
    4: (7, "Gold", "Current", date(2027, 5, 6)),
    5: (8, "Silver", "Grace", date(2026, 11, 1)),
    10: (14, "Day Pass", "Current", date(2026, 11, 1)),
    11: (15, "Gold", "Current", date(2026, 5, 1)),
    12: (16, "Silver", "Expired", date(2027, 5, 1)),
    14: (18, "Day Pass", "Grace", date(2026, 11, 1)),
    15: (18, "Gold", "New", date(2027, 10, 1)),
    29: (33, "Comp", "New", date(2027, 10, 1)),
    30: (33, "Day Pass", "Grace", date(2026, 11, 1)),
    68: (72, "Gold", "Current", date(2027, 5, 6)),
    69: (73, "Gold", "New", date(2027, 10, 1)),
    70: (74, "Day Pass", "Current", date(2025, 10, 18)),
    71: (75, "Lifetime", "Current", None),
    72: (76, "Old Bronze", "Current", date(2026, 1, 1)),
    74: (78, "Day Pass", "Grace", date(2026, 11, 1)),
    75: (78, "Gold", "New", date(2027, 10, 1)),
    76: (78, "Silver", "Grace", date(2026, 11, 1)),
    81: (83, "Gold", "Current", date(2027, 5, 6)),
    82: (85, "Gold", "Current", date(2027, 5, 6)),
    83: (86, "Gold", "Current", date(2027, 5, 6)),
    90: (93, "Gold", "New", date(2027, 10, 1)),
    91: (93, "Silver", "Grace", date(2026, 11, 1)),
    92: (94, "Silver", "Current", date(2027, 5, 6)),
    161: (163, "Gold", "Current", date(2027, 5, 6)),
}
"""The memberships that recordings name: contact, type, status, end date."""

WITHOUT_MEMBERSHIP = {12, 84}
WITHOUT_CARD = {9, 12, 33, 46, 93}
WITHOUT_EMAIL = {127, 158, 251}
TRASHED = (83, 84, 85, 163)
DECEASED = (100, 197, 294)
VISIBLE_TO_ACL = range(4, 104)


def recorded_world() -> World:
    """The recorded site with other people: the same ids where a recording names one."""
    world = fresh_world(clock=lambda: NOW, types=TYPES, keys=())
    world.add_custom_field("Door_Access", "card_num", data_type="Integer")
    world.add_custom_field("Door_Access", "door_note", data_type="Text")
    world.add_custom_field("Door_Access", "fob_issued", data_type="Date")
    world.add_custom_field("Door_Access", "door_optin", data_type="Boolean")
    zones = {"front": "Front", "roof": "Roof"}
    world.add_custom_field("Door_Access", "door_zone", is_list=True, options=zones)
    world.add_custom_field("Door_Access", "old_card")
    world.add_custom_group("Multi_Cards", is_multiple=True)
    world.add_custom_field("Multi_Cards", "card")
    world.add_custom_group("Member_Extra", extends="Membership")
    world.add_custom_field("Member_Extra", "badge")
    world.set_type_active("Old Bronze", False)
    world.membership_type("Lifetime").duration_unit = "lifetime"
    world.set_email(1, "fixme.domainemail@example.org")
    world.add_contact(
        contact_type="Organization", organization_name="Hill Street Workshop", contact_id=3
    )
    for number in range(4, 304):
        _add_member(world, number)
    for offset, role in enumerate(ROLES):
        contact = world.add_contact("Api", role.capitalize(), contact_id=304 + offset)
        world.add_key(
            f"key-{role}-0123456789abcdef",
            role,
            contact_id=contact,
            acl_group="Door_Admins" if role == "acl" else None,
            has_user=role != "nowpuser",
        )
    for number, (contact, kind, status, end) in MEMBERSHIPS.items():
        world.add_membership(
            contact,
            kind,
            status=status,
            join_date=date(2026, 10, 2) if status == "New" else date(2025, 5, 6),
            start_date=date(2025, 5, 6),
            end_date=end,
            is_test=number == 69,
            is_override=number == 70,
            membership_id=number,
        )
    world.set_membership_custom(70, "Member_Extra.badge", "B71")
    company = world.add_contact(
        contact_type="Organization", organization_name='Maker Co & Søns "Ltd"', contact_id=33084
    )
    owner = world.add_membership(company, "Corporate", membership_id=35118)
    world.add_membership(20, "Corporate", owner_membership_id=owner, membership_id=35119)
    world.add_group("Door_Admins", VISIBLE_TO_ACL)
    for number in TRASHED:
        world.trash(number)
    for number in DECEASED:
        world.mark_deceased(number)
    return world


def _add_member(world: World, number: int) -> None:
    world.add_contact(
        None if number == 63 else f"First{number}",
        None if number in (63, 64) else f"Last{number}",
        email=None if number in WITHOUT_EMAIL else f"member{number - 3}@example.org",
        card=None if number in WITHOUT_CARD else f"{10000 + 13 * number:08d}",
        prefix="Dr." if number in (53, 103) else None,
        suffix="Jr." if number in (53, 103) else None,
        contact_id=number,
    )
    if number in (43, 83):
        world.add_email(number, f"second{number - 3}@example.org", location="Work")
    world.set_custom(number, "Door_Access.card_num", 10000 + 13 * number)
    named = {contact for contact, *_ in MEMBERSHIPS.values()}
    if number not in named | WITHOUT_MEMBERSHIP | {20}:
        world.add_membership(
            number,
            TYPES[number % 5],
            status=("Current", "Current", "Current", "Expired", "Grace", "New")[number % 6],
            start_date=date(2026, 5, 6),
            end_date=date(2027, 5, 6),
            membership_id=1000 + number,
        )


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """One certificate for all tests: keys take time to draw."""
    return self_signed("localhost", san=["localhost", "127.0.0.1"])


@pytest.fixture(scope="session")
def _recorded_site() -> CivicrmSimulator:
    return CivicrmSimulator(recorded_world())


@pytest.fixture
def site(_recorded_site: CivicrmSimulator) -> Iterator[CivicrmSimulator]:
    """The site of the recordings, as it was before the first of them."""
    yield _recorded_site
    _recorded_site.reset()


@pytest.fixture(scope="session")
def _recorded_server(
    _recorded_site: CivicrmSimulator, certificate: Certificate
) -> Iterator[Server]:
    with _recorded_site.serve(certificate=certificate) as server:
        yield server


@pytest.fixture
def server(site: CivicrmSimulator, _recorded_server: Server) -> Server:
    """`site`, served over TLS."""
    return _recorded_server


@pytest.fixture(scope="session")
def client(trusting: ssl.SSLContext) -> Iterator[httpx2.Client]:
    """One client for all tests: a handshake for each would take longer than the tests."""
    with httpx2.Client(verify=trusting, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def ask(site: CivicrmSimulator, server: Server, client: httpx2.Client) -> Ask:
    """Ask ``ask("Contact/get", {…}, role="full")``, with the header that cannot be lost."""

    def asking(endpoint: str, params: Any = None, *, role: str = "full") -> httpx2.Response:
        return client.post(
            f"{server.url}/civicrm/ajax/api4/{endpoint}",
            data={"params": json.dumps({} if params is None else params)},
            headers={"X-Civi-Auth": f"Bearer {site.world.secret_of(role)}"},
        )

    return asking


@pytest.fixture
def rows(ask: Ask) -> Callable[..., list[dict[str, Any]]]:
    """Ask, and return the rows of a good answer."""

    def asking(endpoint: str, params: Any = None, *, role: str = "full") -> list[dict[str, Any]]:
        answer = ask(endpoint, params, role=role)
        assert answer.status_code == 200, answer.text
        values: list[dict[str, Any]] = answer.json()["values"]
        return values

    return asking


@pytest.fixture
def matching(rows: Callable[..., list[dict[str, Any]]]) -> Callable[..., list[int]]:
    """Return the ids of the contacts (or of another entity's rows) that clauses let through."""

    def ids(*where: Any, entity: str = "Contact") -> list[int]:
        found = rows(
            f"{entity}/get", {"select": ["id"], "where": list(where), "orderBy": {"id": "ASC"}}
        )
        return [row["id"] for row in found]

    return ids


@pytest.fixture
def status(rows: Callable[..., list[dict[str, Any]]]) -> Callable[[int], str]:
    """Return the name of a membership's status as the full key reads it."""

    def reading(number: int) -> str:
        params = {"select": ["status_id:name"], "where": [["id", "=", number]]}
        name: str = rows("Membership/get", params)[0]["status_id:name"]
        return name

    return reading


@pytest.fixture
def call_many(
    site: CivicrmSimulator, server: Server, client: httpx2.Client
) -> Callable[..., httpx2.Response]:
    """Make several calls in one request."""

    def asking(calls: Any, *, role: str = "full", method: str = "POST") -> httpx2.Response:
        text = json.dumps(calls)
        return client.request(
            method,
            f"{server.url}/civicrm/ajax/api4",
            data={"calls": text} if method == "POST" else None,
            params={"calls": text} if method == "GET" else None,
            headers={"X-Civi-Auth": f"Bearer {site.world.secret_of(role)}"},
        )

    return asking

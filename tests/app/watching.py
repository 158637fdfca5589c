"""What a cycle did, as the controller saw it and as the journal tells it, and hands that interfere.

A write is named as the journal names it (`free-card`, `bind-card`, …), with the contact it was for.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from door_sync.app.cycle import Parts, live_run
from door_sync.app.report import CycleReport, Ending
from door_sync.core.people import ContactId
from door_sync.http import HttpClient, PinnedTls
from door_sync.journal.history import PastStep
from door_sync.journal.memory import InMemoryJournal
from door_sync.ports import DoorController
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Answer, Armed, Fault, Hook, json_answer
from door_sync.simulators.unifi.journal import Entry
from door_sync.simulators.unifi.records import Card, User
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from door_sync.unifi.client import UnifiController, token_headers
from tests.club import FACILITY, Club, ImpatientClock

DEACTIVATE = {"status": "DEACTIVATED"}
ACTIVATE = {"status": "ACTIVE"}

Write = tuple[str, int]
"""A kind of write and the contact it was for."""


def begin_anew(club: Club) -> None:
    """Let a club begin with nobody in it and a new journal; its guards do not mind small numbers,
    and one member stays, so that nobody mistakes it for an empty membership list."""
    club.clock = ImpatientClock()
    club.reset()
    club.start_journal()
    club.relax()
    club.join(1100)


def settled(club: Club) -> None:
    """Run a cycle that must end clean, and forget its requests."""
    report = club.cycle()
    assert report.ending is Ending.CLEAN, report.reason()
    club.forget()


def refused(code: str = "CODE_PARAMS_INVALID") -> Answer:
    """A refusal; nothing is done."""
    return json_answer({"code": code, "msg": "No.", "data": None})


def lie() -> Answer:
    """A success that did nothing."""
    return json_answer({"code": "SUCCESS", "msg": "success", "data": "success"})


def no_route() -> Answer:
    """The controller's answer where it knows no such call."""
    return json_answer({"code": 404, "codeS": "CODE_NOT_FOUND", "msg": "No."}, status=404)


def bad_token() -> Answer:
    """The controller's answer to a key that it does not know."""
    return json_answer({"code": "CODE_ACCESS_TOKEN_INVALID", "msg": "No."}, status=401)


# Which request goes wrong.


def at_status(
    club: Club, fault: Fault, user: str, body: dict[str, str], times: int | None = None
) -> Armed:
    """Arm a fault for setting a user's status."""
    return club.unifi.faults.add(
        fault, method="PUT", path=f"/users/{user}", where=lambda r: r.json() == body, times=times
    )


def at_profile(club: Club, fault: Fault, user: str, times: int | None = 1) -> Armed:
    """Arm a fault for writing a user's name or address."""
    return club.unifi.faults.add(
        fault,
        method="PUT",
        path=f"/users/{user}",
        where=lambda request: "status" not in request.json(),
        times=times,
    )


def at_free(
    club: Club, fault: Fault, user: str = ":id", *, first: int = 1, times: int | None = None
) -> Armed:
    """Arm a fault for freeing cards from a user, or from anybody."""
    path = f"/users/{user}/nfc_cards/delete"
    return club.unifi.faults.add(fault, path=path, first=first, times=times)


def at_bind(club: Club, fault: Fault, user: str = ":id", times: int | None = None) -> Armed:
    """Arm a fault for binding cards to a user, or to anybody."""
    path = f"/users/{user}/nfc_cards"
    return club.unifi.faults.add(fault, method="PUT", path=path, times=times)


def at_policies(club: Club, fault: Fault, user: str = ":id", times: int | None = None) -> Armed:
    """Arm a fault for setting the policies of a user, or of anybody."""
    path = f"/users/{user}/access_policies"
    return club.unifi.faults.add(fault, method="PUT", path=path, times=times)


def at_create(club: Club, fault: Fault, contact: int | None = None, times: int | None = 1) -> Armed:
    """Arm a fault for creating the user of a contact, or of anybody."""
    return club.unifi.faults.add(
        fault,
        method="POST",
        path="/users",
        where=lambda r: contact in (None, int(r.json()["employee_number"])),
        times=times,
    )


def at_import(club: Club, fault: Fault, times: int | None = None) -> Armed:
    """Arm a fault for the import of cards."""
    return club.unifi.faults.add(fault, path="/credentials/nfc_cards/import", times=times)


def at_look(club: Club, fault: Fault, path: str, times: int | None = None) -> Armed:
    """Arm a fault for single reads of a path."""
    return club.unifi.faults.add(fault, method="GET", path=path, times=times)


def when_asked_who_holds(club: Club, token: str, act: Callable[[], object], **hook: bool) -> Armed:
    """Let an administrator do something just before that question is answered (or after)."""
    where = f"/credentials/nfc_cards/tokens/{token}"
    return club.unifi.faults.add(_hand(act, **hook), method="GET", path=where)


def _hand(act: Callable[[], object], *, after: bool = False) -> Hook:
    def run(_request: SeenRequest) -> None:
        act()

    return Hook(run, after=after)


def before_write(club: Club, act: Callable[[], object], number: int = 1) -> Armed:
    """Let an administrator do something just before the first write (or a later one)."""
    return club.unifi.faults.add(
        _hand(act), where=lambda request: request.method != "GET", first=number
    )


# What was sent.


def sent(club: Club) -> list[Write]:
    """Return every write that the controller was sent, one for each row of an import."""
    return [write for entry in club.unifi.journal.writes() for write in _writes(club, entry)]


def kinds(club: Club, contact: int) -> list[str]:
    """Return the writes that were sent for one contact, in order."""
    return [kind for kind, whose in sent(club) if whose == contact]


def _writes(club: Club, entry: Entry) -> Iterator[Write]:
    _, place, *rest = entry.path.split("/")
    if place == "credentials":
        yield from _card_list_writes(club, entry)
    elif not rest:
        yield "create-user", int(entry.body["employee_number"])
    else:
        contact = _contact(club.unifi.world.users.get(rest[0]))
        yield _user_write(rest[1:], entry), contact


def _card_list_writes(club: Club, entry: Entry) -> Iterator[Write]:
    if entry.path.endswith("/import"):
        for row in entry.body["file"].split():
            yield "import-card", _contact_with_card(club, row.rpartition("sync-")[2])
    else:
        yield "set-alias", _contact_with_card(club, entry.body["alias"].removeprefix("sync-"))


def _user_write(rest: Sequence[str], entry: Entry) -> str:
    match rest:
        case []:
            kinds = {"ACTIVE": "activate-user", "DEACTIVATED": "deactivate-user"}
            return kinds.get(entry.body.get("status"), "update-profile")
        case ["nfc_cards", "delete"]:
            return "free-card"
        case ["nfc_cards"]:
            return "reclaim-card" if entry.body["force_add"] else "bind-card"
        case _:
            return "set-policies"


def _contact(user: User | None) -> int:
    return int(user.employee_number) if user and user.employee_number.isdecimal() else 0


def _contact_with_card(club: Club, number: str) -> int:
    [contact] = [
        c
        for c in club.memberships
        if club.card_text(c).strip() and int(club.card_text(c)) == int(number)
    ]
    return contact


def recorded(club: Club, report: CycleReport) -> list[PastStep]:
    """Return the journal's steps of a cycle."""
    assert isinstance(club.journal, InMemoryJournal)
    return list(club.journal.steps(report.cycle_id))


def intended(club: Club, report: CycleReport) -> list[Write]:
    """Return the kind and the contact of each write that the journal knows, in order."""
    return [(step.kind, step.contact_id) for step in recorded(club, report)]


def outcomes(club: Club, report: CycleReport, contact: int) -> list[tuple[str, str | None]]:
    """Return what the journal says became of each write for a contact."""
    return [(s.kind, s.outcome) for s in recorded(club, report) if s.contact_id == contact]


def failed(report: CycleReport) -> dict[int, str]:
    """Return what went wrong for whom."""
    return {
        result.change.contact_id: "; ".join((*result.problems, *result.doubts))
        for result in report.failed
    }


def done(report: CycleReport) -> list[ContactId]:
    """Return the contacts whose changes came true."""
    return [change.contact_id for change in report.done]


def card(club: Club, number: int) -> Card:
    """Return a card as the controller knows it."""
    raw = (FACILITY << 16) | number
    [found] = [card for card in club.unifi.world.cards if card.number == raw]
    return found


def holder(club: Club, number: int) -> str:
    """Return the id of whoever holds a card; nothing if it is free."""
    found = card(club, number).holder
    return found.id if found else ""


def user(club: Club, contact: int) -> User:
    """Return the user of a contact."""
    return club.unifi.world.users[club.user_of(contact)]


# Running a cycle in another way.


@contextmanager
def impatient_parts(club: Club, seconds: float) -> Iterator[Parts]:
    """Yield what a cycle works with, whose controller must answer within so many seconds."""
    with (
        club.parts() as parts,
        HttpClient(
            club.unifi_server.url,
            headers=token_headers(DEFAULT_TOKEN),
            tls=PinnedTls((club.unifi_server.fingerprint or "",)),
            timeout_seconds=seconds,
            clock=club.clock,
            trust_environment_proxies=False,
        ) as client,
    ):
        yield replace(
            parts, controller=UnifiController(client, facility_code=FACILITY, read_concurrency=2)
        )


def run_with(club: Club, around: Callable[[DoorController], DoorController]) -> CycleReport:
    """Run a live cycle with something put around the controller."""
    with club.parts() as parts:
        return live_run(replace(parts, controller=around(parts.controller)))


class Later(ImpatientClock):
    """The machine's clock, some days on."""

    def __init__(self, **span: float) -> None:
        self.span = timedelta(**span)

    def now(self) -> datetime:
        """Return the time in so many days."""
        return super().now() + self.span

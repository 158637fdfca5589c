"""Every fault that a request may meet, and how it is brought about.

Those of the network and of whatever stands before a server are the simulators' own. Beside them:
nothing listens; time runs out, without anybody waiting for it; and a success that did nothing,
which is the real answer to a request that was carried out and then undone.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, Final

from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import (
    Answer,
    Fault,
    Hook,
    Reset,
    Rewrite,
    Truncate,
    html_error,
    json_answer,
    rate_limit,
)
from door_sync.simulators.unifi.world import World
from tests.proof.faults_requests import Aim, as_seen, refusing
from tests.proof.faults_story import Site, copied

_SLOW_BODY: Final = b"{" + b" " * 400_000
"""So large that it takes more than one read, before the second of which no time is left."""

LIE: Final = "success that did nothing"

Arm = Callable[[Site, Aim], None]


@dataclass(frozen=True)
class Kind:
    """One kind of fault; `arm` is None where nothing listens at all."""

    name: str
    arm: Arm | None

    @property
    def passes(self) -> bool:
        """Say whether a read that meets it once is repeated, on either side."""
        return not self.name.startswith(("JSON cut in", "CODE_SYSTEM", "null", LIE))

    @contextmanager
    def strikes(self, site: Site, aim: Aim) -> Iterator[None]:
        """Let the requests that `aim` chooses meet this fault."""
        with ExitStack() as stack:
            if self.arm is None:
                stack.enter_context(refusing(site.club, aim))
            else:
                self.arm(site, aim)
            yield


def _add(site: Site, aim: Aim, *faults: Fault) -> None:
    """Arm faults one after another for the same requests, on the side that they are put to."""
    club = site.club
    plan = club.civicrm.faults if aim.place.asked.is_civicrm else club.unifi.faults
    due = False

    def first(request: SeenRequest) -> bool:
        nonlocal due
        due = aim.hits(as_seen(request))
        return due

    for number, fault in enumerate(faults):
        # All are asked about one request under one lock, the first one first.
        plan.add(fault, where=first if number == 0 else lambda _: due, times=None)


def _plainly(fault: Fault) -> Arm:
    return lambda site, aim: _add(site, aim, fault)


def _late(*, after: bool) -> Arm:
    def arm(site: Site, aim: Aim) -> None:
        sides = site.settings.civicrm, site.settings.unifi
        limit = sides[not aim.place.asked.is_civicrm].timeout_seconds

        def pass_time(_: SeenRequest) -> None:
            site.clock.late += limit

        _add(site, aim, Hook(pass_time, after=after), Answer(200, _SLOW_BODY, after=after))

    return arm


def _retry_at_a_date(site: Site, aim: Aim) -> None:
    moment = site.clock.now() + timedelta(seconds=5)
    _add(site, aim, rate_limit(format_datetime(moment)))


def _system_error(*, after: bool) -> Arm:
    def arm(site: Site, aim: Aim) -> None:
        document: dict[str, Any] = {"code": "CODE_SYSTEM_ERROR", "msg": "failed", "data": None}
        if aim.place.asked.is_civicrm:
            text = "Sorry (Error ID: abCD-efGH-ijKL)"
            document = {"error_code": 0, "error_message": text, "status": 500}
        elif site.club.unifi.switches.dialect == "numeric":
            document |= {"code": 7, "codeS": "CODE_SYSTEM_ERROR"}
        _add(site, aim, json_answer(document, after=after))

    return arm


def _null_data(site: Site, aim: Aim) -> None:
    def change(document: Any) -> Any:
        if aim.place.asked.is_civicrm:
            for part in document.values():
                part["values"] = None
        else:
            document["data"] = None
        return document

    _add(site, aim, Rewrite(change))


def _nothing_done(site: Site, aim: Aim) -> None:
    """A read finds nothing, in a reply that is good otherwise; a write leaves no trace."""
    if not aim.place.asked.is_write:
        _add(site, aim, Rewrite(_emptied))
        return
    before: list[World] = []

    def keep(_: SeenRequest) -> None:
        before.append(copied(site.club.unifi.world))

    def undo(_: SeenRequest) -> None:
        undone = before.pop()
        undone.mint = site.club.unifi.world.mint  # no id is given out twice
        site.club.unifi.world = undone

    _add(site, aim, Hook(keep), Hook(undo, after=True))


def _emptied(document: Any) -> Any:
    if "data" in document:
        document["data"] = [] if isinstance(document["data"], list) else {}
        if isinstance(document.get("pagination"), dict):
            document["pagination"]["total"] = 0
        return document
    for part in document.values():
        part["values"] = []
        for count in ("count", "countFetched", "countMatched"):
            if count in part:
                part[count] = 0
    return document


KINDS: Final = (
    Kind("connect refused", None),
    Kind("reset before", _plainly(Reset())),
    Kind("reset after", _plainly(Reset(after=True))),
    Kind("time-out before", _late(after=False)),
    Kind("time-out after", _late(after=True)),
    Kind("429, Retry-After in seconds", _plainly(rate_limit(3))),
    Kind("429, Retry-After as a date", _retry_at_a_date),
    Kind("429 without Retry-After", _plainly(rate_limit())),
    Kind("500", _plainly(json_answer({}, status=500))),
    Kind("500 after", _plainly(json_answer({}, status=500, after=True))),
    Kind("502 with HTML", _plainly(html_error(502))),
    Kind("502 with HTML after", _plainly(html_error(502, after=True))),
    Kind("JSON cut with its connection", _plainly(Truncate(cut=True))),
    Kind("JSON cut in a whole reply", _plainly(Truncate())),
    Kind("CODE_SYSTEM_ERROR in 200", _system_error(after=False)),
    Kind("CODE_SYSTEM_ERROR in 200 after", _system_error(after=True)),
    Kind("null data", _null_data),
    Kind(LIE, _nothing_done),
)

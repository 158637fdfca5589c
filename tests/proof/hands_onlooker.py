"""Stands at the controller and sees each request, what it was shown, and what each write took.

It reads the simulator's own state, nothing of door-sync. A write is judged by how things are when
it arrives. Where it is wrong by that, the onlooker tells whether the program had been shown the
change of hands before: then it is a fault. If it had not, nobody could have known.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs

from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hook
from door_sync.simulators.unifi.records import User
from tests.proof.faults_requests import BASE
from tests.proof.faults_story import Site
from tests.properties.truth import Standing, is_managed, standings

_USER: Final = re.compile(r"/users/([^/]+)(/.*)?")
_TOKEN: Final = re.compile(r"/credentials/nfc_cards/tokens/([^/]+)")
PAGE: Final = 100

LOST_BY_FORCE = "a card was taken by force from somebody who is not disabled"
MOVED = "a card was taken by force from whom it had been given to since the last look"
LOST = "a card was taken from somebody who is to have it"
SHUT = "somebody who is entitled was deactivated"
GIVEN = "access was given to somebody who has no right to it"
NOT_THE_SAME = "a user was written to who is somebody else's, or nobody's, by now"


@dataclass(frozen=True)
class Shown:
    """A user as an answer showed it last."""

    employee_number: str
    status: str
    policies: frozenset[str]
    cards: frozenset[int]


@dataclass(frozen=True)
class Finding:
    """A write that was wrong when it arrived; `could_know` says that an answer had told before.

    `contact` is whose user it was as far as the program had been shown, `user` its id, or that of a
    visitor, `gap` how many requests lay between the last answer that showed the user (of a card
    that was moved: its former holder) and this write.
    """

    what: str
    user: str
    contact: str
    could_know: bool
    gap: int


@dataclass
class Onlooker:
    """Sees one cycle. `shown` is what the program knows of each user, `force_gaps` how many
    requests lay between the last look at a holder and the write that took the card by force."""

    site: Site
    on_the_eve: dict[int, Standing] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    shown: dict[str, Shown | None] = field(default_factory=dict)
    force_gaps: list[int] = field(default_factory=list)
    requests: int = 0
    _shown_at: dict[str, int] = field(default_factory=dict)
    _cards: dict[str, str] = field(default_factory=dict)
    _looked_at: str = ""
    _ids: set[str] = field(default_factory=set)

    def watch_before(self) -> None:
        """Arm what sees a request before it is handled; hands that come before are armed first."""
        self.on_the_eve = standings(self.site.club)
        self.site.club.unifi.faults.add(Hook(self._arrives), times=None)

    def watch_after(self) -> None:
        """Arm what sees it afterwards; hands that come after are armed later."""
        self.site.club.unifi.faults.add(Hook(self._is_done, after=True), times=None)

    def _arrives(self, request: SeenRequest) -> None:
        self.requests += 1
        if request.method == "GET":
            return
        path = request.path.removeprefix(BASE)
        self._cards = self._held()
        self._ids = {one.id for one in self.site.club.unifi.world.users}
        match = _USER.fullmatch(path)
        if match is not None:
            self._judge(match[1], match[2] or "", request)

    def _is_done(self, request: SeenRequest) -> None:
        path = request.path.removeprefix(BASE)
        users = self.site.club.unifi.world.users
        if request.method == "GET":
            match = _USER.fullmatch(path)
            if path == "/users":
                self._show(self._page(request.query))
            elif match is not None and not match[2]:
                self._looked_at = match[1]
                self._show([match[1]])
            return
        if path == "/users":
            self._show([one.id for one in users if one.id not in self._ids])
        self._look_at_cards(request, path)

    def _page(self, query: str) -> list[str]:
        asked = parse_qs(query)
        cap = self.site.club.unifi.switches.page_size_cap or PAGE
        size = min(int(asked.get("page_size", [str(PAGE)])[0]), cap)
        start = (int(asked.get("page_num", ["1"])[0]) - 1) * size
        return [*self.site.club.unifi.world.users.ids()][start : start + size]

    def _show(self, ids: Iterable[str]) -> None:
        for user_id in ids:
            self.shown[user_id] = self.picture(user_id)
            self._shown_at[user_id] = self.requests

    def picture(self, user_id: str) -> Shown | None:
        """Return a user as it is now."""
        world = self.site.club.unifi.world
        user = world.users.get(user_id)
        if user is None:
            return None
        cards = {
            one.number & 0xFFFF
            for one in world.cards
            if one.holder is not None and one.holder.id == user_id
        }
        status = "" if "status" in user.missing else user.status
        policies = frozenset(user.policy_ids)
        return Shown(user.employee_number, status, policies, frozenset(cards))

    def _held(self) -> dict[str, str]:
        cards = self.site.club.unifi.world.cards
        return {one.token: one.holder.id for one in cards if one.holder is not None}

    def _judge(self, user_id: str, rest: str, request: SeenRequest) -> None:
        """Hold a write to a user against whose user that is now."""
        user = self.site.club.unifi.world.users.get(user_id)
        if user is None:
            return
        known = self.shown[user_id]
        body = request.json()
        if known is None or known.employee_number != user.employee_number:
            self._find(NOT_THE_SAME, user_id)
        elif not is_managed(user.employee_number):
            self._find(NOT_THE_SAME, user_id, could_know=True)
        kinds = {one.kind for one in self._standings(user)}
        is_shut = rest == "" and body.get("status") == "DEACTIVATED"
        if is_shut and kinds <= {"grant", "skip", "unknown"}:
            self._find(SHUT, user_id)
        gives = body.get("status") == "ACTIVE" or body.get("access_policy_ids")
        if (gives or rest == "/nfc_cards") and kinds == {"deny"}:
            self._find(GIVEN, user_id)

    def _look_at_cards(self, request: SeenRequest, path: str) -> None:
        """See who lost a card by this write, and whether they may."""
        world, now = self.site.club.unifi.world, self._held()
        match = _USER.fullmatch(path)
        target = match[1] if match is not None else ""
        by_force = path.endswith("/nfc_cards") and request.json().get("force_add") is True
        for token, holder in self._cards.items():
            if now.get(token) == holder:
                continue
            user = world.users.get(holder)
            if user is None and holder not in {one.id for one in world.visitors}:
                continue  # nobody is there who could lose it
            if user is not None and user.status == "DEACTIVATED" and "status" not in user.missing:
                continue
            if holder != target:
                what = LOST_BY_FORCE if holder == self._looked_at else MOVED
                self._find(what, holder, could_know=not by_force)
                continue
            assert user is not None
            due = {one.card for one in self._standings(user)}
            alias = world.cards[token].alias
            if None not in due and {alias} == {f"sync-{one:05d}" for one in due}:
                self._find(LOST, holder)
        if by_force:
            self.force_gaps.append(self.requests - self._shown_at[self._looked_at] - 1)

    def _standings(self, user: User) -> list[Standing]:
        """Return the standing of whose user that is, now and on the eve: CiviCRM is read once."""
        if not is_managed(user.employee_number):
            return [Standing("unmanaged")]
        contact, nobody = int(user.employee_number), Standing("deny")
        found = self.on_the_eve.get(contact, nobody), standings(self.site.club).get(contact, nobody)
        return [*found]

    def _find(self, what: str, user_id: str, *, could_know: bool | None = None) -> None:
        known, now = self.shown.get(user_id), self.picture(user_id)
        if could_know is None:
            could_know = known is not None and now is not None and known == now
        seen = self._shown_at[self._looked_at if what == MOVED else user_id]
        gap = self.requests - seen - 1
        contact = known.employee_number if known is not None else ""
        self.findings.append(Finding(what, user_id, contact, could_know, gap))

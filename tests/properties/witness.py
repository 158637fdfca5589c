"""P13: what stands on record at the moment the controller gets a write, and what came of it.

The journal is read with SQL alone, while the write is under way and again after the cycle.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hook
from door_sync.simulators.unifi.journal import Entry
from tests.club import Club
from tests.properties.truth import is_managed

UNPROVEN = {"set-alias", "import-card"}
"""A card's new name is what nothing reads back; an import that was refused because the card is
there already is as good as done."""


@dataclass(frozen=True)
class Step:
    """A row of the journal."""

    cycle: str
    number: int
    contact: int
    kind: str
    change: str
    intended_at: datetime
    outcome: str | None

    @property
    def name(self) -> tuple[str, int]:
        """What it is called in the journal."""
        return self.cycle, self.number


@dataclass(frozen=True)
class Sight:
    """One write as it arrived: what kind, for whom, and which steps were open on record then."""

    kind: str
    contact: int | None
    open: tuple[Step, ...]
    at: datetime


@dataclass
class Witness:
    """Looks into the journal at each write that the controller gets."""

    club: Club
    journal: Path
    sights: list[Sight] = field(default_factory=list)
    _before: int = 0

    def watch(self) -> None:
        """Begin; whatever else is to go wrong with the controller is armed after this."""
        hook = Hook(self._see)
        self.club.unifi.faults.add(hook, where=lambda one: one.method != "GET", times=None)

    def forget(self) -> None:
        """Forget the writes so far, here and in the controller's own journal."""
        self.sights.clear()
        self.club.forget()
        self._before = _latest(self.journal)

    def writes(self) -> list[tuple[Sight, Entry]]:
        """Return every write since then, with what became of it."""
        return list(zip(self.sights, self.club.unifi.journal.writes(), strict=True))

    def check(self, *, is_whole: bool, was_lied_to: bool) -> None:
        """Hold the writes to the record; `is_whole`: it came to its end and could be kept.

        `was_lied_to`: the controller called a write done that it did not do. That stands on record
        as it said it, as long as people look in the end as they should (P10).
        """
        writes = self.writes()
        for sight, _ in writes:
            fitting = [step for step in sight.open if _fits(step, sight)]
            assert fitting, f"P13: a {sight.kind} of {sight.contact} without a record: {sight.open}"
            assert all(step.intended_at <= sight.at for step in fitting)
        carried_out = {
            step.name
            for sight, entry in writes
            if entry.carried_out
            for step in sight.open
            if _fits(step, sight)
        }
        for step in self.steps():
            if is_whole:
                assert step.outcome is not None, f"P13: no outcome of {step}"
            if step.outcome == "done" and step.kind not in UNPROVEN and not was_lied_to:
                assert step.name in carried_out, f"P13: {step} is called done and was not"

    def steps(self) -> list[Step]:
        """Return every step of what began since then, as it is on record now."""
        return _steps(self.journal, "number > ?", self._before)

    def open_cycle(self) -> tuple[str, Step | None] | None:
        """Return the cycle that has no end on record, and the step that it died in, if any."""
        with closing(_connected(self.journal)) as connection:
            unfinished = connection.execute(
                "SELECT id FROM cycles WHERE event IS NULL AND kind = 'cycle'"
            ).fetchall()
        if not unfinished:
            return None
        [(cycle,)] = unfinished
        found = _steps(self.journal, "id = ?", cycle)
        steps = [one for one in found if one.outcome is None]
        return cycle, steps[-1] if steps else None

    def check_death(self, cycle: str, step: Step | None, audit: Sequence[Path]) -> None:
        """Hold the record to naming a cycle that died, and the step in which it did."""
        with closing(_connected(self.journal)) as connection:
            [(event,)] = connection.execute("SELECT event FROM cycles WHERE id = ?", (cycle,))
        assert event == "interrupted"
        lines = [line for path in audit for line in path.read_text("utf-8").splitlines()]
        # Twice where the file was rotated before the line could be noted as written.
        told = [one for one in map(_parsed, lines) if one.get("cycle") == cycle]
        assert told, f"P13: no line tells of cycle {cycle}"
        if step is not None:
            for one in told:
                assert f"{step.kind} of contact {step.contact}" in one["exception"]["message"]
            assert step in _steps(self.journal, "id = ?", cycle)

    def _see(self, request: SeenRequest) -> None:
        kind, contact = self._named(request)
        now = self.club.clock.now()
        try:
            found = [one for one in self.steps() if one.outcome is None]
        except sqlite3.Error:
            found = []
        self.sights.append(Sight(kind, contact, tuple(found), now))

    def _named(self, request: SeenRequest) -> tuple[str, int | None]:
        """Return what the journal calls such a write, and whom it is for where the request says."""
        _, _, path = request.path.partition("/developer/")
        match request.method, path.split("/"):
            case "POST", ["users"]:
                return "create-user", int(request.json()["employee_number"])
            case "POST", ["credentials", "nfc_cards", "import"]:
                return "import-card", None
            case "PUT", ["credentials", "nfc_cards", "tokens", _]:
                return "set-alias", None
            case _, ["users", user_id, *rest]:
                return _kind(rest, request.json()), self._contact(user_id)
        raise AssertionError(f"nobody knows the write {request.method} {path}")

    def _contact(self, user_id: str) -> int | None:
        users = self.club.unifi.world.users
        number = users[user_id].employee_number if user_id in users else ""
        return int(number) if is_managed(number) else None


def _kind(rest: list[str], body: dict[str, Any]) -> str:
    match rest:
        case []:
            named = {"ACTIVE": "activate-user", "DEACTIVATED": "deactivate-user"}
            return named[body["status"]] if "status" in body else "update-profile"
        case ["access_policies"]:
            return "set-policies"
        case ["nfc_cards"]:
            return "reclaim-card" if body.get("force_add") else "bind-card"
        case ["nfc_cards", "delete"]:
            return "free-card"
    raise AssertionError(f"nobody knows the write to {rest}")


def _fits(step: Step, sight: Sight) -> bool:
    return step.kind == sight.kind and sight.contact in (None, step.contact)


def _latest(journal: Path) -> int:
    """Return the number of what began last; 0 where there is nothing, or no journal."""
    if not journal.is_file():
        return 0
    with closing(_connected(journal)) as connection:
        ((number,),) = connection.execute("SELECT coalesce(max(number), 0) FROM cycles")
    return int(number)


def _steps(journal: Path, which: str, value: object) -> list[Step]:
    """Return the steps of the cycles, and commands, to which this condition applies."""
    with closing(_connected(journal)) as connection:
        rows = connection.execute(
            "SELECT cycle, number, contact_id, kind, change, intended_at, outcome FROM steps "
            f"WHERE cycle IN (SELECT id FROM cycles WHERE {which}) ORDER BY cycle, number",
            (value,),
        ).fetchall()
    return [_step(*row) for row in rows]


def _step(
    cycle: str, number: int, contact: int, kind: str, change: str, at: str, outcome: str | None
) -> Step:
    return Step(cycle, number, contact, kind, change, datetime.fromisoformat(at), outcome)


def _connected(journal: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{journal}?mode=ro", uri=True)


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}  # half a line, left by a process that died
    assert isinstance(found, dict)
    return found

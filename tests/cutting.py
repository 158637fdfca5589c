"""Cutting people off at a club, as another process does it: a journal's file and connections apart.

`Cutter` runs `revoke` beside a cycle that has the same journal open.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from door_sync.app.cycle import live_run
from door_sync.app.report import CycleReport
from door_sync.app.urgent import Revoked, restore, revoke
from door_sync.core.people import ContactId
from door_sync.journal.cutoffs import Reason
from door_sync.journal.sqlite import SqliteJournal
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hook
from door_sync.simulators.unifi.switches import Switches
from tests.club import Club

T = TypeVar("T")


@dataclass(frozen=True)
class Cutter:
    """Both commands and whole cycles at one club, with the journal in a directory."""

    club: Club
    directory: Path

    @property
    def path(self) -> Path:
        """The journal."""
        return self.directory / "history.db"

    @property
    def audit(self) -> Path:
        """The audit file."""
        return self.directory / "audit.jsonl"

    def revoke(self, *contacts: int, reason: str = "") -> Revoked:
        """Cut these contacts off."""
        with self.club.parts() as parts:
            return revoke(
                [ContactId(one) for one in contacts],
                parts.controller,
                self.path,
                self.audit,
                self.club.clock,
                "kim",
                Reason.of(reason),
            )

    def restore(self, *contacts: int) -> None:
        """Lift the cut-offs of these contacts."""
        restore([ContactId(one) for one in contacts], self.path, self.club.clock, "kim")

    def cycle(self) -> CycleReport:
        """Run one live cycle with the journal of that file."""
        with (
            SqliteJournal.open(self.path, self.club.clock) as journal,
            self.club.parts(journal) as parts,
        ):
            return live_run(parts)

    def at_request(self, number: int, act: Callable[[], T], *, after: bool) -> list[T]:
        """Do something just before (or after) the controller carries out that request from now.

        Return the list where its result will be. An act's own requests do not set it off again.
        """
        results: list[T] = []

        def run(_request: SeenRequest) -> None:
            results.append(act())

        self.club.unifi.faults.add(Hook(run, after=after), first=number)
        return results


def begin(club: Club, **switches: object) -> None:
    """Empty the club; one member stays, and its guards do not mind small numbers."""
    club.reset(Switches.of(switches))
    club.relax()
    club.join(1100)

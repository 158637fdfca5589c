"""What must hold of a cycle that met a fault, and of the cycles after it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from typing import Final

from door_sync.app.report import CycleReport, Ending
from door_sync.core.steps import Change, ChangeClass, NoticeKind
from tests.proof.faults_kinds import KINDS, Kind
from tests.proof.faults_requests import Aim, Place, places, taken_down
from tests.proof.faults_story import LEAVERS, Picture, Site
from tests.properties.witness import Step, Witness

LED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "leaver": ("recycler",),
    "ann": ("bob",),
    "bob": ("ann",),
    "renamed": ("heir",),
    "heir": ("newcard",),
    "circle one": ("circle two",),
    "circle two": ("circle one",),
}
"""Who waits for a card or an address of whom: the failure of one may be that of the other (P6)."""

IMPORTERS: Final = ("back", "again", "replaces", "newcard", "other card")
"""Whose cards travel in one file."""

HEALED = "healed within the cycle"
NEXT = "reported, healed by the next"
SECOND = "reported, healed by the second"
A_DAY = "reported, healed after a day"
NOTHING = "read distrusted, nothing written"
OUTCOMES: Final = (HEALED, NEXT, SECOND, A_DAY, NOTHING)


@dataclass(frozen=True)
class Start:
    """The eve under one reading, the end that a cycle without fault comes to, and its requests."""

    name: str
    eve: Picture
    end: Picture
    places: Sequence[Place]

    def kinds(self) -> dict[str, list[Place]]:
        """Return the places of each kind of request."""
        found: dict[str, list[Place]] = {}
        for one in self.places:
            found.setdefault(one.kind, []).append(one)
        return found


def start(site: Site, name: str) -> Start:
    """Look at the eve, run one cycle without fault, and a second that must write nothing (P8)."""
    eve = site.picture()
    with taken_down() as found:
        report = site.cycle()
    problems = [(one.change.contact_id, one.problems) for one in report.failed]
    assert report.ending is Ending.CLEAN, (report.reason(), problems)
    end = site.picture()
    kinds = {type(planned.step).__name__ for planned in report.plan.steps()}
    assert len(kinds) == 9, f"the story lacks a kind of step, it has {kinds}"
    site.club.forget()
    assert site.cycle().ending is Ending.CLEAN
    assert site.club.writes() == 0
    return Start(name, eve, end, places(found))


@dataclass(frozen=True)
class Strike:
    """One request that meets a fault: once, or with all of its kind that follow."""

    place: Place
    kind: Kind
    lasts: bool = False

    @property
    def name(self) -> str:
        """It in words."""
        how = "from it on" if self.lasts else "once"
        return f"{self.place.kind} (no. {self.place.number}), {how}: {self.kind.name}"


@dataclass
class Judge:
    """Holds one case after the other to the promises, and counts what came of each."""

    site: Site
    told: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    readings: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def take_up(self, start: Start) -> None:
        """Take note of a reading and of the kinds of requests that a cycle has under it."""
        self.readings.add(start.name)
        self.kinds |= start.kinds().keys()

    def unmet(self) -> list[tuple[str, str]]:
        """Return which kind of request met which fault never."""
        names = [(kind, fault.name) for kind in sorted(self.kinds) for fault in KINDS]
        return [one for one in names if one not in self.told]

    def table(self) -> Iterator[str]:
        """Yield the counts: requests × faults, then what came of each fault."""
        yield f"| request | {' | '.join(map(str, range(1, len(KINDS) + 1)))} |"
        yield f"| --- |{' ---: |' * len(KINDS)}"
        for kind in sorted(self.kinds):
            counts = [self.told.get((kind, one.name), Counter()).total() for one in KINDS]
            yield f"| {kind} | {' | '.join(map(str, counts))} |"
        yield ""
        yield f"| | fault | {' | '.join(OUTCOMES)} |"
        yield f"| ---: | --- |{' ---: |' * len(OUTCOMES)}"
        for number, fault in enumerate(KINDS, start=1):
            found = [counts for (_, name), counts in self.told.items() if name == fault.name]
            yield f"| {number} | {fault.name} | {_outcomes(found)} |"
        every = self.told.values()
        yield f"| | {sum(one.total() for one in every)} in all | {_outcomes(every)} |"

    def run(self, start: Start, strikes: Sequence[Strike]) -> str:
        """Run a cycle in which requests are struck, and those that heal; return what came of it."""
        site = self.site
        site.rewind()
        witness = Witness(site.club, site.journal)
        witness.watch()
        witness.forget()
        aims = [Aim(one.place, lasts=one.lasts) for one in strikes]
        with ExitStack() as stack:
            for one, aim in zip(strikes, aims, strict=True):
                stack.enter_context(one.kind.strikes(site, aim))
            report = site.cycle()
        seen = site.picture()
        # What the record calls done is held against the controller itself below.
        witness.check(is_whole=True, was_lied_to=True)
        self._recorded(start, seen, witness.steps())
        self._doors(start, seen)
        self._others(start, seen)
        self._said(start, seen, report)
        if report.ledger is None:
            assert site.club.writes() == 0, "P2: a distrusted read writes nothing"
            assert seen == start.eve
        else:
            self._leavers(seen, aims, report)
            self._one_persons_failure(start, seen, report, strikes)
            self._no_false_failure(start, seen, report, strikes)
        outcome = self._heal(start, report)
        for one, aim in zip(strikes, aims, strict=True):
            if aim.struck:
                self.told.setdefault((one.place.kind, one.kind.name), Counter())[outcome] += 1
        return outcome

    # In the cycle itself.

    def _doors(self, start: Start, seen: Picture) -> None:
        new = seen.opens - start.eve.opens - start.end.opens
        assert not new, f"P1: somebody got in who may not: {new}"
        lost = (start.eve.opens & start.end.opens) - seen.opens
        assert not lost, f"P1: somebody lost access who is to keep it: {lost}"

    def _others(self, start: Start, seen: Picture) -> None:
        eve, end = start.eve, start.end
        assert seen.strangers == eve.strangers, "P4: a stranger was written to"
        assert seen.rest == eve.rest, "P4: what is not managed was written to"
        for number, (alias, holder) in seen.cards.items():
            before, after = eve.cards.get(number, ("", "")), end.cards[number]
            assert alias in (before[0], after[0])
            assert holder in (before[1], after[1], ""), f"P3: {number} went to {holder}"
            if before[1] == after[1]:
                assert holder == before[1], f"P3: {number} was taken from {before[1]}"

    def _leavers(self, seen: Picture, aims: Iterable[Aim], report: CycleReport) -> None:
        """P5; who was not found in CiviCRM is believed to be gone when that was so twice (R1)."""
        users = self.site.club.unifi.world.users
        struck = {one.path for aim in aims for one in aim.struck if "DEACTIVATED" in one.kind}
        exempt = {user.employee_number for user in users if any(user.id in one for one in struck)}
        exempt |= {str(one) for one in missing(report)}
        for name in LEAVERS:
            contact = self.site.roles[name]
            if str(contact) not in exempt:
                assert seen.of(contact)[0] == "DEACTIVATED", f"P5: {name} is not cut off"

    def _unfinished(self, start: Start, seen: Picture) -> set[str]:
        return {
            name
            for name, contact in self.site.roles.items()
            if seen.of(contact) != start.end.of(contact)
        }

    def _one_persons_failure(
        self, start: Start, seen: Picture, report: CycleReport, strikes: Sequence[Strike]
    ) -> None:
        """P6: as many people as requests were struck, and those who wait for them."""
        unfinished = self._unfinished(start, seen)
        if report.error is not None or any(one.lasts for one in strikes):
            return
        if any("import" in one.place.kind for one in strikes):
            unfinished -= {*IMPORTERS}
        roots: Iterable[tuple[str, ...]] = combinations(self.site.roles, len(strikes))
        assert any(unfinished <= _led_by(each) for each in roots), f"P6: {unfinished}"

    def _said(self, start: Start, seen: Picture, report: CycleReport) -> None:
        """P10: what the report and the audit line call done is so."""
        blocked = {one.contact_id for one in report.blocked}
        excusing = (NoticeKind.ADDRESS_LEFT_OUT, NoticeKind.RESTORE_WAITS)
        refused = {one.contact_id for one in report.notices if one.kind in excusing}
        left_out = {
            result.planned.change.contact_id
            for result in (report.ledger.results if report.ledger else ())
            if result.outcome.value == "left out"
        }
        for change in report.done:
            contact = change.contact_id
            has, wanted = seen.of(contact), start.end.of(contact)
            for aspect in _aspects(change):
                if aspect == CARDS and contact in blocked:
                    continue
                if aspect == ADDRESS and contact in refused | left_out:
                    continue
                assert has[aspect] == wanted[aspect], f"P10: {change.change_class} of {contact}"
        with (self.site.directory / "audit.jsonl").open() as file:
            line = json.loads(file.readlines()[-1])
        done = {
            (one["contact"], one["class"]) for one in line["changes"] if one["outcome"] == "done"
        }
        assert done == {(one.contact_id, one.change_class.value) for one in report.done}
        assert (report.ending is Ending.CLEAN) == (line["event"] == "applied" and not report.failed)
        if report.ending is Ending.CLEAN:
            wrong = self._unfinished(start, seen)
            excused = {
                name
                for name, c in self.site.roles.items()
                if c in blocked | refused | left_out | missing(report)
            }
            assert wrong <= excused, f"P10: a clean end, and yet {wrong} are not as they should be"

    def _recorded(self, start: Start, seen: Picture, steps: Iterable[Step]) -> None:
        """P10: what the journal calls done, and nothing after it took back, is so."""
        last = {(one.contact, one.kind): one for one in steps}
        for (contact, kind), step in last.items():
            if step.outcome != "done":
                continue
            has, wanted = seen.of(contact), start.end.of(contact)
            shut = last.get((contact, "deactivate-user"))
            match kind:
                case "create-user":
                    assert has, f"P10: {contact} is not there"
                case "deactivate-user":
                    assert has[STATUS] == "DEACTIVATED", f"P10: {contact} is active"
                case "activate-user" if shut is None or shut.number < step.number:
                    assert has[STATUS] == "ACTIVE", f"P10: {contact} is not active"
                case "bind-card" | "reclaim-card":
                    assert {*wanted[CARDS]} <= {*has[CARDS]}, f"P10: {contact} has no card"
                case "free-card":
                    assert {*has[CARDS]} != {*start.eve.of(contact)[CARDS]}, f"P10: {contact}"
                case "set-alias":
                    assert self.site.has_alias(wanted[CARDS][0]), f"P10: {contact}"
                case _:
                    pass  # others are said of the whole change, which is looked at as such

    def _no_false_failure(
        self, start: Start, seen: Picture, report: CycleReport, strikes: Sequence[Strike]
    ) -> None:
        """Whoever looks right in the end was not reported, if the read-back was not struck."""
        of_read_back = "GET /users/:id"
        if report.error is not None or any(
            one.kind.name.startswith("CODE_SYSTEM_ERROR")  # a refusal, which the next cycle settles
            or "read back" in one.place.kind
            or (one.lasts and one.place.asked.kind == of_read_back)
            for one in strikes
        ):
            return
        unfinished = self._unfinished(start, seen) | {*LEAVERS}  # whose cards are not compared
        for result in report.failed:
            contact = result.change.contact_id
            [name] = [one for one, c in self.site.roles.items() if c == contact]
            assert name in unfinished, f"P10: reported, and was done: {name}: {result.problems}"

    # Afterwards.

    def _heal(self, start: Start, report: CycleReport) -> str:
        club = self.site.club
        club.unifi.faults.clear()
        club.civicrm.faults.clear()
        outcome = HEALED
        if report.ending is not Ending.CLEAN or self.site.picture() != start.end:
            outcome = self._converge(start)
            if report.ledger is None and outcome == NEXT:
                outcome = NOTHING
        club.forget()
        last = self.site.cycle()
        assert last.ending is Ending.CLEAN, last.reason()
        assert club.writes() == 0, f"P8: {club.unifi.journal.writes()}"
        assert self.site.picture() == start.end
        return outcome

    def _converge(self, start: Start) -> str:
        for outcome in (NEXT, SECOND, A_DAY):
            if outcome == A_DAY:
                self.site.clock.ahead += timedelta(hours=25)
            report = self.site.cycle()
            seen = self.site.picture()
            self._doors(start, seen)
            self._others(start, seen)
            self._said(start, seen, report)
            if report.ending is Ending.CLEAN and seen == start.end:
                return outcome
        raise AssertionError(
            f"P9: it does not heal: {self._unfinished(start, self.site.picture())}"
        )


def missing(report: CycleReport) -> frozenset[int]:
    """Return who was asked for by id and not found (R1)."""
    return frozenset(report.decision.missing) if report.decision is not None else frozenset()


def _outcomes(found: Iterable[Counter[str]]) -> str:
    total: Counter[str] = sum(found, Counter())
    return " | ".join(str(total[one]) for one in OUTCOMES)


def _led_by(roots: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = [*roots]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(LED_BY.get(name, ()))
    return found


STATUS, POLICIES, CARDS, NAMES, ADDRESS = range(5)
"""Where a picture shows what of a person."""


def _aspects(change: Change) -> tuple[int, ...]:
    """Return what must look as in the end once a change of this class is called done."""
    match change.change_class:
        case ChangeClass.REVOKE:
            return (STATUS,)
        case ChangeClass.POLICY:
            return (POLICIES,)
        case ChangeClass.CARD:
            return (CARDS,)
        case ChangeClass.PROFILE:
            return (NAMES, ADDRESS)
        case _:
            return (STATUS, POLICIES, CARDS, NAMES, ADDRESS)

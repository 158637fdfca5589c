"""Every fault at every request of a cycle that needs everything: the promises hold, and it heals.

Thorough: each request of the cycle × each fault, once; each kind of request × each fault, from its
first one on for the rest of the cycle; under three readings of the controller's interface, and
every fifth of all that under three more. As a sample: each kind of request × each fault, several
of them in one cycle, and some that last.
"""

from collections.abc import Iterator, Sequence
from random import Random
from zlib import crc32

import pytest
import stamina

from tests.club import open_club
from tests.proof.faults_kinds import KINDS, LIE, Kind
from tests.proof.faults_promises import Judge, Start, Strike, start
from tests.proof.faults_requests import Place
from tests.proof.faults_story import MORE_READINGS, READINGS, Site
from tests.thorough import THOROUGH

ALL_READINGS = {**READINGS, **MORE_READINGS}


@pytest.fixture(scope="module")
def judge(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Judge]:
    """What runs the cases, over simulators that were started once; prints the table at the end."""
    directory = tmp_path_factory.mktemp("every fault") / "site"
    with stamina.set_testing(True, attempts=3, cap=True), open_club() as club:
        judge = Judge(Site(club, directory))
        yield judge
    if judge.readings >= {*READINGS}:
        assert judge.unmet() == [], "each kind of request must meet each fault"
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    if THOROUGH and terminal is not None:
        terminal.write_line("\nEvery fault at every request")
        for line in [*judge.table(), *judge.failures]:
            terminal.write_line(line)


@pytest.mark.parametrize("reading", ALL_READINGS if THOROUGH else READINGS)
def test_each_fault_at_each_request(judge: Judge, reading: str) -> None:
    judge.site.begin(ALL_READINGS[reading])
    begun = start(judge.site, reading)
    judge.take_up(begun)
    failures = judge.failures
    failures.clear()

    def run(cases: list[list[Strike]]) -> None:
        for strikes in cases:
            try:
                judge.run(begun, strikes)
            except AssertionError as error:
                failures.append(f"{[one.name for one in strikes]}: {error}")

    if THOROUGH:
        run(every_case(begun))
    else:
        run(sampled(begun))
        run(missed(judge, begun))
    assert not failures, "\n".join(failures)


def every_case(begun: Start) -> list[list[Strike]]:
    """Return one strike for each cycle of the thorough run."""
    first = [places[0] for places in begun.kinds().values()]
    cases = [[Strike(place, kind)] for place in begun.places for kind in KINDS]
    cases += [[Strike(place, kind, lasts=True)] for place in first for kind in KINDS]
    Random(0).shuffle(cases)  # so that a run that is broken off has met all of them somewhat
    return cases[:: 1 if begun.name in READINGS else 5]


def sampled(begun: Start) -> list[list[Strike]]:
    """Return the strikes of each cycle of the sample: this reading's share of the kinds."""
    kinds = begun.kinds()
    reads = [[*places] for kind, places in kinds.items() if is_read(kind)]
    others = [places for kind, places in mine(begun).items() if not is_read(kind)]
    own_reads = [places[0] for kind, places in mine(begun).items() if is_read(kind)]
    passing = [one for one in KINDS if one.passes]
    cases = [[Strike(place, kind)] for place in own_reads for kind in KINDS if not kind.passes]
    if begun.name == next(iter(READINGS)):
        cases += in_company(reads, passing)
    cases += in_company(others, KINDS)
    lasting = [Strike(each[0], kind, lasts=True) for each in kinds.values() for kind in KINDS]
    cases += [[one] for one in lasting[[*READINGS].index(begun.name) * 7 :: 97]]
    return cases


def in_company(kinds: Sequence[Sequence[Place]], faults: Sequence[Kind]) -> list[list[Strike]]:
    """Return cycles in each of which one request of each kind is struck, each by another fault."""
    return [
        [
            Strike(places[turn % len(places)], faults[(turn + number) % len(faults)])
            for number, places in enumerate(kinds)
        ]
        for turn in range(len(faults))
        if kinds
    ]


def missed(judge: Judge, begun: Start) -> list[list[Strike]]:
    """Return what of this reading's share no cycle came to, because of the company: alone now."""
    return [
        [Strike(places[0], fault)]
        for kind, places in mine(begun).items()
        for fault in KINDS
        if (kind, fault.name) not in judge.told
    ]


def mine(begun: Start) -> dict[str, list[Place]]:
    """Return the kinds of requests that are this reading's share; not every reading has all."""
    share = [*READINGS].index(begun.name)

    def owner(kind: str) -> int:
        if "DELETE" in kind:
            return 1
        return 2 if "tokens/:id" in kind else crc32(kind.encode()) % len(READINGS)

    return {kind: places for kind, places in begun.kinds().items() if owner(kind) == share}


def is_read(kind: str) -> bool:
    """Say whether a kind of request belongs to the reading, which ends the cycle if it fails."""
    return kind.startswith("CiviCRM") or kind.endswith("to read")


def test_the_kinds_of_faults_are_those_that_are_promised() -> None:
    """Eighteen: those before and after the request was carried out are two each."""
    assert len({one.name for one in KINDS}) == len(KINDS) == 18
    assert KINDS[-1].name == LIE

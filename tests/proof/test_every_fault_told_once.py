"""A controller that lies in each cycle is reported in each, and alerted of once (P10, P14)."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import stamina

from door_sync.app.report import Ending
from tests.club import open_club
from tests.mailing import subjects
from tests.notify.conftest import Behaviour, MailServer
from tests.proof.faults_kinds import KINDS, LIE
from tests.proof.faults_promises import Start, start
from tests.proof.faults_requests import BASE, Aim
from tests.proof.faults_story import READINGS, Site
from tests.thorough import sample

CYCLES = 3
FAILED = "Changes for some people failed"


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    """A mail server on loopback, without TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server = MailServer(context, tls_from_the_start=False, behaviour=Behaviour())
    yield server
    server.close()


@pytest.fixture(scope="module")
def site(server: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose alerts are mailed."""
    directory = tmp_path_factory.mktemp("lies") / "site"
    with stamina.set_testing(True, attempts=3, cap=True), open_club() as club:
        yield Site(club, directory)


@pytest.mark.parametrize("reading", sample([*READINGS], 3))
def test_a_lie_that_lasts_is_reported_each_time_and_alerted_of_once(
    site: Site, server: MailServer, reading: str
) -> None:
    """Whatever kind of write it is about; an alias alone is nobody's access, and in the record."""
    site.begin(READINGS[reading], mail_to=server.port)
    begun = start(site, reading)
    # A method that this controller does not know is answered so; nothing is called done.
    done = {
        (one.method, BASE + one.path) for one in site.club.unifi.journal.writes() if one.carried_out
    }
    for kind, places in begun.kinds().items():
        asked = places[0].asked
        if (asked.method, asked.path) in done and "tokens/:id" not in kind:
            told_once(site, server, begun, kind)


def told_once(site: Site, server: MailServer, begun: Start, kind: str) -> None:
    """Let every write of a kind be a lie for some cycles, and listen."""
    [lie] = [one for one in KINDS if one.name == LIE]
    site.rewind()
    server.mails.clear()
    reported = 0
    for _ in range(CYCLES):
        site.club.unifi.faults.clear()
        aim = Aim(begun.kinds()[kind][0], lasts=True, at_once=True)
        with ExitStack() as stack:
            stack.enter_context(lie.strikes(site, aim))
            report = site.cycle()
        assert (report.ending is not Ending.CLEAN) or not aim.struck, f"{kind}: a lie is believed"
        reported += report.ending is not Ending.CLEAN
    assert reported, kind
    begun_alerts = [one for one in subjects(server) if one == FAILED]
    assert len(begun_alerts) == 1, f"{kind}: P14: {subjects(server)}"

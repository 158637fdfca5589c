"""Hostile servers on either side of the whole program: it ends soon, in words, and writes nothing.

The other side is the simulated one. What drips, hangs or promises for ever is in
tests/http/test_wire_troubles.py, where the clock is made up. Memory is
that of the process, as the kernel counts it.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.cli.conftest import PATIENCE_SECONDS, Site, environment
from tests.http.conftest import Identity, RawServer
from tests.proof.wire.hostile_servers import HOSTILE, answering_with, whole
from tests.thorough import THOROUGH, sample

Serve = Callable[..., RawServer]
Identities = tuple[Identity, Identity]

MOST_MEBIBYTES = 330
"""The process takes some 60 without any answer; the rest is one reply at its limits."""

MEASURED = """
import atexit, pathlib, re
from door_sync.cli.entry import main
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: print(re.search("VmHWM:.*", status.read_text())[0]))
main()
"""
"""The program, which says at its end how much memory it had at most. What the kernel tells its
parent is not less than what the parent itself had when it began."""

NAMED = {"civicrm": "CiviCRM", "unifi": "controller"}
CASES = [(side, name) for side in NAMED for name in HOSTILE]
GREEDY = ("gzip_bomb", "fifty_megabytes", "tiny_values", "chunks_without_end")

peaks: dict[tuple[str, str], int] = {}


@pytest.fixture(scope="module", autouse=True)
def _told() -> Iterator[None]:
    yield
    if THOROUGH:
        for (side, name), peak in peaks.items():
            print(f"hostile wire: {side:8} {name:20} {peak:4} MiB at most")


@pytest.fixture
def aimed(site: Site, serve: Serve, identities: Identities) -> Callable[..., RawServer]:
    """Return what puts a hostile server in the place of one side."""

    def aim(side: str, script: Callable[..., None], **settings: object) -> RawServer:
        server = serve(script, identities[0].context if side == "unifi" else None)
        pin = {"unifi__tls_fingerprint": identities[0].fingerprint} if side == "unifi" else {}
        site.configure(**{f"{side}__host": server.url}, **pin, **settings)
        return server

    return aim


def check(site: Site, code: int, said: str) -> None:
    assert code == 2, said
    assert "Traceback" not in said
    assert "fault of its own" not in said
    assert site.civicrm_key not in said
    assert DEFAULT_TOKEN not in said
    assert "Ålesund" not in said
    assert len(said) < 4000
    assert not site.club.unifi.journal.writes()


@pytest.mark.parametrize(("side", "name"), sample(CASES, 3))
def test_a_hostile_answer_ends_the_cycle_in_words(
    side: str,
    name: str,
    site: Site,
    aimed: Callable[..., RawServer],
) -> None:
    """Not the first cycle of the site, so that there is somebody to lose access."""
    member = site.club.join("50001", first="Ålesund")
    site.settle()
    site.club.lapse(member)
    server = aimed(side, answering_with(HOSTILE[name]), **{f"{side}__timeout_seconds": 5})
    ran = site.run("run", "--once")
    check(site, ran.code, ran.out + ran.err)
    assert NAMED[side] in ran.out + ran.err or server.host in ran.out + ran.err
    assert site.last_event() == "failed"
    assert len(server.connections) <= 20


@pytest.mark.parametrize(
    ("side", "name"), [(side, name) for side in NAMED for name in sample(GREEDY, 3)]
)
def test_a_greedy_answer_takes_no_memory(
    side: str,
    name: str,
    site: Site,
    aimed: Callable[..., RawServer],
) -> None:
    aimed(side, answering_with(HOSTILE[name]), **{f"{side}__timeout_seconds": 20})
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, *site.where(), "run", "--once"],
        env=environment(),
        text=True,
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    out, _, peak = ended.stdout.rpartition("VmHWM:")
    check(site, ended.returncode, out + ended.stderr)
    peaks[side, name] = int(peak.split()[0]) // 1024
    assert peaks[side, name] < MOST_MEBIBYTES


@pytest.mark.parametrize(
    ("side", "status"),
    sample([(side, status) for side in NAMED for status in (301, 302, 303, 307, 308)], 3),
)
def test_a_redirect_takes_the_key_nowhere(
    side: str,
    status: int,
    site: Site,
    serve: Serve,
    aimed: Callable[..., RawServer],
) -> None:
    elsewhere = serve(answering_with(lambda: iter([whole(b"{}")])))
    moved = (
        b"HTTP/1.1 %d Moved\r\nLocation: %s/api\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        % (status, elsewhere.url.encode())
    )
    aimed(side, answering_with(lambda: iter([moved])))
    ran = site.run("run", "--once")
    check(site, ran.code, ran.out + ran.err)
    assert elsewhere.received == []

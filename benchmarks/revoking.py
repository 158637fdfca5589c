"""From the trigger to the proven revocation: the service runs, a membership lapses, CiviCRM calls.

Measured from the moment the signed call is sent until the door refuses the card, as the simulated
controller would decide, and until the journal has the moment at which the person was read back
without access (what `door-sync history` calls proven).
"""

import hashlib
import hmac
import http.client
import os
import secrets
import signal
import socket
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.changes import Event, Happenings
from benchmarks.club import FIRST_CONTACT
from benchmarks.sides import TRIGGER_SECRET, Sides, club, door_sync, surroundings, write_files

TRIGGER_INTERVAL_SECONDS = 10.0
"""A trigger starts no cycle sooner after the beginning of the last one (service.md)."""

PATIENCE_SECONDS = 120.0
_GLANCE_SECONDS = 0.005
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shut:
    """Seconds from the trigger until the door refused, and until that was read back."""

    refused: float
    proven: float


def measure_revoking(members: int, runs: int) -> dict[str, Any]:
    """Return the figures for a club of so many members: the middle of some runs."""
    with club(members) as sides:
        port = _free_port()
        write_files(sides, listen=f"127.0.0.1:{port}")
        happenings = Happenings(members)
        with _service(sides.site):
            found = [_one(sides, port, happenings.lapse()) for _ in range(runs)]
    return {
        "members": members,
        "runs": runs,
        "refused": round(statistics.median(one.refused for one in found), 3),
        "proven": round(statistics.median(one.proven for one in found), 3),
        "each": [[round(one.refused, 3), round(one.proven, 3)] for one in found],
    }


def _one(sides: Sides, port: int, person: int) -> Shut:
    """Let one membership run out, call, and wait for the end of it."""
    journal = sides.site / "history.db"
    began = _wait_for(lambda: _rested(journal), "the service's cycle did not end")
    time.sleep(max(0.0, TRIGGER_INTERVAL_SECONDS + 0.5 - (time.time() - began)))
    if not sides.unifi.tell("opens", person):
        raise RuntimeError("the door refuses a member")
    sides.happen([Event("left", person)])
    called = time.time()
    _call(port)
    _wait_for(lambda: not sides.unifi.tell("opens", person) or None, "the door still opens")
    refused = time.time()
    contact = FIRST_CONTACT + person
    proven = _wait_for(lambda: _proven(journal, contact), "the revocation is not proven")
    return Shut(refused - called, proven - called)


@contextmanager
def _service(site: Path) -> Iterator[None]:
    """Run `door-sync run` as long as the block lasts."""
    with (
        (site / "service.log").open("wb") as log,
        subprocess.Popen(
            door_sync("run"), cwd=site, env=surroundings(), stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield
        finally:
            os.kill(process.pid, signal.SIGTERM)


def _call(port: int) -> None:
    """Send the signed call of docs/service.md; raise RuntimeError if it is refused."""
    body, stamp = secrets.token_hex(8).encode(), str(int(time.time()))
    message = stamp.encode() + b"." + body
    headers = {
        "X-Door-Sync-Timestamp": stamp,
        "X-Door-Sync-Signature": hmac.new(
            TRIGGER_SECRET.encode(), message, hashlib.sha256
        ).hexdigest(),
    }
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", "/hooks/sync", body, headers)
        answer = connection.getresponse()
        answer.read()
    if answer.status != http.client.ACCEPTED:
        raise RuntimeError(f"the trigger was answered with {answer.status}")


def _rested(journal: Path) -> float | None:
    """Return when the last cycle began (Unix time) if there is one and it has ended."""
    if not journal.exists():
        return None
    rows = _asked(journal, "SELECT started, ended FROM cycles ORDER BY started DESC LIMIT 1")
    return _unix(rows[0][0]) if rows and rows[0][1] is not None else None


def _proven(journal: Path, contact: int) -> float | None:
    """Return when this contact was read back without access (Unix time), None if not yet."""
    rows = _asked(
        journal,
        "SELECT ended_at FROM revocations WHERE contact_id = ? AND ending = 'proven'",
        contact,
    )
    return _unix(rows[0][0]) if rows else None


def _asked(journal: Path, question: str, *values: object) -> list[Any]:
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
            return connection.execute(question, values).fetchall()
    except sqlite3.OperationalError:  # it is being made just now
        return []


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _wait_for(look: Callable[[], T | None], failure: str) -> T:
    """Look again and again until there is something; raise TimeoutError after PATIENCE_SECONDS."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > until:
            raise TimeoutError(failure)
        time.sleep(_GLANCE_SECONDS)
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])

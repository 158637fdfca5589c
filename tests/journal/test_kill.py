"""A process that is killed leaves a journal that tells what it was doing (P9, P13)."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import Clock, FailedImport, GoodCounts, Memory

Spawn = Callable[..., "subprocess.Popen[str]"]

CODE = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from door_sync.core.tags import digest
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import GoodCounts, StepRecord

class Clock:
    def now(self):
        return datetime(2025, 3, 10, 8, 15, tzinfo=UTC)

def keyed(part):
    return digest(bytes(32), "test", part)

record = SqliteJournal.open(Path(sys.argv[1]), Clock()).begin(Clock().now())
record.remember_refused_address(keyed("address"))
record.remember_failed_import(keyed("import"), keyed("world"))
record.remember_failed_restore(7)
record.remember_statusless(keyed("row"))
record.remember_alias(keyed("token"), keyed("number"))
record.good_read(GoodCounts(5, 4), [3])
record.provisioning(open_=False)
record.outcome(record.intend(StepRecord(41, "deactivate", "revoke", "why", keyed("1"))), "done")
record.intend(StepRecord(42, "bind", "grant", "why", keyed("2")))
print(record.cycle_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def keyed(part: str) -> str:
    return digest(bytes(32), "test", part)


def test_a_killed_cycle_shows_its_last_intent_and_all_that_it_remembered(
    path: Path, clock: Clock, spawn: Spawn
) -> None:
    child = spawn(CODE, path)
    cycle_id = child.communicate(timeout=30)[0].strip()
    assert child.returncode == -signal.SIGKILL

    with SqliteJournal.open_read_only(path, clock) as journal:
        assert [one.cycle_id for one in journal.cycles()] == [cycle_id]

    with SqliteJournal.open(path, clock) as journal:
        journal.begin(clock.now())
        assert [one.event for one in journal.cycles()] == [None, "interrupted"]
        assert [
            (one.contact_id, one.kind, one.outcome, one.outcome_at)
            for one in journal.steps(cycle_id)
        ] == [(41, "deactivate", "done", clock.now()), (42, "bind", None, None)]
        assert journal.memory(clock.now()) == Memory(
            missing=frozenset({ContactId(3)}),
            refused_addresses=frozenset({keyed("address")}),
            failed_imports={keyed("import"): FailedImport(keyed("world"), clock.now())},
            failed_restores=frozenset({ContactId(7)}),
            statusless=frozenset({keyed("row")}),
            aliases={keyed("token"): keyed("number")},
            last_good=GoodCounts(5, 4),
            provisioning=False,
            lately={"revoke": frozenset({ContactId(41)}), "grant": frozenset({ContactId(42)})},
        )

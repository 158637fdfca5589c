"""A clock that tests own, a journal in a file of its own, and child processes to kill."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import door_sync
from door_sync.journal.sqlite import SqliteJournal

START = datetime(2025, 3, 10, 8, 15, tzinfo=UTC)

Spawn = Callable[..., "subprocess.Popen[str]"]


@dataclass
class HandClock:
    """Stands still until a test moves it."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return (self.moment - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing in the journal waits")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def advance(clock: HandClock) -> Callable[[timedelta], datetime]:
    """Move the clock by a span, and return the time that it shows then."""

    def move(span: timedelta) -> datetime:
        clock.moment += span
        return clock.moment

    return move


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def journal(path: Path, clock: HandClock) -> Iterator[SqliteJournal]:
    with SqliteJournal.open(path, clock, busy_timeout_seconds=0) as opened:
        yield opened


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start a Python process with door_sync on its path; it is gone when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
        source = str(Path(door_sync.__file__).parents[1])
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": source},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()

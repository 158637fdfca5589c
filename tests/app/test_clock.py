"""The machine's own time."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from door_sync.app.clock import SystemClock


def test_the_time_of_day_has_a_zone_and_is_now() -> None:
    now = SystemClock().now()
    assert now.tzinfo is not None
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_other_time_never_runs_backwards() -> None:
    clock = SystemClock()
    times = [clock.monotonic() for _ in range(100)]
    assert times == sorted(times)


def test_waiting_is_left_to_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    SystemClock().sleep(1.5)
    assert waited == [1.5]

"""The benchmark itself: a club small enough for every test run, and what becomes of failures."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import benchmarks.__main__ as command
from benchmarks import sides
from benchmarks.cycle import measure_size
from tests.benchmarks.conftest import still


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both sides answer at once."""
    monkeypatch.setattr(sides, "CIVICRM_SECONDS", 0.0)
    monkeypatch.setattr(sides, "UNIFI_SECONDS", 0.0)


@pytest.mark.usefixtures("near")
def test_a_small_club_is_measured_with_the_program_as_it_is() -> None:
    """With one change of each kind: two writes more than the fewest would be a fault of either."""
    told: list[str] = []
    quiet, busy = measure_size(10, [0, 5], 1, told.append)
    assert "error" not in quiet, quiet
    assert "error" not in busy, busy
    assert quiet["requests"] == quiet["fewest_reads"] == {"civicrm": 3, "unifi": 4}
    assert quiet["deciding"]["changes"] == 0
    assert busy["writes"] == busy["fewest_writes"] == 10
    assert busy["read_backs"] == busy["people"] == busy["deciding"]["changes"] == 5
    assert busy["kinds"] == dict.fromkeys(
        ("joined", "left", "other card", "other tier", "other name"), 1
    )
    assert sum(busy["phases"].values()) == pytest.approx(busy["wall"], abs=0.01)
    assert len(told) == 2


def test_what_cannot_be_measured_is_told_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def some_fail(
        members: int, changes: Sequence[int], runs: int, say: Callable[[str], None]
    ) -> list[dict[str, Any]]:
        if members == 7:
            raise RuntimeError("a side is gone")
        return [still(members, 1, 0.5, 60), {"members": members, "changes": 5, "error": "no"}]

    monkeypatch.setattr(command, "measure_size", some_fail)
    words = ["--sizes", "7", "1000", "--changes", "0", "5", "--only", "cycles", "--into"]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words, str(tmp_path)])
    assert command.main() == 1
    found = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert [(cell["members"], cell["changes"], "error" in cell) for cell in found["cells"]] == [
        (7, 0, True),
        (7, 5, True),
        (1_000, 0, False),
        (1_000, 5, True),
    ]
    assert (tmp_path / "bench-wall.svg").exists()
    said = capsys.readouterr().out
    assert "failed: 7 members: RuntimeError: a side is gone" in said
    assert "failed: 1,000 members, 5 changes: no" in said
    assert "Cells that could not be measured: 3." in said
